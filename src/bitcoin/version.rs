//! The first message of each side (Core `net_processing.cpp`, `PushNodeVersion` and NetMsgType::VERSION).

use super::net_addr::NetAddr;
use crate::codec::{DecodeError, Reader, compact_size};

/// The longest user agent that is taken, in bytes: what Core takes (`net.h`, MAX_SUBVERSION_LENGTH).
pub const MAX_USER_AGENT: u64 = 256;

/// The shortest version message, in bytes: it ends after `addr_recv`, as those before protocol 106 did.
pub const MIN_SIZE: usize = 46;

/// The longest version message up to its relay byte, in bytes: one with the longest user agent. All that can be
/// decoded stands in so many first bytes.
pub const MAX_SIZE: usize = 4 + 8 + 8 + 26 + 26 + 8 + 3 + MAX_USER_AGENT as usize + 4 + 1;

/// The protocol that knows `wtxidrelay` and `sendaddrv2` (BIP-339, BIP-155). 70017 means one thing to Bitcoin
/// (BIP-434) and another to Litecoin, so it is not announced.
pub const PROTOCOL: i32 = 70_016;

/// A version message.
///
/// How much of it there is says its length and not the protocol that it announces: it may end after each field
/// from `addr_recv` on, as Core reads it, and what is absent then is `None`. Bytes after `relay` are counted and
/// skipped: Bitcoin SV sends one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The highest protocol that the sender knows.
    pub protocol: i32,
    /// What the sender serves: see [`services`](super::services).
    pub services: u64,
    /// The sender's clock, Unix time in seconds; anything may stand here.
    pub timestamp: i64,
    /// Where the sender sees the receiver.
    pub addr_recv: NetAddr,
    /// Where the sender says it is; nobody relies on it.
    pub addr_from: Option<NetAddr>,
    /// Random, by which a node knows a connection to itself.
    pub nonce: Option<u64>,
    /// The sender's name in the form of BIP-14: at most [`MAX_USER_AGENT`] bytes of any kind.
    pub user_agent: Option<Vec<u8>>,
    /// Height of the sender's chain.
    pub start_height: Option<i32>,
    /// False where the sender wants no transactions announced (BIP-37); absent means true.
    pub relay: Option<bool>,
    /// Bytes that came after `relay`. They are not encoded again.
    pub extra: usize,
}

impl Version {
    /// Decodes a payload.
    ///
    /// # Errors
    /// [`Fault::Truncated`](crate::codec::Fault::Truncated) where it ends inside a field or before [`MIN_SIZE`];
    /// [`Fault::OverLimit`](crate::codec::Fault::OverLimit) for a user agent of more than [`MAX_USER_AGENT`]
    /// bytes, whether they came or not, and [`Fault::NotCanonical`](crate::codec::Fault::NotCanonical) for its
    /// length.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Version {
            protocol: r.le_i32("version.version")?,
            services: r.le_u64("version.services")?,
            timestamp: r.le_i64("version.timestamp")?,
            addr_recv: NetAddr::decode(
                r,
                ["version.addr_recv.services", "version.addr_recv.ip", "version.addr_recv.port"],
            )?,
            addr_from: unless_ended(r, |r| {
                NetAddr::decode(
                    r,
                    [
                        "version.addr_from.services",
                        "version.addr_from.ip",
                        "version.addr_from.port",
                    ],
                )
            })?,
            nonce: unless_ended(r, |r| r.le_u64("version.nonce"))?,
            user_agent: unless_ended(r, |r| {
                compact_size::bytes(r, "version.user_agent", MAX_USER_AGENT).map(<[u8]>::to_vec)
            })?,
            start_height: unless_ended(r, |r| r.le_i32("version.start_height"))?,
            relay: unless_ended(r, |r| r.byte("version.relay").map(|byte| byte != 0))?,
            extra: r.all().len(),
        })
    }

    /// Appends the payload, up to the first field that is absent.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.protocol.to_le_bytes());
        out.extend_from_slice(&self.services.to_le_bytes());
        out.extend_from_slice(&self.timestamp.to_le_bytes());
        self.addr_recv.encode(out);
        let Some(addr_from) = self.addr_from else { return };
        addr_from.encode(out);
        let Some(nonce) = self.nonce else { return };
        out.extend_from_slice(&nonce.to_le_bytes());
        let Some(user_agent) = &self.user_agent else { return };
        compact_size::write(user_agent.len() as u64, out);
        out.extend_from_slice(user_agent);
        let Some(start_height) = self.start_height else { return };
        out.extend_from_slice(&start_height.to_le_bytes());
        let Some(relay) = self.relay else { return };
        out.push(u8::from(relay));
    }

    /// Seconds that the sender's clock is ahead of `now_unix_s`, saturating.
    pub fn clock_offset_s(&self, now_unix_s: u64) -> i64 {
        self.timestamp.saturating_sub_unsigned(now_unix_s)
    }
}

/// What `decode` gives, or `None` where the message has ended.
fn unless_ended<'a, T>(
    r: &mut Reader<'a>,
    decode: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<Option<T>, DecodeError> {
    if r.is_empty() { Ok(None) } else { decode(r).map(Some) }
}
