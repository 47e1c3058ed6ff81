//! What a Bitcoin handshake tells, as far as it came.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::Serialize;

use super::Millis;
use super::failure::as_text;
use crate::bitcoin::Magic;

/// What a Bitcoin handshake tells, as far as it came.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HandshakeAnswer {
    /// With `--network any`: the known networks that have the magic.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<Arc<str>>,
    /// From our ping to its pong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<Millis>,
    /// What its version says.
    #[serde(flatten)]
    pub said: Option<VersionSaid>,
    /// From the begin of the connect to its success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_ms: Option<Millis>,
    /// From our version to the peer's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_ms: Option<Millis>,
    /// From our version to the end of the handshake: the peer's version and verack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake_ms: Option<Millis>,
    /// The magic that we spoke.
    #[serde(serialize_with = "as_text")]
    pub magic: Magic,
    /// With `--network any`: all magics that were spoken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub magics_tried: Vec<String>,
    /// The names of the messages that came, in their order: the first 64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<String>,
    /// How many came, where that is more than are named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_count: Option<u32>,
}

/// What a version message says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VersionSaid {
    /// Its name (BIP-14): what is not printable ASCII is escaped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The bytes of its name as hex, where something in it is escaped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent_hex: Option<String>,
    /// The height of its chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<i32>,
    /// The highest protocol that the peer knows.
    pub protocol: i32,
    /// What the peer serves, as hex.
    pub services: String,
    /// The same in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub service_names: Vec<Cow<'static, str>>,
    /// Whether it wants transactions announced (BIP-37).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay: Option<bool>,
    /// Seconds that its clock is ahead of ours, as far as 64 bits go.
    pub clock_offset_s: i64,
    /// The address at which it sees us, if it says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_as: Option<SocketAddr>,
}
