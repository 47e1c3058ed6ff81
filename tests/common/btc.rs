//! Bitcoin messages, right and wrong, for the peers of [`scripted_tcp`](super::scripted_tcp), and what a run with
//! such peers gives. The frame here is written anew, so that it can be broken.

use p2pprobe::bitcoin::{Magic, Message, NetAddr, Version, frame::checksum};
use serde_json::Value;

use super::program::btc_handshake;
use super::scripted_tcp::{Connection, ScriptedTcp, Step};
use super::wire::now_unix_s;

pub const MAINNET: Magic = Magic([0xf9, 0xbe, 0xb4, 0xd9]);
/// Offset of a version's nonce.
pub const NONCE_AT: usize = 72;
/// For what must succeed: it ends long before.
pub const PATIENT: &[&str] = &["--timeout", "20s"];
/// For what runs into the deadline, after a handshake or without one.
pub const BRIEF: &[&str] = &["--timeout", "1500ms"];

/// A header that claims this length and this checksum.
pub fn header(magic: Magic, command: &[u8], length: u32, checksum: [u8; 4]) -> Vec<u8> {
    let mut bytes = magic.0.to_vec();
    bytes.extend_from_slice(command);
    bytes.resize(16, 0);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&checksum);
    bytes
}

/// A frame whose command may be anything.
pub fn frame(magic: Magic, command: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(magic, command, payload.len() as u32, checksum(payload));
    bytes.extend_from_slice(payload);
    bytes
}

/// A frame of mainnet's.
pub fn message(name: &str, payload: &[u8]) -> Vec<u8> {
    frame(MAINNET, name.as_bytes(), payload)
}

/// The same with a checksum that is wrong.
pub fn with_bad_checksum(mut frame: Vec<u8>) -> Vec<u8> {
    frame[20] ^= 1;
    frame
}

/// A version as Core has it.
pub fn good_version() -> Version {
    Version {
        protocol: 70_016,
        services: 0x409,
        timestamp: now_unix_s() as i64,
        addr_recv: NetAddr::new(0, ([192, 0, 2, 1], 40_000).into()),
        addr_from: Some(NetAddr::unspecified(0x409)),
        nonce: Some(0x0123_4567_89ab_cdef),
        user_agent: Some(b"/Satoshi:31.1.0/".to_vec()),
        start_height: Some(900_000),
        relay: Some(true),
        extra: 0,
    }
}

/// The payload of such a version with something changed.
pub fn version_payload(change: impl FnOnce(&mut Version)) -> Vec<u8> {
    let mut version = good_version();
    change(&mut version);
    Message::Version(version).encode_payload()
}

/// Its frame.
pub fn version_but(change: impl FnOnce(&mut Version)) -> Vec<u8> {
    message("version", &version_payload(change))
}

/// The frame of a version as Core has it.
pub fn version() -> Vec<u8> {
    version_but(|_| {})
}

/// The frame of a verack.
pub fn verack() -> Vec<u8> {
    message("verack", &[])
}

/// A step that answers the prober's ping.
pub fn pong() -> Step {
    Step::answer("ping", |nonce| message("pong", nonce))
}

/// What Core says in a handshake, in its order, after the prober's version.
pub fn good_peer() -> Vec<Step> {
    let rest = [message("wtxidrelay", &[]), message("sendaddrv2", &[]), verack()].concat();
    saying([version(), rest].concat())
}

/// Waits for the prober's version, says all of this at once, and answers its ping.
pub fn saying(bytes: Vec<u8>) -> Vec<Step> {
    vec![Step::Await("version"), Step::Send(bytes), pong()]
}

/// Waits for the prober's version, says all of this at once, and nothing more.
pub fn saying_only(bytes: Vec<u8>) -> Vec<Step> {
    vec![Step::Await("version"), Step::Send(bytes)]
}

/// Asserts that nothing in a text is for a terminal to obey: control characters, C1 among them, and those that turn
/// the direction of the text.
pub fn assert_harmless(text: &str) {
    let turns = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let found = text.find(|c: char| c.is_control() && c != '\n' || turns(c));
    assert_eq!(found, None, "{text:?}");
}

/// What became of one peer of a run.
pub struct Probed {
    /// Its only line.
    pub line: Value,
    /// What it heard.
    pub connections: Vec<Connection>,
}

impl Probed {
    /// Its only connection.
    pub fn connection(&self) -> &Connection {
        let [connection] = self.connections.as_slice() else {
            panic!("one connection was due: {:?}", self.connections)
        };
        connection
    }
}

/// Runs `btc-handshake` with a peer for each script, all at once.
pub fn probe_each(options: &[&str], scripts: impl IntoIterator<Item = Vec<Step>>) -> Vec<Probed> {
    probe_peers(options, scripts.into_iter().map(ScriptedTcp::start).collect())
}

/// Runs it with these peers, and asserts what is so whatever they do.
pub fn probe_peers(options: &[&str], peers: Vec<ScriptedTcp>) -> Vec<Probed> {
    let targets: Vec<String> = peers.iter().map(ScriptedTcp::target).collect();
    let arguments: Vec<&str> =
        options.iter().copied().chain(targets.iter().map(String::as_str)).collect();
    let outcome = btc_handshake(&arguments);
    assert_eq!(outcome.lines.len(), peers.len(), "{:#?}", outcome.lines);
    let all_ok = outcome.lines.iter().all(|line| line["ok"] == true);
    assert_eq!(outcome.code, i32::from(!all_ok), "{:#?}", outcome.lines);
    assert_harmless(&outcome.stderr);
    let with_line = |peer: ScriptedTcp| {
        let target = peer.target();
        let line = outcome.lines.iter().find(|line| line["target"] == *target);
        let line = line.unwrap_or_else(|| panic!("no line: {:#?}", outcome.lines)).clone();
        assert_eq!(
            (&line["command"], &line["endpoint"]),
            (&"btc-handshake".into(), &line["target"])
        );
        assert_harmless(line["reason"].as_str().unwrap_or_default());
        let connections = peer.finish();
        assert_eq!(line["tries"], connections.len(), "{line:#}");
        Probed { line, connections }
    };
    peers.into_iter().map(with_line).collect()
}

/// Runs it with one peer.
pub fn probe(options: &[&str], script: Vec<Step>) -> Probed {
    probe_each(options, [script]).remove(0)
}

/// Asserts that a line says all of this; null stands for what must not be there. A line whose warnings are not
/// among it must have none.
pub fn assert_says(line: &Value, what: &Value, row: &str) {
    let fields = what.as_object().expect("an object");
    for (field, expected) in fields {
        let found = line.get(field).unwrap_or(&Value::Null);
        assert_eq!(found, expected, "{row}: {field} of {line:#}");
    }
    assert!(fields.contains_key("warnings") || line.get("warnings").is_none(), "{row}: {line:#}");
}

/// A peer's script, and what its line must say.
pub type Row = (&'static str, Vec<Step>, Value);

/// Runs it with the peers of all rows at once, and asserts that each is told as its row says.
pub fn assert_rows(options: &[&str], rows: Vec<Row>) -> Vec<Probed> {
    let probed = probe_each(options, rows.iter().map(|(_, script, _)| script.clone()));
    for ((row, _, expected), probed) in rows.iter().zip(&probed) {
        assert_says(&probed.line, expected, row);
    }
    probed
}
