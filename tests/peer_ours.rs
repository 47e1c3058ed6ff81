//! What is ours, as a peer sees it: the key that signs, the address and port that our packets come from, and
//! how often they come.

mod common;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use common::command::TempDir;
use common::program::eth_ping;
use common::scripted::{Scripted, Stage, pings, pongs};
use common::wire;
use data_encoding::HEXLOWER;

/// The secret of the tests' key file.
const SECRET: [u8; 32] = [0x3c; 32];

fn with_mode(file: &str, mode: u32) {
    std::fs::set_permissions(file, PermissionsExt::from_mode(mode)).expect("a mode");
}

/// A UDP address that is free on this machine.
fn free(ip: Ipv4Addr) -> SocketAddr {
    UdpSocket::bind((ip, 0)).expect("a socket").local_addr().expect("its address")
}

#[test]
fn the_key_of_the_file_signs() {
    let dir = TempDir::new();
    let key = p2pprobe::codec::key::NodeKey::new(SECRET, [1; 32]).expect("a key");
    let hex = HEXLOWER.encode(&SECRET);
    for (number, text) in [(1100, hex.clone()), (1101, format!("0x{hex}\n"))] {
        let peer = Scripted::start(number, |stage, got| {
            stage.reply(got, &stage.own_ping(got.from, 20));
            stage.reply(got, &stage.pong(got));
        });
        let file = dir.file(&number.to_string(), &text);
        with_mode(&file, 0o600);
        let run = eth_ping(&["--timeout", "5s", "--bond", "--key", &file, &peer.enode()]);
        run.answered();
        let all = peer.finish();
        assert_eq!((pings(&all).len(), pongs(&all).len()), (1, 1));
        assert!(all.iter().all(|got| got.signer == *key.public()), "{text:?}");
    }
}

#[test]
fn without_a_file_every_run_has_a_key_of_its_own() {
    let peer = Scripted::honest(1102);
    for _ in 0..2 {
        eth_ping(&["--timeout", "5s", &peer.enode()]).answered();
    }
    let all = peer.finish();
    assert_eq!(all.len(), 2);
    assert_ne!(all[0].signer, all[1].signer);
}

#[test]
fn a_key_file_is_refused_for_each_right_that_others_have() {
    let (dir, peer) = (TempDir::new(), Scripted::honest(1103));
    let file = dir.file("key", HEXLOWER.encode(&SECRET));
    let target = peer.enode();
    let args = ["--timeout", "5s", "--key", &file, &target];
    for bit in 0..6 {
        let mode = 0o600 | 1 << bit;
        with_mode(&file, mode);
        let run = eth_ping(&args);
        assert_eq!((run.code, run.lines.len()), (2, 0), "{mode:o}");
        assert!(run.stderr.contains(&format!("(mode {mode:o})")), "{mode:o}: {}", run.stderr);
    }
    for mode in [0o600, 0o400] {
        with_mode(&file, mode);
        eth_ping(&args).answered();
    }
    assert_eq!(peer.finish().len(), 2, "nothing is sent with a key that is refused");
}

#[test]
fn all_that_we_send_comes_from_the_address_that_was_bound() {
    let peer = Scripted::start(1104, |stage, got| {
        stage.reply(got, &stage.own_ping(got.from, 20));
        stage.reply(got, &stage.pong(got));
    });
    let ours = free(Ipv4Addr::LOCALHOST);
    let bind = ours.to_string();
    eth_ping(&["--timeout", "5s", "--bond", "--bind", &bind, &peer.enode()]).answered();
    let all = peer.finish();
    assert_eq!((pings(&all).len(), pongs(&all).len()), (1, 1));
    assert!(all.iter().all(|got| got.from == ours), "{all:#?}");
    assert_eq!(pings(&all)[0].ping().from.to_string(), bind);
}

#[test]
fn one_port_can_be_bound_in_both_families() {
    if let Err(e) = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)) {
        println!("left out: no socket on ::1 ({e})");
        return;
    }
    let four = Scripted::honest(1105);
    let answer = |stage: &Stage, got: &_| stage.reply(got, &stage.pong(got));
    let six = Scripted::start_at(Ipv6Addr::LOCALHOST.into(), 1106, answer);
    let port = free(Ipv4Addr::UNSPECIFIED).port();
    let (bind_4, bind_6) = (format!("0.0.0.0:{port}"), format!("[::]:{port}"));
    let run = eth_ping(&[
        "--timeout",
        "5s",
        "--bind",
        &bind_4,
        "--bind",
        &bind_6,
        &four.enode(),
        &six.enode(),
    ]);
    assert_eq!((run.code, run.of_type("probe").len()), (0, 2), "{}", run.stderr);
    for peer in [four, six] {
        assert_eq!(pings(&peer.finish())[0].from.port(), port);
    }
}

#[test]
fn one_host_is_pinged_once_a_second_unless_asked_otherwise() {
    let (sender, came) = std::sync::mpsc::channel();
    let peers = [1107, 1108].map(|number| {
        let sender = sender.clone();
        Scripted::start(number, move |stage, got| {
            sender.send(Instant::now()).expect("the test listens");
            stage.reply(got, &stage.pong(got));
        })
    });
    let targets = peers.each_ref().map(Scripted::enode);
    let ran = common::command::run(["--json", "--timeout", "5s", &targets[0], &targets[1]]);
    assert_eq!((ran.code, ran.outcomes()), (Some(0), vec!["ok".to_owned(); 2]));
    let times: Vec<_> = came.try_iter().collect();
    // The first may be told of late, the second never early; a busy machine takes some of the second.
    let apart = times[1].duration_since(times[0]);
    assert!(apart > Duration::from_millis(800), "{apart:?}");
    assert_eq!(times.len(), 2);
}

#[test]
fn our_pong_gives_the_peers_tcp_port_back() {
    let peer = Scripted::start(1109, |stage, got| {
        let message = p2pprobe::discv4::Message::Ping(p2pprobe::discv4::Ping {
            version: 4,
            from: p2pprobe::discv4::Endpoint::new(stage.addr, 30_304),
            to: p2pprobe::discv4::Endpoint::new(got.from, 0),
            expiration: wire::now_unix_s() + 20,
            enr_seq: None,
        });
        stage.reply(got, &wire::message(&stage.key, &message));
        stage.reply(got, &stage.pong(got));
    });
    eth_ping(&["--timeout", "5s", "--bond", &peer.enode()]).answered();
    let addr = peer.addr;
    let all = peer.finish();
    let [(pong, _)] = pongs(&all)[..] else { panic!("one Pong was due: {all:#?}") };
    assert_eq!(pong.to, p2pprobe::discv4::Endpoint::new(addr, 30_304));
}
