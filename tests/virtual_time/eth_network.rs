//! A crowd of discv4 peers and a network to it in virtual time, with one pinger.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::{SocketAddr, SocketAddrV4};
use std::time::Duration;

use p2pprobe::codec::key::{NodeKey, PublicKey};
use p2pprobe::discv4::Endpoint;
use p2pprobe::discv4::pinger::{Config, PingReport, PingTarget, Pinger};
use p2pprobe::machine::{
    DatagramMachine, Event, Icmp, IcmpKind, JobId, JobReport, Mono, Now, RttClock, SendId, Transmit,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::crowd::eth_answers::{Answered, Late};
use crate::crowd::eth_manner::{Manner, Pinged, packet_type};
use crate::crowd::peers;
use crate::crowd::settings::Settings;

/// 2026-01-01, in milliseconds.
const EPOCH_MS: u64 = 1_767_225_600_000;
/// How long an ICMP error takes.
const ICMP_DELAY: Duration = Duration::from_millis(1);
/// Our port, that of all peers, the one from which some of them answer, and one where nobody does.
const OUR_PORT: u16 = 40_000;
const PORT: u16 = 30_303;
const OTHER_PORT: u16 = 30_304;
const CLOSED_PORT: u16 = 30_305;

fn ours() -> SocketAddrV4 {
    SocketAddrV4::new([127, 0, 0, 1].into(), OUR_PORT)
}

/// What one job gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    pub reports: Vec<PingReport>,
    pub ended: Option<Mono>,
}

/// What is under way.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Ping(SocketAddrV4, Vec<u8>),
    Answer(SocketAddrV4, Vec<u8>),
    Icmp(SocketAddrV4, Vec<u8>),
}

/// The network.
pub struct Network {
    settings: Settings,
    pinger: Pinger,
    now: Mono,
    due: BinaryHeap<Reverse<(Mono, u64, Due)>>,
    count: u64,
    rng: StdRng,
    late: Late,
    /// Of each peer, how many Pings came to it.
    exchanges: BTreeMap<u32, u32>,
    /// Of a hundred datagrams that come, so many find our own socket full.
    pub own_losses: u32,
    own_drops: u64,
    /// What each job gave, by its number.
    pub told: Vec<Told>,
    /// Pings that were sent.
    pub pings: u64,
}

impl Network {
    /// A network to a crowd with these settings; the seed is theirs.
    pub fn new(settings: Settings, config: Config) -> Self {
        let mut rng = StdRng::seed_from_u64(settings.seed);
        let key = NodeKey::new(rng.random(), [7; 32]).expect("a key");
        Network {
            settings,
            pinger: Pinger::new(config, key, StdRng::seed_from_u64(settings.seed + 1)),
            now: Mono::default(),
            due: BinaryHeap::new(),
            count: 0,
            rng,
            late: Late::default(),
            exchanges: BTreeMap::new(),
            own_losses: 0,
            own_drops: 0,
            told: Vec::new(),
            pings: 0,
        }
    }

    /// Pings these peers, each with the key that it is to have, and returns when all have ended.
    pub fn run(&mut self, targets: impl IntoIterator<Item = (u32, PublicKey)>) {
        let mut targets = targets.into_iter().peekable();
        loop {
            while self.pinger.room() > 0
                && let Some((number, key)) = targets.next()
            {
                self.start(number, key);
            }
            self.drain();
            let packet = self.due.peek().map(|Reverse((at, ..))| *at);
            let Some(next) = packet.into_iter().chain(self.pinger.poll_timeout()).min() else {
                assert!(targets.peek().is_none(), "it does not go on");
                return;
            };
            self.now = self.now.max(next);
            while let Some(Reverse((at, ..))) = self.due.peek()
                && *at <= self.now
            {
                let Some(Reverse((_, _, due))) = self.due.pop() else { break };
                self.arrive(due);
            }
            // As the driver does: own losses are told before any deadline is.
            self.event(Event::OwnDrops { total: self.own_drops });
            let now = self.now();
            self.pinger.handle_timeout(now);
        }
    }

