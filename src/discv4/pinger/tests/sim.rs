//! A network in virtual time: peers, delays, losses, copies, and one pinger.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use rand::{RngExt, SeedableRng};

use super::*;
use crate::discv4::Packet;
use crate::machine::{DatagramMachine, Icmp, RttClock};

pub const OURS: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 40_000));
/// 2026-01-01, in milliseconds.
const EPOCH_MS: u64 = 1_767_225_600_000;
/// No test takes longer, in virtual time.
const FOREVER: Duration = Duration::from_secs(3600);

pub fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub fn config() -> Config {
    Config {
        timeout: ms(2000),
        retries: 1,
        count: 1,
        interval: ms(1000),
        per_host_interval: ms(0),
        concurrency: 100_000,
        bond: false,
    }
}

/// How a peer behaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peer {
    /// One way.
    pub delay: Duration,
    pub silent: bool,
    /// How many Pings it ignores before it answers.
    pub ignores: usize,
    /// Signs with another key than the one that is asked for.
    pub lies: bool,
    pub pings_back: Option<Duration>,
    /// Its own Ping leaves before its Pong.
    pub pings_first: bool,
    /// An ICMP error instead of a delivery, and how many bytes it quotes. Others still get through.
    pub icmp: Option<(Icmp, usize)>,
    /// How often the system refuses to send to it.
    pub send_fails: Option<(LocalError, u32)>,
}

/// What a link does, in percent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    pub loss: u32,
    pub copies: u32,
    /// Up to this much more delay, at random, so that packets overtake each other.
    pub jitter: Duration,
}

struct Node {
    peer: Peer,
    key: NodeKey,
    liar: NodeKey,
    address: SocketAddr,
    pings: Vec<Duration>,
    pongs: usize,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    ToPeer(SocketAddr, Vec<u8>),
    ToUs(SocketAddr, Vec<u8>),
    Drops(u64),
}

pub struct Sim {
    pub pinger: Pinger,
    pub weather: Weather,
    now: Mono,
    nodes: BTreeMap<SocketAddr, Node>,
    due: BinaryHeap<Reverse<(Mono, u64, Due)>>,
    count: u64,
    rng: StdRng,
    jobs: BTreeMap<JobId, Vec<PingReport>>,
    ended: BTreeMap<JobId, Mono>,
}

/// A peer's name: its address.
pub type PeerId = SocketAddr;

pub fn address(peer: PeerId) -> SocketAddr {
    peer
}

