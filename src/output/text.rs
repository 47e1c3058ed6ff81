//! Text lines. Their fields are those of the JSON line: see [`fields`].

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style};

use super::{Line, fields};
use crate::report::{
    Answer, Counts, Failure, Millis, Probe, RttStats, RttTail, Summary, TargetStats,
};
use crate::target::ethereum::shortened;

/// Fields that have a column of their own, or say what the line's form says already.
const NOT_REPEATED: [&str; 8] =
    ["type", "command", "ok", "failure", "target", "rtt_ms", "reason", "at"];
/// In fewer columns, text is not broken between words.
const MIN_COLUMNS: usize = 20;

/// Bytes of a line that most lines have room in.
const USUAL_LENGTH: usize = 512;

/// From so many targets on, a run's rate is worth a word.
const MANY: u64 = 1000;

/// `OUTCOME TARGET RTT REASON KEY=VALUE…`
///
/// # Errors
/// None for the line of a probe.
pub fn probe(line: &Line<'_>, color: bool) -> Result<String, fmt::Error> {
    let Line::Probe { probe, reason } = line else { return Err(fmt::Error) };
    let mut out = head(probe, reason.as_deref())?;
    let head = out.len();
    fields::append(line, &NOT_REPEATED, &mut out)?;
    let gap = if out.len() == head { "  " } else { " " };
    write!(out, "{gap}at={}", probe.at)?;
    Ok(if color { coloured(probe, &out) } else { out })
}

/// `OUTCOME TARGET RTT REASON`, in columns.
///
/// # Errors
/// None.
pub fn head(probe: &Probe, reason: Option<&str>) -> Result<String, fmt::Error> {
    let (outcome, target) = (outcome(probe), &probe.origin.target);
    // What could not be read is shown as it was typed, so that its column can be found in it.
    let target = if outcome == "bad-target" { column(target) } else { column(&shortened(target)) };
    let mut out = String::with_capacity(USUAL_LENGTH);
    write!(out, "{outcome:<16}  {target:<32}  ")?;
    match probe.answer.as_ref().and_then(Answer::rtt) {
        Some(rtt) => write!(out, "{:>10}", Millis(rtt))?,
        None => write!(out, "{:>10}", "-")?,
    }
    if let Some(reason) = reason {
        out.push_str("  ");
        push_escaped(&mut out, reason);
    }
    Ok(out)
}

/// The first word of a line.
fn outcome(probe: &Probe) -> &'static str {
    probe.failure.as_ref().map_or("ok", Failure::kind)
}

/// A line with its first word in colour.
pub fn coloured(probe: &Probe, line: &str) -> String {
    let (style, outcome) = (outcome_style(probe), outcome(probe));
    let rest = line.strip_prefix(outcome).unwrap_or_default();
    format!("{style}{outcome}{style:#}{rest}")
}

/// Text that begins after so many columns, broken between words, with its other lines as far in as `indent` says. What has no
/// spaces stays whole, for whoever copies it.
pub fn broken(text: &str, from: usize, indent: usize, columns: usize) -> String {
    if columns.saturating_sub(from) < MIN_COLUMNS {
        return text.to_owned();
    }
    let (begin, margin) = (" ".repeat(from), " ".repeat(indent));
    let options = textwrap::Options::new(columns)
        .initial_indent(&begin)
        .subsequent_indent(&margin)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    // Of what is blank, textwrap leaves nothing, not even the indent.
    textwrap::fill(text, options).strip_prefix(&begin).unwrap_or_default().to_owned()
}

/// The colour of an outcome.
pub fn outcome_style(probe: &Probe) -> Style {
    let color = match probe.ok {
        true if probe.warnings.is_empty() => AnsiColor::Green,
        true => AnsiColor::Yellow,
        false => AnsiColor::Red,
    };
    color.on_default()
}

/// The target as one word, so that a bad one moves no other column.
fn column(target: &str) -> String {
    match target {
        "" => "-".to_owned(),
        target => escaped(target).replace(' ', "\\u{20}"),
    }
}

/// Makes text from outside safe for a terminal: what is not printable ASCII is escaped, but for the ellipsis
/// that we put in ourselves.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_escaped(&mut out, text);
    out
}

/// Appends text from outside, escaped.
pub fn push_escaped(out: &mut String, text: &str) {
    // To look at all bytes at once is cheaper than to stop at the first odd one: there is hardly ever any.
    if text.bytes().fold(true, |fit, byte| fit & matches!(byte, b' '..=b'~')) {
        return out.push_str(text);
    }
    for c in text.chars() {
        match c {
            ' '..='~' | '…' => out.push(c),
            _ => out.extend(c.escape_default()),
        }
    }
}

