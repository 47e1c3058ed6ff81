//! One target and what is known of it so far.

use super::ping_back::Held;
use super::{MAX_EXTRA_TRIES, PingReport, PingTarget};
use crate::codec::DecodeError;
use crate::codec::key::PublicKey;
use crate::discv4::packet::HASH_SIZE;
use crate::machine::{Icmp, IcmpKind, LocalError, Mono, Now};
use crate::report::{Failure, Malformed, NoReply, PingAnswer, WaitedMs, Warning};

/// What a job waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Its host's turn; its timer says when. Without one: a place.
    Queued,
    /// The driver: its Ping is ready to leave.
    Sending,
    /// The driver: it was given the Ping and has not said yet that it left.
    Leaving,
    /// A Pong, until its timer.
    Waiting,
    /// The peer's own Ping, until its timer; the Pong has come.
    Bonding,
    /// The time of the next probe.
    Idle,
    /// Nothing: it is done, and its peer's Pings are still answered.
    Lingering,
}

impl State {
    /// True while a Ping of the job is on its way, or its answer is: so many may be at the same time.
    pub fn takes_place(self) -> bool {
        match self {
            State::Sending | State::Leaving | State::Waiting | State::Bonding => true,
            State::Queued | State::Idle | State::Lingering => false,
        }
    }
}

/// One Ping of a probe.
#[derive(Clone, Copy, Debug)]
pub(super) struct SentPing {
    pub hash: [u8; HASH_SIZE],
    /// `None` until the driver says that it left.
    pub left: Option<Mono>,
    pub expiration: u64,
    pub answered: bool,
}

/// A job.
#[derive(Debug)]
pub(super) struct Job {
    pub target: PingTarget,
    /// The key that Pings must be signed with to be answered: the expected one, or the learned one.
    pub key: Option<PublicKey>,
    pub state: State,
    pub timer: Option<Mono>,
    /// Which probe is open, or was the last; from 1.
    pub number: u32,
    /// When the open probe began.
    pub began: Mono,
    pings: Vec<SentPing>,
    /// The Pings of the probe before, so that their late and duplicate Pongs are known as such.
    old_pings: Vec<SentPing>,
    own_drops_before: u64,
    own_drops_at_last_ping: u64,
    extra_tries: u32,
    pub local_failures: u32,
    pub answer: Option<PingAnswer>,
    /// Pings that came before the peer's key was known.
    pub held: Vec<Held>,
    pub pinged_back: bool,
    pub pongs_sent: u32,
    pub checks: u32,
    junk: u32,
    reflected: u32,
    malformed: Option<DecodeError>,
    /// Pongs that came once too often, for this probe or the one before.
    pub duplicates: u32,
    weak_icmp: Option<Icmp>,
    pub warnings: Vec<Warning>,
}

impl Job {
    pub fn new(target: PingTarget) -> Self {
        Job {
            key: target.key,
            target,
            state: State::Idle,
            timer: None,
            number: 0,
            began: Mono::default(),
            pings: Vec::new(),
            old_pings: Vec::new(),
            own_drops_before: 0,
            own_drops_at_last_ping: 0,
            extra_tries: 0,
            local_failures: 0,
            answer: None,
            held: Vec::new(),
            pinged_back: false,
            pongs_sent: 0,
            checks: 0,
            junk: 0,
            reflected: 0,
            malformed: None,
            duplicates: 0,
            weak_icmp: None,
            warnings: Vec::new(),
        }
    }

    /// Begins the next probe. Gives the hashes that nobody needs to know any more.
    pub fn begin_probe(
        &mut self,
        now: Mono,
        own_drops: u64,
    ) -> impl Iterator<Item = [u8; HASH_SIZE]> + use<> {
        let pings = std::mem::take(&mut self.pings);
        let forgotten = std::mem::replace(&mut self.old_pings, pings);
        *self = Job {
            key: self.key,
            number: self.number + 1,
            began: now,
            old_pings: std::mem::take(&mut self.old_pings),
            own_drops_before: own_drops,
            duplicates: self.duplicates,
            timer: self.timer,
            ..Job::new(self.target.clone())
        };
        forgotten.into_iter().map(|ping| ping.hash)
    }

