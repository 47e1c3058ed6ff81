//! How far a run has come: one line on stderr, for a person who waits.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::tally::Tally;

/// Runs that are shorter show nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the line is drawn anew.
pub const INTERVAL: Duration = Duration::from_millis(200);
/// The same as times a second.
const DRAWS_A_SECOND: u8 = 5;

/// The line, if there is one.
pub struct Progress {
    bar: Option<ProgressBar>,
    started: Instant,
}

impl Progress {
    /// Shows on stderr, if that is a terminal and `wanted`; nothing before a second has passed.
    pub fn new(wanted: bool) -> Self {
        let bar = (wanted && io::stderr().is_terminal()).then(|| {
            // What was never shown must not be wiped away: that would write to the terminal, too.
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
            // The template is a constant; if it were wrong, there would be a plain line instead.
            let style = ProgressStyle::with_template("{wide_msg}");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
        });
        Progress { bar, started: Instant::now() }
    }

    /// True if it may ever show.
    pub fn is_wanted(&self) -> bool {
        self.bar.is_some()
    }

    /// Draws the line anew: what was counted, how many targets are open, and how many there are in all, with whether that
    /// is known or estimated.
    pub fn show(&self, tally: &Tally, open: u64, targets: Option<(u64, bool)>) {
        let elapsed = self.started.elapsed();
        let Some(bar) = self.bar.as_ref().filter(|_| elapsed >= PATIENCE) else { return };
        if bar.is_hidden() {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(DRAWS_A_SECOND));
        }
        bar.set_message(line(tally, open, targets, elapsed));
        bar.tick();
    }

    /// Shows nothing any more.
    pub fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Writes to the terminal with the line out of the way.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

/// How many kinds of failures are named.
const KINDS: usize = 3;

/// `5230 of ~10000 targets done, 1998/s, 2 s left: 4801 ok, no-reply 210, refused 12`
fn line(tally: &Tally, open: u64, targets: Option<(u64, bool)>, elapsed: Duration) -> String {
    let (done, ok) = tally.targets();
    if let (0, Some((1, true))) = (done, targets) {
        return line_of_one(tally, elapsed);
    }
    let targets = targets.map(|(targets, known)| (targets.max(done + open), known));
    let mut line = match targets {
        Some((targets, true)) => format!("{done} of {targets} targets done"),
        Some((targets, false)) => format!("{done} of ~{targets} targets done"),
        None => format!("{done} targets done, {open} open"),
    };
    // What a narrow terminal cuts off is what comes last.
    let rate = done as f64 / elapsed.as_secs_f64();
    if rate >= 1.0 {
        line.push_str(&format!(", {rate:.0}/s"));
    }
    match targets.map(|(targets, _)| targets - done) {
        // How long the last ones take is their own affair.
        Some(left) if left <= open => line.push_str(&format!(", {left} open")),
        Some(left) if done > 0 => line.push_str(&format!(", {:.0} s left", left as f64 / rate)),
        _ => {}
    }
    line.push_str(&format!(": {ok} ok"));
    let failures = tally.failures().most();
    for (kind, count) in failures.iter().take(KINDS) {
        line.push_str(&format!(", {kind} {count}"));
    }
    let others: u64 = failures.iter().skip(KINDS).map(|(_, count)| count).sum();
    if others > 0 {
        line.push_str(&format!(", others {others}"));
    }
    line
}

/// While the only target is open: `no answer yet, 2 s`, or `probes: 4 done, 3 ok; 5 s`.
fn line_of_one(tally: &Tally, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match tally.probes() {
        (0, _) => format!("no answer yet, {seconds} s"),
        (probes, ok) => format!("probes: {probes} done, {ok} ok; {seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::machine::JobId;
    use crate::report::{Failure, Origin, Probe, Timestamp};

    fn tally(ok: u64, failures: &[(Failure, u64)]) -> Tally {
        let mut tally = Tally::new("btc-handshake");
        let answered = [(None, ok)];
        let failed = failures.iter().map(|(failure, count)| (Some(failure), *count));
        let mut id = 0;
        for (failure, count) in answered.into_iter().chain(failed) {
            for _ in 0..count {
                id += 1;
                let probe = probe(failure);
                tally.probe(JobId(id), &probe);
                tally.target(JobId(id), probe.at, probe.origin);
            }
        }
        tally
    }

    fn probe(failure: Option<&Failure>) -> Probe {
        Probe {
            at: Timestamp(0),
            command: "btc-handshake",
            origin: Arc::new(Origin::default()),
            probe: None,
            ok: failure.is_none(),
            failure: failure.cloned(),
            warnings: Vec::new(),
            tcp: None,
            answer: None,
            endpoint: None,
            tries: None,
        }
    }

    #[test]
    fn it_says_what_is_done_and_what_is_left() {
        let failures = [
            (Failure::Refused, 5),
            (Failure::SelfConnection, 1),
            (Failure::Interrupted, 2),
            (Failure::HostUnreachable { icmp: None }, 1),
        ];
        let tally = tally(11, &failures);
        let line = |targets| line(&tally, 5, targets, Duration::from_secs(2));
        let counts = ": 11 ok, refused 5, interrupted 2, host-unreachable 1, others 1";
        let known = |targets, left| format!("20 of {targets} targets done, 10/s, {left}{counts}");
        assert_eq!(line(Some((100, false))), known("~100", "8 s left"));
        assert_eq!(line(Some((35, true))), known("35", "2 s left"));
        // Seeds stand for more than they are.
        assert_eq!(line(Some((3, true))), known("25", "5 open"));
        assert_eq!(line(None), format!("20 targets done, 5 open, 10/s{counts}"));
    }

    #[test]
    fn of_a_single_target_it_says_what_came() {
        let line = |tally: &Tally| line(tally, 1, Some((1, true)), Duration::from_millis(2_100));
        let mut one = tally(0, &[]);
        assert_eq!(line(&one), "no answer yet, 2 s");
        one.probe(JobId(1), &probe(Some(&Failure::Refused)));
        assert_eq!(line(&one), "probes: 1 done, 0 ok; 2 s");
        one.probe(JobId(1), &probe(None));
        assert_eq!(line(&one), "probes: 2 done, 1 ok; 2 s");
    }

    #[test]
    fn nothing_is_estimated_from_nothing() {
        let line = line(&tally(0, &[]), 0, None, Duration::from_secs(2));
        assert_eq!(line, "0 targets done, 0 open: 0 ok");
    }
}
