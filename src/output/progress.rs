//! How far a run has come: one line on stderr, for a person who waits.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

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

    /// Draws the line anew.
    pub fn show(&self, results: u64, ok: u64, open: usize) {
        let Some(bar) = self.bar.as_ref().filter(|_| self.started.elapsed() >= PATIENCE) else {
            return;
        };
        let seconds = self.started.elapsed().as_secs();
        let failed = results.saturating_sub(ok);
        if bar.is_hidden() {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(DRAWS_A_SECOND));
        }
        bar.set_message(format!(
            "{results} results: {ok} ok, {failed} failed; {open} targets open; {seconds} s"
        ));
        bar.tick();
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
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
