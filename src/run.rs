//! One run of a UDP command: source → machine ⇄ driver → tally and output.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::discv4::Endpoint;
use crate::discv4::pinger::{PingReport, PingTarget, Pinger};
use crate::machine::{DatagramMachine, JobId, JobReport, Now};
use crate::net::clock::Clock;
use crate::net::tcp;
use crate::net::udp::UdpDriver;
use crate::output::{Output, progress};
use crate::report::{Failure, Millis, NotAsAsked, Origin, Probe, Tcp, TcpState, Timestamp};
use crate::source::{Item, Located};
use crate::stop::Stop;
use crate::tally::{Tally, Verdict};
use crate::tcp_check::TcpCheck;

/// What an answer must be like to be as asked, and what else is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The command's name.
    pub command: &'static str,
    /// Number the probes of a target.
    pub numbered: bool,
    /// Targets that may be open at the same time.
    pub concurrency: usize,
    /// `--max-rtt`.
    pub max_rtt: Option<Duration>,
    /// `--tcp`: connect to the TCP port, too, and wait at most this long.
    pub tcp: Option<Duration>,
}

/// Why a run failed as a whole; what it gave until then has been written.
#[derive(Debug)]
pub enum RunError {
    /// Standard output does not take what is written. [`io::ErrorKind::BrokenPipe`] is no failure: whoever
    /// read it has enough.
    Output(io::Error),
    /// A file cannot be read on.
    Input {
        /// Its name.
        file: Arc<str>,
        /// Why.
        error: io::Error,
    },
}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> Self {
        RunError::Output(error)
    }
}

/// A run.
pub struct Run {
    asked: Asked,
    clock: Clock,
    driver: UdpDriver,
    pinger: Pinger,
    /// `None` once the source has ended.
    items: Option<mpsc::Receiver<Item>>,
    stop: Stop,
    stopped: bool,
    jobs: HashMap<JobId, Job>,
    last_job: u64,
    connects: JoinSet<(JobId, Tcp)>,
    tally: Tally,
    output: Output,
    broken: Option<RunError>,
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

impl Run {
    /// Puts a run together.
    pub fn new(
        asked: Asked,
        clock: Clock,
        driver: UdpDriver,
        pinger: Pinger,
        items: mpsc::Receiver<Item>,
        stop: Stop,
        output: Output,
    ) -> Self {
        Run {
            asked,
            clock,
            driver,
            pinger,
            items: Some(items),
            stop,
            stopped: false,
            jobs: HashMap::new(),
            last_job: 0,
            connects: JoinSet::new(),
            tally: Tally::new(asked.command),
            output,
            broken: None,
        }
    }

    /// Runs to the end: until the source has ended and all its targets have, or until it is stopped.
    ///
    /// # Errors
    /// [`RunError`], with what the run had given by then.
    pub async fn run(mut self, any: bool) -> (Verdict, Result<(), RunError>) {
        let result = match self.turns().await {
            Ok(()) => self.broken.take().map_or(Ok(()), Err),
            Err(error) => Err(error),
        };
        let verdict = self.tally.verdict(any);
        if matches!(result, Err(RunError::Output(_))) {
            return (verdict, result);
        }
        if !self.output.wants_summary() {
            return (verdict, result.and(self.output.flush().map_err(RunError::Output)));
        }
        self.driver.tell_own_drops(&mut self.pinger);
        let elapsed = self.clock.mono().0;
        let at = timestamp(self.clock.now());
        // Others may have seen the wish, and ended all that was open, before it was our turn to.
        let stopped = self.stopped || self.stop.is_requested();
        let summary = self.tally.summary(at, elapsed, self.driver.own_drops(), stopped);
        let written = self.output.summary(&summary).and_then(|()| self.output.flush());
        (verdict, result.and(written.map_err(RunError::Output)))
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
            self.output.flush()?;
            // A flood keeps us awake; the source, look-ups and connects must get their turn all the same.
            tokio::task::yield_now().await;
            self.wait().await?;
        }
    }

