//! `-v` of a TCP connection: what is said on it, message by message.

use std::fmt::Write as _;
use std::net::SocketAddr;

use data_encoding::HEXLOWER;

use super::write;
use crate::bitcoin::frame::encode;
use crate::bitcoin::{Frame, FrameError, FrameReader, Magic, Message, Opening, Version, services};
use crate::machine::{CloseWhy, ConnectError};
use crate::net::tcp::{Seen, SeenWhat};
use crate::output::local_error;
use crate::output::reason::handshake::looks_like;
use crate::report::printable;

/// Bytes of a payload that are kept to be shown.
const KEEP: usize = 4096;

/// A connection whose messages are shown.
pub struct Conversation {
    peer: SocketAddr,
    magic: Magic,
    hex: bool,
    ours: FrameReader,
    theirs: FrameReader,
}

impl Conversation {
    /// A connection to `peer`, which we speak this magic to; with `hex` the bytes of each message are shown, too.
    pub fn new(peer: SocketAddr, magic: Magic, hex: bool) -> Self {
        let reader = || FrameReader::new(magic, KEEP);
        Conversation { peer, magic, hex, ours: reader(), theirs: reader() }
    }

    /// Writes what happened.
    pub fn see(&mut self, seen: Seen<'_>) {
        let peer = self.peer;
        let mut text = String::new();
        let mut line = |what: &str| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{:>10.6}s {what}", seen.at.0.as_secs_f64());
        };
        match seen.what {
            SeenWhat::Connecting => line(&format!("connecting to {peer}, magic {}", self.magic)),
            SeenWhat::Connected(local) => line(&format!("connected to {peer} from {local}")),
            SeenWhat::Failed(why) => line(&format!("no connection to {peer}: {}", failed(why))),
            SeenWhat::Sent(bytes) => {
                for message in messages(&mut self.ours, bytes, self.hex) {
                    line(&format!("sent to {peer} {message}"));
                }
            }
            SeenWhat::Got(bytes) => {
                for message in messages(&mut self.theirs, bytes, self.hex) {
                    line(&format!("got from {peer} {message}"));
                }
            }
            SeenWhat::Closed(CloseWhy::Eof) => line(&format!("{peer} closed the connection")),
            SeenWhat::Closed(CloseWhy::Reset) => line(&format!("{peer} reset the connection")),
            SeenWhat::Close => line(&format!("closed the connection to {peer}")),
        }
        write(&text);
    }
}

fn failed(why: ConnectError) -> String {
    match why {
        ConnectError::Refused => "refused".to_owned(),
        ConnectError::HostUnreachable => "the host cannot be reached".to_owned(),
        ConnectError::TimedOut => "timed out".to_owned(),
        ConnectError::Local(why) => local_error(why),
    }
}

/// The messages that end in `bytes`, in words; at the first that is none it ends.
fn messages(reader: &mut FrameReader, mut bytes: &[u8], hex: bool) -> Vec<String> {
    let mut said = Vec::new();
    loop {
        match reader.next_frame(&mut bytes) {
            Ok(None) => return said,
            Ok(Some(frame)) => said.push(message(&frame, hex)),
            Err(FrameError::Checksum { command, .. }) => {
                said.push(format!("{command} with a wrong checksum"));
            }
            Err(FrameError::Command { found }) => {
                said.push(format!("a message without a name: {}", HEXLOWER.encode(&found)));
            }
            Err(FrameError::Oversized { length }) => {
                said.push(format!("a message that claims {length} bytes"));
                return said;
            }
            Err(FrameError::Magic { found }) => {
                let what = match Opening::of(&found, &[]) {
                    Opening::Bitcoin(magic) => format!("a message of magic {magic}"),
                    Opening::Other(other) => looks_like(other).to_owned(),
                };
                said.push(format!(
                    "no message of ours; looks like {what}: {}",
                    HEXLOWER.encode(&found)
                ));
                return said;
            }
        }
    }
}

fn message(frame: &Frame, hex: bool) -> String {
    let mut text = format!("{} bytes: {}", frame.length, frame.command);
    match Message::decode(frame) {
        Ok(Message::Version(version)) => self::version(&mut text, &version),
        Ok(Message::Ping(nonce) | Message::Pong(nonce)) => {
            let _ = write!(text, " nonce={nonce:016x}");
        }
        Ok(_) => {}
        Err(error) => {
            let _ = write!(text, " that cannot be read: {error}");
        }
    }
    if hex {
        let whole = frame.payload.len() == frame.length as usize;
        let mut bytes = Vec::new();
        encode(frame.magic, frame.command, &frame.payload, &mut bytes);
        let (bytes, more) = if whole { (&bytes[..], "") } else { (&frame.payload[..], "…") };
        let _ = write!(text, "\n            {}{more}", HEXLOWER.encode(bytes));
    }
    text
}

fn version(text: &mut String, version: &Version) {
    let Version { protocol, services, timestamp, addr_recv, .. } = version;
    let (services, to) = (services::hex(*services), addr_recv.socket_addr());
    let _ = write!(text, " protocol={protocol} services={services} time={timestamp} to={to}");
    if let Some(nonce) = version.nonce {
        let _ = write!(text, " nonce={nonce:016x}");
    }
    if let Some(agent) = &version.user_agent {
        let _ = write!(text, " user_agent={}", printable(agent));
    }
    if let Some(height) = version.start_height {
        let _ = write!(text, " height={height}");
    }
    if let Some(relay) = version.relay {
        let _ = write!(text, " relay={relay}");
    }
}
