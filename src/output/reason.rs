//! A failure as a sentence: what was seen, and what it can mean.

pub mod handshake;

use std::fmt::Write;
use std::net::SocketAddr;

use nix::errno::Errno;

use crate::codec::Fault;
use crate::machine::LocalError;
use crate::report::{
    Answer, BadTarget, Failure, IcmpSeen, Malformed, Millis, NoReply, NotAsAsked, Origin, Probe,
    ResolveError, TcpState,
};
use crate::target::Protocol;

/// Why a probe failed, in words; `None` if it did not.
pub fn of(probe: &Probe) -> Option<String> {
    let tries = probe.tries.unwrap_or(0);
    Some(match probe.failure.as_ref()? {
        Failure::BadTarget(bad) => bad_target(&probe.origin, bad),
        Failure::Unresolved { host, why } => unresolved(host, why),
        Failure::NoRoute { why } | Failure::LocalError { why } => local_error(*why),
        Failure::Interrupted if matches!(probe.answer, Some(Answer::Ping(_))) => {
            "it answered over UDP; stopped before its TCP port did".to_owned()
        }
        Failure::Interrupted if probe.answer.as_ref().is_some_and(Answer::is_complete) => {
            "the handshake was done; stopped before our ping was answered".to_owned()
        }
        Failure::Interrupted if tries == 0 => "stopped before anything was sent".to_owned(),
        Failure::Interrupted => "stopped before an answer came".to_owned(),
        Failure::NoReply(seen) => no_reply(tries, seen),
        Failure::PortUnreachable(icmp) => {
            let ours =
                |endpoint: SocketAddr| icmp.icmp_from.is_none_or(|from| from == endpoint.ip());
            if probe.endpoint.is_none_or(ours) {
                format!("the host is there and nothing listens on that UDP port ({})", said(icmp))
            } else {
                let what = "a firewall or router on the way refused it, perhaps one of our own";
                format!("{what} ({})", said(icmp))
            }
        }
        Failure::HostUnreachable { icmp } => {
            let said = icmp.map(|icmp| format!(" ({})", said(&icmp))).unwrap_or_default();
            format!("the network says that the host cannot be reached{said}")
        }
        Failure::WrongIdentity { expected_id, found_id, .. } => {
            let (found, expected) = (found_id.to_string(), expected_id.to_string());
            let head = |id: &str| id.chars().take(8).collect::<String>();
            format!("another node answered: {}…, not {}…", head(&found), head(&expected))
        }
        Failure::Malformed(Malformed { error, junk: None, .. }) if error.fault == Fault::Magic => {
            format!("what it said from byte {} on is no message of this network", error.offset)
        }
        Failure::Malformed(Malformed { error, junk: None, .. }) => {
            format!("its version cannot be read: {error}")
        }
        Failure::Malformed(Malformed { error, junk: Some(junk), .. }) => {
            // Before the data, nothing is discv4's own: what goes wrong there is seldom a node.
            let frame = matches!(error.field, "packet" | "hash" | "signature" | "type");
            let hint = if frame { "; perhaps another protocol" } else { "" };
            format!("{} came, none a valid answer; the first: {error}{hint}", datagrams(*junk))
        }
        Failure::NotAsAsked(NotAsAsked::MaxRtt { max_rtt_ms }) => {
            match probe.answer.as_ref().and_then(Answer::rtt) {
                Some(rtt) => format!("it answered after {}, more than {max_rtt_ms}", Millis(rtt)),
                None => format!("our ping was not answered, so not within {max_rtt_ms}"),
            }
        }
        Failure::NotAsAsked(NotAsAsked::Tcp) => {
            let state = probe.tcp.map_or(TcpState::NoPort, |tcp| tcp.tcp);
            format!("it answered over UDP, and its TCP port {}", tcp(state))
        }
        Failure::NotAsAsked(NotAsAsked::MinHeight { min_height }) => {
            handshake::min_height(probe, *min_height)
        }
        Failure::NotAsAsked(NotAsAsked::NeedServices { missing_services, unnamed }) => {
            handshake::need_services(probe, missing_services, unnamed)
        }
        Failure::NotAsAsked(NotAsAsked::MaxClockSkew { max_clock_skew_ms }) => {
            handshake::max_clock_skew(probe, *max_clock_skew_ms)
        }
        Failure::Refused => "the host is there and nothing listens on that TCP port, \
                             or a firewall answered in its place"
            .to_owned(),
        Failure::ConnectTimeout { waited_ms } => handshake::connect_timeout(*waited_ms),
        Failure::ClosedEarly { progress, how } => handshake::closed_early(probe, *progress, *how),
        Failure::Stalled { progress, waited_ms, limit } => {
            handshake::stalled(*progress, *waited_ms, *limit)
        }
        Failure::NotBitcoin { looks_like, first_bytes } => {
            handshake::not_bitcoin(*looks_like, first_bytes)
        }
        Failure::WrongNetwork { found_magic, networks, .. } => {
            handshake::wrong_network(probe, *found_magic, networks)
        }
        Failure::Oversized { length, after } => handshake::oversized(*length, *after),
        Failure::BadChecksum { message } => {
            format!("its {message} came with a checksum that is not its own: damaged on the way")
        }
        Failure::SelfConnection => {
            "its version carries a nonce of ours: we reached ourselves, or what echoes all that it is told"
                .to_owned()
        }
    })
}

