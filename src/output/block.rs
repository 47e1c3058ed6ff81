//! The result of one target for a person at a terminal: a field a line. It is made from the value that the JSON line
//! is made from, as the text lines are.

use std::fmt::{self, Write};

use anstyle::Style;
use serde_json::Value;

use super::Line;
use super::text::{escaped, outcome_style};
use crate::report::Failure;

/// Fields that the first lines say, or the command line did.
const NOT_REPEATED: [&str; 6] = ["type", "command", "ok", "failure", "target", "reason"];

/// `OUTCOME TARGET`, the reason, and `KEY VALUE` for each field.
///
/// # Errors
/// None for the line of a probe.
pub fn probe(line: &Line<'_>, color: bool) -> Result<String, fmt::Error> {
    let Line::Probe { probe, reason } = line else { return Err(fmt::Error) };
    let Ok(Value::Object(fields)) = serde_json::to_value(line) else { return Err(fmt::Error) };
    let outcome = probe.failure.as_ref().map_or("ok", Failure::kind);
    let (style, dim) = match color {
        true => (outcome_style(probe).bold(), Style::new().dimmed()),
        false => (Style::new(), Style::new()),
    };
    let mut out = format!("{style}{outcome}{style:#}  {}\n", escaped(&probe.origin.target));
    if let Some(reason) = reason {
        writeln!(out, "  {}", escaped(reason))?;
    }
    let shown = || fields.iter().filter(|(key, _)| !NOT_REPEATED.contains(&key.as_str()));
    let width = shown().map(|(key, _)| key.len()).max().unwrap_or_default();
    for (key, value) in shown() {
        let value = match value {
            Value::Array(values) => values.iter().map(inline).collect::<Vec<_>>().join(", "),
            Value::String(text) => escaped(text),
            value => inline(value),
        };
        writeln!(out, "  {dim}{key:<width$}{dim:#}  {value}")?;
    }
    // The caller ends the last line.
    out.truncate(out.trim_end().len());
    Ok(out)
}

/// A value that has parts, in a word.
fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => escaped(text),
        Value::Array(values) => values.iter().map(inline).collect::<Vec<_>>().join(","),
        // A tagged object, such as a warning: its name, then the rest in parentheses.
        Value::Object(fields) => {
            let mut values = fields.iter();
            let name = values.next().map(|(_, name)| inline(name)).unwrap_or_default();
            let rest: Vec<_> = values.map(|(k, v)| format!("{k}={}", inline(v))).collect();
            if rest.is_empty() { name } else { format!("{name}({})", rest.join(",")) }
        }
        other => other.to_string(),
    }
}
