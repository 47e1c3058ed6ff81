//! Why a probe gave no answer, or not the one that was asked for.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use serde::{Serialize, Serializer};

use super::{Millis, WaitedMs};
use crate::bitcoin::handshake::{Flood, Stage};
use crate::bitcoin::{Command, LooksLike, Magic};
use crate::codec::DecodeError;
use crate::codec::key::{NodeId, PublicKey};
use crate::machine::{CloseWhy, Icmp, LocalError};
use crate::target::{Protocol, TargetError};

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
    /// ICMP says that the host cannot be reached. Of a TCP connect the kernel tells no more than that.
    HostUnreachable {
        /// What else it says.
        #[serde(flatten)]
        icmp: Option<IcmpSeen>,
    },
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
    /// The peer's version cannot be read; of datagrams: only what cannot be read came from the peer by the deadline, and
    /// the first such is named.
    Malformed(Malformed),
    /// Nothing listens on the TCP port.
    Refused,
    /// No TCP connection was made in time.
    ConnectTimeout {
        /// How long was waited.
        waited_ms: WaitedMs,
    },
    /// The peer hung up before it had said all that was asked for.
    ClosedEarly {
        /// What had come by then.
        #[serde(flatten)]
        progress: Progress,
        /// How: in order, or by a reset.
        how: CloseWhy,
    },
    /// The deadline passed, or the peer said too much and not what was asked for.
    Stalled {
        /// What had come by then.
        #[serde(flatten)]
        progress: Progress,
        /// How long was waited, from the begin of the connect.
        waited_ms: WaitedMs,
        /// Which bound the peer ran into.
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<Flood>,
    },
    /// The peer speaks, but not Bitcoin's protocol.
    NotBitcoin {
        /// What its first bytes look like.
        looks_like: LooksLike,
        /// Its first bytes, 24 at the most.
        #[serde(serialize_with = "as_hex")]
        first_bytes: Vec<u8>,
    },
    /// The peer speaks the magic of another network.
    WrongNetwork {
        /// Which.
        #[serde(serialize_with = "as_text")]
        found_magic: Magic,
        /// The known networks that have it.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        networks: Vec<Arc<str>>,
        /// Its first bytes, 24 at the most.
        #[serde(serialize_with = "as_hex")]
        first_bytes: Vec<u8>,
    },
    /// A message claims to be longer than any may be.
    Oversized {
        /// What it claims, in bytes.
        length: u32,
        /// How far the handshake had come.
        after: Stage,
    },
    /// The message that the answer depends on has another checksum than its own.
    BadChecksum {
        /// Which.
        #[serde(serialize_with = "as_text")]
        message: Command,
    },
    /// We reached ourselves.
    SelfConnection,
    /// The peer answered, but not as a limit demanded.
    NotAsAsked(NotAsAsked),
}

impl Failure {
    /// Of an error of this machine.
    pub fn from_local(why: LocalError) -> Self {
        match why {
            LocalError::NoRoute | LocalError::NoFamily | LocalError::NoPort => {
                Failure::NoRoute { why }
            }
            LocalError::Os(_) | LocalError::OwnDrops => Failure::LocalError { why },
        }
    }

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
            Failure::HostUnreachable { .. } => "host-unreachable",
            Failure::WrongIdentity { .. } => "wrong-identity",
            Failure::Malformed(_) => "malformed",
            Failure::Refused => "refused",
            Failure::ConnectTimeout { .. } => "connect-timeout",
            Failure::ClosedEarly { .. } => "closed-early",
            Failure::Stalled { .. } => "stalled",
            Failure::NotBitcoin { .. } => "not-bitcoin",
            Failure::WrongNetwork { .. } => "wrong-network",
            Failure::Oversized { .. } => "oversized",
            Failure::BadChecksum { .. } => "bad-checksum",
            Failure::SelfConnection => "self-connection",
            Failure::NotAsAsked(_) => "not-as-asked",
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
    /// It is the name of a network whose list of nodes or seeds is empty, and whose network it is.
    NoNodes(Protocol),
    /// It is the name of a network none of whose seeds gave an address.
    NoSeed,
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

/// What had come from a peer when its connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// The last step of the handshake that was taken.
    pub after: Stage,
    /// Bytes that had come.
    pub received: u64,
}

/// What could not be read: the peer's version, or the first such datagram from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Malformed {
    /// The field, in the specification's words.
    pub field: &'static str,
    /// Its offset in the datagram or the version, in bytes.
    pub offset: usize,
    /// What is wrong with it.
    #[serde(skip)]
    pub error: DecodeError,
    /// How many such datagrams came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub junk: Option<u32>,
}

/// A limit that an answer did not keep.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "limit", rename_all = "kebab-case")]
pub enum NotAsAsked {
    /// `--max-rtt`.
    MaxRtt {
        /// The most that was allowed.
        max_rtt_ms: Millis,
    },
    /// `--tcp`: the TCP port is not open.
    Tcp,
    /// `--min-height`.
    MinHeight {
        /// The least that was demanded.
        min_height: i32,
    },
    /// `--need-services`.
    NeedServices {
        /// The names of those that are missing.
        missing_services: Vec<Cow<'static, str>>,
        /// Those of these names that mean nothing on the node's network.
        #[serde(skip)]
        unnamed: Vec<Cow<'static, str>>,
    },
    /// `--max-clock-skew`.
    MaxClockSkew {
        /// The most that was allowed.
        max_clock_skew_ms: Millis,
    },
}

/// For values whose text is the field.
pub(super) fn as_text<T: fmt::Display, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn as_hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&HEXLOWER.encode(bytes))
}
