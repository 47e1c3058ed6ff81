//! Why a probe gave no answer, or not the one that was asked for.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::{Millis, WaitedMs};
use crate::codec::DecodeError;
use crate::codec::key::{NodeId, PublicKey};
use crate::machine::{Icmp, LocalError};
use crate::target::TargetError;

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

fn as_text<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