    /// Sleeps until something happens, and takes it in.
    async fn wait(&mut self) -> Result<(), RunError> {
        let wants_items = self.has_room();
        let shows_progress = self.output.progress().is_wanted();
        if shows_progress {
            let (results, ok) = self.tally.results();
            self.output.progress().show(results, ok, self.jobs.len());
        }
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

    /// A target takes its place until all is known of it, its TCP port included. A run that was stopped takes the
    /// rest of what the source had begun.
    fn has_room(&self) -> bool {
        let open = self.jobs.len() < self.asked.concurrency && self.pinger.room() > 0;
        self.stopped || open
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

    fn take(&mut self, item: Option<Item>) -> Result<(), RunError> {
        match item {
            None => self.items = None,
            Some(Item::Located(origin, _)) if self.stopped => {
                self.never_begun(origin, Failure::Interrupted)?;
            }
            Some(Item::Located(origin, located)) => self.start(origin, located),
            Some(Item::Failed(origin, failure)) => self.never_begun(origin, failure)?,
            Some(Item::Broken { file, error }) => {
                self.broken = Some(RunError::Input { file, error });
            }
        }
        Ok(())
    }

    fn next_job(&mut self) -> JobId {
        self.last_job += 1;
        JobId(self.last_job)
    }

    fn start(&mut self, origin: Arc<Origin>, located: Located) {
        let Located { to, tcp, key } = located;
        let id = self.next_job();
        let now = self.clock.now();
        // Where there is no way to the target, sending will say so.
        let ours = self.driver.address_towards(to);
        let from =
            ours.map_or(Endpoint { ip: None, udp: 0, tcp: 0 }, |ours| Endpoint::new(ours, 0));
        let connect = match self.asked.tcp {
            None => Connect::NotAsked,
            Some(_) if tcp == 0 => Connect::Done(TcpState::NoPort.into()),
            Some(timeout) => {
                let machine = TcpCheck::new(now, timeout);
                let (clock, stop) = (self.clock, self.stop.clone());
                let address = SocketAddr::new(to.ip(), tcp);
                self.connects
                    .spawn(async move { (id, tcp::drive(machine, address, clock, stop).await) });
                Connect::UnderWay
            }
        };
        self.jobs.insert(id, Job { origin, endpoint: to, tcp: connect, held: VecDeque::new() });
        self.pinger.start(now, id, PingTarget { to, tcp, key, from });
    }

    /// Reports a target that never got as far as being probed.
    fn never_begun(&mut self, origin: Arc<Origin>, failure: Failure) -> Result<(), RunError> {
        let id = self.next_job();
        let probe = Probe {
            at: timestamp(self.clock.now()),
            command: self.asked.command,
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

    /// Counts a target that has ended, and gives its statistics if probes are counted.
    fn end(&mut self, id: JobId, at: Timestamp, origin: Arc<Origin>) -> Result<(), RunError> {
        let stats = self.tally.target(id, at, origin);
        if self.asked.numbered {
            self.output.target(&stats)?;
        }
        Ok(())
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
                self.say(id, &probe)
            }
            JobReport::Done => {
                let Some(job) = self.jobs.remove(&id) else { return Ok(()) };
                self.end(id, timestamp(self.clock.now()), job.origin)
            }
        }
    }

    fn say(&mut self, id: JobId, probe: &Probe) -> Result<(), RunError> {
        self.tally.probe(id, probe);
        Ok(self.output.probe(probe)?)
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
            command: self.command,
            origin: job.origin.clone(),
            probe: self.numbered.then_some(report.number),
            ok: failure.is_none(),
            failure,
            endpoint: Some(job.endpoint),
            answer,
            tries: Some(report.tries),
            tcp,
            warnings: report.warnings,
        }
    }
}

async fn next_item(items: Option<&mut mpsc::Receiver<Item>>) -> Option<Item> {
    match items {
        Some(items) => items.recv().await,
        None => std::future::pending().await,
    }
}

fn timestamp(now: Now) -> Timestamp {
    Timestamp(now.unix_ms)
}
