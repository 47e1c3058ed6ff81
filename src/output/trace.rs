//! `-v`: every packet or message as a line on stderr, with the time since start.

mod bitcoin;

use std::fmt::Write as _;
use std::io::Write as _;

use data_encoding::HEXLOWER;

pub use self::bitcoin::Conversation;
use crate::discv4::{Message, Packet};
use crate::net::udp::Seen;

/// Writes a line about a packet; with `hex` its bytes follow, on a line of their own.
pub fn discv4(seen: Seen<'_>, hex: bool) {
    let Seen { at, sent, peer, bytes } = seen;
    let verb = if sent { "sent to" } else { "got from" };
    let what = match Packet::decode(bytes) {
        Ok(packet) => message(&packet),
        Err(error) => format!("no discv4 packet: {error}"),
    };
    let mut line =
        format!("{:>10.6}s {verb} {peer} {} bytes: {what}\n", at.0.as_secs_f64(), bytes.len());
    if hex {
        let _ = writeln!(line, "            {}", HEXLOWER.encode(bytes));
    }
    write(&line);
}

/// Whoever closed stderr does not want to know.
fn write(line: &str) {
    let _ = std::io::stderr().write_all(line.as_bytes());
}

fn message(packet: &Packet<'_>) -> String {
    let hash = HEXLOWER.encode(packet.hash.get(..4).unwrap_or_default());
    let mut text = format!("{} {hash}…", packet.message.name());
    match &packet.message {
        Message::Ping(ping) => {
            let _ = write!(text, " version={} from={} to={}", ping.version, ping.from, ping.to);
        }
        Message::Pong(pong) => {
            let answers = HEXLOWER.encode(pong.ping_hash.get(..4).unwrap_or_default());
            let _ = write!(text, " answers={answers}… to={}", pong.to);
        }
        Message::Neighbors(neighbors) => {
            let _ = write!(text, " nodes={}", neighbors.nodes.len());
        }
        Message::FindNode(_) | Message::EnrRequest(_) | Message::EnrResponse(_) => {}
    }
    if let Some(expiration) = packet.message.expiration() {
        let _ = write!(text, " expiration={expiration}");
    }
    text
}
