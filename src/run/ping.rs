//! A run of `eth-ping`: source → one machine ⇄ the UDP driver → results.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use foldhash::HashMap;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{Keeping, Ledger, RunError, next_item, timestamp};
use crate::discv4::Endpoint;
use crate::discv4::pinger::{MAX_OPEN, PingReport, PingTarget, Pinger};
use crate::machine::{DatagramMachine, JobId, JobReport};
use crate::net::clock::Clock;
use crate::net::tcp::Dialer;
use crate::net::udp::UdpDriver;
use crate::output::{Output, progress};
use crate::report::{Answer, Failure, Millis, NotAsAsked, Origin, Probe, Tcp, TcpState, Timestamp};
use crate::source::{Item, Located, Source};
use crate::stop::Stop;
use crate::tally::Verdict;
use crate::target::ethereum::Node;
use crate::tcp_check::TcpCheck;

/// What an answer must be like to be as asked, and what else is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// How results are kept.
    pub keeping: Keeping,
    /// TCP connects that may be under way at the same time.
    pub connections: usize,
    /// `--max-rtt`.
    pub max_rtt: Option<Duration>,
    /// `--tcp`: connect to the TCP port, too, and wait at most this long.
    pub tcp: Option<Duration>,
}

/// A run.
pub struct PingRun {
    asked: Asked,
    clock: Clock,
    driver: UdpDriver,
    pinger: Pinger,
    /// `None` once the source has ended.
    items: Option<mpsc::Receiver<Item<Node>>>,
    stop: Stop,
    stopped: bool,
    jobs: HashMap<JobId, Job>,
    dialer: Dialer,
    connects: JoinSet<(JobId, Tcp)>,
    ledger: Ledger,
}

/// A target that is being probed.
struct Job {
    origin: Arc<Origin>,
    endpoint: SocketAddr,
    tcp: Connect,
    /// What waits for the TCP connect.
    held: VecDeque<JobReport<PingReport>>,
}

/// The TCP connect of a target.
enum Connect {
    NotAsked,
    UnderWay,
    Done(Tcp),
}

impl PingRun {
    /// Puts a run together.
    pub fn new(
        asked: Asked,
        clock: Clock,
        driver: UdpDriver,
        pinger: Pinger,
        source: Source<Node>,
        stop: Stop,
        output: Output,
    ) -> Self {
        PingRun {
            asked,
            clock,
            driver,
            pinger,
            items: Some(source.items),
            stopped: false,
            jobs: HashMap::default(),
            // A port that the UDP socket is bound to may be taken on TCP.
            dialer: Dialer { clock, bind: Arc::new([]), stop: stop.clone() },
            stop,
            connects: JoinSet::new(),
            ledger: Ledger::new(asked.keeping, clock, source.reading, output),
        }
    }

    /// Runs to the end: until the source has ended and all its targets have, or until it is stopped.
    ///
    /// # Errors
    /// [`RunError`], with what the run had given by then.
    pub async fn run(mut self, any: bool) -> (Verdict, Result<(), RunError>) {
        let result = self.turns().await;
        if self.ledger.output.wants_summary() {
            self.driver.tell_own_drops(&mut self.pinger);
        }
        // Others may have seen the wish, and ended all that was open, before it was our turn to.
        let stopped = self.stopped || self.stop.is_requested();
        self.ledger.finish(result, any, Some(self.driver.own_drops()), stopped)
    }

    async fn turns(&mut self) -> Result<(), RunError> {
        loop {
            self.driver.receive(&mut self.pinger);
            self.driver.timeouts(&mut self.pinger);
            self.collect()?;
            self.take_items()?;
            self.driver.send(&mut self.pinger);
            // A send that failed may have ended a probe.
            self.collect()?;
            let unsent = self.driver.holds_datagram() || self.pinger.has_transmit();
            if self.items.is_none() && self.jobs.is_empty() && (self.stopped || !unsent) {
                return Ok(());
            }
            self.ledger.output.flush()?;
            // A flood keeps us awake; the source, look-ups and connects must get their turn all the same.
            tokio::task::yield_now().await;
            self.wait().await?;
        }
    }

    /// Sleeps until something happens, and takes it in.
    async fn wait(&mut self) -> Result<(), RunError> {
        let wants_items = self.has_room();
        let shows_progress = self.ledger.show_progress(self.jobs.len());
        tokio::select! {
            () = tokio::time::sleep(progress::INTERVAL), if shows_progress => {}
            () = self.driver.wait(&self.pinger) => {}
            item = next_item(self.items.as_mut()), if wants_items => self.take(item)?,
            Some(connected) = self.connects.join_next() => {
                // A task that was aborted or panicked says nothing; neither happens.
                if let Ok((id, tcp)) = connected {
                    self.connected(id, tcp)?;
                }
            }
            () = self.stop.requested(), if !self.stopped => {
                self.stopped = true;
                self.driver.tell_own_drops(&mut self.pinger);
                self.pinger.stop(self.clock.now());
            }
        }
        Ok(())
    }

