//! Counts what a run gave: per target, and in all.

mod rtts;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use foldhash::HashMap;

use self::rtts::Rtts;
use crate::machine::JobId;
use crate::report::{Counts, Failure, Origin, Probe, Summary, TargetStats, Timestamp, WaitedMs};

/// Different user agents that are counted apart: a whole network has some hundreds, and anybody can invent more.
const MAX_USER_AGENTS: usize = 1000;

/// How a run ended, for its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every target was answered as expected; with `--any`, one at least.
    Good,
    /// Not so.
    Bad,
    /// There was no target.
    Nothing,
}

/// The counts of a run.
#[derive(Debug, Default)]
pub struct Tally {
    command: &'static str,
    targets: u64,
    answered: u64,
    probes: u64,
    ok: u64,
    failures: Counts,
    warnings: Counts,
    rtts: Rtts,
    seen_as: HashMap<IpAddr, u64>,
    user_agents: Counts,
    services: Counts,
    open: HashMap<JobId, OfTarget>,
}

#[derive(Debug, Default)]
struct OfTarget {
    sent: u32,
    rtts: Rtts,
    received: u32,
    ok: bool,
}

impl Tally {
    /// Counts for a command.
    pub fn new(command: &'static str) -> Self {
        Tally { command, ..Tally::default() }
    }

    /// Counts a result line.
    pub fn probe(&mut self, id: JobId, probe: &Probe) {
        let of_target = self.open.entry(id).or_default();
        let local =
            matches!(probe.failure, Some(Failure::NoRoute { .. } | Failure::LocalError { .. }));
        of_target.sent += u32::from(!local && probe.tries.is_some_and(|tries| tries > 0));
        self.probes += 1;
        if let Some(failure) = &probe.failure {
            self.failures.add(failure.kind());
        }
        for warning in &probe.warnings {
            self.warnings.add(warning.kind());
        }
        if let Some(answer) = probe.answer.as_ref().filter(|answer| answer.is_complete()) {
            of_target.received += 1;
            if let Some(rtt) = answer.rtt() {
                of_target.rtts.add(rtt);
                self.rtts.add(rtt);
            }
            if let Some(seen_as) = answer.seen_as() {
                *self.seen_as.entry(seen_as.ip()).or_default() += 1;
            }
            if let Some(said) = answer.said() {
                if let Some(agent) = &said.user_agent {
                    self.user_agents.add_bounded(agent, MAX_USER_AGENTS);
                }
                said.service_names.iter().for_each(|name| self.services.add(name));
            }
        }
        of_target.ok |= probe.ok;
        self.ok += u64::from(probe.ok);
    }

    /// Counts a target all of whose lines were counted.
    pub fn target(&mut self, id: JobId, at: Timestamp, origin: Arc<Origin>) -> TargetStats {
        let OfTarget { sent, mut rtts, received, ok } = self.open.remove(&id).unwrap_or_default();
        self.targets += 1;
        self.answered += u64::from(ok);
        let lost = f64::from(sent.saturating_sub(received));
        TargetStats {
            at,
            command: self.command,
            origin,
            ok,
            sent,
            received,
            loss_pct: (sent > 0).then(|| (1000.0 * lost / f64::from(sent)).round() / 10.0),
            rtt: rtts.stats(),
        }
    }

    /// Targets that have ended, and how many of them were answered as expected.
    pub fn targets(&self) -> (u64, u64) {
        (self.targets, self.answered)
    }

    /// Result lines, and how many of them say that the target was answered as expected.
    pub fn probes(&self) -> (u64, u64) {
        (self.probes, self.ok)
    }

    /// Result lines that say a failure, by its kind.
    pub fn failures(&self) -> &Counts {
        &self.failures
    }

    /// What the run gave so far.
    pub fn verdict(&self, any: bool) -> Verdict {
        // A run that nobody reads any more ends with targets still open: they count as what they gave so far.
        let open = self.open.values().filter(|target| target.ok).count() as u64;
        match (self.targets + self.open.len() as u64, self.answered + open) {
            (0, _) => Verdict::Nothing,
            (targets, answered) if answered == targets || (any && answered > 0) => Verdict::Good,
            _ => Verdict::Bad,
        }
    }

    /// The last line.
    pub fn summary(
        mut self,
        at: Timestamp,
        elapsed: Duration,
        own_drops: Option<u64>,
        interrupted: bool,
    ) -> Summary {
        let seen_as = self.seen_as.iter().map(|(ip, count)| (ip.to_string(), *count)).collect();
        Summary {
            at,
            command: self.command,
            targets: self.targets,
            answered: self.answered,
            probes: self.probes,
            ok: self.ok,
            failures: self.failures,
            warnings: self.warnings,
            rtt: self.rtts.stats(),
            rtt_tail: self.rtts.tail(),
            seen_as: Counts(seen_as),
            user_agents: self.user_agents,
            services: self.services,
            own_drops,
            targets_per_s: per_second(self.targets, elapsed),
            elapsed_ms: WaitedMs(elapsed),
            interrupted,
        }
    }
}

fn per_second(targets: u64, elapsed: Duration) -> f64 {
    let rate = targets as f64 / elapsed.as_secs_f64().max(1e-3);
    (10.0 * rate).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::key::NodeId;
    use crate::machine::RttClock;
    use crate::report::{Answer, Failure, Identity, Millis, NotAsAsked, PingAnswer};

    #[test]
    fn an_answer_that_is_not_as_asked_is_no_success_of_a_run_that_was_cut_short() {
        let mut tally = Tally::new("eth-ping");
        let mut probe = Probe {
            at: Timestamp(0),
            command: "eth-ping",
            origin: Arc::new(Origin::default()),
            probe: Some(1),
            ok: false,
            failure: Some(Failure::NotAsAsked(NotAsAsked::Tcp)),
            endpoint: None,
            answer: Some(Answer::Ping(PingAnswer {
                rtt_ms: Millis(Duration::from_millis(1)),
                rtt_clock: RttClock::Kernel,
                identity: Identity::Learned,
                seen_as: None,
                enr_seq: None,
                expires_in_s: 20,
                pinged_back: None,
                node_id: NodeId([0; 32]),
                enode: None,
            })),
            tries: Some(1),
            tcp: None,
            warnings: Vec::new(),
        };
        tally.probe(JobId(1), &probe);
        assert_eq!([false, true].map(|any| tally.verdict(any)), [Verdict::Bad; 2]);
        (probe.ok, probe.failure) = (true, None);
        tally.probe(JobId(1), &probe);
        assert_eq!([false, true].map(|any| tally.verdict(any)), [Verdict::Good; 2]);
    }
}
