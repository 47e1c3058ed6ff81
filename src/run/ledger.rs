//! What a run has to say, counted and written.

use std::io;
use std::sync::Arc;

use super::order::{MAX_HELD, Order, Said};
use super::{RunError, timestamp};
use crate::machine::JobId;
use crate::net::clock::Clock;
use crate::output::Output;
use crate::report::{Failure, Origin, Probe, Timestamp};
use crate::source::{Item, Located, Reading};
use crate::tally::{Tally, Verdict};

/// How results are kept.
#[derive(Clone, Copy, Debug)]
pub struct Keeping {
    /// The command's name.
    pub command: &'static str,
    /// Number the probes of a target, and sum them up.
    pub numbered: bool,
    /// Give results in the order of the input.
    pub ordered: bool,
}

/// Counts results and writes them.
pub struct Ledger {
    command: &'static str,
    /// Whether the probes of a target are numbered, and summed up.
    numbered: bool,
    clock: Clock,
    reading: Arc<Reading>,
    tally: Tally,
    /// Where it is written.
    pub output: Output,
    last_job: u64,
    /// `--ordered`.
    order: Option<Order>,
    broken: Option<RunError>,
}

impl Ledger {
    /// An empty one.
    pub fn new(keeping: Keeping, clock: Clock, reading: Arc<Reading>, output: Output) -> Self {
        let Keeping { command, numbered, ordered } = keeping;
        let order = ordered.then(Order::default);
        let tally = Tally::new(command);
        Ledger {
            command,
            numbered,
            clock,
            reading,
            tally,
            output,
            last_job: 0,
            order,
            broken: None,
        }
    }

    /// Takes down that a target is begun.
    pub fn begin(&mut self, origin: &Origin) -> JobId {
        if let Some(order) = &mut self.order {
            order.begin(origin);
        }
        self.last_job += 1;
        JobId(self.last_job)
    }

    /// False while so many results wait for the turn of an earlier target that no more targets are to be begun.
    pub fn has_room(&self) -> bool {
        self.order.as_ref().is_none_or(Order::has_room)
    }

    /// Counts a result line and writes it.
    pub fn say(&mut self, id: JobId, probe: Probe) -> io::Result<()> {
        self.tally.probe(id, &probe);
        if self.order.is_none() {
            return self.output.probe(&probe);
        }
        let origin = probe.origin.clone();
        self.give(&origin, Said::Probe(Box::new(probe)))
    }

    /// Counts a target that has ended, and gives its statistics if probes are counted.
    pub fn end(&mut self, id: JobId, at: Timestamp, origin: Arc<Origin>) -> io::Result<()> {
        let stats = self.tally.target(id, at, origin.clone());
        if self.numbered {
            self.give(&origin, Said::Target(Box::new(stats)))?;
        }
        match &mut self.order {
            None => Ok(()),
            Some(order) => {
                order.ended(&origin);
                self.write_ready()
            }
        }
    }

    /// Takes down how many targets a network's seeds gave.
    fn seeds_ended(&mut self, network: &Origin, given: u64) -> io::Result<()> {
        let Some(order) = &mut self.order else { return Ok(()) };
        order.seeds_ended(network, given);
        self.write_ready()
    }

    /// Writes what has its turn, and keeps what has not.
    fn give(&mut self, origin: &Origin, said: Said) -> io::Result<()> {
        let Some(order) = &mut self.order else { return self.write(&said) };
        order.hold(origin, said);
        self.write_ready()?;
        if let Some(first) = self.order.as_mut().and_then(Order::newly_full) {
            self.output.warn(&format!(
                "--ordered: {MAX_HELD} results wait for that of {first}; no more targets are begun until it has ended"
            ))?;
        }
        Ok(())
    }

    fn write_ready(&mut self) -> io::Result<()> {
        while let Some(said) = self.order.as_mut().and_then(Order::next_ready) {
            self.write(&said)?;
        }
        Ok(())
    }

    fn write(&mut self, said: &Said) -> io::Result<()> {
        match said {
            Said::Probe(probe) => self.output.probe(probe),
            Said::Target(stats) => self.output.target(stats),
        }
    }

    /// Reports a target that never got as far as being probed.
    fn never_begun(&mut self, origin: Arc<Origin>, failure: Failure) -> io::Result<()> {
        let id = self.begin(&origin);
        let at = timestamp(self.clock.now());
        let probe = Probe {
            at,
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
        self.say(id, probe)?;
        self.end(id, at, origin)
    }

    /// Takes down what the source gave; a target that is to be probed is handed back. A run that was `stopped` probes
    /// none.
    pub fn take<P>(
        &mut self,
        item: Item<P>,
        stopped: bool,
    ) -> io::Result<Option<(Arc<Origin>, Located<P>)>> {
        match item {
            Item::Located(origin, _) if stopped => {
                self.never_begun(origin, Failure::Interrupted)?;
            }
            Item::Located(origin, located) => return Ok(Some((origin, located))),
            Item::Failed(origin, failure) => self.never_begun(origin, failure)?,
            Item::Broken { file, error } => self.broken = Some(RunError::Input { file, error }),
            Item::SeedFailed { seed, why } => self.output.seed_failed(&seed, &why)?,
            Item::SeedsEnded { network, given } => self.seeds_ended(&network, given)?,
        }
        Ok(None)
    }

    /// Draws the progress line anew, if there is one; true if there is.
    pub fn show_progress(&self, open: usize) -> bool {
        let progress = self.output.progress();
        if progress.is_wanted() {
            progress.show(&self.tally, open as u64, self.reading.targets());
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
        for said in self.order.take().into_iter().flat_map(Order::rest) {
            written = written.and_then(|()| self.write(&said));
        }
        if self.output.wants_summary() {
            let (at, elapsed) = (timestamp(self.clock.now()), self.clock.mono().0);
            let summary = self.tally.summary(at, elapsed, own_drops, stopped);
            written = written.and_then(|()| self.output.summary(&summary));
        }
        let written = written.and_then(|()| self.output.flush());
        (verdict, result.and(written.map_err(RunError::Output)))
    }
}