fn bad_target(origin: &Origin, bad: &BadTarget) -> String {
    let mut place = String::new();
    if let (Some(file), Some(line)) = (&origin.file, origin.line) {
        // Writing to a String cannot fail.
        let _ = write!(place, "{file}:{line}:");
    }
    format!("{place}{}: {}", bad.column, bad.error)
}

/// Why a name gave no address, in words.
pub fn unresolved(host: &str, why: &ResolveError) -> String {
    match why {
        ResolveError::Said(text) => format!("{host}: {text}"),
        ResolveError::Timeout(waited) => {
            let waited = humantime::format_duration(*waited);
            format!("{host}: the resolver gave no answer in {waited}")
        }
        ResolveError::Busy(waited) => {
            let waited = humantime::format_duration(*waited);
            format!("{host}: not looked up in {waited}: the resolver was held up by other names")
        }
        ResolveError::Nothing => format!("{host}: the name has no address"),
        ResolveError::Family => {
            format!("{host}: the name has no address of the family that was asked for")
        }
        ResolveError::NoNodes(Protocol::Bitcoin) => {
            format!("the network {host} has no DNS seeds: give a host: --network {host} HOST")
        }
        ResolveError::NoNodes(Protocol::Ethereum) => {
            format!("the network {host} has no bootnodes: add some to it in --config FILE")
        }
        ResolveError::NoSeed => format!("no seed of the network {host} gave an address"),
    }
}

fn no_reply(tries: u32, seen: &NoReply) -> String {
    let NoReply { waited_ms, junk, reflected } = seen;
    let pings = if tries == 1 { "1 Ping".to_owned() } else { format!("{tries} Pings") };
    let waited = waited_ms.0.as_secs_f64();
    let came = match (junk, reflected) {
        (0, _) => "nothing came back".to_owned(),
        (junk, reflected) if junk == reflected => "only copies of our own packets came".to_owned(),
        (junk, _) => format!("{} came, none an answer to us", datagrams(*junk)),
    };
    let hint =
        if *junk == 0 { "; the host is off, UDP is filtered, or no node listens" } else { "" };
    format!("{came}: {pings} in {waited:.1} s{hint}")
}

fn datagrams(count: u32) -> String {
    if count == 1 { "1 datagram".to_owned() } else { format!("{count} datagrams") }
}

fn said(icmp: &IcmpSeen) -> String {
    let IcmpSeen { icmp_type, icmp_code, icmp_from } = icmp;
    let from = icmp_from.map(|from| format!(", says {from}")).unwrap_or_default();
    format!("ICMP type {icmp_type} code {icmp_code}{from}")
}

fn tcp(state: TcpState) -> &'static str {
    match state {
        TcpState::Open => "is open",
        TcpState::Refused => "is closed: the connection was refused",
        TcpState::Timeout => "does not answer: the connect timed out",
        TcpState::Unreachable => "cannot be reached, the network says",
        TcpState::LocalError | TcpState::NoPort | TcpState::Interrupted => "was not tried",
    }
}

/// Why this machine failed, in words.
pub fn local_error(why: LocalError) -> String {
    match why {
        LocalError::NoRoute => "this machine has no route or no address to send there".to_owned(),
        LocalError::NoFamily => {
            "the address family is left out by -4 or -6, or not there on this machine".to_owned()
        }
        LocalError::NoPort => {
            "this machine has no address to connect from, or no port of it is free".to_owned()
        }
        LocalError::OwnDrops => {
            "our own receive buffer overflowed each time the answer was due".to_owned()
        }
        LocalError::Os(errno) => {
            let errno = Errno::from_raw(errno);
            let advice = match errno {
                Errno::EMFILE => ": raise the limit with ulimit -n",
                _ => "",
            };
            format!("this machine could not send: {}{advice}", errno.desc())
        }
    }
}
