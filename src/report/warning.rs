//! What is odd about an answer and yet no failure.

use std::net::SocketAddr;

use serde::Serialize;

use super::failure::as_text;
use crate::bitcoin::Command;

/// What was odd about an answer and yet no failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "warning", rename_all = "kebab-case")]
pub enum Warning {
    /// The Pong had expired when it came: the clocks differ by at least this.
    Expired {
        /// Seconds.
        by_s: u64,
    },
    /// The clocks differ: by at least this where a Pong expires that late, by this where a version tells the time.
    Clock {
        /// Seconds.
        by_s: u64,
    },
    /// The packet was longer than the 1280 bytes that discv4 allows.
    Oversized {
        /// Bytes.
        size: usize,
    },
    /// The answer came from another address than the one that was asked.
    OtherSource {
        /// Which.
        from: SocketAddr,
    },
    /// The same Pong came more than once, or another version or verack.
    Duplicate {
        /// How many times too often.
        copies: u32,
    },
    /// Our own socket lost datagrams while the probe was open.
    OwnDrops {
        /// How many, whoever they were for.
        lost: u64,
    },
    /// The handshake was complete, and our ping was not answered.
    NoPong,
    /// Messages that the answer does not need came with another checksum than their own.
    BadChecksum {
        /// The first of them.
        #[serde(serialize_with = "as_text")]
        message: Command,
        /// How many.
        count: u32,
    },
    /// Frames came whose command is none.
    BadCommand {
        /// How many.
        count: u32,
    },
    /// The version goes on after its last field.
    ExtraBytes {
        /// For so many bytes.
        count: usize,
    },
    /// The version ends before its last field.
    ShortVersion {
        /// The last one that it has.
        ends_after: &'static str,
    },
    /// A message came before the version, or before the verack though it belongs behind it.
    OutOfOrder {
        /// The first such.
        #[serde(serialize_with = "as_text")]
        message: Command,
    },
    /// A text has characters that are not shown as they are.
    Unprintable {
        /// Which text.
        field: &'static str,
    },
}

impl Warning {
    /// Its name, as in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Warning::Expired { .. } => "expired",
            Warning::Clock { .. } => "clock",
            Warning::Oversized { .. } => "oversized",
            Warning::OtherSource { .. } => "other-source",
            Warning::Duplicate { .. } => "duplicate",
            Warning::OwnDrops { .. } => "own-drops",
            Warning::NoPong => "no-pong",
            Warning::BadChecksum { .. } => "bad-checksum",
            Warning::BadCommand { .. } => "bad-command",
            Warning::ExtraBytes { .. } => "extra-bytes",
            Warning::ShortVersion { .. } => "short-version",
            Warning::OutOfOrder { .. } => "out-of-order",
            Warning::Unprintable { .. } => "unprintable",
        }
    }
}
