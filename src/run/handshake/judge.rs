//! What a handshake told, held against what was asked.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;

use super::{Asked, Job};
use crate::bitcoin::handshake::{End, HandshakeReport, MAX_NOTED, Stage};
use crate::bitcoin::{Opening, Version, services};
use crate::codec::{DecodeError, Fault};
use crate::machine::ConnectError;
use crate::networks::{BitcoinNetwork, Networks};
use crate::report::{
    Answer, Failure, HandshakeAnswer, Malformed, Millis, NotAsAsked, Origin, Probe, Progress,
    Timestamp, VersionSaid, WaitedMs, Warning, printable,
};

/// Clocks that differ by more are warned of: so does Core (`timeoffsets.h`, WARN_THRESHOLD).
const CLOCK_TOLERANCE_S: u64 = 10 * 60;

/// Makes the result line of a handshake.
pub fn judge(asked: &Asked, networks: &Networks, job: &Job, report: &HandshakeReport) -> Probe {
    let network = job.network();
    let any = asked.any && !job.origin.of_seeds;
    let answer = answer(any, networks, job, report);
    let mut origin = job.origin.clone();
    if any && let [network] = &answer.networks[..] {
        let network = Some(network.clone());
        origin = Arc::new(Origin { network, ..(*origin).clone() });
    }
    let failure = failure(networks, report).or_else(|| {
        let said = answer.said.as_ref()?;
        not_as_asked(asked, network, report, said).map(Failure::NotAsAsked)
    });
    Probe {
        at: Timestamp(report.at_unix_ms),
        command: asked.keeping.command,
        origin,
        probe: asked.keeping.numbered.then_some(job.number),
        ok: failure.is_none(),
        failure,
        endpoint: Some(job.to),
        warnings: warnings(report, &answer),
        answer: Some(Answer::Handshake(Box::new(answer))),
        tries: Some(job.tries()),
        tcp: None,
    }
}

/// Why a handshake failed; `None` if it is complete.
pub fn failure(networks: &Networks, report: &HandshakeReport) -> Option<Failure> {
    let progress = Progress { after: report.stage, received: report.received };
    let waited_ms = WaitedMs(report.waited);
    Some(match &report.end {
        End::Done => return None,
        End::ConnectFailed(ConnectError::Refused) => Failure::Refused,
        End::ConnectFailed(ConnectError::HostUnreachable) => {
            Failure::HostUnreachable { icmp: None }
        }
        End::ConnectFailed(ConnectError::Local(why)) => Failure::from_local(*why),
        End::ConnectTimeout | End::ConnectFailed(ConnectError::TimedOut) => {
            Failure::ConnectTimeout { waited_ms }
        }
        End::Closed(how) => Failure::ClosedEarly { progress, how: *how },
        End::Stalled => Failure::Stalled { progress, waited_ms, limit: None },
        End::Flooded { limit } => Failure::Stalled { progress, waited_ms, limit: Some(*limit) },
        End::OtherMagic { found } => other_magic(networks, report, found),
        End::Oversized { length } => Failure::Oversized { length: *length, after: report.stage },
        End::BadChecksum { command } => Failure::BadChecksum { message: *command },
        End::Malformed(error) => malformed(*error),
        End::SelfConnection => Failure::SelfConnection,
        End::Interrupted => Failure::Interrupted,
    })
}

fn malformed(error: DecodeError) -> Failure {
    let DecodeError { field, offset, .. } = error;
    Failure::Malformed(Malformed { field, offset, error, junk: None })
}

fn other_magic(networks: &Networks, report: &HandshakeReport, found: &[u8]) -> Failure {
    // It spoke our magic before: the stream is broken, and what looks like something else is chance.
    if report.message_count > 0 {
        let offset = usize::try_from(report.last_at).unwrap_or(usize::MAX);
        return malformed(DecodeError { field: "magic", offset, fault: Fault::Magic });
    }
    let first_bytes = found.to_vec();
    match Opening::of(found, &networks.magics()) {
        Opening::Bitcoin(found_magic) => {
            let networks = networks.with_magic(found_magic);
            Failure::WrongNetwork { found_magic, networks, first_bytes }
        }
        Opening::Other(looks_like) => Failure::NotBitcoin { looks_like, first_bytes },
    }
}

fn answer(any: bool, networks: &Networks, job: &Job, report: &HandshakeReport) -> HandshakeAnswer {
    let network = job.network();
    let complete = report.stage == Stage::Verack;
    let messages = report.messages.iter().map(ToString::to_string).collect();
    HandshakeAnswer {
        magic: network.magic,
        networks: if any && complete { networks.with_magic(network.magic) } else { Vec::new() },
        magics_tried: if any {
            job.magics_tried().iter().map(ToString::to_string).collect()
        } else {
            Vec::new()
        },
        connect_ms: report.connect.map(Millis),
        version_ms: report.version_took.map(Millis),
        handshake_ms: report.handshake_took.map(Millis),
        rtt_ms: report.pong.map(Millis),
        said: report
            .version
            .as_ref()
            .map(|version| said(version, network, report.clock_offset_s.unwrap_or_default())),
        messages,
        message_count: Some(report.message_count)
            .filter(|count| usize::try_from(*count).is_ok_and(|count| count > MAX_NOTED)),
    }
}

