//! The machine that pings: Ping → Pong, the peer's own Ping answered, for any number of peers on one socket.
//!
//! A job is one target and `count` probes of it, one after another. A probe is one Ping and, while nothing
//! valid comes, `retries` more, each a new packet; the hashes of all of them stay valid until the probe ends.
//! Every probe ends in exactly one report.
//!
//! Who is believed: a Pong by the ping hash that it carries (32 bytes that nobody off the path can know) and
//! then by its signature; a Ping by its source IP and then by its signature; an ICMP error by the ping hash
//! that it quotes, or, where it quotes too little, only once the deadline has come.

mod by_address;
mod job;
mod ping_back;
mod receive;

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use foldhash::HashMap;
use rand::Rng;
use rand::rngs::StdRng;

use self::by_address::ByAddress;
use self::job::{Job, State};
use super::packet::{self, HASH_SIZE};
use super::{Endpoint, Message, Ping, Pong, message};
use crate::codec::key::{NodeKey, PublicKey};
use crate::machine::{
    DatagramMachine, Event, JobId, JobReport, LocalError, Mono, Now, SendId, Transmit,
};
use crate::report::{Failure, PingAnswer, Warning};
use crate::turns::HostTurns;

/// How long our packets are valid, in seconds. Receivers want 20 to 60; the odd value shows where a peer
/// copies it into its Pong, as reth does, and so says nothing about its own clock.
pub const EXPIRATION_S: u64 = 43;
/// How long `--bond` waits for the peer's Ping after its Pong. A peer that means to ping does so at once,
/// or, like ethereumjs, after 100 ms.
pub const BOND_WAIT: Duration = Duration::from_millis(500);
/// How long the Pings of a peer are still answered after its last report, if the run goes on: peers drop
/// what is later than 500 ms, and their Ping needs half a round trip to get here.
const LINGER: Duration = Duration::from_secs(1);
/// How many Pings of one peer are answered, a probe: one is normal, a second may be a retry. More would let
/// a peer use us to send packets.
pub const MAX_PONGS: u32 = 4;
/// How many Pings are kept for a target whose key is not known yet. Its own is among the first; what others forge must
/// not push it out.
const MAX_HELD: usize = 4;
/// How many packets that claim to be a target's Ping, and are none, are checked, a probe. A check costs
/// 40 µs, and anyone who can forge a source address can ask for it.
pub const MAX_CHECKS: u32 = 64;
/// How many more tries a probe gets when our own socket lost datagrams while it was open.
pub const MAX_EXTRA_TRIES: u32 = 2;
/// How soon a send is repeated that this machine refused for another reason than a missing route.
const LOCAL_RETRY: Duration = Duration::from_millis(100);
/// How often a send is repeated for that reason, a probe. A full queue of a network device takes a second at most.
pub const MAX_LOCAL_RETRIES: u32 = 10;

/// Jobs that may be open at the same time, those included that wait for their host's turn or for their next probe. More
/// of them hold up the source.
pub const MAX_OPEN: usize = 65_536;

/// How to ping.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// How long each Ping waits for its Pong before the next is sent.
    pub timeout: Duration,
    /// How many more Pings a probe sends.
    pub retries: u32,
    /// How many probes a job has.
    pub count: u32,
    /// From the start of one probe to the start of the next, unless that one takes longer.
    pub interval: Duration,
    /// The shortest time between two Pings to one IP address; zero for none.
    pub per_host_interval: Duration,
    /// How many jobs may be open.
    pub concurrency: usize,
    /// Whether to wait for the peer's own Ping.
    pub bond: bool,
}

/// Whom to ping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PingTarget {
    /// Where to.
    pub to: SocketAddr,
    /// Its TCP port, for the `to` of the Ping; 0 where there is none.
    pub tcp: u16,
    /// Whose answer is expected; `None` takes anyone's.
    pub key: Option<PublicKey>,
    /// Our own address towards that target, which ethereumjs pings back to.
    pub from: Endpoint,
}

/// What one probe gave.
#[derive(Clone, Debug, PartialEq)]
pub struct PingReport {
    /// When this was known, milliseconds since the Unix epoch.
    pub at_unix_ms: u64,
    /// Which probe of the job, from 1.
    pub number: u32,
    /// Pings sent.
    pub tries: u32,
    /// The answer, or why there is none.
    pub outcome: Result<PingAnswer, Failure>,
    /// What was odd.
    pub warnings: Vec<Warning>,
}

