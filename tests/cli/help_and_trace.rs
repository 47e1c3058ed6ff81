//! `--help` tells every default; `-v` and `-vv` show every packet.

use std::process::{Command, Stdio};

use data_encoding::HEXLOWER;
use p2pprobe::discv4::{Message, Packet};

use crate::common::answering::{Manner, Peer};
use crate::common::command::{PROGRAM, Ran, clean, finish, run};

fn program(args: &[&str]) -> Ran {
    let mut command = Command::new(PROGRAM);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    clean(&mut command);
    finish(command.spawn().expect("the binary starts"))
}

/// The help's text on a flag, up to the next one.
fn entry<'a>(help: &'a str, flag: &str) -> &'a str {
    let start = help.find(&format!("{flag} ")).or_else(|| help.find(&format!("{flag}\n")));
    let entry = &help[start.unwrap_or_else(|| panic!("no {flag} in\n{help}"))..];
    let next = entry.match_indices("\n ").find(|(at, _)| {
        let line = entry[*at..].trim_start();
        line.starts_with('-') && !line.starts_with("- ")
    });
    &entry[..next.map_or(entry.len(), |(at, _)| at)]
}

#[test]
fn the_help_tells_every_default() {
    for flag in ["--help", "-h"] {
        let help = run([flag]);
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
        for (flag, default) in [
            ("--timeout", "2s"),
            ("--retries", "1"),
            ("--interval", "1s"),
            ("--concurrency", "512"),
            ("--rate", "2000"),
            ("--per-host-interval", "1s"),
            ("--color", "auto"),
        ] {
            let entry = entry(&help.stdout, flag);
            let told = [format!("[default: {default}]"), format!("[default: {default},")];
            assert!(told.iter().any(|told| entry.contains(told)), "{flag}: {entry}");
        }
        let count = entry(&help.stdout, "--count");
        assert!(count.contains("[default: 1"), "{count}");
        assert!(entry(&help.stdout, "--config").contains("/p2pprobe/bootnodes.toml]"));
        let every =
            ["--file", "--json", "--summary", "--any", "--bind", "--key", "--ipv4", "--ipv6"];
        for flag in every.iter().chain(&["--quiet", "--verbose...", "--bond", "--tcp", "--max-rtt"])
        {
            entry(&help.stdout, flag);
        }
        assert!(help.stdout.contains("p2pprobe eth-ping mainnet"), "an example");
    }
}

#[test]
fn the_program_says_its_version_and_commands() {
    let version = program(&["--version"]);
    assert_eq!(version.stdout, format!("p2pprobe {}\n", env!("CARGO_PKG_VERSION")));
    let help = program(&["--help"]);
    assert_eq!(help.code, Some(0));
    assert!(help.stdout.contains("  eth-ping"), "{}", help.stdout);
    let nothing = program(&[]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(2), ""));
    assert!(nothing.stderr.contains("eth-ping"), "{}", nothing.stderr);
    let other = program(&["eth-pong", "mainnet"]);
    assert_eq!(other.code, Some(2));
    assert!(other.stderr.contains("a similar subcommand exists: 'eth-ping'"), "{}", other.stderr);
}

#[test]
fn verbose_shows_every_packet_with_its_time() {
    let peer = Peer::with(Manner { pings_back: true, ..Manner::default() });
    let ran = run(["-v", "--bond", &peer.enode]);
    assert_eq!(ran.stdout.lines().count(), 1);
    let mut found = Vec::new();
    for line in ran.stderr.lines() {
        let (time, rest) = line.trim_start().split_once("s ").expect("a time");
        assert!(time.parse::<f64>().is_ok_and(|time| time < 30.0), "{line}");
        let (what, details) = rest.split_once(&format!(" {} ", peer.address)).expect("the peer");
        let (size, message) = details.split_once(" bytes: ").expect("a size");
        assert!(size.parse::<usize>().is_ok_and(|size| size > 98), "{line}");
        assert!(message.contains(" expiration="), "{line}");
        found.push(format!("{what} {}", message.split(' ').next().unwrap_or_default()));
    }
    found.sort();
    assert_eq!(found, ["got from Ping", "got from Pong", "sent to Ping", "sent to Pong"]);
    assert_eq!(run([&peer.enode]).stderr, "");
}

#[test]
fn twice_verbose_shows_their_bytes() {
    let peer = Peer::start();
    let ran = run(["-vv", &peer.enode]);
    let lines: Vec<_> = ran.stderr.lines().collect();
    assert_eq!(lines.len(), 4, "{lines:?}");
    for (line, hex) in [(lines[0], lines[1]), (lines[2], lines[3])] {
        let bytes = HEXLOWER.decode(hex.trim().as_bytes()).expect("hex");
        let packet = Packet::decode(&bytes).expect("a packet");
        let name = if line.contains("sent to") { "Ping" } else { "Pong" };
        assert!(line.contains(&format!(" {} bytes: {name} ", bytes.len())), "{line}");
        assert!(matches!(
            (name, packet.message),
            ("Ping", Message::Ping(_)) | ("Pong", Message::Pong(_))
        ));
    }
}
