//! What a discv4 peer answers, and what must be said of it.

use std::net::{SocketAddr, SocketAddrV4};
use std::time::SystemTime;

use p2pprobe::codec::hash::keccak256;
use p2pprobe::codec::key::NodeKey;
use p2pprobe::discv4::packet::{self, HASH_SIZE};
use p2pprobe::discv4::{Endpoint, Message, Ping, Pong, message};

use super::peers::{Draw, draw, pick};
use super::settings::{Group, Settings};
use super::targets::Expected;

/// What a peer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Manner {
    /// Answers with a Pong.
    Answers,
    /// Sends a Ping of its own, too, before its Pong or behind it.
    PingsBack,
    /// Its Pongs have expired.
    Expired,
    /// Each Pong comes twice.
    Twice,
    /// Its Pongs come from another port.
    OtherPort,
    /// Says nothing.
    Silent,
    /// Is not there; its target has the closed port.
    Refuses,
    /// Another key signs.
    OtherKey,
    /// Its Pongs are for another Ping.
    OtherHash,
    /// The hash of its packets is wrong.
    BadHash,
    /// Its packets are cut.
    Truncated,
    /// Bytes that mean nothing.
    Noise,
}

const ODD: [Manner; 4] = [Manner::PingsBack, Manner::Expired, Manner::Twice, Manner::OtherPort];
const LYING: [Manner; 5] =
    [Manner::OtherKey, Manner::OtherHash, Manner::BadHash, Manner::Truncated, Manner::Noise];

impl Manner {
    /// The manner of a peer.
    pub fn of(settings: &Settings, number: u32) -> Manner {
        let Settings { seed, shares, .. } = settings;
        match shares.group(*seed, number) {
            Group::Good => Manner::Answers,
            Group::Odd => pick(*seed, number, Draw::Kind, &ODD),
            Group::Lying => pick(*seed, number, Draw::Kind, &LYING),
            Group::Silent => Manner::Silent,
            Group::Refusing => Manner::Refuses,
            Group::Pinging => Manner::PingsBack,
        }
    }

    /// What must be said of it. A Pong that came twice is seen only by who stays for it (`--bond`, `--count`).
    pub fn expected(self) -> Expected {
        let (outcome, warnings): (_, &[_]) = match self {
            Manner::Answers | Manner::PingsBack => ("ok", &[]),
            Manner::Expired => ("ok", &["expired"]),
            Manner::Twice => ("ok", &["duplicate"]),
            Manner::OtherPort => ("ok", &["other-source"]),
            Manner::Silent | Manner::OtherHash => ("no-reply", &[]),
            Manner::Refuses => ("port-unreachable", &[]),
            Manner::OtherKey => ("wrong-identity", &[]),
            Manner::BadHash | Manner::Truncated | Manner::Noise => ("malformed", &[]),
        };
        Expected { outcome, warnings }
    }
}

/// The key of a peer.
pub fn key(seed: u64, number: u32) -> NodeKey {
    key_of(seed, number, b"its own")
}

/// The key with which a peer signs that claims to be another.
pub fn other_key(seed: u64, number: u32) -> NodeKey {
    key_of(seed, number, b"another")
}

fn key_of(seed: u64, number: u32, which: &[u8]) -> NodeKey {
    let secret = keccak256(&[b"crowd", &seed.to_be_bytes(), &number.to_be_bytes(), which]);
    NodeKey::short_lived(secret).expect("one hash in 2^128 is no key")
}

/// A peer that was pinged.
pub struct Pinged {
    /// Its number, and what it does.
    pub number: u32,
    pub manner: Manner,
    /// Where it is, and who pinged it, with a packet of this hash.
    pub at: SocketAddrV4,
    pub from: SocketAddrV4,
    pub hash: [u8; HASH_SIZE],
    /// What time it is.
    pub unix_s: u64,
}

impl Pinged {
    /// What it sends.
    pub fn answer(&self, settings: &Settings) -> Vec<Vec<u8>> {
        let pong = || self.signed(settings, &self.pong());
        match self.manner {
            Manner::Silent | Manner::Refuses => Vec::new(),
            Manner::Twice => {
                let pong = pong();
                vec![pong.clone(), pong]
            }
            Manner::PingsBack => {
                let mut packets = vec![self.signed(settings, &self.ping()), pong()];
                if draw(settings.seed, self.number, Draw::Detail) & 1 == 0 {
                    packets.swap(0, 1);
                }
                packets
            }
            Manner::BadHash => {
                let mut pong = pong();
                pong[usize::from(self.hash[0]) % HASH_SIZE] ^= 1;
                vec![pong]
            }
            Manner::Truncated => {
                let mut pong = pong();
                pong.truncate(usize::from(self.hash[0]) % packet_head() + 1);
                vec![pong]
            }
            Manner::Noise => vec![[self.hash, keccak256(&[&self.hash])].concat().repeat(2)],
            Manner::Answers
            | Manner::Expired
            | Manner::OtherPort
            | Manner::OtherKey
            | Manner::OtherHash => vec![pong()],
        }
    }

    fn pong(&self) -> Message {
        let now = self.unix_s;
        Message::Pong(Pong {
            to: Endpoint::new(SocketAddr::V4(self.from), 0),
            ping_hash: match self.manner {
                Manner::OtherHash => keccak256(&[&self.hash]),
                _ => self.hash,
            },
            expiration: if self.manner == Manner::Expired { now - 100 } else { now + 20 },
            enr_seq: Some(self.number.into()),
        })
    }

    fn ping(&self) -> Message {
        Message::Ping(Ping {
            version: message::VERSION,
            from: Endpoint::new(SocketAddr::V4(self.at), self.at.port()),
            to: Endpoint::new(SocketAddr::V4(self.from), 0),
            expiration: self.unix_s + 20,
            enr_seq: Some(self.number.into()),
        })
    }

    fn signed(&self, settings: &Settings, message: &Message) -> Vec<u8> {
        let key = match self.manner {
            Manner::OtherKey => other_key(settings.seed, self.number),
            _ => key(settings.seed, self.number),
        };
        let mut packet = Vec::with_capacity(256);
        packet::encode(message, &key, None, &mut packet);
        packet
    }
}

/// Bytes of a packet before its type: what is cut there is no packet, whatever it is.
fn packet_head() -> usize {
    HASH_SIZE + 65
}

/// The type of a packet and its hash, if that is right. Who signed it is not asked.
pub fn packet_type(bytes: &[u8]) -> Option<(u8, [u8; HASH_SIZE])> {
    let (hash, rest) = bytes.split_first_chunk()?;
    let code = *bytes.get(packet_head())?;
    (keccak256(&[rest]) == *hash).then_some((code, *hash))
}

/// What time it is.
pub fn unix_s() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.expect("a clock after 1970").as_secs()
}
