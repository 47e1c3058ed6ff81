//! What a run has to say, counted and written.

use std::io;
use std::sync::Arc;

use super::{RunError, timestamp};
use crate::machine::JobId;
use crate::net::clock::Clock;
use crate::output::Output;
use crate::report::{Failure, Origin, Probe, ResolveError, Timestamp};
use crate::tally::{Tally, Verdict};

/// Counts results and writes them.
pub struct Ledger {
    command: &'static str,
    /// Whether the probes of a target are numbered, and summed up.
    numbered: bool,
    clock: Clock,
    tally: Tally,
    /// Where it is written.
    pub output: Output,
    last_job: u64,
    broken: Option<RunError>,
}

impl Ledger {
    /// An empty one.
    pub fn new(command: &'static str, numbered: bool, clock: Clock, output: Output) -> Self {
        let tally = Tally::new(command);
        Ledger { command, numbered, clock, tally, output, last_job: 0, broken: None }
    }

    /// A number for a target.
    pub fn next_job(&mut self) -> JobId {
        self.last_job += 1;
        JobId(self.last_job)
    }

    /// Counts a result line and writes it.
    pub fn say(&mut self, id: JobId, probe: &Probe) -> io::Result<()> {
        self.tally.probe(id, probe);
        self.output.probe(probe)
    }

    /// Counts a target that has ended, and gives its statistics if probes are counted.
    pub fn end(&mut self, id: JobId, at: Timestamp, origin: Arc<Origin>) -> io::Result<()> {
        let stats = self.tally.target(id, at, origin);
        if self.numbered { self.output.target(&stats) } else { Ok(()) }
    }

    /// Reports a target that never got as far as being probed.
    pub fn never_begun(&mut self, origin: Arc<Origin>, failure: Failure) -> io::Result<()> {
        let id = self.next_job();
        let probe = Probe {
            at: timestamp(self.clock.now()),
            command: self.command,
            origin: origin.clone(),
            probe: None,
            ok: false,
            failure: Some(failure),
            endpoint: None,
            answer: None,
            tries: None,
            tcp: None,
            warnings: Vec::new(),
        };
        self.say(id, &probe)?;
        self.end(id, probe.at, origin)
    }

    /// Takes down that a file cannot be read on.
    pub fn broken(&mut self, file: Arc<str>, error: io::Error) {
        self.broken = Some(RunError::Input { file, error });
    }

    /// Says that a seed gave no address.
    pub fn seed_failed(&mut self, seed: &str, why: &ResolveError) -> io::Result<()> {
        self.output.seed_failed(seed, why)
    }

    /// Draws the progress line anew, if there is one; true if there is.
    pub fn show_progress(&self, open: usize) -> bool {
        let progress = self.output.progress();
        if progress.is_wanted() {
            let (results, ok) = self.tally.results();
            progress.show(results, ok, open);
        }
        progress.is_wanted()
    }

    /// Ends it: `result` is what became of the run, `own_drops` how many datagrams our own sockets lost, where there
    /// were any sockets for those.
    pub fn finish(
        mut self,
        result: Result<(), RunError>,
        any: bool,
        own_drops: Option<u64>,
        stopped: bool,
    ) -> (Verdict, Result<(), RunError>) {
        let result = result.and(self.broken.take().map_or(Ok(()), Err));
        let verdict = self.tally.verdict(any);
        if matches!(result, Err(RunError::Output(_))) {
            return (verdict, result);
        }
        let mut written = Ok(());
        if self.output.wants_summary() {
            let (at, elapsed) = (timestamp(self.clock.now()), self.clock.mono().0);
            let summary = self.tally.summary(at, elapsed, own_drops, stopped);
            written = self.output.summary(&summary);
        }
        let written = written.and_then(|()| self.output.flush());
        (verdict, result.and(written.map_err(RunError::Output)))
    }
}
