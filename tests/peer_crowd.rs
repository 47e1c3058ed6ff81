//! A thousand targets at once, of all kinds: each gets its one line and the right kind, and the summary adds
//! up.

mod common;

use std::collections::HashMap;
use std::net::{Ipv4Addr, UdpSocket};

use common::command::TempDir;
use common::crowd::{Crowd, counts};
use common::program::eth_ping;
use common::wire;
use p2pprobe::discv4::{Message, Packet};

const TARGETS: u32 = 1000;

/// What a peer does, and what must be said of it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Answering,
    Silent,
    Refusing,
    Lying,
    Babbling,
}

use Kind::{Answering, Babbling, Lying, Refusing, Silent};

/// Half of them answer.
const KINDS: [Kind; 8] =
    [Answering, Silent, Answering, Refusing, Answering, Lying, Answering, Babbling];

impl Kind {
    fn of(number: u32) -> Self {
        KINDS[number as usize % KINDS.len()]
    }

    fn outcome(self) -> &'static str {
        match self {
            Answering => "ok",
            Silent => "no-reply",
            Refusing => "port-unreachable",
            Lying => "wrong-identity",
            Babbling => "malformed",
        }
    }
}

fn address(number: u32) -> Ipv4Addr {
    let [_, _, high, low] = number.to_be_bytes();
    Ipv4Addr::new(127, 7, high, low)
}

fn number(address: Ipv4Addr) -> u32 {
    let [_, _, high, low] = address.octets();
    u32::from_be_bytes([0, 0, high, low])
}

fn crowd() -> Crowd {
    Crowd::start(|at, from, bytes| {
        let number = number(at);
        let pong = |key| {
            let hash = Packet::decode(bytes).expect("a Ping").hash;
            wire::message(&wire::key(key), &Message::Pong(wire::pong(from, hash)))
        };
        match Kind::of(number) {
            Answering => Some(pong(number)),
            Lying => Some(pong(number + TARGETS)),
            Babbling => Some(vec![0x42; 120]),
            Silent | Refusing => None,
        }
    })
}

#[test]
fn a_thousand_targets_give_a_line_each() {
    let crowd = crowd();
    // Taken on one address, closed on all the others.
    let holder = UdpSocket::bind("127.0.0.1:0").expect("a socket on loopback");
    let closed = holder.local_addr().expect("its address").port();
    let targets: Vec<String> = (0..TARGETS)
        .map(|number| {
            let port = if Kind::of(number) == Refusing { closed } else { crowd.port };
            format!("enode://{}@{}:{port}", wire::key(number).public(), address(number))
        })
        .collect();
    let dir = TempDir::new();
    let lines: Vec<String> = targets
        .iter()
        .enumerate()
        .map(|(number, target)| format!("{target} peer {number}\n"))
        .collect();
    let file = dir.file("nodes", lines.concat());

    let run = eth_ping(&["--timeout", "3s", "--retries", "0", "--file", &file]);

    assert_eq!(run.code, 1);
    assert_eq!(run.lines.len(), TARGETS as usize + 1);
    let by_target: HashMap<&str, _> = run
        .of_type("probe")
        .into_iter()
        .map(|l| (l["target"].as_str().expect("text"), l))
        .collect();
    let mut outcomes = Vec::new();
    for (target, number) in targets.iter().zip(0..TARGETS) {
        let line = by_target.get(target.as_str()).unwrap_or_else(|| panic!("no line: {target}"));
        let outcome = line["failure"].as_str().unwrap_or("ok");
        assert_eq!(outcome, Kind::of(number).outcome(), "{line:#}");
        assert_eq!(line["line"], number + 1);
        assert_eq!(line["label"], format!("peer {number}"));
        if outcome == "ok" {
            assert_eq!(line["node_id"], wire::key(number).public().node_id().to_string());
            assert!(line.get("warnings").is_none(), "{line:#}");
        }
        if outcome == "wrong-identity" {
            let found = wire::key(number + TARGETS);
            assert_eq!(line["found_key"], found.public().to_string());
        }
        outcomes.push(outcome);
    }
    let mut due = counts(outcomes.into_iter());
    let summary = run.lines.last().expect("a summary");
    assert_eq!(summary["type"], "summary");
    assert_eq!((&summary["targets"], &summary["probes"]), (&TARGETS.into(), &TARGETS.into()));
    let ok = due.remove("ok").expect("answers");
    assert_eq!((&summary["answered"], &summary["ok"]), (&ok.into(), &ok.into()));
    assert_eq!(summary["failures"], serde_json::json!(due));
    assert_eq!(summary["seen_as"].as_object().map(|seen| seen.len()), Some(1));
    assert_eq!(summary["own_drops"], 0);
}
