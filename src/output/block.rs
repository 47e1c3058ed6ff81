//! The result of one target for a person at a terminal: a field a line. It is made from the value that the JSON line
//! is made from, as the text lines are.

use std::fmt::Write;
use std::io;

use anstyle::Style;
use serde_json::Value;

use super::Line;
use super::text::{escaped, inline, outcome_style};

/// Fields that the first lines say, or the command line did.
const NOT_REPEATED: [&str; 6] = ["type", "command", "ok", "failure", "target", "reason"];

/// `OUTCOME TARGET`, the reason, and `KEY VALUE` for each field.
pub fn probe(line: &Line<'_>, color: bool) -> io::Result<String> {
    let Value::Object(fields) = serde_json::to_value(line)? else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let text = |key| fields.get(key).and_then(Value::as_str);
    let outcome = text("failure").unwrap_or("ok");
    let (style, dim) = match color {
        true => (outcome_style(&fields).bold(), Style::new().dimmed()),
        false => (Style::new(), Style::new()),
    };
    let target = escaped(text("target").unwrap_or_default());
    let mut out = format!("{style}{outcome}{style:#}  {target}\n");
    // Writing to a String cannot fail.
    if let Some(reason) = text("reason") {
        let _ = writeln!(out, "  {}", escaped(reason));
    }
    let shown = || fields.iter().filter(|(key, _)| !NOT_REPEATED.contains(&key.as_str()));
    let width = shown().map(|(key, _)| key.len()).max().unwrap_or_default();
    for (key, value) in shown() {
        let value = match value {
            Value::Array(values) => values.iter().map(inline).collect::<Vec<_>>().join(", "),
            Value::String(text) => escaped(text),
            value => inline(value),
        };
        let _ = writeln!(out, "  {dim}{key:<width$}{dim:#}  {value}");
    }
    // The caller ends the last line.
    out.truncate(out.trim_end().len());
    Ok(out)
}
