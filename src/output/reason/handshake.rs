//! Why a Bitcoin handshake failed, in words.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::bitcoin::frame::MAX_PAYLOAD;
use crate::bitcoin::handshake::{Flood, MAX_BYTES, MAX_MESSAGES, Stage};
use crate::bitcoin::{LooksLike, Magic};
use crate::machine::CloseWhy;
use crate::report::{Answer, HandshakeAnswer, Millis, Probe, Progress, WaitedMs, printable};

fn answer(probe: &Probe) -> Option<&HandshakeAnswer> {
    match &probe.answer {
        Some(Answer::Handshake(answer)) => Some(answer),
        Some(Answer::Ping(_)) | None => None,
    }
}

/// `--min-height`.
pub fn min_height(probe: &Probe, min: i32) -> String {
    match answer(probe).and_then(|answer| answer.said.as_ref()?.height) {
        Some(height) => format!("its chain has height {height}, less than {min}"),
        None => format!("it does not say its height, so not {min} or more"),
    }
}

/// `--need-services`. A name that means nothing on the peer's network says nothing of what it offers.
pub fn need_services(
    probe: &Probe,
    missing: &[Cow<'static, str>],
    unnamed: &[Cow<'static, str>],
) -> String {
    let lacking: Vec<_> = missing.iter().filter(|name| !unnamed.contains(name)).cloned().collect();
    let mut said = Vec::new();
    if !lacking.is_empty() {
        said.push(format!("it does not offer {}", lacking.join(", ")));
    }
    if !unnamed.is_empty() {
        let (names, networks) = (unnamed.join(", "), answer(probe).map(|answer| &answer.networks));
        said.push(match networks.map_or(&[][..], |networks| networks) {
            // What several networks share has names that all of them use.
            networks @ [_, _, ..] => format!(
                "{names} does not mean the same on all of {}: --network NAME says which it is",
                networks.join(", ")
            ),
            _ => format!("no service of its network is named {names}"),
        });
    }
    said.join("; ")
}

/// `--max-clock-skew`.
pub fn max_clock_skew(probe: &Probe, max: Millis) -> String {
    let offset =
        answer(probe).and_then(|answer| answer.said.as_ref()).map(|said| said.clock_offset_s);
    let offset = offset.unwrap_or_default();
    let side = if offset < 0 { "behind" } else { "ahead of" };
    let max = max.0.as_secs_f64();
    format!("its clock is {} s {side} ours, more than {max} s", offset.unsigned_abs())
}

/// `connect-timeout`.
pub fn connect_timeout(waited: WaitedMs) -> String {
    let waited = seconds(waited.0);
    format!(
        "nothing came back in {waited}: the host is off, or a firewall drops what is for that port"
    )
}

/// `closed-early`.
pub fn closed_early(probe: &Probe, progress: Progress, how: CloseWhy) -> String {
    let Progress { after, received } = progress;
    let verb = match how {
        CloseWhy::Eof => "it hung up",
        CloseWhy::Reset => "it reset the connection",
    };
    if received > 0 {
        return format!("{verb} {}, with {} received", so_far(after), bytes(received));
    }
    let tried = answer(probe).map_or(0, |answer| answer.magics_tried.len());
    match tried {
        0 => format!(
            "{verb} without a word: it is full, has banned us, is of another network \
             (--network any finds which), or is no Bitcoin node"
        ),
        1 => format!(
            "{verb} without a word, and one network alone uses its port: it is full, has banned us, is of another \
             one (--network NAME asks for it), or is no Bitcoin node"
        ),
        _ => format!(
            "{verb} without a word, whichever of {tried} magics was spoken: it is full, has banned us, is of another \
             network (--network NAME asks for it), or is no Bitcoin node"
        ),
    }
}

/// `stalled`.
pub fn stalled(progress: Progress, waited: WaitedMs, limit: Option<Flood>) -> String {
    let Progress { after, received } = progress;
    let missing = match after {
        Stage::Connecting | Stage::VersionSent => "version",
        Stage::Version | Stage::Verack => "verack",
    };
    match limit {
        Some(Flood::Messages) => format!("it sent {MAX_MESSAGES} messages and no {missing}"),
        Some(Flood::Bytes) => format!("it sent {} MiB and no {missing}", MAX_BYTES >> 20),
        None => {
            let waited = seconds(waited.0);
            match received {
                0 => format!(
                    "connected, and not a byte came in {waited}: a node that is overloaded, or a server of another \
                     kind (web, RPC) that waits for other words"
                ),
                _ => format!("no {missing} came in {waited}, only {}", bytes(received)),
            }
        }
    }
}

/// `not-bitcoin`.
pub fn not_bitcoin(looks_like: LooksLike, first_bytes: &[u8]) -> String {
    let (what, first) = (self::looks_like(looks_like), printable(first_bytes));
    format!("what answers looks like {what}; it begins with \"{first}\"")
}

/// What first bytes look like.
pub fn looks_like(looks_like: LooksLike) -> &'static str {
    match looks_like {
        LooksLike::Http => "a web server (HTTP)",
        LooksLike::Ssh => "an SSH server",
        LooksLike::Tls => "a TLS server",
        LooksLike::SmtpOrFtp => "a mail or FTP server",
        LooksLike::Unknown => "nothing known, perhaps an encrypted transport (BIP-324)",
    }
}

/// `wrong-network`.
pub fn wrong_network(probe: &Probe, found: Magic, networks: &[Arc<str>]) -> String {
    let whose = match networks {
        [] => "no network that is known here".to_owned(),
        networks => networks.join(" or "),
    };
    let asked = match (&probe.origin.network, answer(probe)) {
        (Some(network), _) => network.to_string(),
        (None, Some(answer)) => format!("magic {}", answer.magic),
        (None, None) => "what was asked for".to_owned(),
    };
    format!("it is a node of {whose} (magic {found}), not of {asked}")
}

/// `oversized`.
pub fn oversized(length: u32, after: Stage) -> String {
    let after = so_far(after);
    format!("it claims a message of {length} bytes {after}; none may have more than {MAX_PAYLOAD}")
}

/// When something happened, by what had come before.
fn so_far(after: Stage) -> &'static str {
    match after {
        Stage::Connecting => "before we had said anything",
        Stage::VersionSent => "before its version had come",
        Stage::Version => "after its version, before its verack",
        Stage::Verack => "after its verack",
    }
}

fn seconds(waited: Duration) -> String {
    format!("{:.1} s", waited.as_secs_f64())
}

fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}
