//! The exit code says what the results say.

use std::net::TcpListener;

use serde_json::json;

use crate::common::answering::{Manner, Peer};
use crate::common::command::{Ran, run};

const QUICK: [&str; 6] =
    ["--json", "--per-host-interval", "0", "--timeout", "300ms", "--retries=0"];

fn quick(args: &[&str]) -> Ran {
    run(QUICK.iter().chain(args))
}

#[test]
fn one_target_gives_one_line() {
    let peer = Peer::start();
    let ran = quick(&[&peer.enode]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let lines = ran.lines();
    assert_eq!(lines.len(), 1);
    let line = &lines[0];
    assert_eq!((&line["ok"], &line["identity"]), (&json!(true), &json!("expected")));
    assert_eq!(line["endpoint"], peer.address.to_string());
    assert_eq!(line["node_id"], peer.node_id);
    assert_eq!(line["enr_seq"], 7);
    assert_eq!(line["tries"], 1);

    let learned = quick(&[&peer.address.to_string()]);
    assert_eq!(learned.code, Some(0));
    assert_eq!(learned.lines()[0]["identity"], "learned");
    assert_eq!(learned.lines()[0]["enode"], peer.enode);
}

#[test]
fn one_failure_is_1_unless_any_will_do() {
    let (peer, silent) = (Peer::start(), Peer::silent());
    let both = [peer.enode.as_str(), &silent.enode];
    let ran = quick(&both);
    assert_eq!(ran.code, Some(1));
    let mut outcomes = ran.outcomes();
    outcomes.sort();
    assert_eq!(outcomes, ["no-reply", "ok"]);
    assert_eq!(quick(&[&both[..], &["--any"]].concat()).code, Some(0));
    assert_eq!(quick(&[&silent.enode, "--any"]).code, Some(1));
    assert_eq!(quick(&both[..1]).code, Some(0));
}

#[test]
fn with_count_one_answer_is_enough() {
    let late = Peer::with(Manner { silent: 1, ..Manner::default() });
    let ran = quick(&["--count", "2", "--interval", "100ms", &late.enode]);
    assert_eq!(ran.code, Some(0));
    assert_eq!(ran.outcomes(), ["no-reply", "ok"]);
    let target = &ran.of_type("target")[0];
    assert_eq!((&target["sent"], &target["received"]), (&json!(2), &json!(1)));
    assert_eq!((&target["ok"], &target["loss_pct"]), (&json!(true), &json!(50.0)));
    let lines = ran.lines();
    let types: Vec<_> = lines.iter().map(|line| line["type"].as_str().expect("text")).collect();
    assert_eq!(types, ["probe", "probe", "target", "summary"]);
    let numbers: Vec<_> = lines.iter().filter_map(|line| line["probe"].as_u64()).collect();
    assert_eq!(numbers, [1, 2]);
}

#[test]
fn the_summary_adds_up() {
    let (peer, silent) = (Peer::start(), Peer::silent());
    let ran = quick(&["--summary", &peer.enode, &silent.enode, &peer.enode]);
    let summary = ran.of_type("summary").pop().expect("a summary");
    assert_eq!(ran.lines().last(), Some(&summary));
    for (field, number) in [("targets", 3), ("answered", 2), ("probes", 3), ("ok", 2)] {
        assert_eq!(summary[field], number, "{field}");
    }
    assert_eq!(summary["failures"], json!({"no-reply": 1}));
    assert_eq!(summary["seen_as"], json!({"127.0.0.1": 2}));
}

#[test]
fn an_answer_that_breaks_a_limit_still_counts_as_received() {
    let peer = Peer::start();
    let ran = quick(&["--summary", "--count", "1", "--max-rtt", "0s", &peer.enode]);
    assert_eq!((ran.code, ran.outcomes()), (Some(1), vec!["not-as-asked".to_owned()]));
    let target = &ran.of_type("target")[0];
    assert_eq!((&target["sent"], &target["received"]), (&json!(1), &json!(1)), "{target:#}");
    assert_eq!(target["loss_pct"].as_f64(), Some(0.0), "{target:#}");
    let summary = &ran.of_type("summary")[0];
    assert_eq!(summary["seen_as"], json!({"127.0.0.1": 1}));
    assert_eq!(summary["failures"], json!({"not-as-asked": 1}));
}

#[test]
fn an_answer_that_breaks_a_limit_is_1() {
    let peer = Peer::start();
    let slow = quick(&["--max-rtt", "0", &peer.enode]);
    assert_eq!((slow.code, slow.outcomes()), (Some(1), vec!["not-as-asked".to_owned()]));
    assert_eq!(slow.lines()[0]["limit"], "max-rtt");
    assert_eq!(quick(&["--max-rtt", "10s", &peer.enode]).code, Some(0));

    let shut = quick(&["--tcp", &peer.enode]);
    assert_eq!(shut.code, Some(1));
    assert_eq!(
        (&shut.lines()[0]["limit"], &shut.lines()[0]["tcp"]),
        (&json!("tcp"), &json!("refused"))
    );
    // TCP ports first: other tests use many of those, and few of UDP's.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a TCP port");
    let port = listener.local_addr().expect("its address").port();
    let peer = Peer::with(Manner { port, ..Manner::default() });
    let open = quick(&["--tcp", &peer.enode]);
    assert_eq!((open.code, &open.lines()[0]["tcp"]), (Some(0), &json!("open")));
    let none = peer.enode.replace(&peer.address.to_string(), "127.0.0.1:0");
    let none = quick(&["--tcp", &format!("{none}?discport={}", peer.address.port())]);
    assert_eq!((none.code, &none.lines()[0]["tcp"]), (Some(0), &json!("no-port")));
}
