//! The machine that shakes hands: version → wtxidrelay, sendaddrv2 → verack → one ping, then it closes.
//!
//! A real peer says other things before, between and behind, in any order; all of it is read, noted and, but for
//! pings, left unanswered. Nothing but what the handshake needs is sent before our verack: btcd hangs up on anything
//! else, and a node that expects the v2 transport takes it for a key (BIP-324).
//!
//! By hand, with a peer that is played here:
//!
//! ```
//! use std::time::Duration;
//!
//! use p2pprobe::bitcoin::handshake::{Config, End, Handshake, OurNonces};
//! use p2pprobe::bitcoin::{FrameReader, Magic, Message, Version};
//! use p2pprobe::machine::{Action, Mono, Now, StreamEvent, StreamMachine};
//!
//! let magic: Magic = "f9beb4d9".parse().unwrap();
//! let config = Config {
//!     magic,
//!     connect_timeout: Duration::from_secs(5),
//!     timeout: Duration::from_secs(15),
//!     user_agent: "/example:1.0/".to_owned(),
//! };
//! let at = |ms| Now { mono: Mono(Duration::from_millis(ms)), unix_ms: 1_700_000_000_000 + ms };
//! let to = "192.0.2.7:8333".parse().unwrap();
//! let [nonce, ping_nonce] = [1, 2];
//! let mut machine = Handshake::new(config, to, [nonce, ping_nonce], OurNonces::default(), at(0));
//!
//! // It wants a connection, and then says its version.
//! assert_eq!(machine.poll_action(at(0)), Some(Action::Connect));
//! let local = "192.0.2.1:40000".parse().unwrap();
//! machine.handle(at(20), StreamEvent::Connected { local });
//! let Some(Action::Write(bytes)) = machine.poll_action(at(20)) else { panic!() };
//! let mut reader = FrameReader::new(magic, 1024);
//! let frame = reader.next_frame(&mut &bytes[..]).unwrap().unwrap();
//! let Message::Version(ours) = Message::decode(&frame).unwrap() else { panic!() };
//! assert_eq!(ours.services, 0);
//!
//! // The peer says its own, and takes ours; it is asked for a pong, and gives it.
//! let mut said = Vec::new();
//! let theirs = Version { nonce: Some(3), start_height: Some(900_000), ..ours };
//! Message::Version(theirs).encode(magic, &mut said);
//! Message::Verack.encode(magic, &mut said);
//! machine.handle(at(50), StreamEvent::Bytes(&said));
//! assert!(matches!(machine.poll_action(at(50)), Some(Action::Write(_))));
//! let mut pong = Vec::new();
//! Message::Pong(ping_nonce).encode(magic, &mut pong);
//! machine.handle(at(80), StreamEvent::Bytes(&pong));
//!
//! assert_eq!(machine.poll_action(at(80)), Some(Action::Close));
//! let report = machine.poll_report().unwrap();
//! assert_eq!(report.end, End::Done);
//! assert_eq!(report.pong, Some(Duration::from_millis(30)));
//! assert_eq!(report.version.unwrap().start_height, Some(900_000));
//! ```

use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::frame::{Command, Magic};
use super::opening::KEPT;
use super::version::{self, PROTOCOL, Version};
use super::{Frame, FrameError, FrameReader, Message, NetAddr};
use crate::machine::{Action, Mono, Now, StreamEvent, StreamMachine};

mod report;

pub use report::{End, Flood, HandshakeReport, Stage};

