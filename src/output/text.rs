//! Text lines. They are made from the value that the JSON line is made from, so that neither can know
//! something that the other does not.

use std::fmt::Write;
use std::io;

use anstyle::{AnsiColor, Style};
use serde_json::{Map, Value};

use super::Line;
use crate::report::{Counts, RttStats, RttTail, Summary, TargetStats};
use crate::target::ethereum::shortened;

/// Fields that have a column of their own, or say what the line's form says already.
const NOT_REPEATED: [&str; 8] =
    ["type", "command", "ok", "failure", "target", "rtt_ms", "reason", "at"];

/// From so many targets on, a run's rate is worth a word.
const MANY: u64 = 1000;

/// `OUTCOME TARGET RTT REASON KEY=VALUE…`
pub fn probe(line: &Line<'_>, color: bool) -> io::Result<String> {
    let Value::Object(fields) = serde_json::to_value(line)? else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let text = |key| fields.get(key).and_then(Value::as_str);
    let outcome = text("failure").unwrap_or("ok");
    let target = text("target").unwrap_or_default();
    // What could not be read is shown as it was typed, so that its column can be found in it.
    let target = if outcome == "bad-target" { target.to_owned() } else { shortened(target) };
    let target = column(&target);
    let rtt = match fields.get("rtt_ms").and_then(Value::as_f64) {
        Some(rtt) => format!("{rtt:.3}ms"),
        None => "-".to_owned(),
    };
    let style = if color { outcome_style(&fields) } else { Style::new() };
    let mut out = format!("{style}{outcome:<16}{style:#}  {target:<32}  {rtt:>10}");
    if let Some(reason) = text("reason") {
        let _ = write!(out, "  {}", escaped(reason));
    }
    let last = fields.get_key_value("at");
    let shown = fields.iter().filter(|(key, _)| !NOT_REPEATED.contains(&key.as_str())).chain(last);
    for (index, (key, value)) in shown.enumerate() {
        let gap = if index == 0 { "  " } else { " " };
        let _ = write!(out, "{gap}{key}={}", inline(value));
    }
    Ok(out)
}

/// The colour of an outcome.
pub fn outcome_style(fields: &Map<String, Value>) -> Style {
    let color = match fields.get("ok") {
        Some(Value::Bool(true)) if fields.contains_key("warnings") => AnsiColor::Yellow,
        Some(Value::Bool(true)) => AnsiColor::Green,
        _ => AnsiColor::Red,
    };
    color.on_default()
}

/// A value behind `key=`: without spaces, unless it is quoted.
pub fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let text = escaped(text);
            let bare = !text.contains('=') || text.starts_with("enode:");
            if text.is_empty() || text.contains([' ', '"']) || !bare {
                format!("\"{}\"", text.replace('"', "\\\""))
            } else {
                text
            }
        }
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
    for c in text.chars() {
        match c {
            ' '..='~' | '…' => out.push(c),
            _ => out.extend(c.escape_default()),
        }
    }
    out
}

/// Statistics of a target in the manner of ping(8).
pub fn target(stats: &TargetStats) -> String {
    let TargetStats { origin, sent, received, loss_pct, rtt, .. } = stats;
    let name = column(&shortened(&origin.target));
    let mut out = format!("--- {name} ---\n");
    let sent = count(u64::from(*sent), "probe");
    let _ = writeln!(out, "{sent} sent, {received} answered, {loss_pct}% loss");
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
    rtt_line(&mut out, summary.rtt.as_ref(), summary.rtt_tail.as_ref());
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
    let counts = counts.most();
    let shown = counts.iter().take(SHOWN).map(|(name, count)| format!("{} {count}", escaped(name)));
    let mut texts: Vec<_> = shown.collect();
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
