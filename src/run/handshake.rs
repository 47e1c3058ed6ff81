//! A run of `btc-handshake`: source → one machine a connection ⇄ the TCP driver → results.
//!
//! A connection is begun when there is a place for it, its host has its turn, and the pace allows it. Who waits for
//! its host takes no place, so that nobody else waits for it.

mod judge;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use rand::Rng;
use rand::rngs::StdRng;
use tokio::task::JoinSet;

use self::judge::judge;
use super::{Intake, Keeping, Ledger, RunError, timestamp};
use crate::bitcoin::handshake::{Config, End, Handshake, HandshakeReport, OurNonces, Stage};
use crate::bitcoin::{Magic, Opening};
use crate::machine::{ConnectError, JobId, LocalError, Mono};
use crate::net::pacer::Pacer;
use crate::net::tcp::{Dialer, Tracer};
use crate::networks::{BitcoinNetwork, Networks};
use crate::output::Output;
use crate::output::progress;
use crate::report::{Answer, Origin, Probe};
use crate::source::{Item, Located, Source};
use crate::tally::Verdict;
use crate::target::bitcoin::Candidates;
use crate::turns::HostTurns;

/// Targets that may wait for their host, for another try or for their next probe. More of them hold up the source.
const MAX_WAITING: usize = 65_536;
/// How long a connection waits that the system had no room for (descriptors, buffers, ports), and how often: a port is
/// free again after 60 s.
const NO_ROOM_WAIT: Duration = Duration::from_millis(500);
const NO_ROOM_PATIENCE: u32 = 140;

/// What is asked, and how an answer must be to be as asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// How results are kept.
    pub keeping: Keeping,
    /// Probes of a target.
    pub count: u32,
    /// From the begin of one probe of a target to the begin of the next.
    pub interval: Duration,
    /// Further connections while there is no answer and time may mend that.
    pub retries: u32,
    /// Connections at the same time.
    pub concurrency: usize,
    /// Connections begun a second; 0 for any number.
    pub rate: u32,
    /// The shortest time between two connections to one IP address.
    pub per_host_interval: Duration,
    /// How long a connect may take.
    pub connect_timeout: Duration,
    /// How long a handshake may take in all.
    pub timeout: Duration,
    /// Who we say we are (BIP-14).
    pub user_agent: String,
    /// Whichever network the peer is of (`--network any`).
    pub any: bool,
    /// `--min-height`.
    pub min_height: Option<i32>,
    /// `--need-services`: names, whose bits are the target's network's to say.
    pub need_services: Vec<String>,
    /// `--max-clock-skew`.
    pub max_clock_skew: Option<Duration>,
    /// `--max-rtt`.
    pub max_rtt: Option<Duration>,
}

/// Gives each connection somebody to tell all that happens to it.
pub type Tracers = Box<dyn Fn(SocketAddr, Magic) -> Tracer>;

/// What a run works with.
pub struct Parts {
    /// The networks that have a name.
    pub networks: Arc<Networks>,
    /// How to connect.
    pub dialer: Dialer,
    /// Where nonces come from.
    pub rng: StdRng,
    /// Where targets come from.
    pub source: Source<Candidates>,
    /// Where results go.
    pub output: Output,
    /// Who wants to see each message.
    pub tracers: Option<Tracers>,
}

/// A target that was begun.
struct Job {
    id: JobId,
    origin: Arc<Origin>,
    to: SocketAddr,
    candidates: Candidates,
    /// Which of the candidates is spoken to it next.
    candidate: usize,
    /// Which probe this is, from 1, and when it began.
    number: u32,
    began: Mono,
    /// The networks whose magic was spoken to it in this probe: one for each connection.
    spoken: Vec<Arc<BitcoinNetwork>>,
    /// How many of the connections were retries, and how many came before the last of those.
    retries: u32,
    before_retry: usize,
    /// How often the system had no room.
    no_room: u32,
    /// What the last connection told, while another try is waited for.
    last: Option<Box<HandshakeReport>>,
}

impl Job {
    /// The network whose magic was spoken last, or will be first.
    fn network(&self) -> &BitcoinNetwork {
        // There is a candidate always: the source gives no target without.
        self.spoken.last().unwrap_or_else(|| &self.candidates[self.candidate])
    }

