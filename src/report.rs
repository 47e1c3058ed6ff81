//! What is known of a peer, or why nothing is: the typed report that every output format renders.
//!
//! Field names here are field names of the JSON lines and `key=value` pairs of the text lines: a renderer
//! cannot know anything that is not here. Absent values are left out.

mod failure;
mod summary;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

pub use self::failure::{
    BadTarget, Failure, IcmpSeen, Malformed, NoReply, NotAsAsked, ResolveError,
};
pub use self::summary::{Counts, RttStats, Summary, TargetStats};
use crate::codec::key::NodeId;
use crate::machine::{LocalError, RttClock};

/// Where a target came from; every line about it repeats this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The target as typed; for a network's name, the entry that it expanded to.
    pub target: String,
    /// The file that it stands in; `-` is standard input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Arc<str>>,
    /// Its line there, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What followed it on the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The network whose name expanded to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Arc<str>>,
}

/// Milliseconds since the Unix epoch; written as UTC with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp(pub u64);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(self.0);
        serializer.collect_str(&humantime::format_rfc3339_millis(time))
    }
}

/// A duration written as milliseconds with microseconds behind the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub Duration);

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.as_micros() as f64 / 1000.0)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:.3}ms", self.0.as_micros() as f64 / 1000.0))
    }
}

/// One result line: one probe of one target, or one target that could not be probed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Probe {
    /// When the result was known.
    pub at: Timestamp,
    /// The command that asked.
    pub command: &'static str,
    /// The target.
    #[serde(flatten)]
    pub origin: Arc<Origin>,
    /// With `--count`: which probe of the target this is, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<u32>,
    /// True if the target was answered as expected.
    pub ok: bool,
    /// Why not, where not.
    #[serde(flatten)]
    pub failure: Option<Failure>,
    /// Where the probe was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<SocketAddr>,
    /// What the peer said.
    #[serde(flatten)]
    pub answer: Option<PingAnswer>,
    /// How many Pings were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries: Option<u32>,
    /// What a TCP connect to the peer's TCP port gave (`--tcp`).
    #[serde(flatten)]
    pub tcp: Option<Tcp>,
    /// What was odd and yet no failure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// What a valid Pong told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PingAnswer {
    /// From the send of the Ping that was answered to the arrival of its Pong.
    pub rtt_ms: Millis,
    /// Who told the arrival.
    pub rtt_clock: RttClock,
    /// Whether the key that signed the Pong was known before.
    pub identity: Identity,
    /// The address at which the peer sees us, if it says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_as: Option<SocketAddr>,
    /// The sequence number of the peer's record (EIP-868).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enr_seq: Option<u64>,
    /// Seconds from our clock to the Pong's expiration.
    pub expires_in_s: i64,
    /// True if the peer's own Ping was seen; false only if it was waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinged_back: Option<bool>,
    /// Keccak-256 of the key that signed the Pong.
    pub node_id: NodeId,
    /// The enode URL of a peer whose key was not known before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enode: Option<String>,
}

/// What is known of the identity of a peer that answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// It is the one that was asked for.
    Expected,
    /// None was asked for; this one answered.
    Learned,
}

/// What a TCP connect gave.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tcp {
    /// The outcome.
    pub tcp: TcpState,
    /// How long the connect took, where it succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_connect_ms: Option<Millis>,
    /// Why this machine could not try, where it could not.
    #[serde(skip)]
    pub local: Option<LocalError>,
}

/// The outcome of a TCP connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TcpState {
    /// Somebody listens.
    Open,
    /// Nobody listens.
    Refused,
    /// Nothing came back in time.
    Timeout,
    /// The network said that the host cannot be reached.
    Unreachable,
    /// This machine could not try.
    LocalError,
    /// The target names no TCP port.
    NoPort,
    /// The run was stopped first.
    Interrupted,
}

impl From<TcpState> for Tcp {
    fn from(tcp: TcpState) -> Self {
        Tcp { tcp, tcp_connect_ms: None, local: None }
    }
}

impl Tcp {
    /// What it makes of a peer that answered otherwise; a port that was not named is no fault.
    pub fn failure(&self) -> Option<Failure> {
        match self.tcp {
            TcpState::Open | TcpState::NoPort => None,
            TcpState::Refused | TcpState::Timeout | TcpState::Unreachable => {
                Some(Failure::NotAsAsked(NotAsAsked::Tcp))
            }
            TcpState::LocalError => {
                let why = self.local.unwrap_or(LocalError::NoRoute);
                Some(Failure::LocalError { why })
            }
            TcpState::Interrupted => Some(Failure::Interrupted),
        }
    }
}

/// What was odd about an answer and yet no failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "warning", rename_all = "kebab-case")]
pub enum Warning {
    /// The Pong had expired when it came: the clocks differ by at least this.
    Expired {
        /// Seconds.
        by_s: u64,
    },
    /// The Pong expires so late that the clocks differ by at least this.
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
    /// The same Pong came more than once.
    Duplicate {
        /// How many times too often.
        copies: u32,
    },
    /// Our own socket lost datagrams while the probe was open.
    OwnDrops {
        /// How many, whoever they were for.
        lost: u64,
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
        }
    }
}

/// A duration in whole milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitedMs(pub Duration);

impl Serialize for WaitedMs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0.as_millis() as u64)
    }
}

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