    /// A run that was stopped takes the rest of what the source had begun.
    fn has_room(&self) -> bool {
        let connects = self.asked.tcp.is_none() || self.connects.len() < self.asked.connections;
        let room = self.pinger.room() > 0 && connects && self.jobs.len() < MAX_OPEN;
        self.stopped || (room && self.ledger.has_room())
    }

    /// Takes what the source has ready, as far as there is room for it.
    fn take_items(&mut self) -> Result<(), RunError> {
        while self.has_room() {
            let Some(items) = &mut self.items else { break };
            match items.try_recv() {
                Ok(item) => self.take(Some(item))?,
                Err(mpsc::error::TryRecvError::Empty) => break,
                Err(mpsc::error::TryRecvError::Disconnected) => self.items = None,
            }
        }
        Ok(())
    }

    fn take(&mut self, item: Option<Item<Node>>) -> Result<(), RunError> {
        let Some(item) = item else {
            self.items = None;
            return Ok(());
        };
        if let Some((origin, located)) = self.ledger.take(item, self.stopped)? {
            self.start(origin, located);
        }
        Ok(())
    }

    fn start(&mut self, origin: Arc<Origin>, located: Located<Node>) {
        let Located { to, peer: Node { tcp, key } } = located;
        let id = self.ledger.begin(&origin);
        let now = self.clock.now();
        // Where there is no way to the target, sending will say so.
        let ours = self.driver.address_towards(to);
        let from =
            ours.map_or(Endpoint { ip: None, udp: 0, tcp: 0 }, |ours| Endpoint::new(ours, 0));
        let connect = match self.asked.tcp {
            None => Connect::NotAsked,
            Some(_) if tcp == 0 => Connect::Done(TcpState::NoPort.into()),
            Some(timeout) => {
                let mut machine = TcpCheck::new(now, timeout);
                let dialer = self.dialer.clone();
                let address = SocketAddr::new(to.ip(), tcp);
                self.connects
                    .spawn(async move { (id, dialer.drive(&mut machine, address, None).await) });
                Connect::UnderWay
            }
        };
        self.jobs.insert(id, Job { origin, endpoint: to, tcp: connect, held: VecDeque::new() });
        self.pinger.start(now, id, PingTarget { to, tcp, key, from });
    }

    fn connected(&mut self, id: JobId, tcp: Tcp) -> Result<(), RunError> {
        let Some(job) = self.jobs.get_mut(&id) else { return Ok(()) };
        job.tcp = Connect::Done(tcp);
        for report in std::mem::take(&mut job.held) {
            self.report(id, report)?;
        }
        Ok(())
    }

    /// Says what the machine has to say.
    fn collect(&mut self) -> Result<(), RunError> {
        while let Some((id, report)) = self.pinger.poll_report() {
            match self.jobs.get_mut(&id) {
                Some(job) if matches!(job.tcp, Connect::UnderWay) => job.held.push_back(report),
                _ => self.report(id, report)?,
            }
        }
        Ok(())
    }

    fn report(&mut self, id: JobId, report: JobReport<PingReport>) -> Result<(), RunError> {
        match report {
            JobReport::Probe(report) => {
                let Some(job) = self.jobs.get(&id) else { return Ok(()) };
                let probe = self.asked.judge(job, report);
                Ok(self.ledger.say(id, probe)?)
            }
            JobReport::Done => {
                let Some(job) = self.jobs.remove(&id) else { return Ok(()) };
                Ok(self.ledger.end(id, timestamp(self.clock.now()), job.origin)?)
            }
        }
    }
}

impl Asked {
    /// Makes a result line of what the machine found, and holds the answer against what was asked.
    fn judge(&self, job: &Job, report: PingReport) -> Probe {
        let tcp = match job.tcp {
            Connect::Done(tcp) => Some(tcp),
            Connect::NotAsked | Connect::UnderWay => None,
        };
        let (answer, failure) = match report.outcome {
            Err(failure) => (None, Some(failure)),
            Ok(answer) => {
                let too_slow = self.max_rtt.filter(|max| answer.rtt_ms.0 > *max);
                let failure = match (too_slow, tcp) {
                    (Some(max), _) => {
                        Some(Failure::NotAsAsked(NotAsAsked::MaxRtt { max_rtt_ms: Millis(max) }))
                    }
                    (None, Some(tcp)) => tcp.failure(),
                    (None, None) => None,
                };
                (Some(answer), failure)
            }
        };
        Probe {
            at: Timestamp(report.at_unix_ms),
            command: self.keeping.command,
            origin: job.origin.clone(),
            probe: self.keeping.numbered.then_some(report.number),
            ok: failure.is_none(),
            failure,
            endpoint: Some(job.endpoint),
            answer: answer.map(Answer::Ping),
            tries: Some(report.tries),
            tcp,
            warnings: report.warnings,
        }
    }
}