    /// The magics that were spoken, each once.
    fn magics_tried(&self) -> Vec<Magic> {
        let mut tried = Vec::new();
        for magic in self.spoken.iter().map(|network| network.magic) {
            if !tried.contains(&magic) {
                tried.push(magic);
            }
        }
        tried
    }

    /// Connections of this probe.
    fn tries(&self) -> u32 {
        u32::try_from(self.spoken.len()).unwrap_or(u32::MAX)
    }
}

/// A run.
pub struct HandshakeRun {
    asked: Asked,
    networks: Arc<Networks>,
    dialer: Dialer,
    rng: StdRng,
    intake: Intake<Candidates>,
    tracers: Option<Tracers>,
    ours: OurNonces,
    turns: HostTurns,
    pacer: Pacer,
    /// Their host's turn has come.
    ready: VecDeque<Box<Job>>,
    /// Whose time has not come yet, by that.
    later: BTreeMap<(Mono, JobId), Box<Job>>,
    open: JoinSet<(Box<Job>, HandshakeReport)>,
    /// Whether there was a connection over IPv4, and over IPv6.
    reached: [bool; 2],
    /// Connections that are open or being opened, over each of them.
    open_to: [usize; 2],
    stopped: bool,
    ledger: Ledger,
}

impl HandshakeRun {
    /// Puts a run together.
    pub fn new(asked: Asked, parts: Parts) -> Self {
        let Parts { networks, dialer, rng, source, output, tracers } = parts;
        HandshakeRun {
            turns: HostTurns::new(asked.per_host_interval),
            pacer: Pacer::new(asked.rate),
            ledger: Ledger::new(asked.keeping, dialer.clock, source.reading, output),
            asked,
            networks,
            dialer,
            rng,
            intake: Intake(Some(source.items)),
            tracers,
            ours: OurNonces::default(),
            ready: VecDeque::new(),
            later: BTreeMap::new(),
            open: JoinSet::new(),
            reached: [false; 2],
            open_to: [0; 2],
            stopped: false,
        }
    }

    /// Runs to the end: until the source has ended and all its targets have, or until it is stopped.
    ///
    /// # Errors
    /// [`RunError`], with what the run had given by then.
    pub async fn run(mut self, any: bool) -> (Verdict, Result<(), RunError>) {
        let result = self.turns().await;
        // Others may have seen the wish, and ended all that was open, before it was our turn to.
        let stopped = self.stopped || self.dialer.stop.is_requested();
        self.ledger.finish(result, any, None, stopped)
    }

    async fn turns(&mut self) -> Result<(), RunError> {
        loop {
            self.take_items()?;
            self.connect();
            if self.intake.has_ended() && self.waiting() + self.open.len() == 0 {
                return Ok(());
            }
            self.ledger.output.flush()?;
            self.wait().await?;
        }
    }

    /// Sleeps until something happens, and takes it in.
    async fn wait(&mut self) -> Result<(), RunError> {
        let wants_items = self.has_room();
        let shows_progress = self.ledger.show_progress(self.waiting() + self.open.len());
        let clock = self.dialer.clock;
        let next = self.next_time();
        let next = pin!(async {
            match next {
                Some(at) => tokio::time::sleep_until(clock.instant(at)).await,
                None => std::future::pending().await,
            }
        });
        tokio::select! {
            // The stop comes first: what it ends must not make room for more.
            biased;
            () = self.dialer.stop.requested(), if !self.stopped => self.stop()?,
            Some(ended) = self.open.join_next() => self.ended(ended)?,
            // That there is none more is news, too.
            item = self.intake.next(), if wants_items => {
                if let Some(item) = item {
                    self.take(item)?;
                }
            }
            () = next => {}
            () = tokio::time::sleep(progress::INTERVAL), if shows_progress => {}
        }
        // What else has ended meanwhile.
        while let Some(ended) = self.open.try_join_next() {
            self.ended(ended)?;
        }
        Ok(())
    }

    /// The next moment at which something is due by itself.
    fn next_time(&self) -> Option<Mono> {
        let later = self.later.first_key_value().map(|((at, _), _)| *at);
        let paced = (!self.ready.is_empty() && self.has_place()).then(|| self.pacer.ready_at());
        later.into_iter().chain(paced).min()
    }