    /// The Pings of this probe and the one before.
    pub fn all_pings(&self) -> impl Iterator<Item = &SentPing> {
        self.pings.iter().chain(&self.old_pings)
    }

    /// A Ping of the open probe.
    pub fn ping_mut(&mut self, hash: &[u8; HASH_SIZE]) -> Option<&mut SentPing> {
        self.pings.iter_mut().find(|ping| ping.hash == *hash)
    }

    pub fn ping_built(&mut self, hash: [u8; HASH_SIZE], expiration: u64, own_drops: u64) {
        self.own_drops_at_last_ping = own_drops;
        self.pings.push(SentPing { hash, left: None, expiration, answered: false });
    }

    pub fn ping_left(&mut self, hash: &[u8; HASH_SIZE], at: Mono) {
        if let Some(ping) = self.ping_mut(hash) {
            ping.left = Some(at);
        }
    }

    /// A Ping that never left was no try.
    pub fn ping_failed(&mut self, hash: &[u8; HASH_SIZE]) {
        self.pings.retain(|ping| ping.hash != *hash);
    }

    /// True while a Pong is wanted.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Queued | State::Sending | State::Leaving | State::Waiting)
    }

    /// Counts a datagram that came from the target and answered nothing.
    pub fn saw_junk(&mut self, error: Option<DecodeError>) {
        self.junk = self.junk.saturating_add(1);
        self.malformed = self.malformed.or(error);
    }

    /// Counts a copy of a packet of ours that came back.
    pub fn saw_reflection(&mut self) {
        self.junk = self.junk.saturating_add(1);
        self.reflected = self.reflected.saturating_add(1);
    }

    /// Keeps an ICMP error that quotes too little of our packet to be believed at once.
    pub fn saw_weak_icmp(&mut self, icmp: Icmp) {
        self.weak_icmp = self.weak_icmp.or(Some(icmp));
    }

    /// Whether another Ping is due now that the last one's time is over.
    pub fn may_retry(&mut self, retries: u32, own_drops: u64) -> bool {
        if (self.pings.len() as u32) <= retries {
            return true;
        }
        // The answer may be among what our own socket lost: that is no reason to blame the peer.
        let lost = own_drops > self.own_drops_at_last_ping;
        let again = lost && self.extra_tries < MAX_EXTRA_TRIES;
        self.extra_tries += u32::from(again);
        again
    }

    /// Names the reason, once the deadline has come.
    pub fn why_no_answer(&self, now: Mono, own_drops: u64) -> Failure {
        if let Some(error) = self.malformed {
            let DecodeError { field, offset, .. } = error;
            return Failure::Malformed(Malformed { field, offset, error, junk: Some(self.junk) });
        }
        if let Some(icmp) = self.weak_icmp {
            return unreachable(icmp);
        }
        if own_drops > self.own_drops_at_last_ping {
            return Failure::LocalError { why: LocalError::OwnDrops };
        }
        let first = self.pings.iter().find_map(|ping| ping.left).unwrap_or(self.began);
        Failure::NoReply(NoReply {
            waited_ms: WaitedMs(now.since(first)),
            junk: self.junk,
            reflected: self.reflected,
        })
    }

    /// The report of the open probe.
    pub fn report(
        &mut self,
        now: Now,
        own_drops: u64,
        outcome: Result<PingAnswer, Failure>,
    ) -> PingReport {
        let mut warnings = std::mem::take(&mut self.warnings);
        let copies = std::mem::take(&mut self.duplicates);
        if copies > 0 {
            warnings.push(Warning::Duplicate { copies });
        }
        let lost = own_drops.saturating_sub(self.own_drops_before);
        if lost > 0 {
            warnings.push(Warning::OwnDrops { lost });
        }
        PingReport {
            at_unix_ms: now.unix_ms,
            number: self.number,
            // One that never left was no try.
            tries: self.pings.iter().filter(|ping| ping.left.is_some()).count() as u32,
            outcome,
            warnings,
        }
    }
}

/// The failure that an ICMP error means.
pub(super) fn unreachable(icmp: Icmp) -> Failure {
    match icmp.kind {
        IcmpKind::PortUnreachable => Failure::PortUnreachable(icmp.into()),
        IcmpKind::HostUnreachable => Failure::HostUnreachable { icmp: Some(icmp.into()) },
    }
}