fn said(version: &Version, network: &BitcoinNetwork, clock_offset_s: i64) -> VersionSaid {
    let (user_agent, plain) = match &version.user_agent {
        Some(bytes) => {
            let shown = printable(bytes);
            let plain = shown.as_bytes() == bytes;
            (Some(shown), plain)
        }
        None => (None, true),
    };
    let seen_as = version.addr_recv.socket_addr();
    VersionSaid {
        protocol: version.protocol,
        services: services::hex(version.services),
        service_names: services::names(version.services, &network.services),
        user_agent,
        user_agent_hex: version
            .user_agent
            .as_ref()
            .filter(|_| !plain)
            .map(|bytes| HEXLOWER.encode(bytes)),
        height: version.start_height,
        relay: version.relay,
        clock_offset_s,
        seen_as: Some(seen_as).filter(|seen_as| !seen_as.ip().is_unspecified()),
    }
}

/// The first limit that the answer does not keep.
fn not_as_asked(
    asked: &Asked,
    network: &BitcoinNetwork,
    report: &HandshakeReport,
    said: &VersionSaid,
) -> Option<NotAsAsked> {
    if let Some(min_height) = asked.min_height
        && said.height.is_none_or(|height| height < min_height)
    {
        return Some(NotAsAsked::MinHeight { min_height });
    }
    let offered = report.version.as_ref().map_or(0, |version| version.services);
    let (mut missing_services, mut unnamed) = (Vec::new(), Vec::new());
    for name in &asked.need_services {
        let bit = services::bit_named(name, &network.services);
        if bit.is_some_and(|bit| offered >> bit & 1 == 1) {
            continue;
        }
        // A name that is another network's only stays as it was typed.
        let shown: Cow<'static, str> = match bit {
            Some(bit) => services::names(1 << bit, &network.services).remove(0),
            None => name.to_ascii_uppercase().into(),
        };
        if missing_services.contains(&shown) {
            continue;
        }
        if bit.is_none() {
            unnamed.push(shown.clone());
        }
        missing_services.push(shown);
    }
    if !missing_services.is_empty() {
        return Some(NotAsAsked::NeedServices { missing_services, unnamed });
    }
    if let Some(max) = asked.max_clock_skew
        && Duration::from_secs(said.clock_offset_s.unsigned_abs()) > max
    {
        return Some(NotAsAsked::MaxClockSkew { max_clock_skew_ms: Millis(max) });
    }
    if let Some(max) = asked.max_rtt
        && report.pong.is_none_or(|rtt| rtt > max)
    {
        return Some(NotAsAsked::MaxRtt { max_rtt_ms: Millis(max) });
    }
    None
}

fn warnings(report: &HandshakeReport, answer: &HandshakeAnswer) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if report.end == End::Done && report.pong.is_none() {
        warnings.push(Warning::NoPong);
    }
    if let Some(by_s) = report.clock_offset_s.map(i64::unsigned_abs)
        && by_s > CLOCK_TOLERANCE_S
    {
        warnings.push(Warning::Clock { by_s });
    }
    if let Some(version) = &report.version {
        if let Some(ends_after) = last_field(version) {
            warnings.push(Warning::ShortVersion { ends_after });
        }
        if version.extra > 0 {
            warnings.push(Warning::ExtraBytes { count: version.extra });
        }
    }
    if answer.said.as_ref().is_some_and(|said| said.user_agent_hex.is_some()) {
        warnings.push(Warning::Unprintable { field: "user_agent" });
    }
    if let Some(message) = report.out_of_order {
        warnings.push(Warning::OutOfOrder { message });
    }
    if report.duplicates > 0 {
        warnings.push(Warning::Duplicate { copies: report.duplicates });
    }
    if let Some(message) = report.bad_checksum {
        warnings.push(Warning::BadChecksum { message, count: report.bad_checksums });
    }
    if report.bad_commands > 0 {
        warnings.push(Warning::BadCommand { count: report.bad_commands });
    }
    warnings
}

/// The last field of a version that lacks some.
fn last_field(version: &Version) -> Option<&'static str> {
    Some(match version {
        Version { addr_from: None, .. } => "addr_recv",
        Version { nonce: None, .. } => "addr_from",
        Version { user_agent: None, .. } => "nonce",
        Version { start_height: None, .. } => "user_agent",
        Version { relay: None, .. } => "start_height",
        _ => return None,
    })
}