    fn waiting(&self) -> usize {
        self.ready.len() + self.later.len()
    }

    fn has_place(&self) -> bool {
        self.open.len() < self.asked.concurrency
    }

    /// A run that was stopped takes the rest of what the source had begun.
    fn has_room(&self) -> bool {
        let room = self.ready.is_empty() && self.has_place() && self.later.len() < MAX_WAITING;
        self.stopped || (room && self.ledger.has_room())
    }

    /// Takes what the source has ready, as far as there is room for it.
    fn take_items(&mut self) -> Result<(), RunError> {
        while self.has_room() {
            let Some(item) = self.intake.try_next() else { break };
            self.take(item)?;
            self.connect();
        }
        Ok(())
    }

    fn take(&mut self, item: Item<Candidates>) -> Result<(), RunError> {
        if let Some((origin, located)) = self.ledger.take(item, self.stopped)? {
            self.begin(origin, located);
        }
        Ok(())
    }

    fn begin(&mut self, origin: Arc<Origin>, located: Located<Candidates>) {
        let Located { to, peer: candidates } = located;
        let now = self.dialer.clock.mono();
        let job = Job {
            id: self.ledger.begin(&origin),
            origin,
            to,
            candidates,
            candidate: 0,
            number: 1,
            began: now,
            spoken: Vec::new(),
            retries: 0,
            before_retry: 0,
            no_room: 0,
            last: None,
        };
        self.schedule(now, now, Box::new(job));
    }

    /// Lets a connection be begun as soon as `earliest` has come and its host has its turn.
    fn schedule(&mut self, now: Mono, earliest: Mono, job: Box<Job>) {
        let at = self.turns.reserve(now, job.to.ip(), earliest);
        if at <= now {
            self.ready.push_back(job);
        } else {
            self.later.insert((at, job.id), job);
        }
    }

    /// Begins all connections that are due and for which there is a place.
    fn connect(&mut self) {
        let now = self.dialer.clock.mono();
        while let Some(entry) = self.later.first_entry()
            && entry.key().0 <= now
        {
            self.ready.push_back(entry.remove());
        }
        while self.has_place() && self.pacer.ready_at() <= now {
            let Some(mut job) = self.ready.pop_front() else { break };
            if let Err(turn) = self.turns.begin(now, job.to.ip()) {
                self.later.insert((turn, job.id), job);
                continue;
            }
            self.pacer.spend(now);
            if job.spoken.is_empty() {
                job.began = now;
            }
            job.spoken.push(job.candidates[job.candidate].clone());
            let (magic, to) = (job.network().magic, job.to);
            self.open_to[usize::from(to.is_ipv6())] += 1;
            let config = Config {
                magic,
                connect_timeout: self.asked.connect_timeout,
                timeout: self.asked.timeout,
                user_agent: self.asked.user_agent.clone(),
            };
            let nonces = [self.rng.next_u64(), self.rng.next_u64()];
            let (ours, dialer) = (self.ours.clone(), self.dialer.clone());
            let tracer = self.tracers.as_ref().map(|tracers| tracers(to, magic));
            self.open.spawn(async move {
                let mut machine = Handshake::new(config, to, nonces, ours, dialer.clock.now());
                (job, dialer.drive(&mut machine, to, tracer).await)
            });
        }
    }

    /// A connection has ended: there is another try, or a result.
    fn ended(
        &mut self,
        ended: Result<(Box<Job>, HandshakeReport), tokio::task::JoinError>,
    ) -> Result<(), RunError> {
        let (mut job, report) = match ended {
            Ok(ended) => ended,
            // A task that panicked has lost its target; a bug must not pass for an answer.
            Err(e) => std::panic::resume_unwind(e.into_panic()),
        };
        let now = self.dialer.clock.mono();
        let family = usize::from(job.to.is_ipv6());
        self.open_to[family] -= 1;
        self.reached[family] |= report.connect.is_some();
        let reached = self.reached[family] || self.open_to[family] > 0;
        if !self.stopped {
            if is_no_room(&report, reached) && job.no_room < NO_ROOM_PATIENCE {
                job.no_room += 1;
                job.spoken.pop();
                self.later.insert((now + NO_ROOM_WAIT, job.id), job);
                return Ok(());
            }
            let any = self.asked.any && !job.origin.of_seeds;
            let again = any && self.next_candidate(&mut job, &report);
            let retry = !again && job.retries < self.asked.retries && report.end.may_pass();
            if retry {
                job.retries += 1;
                job.before_retry = job.spoken.len();
                job.candidate = 0;
            }
            if again || retry {
                job.last = Some(Box::new(report));
                self.schedule(now, now, job);
                return Ok(());
            }
        }
        let probe = judge(&self.asked, &self.networks, &job, &report);
        self.result(now, job, probe)
    }

