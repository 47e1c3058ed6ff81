//! What is known of a peer, or why nothing is: the typed report that every output format renders.
//!
//! Field names here are field names of the JSON lines and `key=value` pairs of the text lines: a renderer
//! cannot know anything that is not here. Absent values are left out.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

use crate::codec::DecodeError;
use crate::codec::key::{NodeId, PublicKey};
use crate::machine::{Icmp, LocalError, RttClock};
use crate::target::TargetError;

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

/// Why a probe gave no answer, or not the one that was asked for. The set is closed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "failure", rename_all = "kebab-case")]
pub enum Failure {
    /// The text names no target.
    BadTarget(BadTarget),
    /// The name gave no address in time, or the network's name no target.
    Unresolved {
        /// The name.
        host: String,
        /// Why.
        #[serde(skip)]
        why: ResolveError,
    },
    /// This machine cannot send there.
    NoRoute {
        /// Why.
        #[serde(skip)]
        why: LocalError,
    },
    /// This machine failed.
    LocalError {
        /// Why.
        #[serde(skip)]
        why: LocalError,
    },
    /// The probe was begun, and the run was stopped.
    Interrupted,
    /// Nothing valid came by the deadline.
    NoReply(NoReply),
    /// ICMP says that nothing listens on the port.
    PortUnreachable(IcmpSeen),
    /// ICMP says that the host cannot be reached.
    HostUnreachable(IcmpSeen),
    /// Our ping hash came back, signed by another key.
    WrongIdentity {
        /// The node ID that was asked for.
        expected_id: NodeId,
        /// The node ID that answered.
        found_id: NodeId,
        /// The public key that answered, X‖Y.
        #[serde(serialize_with = "as_text")]
        found_key: PublicKey,
        /// The address that answered.
        answered_from: SocketAddr,
    },
    /// Only what cannot be read came from the peer by the deadline. The first such datagram is named.
    Malformed(Malformed),
    /// The peer answered, but not as a limit demanded.
    NotAsAsked(NotAsAsked),
}

impl Failure {
    /// Its name, as in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Failure::BadTarget(_) => "bad-target",
            Failure::Unresolved { .. } => "unresolved",
            Failure::NoRoute { .. } => "no-route",
            Failure::LocalError { .. } => "local-error",
            Failure::Interrupted => "interrupted",
            Failure::NoReply(_) => "no-reply",
            Failure::PortUnreachable(_) => "port-unreachable",
            Failure::HostUnreachable(_) => "host-unreachable",
            Failure::WrongIdentity { .. } => "wrong-identity",
            Failure::Malformed(_) => "malformed",
            Failure::NotAsAsked(_) => "not-as-asked",
        }
    }
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

/// A text that names no target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadTarget {
    /// Where in the line, from 1, counted in characters.
    pub column: usize,
    /// What is wrong there.
    #[serde(skip)]
    pub error: TargetError,
}

/// Why a name gave no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// The resolver said so, in its words.
    Said(String),
    /// It said nothing in time.
    Timeout(Duration),
    /// It was not asked in time: too many other names were waiting for it.
    Busy(Duration),
    /// It has no address.
    Nothing,
    /// It has addresses, none of a family in use.
    Family,
    /// It is the name of a network whose list of nodes is empty.
    NoNodes,
}

/// What was seen while nothing valid came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NoReply {
    /// How long was waited, from the first Ping.
    pub waited_ms: WaitedMs,
    /// Datagrams that came from the target's address and answered nothing.
    pub junk: u32,
    /// Of these, copies of our own packets.
    pub reflected: u32,
}

/// A duration in whole milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaitedMs(pub Duration);

impl Serialize for WaitedMs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0.as_millis() as u64)
    }
}

/// An ICMP error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct IcmpSeen {
    /// ICMP (or ICMPv6) type.
    pub icmp_type: u8,
    /// Its code.
    pub icmp_code: u8,
    /// Who said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icmp_from: Option<IpAddr>,
}

impl From<Icmp> for IcmpSeen {
    fn from(icmp: Icmp) -> Self {
        IcmpSeen { icmp_type: icmp.icmp_type, icmp_code: icmp.code, icmp_from: icmp.from }
    }
}

/// The first datagram from the peer that could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Malformed {
    /// The field, in the specification's words.
    pub field: &'static str,
    /// Its offset in the datagram, in bytes.
    pub offset: usize,
    /// What is wrong with it.
    #[serde(skip)]
    pub error: DecodeError,
    /// How many such datagrams came.
    pub junk: u32,
}

/// A limit that an answer did not keep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "limit", rename_all = "kebab-case")]
pub enum NotAsAsked {
    /// `--max-rtt`.
    MaxRtt {
        /// The most that was allowed.
        max_rtt_ms: Millis,
    },
    /// `--tcp`: the TCP port is not open.
    Tcp,
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

/// With `--count`: what all probes of one target gave.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetStats {
    /// When the last probe had ended.
    pub at: Timestamp,
    /// The command that asked.
    pub command: &'static str,
    /// The target.
    #[serde(flatten)]
    pub origin: Arc<Origin>,
    /// True if one of its probes at least was answered as expected.
    pub ok: bool,
    /// Probes begun.
    pub sent: u32,
    /// Probes answered, be it as asked or not.
    pub received: u32,
    /// The share of the others, in percent.
    pub loss_pct: f64,
    /// Their round-trip times.
    #[serde(flatten)]
    pub rtt: Option<RttStats>,
}

/// Round-trip times in the manner of ping(8).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RttStats {
    /// The shortest.
    pub rtt_min_ms: Millis,
    /// The median.
    pub rtt_median_ms: Millis,
    /// The longest.
    pub rtt_max_ms: Millis,
    /// The standard deviation.
    pub rtt_dev_ms: Millis,
}

/// What a whole run gave.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// When the run ended.
    pub at: Timestamp,
    /// The command.
    pub command: &'static str,
    /// Targets begun.
    pub targets: u64,
    /// Of these, how many were answered as expected.
    pub answered: u64,
    /// Result lines written; more than the targets with `--count`.
    pub probes: u64,
    /// Result lines that say `ok`.
    pub ok: u64,
    /// The others, by their kind.
    pub failures: Counts,
    /// Warnings, by their kind.
    #[serde(skip_serializing_if = "Counts::is_empty")]
    pub warnings: Counts,
    /// Round-trip times of the answered probes.
    #[serde(flatten)]
    pub rtt: Option<RttStats>,
    /// At which addresses peers see us, and how many say so; the ports are left out.
    #[serde(skip_serializing_if = "Counts::is_empty")]
    pub seen_as: Counts,
    /// Datagrams that our own sockets lost.
    pub own_drops: u64,
    /// How long the run took.
    pub elapsed_ms: WaitedMs,
    /// True if it was stopped by a signal.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
}

/// How often each of some names came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Counts(pub std::collections::BTreeMap<String, u64>);

impl Counts {
    /// Counts one more `name`.
    pub fn add(&mut self, name: &str) {
        match self.0.get_mut(name) {
            Some(count) => *count += 1,
            None => drop(self.0.insert(name.to_owned(), 1)),
        }
    }

    /// True if nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn as_text<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
