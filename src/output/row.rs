//! A result among many for a person at a terminal: a line that ends at its right edge. Its fields are those of the text
//! line, what a person wants to know before the rest.

use std::fmt::{self, Write};

use anstyle::Style;

use super::Line;
use super::fields::{self, Which};
use super::text::{broken, coloured, head};

/// What is never cut off: what a person calls the target, which probe of it this is, and what makes an `ok` yellow.
const KEPT: [[&str; 1]; 3] = [["label"], ["probe"], ["warnings"]];
/// What comes next.
const FIRST: [[&str; 1]; 4] = [["user_agent"], ["height"], ["seen_as"], ["network"]];
/// What has a column of its own or was written before; and the file, which whoever looks at it has named.
const NOT_REPEATED: [&str; 16] = [
    "type",
    "command",
    "ok",
    "failure",
    "target",
    "rtt_ms",
    "reason",
    "at",
    "file",
    "label",
    "probe",
    "warnings",
    "user_agent",
    "height",
    "seen_as",
    "network",
];
/// How far the second line of a long reason stands in.
const INDENT: usize = 4;
/// What says that there is more.
const MORE: &str = " …";

/// `OUTCOME TARGET RTT REASON KEY=VALUE…` in so many columns. What does not fit is left out, but for the reason and what is
/// never cut off: these are broken between words.
///
/// # Errors
/// None for the line of a probe.
pub fn probe(line: &Line<'_>, color: bool, columns: usize) -> Result<String, fmt::Error> {
    let Line::Probe { probe, reason } = line else { return Err(fmt::Error) };
    let mut shown = head(probe, reason.as_deref())?;
    let begin = shown.len();
    for key in &KEPT {
        fields::append(line, Which::Only(key), shown.len() > begin, &mut shown)?;
    }
    let mut rest = String::new();
    let is_begun = shown.len() > begin;
    for key in &FIRST {
        fields::append(line, Which::Only(key), is_begun || !rest.is_empty(), &mut rest)?;
    }
    fields::append(line, Which::AllBut(&NOT_REPEATED), is_begun || !rest.is_empty(), &mut rest)?;
    write!(rest, " at={}", probe.at)?;
    if shown.chars().count() > columns {
        shown = broken(&shown, 0, INDENT, columns);
    }
    let last = shown.rsplit('\n').next().unwrap_or_default().chars().count();
    let (kept, more) = fitting(&rest, columns.saturating_sub(last));
    if !color {
        return Ok(shown + kept + more);
    }
    let dim = if kept.is_empty() && more.is_empty() { Style::new() } else { Style::new().dimmed() };
    Ok(format!("{}{dim}{kept}{more}{dim:#}", coloured(probe, &shown)))
}

/// As many whole fields as have room in so many columns, since half a number is another number; and what says that there
/// are more, if that has room.
fn fitting(fields: &str, room: usize) -> (&str, &'static str) {
    if fields.chars().count() <= room {
        return (fields, "");
    }
    // A field that ends just before the mark has its space there.
    let Some(before) = (room + 1).checked_sub(MORE.chars().count()) else { return ("", "") };
    let end = fields.char_indices().nth(before).map_or(fields.len(), |(end, _)| end);
    let kept = fields[..end].rfind(' ').map_or("", |space| fields[..space].trim_end());
    (kept, if before > 0 { MORE } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_left_out_whole() {
        let fields = "  height=900000 relay=true";
        let shown = |room| {
            let (kept, more) = fitting(fields, room);
            assert!(kept.chars().count() + more.chars().count() <= room, "{kept}{more} {room}");
            format!("{kept}{more}")
        };
        assert_eq!(shown(usize::MAX), fields);
        assert_eq!(shown(fields.len()), fields);
        assert_eq!(shown(fields.len() - 1), "  height=900000 …");
        assert_eq!(shown(17), "  height=900000 …");
        assert_eq!(shown(16), " …");
        assert_eq!(shown(2), " …");
        assert_eq!(shown(1), "");
        assert_eq!(shown(0), "");
    }
}
