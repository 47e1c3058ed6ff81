//! What must be said of a [`Script`], found without the machine: which part of the stream comes when, and what it does.

use std::time::Duration;

use p2pprobe::bitcoin::frame::HEADER_SIZE;
use p2pprobe::bitcoin::handshake::MAX_MESSAGES;

use crate::btc_script::{Connect, Effect, Script};

pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
pub const TIMEOUT: Duration = Duration::from_secs(15);
/// How long the rest of what is no frame is waited for, and how much of it tells what it is.
const NAME_WAIT: Duration = Duration::from_millis(250);
const NAME: usize = HEADER_SIZE;

/// How and when a handshake must end, and whether with a pong.
#[derive(Debug, PartialEq)]
pub struct Expected {
    pub end: &'static str,
    pub ponged: bool,
    pub at: Duration,
}

fn at(end: &'static str, at: Duration) -> Expected {
    Expected { end, ponged: false, at }
}

/// How a script must end.
pub fn expected(script: &Script) -> Expected {
    let connected = match script.connect {
        Connect::Opens(after) => after,
        Connect::Fails(after, _) if after <= CONNECT_TIMEOUT => return at("connect-failed", after),
        Connect::Fails(..) | Connect::Hangs => return at("connect-timeout", CONNECT_TIMEOUT),
    };
    let stream = Stream { script, connected };
    let (mut version, mut verack, mut complete) = (None, false, None);
    let mut start = 0;
    for (messages, part) in (0..).zip(&script.parts) {
        let (offset, length) = (start, part.bytes.len());
        start += length;
        let needed = match part.effect {
            Effect::Oversized => HEADER_SIZE,
            Effect::NoFrame(from) => from + 1,
            // They have no payload.
            Effect::Flood => (MAX_MESSAGES - messages) as usize * HEADER_SIZE,
            _ => length,
        };
        let Some(when) = stream.arrival(offset + needed) else {
            return stream.over(complete.is_some());
        };
        let unless_done = |end| if complete.is_some() { "done" } else { end };
        match part.effect {
            Effect::Version { ours: true, .. } if version.is_none() => {
                return at("self-connection", when);
            }
            Effect::Version { pongs, .. } => drop(version.get_or_insert(pongs)),
            Effect::Verack => verack = true,
            Effect::BadVersion if version.is_none() => return at("bad-checksum", when),
            Effect::BadVerack if !verack => return at("bad-checksum", when),
            Effect::ShortVersion if version.is_none() => return at("malformed", when),
            Effect::Oversized => return at(unless_done("oversized"), when),
            Effect::Flood => return at(unless_done("flooded"), when),
            Effect::NoFrame(_) => {
                let end = unless_done("other-magic");
                return at(end, stream.named(offset, when));
            }
            Effect::BadVersion | Effect::BadVerack | Effect::ShortVersion | Effect::None => {}
        }
        if let (Some(pongs), true, None) = (version, verack, complete) {
            complete = Some(when);
            if !pongs {
                return at("done", when);
            }
        }
    }
    match complete.and_then(|when| stream.pong(when)) {
        Some(pong) => Expected { ponged: true, ..at("done", pong) },
        None => stream.over(complete.is_some()),
    }
}

struct Stream<'s> {
    script: &'s Script,
    connected: Duration,
}

impl Stream<'_> {
    /// When so many bytes have come, if that is in time.
    fn arrival(&self, bytes: usize) -> Option<Duration> {
        let mut came = 0;
        let piece = self.script.pieces.iter().find(|(_, size)| {
            came += size;
            came >= bytes
        });
        piece.map(|(after, _)| self.connected + *after).filter(|at| *at <= TIMEOUT)
    }

    /// The end of a stream in which nothing more happens.
    fn over(&self, complete: bool) -> Expected {
        let close = self.script.close.map(|(after, _)| self.connected + after);
        match close.filter(|at| *at <= TIMEOUT) {
            Some(when) => at(if complete { "done" } else { "closed" }, when),
            None => at(if complete { "done" } else { "stalled" }, TIMEOUT),
        }
    }

    /// When it is known what begins at this byte and was seen at this time to be no frame.
    fn named(&self, offset: usize, seen: Duration) -> Duration {
        let rest = self.arrival(offset + NAME);
        let close = self.script.close.map(|(after, _)| self.connected + after);
        [rest, close].into_iter().flatten().chain([seen + NAME_WAIT, TIMEOUT]).min().unwrap_or(seen)
    }

    /// When the pong comes to a ping of this time: behind all else.
    fn pong(&self, ping: Duration) -> Option<Duration> {
        let after = self.script.pong?;
        let last = self.script.pieces.last().map_or(Duration::ZERO, |(after, _)| *after);
        Some((ping + after).max(self.connected + last)).filter(|at| *at <= TIMEOUT)
    }
}