/// Messages that are read from one peer. Core sends eight or nine in a handshake.
pub const MAX_MESSAGES: u32 = 10_000;
/// Bytes that are read from one peer: eight messages of the longest kind.
pub const MAX_BYTES: u64 = 32 << 20;
/// Pings of one peer that are answered.
pub const MAX_PONGS: u32 = 100;
/// Bytes that are kept of each payload: enough for the longest version, the longest message that is decoded, and
/// little for each connection to hold.
const KEEP: usize = 1024;
const _: () = assert!(KEEP >= version::MAX_SIZE);
/// How long is waited for the rest of the first [`KEPT`] bytes of what is no frame: they often come in pieces, and tell
/// what it is.
const NAME_WAIT: Duration = Duration::from_millis(250);
/// Messages whose names are kept, in their order; the rest is counted.
pub const MAX_NOTED: usize = 64;
/// The last protocol version that does not answer a ping (BIP-31).
const NO_PONG: i32 = 60_000;
/// The first protocol version that knows wtxidrelay and sendaddrv2 (BIP-339, Core #20564): older peers take them amiss.
const WTXID_RELAY: i32 = 70_016;
/// Messages that belong behind the verack. Core sends them there only, and before it drops all but `sendheaders` and
/// `sendcmpct` unread (`net_processing.cpp`, "Unsupported message … prior to verack"). A list of them, not of those
/// that may come: BIPs add to what is agreed on there (155, 330, 338, 339, 434).
const BEHIND_VERACK: [Command; 17] = [
    Command::PING,
    Command::PONG,
    Command::known("inv"),
    Command::known("addr"),
    Command::known("addrv2"),
    Command::known("headers"),
    Command::known("getheaders"),
    Command::known("getaddr"),
    Command::known("getdata"),
    Command::known("getblocks"),
    Command::known("tx"),
    Command::known("block"),
    Command::known("mempool"),
    Command::known("notfound"),
    Command::known("sendheaders"),
    Command::known("sendcmpct"),
    Command::known("feefilter"),
];

/// How to shake hands.
#[derive(Clone, Debug)]
pub struct Config {
    /// The network.
    pub magic: Magic,
    /// How long the connect may take.
    pub connect_timeout: Duration,
    /// How long all of it may take.
    pub timeout: Duration,
    /// Who we say we are (BIP-14).
    pub user_agent: String,
}

/// The nonces of all open connections of ours: a peer whose version carries one of them is ourselves.
#[derive(Clone, Debug, Default)]
pub struct OurNonces(Arc<Mutex<HashSet<u64>>>);

