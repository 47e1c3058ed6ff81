//! Statistics of targets for which nothing was sent: nothing was lost, either.

use serde_json::{Value, json};

use crate::common::command::{Ran, finish, finish_with_input, probe, run_btc_handshake};
use crate::common::tcp_crowd::{SILENT, TcpCrowd};
use crate::signals::{signal, until};

/// The counts of a line of statistics.
fn counts(stats: &Value) -> [&Value; 4] {
    // Of nothing, there is no share: the field is not there.
    ["ok", "sent", "received", "loss_pct"].map(|field| stats.get(field).unwrap_or(&Value::Null))
}

fn assert_nothing_was_sent(ran: &Ran, outcome: &str) {
    assert_eq!((ran.code, ran.outcomes()), (Some(1), vec![outcome.to_owned()]), "{ran:?}");
    let [stats] = &ran.of_type("target")[..] else { panic!("statistics were due: {ran:?}") };
    assert_eq!(counts(stats), [&json!(false), &json!(0), &json!(0), &Value::Null], "{stats:#}");
    assert!(stats.get("rtt_min_ms").is_none(), "{stats:#}");
}

#[test]
fn a_target_that_cannot_be_begun() {
    let count = ["--json", "--count", "3"];
    let family = run_btc_handshake(count.iter().chain(&["-4", "[::1]:1"]));
    assert_nothing_was_sent(&family, "no-route");
    let line = probe("btc-handshake", count.iter().chain(&["-"]));
    assert_nothing_was_sent(&finish_with_input(line, b"192.0.2.256\n"), "bad-target");
}

#[test]
fn a_target_that_waits_when_the_run_is_stopped() {
    let crowd = TcpCrowd::start(|_, _| SILENT);
    let (open, waits) = (crowd.target(0), crowd.target(1));
    let args = ["--json", "--count", "3", "--concurrency", "1", "--timeout", "1h", &open, &waits];
    let child = probe("btc-handshake", args).spawn().expect("the binary starts");
    until("a connection", || !crowd.came().is_empty());
    signal(&child, "INT");
    let ran = finish(child);
    assert_eq!((ran.code, ran.outcomes()), (Some(130), vec!["interrupted".to_owned(); 2]));
    for stats in ran.of_type("target") {
        let (sent, lost) =
            if stats["target"] == open { (1, json!(100.0)) } else { (0, Value::Null) };
        assert_eq!(counts(&stats), [&json!(false), &json!(sent), &json!(0), &lost]);
    }
    assert_eq!(ran.of_type("target").len(), 2, "{ran:?}");
}