    fn start(&mut self, number: u32, key: PublicKey) {
        let port = match Manner::of(&self.settings, number) {
            Manner::Refuses => CLOSED_PORT,
            _ => PORT,
        };
        let to = SocketAddr::from((peers::address(number), port));
        let from = Endpoint::new(SocketAddr::V4(ours()), 0);
        let target = PingTarget { to, tcp: port, key: Some(key), from };
        let (now, id) = (self.now(), JobId(self.told.len() as u64));
        self.told.push(Told::default());
        self.pinger.start(now, id, target);
    }

    fn now(&self) -> Now {
        Now { mono: self.now, unix_ms: EPOCH_MS + self.now.0.as_millis() as u64 }
    }

    fn event(&mut self, event: Event<'_>) {
        let now = self.now();
        self.pinger.handle(now, event);
    }

    fn later(&mut self, after: Duration, what: Due) {
        self.count += 1;
        self.due.push(Reverse((self.now + after, self.count, what)));
    }

    /// Takes all that the pinger has to say and to send.
    fn drain(&mut self) {
        let mut buf = Vec::new();
        let now = self.now();
        while let Some(Transmit { id, to }) = self.pinger.poll_transmit(now, &mut buf) {
            let bytes = std::mem::take(&mut buf);
            self.send(id, to, bytes);
        }
        while let Some((JobId(id), report)) = self.pinger.poll_report() {
            let told = &mut self.told[id as usize];
            assert_eq!(told.ended, None, "job {id} goes on after its end");
            match report {
                JobReport::Probe(report) => told.reports.push(report),
                JobReport::Done => told.ended = Some(self.now),
            }
        }
    }

    fn send(&mut self, id: SendId, to: SocketAddr, bytes: Vec<u8>) {
        let SocketAddr::V4(to) = to else { panic!("a crowd has IPv4") };
        let at = self.now;
        self.event(Event::Sent { id, at });
        self.pings += u64::from(packet_type(&bytes).is_some_and(|(code, _)| code == 1));
        if to.port() == CLOSED_PORT {
            return self.later(ICMP_DELAY, Due::Icmp(to, bytes));
        }
        // On the way there packets overtake each other, too.
        let delay = Duration::from_micros(self.rng.random_range(0..20_000));
        self.later(delay, Due::Ping(to, bytes));
    }

    fn arrive(&mut self, due: Due) {
        match due {
            Due::Ping(at, bytes) => self.peer_receives(at, &bytes),
            Due::Answer(from, bytes) => {
                if self.rng.random_range(0..100) < self.own_losses {
                    self.own_drops += 1;
                    return;
                }
                let (clock, arrived) = (RttClock::Kernel, self.now);
                self.event(Event::Datagram { from: from.into(), clock, arrived, bytes: &bytes });
            }
            Due::Icmp(to, quoted) => {
                let (kind, from) = (IcmpKind::PortUnreachable, Some((*to.ip()).into()));
                let why = Icmp { kind, icmp_type: 3, code: 3, from };
                self.event(Event::Icmp { to: to.into(), why, quoted: &quoted });
            }
        }
    }

    fn peer_receives(&mut self, at: SocketAddrV4, bytes: &[u8]) {
        let number = peers::number(*at.ip()).expect("a peer");
        let (code, hash) = packet_type(bytes).expect("the pinger sends right packets");
        if code != 1 {
            return;
        }
        let nth = *self.exchanges.entry(number).and_modify(|nth| *nth += 1).or_default();
        let Settings { seed, weather, .. } = self.settings;
        let lost = weather.loses(seed, number, nth);
        let manner = Manner::of(&self.settings, number);
        let unix_s = self.now().unix_s();
        let pinged = Pinged { number, manner, at, from: ours(), hash, unix_s };
        let Answered { packets, .. } = self.late.answer(&self.settings, &pinged, nth, lost);
        for (delay, packet) in packets {
            let port = if packet.other_port { OTHER_PORT } else { PORT };
            let from = SocketAddrV4::new(packet.at, port);
            self.later(delay, Due::Answer(from, packet.bytes));
        }
    }
}
