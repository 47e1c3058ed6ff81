//! Thousands of connections: each ends once, in time, and as it must.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use p2pprobe::bitcoin::handshake::{Config, End, Handshake, HandshakeReport, OurNonces};
use p2pprobe::bitcoin::{FrameReader, Message};
use p2pprobe::machine::{Action, CloseWhy, ConnectError, Mono, Now, StreamEvent, StreamMachine};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::btc_oracle::{CONNECT_TIMEOUT, Expected, TIMEOUT, expected};
use crate::btc_script::{Connect, MAINNET, NONCE, PING, Script};
use crate::crowd::btc_manner::Manner;
use crate::rounds;

/// 2026-01-01, in milliseconds.
const EPOCH_MS: u64 = 1_767_225_600_000;
/// When each connection begins: not at zero, which would hide a deadline that is counted from there.
const BEGIN: Duration = Duration::from_secs(77);
/// Bytes of a payload that are kept of what the machine writes.
const KEEP: usize = 1024;

/// What happens to a connection, and how long after its begin.
enum What {
    Connected,
    Failed(ConnectError),
    Bytes(Vec<u8>),
    Closed(CloseWhy),
}

/// A connection in virtual time.
struct Connection {
    machine: Handshake,
    now: Duration,
    coming: VecDeque<(Duration, What)>,
    wrote: FrameReader,
    closed: bool,
}

impl Connection {
    fn new(coming: VecDeque<(Duration, What)>) -> Self {
        let config = Config {
            magic: MAINNET,
            connect_timeout: CONNECT_TIMEOUT,
            timeout: TIMEOUT,
            user_agent: "/virtual/".to_owned(),
        };
        let to = "192.0.2.7:8333".parse().expect("an address");
        let ours = OurNonces::default();
        let machine = Handshake::new(config, to, [NONCE, PING], ours, time(Duration::ZERO));
        let wrote = FrameReader::new(MAINNET, KEEP);
        Connection { machine, now: Duration::ZERO, coming, wrote, closed: false }
    }

    /// Drives it to its end: `pong` answers our ping after so long, behind all else that is said.
    fn run(mut self, pong: Option<Duration>) -> (HandshakeReport, Duration) {
        assert_eq!(self.machine.poll_action(time(self.now)), Some(Action::Connect));
        loop {
            if self.writes_ping()
                && let Some(after) = pong
            {
                self.answer(after);
            }
            if let Some(report) = self.machine.poll_report() {
                let at = self.now;
                self.assert_over();
                return (report, at);
            }
            let deadline = self.machine.poll_timeout().expect("an end must come");
            assert!(deadline <= Mono(BEGIN + TIMEOUT), "{deadline:?}");
            match self.coming.front() {
                // What came before the deadline counts.
                Some((at, _)) if Mono(BEGIN + *at) <= deadline => self.next(),
                _ => {
                    self.now = deadline.0 - BEGIN;
                    self.machine.handle_timeout(time(self.now));
                }
            }
        }
    }

    fn next(&mut self) {
        let Some((at, what)) = self.coming.pop_front() else { return };
        self.now = at;
        let local = "192.0.2.1:40000".parse().expect("an address");
        let event = match &what {
            What::Connected => StreamEvent::Connected { local },
            What::Failed(why) => StreamEvent::ConnectFailed(*why),
            What::Bytes(bytes) => StreamEvent::Bytes(bytes),
            What::Closed(why) => StreamEvent::Closed(*why),
        };
        self.machine.handle(time(at), event);
    }

    /// Does what the machine wants done, and says whether our ping was among it.
    fn writes_ping(&mut self) -> bool {
        let mut pinged = false;
        while let Some(action) = self.machine.poll_action(time(self.now)) {
            assert!(!self.closed, "{action:?} behind the close");
            match action {
                Action::Connect => panic!("a second connect"),
                Action::Close => self.closed = true,
                Action::Write(bytes) => {
                    let mut left = &bytes[..];
                    while let Some(frame) = self.wrote.next_frame(&mut left).expect("a frame") {
                        pinged |= Message::decode(&frame) == Ok(Message::Ping(PING));
                    }
                }
            }
        }
        pinged
    }

    fn answer(&mut self, after: Duration) {
        let mut pong = Vec::new();
        Message::Pong(PING).encode(MAINNET, &mut pong);
        let last = self.coming.back().map_or(self.now, |(at, _)| *at);
        self.coming.push_back((last.max(self.now + after), What::Bytes(pong)));
    }

