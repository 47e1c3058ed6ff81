//! The same target twice, one address under two keys, one key at two addresses: each line has its own answer.

use p2pprobe::discv4::{Message, Packet};
use serde_json::{Value, json};

use crate::common::command::{TempDir, eth_ping, finish, outcome, run_btc_handshake};
use crate::common::crowd::Crowd;
use crate::common::tcp_crowd::TcpCrowd;
use crate::common::wire;

/// A node at two addresses that answers, and pings back.
fn node() -> Crowd {
    let key = wire::key(1);
    Crowd::start(move |at, from, bytes| {
        let packet = Packet::decode(bytes).expect("a packet");
        let mut out = Vec::new();
        if matches!(packet.message, Message::Ping(_)) {
            out.push(wire::message(&key, &Message::Pong(wire::pong(from, packet.hash))));
            let own = (at, 30303).into();
            out.push(wire::ping(&key, own, from, wire::now_unix_s() + 20));
        }
        out
    })
}

fn sorted(mut lines: Vec<Value>) -> Vec<Value> {
    lines.sort_by_key(|line| line["line"].as_u64());
    lines
}

#[test]
fn each_line_of_eth_ping_has_its_own_answer() {
    let node = node();
    let port = node.port;
    let (right, wrong) = (wire::key(1), wire::key(2));
    let at = |key: &p2pprobe::codec::key::NodeKey, host| {
        format!("enode://{}@127.10.0.{host}:{port}", key.public())
    };
    let lines = [
        (at(&right, 1), "ok"),
        (at(&right, 1), "ok"),
        (at(&wrong, 1), "wrong-identity"),
        (at(&right, 2), "ok"),
        (format!("127.10.0.1:{port}"), "ok"),
        (at(&wrong, 1), "wrong-identity"),
        (format!("127.10.0.2:{port}"), "ok"),
        (at(&right, 1), "ok"),
    ];
    let text: String = lines.iter().map(|(target, _)| format!("{target}\n")).collect();
    let dir = TempDir::new();
    let file = dir.file("targets", text);
    let right_id = right.public().node_id().to_string();
    for pace in [&["--per-host-interval", "0"][..], &["--per-host-interval", "50ms"]] {
        for more in [&[][..], &["--bond"], &["--count", "2", "--interval", "200ms"]] {
            let args = ["--json", "--timeout", "5s", "--file", &file];
            let ran =
                finish(eth_ping(args.iter().chain(pace).chain(more)).spawn().expect("it starts"));
            assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
            let probes = if more.contains(&"--count") { 2 } else { 1 };
            let told = sorted(ran.of_type("probe"));
            assert_eq!(told.len(), lines.len() * probes, "{more:?}");
            for (line, (target, due)) in told.chunks(probes).zip(&lines) {
                for line in line {
                    assert_eq!((&line["target"], outcome(line)), (&json!(target), (*due).into()));
                    let id = if *due == "ok" { &line["node_id"] } else { &line["found_id"] };
                    assert_eq!(*id, right_id, "{more:?}: {line:#}");
                    if *due == "ok" && more.contains(&"--bond") {
                        assert_eq!(line["pinged_back"], true, "{line:#}");
                    }
                }
            }
            let summary = &ran.of_type("summary")[0];
            assert_eq!((&summary["targets"], &summary["answered"]), (&json!(8), &json!(6)));
        }
    }
}

#[test]
fn each_line_of_btc_handshake_has_its_own_answer() {
    let crowd = TcpCrowd::answering();
    let text = format!("{0} one\n{1} two\n{0} three\n{0}\n", crowd.target(0), crowd.target(1));
    let dir = TempDir::new();
    let file = dir.file("targets", text);
    for interval in ["0", "50ms"] {
        let args = ["--json", "--per-host-interval", interval, "--file", &file];
        let ran = run_btc_handshake(args);
        assert_eq!((ran.code, ran.outcomes()), (Some(0), vec!["ok".to_owned(); 4]));
        let labels: Vec<_> =
            sorted(ran.of_type("probe")).iter().map(|line| line["label"].clone()).collect();
        assert_eq!(labels, [json!("one"), json!("two"), json!("three"), json!(null)]);
    }
    assert_eq!(crowd.came().len(), 8);
}