impl OurNonces {
    fn with<T>(&self, f: impl FnOnce(&mut HashSet<u64>) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The machine.
#[derive(Debug)]
pub struct Handshake {
    config: Config,
    to: SocketAddr,
    nonce: u64,
    ping_nonce: u64,
    ours: OurNonces,
    began: Mono,
    connected: bool,
    /// When our version left.
    greeted: Option<Mono>,
    /// Our ping was written, and when it left.
    ping_waits: bool,
    pinged: Option<Mono>,
    reader: FrameReader,
    actions: VecDeque<Action>,
    verack_sent: bool,
    verack_came: bool,
    /// Pings that came before our verack had left, and the number of pongs promised or sent.
    held_pongs: Vec<u64>,
    pongs: u32,
    report: HandshakeReport,
    /// The stream is none of ours; until then more of it is waited for, so that it can be named.
    unnamed: Option<(Mono, Vec<u8>)>,
    ended: bool,
    said: bool,
}

impl Handshake {
    /// Begins now. `random` is drawn anew for each connection: our version's nonce and our ping's.
    pub fn new(
        config: Config,
        to: SocketAddr,
        random: [u64; 2],
        ours: OurNonces,
        now: Now,
    ) -> Self {
        let [nonce, ping_nonce] = random;
        ours.with(|nonces| nonces.insert(nonce));
        Handshake {
            reader: FrameReader::new(config.magic, KEEP),
            config,
            to,
            nonce,
            ping_nonce,
            ours,
            began: now.mono,
            connected: false,
            greeted: None,
            ping_waits: false,
            pinged: None,
            actions: VecDeque::from([Action::Connect]),
            verack_sent: false,
            verack_came: false,
            held_pongs: Vec::new(),
            pongs: 0,
            report: HandshakeReport::of_nothing(now),
            unnamed: None,
            ended: false,
            said: false,
        }
    }

    /// What is sent together leaves together: one system call, and one packet.
    fn send(&mut self, message: &Message) {
        if !matches!(self.actions.back(), Some(Action::Write(_))) {
            self.actions.push_back(Action::Write(Vec::new()));
        }
        if let Some(Action::Write(bytes)) = self.actions.back_mut() {
            message.encode(self.config.magic, bytes);
        }
    }

    fn end(&mut self, now: Now, end: End) {
        if self.ended {
            return;
        }
        self.ended = true;
        // What is left to be said to a peer that has done its part is said.
        if end != End::Done {
            self.actions.clear();
        }
        self.report.end = end;
        self.report.at_unix_ms = now.unix_ms;
        self.report.received = self.reader.received();
        self.report.last_at = self.reader.began();
        self.report.waited = now.mono.since(self.began);
        self.actions.push_back(Action::Close);
    }

    /// Ends it with what was seen, if that was no frame.
    fn end_unnamed(&mut self, now: Now) -> bool {
        let unnamed = self.unnamed.take();
        let is_unnamed = unnamed.is_some();
        if let Some((_, found)) = unnamed {
            self.end_or_done(now, End::OtherMagic { found });
        }
        is_unnamed
    }

    /// Ends it for a reason that takes nothing from a handshake that is complete, and lacks its pong only.
    fn end_or_done(&mut self, now: Now, end: End) {
        let complete = self.report.stage == Stage::Verack;
        self.end(now, if complete { End::Done } else { end });
    }

    fn connected(&mut self, now: Now) {
        self.connected = true;
        self.report.connect = Some(now.mono.since(self.began));
        self.report.stage = Stage::VersionSent;
        let version = Version {
            protocol: PROTOCOL,
            // We serve nothing, and want no transactions.
            services: 0,
            timestamp: i64::try_from(now.unix_s()).unwrap_or(i64::MAX),
            addr_recv: NetAddr::new(0, self.to),
            addr_from: Some(NetAddr::unspecified(0)),
            nonce: Some(self.nonce),
            user_agent: Some(self.config.user_agent.clone().into_bytes()),
            start_height: Some(0),
            relay: Some(false),
            extra: 0,
        };
        self.send(&Message::Version(version));
    }

    fn bytes(&mut self, now: Now, bytes: &[u8]) {
        // The bound holds to the byte, however the stream is cut.
        let room = MAX_BYTES.saturating_sub(self.reader.received());
        let mut left = &bytes[..room.min(bytes.len() as u64) as usize];
        while !self.ended {
            match self.reader.next_frame(&mut left) {
                Ok(None) => break,
                Ok(Some(frame)) => self.frame(now, &frame),
                Err(FrameError::Magic { found }) if found.len() < KEPT => {
                    let until =
                        self.unnamed.take().map_or(now.mono + NAME_WAIT, |(until, _)| until);
                    self.unnamed = Some((until, found));
                    break;
                }
                Err(FrameError::Magic { found }) => {
                    self.end_or_done(now, End::OtherMagic { found });
                }
                Err(FrameError::Oversized { length }) => {
                    self.end_or_done(now, End::Oversized { length });
                }
                Err(FrameError::Command { .. }) => {
                    self.report.message_count += 1;
                    self.report.bad_commands += 1;
                }
                Err(FrameError::Checksum { command, .. }) => {
                    self.note(command);
                    if self.is_needed(command) {
                        self.end(now, End::BadChecksum { command });
                    } else {
                        self.report.bad_checksums += 1;
                        self.report.bad_checksum.get_or_insert(command);
                    }
                }
            }
            if self.report.message_count >= MAX_MESSAGES {
                self.end_or_done(now, End::Flooded { limit: Flood::Messages });
            }
        }
        // What is no frame says more than how much there is of it.
        if self.reader.received() >= MAX_BYTES && !self.end_unnamed(now) {
            self.end_or_done(now, End::Flooded { limit: Flood::Bytes });
        }
    }

    fn frame(&mut self, now: Now, frame: &Frame) {
        let command = frame.command;
        self.note(command);
        let is_version = command == Command::VERSION;
        // Core does not even read a second one (`net_processing.cpp`, "redundant version message").
        if (is_version || command == Command::VERACK) && !self.is_needed(command) {
            self.report.duplicates += 1;
            return;
        }
        if self.is_early(command) {
            self.report.out_of_order.get_or_insert(command);
        }
        match Message::decode(frame) {
            Ok(message) => self.message(now, message),
            Err(error) if is_version => self.end(now, End::Malformed(error)),
            // A ping of before BIP-31 wants no answer; other messages are not needed.
            Err(_) => {}
        }
    }

    /// True for a message that the handshake still waits for.
    fn is_needed(&self, command: Command) -> bool {
        match command {
            Command::VERSION => self.report.version.is_none(),
            Command::VERACK => !self.verack_came,
            _ => false,
        }
    }

    /// True for a message that does not belong here yet.
    fn is_early(&self, command: Command) -> bool {
        match self.report.version {
            None => command != Command::VERSION,
            Some(_) => !self.verack_came && BEHIND_VERACK.contains(&command),
        }
    }

    fn note(&mut self, command: Command) {
        self.report.message_count += 1;
        if self.report.messages.len() < MAX_NOTED {
            self.report.messages.push(command);
        }
    }

    fn message(&mut self, now: Now, message: Message) {
        match message {
            Message::Version(version) => self.version(now, version),
            Message::Verack => {
                self.verack_came = true;
                self.complete(now);
            }
            Message::Ping(nonce) => self.pong(nonce),
            Message::Pong(nonce) if nonce == self.ping_nonce => {
                let Some(pinged) = self.pinged else { return };
                self.report.pong = Some(now.mono.since(pinged));
                self.end(now, End::Done);
            }
            Message::Pong(_)
            | Message::WtxidRelay
            | Message::SendAddrV2
            | Message::Other { .. } => {}
        }
    }

    fn version(&mut self, now: Now, version: Version) {
        let is_ours = |nonce| self.ours.with(|nonces| nonces.contains(&nonce));
        let ourselves = version.nonce.is_some_and(is_ours);
        let modern = version.protocol >= WTXID_RELAY;
        self.report.clock_offset_s = Some(version.clock_offset_s(now.unix_s()));
        self.report.version = Some(version);
        self.report.stage = Stage::Version;
        self.report.version_took = self.greeted.map(|sent| now.mono.since(sent));
        if ourselves {
            return self.end(now, End::SelfConnection);
        }
        if modern {
            self.send(&Message::WtxidRelay);
            self.send(&Message::SendAddrV2);
        }
        self.send(&Message::Verack);
        self.verack_sent = true;
        for nonce in std::mem::take(&mut self.held_pongs) {
            self.send(&Message::Pong(nonce));
        }
        self.complete(now);
    }

    /// Both veracks: the handshake is done, and our ping leaves.
    fn complete(&mut self, now: Now) {
        if !self.verack_sent || !self.verack_came {
            return;
        }
        self.report.stage = Stage::Verack;
        self.report.handshake_took = self.greeted.map(|sent| now.mono.since(sent));
        if self.report.version.as_ref().is_some_and(|version| version.protocol <= NO_PONG) {
            return self.end(now, End::Done);
        }
        self.ping_waits = true;
        self.send(&Message::Ping(self.ping_nonce));
    }

    fn pong(&mut self, nonce: u64) {
        if self.pongs == MAX_PONGS {
            return;
        }
        self.pongs += 1;
        if self.verack_sent {
            self.send(&Message::Pong(nonce));
        } else {
            self.held_pongs.push(nonce);
        }
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        self.ours.with(|nonces| nonces.remove(&self.nonce));
    }
}

impl StreamMachine for Handshake {
    type Report = HandshakeReport;

    fn handle(&mut self, now: Now, event: StreamEvent<'_>) {
        if self.ended {
            return;
        }
        match event {
            StreamEvent::Connected { .. } => self.connected(now),
            StreamEvent::ConnectFailed(why) => self.end(now, End::ConnectFailed(why)),
            StreamEvent::Bytes(bytes) => self.bytes(now, bytes),
            StreamEvent::Closed(why) => {
                if !self.end_unnamed(now) {
                    self.end_or_done(now, End::Closed(why));
                }
            }
        }
    }

    fn handle_timeout(&mut self, now: Now) {
        if self.poll_timeout().is_some_and(|at| at <= now.mono) && !self.end_unnamed(now) {
            let connecting = self.report.stage == Stage::Connecting;
            let end = if connecting { End::ConnectTimeout } else { End::Stalled };
            self.end_or_done(now, end);
        }
    }

    fn poll_action(&mut self, now: Now) -> Option<Action> {
        let action = self.actions.pop_front();
        // Round trips begin when what is answered leaves.
        if matches!(action, Some(Action::Write(_))) {
            self.greeted = self.greeted.or(Some(now.mono));
            self.pinged = self.pinged.or(self.ping_waits.then_some(now.mono));
        }
        action
    }

    fn poll_report(&mut self) -> Option<HandshakeReport> {
        let ready = self.ended && !std::mem::replace(&mut self.said, self.ended);
        ready.then(|| self.report.clone())
    }

    fn poll_timeout(&self) -> Option<Mono> {
        let all = self.began + self.config.timeout;
        let connect = self.began + self.config.connect_timeout;
        let at = match (&self.unnamed, self.connected) {
            (Some((until, _)), _) => all.min(*until),
            (None, true) => all,
            (None, false) => all.min(connect),
        };
        (!self.ended).then_some(at)
    }

    fn stop(&mut self, now: Now) {
        self.end(now, End::Interrupted);
    }
}

#[cfg(test)]
mod tests;
