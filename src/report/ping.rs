//! What an answered Ping tells.

use std::net::SocketAddr;

use serde::{Serialize, Serializer};

use super::Millis;
use crate::codec::key::NodeId;
use crate::machine::RttClock;

/// What a valid Pong told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PingAnswer {
    /// From the send of the Ping that was answered to the arrival of its Pong.
    pub rtt_ms: Millis,
    /// Whether the key that signed the Pong was known before.
    pub identity: Identity,
    /// The address at which the peer sees us, if it says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_as: Option<SocketAddr>,
    /// The sequence number of the peer's record (EIP-868).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enr_seq: Option<u64>,
    /// True if the peer's own Ping was seen; false only if it was waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinged_back: Option<bool>,
    /// Seconds from our clock to the Pong's expiration.
    pub expires_in_s: i64,
    /// Who told the arrival.
    pub rtt_clock: RttClock,
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

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