    /// Whatever happens from here on, nothing more is said or done.
    fn assert_over(&mut self) {
        assert!(self.closed, "it must hang up");
        while !self.coming.is_empty() {
            self.next();
        }
        self.now += 2 * TIMEOUT;
        self.machine.handle_timeout(time(self.now));
        self.machine.stop(time(self.now));
        assert_eq!(self.machine.poll_action(time(self.now)), None);
        assert!(self.machine.poll_report().is_none() && self.machine.poll_timeout().is_none());
    }
}

fn time(since: Duration) -> Now {
    let mono = BEGIN + since;
    Now { mono: Mono(mono), unix_ms: EPOCH_MS + mono.as_millis() as u64 }
}

/// All that happens in a script but for its pong.
fn coming(script: &Script) -> VecDeque<(Duration, What)> {
    let connected = match script.connect {
        Connect::Hangs => return VecDeque::new(),
        Connect::Fails(after, why) => return [(after, What::Failed(why))].into(),
        Connect::Opens(after) => after,
    };
    let bytes = script.bytes();
    let mut rest = &bytes[..];
    let mut coming = VecDeque::from([(connected, What::Connected)]);
    for (after, size) in &script.pieces {
        let (piece, behind) = rest.split_at(*size);
        rest = behind;
        coming.push_back((connected + *after, What::Bytes(piece.to_vec())));
    }
    coming.extend(script.close.map(|(after, why)| (connected + after, What::Closed(why))));
    coming
}

fn name(end: &End) -> &'static str {
    match end {
        End::Done => "done",
        End::ConnectFailed(_) => "connect-failed",
        End::ConnectTimeout => "connect-timeout",
        End::Closed(_) => "closed",
        End::Stalled => "stalled",
        End::Flooded { .. } => "flooded",
        End::OtherMagic { .. } => "other-magic",
        End::Oversized { .. } => "oversized",
        End::BadChecksum { .. } => "bad-checksum",
        End::Malformed(_) => "malformed",
        End::SelfConnection => "self-connection",
        End::Interrupted => "interrupted",
    }
}

fn play(seed: u64) -> (Script, HandshakeReport, Duration) {
    let script = Script::draw(&mut StdRng::seed_from_u64(seed));
    let (report, at) = Connection::new(coming(&script)).run(script.pong);
    (script, report, at)
}

#[test]
fn each_connection_ends_once_in_time_and_as_it_must() {
    let mut ends = BTreeMap::new();
    for seed in 0..rounds(10_000) {
        let (script, report, at) = play(seed);
        let found = Expected { end: name(&report.end), ponged: report.pong.is_some(), at };
        assert_eq!(found, expected(&script), "seed {seed}: {report:#?}");
        assert!(at <= TIMEOUT, "seed {seed}: {at:?}");
        assert_eq!(report.waited, at, "seed {seed}");
        *ends.entry((found.end, found.ponged)).or_insert(0) += 1;
    }
    // Eleven ends, of which one comes with a pong or without.
    assert_eq!(ends.len(), 12, "{ends:?}");
    assert!(ends.values().all(|count| *count >= 10), "{ends:?}");
}

#[test]
fn the_same_seed_gives_the_same_connection() {
    for seed in 0..100 {
        let (one, again) = (play(seed), play(seed));
        assert_eq!((one.1, one.2), (again.1, again.2), "seed {seed}");
    }
}

/// However the greeting of a peer of the crowd is cut, it says the same.
#[test]
fn each_manner_of_a_crowd_ends_as_it_must_in_pieces_of_any_size() {
    let manners = [
        (Manner::Good, "done"),
        (Manner::Clock, "done"),
        (Manner::TwoVeracks, "done"),
        (Manner::EarlyPing, "done"),
        (Manner::Silent, "stalled"),
        (Manner::Http, "other-magic"),
        (Manner::OtherNetwork, "other-magic"),
        (Manner::Oversized, "oversized"),
        (Manner::BadChecksum, "bad-checksum"),
        (Manner::ShortVersion, "malformed"),
        (Manner::Chatters, "stalled"),
        (Manner::Floods, "flooded"),
    ];
    for (number, (manner, end)) in (0..).zip(manners) {
        let bytes = manner.greeting(number, EPOCH_MS / 1000);
        for size in [1, 7, 24, 1000, usize::MAX] {
            let step = Duration::from_micros(10);
            let mut at = Duration::from_millis(5);
            let mut coming = VecDeque::from([(at, What::Connected)]);
            for piece in bytes.chunks(size) {
                at += step;
                coming.push_back((at, What::Bytes(piece.to_vec())));
            }
            let (report, _) = Connection::new(coming).run(Some(Duration::from_millis(1)));
            assert_eq!(name(&report.end), end, "{manner:?} in pieces of {size}");
        }
    }
}