/// Statistics of a target in the manner of ping(8).
pub fn target(stats: &TargetStats) -> String {
    let TargetStats { origin, sent, received, loss_pct, rtt, .. } = stats;
    let name = column(&shortened(&origin.target));
    let mut out = format!("--- {name} ---\n");
    let sent = count(u64::from(*sent), "probe");
    let _ = match loss_pct {
        Some(loss_pct) => writeln!(out, "{sent} sent, {received} answered, {loss_pct}% loss"),
        None => writeln!(out, "{sent} sent"),
    };
    rtt_line(&mut out, rtt.as_ref(), None);
    out
}

/// What the run gave.
pub fn summary(summary: &Summary) -> String {
    let Summary { targets, answered, probes, ok, failures, warnings, .. } = summary;
    let mut out = format!("{}, {answered} ok", count(*targets, "target"));
    if probes != targets {
        let _ = write!(out, "; {}, {ok} ok", count(*probes, "probe"));
    }
    if !failures.is_empty() {
        let _ = write!(out, "; {}", list(failures));
    }
    let _ = write!(out, "; {:.1} s", summary.elapsed_ms.0.as_secs_f64());
    if *targets >= MANY {
        let _ = write!(out, ", {:.0} a second", summary.targets_per_s);
    }
    out.push_str(if summary.interrupted { ", interrupted\n" } else { "\n" });
    // The statistics of a single target have said the same.
    if *targets > 1 || probes == targets || summary.rtt_tail.is_some() {
        rtt_line(&mut out, summary.rtt.as_ref(), summary.rtt_tail.as_ref());
    }
    if !summary.seen_as.is_empty() {
        let seen_as: Vec<_> = summary.seen_as.most();
        let seen_as = seen_as.iter().map(|(ip, count)| format!("{ip} ({count})"));
        let _ = writeln!(out, "peers see us at {}", seen_as.collect::<Vec<_>>().join(", "));
    }
    for (what, counts) in [("nodes", &summary.user_agents), ("services", &summary.services)] {
        if !counts.is_empty() {
            let _ = writeln!(out, "{what}: {}", first(counts));
        }
    }
    if !warnings.is_empty() {
        let _ = writeln!(out, "warnings: {}", list(warnings));
    }
    if let Some(lost) = summary.own_drops.filter(|lost| *lost > 0) {
        let _ = writeln!(out, "our own socket lost {}", count(lost, "datagram"));
    }
    out
}

fn rtt_line(out: &mut String, rtt: Option<&RttStats>, tail: Option<&RttTail>) {
    let Some(RttStats { rtt_min_ms, rtt_median_ms, rtt_max_ms, rtt_dev_ms }) = rtt else { return };
    let _ = write!(out, "rtt min {rtt_min_ms}, median {rtt_median_ms}, ");
    if let Some(RttTail { rtt_p90_ms, rtt_p99_ms }) = tail {
        let _ = write!(out, "p90 {rtt_p90_ms}, p99 {rtt_p99_ms}, ");
    }
    let _ = writeln!(out, "max {rtt_max_ms}, deviation {rtt_dev_ms}");
}

fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// The most frequent names.
fn first(counts: &Counts) -> String {
    const SHOWN: usize = 8;
    /// In characters; user agents may have 256 bytes.
    const LONGEST: usize = 60;
    let counts = counts.most();
    let mut texts: Vec<_> = counts
        .iter()
        .take(SHOWN)
        .map(|(name, count)| {
            let mut text = String::new();
            match name.char_indices().nth(LONGEST) {
                Some((end, _)) => fields::push_word(&mut text, &format!("{}…", &name[..end])),
                None => fields::push_word(&mut text, name),
            }
            let _ = write!(text, " {count}");
            text
        })
        .collect();
    let others: u64 = counts.iter().skip(SHOWN).map(|(_, count)| count).sum();
    if others > 0 {
        texts.push(format!("others {others}"));
    }
    texts.join(", ")
}

fn list(counts: &Counts) -> String {
    let counts = counts.most();
    let texts: Vec<_> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_peers_chose_stay_apart() {
        let (long, fits) = ("x".repeat(61), "y".repeat(60));
        let names = ["/a:1/", "", "/b/ 9, /c/", &long, &fits];
        let mut counts = Counts::default();
        for (i, name) in names.iter().enumerate() {
            (i..names.len()).for_each(|_| counts.add(name));
        }
        let long = &long[1..];
        let shown = format!("/a:1/ 5, \"\" 4, \"/b/ 9, /c/\" 3, {long}… 2, {fits} 1");
        assert_eq!(first(&counts), shown);
    }

    #[test]
    fn text_is_broken_between_words_and_never_lost() {
        assert_eq!(broken("one two three", 0, 2, 20), "one two three");
        assert_eq!(broken("one two three four five", 0, 2, 20), "one two three four\n  five");
        assert_eq!(broken("one two three four five", 4, 2, 24), "one two three four\n  five");
        // A word stays whole.
        let long = "x".repeat(30);
        assert_eq!(broken(&long, 2, 2, 22), long);
        // Too narrow for that.
        assert_eq!(broken("one two three four five", 0, 2, 19), "one two three four five");
        assert_eq!(broken("", 18, 18, 80), "");
    }
}
