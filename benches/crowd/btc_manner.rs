//! What a Bitcoin peer says, and what must be said of it.

use p2pprobe::bitcoin::{Command, Magic, Message, NetAddr, Version, frame};

use super::peers::{Draw, draw, pick};
use super::settings::{Group, Settings};
use super::targets::Expected;

/// The network of the crowd.
pub const MAINNET: Magic = Magic([0xf9, 0xbe, 0xb4, 0xd9]);
const TESTNET3: Magic = Magic([0x0b, 0x11, 0x09, 0x07]);
/// Where a frame's header has its length and its checksum.
const LENGTH_AT: usize = 16;
const CHECKSUM_AT: usize = 20;
/// Messages of one that only announces: so many that nobody reads on, and few enough to be waited out.
const FLOOD: usize = 10_001;
const CHATTER: usize = 100;
/// How far the clock of a peer is ahead that has another time, in seconds.
const CLOCK_S: u64 = 3600;

/// What a peer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Manner {
    /// Shakes hands, and answers the ping.
    Good,
    /// The same, and takes its time.
    Slow,
    /// Its clock is an hour ahead.
    Clock,
    /// It says `verack` twice.
    TwoVeracks,
    /// It sends a ping before its version.
    EarlyPing,
    /// Takes the connection, and says nothing.
    Silent,
    /// Is not there; its target has the closed port.
    Refuses,
    /// Hangs up at once.
    HangsUp,
    /// Speaks HTTP.
    Http,
    /// Is of testnet3.
    OtherNetwork,
    /// Its version claims a length that nobody takes.
    Oversized,
    /// Its version has a wrong checksum.
    BadChecksum,
    /// Its version ends amid a field.
    ShortVersion,
    /// Announces transactions, and says nothing else.
    Chatters,
    /// Announces them without an end.
    Floods,
}

const ODD: [Manner; 4] = [Manner::Slow, Manner::Clock, Manner::TwoVeracks, Manner::EarlyPing];
const LYING: [Manner; 15] = [
    Manner::HangsUp,
    Manner::HangsUp,
    Manner::Http,
    Manner::Http,
    Manner::OtherNetwork,
    Manner::OtherNetwork,
    Manner::Oversized,
    Manner::Oversized,
    Manner::BadChecksum,
    Manner::BadChecksum,
    Manner::ShortVersion,
    Manner::ShortVersion,
    Manner::Chatters,
    Manner::Chatters,
    // It costs as much as ten thousand others.
    Manner::Floods,
];

impl Manner {
    /// The manner of a peer.
    pub fn of(settings: &Settings, number: u32) -> Manner {
        let Settings { seed, shares, .. } = settings;
        match shares.group(*seed, number) {
            Group::Good | Group::Pinging => Manner::Good,
            Group::Odd => pick(*seed, number, Draw::Kind, &ODD),
            Group::Lying => pick(*seed, number, Draw::Kind, &LYING),
            Group::Silent => Manner::Silent,
            Group::Refusing => Manner::Refuses,
        }
    }

    /// What must be said of it.
    pub fn expected(self) -> Expected {
        let (outcome, warnings): (_, &[_]) = match self {
            Manner::Good | Manner::Slow => ("ok", &[]),
            Manner::Clock => ("ok", &["clock"]),
            Manner::TwoVeracks => ("ok", &["duplicate"]),
            Manner::EarlyPing => ("ok", &["out-of-order"]),
            Manner::Silent => ("stalled", &[]),
            Manner::Refuses => ("refused", &[]),
            Manner::HangsUp => ("closed-early", &[]),
            Manner::Http => ("not-bitcoin", &[]),
            Manner::OtherNetwork => ("wrong-network", &[]),
            Manner::Oversized => ("oversized", &[]),
            Manner::BadChecksum => ("bad-checksum", &[]),
            Manner::ShortVersion => ("malformed", &[]),
            Manner::Chatters | Manner::Floods => ("stalled", &["out-of-order"]),
        };
        Expected { outcome, warnings }
    }

    /// True where each try of the prober ends with its deadline, so that the last one decides: were that one lost, it
    /// would be told of.
    pub fn waits_for_the_deadline(self) -> bool {
        matches!(self, Manner::Silent | Manner::Chatters)
    }

    /// What it says once the prober's version has come, at this time.
    pub fn greeting(self, number: u32, unix_s: u64) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Manner::Silent | Manner::Refuses | Manner::HangsUp => {}
            Manner::Http => out.extend_from_slice(
                b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            ),
            Manner::OtherNetwork => version(number, unix_s).encode(TESTNET3, &mut out),
            Manner::Oversized => {
                version(number, unix_s).encode(MAINNET, &mut out);
                let length = (frame::MAX_PAYLOAD + 1).to_le_bytes();
                out[LENGTH_AT..CHECKSUM_AT].copy_from_slice(&length);
            }
            Manner::BadChecksum => {
                version(number, unix_s).encode(MAINNET, &mut out);
                out[CHECKSUM_AT] ^= 1;
            }
            Manner::ShortVersion => {
                let payload = version(number, unix_s).encode_payload();
                frame::encode(MAINNET, Command::VERSION, &payload[..50], &mut out);
            }
            Manner::Chatters => out = announcement(number).repeat(CHATTER),
            Manner::Floods => out = announcement(number).repeat(FLOOD),
            Manner::Good
            | Manner::Slow
            | Manner::Clock
            | Manner::TwoVeracks
            | Manner::EarlyPing => {
                if self == Manner::EarlyPing {
                    Message::Ping(number.into()).encode(MAINNET, &mut out);
                }
                let ahead_s = if self == Manner::Clock { CLOCK_S } else { 0 };
                let veracks = if self == Manner::TwoVeracks { 2 } else { 1 };
                version(number, unix_s + ahead_s).encode(MAINNET, &mut out);
                Message::WtxidRelay.encode(MAINNET, &mut out);
                Message::SendAddrV2.encode(MAINNET, &mut out);
                (0..veracks).for_each(|_| Message::Verack.encode(MAINNET, &mut out));
            }
        }
        out
    }
}

fn version(number: u32, unix_s: u64) -> Message {
    Message::Version(Version {
        protocol: 70_016,
        services: 0x409,
        timestamp: unix_s as i64,
        addr_recv: NetAddr::unspecified(0),
        addr_from: Some(NetAddr::unspecified(0x409)),
        nonce: Some(draw(0, number, Draw::Detail)),
        user_agent: Some(format!("/crowd:{number}/").into_bytes()),
        start_height: Some(number as i32),
        relay: Some(true),
        extra: 0,
    })
}

/// An `inv` of one transaction.
fn announcement(number: u32) -> Vec<u8> {
    let mut payload = vec![1, 1, 0, 0, 0];
    payload.resize(37, number as u8);
    let command = Command::named("inv").expect("a command");
    let mut out = Vec::new();
    Message::Other { command, payload }.encode(MAINNET, &mut out);
    out
}
