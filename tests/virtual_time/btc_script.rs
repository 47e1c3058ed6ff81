//! What a Bitcoin peer does in one connection, drawn from a seed: messages in all orders, hostile ones among them, cut
//! into pieces that come after pauses, and an end at any byte.

use std::time::Duration;

use p2pprobe::bitcoin::{Command, Magic, Message, NetAddr, Version, frame};
use p2pprobe::machine::{CloseWhy, ConnectError};
use rand::rngs::StdRng;
use rand::{Rng, RngExt};

pub const MAINNET: Magic = Magic([0xf9, 0xbe, 0xb4, 0xd9]);
/// Our version's nonce, and our ping's.
pub const NONCE: u64 = 0x1111_2222_3333_4444;
pub const PING: u64 = 0x5555_6666_7777_8888;
/// So many messages are more than are read.
const FLOOD: u32 = 10_001;

/// What a part of the stream does to the handshake.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effect {
    /// A version; whether its peer answers pings, and whether its nonce is ours.
    Version {
        pongs: bool,
        ours: bool,
    },
    Verack,
    /// Nothing.
    None,
    /// More messages than are read.
    Flood,
    /// Has a wrong checksum.
    BadVersion,
    BadVerack,
    /// A version that ends too early.
    ShortVersion,
    /// The header claims too much.
    Oversized,
    /// No frame, from this byte of it on.
    NoFrame(usize),
}

/// A part of the stream.
#[derive(Clone, Debug)]
pub struct Part {
    pub bytes: Vec<u8>,
    pub effect: Effect,
}

/// How the connect goes.
#[derive(Clone, Copy, Debug)]
pub enum Connect {
    Opens(Duration),
    Fails(Duration, ConnectError),
    Hangs,
}

/// A whole script.
#[derive(Debug)]
pub struct Script {
    pub connect: Connect,
    pub parts: Vec<Part>,
    /// When the pieces come after the connect, and how long they are.
    pub pieces: Vec<(Duration, usize)>,
    /// What follows the last piece, after how long; `None` for silence.
    pub close: Option<(Duration, CloseWhy)>,
    /// How long after our ping the pong comes, if it does.
    pub pong: Option<Duration>,
}

impl Script {
    /// Draws one.
    pub fn draw(rng: &mut StdRng) -> Script {
        let connect = match rng.random_range(0..40) {
            0 => Connect::Hangs,
            1 => Connect::Fails(millis(rng, 7_000), ConnectError::Refused),
            2 => Connect::Fails(millis(rng, 7_000), ConnectError::HostUnreachable),
            _ => Connect::Opens(millis(rng, 300)),
        };
        let parts = parts(rng);
        let length = parts.iter().map(|part| part.bytes.len()).sum();
        // Most streams come whole.
        let whole = rng.random_range(0..3) > 0;
        let until = if whole { length } else { rng.random_range(0..=length) };
        // What is slow does not come within the deadline.
        let pause = [0, 20, 20, 500, 4_000][rng.random_range(0..5)];
        let (mut at, mut left, mut pieces) = (Duration::ZERO, until, Vec::new());
        while left > 0 {
            // In few pieces where it is long, and byte by byte at times.
            let most = [1, 30, 200, 2_000][rng.random_range(0..4)].max(length / 50);
            let size = rng.random_range(1..=most).min(left);
            at += millis(rng, pause);
            pieces.push((at, size));
            left -= size;
        }
        let why = [CloseWhy::Eof, CloseWhy::Reset][rng.random_range(0..2)];
        let close = (rng.random_range(0..2) == 0 && !whole).then(|| (at + millis(rng, 500), why));
        // Who speaks another protocol, or stopped amid a message, does not answer pings.
        let speaks = whole && !parts.iter().any(|part| matches!(part.effect, Effect::NoFrame(_)));
        let pong = (speaks && rng.random_range(0..10) > 0).then(|| millis(rng, 2_000));
        Script { connect, parts, pieces, close, pong }
    }

    /// All that would be said.
    pub fn bytes(&self) -> Vec<u8> {
        self.parts.iter().flat_map(|part| part.bytes.iter().copied()).collect()
    }
}

fn millis(rng: &mut StdRng, most: u64) -> Duration {
    Duration::from_micros(rng.random_range(0..=most * 1000))
}