/// The machine.
#[derive(Debug)]
pub struct Pinger {
    config: Config,
    key: NodeKey,
    rng: StdRng,
    /// Boxed: a table of them would be half empty, and twice in memory while it grows.
    jobs: HashMap<JobId, Box<Job>>,
    /// Jobs that have not given `Done`.
    open: usize,
    /// Jobs that take a place, and those whose turn has come and that wait for one.
    placed: usize,
    unplaced: VecDeque<JobId>,
    timers: BTreeSet<(Mono, JobId)>,
    by_hash: HashMap<[u8; HASH_SIZE], JobId>,
    by_address: ByAddress,
    turns: HostTurns,
    pings: VecDeque<JobId>,
    pongs: VecDeque<Answer>,
    in_flight: HashMap<SendId, Sending>,
    last_send: u64,
    reports: VecDeque<(JobId, JobReport<PingReport>)>,
    /// Jobs that are done and still have their peer's Pings answered, the oldest first.
    lingering: VecDeque<(Mono, JobId)>,
    own_drops: u64,
}

/// A Pong that is to be sent.
#[derive(Clone, Copy, Debug)]
struct Answer {
    job: JobId,
    to: SocketAddr,
    tcp: u16,
    ping_hash: [u8; HASH_SIZE],
}

/// What a datagram that the driver holds is.
#[derive(Clone, Copy, Debug)]
enum Sending {
    Ping(JobId, [u8; HASH_SIZE]),
    Pong(JobId),
}

impl Pinger {
    /// A pinger that signs with `key` and draws from `rng`.
    pub fn new(config: Config, key: NodeKey, rng: StdRng) -> Self {
        Pinger {
            turns: HostTurns::new(config.per_host_interval),
            config,
            key,
            rng,
            jobs: HashMap::default(),
            open: 0,
            placed: 0,
            unplaced: VecDeque::new(),
            timers: BTreeSet::new(),
            by_hash: HashMap::default(),
            by_address: ByAddress::default(),
            pings: VecDeque::new(),
            pongs: VecDeque::new(),
            in_flight: HashMap::default(),
            last_send: 0,
            reports: VecDeque::new(),
            lingering: VecDeque::new(),
            own_drops: 0,
        }
    }

