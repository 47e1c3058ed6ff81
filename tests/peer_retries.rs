//! Scripted peers over several Pings: retries, repeated probes, duplicate and late Pongs, and limits on the
//! answer. Rows of the specification: duplicate and late Pongs, `--retries`, `--count`, `--max-rtt`.

mod common;

use std::thread::sleep;
use std::time::Duration;

use common::program::{eth_ping, warning, warnings};
use common::scripted::{Got, Scripted, pings};
use serde_json::Value;

#[test]
fn an_answer_to_the_second_ping_says_two_tries() {
    let peer = Scripted::start(500, |stage, got| {
        if got.nth == 2 {
            stage.reply(got, &stage.pong(got));
        }
    });
    let run = eth_ping(&["--timeout", "400ms", "--retries", "1", &peer.enode()]);
    let line = run.answered();
    assert_eq!(line["tries"], 2);
    assert_eq!(warnings(line), [""; 0]);
    // From the second Ping, not from the first.
    assert!(line["rtt_ms"].as_f64().is_some_and(|rtt| rtt < 400.0), "{line:#}");
}

#[test]
fn an_answer_to_the_first_ping_counts_while_the_second_waits_and_is_timed_from_the_first() {
    let mut first: Option<Got> = None;
    let peer = Scripted::start(501, move |stage, got| match &first {
        None => first = Some(got.clone()),
        Some(first) => stage.reply(got, &stage.pong(first)),
    });
    let run = eth_ping(&["--timeout", "300ms", "--retries", "1", &peer.enode()]);
    let line = run.answered();
    assert_eq!(line["tries"], 2);
    assert_eq!(warnings(line), [""; 0]);
    assert!(line["rtt_ms"].as_f64().is_some_and(|rtt| rtt >= 300.0), "{line:#}");
}

#[test]
fn no_more_pings_than_asked_for_are_sent() {
    let peer = Scripted::start(502, |_, _| {});
    let run = eth_ping(&["--timeout", "100ms", "--retries", "0", &peer.enode()]);
    assert_eq!(run.failed("no-reply")["tries"], 1);
    assert_eq!(peer.finish().len(), 1);
}

#[test]
fn a_target_is_answered_when_one_of_its_probes_is() {
    let peer = Scripted::start(503, |stage, got| {
        if got.nth == 2 {
            stage.reply(got, &stage.pong(got));
        }
    });
    let pace = ["--count", "3", "--interval", "0", "--timeout", "400ms", "--retries", "0"];
    let run = eth_ping(&[&pace[..], &[&peer.enode()]].concat());
    assert_eq!(run.code, 0);
    let kinds: Vec<&Value> = run.lines.iter().map(|line| &line["type"]).collect();
    assert_eq!(kinds, ["probe", "probe", "probe", "target", "summary"]);
    for (number, line) in run.of_type("probe").into_iter().enumerate() {
        assert_eq!(line["probe"], number + 1);
        assert_eq!(line["ok"], number == 1, "{line:#}");
        assert_eq!(line["tries"], 1);
        if number != 1 {
            assert_eq!(line["failure"], "no-reply");
        }
    }
    let (target, summary) = (&run.lines[3], &run.lines[4]);
    assert_eq!((&target["sent"], &target["received"]), (&3.into(), &1.into()));
    assert_eq!((&target["ok"], &target["loss_pct"]), (&true.into(), &66.7.into()));
    assert_eq!(target["rtt_min_ms"], run.lines[1]["rtt_ms"]);
    assert_eq!(target["rtt_max_ms"], run.lines[1]["rtt_ms"]);
    assert_eq!(target["target"], peer.enode());
    assert_eq!((&summary["targets"], &summary["answered"]), (&1.into(), &1.into()));
    assert_eq!((&summary["probes"], &summary["ok"]), (&3.into(), &1.into()));
    assert_eq!(summary["failures"], serde_json::json!({"no-reply": 2}));
}

#[test]
fn a_duplicate_pong_is_warned_of_while_the_probe_is_open() {
    let peer = Scripted::start(504, |stage, got| {
        let pong = stage.pong(got);
        (0..3).for_each(|_| stage.reply(got, &pong));
    });
    let run = eth_ping(&["--timeout", "3s", "--bond", &peer.enode()]);
    assert_eq!(warnings(run.answered()), ["duplicate"]);
    assert_eq!(warning(run.only(), "duplicate")["copies"], 2);
}

