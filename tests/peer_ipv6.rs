//! Scripted peers on ::1, and both families in one run.

mod common;

use std::net::{IpAddr, Ipv6Addr, UdpSocket};

use common::program::{eth_ping, warnings};
use common::scripted::{Scripted, Stage, pings, pongs};

/// False, and said so, where this machine has no ::1.
fn has_ipv6() -> bool {
    match UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)) {
        Ok(_) => true,
        Err(e) => {
            println!("left out: no socket on ::1 ({e})");
            false
        }
    }
}

fn peer(number: u32) -> Scripted {
    Scripted::start_at(IpAddr::from(Ipv6Addr::LOCALHOST), number, |stage, got| {
        stage.reply(got, &stage.pong(got));
        stage.reply(got, &stage.own_ping(got.from, 20));
    })
}

#[test]
fn a_peer_on_ipv6_is_pinged_and_answered() {
    if !has_ipv6() {
        return;
    }
    let peer = peer(800);
    for target in [peer.enode(), peer.bare()] {
        let run = eth_ping(&["--timeout", "5s", "--bond", &target]);
        let line = run.answered();
        assert_eq!(line["node_id"], peer.id());
        assert_eq!(line["endpoint"], peer.bare());
        assert_eq!(line["pinged_back"], true);
        assert_eq!(warnings(line), [""; 0]);
        assert!(
            line["seen_as"].as_str().is_some_and(|seen| seen.starts_with("[::1]:")),
            "{line:#}"
        );
    }
    let all = peer.finish();
    assert_eq!((pings(&all).len(), pongs(&all).len()), (2, 2));
    for got in pings(&all) {
        // Our own address, as the peer sees it.
        assert_eq!(got.ping().from.to_string(), got.from.to_string());
    }
}

#[test]
fn both_families_in_one_run_and_one_of_them_switched_off() {
    if !has_ipv6() {
        return;
    }
    let (six, four) = (peer(801), Scripted::answering(802, Stage::pong));
    let targets = [six.bare(), four.bare()];
    let run = |more: &[&str]| {
        let targets = targets.each_ref().map(String::as_str);
        eth_ping(&[&["--timeout", "5s", "--retries", "0"], more, &targets].concat())
    };
    let both = run(&["--summary"]);
    assert_eq!(both.code, 0);
    let seen_as = &both.of_type("summary")[0]["seen_as"];
    assert_eq!(*seen_as, serde_json::json!({"127.0.0.1": 1, "::1": 1}));
    for (option, good, bad) in [("-4", 1, 0), ("-6", 0, 1)] {
        let run = run(&[option]);
        assert_eq!(run.code, 1);
        let line = |target: &String| {
            let found = run.lines.iter().find(|line| line["target"] == *target);
            found.unwrap_or_else(|| panic!("no line: {:#?}", run.lines))
        };
        assert_eq!(line(&targets[good])["ok"], true, "{option}");
        assert_eq!(line(&targets[bad])["failure"], "no-route", "{option}");
    }
}
