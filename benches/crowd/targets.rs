//! Files of targets, and what must be said of each line.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddrV4;
use std::path::Path;
use std::thread;

use p2pprobe::discv4::Enode;
use p2pprobe::host::Host;

use super::Command;
use super::btc_manner::Manner as BtcManner;
use super::eth_manner::{self, Manner as EthManner};
use super::peers::{Draw, address, draw, falls_to, pick};
use super::settings::Settings;

/// The ports of a crowd, at all its addresses.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// Where it answers.
    pub open: u16,
    /// Where nobody does.
    pub closed: u16,
}

/// What must be said of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The kind of failure, or `ok`.
    pub outcome: &'static str,
    /// The warnings of its line, in their order.
    pub warnings: &'static [&'static str],
}

const BAD_TARGET: Expected = Expected { outcome: "bad-target", warnings: &[] };

/// Lines that are a target of neither command, with whatever a real list has in such places.
const BAD_LINES: [&str; 6] = [
    "enode://d860@127.16.1.1:30303",
    "127.16.1.1:0",
    "127.16.1.1:65536 a port too far",
    "http://127.16.1.1:8080/",
    "[::1 home",
    "{\"type\":\"probe\"}",
];

/// What must be said of the target in the line of this number, which counts from 0 as that of its peer does.
pub fn expected(command: Command, settings: &Settings, number: u32) -> Expected {
    if is_bad_line(settings, number) {
        return BAD_TARGET;
    }
    match command {
        Command::EthPing => EthManner::of(settings, number).expected(),
        Command::BtcHandshake => BtcManner::of(settings, number).expected(),
    }
}

fn is_bad_line(settings: &Settings, number: u32) -> bool {
    falls_to(settings.seed, number, Draw::BadLine, settings.shares.bad_lines)
}

/// Writes a file of so many lines: that of number N names peer N, unless it is a bad one. Keys are made on all cores.
///
/// # Errors
/// Those of writing.
pub fn write(
    path: &Path,
    command: Command,
    settings: &Settings,
    ports: Ports,
    lines: u32,
) -> io::Result<()> {
    let threads = thread::available_parallelism().map_or(1, usize::from) as u32;
    let each = lines.div_ceil(threads).max(1);
    let parts = thread::scope(|scope| {
        let begins = (0..lines).step_by(each as usize);
        let parts: Vec<_> = begins
            .map(|begin| scope.spawn(move || part(command, settings, ports, begin, each, lines)))
            .collect();
        parts.into_iter().map(|part| part.join().expect("a part")).collect::<Vec<String>>()
    });
    std::fs::write(path, parts.concat())
}

fn part(
    command: Command,
    settings: &Settings,
    ports: Ports,
    begin: u32,
    each: u32,
    lines: u32,
) -> String {
    let mut text = String::new();
    for number in begin..(begin + each).min(lines) {
        text.push_str(&target(command, settings, ports, number));
        // Every second one has a label.
        if draw(settings.seed, number, Draw::Detail) & 2 == 0 {
            let _ = write!(text, " peer {number}");
        }
        text.push('\n');
    }
    text
}

fn target(command: Command, settings: &Settings, ports: Ports, number: u32) -> String {
    if is_bad_line(settings, number) {
        return pick(settings.seed, number, Draw::Kind, &BAD_LINES).to_owned();
    }
    let refuses = match command {
        Command::EthPing => EthManner::of(settings, number) == EthManner::Refuses,
        Command::BtcHandshake => BtcManner::of(settings, number) == BtcManner::Refuses,
    };
    let port = if refuses { ports.closed } else { ports.open };
    let address = address(number);
    match command {
        Command::BtcHandshake => SocketAddrV4::new(address, port).to_string(),
        Command::EthPing => {
            let key = *eth_manner::key(settings.seed, number).public();
            let host = Host::Ip(address.into());
            Enode { key, host, tcp: port, udp: port }.to_string()
        }
    }
}