fn parts(rng: &mut StdRng) -> Vec<Part> {
    let mut parts = Vec::new();
    let harmless = |rng: &mut StdRng, parts: &mut Vec<Part>| {
        (0..rng.random_range(0..4)).for_each(|_| parts.push(nothing(rng)));
    };
    harmless(rng, &mut parts);
    let verack_first = rng.random_range(0..8) == 0;
    if verack_first {
        parts.push(encoded(&Message::Verack, Effect::Verack));
    }
    parts.push(version(rng));
    harmless(rng, &mut parts);
    if !verack_first {
        parts.push(encoded(&Message::Verack, Effect::Verack));
    }
    harmless(rng, &mut parts);
    // Every second peer is hostile, somewhere; and some say what they say twice.
    if rng.random_range(0..2) == 0 {
        let at = rng.random_range(0..=parts.len());
        parts.insert(at, hostile(rng));
    }
    if rng.random_range(0..5) == 0 {
        let copy = parts[rng.random_range(0..parts.len())].clone();
        let at = rng.random_range(0..=parts.len());
        parts.insert(at, copy);
    }
    parts
}

fn encoded(message: &Message, effect: Effect) -> Part {
    let mut bytes = Vec::new();
    message.encode(MAINNET, &mut bytes);
    Part { bytes, effect }
}

fn framed(command: Command, payload: &[u8], effect: Effect) -> Part {
    let mut bytes = Vec::new();
    frame::encode(MAINNET, command, payload, &mut bytes);
    Part { bytes, effect }
}

fn version_of(protocol: i32, nonce: u64) -> Message {
    Message::Version(Version {
        protocol,
        services: 0x409,
        timestamp: 1_700_000_000,
        addr_recv: NetAddr::unspecified(0),
        addr_from: Some(NetAddr::unspecified(0)),
        nonce: Some(nonce),
        user_agent: Some(b"/script:1/".to_vec()),
        start_height: Some(1),
        relay: Some(true),
        extra: 0,
    })
}

fn version(rng: &mut StdRng) -> Part {
    let protocol = [70_016, 70_016, 70_015, 60_001, 60_000, 209][rng.random_range(0..6)];
    let effect = Effect::Version { pongs: protocol > 60_000, ours: false };
    encoded(&version_of(protocol, rng.next_u64()), effect)
}

fn nothing(rng: &mut StdRng) -> Part {
    match rng.random_range(0..6) {
        0 => encoded(&Message::WtxidRelay, Effect::None),
        1 => encoded(&Message::Ping(rng.next_u64()), Effect::None),
        // Nobody asked for that one.
        2 => encoded(&Message::Pong(rng.next_u64()), Effect::None),
        3 => {
            let mut part = inv(rng.random_range(0..3_000));
            part.bytes[20] ^= 1;
            part
        }
        4 => {
            let mut part = inv(10);
            part.bytes[5] = 0;
            part
        }
        _ => inv(rng.random_range(0..3_000)),
    }
}

fn inv(length: usize) -> Part {
    framed(Command::named("inv").expect("a name"), &vec![7; length], Effect::None)
}

fn hostile(rng: &mut StdRng) -> Part {
    let with = |mut part: Part, at: usize, effect| {
        part.bytes[at] ^= 1;
        Part { effect, ..part }
    };
    match rng.random_range(0..10) {
        0 => Part {
            bytes: b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec(),
            effect: Effect::NoFrame(0),
        },
        // Few bytes: whether more of them come is waited for.
        1 => Part { bytes: b"SSH-2.0\r\n".to_vec(), effect: Effect::NoFrame(0) },
        2 => {
            let at = rng.random_range(0..4);
            with(version(rng), at, Effect::NoFrame(at))
        }
        3 => {
            let mut noise = vec![0; rng.random_range(1..200)];
            rng.fill_bytes(&mut noise);
            noise[0] = 0;
            Part { bytes: noise, effect: Effect::NoFrame(0) }
        }
        4 => with(version(rng), 20, Effect::BadVersion),
        5 => with(encoded(&Message::Verack, Effect::Verack), 20, Effect::BadVerack),
        6 => framed(Command::VERSION, &[0; 45], Effect::ShortVersion),
        7 => {
            let mut part = version(rng);
            part.bytes[16..20]
                .copy_from_slice(&rng.random_range(4_000_001..=u32::MAX).to_le_bytes());
            Part { effect: Effect::Oversized, ..part }
        }
        8 => encoded(&version_of(70_016, NONCE), Effect::Version { pongs: true, ours: true }),
        _ if rng.random_range(0..10) == 0 => {
            Part { bytes: inv(0).bytes.repeat(FLOOD as usize), effect: Effect::Flood }
        }
        _ => nothing(rng),
    }
}
