//! A result among many for a person at a terminal: a line that ends at its right edge. Its fields are those of the text
//! line, what a person wants to know before the rest.

use std::fmt::{self, Write};

use anstyle::Style;

use super::text::{broken, coloured, head};
use super::{Line, fields};

/// What is never left out: what a person calls the target, which probe of it this is, and what makes an `ok` yellow.
const KEPT: [&str; 3] = ["label", "probe", "warnings"];
/// What comes next, in this order.
const FIRST: [&str; 4] = ["user_agent", "height", "seen_as", "network"];
/// What has a column of its own or comes last; and the file, which whoever looks at it has named.
const NOT_REPEATED: [&str; 9] =
    ["type", "command", "ok", "failure", "target", "rtt_ms", "reason", "at", "file"];
/// How far the second line of a long reason stands in.
const INDENT: usize = 4;
/// What says that there is more.
const MORE: &str = " …";

/// `OUTCOME TARGET RTT REASON KEY=VALUE…` in so many columns. What does not fit is left out, but for the reason and what is
/// never left out: these are broken between words.
///
/// # Errors
/// None for the line of a probe.
pub fn probe(line: &Line<'_>, color: bool, columns: usize) -> Result<String, fmt::Error> {
    let Line::Probe { probe, reason } = line else { return Err(fmt::Error) };
    let mut fields = fields::each(line, &NOT_REPEATED)?;
    fields.push(("at".to_owned(), format!("at={}", probe.at)));
    let place = |names: &[&str], key: &str| names.iter().position(|name| *name == key);
    let (mut kept, mut rest): (Vec<_>, Vec<_>) =
        fields.into_iter().partition(|(key, _)| KEPT.contains(&&key[..]));
    kept.sort_by_key(|(key, _)| place(&KEPT, key));
    rest.sort_by_key(|(key, _)| place(&FIRST, key).unwrap_or(FIRST.len()));
    let mut shown = head(probe, reason.as_deref())?;
    for (i, (_, field)) in kept.iter().enumerate() {
        write!(shown, "{}{field}", gap(i))?;
    }
    if shown.chars().count() > columns {
        shown = broken(&shown, 0, INDENT, columns);
    }
    let last = shown.rsplit('\n').next().unwrap_or_default().chars().count();
    let rest = fitting(&rest, kept.len(), columns.saturating_sub(last));
    Ok(match color {
        false => shown + &rest,
        true if rest.is_empty() => coloured(probe, &shown),
        true => {
            let dim = Style::new().dimmed();
            format!("{}{dim}{rest}{dim:#}", coloured(probe, &shown))
        }
    })
}

/// What stands before a field that so many stand before.
fn gap(before: usize) -> &'static str {
    if before == 0 { "  " } else { " " }
}

/// As many fields as have room in so many columns, behind so many others; and what says that there are more, if that has
/// room. A field is whole or not there, since half a number is another number.
fn fitting(fields: &[(String, String)], before: usize, room: usize) -> String {
    let (mut out, mut taken) = (String::new(), 0);
    for (i, (_, field)) in fields.iter().enumerate() {
        let gap = gap(before + i);
        let width = gap.len() + field.chars().count();
        let is_last = i + 1 == fields.len();
        let more = if is_last { 0 } else { MORE.chars().count() };
        if taken + width + more > room {
            out.push_str(if taken + MORE.chars().count() <= room { MORE } else { "" });
            break;
        }
        taken += width;
        out.push_str(gap);
        out.push_str(field);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_left_out_whole() {
        let fields = ["height=900000", "agent=\"a b\"", "relay=true"];
        let all = "  height=900000 agent=\"a b\" relay=true";
        let fields = fields.map(|field| (String::new(), field.to_owned()));
        let shown = |room| {
            let shown = fitting(&fields, 0, room);
            assert!(shown.chars().count() <= room, "{shown} {room}");
            shown
        };
        assert_eq!(shown(usize::MAX), all);
        assert_eq!(shown(all.len()), all);
        assert_eq!(shown(all.len() - 1), "  height=900000 agent=\"a b\" …");
        assert_eq!(shown(29), "  height=900000 agent=\"a b\" …");
        assert_eq!(shown(28), "  height=900000 …");
        assert_eq!(shown(17), "  height=900000 …");
        assert_eq!(shown(16), " …");
        assert_eq!(shown(2), " …");
        assert_eq!(shown(1), "");
        assert_eq!(shown(0), "");
        assert_eq!(fitting(&fields[2..], 1, 11), " relay=true");
    }
}