    fn set_timer(&mut self, id: JobId, at: Option<Mono>) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if let Some(old) = std::mem::replace(&mut job.timer, at) {
            self.timers.remove(&(old, id));
        }
        if let Some(at) = at {
            self.timers.insert((at, id));
        }
    }

    fn set_state(&mut self, id: JobId, state: State, timer: Option<Mono>) {
        if let Some(job) = self.jobs.get_mut(&id) {
            self.placed += usize::from(state.takes_place());
            self.placed -= usize::from(job.state.takes_place());
            job.state = state;
        }
        self.set_timer(id, timer);
    }

    /// Lets a job's Ping leave, as soon as there is a place for the job.
    fn place(&mut self, id: JobId) {
        if self.jobs.get(&id).is_some_and(|job| job.state.takes_place()) {
            return self.leave(id);
        }
        self.set_state(id, State::Queued, None);
        self.unplaced.push_back(id);
        self.fill_places();
    }

    fn leave(&mut self, id: JobId) {
        self.set_state(id, State::Sending, None);
        self.pings.push_back(id);
    }

    /// Gives places that have become free to those who wait for one.
    fn fill_places(&mut self) {
        while self.placed < self.config.concurrency {
            let Some(id) = self.unplaced.pop_front() else { return };
            // It may have ended meanwhile.
            let job = self.jobs.get(&id);
            if job.is_some_and(|job| job.state == State::Queued && job.timer.is_none()) {
                self.leave(id);
            }
        }
    }

    /// Lets a job's next Ping leave as soon as `earliest` has come and its host has had its rest.
    fn schedule_ping(&mut self, now: Now, id: JobId, earliest: Mono) {
        let Some(job) = self.jobs.get(&id) else { return };
        let at = self.turns.reserve(now.mono, job.target.to.ip(), earliest);
        if at <= now.mono {
            self.place(id);
        } else {
            self.set_state(id, State::Queued, Some(at));
        }
    }

    fn begin_probe(&mut self, now: Now, id: JobId) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        for hash in job.begin_probe(now.mono, self.own_drops) {
            self.by_hash.remove(&hash);
        }
        self.schedule_ping(now, id, now.mono);
    }

    /// Ends the open probe of a job, and the job with it if that was its last.
    fn end_probe(&mut self, now: Now, id: JobId, outcome: Result<PingAnswer, Failure>) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let report = job.report(now, self.own_drops, outcome);
        self.reports.push_back((id, JobReport::Probe(report)));
        if job.number < self.config.count {
            let next = (job.began + self.config.interval).max(now.mono);
            self.set_state(id, State::Idle, Some(next));
        } else {
            self.end_job(now, id);
        }
    }

    fn end_job(&mut self, now: Now, id: JobId) {
        self.set_state(id, State::Lingering, None);
        self.open -= 1;
        self.reports.push_back((id, JobReport::Done));
        self.lingering.push_back((now.mono + LINGER, id));
    }

    fn forget_lingering(&mut self, now: Mono) {
        while let Some((until, id)) = self.lingering.front().copied()
            && until <= now
        {
            self.lingering.pop_front();
            let Some(job) = self.jobs.remove(&id) else { continue };
            for ping in job.all_pings() {
                self.by_hash.remove(&ping.hash);
            }
            self.by_address.remove(job.target.to, id);
        }
    }

    fn deadline(&mut self, now: Now, id: JobId) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        match job.state {
            State::Queued => self.place(id),
            State::Idle => self.begin_probe(now, id),
            State::Waiting => {
                if job.may_retry(self.config.retries, self.own_drops) {
                    self.schedule_ping(now, id, now.mono);
                } else {
                    let failure = job.why_no_answer(now.mono, self.own_drops);
                    self.end_probe(now, id, Err(failure));
                }
            }
            State::Bonding => {
                if let Some(answer) = job.answer.take() {
                    self.end_probe(now, id, Ok(answer));
                }
            }
            State::Sending | State::Leaving | State::Lingering => {}
        }
    }

    fn sent(&mut self, id: SendId, at: Mono, now: Now) {
        match self.in_flight.remove(&id) {
            Some(Sending::Ping(job_id, hash)) => {
                let Some(job) = self.jobs.get_mut(&job_id) else { return };
                job.ping_left(&hash, at);
                if matches!(job.state, State::Leaving) {
                    let deadline = at + self.config.timeout;
                    self.set_state(job_id, State::Waiting, Some(deadline));
                }
            }
            Some(Sending::Pong(job_id)) => self.pong_left(now, job_id),
            None => {}
        }
    }

    /// Our Pong has left: a probe that waited only for that is over.
    fn pong_left(&mut self, now: Now, id: JobId) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if matches!(job.state, State::Bonding)
            && let Some(mut answer) = job.answer.take()
        {
            answer.pinged_back = Some(true);
            self.end_probe(now, id, Ok(answer));
        }
    }

    fn send_failed(&mut self, now: Now, id: SendId, why: LocalError) {
        let (job_id, hash) = match self.in_flight.remove(&id) {
            Some(Sending::Ping(job_id, hash)) => (job_id, hash),
            // The bond then ends by its own deadline.
            Some(Sending::Pong(_)) | None => return,
        };
        self.by_hash.remove(&hash);
        let Some(job) = self.jobs.get_mut(&job_id) else { return };
        job.ping_failed(&hash);
        if !matches!(job.state, State::Leaving) {
            return;
        }
        match why {
            LocalError::NoRoute | LocalError::NoFamily => {
                self.end_probe(now, job_id, Err(Failure::NoRoute { why }));
            }
            _ if job.local_failures < MAX_LOCAL_RETRIES => {
                job.local_failures += 1;
                self.set_state(job_id, State::Queued, Some(now.mono + LOCAL_RETRY));
            }
            _ => self.end_probe(now, job_id, Err(Failure::LocalError { why })),
        }
    }

    fn build_pong(&mut self, now: Now, answer: Answer, buf: &mut Vec<u8>) -> Transmit {
        let pong = Message::Pong(Pong {
            to: Endpoint::new(answer.to, answer.tcp),
            ping_hash: answer.ping_hash,
            expiration: now.unix_s() + EXPIRATION_S,
            enr_seq: None,
        });
        packet::encode(&pong, &self.key, None, buf);
        self.transmit(answer.to, Sending::Pong(answer.job))
    }

    /// Until when the host of a job must be left alone, whose turn it was: its Ping may have had to wait for others, so that
    /// another one has just left for there.
    fn must_rest(&mut self, now: Now, id: JobId) -> Option<Mono> {
        let job = self.jobs.get(&id).filter(|job| job.state == State::Sending)?;
        // Nothing left when the system had no room for it.
        if job.local_failures > 0 {
            return None;
        }
        self.turns.begin(now.mono, job.target.to.ip()).err()
    }

    fn build_ping(&mut self, now: Now, id: JobId, buf: &mut Vec<u8>) -> Option<Transmit> {
        let job = self.jobs.get_mut(&id).filter(|job| matches!(job.state, State::Sending))?;
        job.state = State::Leaving;
        let target = &job.target;
        let to = target.to;
        let expiration = now.unix_s() + EXPIRATION_S;
        let ping = Message::Ping(Ping {
            version: message::VERSION,
            from: target.from,
            to: Endpoint::new(to, target.tcp),
            expiration,
            enr_seq: None,
        });
        // Two Pings to one peer in one second would else be the same bytes and share a hash.
        let mut extra = [0; 32];
        self.rng.fill_bytes(&mut extra);
        let hash = packet::encode(&ping, &self.key, Some(&extra), buf);
        job.ping_built(hash, expiration, self.own_drops);
        self.by_hash.insert(hash, id);
        Some(self.transmit(to, Sending::Ping(id, hash)))
    }

    fn transmit(&mut self, to: SocketAddr, what: Sending) -> Transmit {
        self.last_send += 1;
        let id = SendId(self.last_send);
        self.in_flight.insert(id, what);
        Transmit { id, to }
    }
}