    /// Says the result of a probe, and begins the next one or ends the target.
    fn result(&mut self, now: Mono, mut job: Box<Job>, probe: Probe) -> Result<(), RunError> {
        let is_answered = probe.answer.as_ref().is_some_and(Answer::is_complete);
        self.ledger.say(job.id, probe)?;
        if self.stopped || job.number == self.asked.count {
            self.ledger.end(job.id, timestamp(self.dialer.clock.now()), job.origin)?;
            return Ok(());
        }
        let next = (job.began + self.asked.interval).max(now);
        job.number += 1;
        (job.retries, job.before_retry, job.no_room, job.last) = (0, 0, 0, None);
        // The magic that was answered is spoken first from now on; where none was, all have another chance.
        if is_answered {
            job.candidates.swap(0, job.candidate);
        }
        job.candidate = 0;
        job.spoken.clear();
        // Its host's turn is asked for when the time has come: until then the host is free for others.
        self.later.insert((next, job.id), job);
        Ok(())
    }

    /// With `--network any`: where a peer hung up without a word, the next magic is to be spoken to it, and where it spoke
    /// that of another known network first, that one. False if there is none that was not tried.
    fn next_candidate(&self, job: &mut Job, report: &HandshakeReport) -> bool {
        let next = job.candidate + 1;
        match &report.end {
            End::Closed(_) if report.stage == Stage::VersionSent && report.received == 0 => {}
            End::OtherMagic { found } if report.message_count == 0 => {
                let known = self.networks.magics();
                let Opening::Bitcoin(magic) = Opening::of(found, &known) else { return false };
                // A peer that names another one each time must not be asked for ever.
                let mut spoken = job.spoken.iter().skip(job.before_retry);
                if !known.contains(&magic) || spoken.any(|network| network.magic == magic) {
                    return false;
                }
                match job.candidates.iter().position(|network| network.magic == magic) {
                    Some(known) => job.candidates.swap(next, known),
                    None => job.candidates.insert(next, self.networks.bitcoin_of(magic)),
                }
            }
            _ => return false,
        }
        let more = next < job.candidates.len();
        job.candidate += usize::from(more);
        more
    }

    /// Ends all that waits; what is open ends by itself.
    fn stop(&mut self) -> Result<(), RunError> {
        self.stopped = true;
        let later = std::mem::take(&mut self.later);
        let waiting = std::mem::take(&mut self.ready).into_iter().chain(later.into_values());
        for mut job in waiting {
            if job.spoken.is_empty() && job.number > 1 {
                // Its next probe was not begun.
                self.ledger.end(job.id, timestamp(self.dialer.clock.now()), job.origin)?;
                continue;
            }
            let now = self.dialer.clock.now();
            let report = HandshakeReport {
                at_unix_ms: now.unix_ms,
                end: End::Interrupted,
                ..job.last.take().map_or_else(|| HandshakeReport::of_nothing(now), |last| *last)
            };
            let probe = judge(&self.asked, &self.networks, &job, &report);
            self.result(now.mono, job, probe)?;
        }
        Ok(())
    }
}

/// True where the system had no room for another connection, which is nobody else's fault and may pass. Having no address
/// of ours may mean that all ports are taken, where others of the family were `reached` before.
fn is_no_room(report: &HandshakeReport, reached: bool) -> bool {
    let End::ConnectFailed(ConnectError::Local(why)) = report.end else { return false };
    match why {
        LocalError::NoPort => reached,
        LocalError::Os(errno) => matches!(
            Errno::from_raw(errno),
            Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM | Errno::EAGAIN
        ),
        LocalError::NoRoute | LocalError::NoFamily | LocalError::OwnDrops => false,
    }
}
