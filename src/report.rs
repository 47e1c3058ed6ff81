//! What is known of a peer, or why nothing is: the typed report that every output format renders.
//!
//! Field names here are field names of the JSON lines and `key=value` pairs of the text lines: a renderer
//! cannot know anything that is not here. Absent values are left out.

mod failure;
mod handshake;
mod ping;
mod printable;
mod summary;
mod tcp;
mod warning;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

pub use self::failure::{
    BadTarget, Failure, IcmpSeen, Malformed, NoReply, NotAsAsked, Progress, ResolveError,
};
pub use self::handshake::{HandshakeAnswer, VersionSaid};
pub use self::ping::{Identity, PingAnswer};
pub use self::printable::printable;
pub use self::summary::{Counts, OTHERS, RttStats, RttTail, Summary, TargetStats};
pub use self::tcp::{Tcp, TcpState};
pub use self::warning::Warning;

/// Where a target came from; every line about it repeats this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The target as typed; for a network's name, the entry that it expanded to.
    pub target: String,
    /// What followed it on its line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The network whose name expanded to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Arc<str>>,
    /// The file that it stands in; `-` is standard input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Arc<str>>,
    /// Its line there, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Where it stands among all targets of the run, from 0.
    #[serde(skip)]
    pub number: u64,
    /// True for one of the many, nobody knows how many, that a network's seeds give: they share a number.
    #[serde(skip)]
    pub of_seeds: bool,
}

/// Milliseconds since the Unix epoch; written as UTC with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp(pub u64);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(self.0);
        humantime::format_rfc3339_millis(time).fmt(f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
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
        let micros = self.0.as_micros();
        f.pad(&format!("{}.{:03}ms", micros / 1000, micros % 1000))
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
    /// What was odd and yet no failure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// What a TCP connect to the peer's TCP port gave (`--tcp`).
    #[serde(flatten)]
    pub tcp: Option<Tcp>,
    /// What the peer said; of a handshake also what it said before something failed.
    #[serde(flatten)]
    pub answer: Option<Answer>,
    /// Where the probe was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<SocketAddr>,
    /// How many Pings were sent, or connections tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries: Option<u32>,
}

/// What a peer said, by the command that asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// `eth-ping`.
    Ping(PingAnswer),
    /// `btc-handshake`. Boxed: it is much the larger one.
    Handshake(Box<HandshakeAnswer>),
}

impl Answer {
    /// True if it is all that was asked for.
    pub fn is_complete(&self) -> bool {
        match self {
            Answer::Ping(_) => true,
            Answer::Handshake(answer) => answer.handshake_ms.is_some(),
        }
    }

    /// The round-trip time, where it was measured.
    pub fn rtt(&self) -> Option<Duration> {
        match self {
            Answer::Ping(answer) => Some(answer.rtt_ms.0),
            Answer::Handshake(answer) => answer.rtt_ms.map(|rtt| rtt.0),
        }
    }

    /// The address at which the peer sees us, if it says one.
    pub fn seen_as(&self) -> Option<SocketAddr> {
        match self {
            Answer::Ping(answer) => answer.seen_as,
            Answer::Handshake(_) => self.said()?.seen_as,
        }
    }

    /// What a Bitcoin node says of itself.
    pub fn said(&self) -> Option<&VersionSaid> {
        match self {
            Answer::Ping(_) => None,
            Answer::Handshake(answer) => answer.said.as_ref(),
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
