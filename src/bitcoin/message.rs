//! The messages of a handshake. All others are values, too: a name and bytes.

use super::frame::{self, Command, Frame, Magic};
use super::version::{self, Version};
use crate::codec::{DecodeError, Fault, Reader};

/// A decoded message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Who the sender is.
    Version(Version),
    /// The sender took our version.
    Verack,
    /// The sender announces transactions by their witness hash (BIP-339).
    WtxidRelay,
    /// The sender takes `addrv2` (BIP-155).
    SendAddrV2,
    /// Answer with the same nonce (BIP-31).
    Ping(u64),
    /// The answer to the ping of this nonce (BIP-31).
    Pong(u64),
    /// A message that is not decoded here, known or not.
    Other {
        /// Its name.
        command: Command,
        /// What it carries. From [`Message::decode`] it is what the [`Frame`] holds, which may be no more than the
        /// first bytes of it; encoded, those would be another message.
        payload: Vec<u8>,
    },
}

impl Message {
    /// Decodes the payload of a frame. Bytes that it has too many are skipped, as Core skips them: a `ping` of nine
    /// bytes is one. So the first bytes of a payload will do: [`MAX_SIZE`](version::MAX_SIZE) of them for every message
    /// that is decoded here.
    ///
    /// # Errors
    /// Those of [`Version::decode`], and [`Fault::Truncated`] for a `ping` or `pong` without a whole nonce. Such a
    /// `ping` (all were so before BIP-31) wants no answer, and Core gives none. [`Fault::Truncated`], too, where fewer
    /// bytes were kept of a version than it can have; offsets count from the start of the payload.
    pub fn decode(frame: &Frame) -> Result<Message, DecodeError> {
        let mut r = Reader::new(&frame.payload);
        Ok(match frame.command {
            Command::VERSION => Message::Version(decode_version(frame, &mut r)?),
            Command::VERACK => Message::Verack,
            Command::WTXIDRELAY => Message::WtxidRelay,
            Command::SENDADDRV2 => Message::SendAddrV2,
            Command::PING => Message::Ping(r.le_u64("ping.nonce")?),
            Command::PONG => Message::Pong(r.le_u64("pong.nonce")?),
            command => Message::Other { command, payload: frame.payload.clone() },
        })
    }

    /// The name that stands in the header.
    pub fn command(&self) -> Command {
        match self {
            Message::Version(_) => Command::VERSION,
            Message::Verack => Command::VERACK,
            Message::WtxidRelay => Command::WTXIDRELAY,
            Message::SendAddrV2 => Command::SENDADDRV2,
            Message::Ping(_) => Command::PING,
            Message::Pong(_) => Command::PONG,
            Message::Other { command, .. } => *command,
        }
    }

    /// Encodes the payload, without the header.
    pub fn encode_payload(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Message::Version(version) => version.encode(&mut out),
            Message::Verack | Message::WtxidRelay | Message::SendAddrV2 => {}
            Message::Ping(nonce) | Message::Pong(nonce) => {
                out.extend_from_slice(&nonce.to_le_bytes());
            }
            Message::Other { payload, .. } => out.extend_from_slice(payload),
        }
        out
    }

    /// Appends the whole frame to `out`.
    pub fn encode(&self, magic: Magic, out: &mut Vec<u8>) {
        frame::encode(magic, self.command(), &self.encode_payload(), out);
    }
}

/// A version, of which the frame may hold the first bytes alone.
fn decode_version(frame: &Frame, r: &mut Reader<'_>) -> Result<Version, DecodeError> {
    let (length, kept) = (frame.length as usize, frame.payload.len());
    // It may end after many a field, so too short a part of it could pass for the whole.
    let missing = length.min(version::MAX_SIZE).saturating_sub(kept) as u64;
    if missing > 0 {
        r.all();
        return Err(r.error("version", Fault::Truncated { missing }));
    }
    let version = Version::decode(r)?;
    Ok(Version { extra: version.extra + length.saturating_sub(kept), ..version })
}