#[test]
fn a_duplicate_pong_behind_its_probe_is_told_with_the_next_one() {
    let peer = Scripted::start(505, |stage, got| {
        let pong = stage.pong(got);
        (0..if got.nth == 1 { 2 } else { 1 }).for_each(|_| stage.reply(got, &pong));
    });
    let pace = ["--count", "2", "--interval", "300ms", "--timeout", "3s"];
    let run = eth_ping(&[&pace[..], &[&peer.enode()]].concat());
    let [first, second] = run.of_type("probe")[..] else { panic!("{:#?}", run.lines) };
    assert!(first["ok"] == true && second["ok"] == true, "{:#?}", run.lines);
    // The copy may come before the first probe's line is made; it is told once in any case.
    let copies: u64 = [first, second]
        .into_iter()
        .filter(|line| warnings(line) == ["duplicate"])
        .map(|line| warning(line, "duplicate")["copies"].as_u64().expect("a number"))
        .sum();
    assert_eq!(copies, 1);
    assert_eq!(run.lines[3]["warnings"], serde_json::json!({"duplicate": 1}));
}

#[test]
fn a_late_pong_is_no_answer_to_the_next_probe() {
    let mut first: Option<Got> = None;
    let peer = Scripted::start(506, move |stage, got| match &first {
        None => first = Some(got.clone()),
        Some(first) => stage.reply(got, &stage.pong(first)),
    });
    let pace = ["--count", "2", "--interval", "0", "--timeout", "300ms", "--retries", "0"];
    let run = eth_ping(&[&pace[..], &[&peer.enode()]].concat());
    assert_eq!(run.code, 1);
    for line in run.of_type("probe") {
        assert_eq!(line["failure"], "no-reply", "{line:#}");
        assert_eq!(line["junk"], 0, "{line:#}");
    }
    assert_eq!(run.of_type("target")[0]["received"], 0);
}

#[test]
fn a_late_pong_does_not_disturb_the_next_probe() {
    let mut first: Option<Got> = None;
    let peer = Scripted::start(507, move |stage, got| match &first {
        None => first = Some(got.clone()),
        Some(first) => {
            stage.reply(got, &stage.pong_but(first, |pong| pong.enr_seq = Some(1)));
            sleep(Duration::from_millis(20));
            stage.reply(got, &stage.pong_but(got, |pong| pong.enr_seq = Some(2)));
        }
    });
    let pace = ["--count", "2", "--interval", "0", "--timeout", "500ms", "--retries", "0"];
    let run = eth_ping(&[&pace[..], &[&peer.bare()]].concat());
    let [late, good] = run.of_type("probe")[..] else { panic!("{:#?}", run.lines) };
    assert_eq!(late["failure"], "no-reply");
    assert_eq!(
        (&good["ok"], &good["enr_seq"], &good["tries"]),
        (&true.into(), &2.into(), &1.into())
    );
    assert_eq!(warnings(good), [""; 0]);
    assert!(good["rtt_ms"].as_f64().is_some_and(|rtt| rtt >= 20.0), "{good:#}");
}

#[test]
fn a_peer_that_loses_its_key_between_probes_is_wrong_from_then_on() {
    let peer = Scripted::start(508, |stage, got| {
        let pong = stage.pong(got);
        let other = common::wire::frame(&common::wire::key(9_500), 2, &pong[98..]);
        stage.reply(got, if got.nth == 1 { &pong } else { &other });
    });
    let pace = ["--count", "2", "--interval", "0", "--timeout", "3s", "--retries", "0"];
    let run = eth_ping(&[&pace[..], &[&peer.enode()]].concat());
    let [good, wrong] = run.of_type("probe")[..] else { panic!("{:#?}", run.lines) };
    assert_eq!((&good["ok"], &wrong["failure"]), (&true.into(), &"wrong-identity".into()));
    assert_eq!(run.code, 0);
}

#[test]
fn an_answer_slower_than_max_rtt_is_not_as_asked_and_still_shown() {
    let peer = Scripted::start(509, |stage, got| {
        sleep(Duration::from_millis(30));
        stage.reply(got, &stage.pong(got));
    });
    let run = eth_ping(&["--timeout", "5s", "--max-rtt", "10ms", &peer.enode()]);
    let line = run.failed("not-as-asked");
    assert_eq!((&line["limit"], &line["max_rtt_ms"]), (&"max-rtt".into(), &10.0.into()));
    assert!(line["rtt_ms"].as_f64().is_some_and(|rtt| rtt >= 30.0), "{line:#}");
    assert_eq!(line["node_id"], peer.id());

    let run = eth_ping(&["--timeout", "20s", "--max-rtt", "20s", &peer.enode()]);
    assert!(run.answered()["rtt_ms"].as_f64().is_some_and(|rtt| rtt >= 30.0));
    assert_eq!(pings(&peer.finish()).len(), 2);
}
