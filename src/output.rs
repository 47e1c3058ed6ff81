//! Renders reports: JSON lines, or text lines with statistics on stderr. Both render the same value.

mod block;
mod fields;
pub mod progress;
mod reason;
mod row;
mod text;
pub mod trace;

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use serde::Serialize;
use terminal_size::{Width, terminal_size_of};

use self::progress::Progress;
use crate::report::{Probe, ResolveError, Summary, TargetStats};

pub use reason::local_error;

/// What is said on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One line a result, for people, `grep` and `awk`.
    Text,
    /// One JSON object a line.
    Json,
}

/// How much of the screen a result takes, in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A line with all that is known, for pipes and files.
    Line,
    /// A row that ends at the right edge of the terminal.
    Row,
    /// A block of lines, for a person who asked for one target.
    Block,
}

impl Shape {
    /// For standard output, where `one` says whether a single result is all that there will be.
    pub fn of_stdout(one: bool) -> Self {
        match (io::stdout().is_terminal(), one) {
            (false, _) => Shape::Line,
            (true, false) => Shape::Row,
            (true, true) => Shape::Block,
        }
    }
}

/// How it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Text or JSON.
    pub format: Format,
    /// Whether text on standard output is coloured.
    pub color: bool,
    /// How much of the screen a result takes, in text.
    pub shape: Shape,
    /// Whether nothing goes to stderr.
    pub quiet: bool,
    /// Whether statistics and the summary are given.
    pub summary: bool,
    /// Whether a person who waits is told how far the run has come.
    pub progress: bool,
}

/// A line as JSON has it. The text lines are made from the same value.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Line<'a> {
    Probe {
        #[serde(flatten)]
        probe: &'a Probe,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    Target(&'a TargetStats),
    Summary(&'a Summary),
}

/// Standard output, and stderr for what belongs there.
pub struct Output {
    style: Style,
    out: BufWriter<StdoutLock<'static>>,
    progress: Progress,
}

impl Output {
    /// Takes standard output.
    pub fn new(style: Style) -> Self {
        // Large enough for a burst of results; what matters is that it is flushed before every wait.
        let out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        Output { style, out, progress: Progress::new(style.progress) }
    }

    /// Writes a result line.
    ///
    /// # Errors
    /// Those of standard output.
    pub fn probe(&mut self, probe: &Probe) -> io::Result<()> {
        let line = Line::Probe { probe, reason: reason::of(probe) };
        match self.style.format {
            Format::Json => self.json(&line),
            Format::Text => {
                let Style { color, shape, .. } = self.style;
                let text = match shape {
                    Shape::Line => text::probe(&line, color),
                    Shape::Row => row::probe(&line, color, columns()),
                    Shape::Block => block::probe(&line, color, columns()),
                };
                let mut line = text.map_err(io::Error::other)?;
                line.push('\n');
                self.take(line.as_bytes())
            }
        }
    }

    /// Writes the statistics of a target, if they are wanted.
    ///
    /// # Errors
    /// Those of standard output.
    pub fn target(&mut self, stats: &TargetStats) -> io::Result<()> {
        if !self.style.summary {
            return Ok(());
        }
        match self.style.format {
            Format::Json => self.json(&Line::Target(stats)),
            Format::Text => self.aside(&text::target(stats)),
        }
    }

    /// True if a summary is wanted.
    pub fn wants_summary(&self) -> bool {
        self.style.summary
    }

    /// Writes the summary, if it is wanted. A person is told in other words that there was nothing to probe.
    ///
    /// # Errors
    /// Those of standard output.
    pub fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        self.progress.end();
        if !self.style.summary {
            return Ok(());
        }
        match self.style.format {
            Format::Json => self.json(&Line::Summary(summary)),
            Format::Text if summary.targets == 0 && !summary.interrupted => Ok(()),
            Format::Text => self.aside(&text::summary(summary)),
        }
    }

    /// Hands on all that was written.
    ///
    /// # Errors
    /// Those of standard output.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.out.buffer().is_empty() {
            return Ok(());
        }
        self.progress.suspend(|| self.out.flush())
    }

    /// Warns of what concerns the run and no result, on stderr.
    ///
    /// # Errors
    /// Those of standard output.
    pub fn warn(&mut self, text: &str) -> io::Result<()> {
        self.aside(&format!("warning: {text}\n"))
    }

    /// Warns that a seed of a network gave no address.
    ///
    /// # Errors
    /// Those of standard output.
    pub fn seed_failed(&mut self, seed: &str, why: &ResolveError) -> io::Result<()> {
        self.warn(&format!("seed {}", text::escaped(&reason::unresolved(seed, why))))
    }

    /// The line that tells how far the run has come.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    fn json(&mut self, line: &Line<'_>) -> io::Result<()> {
        let mut line = serde_json::to_vec(line)?;
        line.push(b'\n');
        self.take(&line)
    }

    /// Takes a result line. A buffer that it does not fit into would hand on what it has by itself, and leave what a
    /// person who waits sees in the way.
    fn take(&mut self, line: &[u8]) -> io::Result<()> {
        let Output { out, progress, .. } = self;
        if out.buffer().len() + line.len() < out.capacity() {
            return out.write_all(line);
        }
        progress.suspend(|| {
            out.flush()?;
            out.write_all(line)
        })
    }

    /// Writes to stderr, behind all results so far.
    fn aside(&mut self, text: &str) -> io::Result<()> {
        self.flush()?;
        if !self.style.quiet {
            // Whoever closed stderr does not want to know.
            let _ = self.progress.suspend(|| io::stderr().write_all(text.as_bytes()));
        }
        Ok(())
    }
}

/// How wide the terminal is now; one that does not say so cuts nothing.
fn columns() -> usize {
    terminal_size_of(io::stdout()).map_or(usize::MAX, |(Width(columns), _)| columns.into())
}
