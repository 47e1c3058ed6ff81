//! The help of `btc-handshake`, word for word; `-v` and `-vv` show every message.

use std::process::{Command, Stdio};

use data_encoding::HEXLOWER;
use p2pprobe::bitcoin::FrameReader;

use crate::common::btc::{MAINNET, good_peer, probe_each};
use crate::common::command::{PROGRAM, clean, finish, run_btc_handshake};
use crate::common::scripted_tcp::ScriptedTcp;
use crate::common::tcp_crowd::{Manner, TcpCrowd};

const OWN_NAME: &str = concat!("/p2pprobe:", env!("CARGO_PKG_VERSION"), "/");

fn check(name: &str, args: &[&str]) {
    let mut command = Command::new(PROGRAM);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    clean(&mut command);
    let help = finish(command.spawn().expect("the binary starts"));
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    let text = help.stdout.replace(OWN_NAME, "/p2pprobe:VERSION/");
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn the_help() {
    check("btc_help_long", &["btc-handshake", "--help"]);
    check("btc_help_short", &["btc-handshake", "-h"]);
    check("help_of_the_program", &["--help"]);
}

/// What the lines of a trace say, without their times and our own port.
fn told(stderr: &str, peer: &str) -> Vec<String> {
    let mut last = 0.0;
    let mut line = |line: &str| {
        let (time, rest) = line.trim_start().split_once("s ").expect("a time");
        let time: f64 = time.parse().unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!((last..30.0).contains(&time), "{line}");
        last = time;
        let rest = rest.replace(peer, "PEER");
        rest.split(" from 127.0.0.1:").next().unwrap_or_default().to_owned()
    };
    stderr.lines().map(&mut line).collect()
}

#[test]
fn verbose_shows_every_message_with_its_time() {
    let peer = ScriptedTcp::start(good_peer());
    let target = peer.target();
    let ran = run_btc_handshake(["-v", &target]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(0), 1), "{ran:?}");
    let told = told(&ran.stderr, &target);
    let starts: Vec<_> = told
        .iter()
        .map(|line| line.split(" protocol=").next().and_then(|line| line.split(" nonce=").next()))
        .map(|line| line.unwrap_or_default())
        .collect();
    assert_eq!(
        starts,
        [
            "connecting to PEER, magic f9beb4d9",
            "connected to PEER",
            &format!("sent to PEER {} bytes: version", 86 + OWN_NAME.len()),
            "got from PEER 102 bytes: version",
            "got from PEER 0 bytes: wtxidrelay",
            "got from PEER 0 bytes: sendaddrv2",
            "got from PEER 0 bytes: verack",
            "sent to PEER 0 bytes: wtxidrelay",
            "sent to PEER 0 bytes: sendaddrv2",
            "sent to PEER 0 bytes: verack",
            "sent to PEER 8 bytes: ping",
            "got from PEER 8 bytes: pong",
            "closed the connection to PEER",
        ]
    );
    let version = &told[3];
    for part in [
        "protocol=70016 services=0x409 time=",
        " to=192.0.2.1:40000 nonce=0123456789abcdef ",
        " user_agent=/Satoshi:31.1.0/ height=900000 relay=true",
    ] {
        assert!(version.contains(part), "{version}");
    }
    let nonce = |line: &String| line.split(" nonce=").nth(1).map(str::to_owned);
    assert_eq!(nonce(&told[10]), nonce(&told[11]));
    // Without the flag there is nothing; a script is there for each connection.
    assert_eq!(probe_each(&[], [good_peer()]).len(), 1);
    assert_eq!(run_btc_handshake([&target]).stderr, "");
}

#[test]
fn twice_verbose_shows_their_bytes() {
    let peer = ScriptedTcp::start(good_peer());
    let ran = run_btc_handshake(["-vv", &peer.target()]);
    let lines: Vec<_> = ran.stderr.lines().collect();
    let mut seen = 0;
    for pair in lines.windows(2).filter(|pair| pair[0].contains(" bytes: ")) {
        let bytes = HEXLOWER.decode(pair[1].trim().as_bytes()).expect("hex");
        let mut reader = FrameReader::new(MAINNET, 1000);
        let frame = reader.next_frame(&mut &bytes[..]).expect("a frame").expect("a whole one");
        assert!(
            pair[0].contains(&format!(" {} bytes: {}", frame.length, frame.command)),
            "{pair:?}"
        );
        seen += 1;
    }
    assert_eq!(seen, 10, "{lines:#?}");
}

#[test]
fn verbose_shows_how_a_connection_ended() {
    let crowd = TcpCrowd::start(|_, _| Manner::Close);
    let target = crowd.target(0);
    let ran = run_btc_handshake(["-v", &target]);
    let told = told(&ran.stderr, &target);
    let last = told.last().map(String::as_str);
    assert_eq!((told.len(), last), (4, Some("PEER closed the connection")), "{told:#?}");
    let nobody = run_btc_handshake(["-v", "127.0.0.1:1"]);
    assert!(nobody.stderr.contains("no connection to 127.0.0.1:1: "), "{nobody:?}");
}
