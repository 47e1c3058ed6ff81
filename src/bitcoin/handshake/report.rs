//! What a handshake told: how far it came, how it ended, and what the peer said on the way.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::bitcoin::{Command, Version};
use crate::codec::DecodeError;
use crate::machine::{CloseWhy, ConnectError, Now};

/// How far a handshake came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Not connected.
    Connecting,
    /// Our version was sent.
    VersionSent,
    /// The peer's version came.
    Version,
    /// Its verack came, too.
    Verack,
}

impl Stage {
    /// In one word, named after what is done or came last.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Connecting => "connect",
            Stage::VersionSent => "version-sent",
            Stage::Version => "version",
            Stage::Verack => "verack",
        }
    }
}

impl Serialize for Stage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Which bound was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flood {
    /// [`MAX_MESSAGES`](super::MAX_MESSAGES).
    Messages,
    /// [`MAX_BYTES`](super::MAX_BYTES).
    Bytes,
}

/// How a handshake ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The peer's version and verack came, and the pong, if the report has its time.
    Done,
    /// There was no connection.
    ConnectFailed(ConnectError),
    /// There was none in time.
    ConnectTimeout,
    /// The peer hung up.
    Closed(CloseWhy),
    /// Time ran out.
    Stalled,
    /// The peer said so much that no more of it is read, and the handshake was not complete yet.
    Flooded {
        /// What there was too much of.
        limit: Flood,
    },
    /// Where a frame should begin there is something else.
    OtherMagic {
        /// Its first bytes.
        found: Vec<u8>,
    },
    /// A header claims too long a payload.
    Oversized {
        /// What it claims, in bytes.
        length: u32,
    },
    /// The version or the verack came with a checksum that is not its own.
    BadChecksum {
        /// Which.
        command: Command,
    },
    /// The version cannot be read.
    Malformed(DecodeError),
    /// The peer's nonce is one of ours.
    SelfConnection,
    /// The run was stopped.
    Interrupted,
}

impl End {
    /// True for ends that another connection may not come to.
    pub fn may_pass(&self) -> bool {
        match self {
            End::ConnectFailed(why) => !matches!(why, ConnectError::Local(_)),
            End::ConnectTimeout | End::Closed(_) | End::Stalled => true,
            End::Done
            | End::Flooded { .. }
            | End::OtherMagic { .. }
            | End::Oversized { .. }
            | End::BadChecksum { .. }
            | End::Malformed(_)
            | End::SelfConnection
            | End::Interrupted => false,
        }
    }
}

/// What a handshake told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakeReport {
    /// When it ended, milliseconds since the Unix epoch.
    pub at_unix_ms: u64,
    /// How it ended.
    pub end: End,
    /// How far it came.
    pub stage: Stage,
    /// The peer's version.
    pub version: Option<Version>,
    /// The names of the messages that came, in their order; the first [`MAX_NOTED`](super::MAX_NOTED).
    pub messages: Vec<Command>,
    /// How many came.
    pub message_count: u32,
    /// How many bytes came until then; those behind the message that ended it are not counted.
    pub received: u64,
    /// Where in what came the last message begins, or what should be one, in bytes.
    pub last_at: u64,
    /// From the begin of the connect to the end.
    pub waited: Duration,
    /// Seconds that the peer's clock is ahead of ours, by its version and the time at which that came; saturating.
    pub clock_offset_s: Option<i64>,
    /// Versions and veracks beyond the first of each, but for those with a wrong checksum. They are left unread.
    pub duplicates: u32,
    /// Messages whose name is none.
    pub bad_commands: u32,
    /// Messages that the answer does not depend on and whose checksum was wrong.
    pub bad_checksums: u32,
    /// The first of them.
    pub bad_checksum: Option<Command>,
    /// The first message that came before its time: any before the peer's version, or before its verack one that
    /// belongs behind it. Those with a wrong checksum are not looked at.
    pub out_of_order: Option<Command>,
    /// From the start of the connect to its success.
    pub connect: Option<Duration>,
    /// From our version to the peer's.
    pub version_took: Option<Duration>,
    /// From our version to the end of the handshake.
    pub handshake_took: Option<Duration>,
    /// From our ping to its pong.
    pub pong: Option<Duration>,
}

impl HandshakeReport {
    /// Of a handshake that begins now, and of one that is interrupted before it does.
    pub fn of_nothing(now: Now) -> Self {
        HandshakeReport {
            at_unix_ms: now.unix_ms,
            end: End::Interrupted,
            stage: Stage::Connecting,
            version: None,
            messages: Vec::new(),
            message_count: 0,
            received: 0,
            last_at: 0,
            waited: Duration::ZERO,
            clock_offset_s: None,
            duplicates: 0,
            bad_commands: 0,
            bad_checksums: 0,
            bad_checksum: None,
            out_of_order: None,
            connect: None,
            version_took: None,
            handshake_took: None,
            pong: None,
        }
    }
}
