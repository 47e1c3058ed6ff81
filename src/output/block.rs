//! The result of one target for a person at a terminal: a field a line. It is made from the value that the JSON line
//! is made from, as the text lines are.

use std::fmt::{self, Write};

use anstyle::Style;
use serde_json::Value;

use super::Line;
use super::text::{broken, escaped, outcome_style};
use crate::report::{Answer, Failure, Millis};

/// Fields that the first lines say, or the command line did.
const NOT_REPEATED: [&str; 8] =
    ["type", "command", "ok", "failure", "target", "rtt_ms", "reason", TIME];
/// The field that comes last.
const TIME: &str = "at";

const INDENT: &str = "  ";

/// `OUTCOME TARGET RTT`, the reason, and `KEY VALUE` for each field; text is broken between words to fit into so many columns.
///
/// # Errors
/// None for the line of a probe.
pub fn probe(line: &Line<'_>, color: bool, columns: usize) -> Result<String, fmt::Error> {
    let Line::Probe { probe, reason } = line else { return Err(fmt::Error) };
    let Ok(Value::Object(fields)) = serde_json::to_value(line) else { return Err(fmt::Error) };
    let outcome = probe.failure.as_ref().map_or("ok", Failure::kind);
    let (style, dim) = match color {
        true => (outcome_style(probe).bold(), Style::new().dimmed()),
        false => (Style::new(), Style::new()),
    };
    let mut out = format!("{style}{outcome}{style:#}  {}", escaped(&probe.origin.target));
    if let Some(rtt) = probe.answer.as_ref().and_then(Answer::rtt) {
        write!(out, "  {}", Millis(rtt))?;
    }
    if let Some(reason) = reason {
        write!(out, "\n{INDENT}{}", broken(&escaped(reason), INDENT.len(), INDENT.len(), columns))?;
    }
    let is_shown = |key: &str| !NOT_REPEATED.contains(&key);
    let width = fields.keys().filter(|key| is_shown(key)).map(String::len).max().unwrap_or(0);
    let mut field = |key: &str, value: &Value| {
        let value = match value {
            Value::Array(values) => values.iter().map(inline).collect::<Vec<_>>().join(", "),
            // What begins or ends with a blank, or is nothing, could not be seen.
            Value::String(text) if text.is_empty() || text.trim() != text => {
                format!("\"{}\"", escaped(text))
            }
            value => inline(value),
        };
        let from = 2 * INDENT.len() + width;
        let value = broken(&value, from, from, columns);
        write!(out, "\n{INDENT}{dim}{key:<width$}{dim:#}{INDENT}{value}")
    };
    for (key, value) in fields.iter().filter(|(key, _)| is_shown(key)) {
        field(key, value)?;
    }
    // Who looks at it now knows that best.
    fields.get(TIME).map_or(Ok(()), |at| field(TIME, at))?;
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