impl Sim {
    pub fn new(seed: u64, config: Config) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let key = node_key(&mut rng);
        Sim {
            pinger: Pinger::new(config, key, StdRng::seed_from_u64(seed + 1)),
            weather: Weather::default(),
            now: Mono::default(),
            nodes: BTreeMap::new(),
            due: BinaryHeap::new(),
            count: 0,
            rng,
            jobs: BTreeMap::new(),
            ended: BTreeMap::new(),
        }
    }

    /// Adds a peer at an IP address of its own.
    pub fn peer(&mut self, peer: Peer) -> PeerId {
        let index = self.nodes.len() as u32;
        let ip = Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits() + 256 * index);
        self.add(SocketAddr::from((ip, 30303)), peer)
    }

    /// Adds a peer at 10.0.0.`host`, at a port of its own.
    pub fn peer_at_ip(&mut self, host: u8, peer: Peer) -> PeerId {
        let port = 30303 + self.nodes.len() as u16;
        self.add(SocketAddr::from(([10, 0, 0, host], port)), peer)
    }

    fn add(&mut self, address: SocketAddr, peer: Peer) -> PeerId {
        let (key, liar) = (node_key(&mut self.rng), node_key(&mut self.rng));
        let node = Node { peer, key, liar, address, pings: Vec::new(), pongs: 0 };
        self.nodes.insert(address, node);
        address
    }

    pub fn ping(&mut self, peer: PeerId) -> JobId {
        let key = *self.key_of(peer);
        self.start(peer, Some(key))
    }

    pub fn ping_address(&mut self, peer: PeerId) -> JobId {
        self.start(peer, None)
    }

    fn start(&mut self, to: SocketAddr, key: Option<PublicKey>) -> JobId {
        let id = JobId(self.jobs.len() as u64);
        self.jobs.insert(id, Vec::new());
        let target = PingTarget { to, tcp: to.port(), key, from: Endpoint::new(OURS, 0) };
        let now = self.now();
        self.pinger.start(now, id, target);
        id
    }

    fn now(&self) -> Now {
        Now { mono: self.now, unix_ms: EPOCH_MS + self.now.0.as_millis() as u64 }
    }

    pub fn event(&mut self, event: Event<'_>) {
        let now = self.now();
        self.pinger.handle(now, event);
    }

    pub fn stop(&mut self) {
        let now = self.now();
        self.pinger.stop(now);
    }

    /// Our own socket has lost so many datagrams at that time.
    pub fn lose_at(&mut self, at: Duration, total: u64) {
        self.later(Mono(at), Due::Drops(total));
    }

    fn later(&mut self, at: Mono, what: Due) {
        self.count += 1;
        self.due.push(Reverse((at, self.count, what)));
    }

    /// Runs until every job is done and nothing is under way.
    pub fn run(&mut self) {
        self.run_until(FOREVER);
        assert!(self.all_done(), "jobs are left: {:?}", self.pinger);
    }

    pub fn run_until(&mut self, end: Duration) {
        loop {
            self.step();
            let packet = self.due.peek().map(|Reverse((at, ..))| *at);
            let Some(next) = packet.into_iter().chain(self.pinger.poll_timeout()).min() else {
                self.now = if end < FOREVER { Mono(end) } else { self.now };
                return;
            };
            if next.0 > end {
                self.now = Mono(end);
                return;
            }
            assert!(next >= self.now || packet.is_none(), "time goes back");
            self.now = self.now.max(next);
            while let Some(Reverse((at, ..))) = self.due.peek()
                && *at <= self.now
            {
                let Some(Reverse((_, _, due))) = self.due.pop() else { break };
                self.arrive(due);
            }
            let now = self.now();
            self.pinger.handle_timeout(now);
        }
    }

    /// Drains the pinger's outputs.
    pub fn step(&mut self) {
        let mut buf = Vec::new();
        let now = self.now();
        while let Some(Transmit { id, to }) = self.pinger.poll_transmit(now, &mut buf) {
            let bytes = std::mem::take(&mut buf);
            self.send(id, to, bytes);
        }
        while let Some((id, report)) = self.pinger.poll_report() {
            assert!(!self.ended.contains_key(&id), "{id:?} goes on after its end");
            match report {
                JobReport::Probe(report) => self.jobs.entry(id).or_default().push(report),
                JobReport::Done => drop(self.ended.insert(id, self.now)),
            }
        }
    }

    /// Takes the packet that would be sent next, and sends it nowhere.
    pub fn next_packet(&mut self) -> (Vec<u8>, SocketAddr) {
        let (mut buf, now) = (Vec::new(), self.now());
        let transmit = self.pinger.poll_transmit(now, &mut buf).expect("a packet is due");
        (buf, transmit.to)
    }

    fn send(&mut self, id: SendId, to: SocketAddr, bytes: Vec<u8>) {
        let node = self.nodes.get_mut(&to).expect("a known peer");
        if let Some((why, times)) = &mut node.peer.send_fails
            && *times > 0
        {
            *times -= 1;
            let why = *why;
            return self.event(Event::SendFailed { id, why });
        }
        let (delay, icmp, at) = (node.peer.delay, node.peer.icmp, self.now);
        self.event(Event::Sent { id, at });
        if let Some((why, quoted)) = icmp {
            let quoted = bytes.get(..quoted.min(bytes.len())).expect("a prefix");
            self.event(Event::Icmp { to, why, quoted });
        }
        self.carry(delay, Due::ToPeer(to, bytes));
    }

    fn carry(&mut self, delay: Duration, what: Due) {
        let Weather { loss, copies, jitter } = self.weather;
        let copies = 1 + u32::from(self.rng.random_range(0..100) < copies);
        for _ in 0..copies {
            if self.rng.random_range(0..100) < loss {
                continue;
            }
            let extra = self.rng.random_range(0..=jitter.as_micros() as u64);
            let at = self.now + delay + Duration::from_micros(extra);
            let copy = match &what {
                Due::ToPeer(to, bytes) => Due::ToPeer(*to, bytes.clone()),
                Due::ToUs(from, bytes) => Due::ToUs(*from, bytes.clone()),
                Due::Drops(total) => Due::Drops(*total),
            };
            self.later(at, copy);
        }
    }

    fn arrive(&mut self, due: Due) {
        match due {
            Due::Drops(total) => self.event(Event::OwnDrops { total }),
            Due::ToUs(from, bytes) => {
                let (clock, arrived) = (RttClock::Kernel, self.now);
                self.event(Event::Datagram { from, clock, arrived, bytes: &bytes });
            }
            Due::ToPeer(to, bytes) => self.peer_receives(to, &bytes),
        }
    }

    fn peer_receives(&mut self, to: SocketAddr, bytes: &[u8]) {
        let unix_s = self.now().unix_s();
        let node = self.nodes.get_mut(&to).expect("a known peer");
        let packet = Packet::decode(bytes).expect("we send valid packets");
        let ping = match &packet.message {
            Message::Pong(_) => return node.pongs += 1,
            Message::Ping(ping) => ping,
            other => panic!("the pinger sent {other:?}"),
        };
        node.pings.push(self.now.0.saturating_sub(node.peer.delay));
        assert_eq!(ping.from, Endpoint::new(OURS, 0));
        assert_eq!(ping.to, Endpoint::new(node.address, node.address.port()));
        if node.peer.silent || node.pings.len() <= node.peer.ignores {
            return;
        }
        let key = if node.peer.lies { &node.liar } else { &node.key };
        let expiration = unix_s + 20;
        let pong = Message::Pong(Pong {
            to: Endpoint::new(OURS, 0),
            ping_hash: packet.hash,
            expiration,
            enr_seq: None,
        });
        let back = Message::Ping(Ping {
            version: 4,
            from: Endpoint::new(node.address, 0),
            to: Endpoint::new(OURS, 0),
            expiration,
            enr_seq: None,
        });
        let peer = node.peer;
        let sealed = |message: &Message| {
            let mut bytes = Vec::new();
            packet::encode(message, key, None, &mut bytes);
            bytes
        };
        let (pong, back) = (sealed(&pong), sealed(&back));
        let ping_first = peer.pings_back.filter(|_| peer.pings_first);
        if let Some(after) = ping_first {
            self.carry(peer.delay + after, Due::ToUs(to, back.clone()));
        }
        self.carry(peer.delay, Due::ToUs(to, pong));
        if let Some(after) = peer.pings_back.filter(|_| !peer.pings_first) {
            self.carry(peer.delay + after, Due::ToUs(to, back));
        }
    }

    pub fn key_of(&self, peer: PeerId) -> &PublicKey {
        self.nodes[&peer].key.public()
    }

    /// Signs a message as the peer, and hands it to the pinger now.
    pub fn peer_says(&mut self, peer: PeerId, message: &Message, liar: bool) {
        let node = &self.nodes[&peer];
        let mut bytes = Vec::new();
        let extra = self.count.to_be_bytes().repeat(4).try_into().expect("32 bytes");
        self.count += 1;
        let key = if liar { &node.liar } else { &node.key };
        packet::encode(message, key, Some(&extra), &mut bytes);
        let (clock, arrived) = (RttClock::Kernel, self.now);
        self.event(Event::Datagram { from: peer, clock, arrived, bytes: &bytes });
    }

    pub fn unix_s(&self) -> u64 {
        self.now().unix_s()
    }

    /// When the Pings to a peer were sent.
    pub fn pings_to(&self, peer: PeerId) -> Vec<Duration> {
        self.nodes[&peer].pings.clone()
    }

    /// How many Pongs of ours a peer got.
    pub fn pongs_to(&self, peer: PeerId) -> usize {
        self.nodes[&peer].pongs
    }

    pub fn reports(&self, job: JobId) -> &[PingReport] {
        &self.jobs[&job]
    }

    pub fn only_report(&self, job: JobId) -> &PingReport {
        let [report] = self.reports(job) else { panic!("{:?}", self.reports(job)) };
        report
    }

    pub fn ended(&self, job: JobId) -> Mono {
        self.ended[&job]
    }

    pub fn all_done(&self) -> bool {
        self.ended.len() == self.jobs.len()
    }
}

fn node_key(rng: &mut StdRng) -> NodeKey {
    NodeKey::new(rng.random(), [7; 32]).expect("a key")
}