impl DatagramMachine for Pinger {
    type Target = PingTarget;
    type Report = PingReport;

    fn room(&self) -> usize {
        let places = self.config.concurrency.saturating_sub(self.placed + self.unplaced.len());
        places.min(MAX_OPEN.saturating_sub(self.open))
    }

    fn start(&mut self, now: Now, id: JobId, target: PingTarget) {
        self.forget_lingering(now.mono);
        self.by_address.insert(target.to, id);
        self.jobs.insert(id, Box::new(Job::new(target)));
        self.open += 1;
        self.begin_probe(now, id);
    }

    fn handle(&mut self, now: Now, event: Event<'_>) {
        match event {
            Event::Datagram { from, clock, arrived, bytes } => {
                self.forget_lingering(now.mono);
                self.datagram(now, from, clock, arrived, bytes);
            }
            Event::Sent { id, at } => self.sent(id, at, now),
            Event::SendFailed { id, why } => self.send_failed(now, id, why),
            Event::Icmp { to, why, quoted } => self.icmp(now, to, why, quoted),
            Event::OwnDrops { total } => self.own_drops = total,
        }
        self.fill_places();
    }

    fn handle_timeout(&mut self, now: Now) {
        while let Some((at, id)) = self.timers.first().copied()
            && at <= now.mono
        {
            self.set_timer(id, None);
            self.deadline(now, id);
        }
        self.fill_places();
        self.forget_lingering(now.mono);
    }

    fn has_transmit(&self) -> bool {
        let is_sending = |id| self.jobs.get(id).is_some_and(|job| job.state == State::Sending);
        !self.pongs.is_empty() || self.pings.iter().any(is_sending)
    }

    fn poll_transmit(&mut self, now: Now, buf: &mut Vec<u8>) -> Option<Transmit> {
        if let Some(answer) = self.pongs.pop_front() {
            return Some(self.build_pong(now, answer, buf));
        }
        while let Some(id) = self.pings.pop_front() {
            if let Some(rested) = self.must_rest(now, id) {
                self.set_state(id, State::Queued, Some(rested));
                self.fill_places();
                continue;
            }
            if let Some(transmit) = self.build_ping(now, id, buf) {
                return Some(transmit);
            }
        }
        None
    }

    fn poll_report(&mut self) -> Option<(JobId, JobReport<PingReport>)> {
        self.reports.pop_front()
    }

    fn poll_timeout(&self) -> Option<Mono> {
        self.timers.first().map(|(at, _)| *at)
    }

    fn stop(&mut self, now: Now) {
        let mut ids: Vec<JobId> = self.jobs.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            let Some(job) = self.jobs.get_mut(&id) else { continue };
            match job.state {
                State::Lingering => continue,
                State::Idle => {}
                // It was answered already, and only waited for more.
                State::Bonding => {
                    let outcome = job.answer.take().ok_or(Failure::Interrupted);
                    let report = job.report(now, self.own_drops, outcome);
                    self.reports.push_back((id, JobReport::Probe(report)));
                }
                State::Queued | State::Sending | State::Leaving | State::Waiting => {
                    let report = job.report(now, self.own_drops, Err(Failure::Interrupted));
                    self.reports.push_back((id, JobReport::Probe(report)));
                }
            }
            self.end_job(now, id);
        }
        self.pings.clear();
        self.unplaced.clear();
    }
}

#[cfg(test)]
mod tests;
