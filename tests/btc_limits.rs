//! What the user asks of a peer, just kept and just missed: `not-as-asked` beside the whole answer.

mod common;

use std::time::Duration;

use common::btc::{
    PATIENT, Probed, message, probe, probe_each, saying, verack, version, version_but,
};
use common::scripted_tcp::Step;
use common::wire::now_unix_s;
use p2pprobe::bitcoin::Version;
use serde_json::{Value, json};

fn peer(change: impl FnOnce(&mut Version)) -> Vec<Step> {
    saying([version_but(change), verack()].concat())
}

fn run(options: &[&str], script: Vec<Step>) -> Probed {
    probe(&[PATIENT, options].concat(), script)
}

fn kept(options: &[&str], script: Vec<Step>) {
    let line = run(options, script).line;
    assert_eq!((&line["ok"], line.get("limit")), (&json!(true), None), "{options:?}: {line:#}");
}

/// Asserts that the limit is missed and named with these values. What the peer said is all there: the schema sees to
/// it.
fn missed(options: &[&str], script: Vec<Step>, limit: &str, field: &str, value: &Value) {
    let line = run(options, script).line;
    let told = (&line["failure"], &line["limit"], &line[field]);
    assert_eq!(told, (&json!("not-as-asked"), &json!(limit), value), "{options:?}: {line:#}");
    assert_eq!(line["user_agent"], "/Satoshi:31.1.0/");
    assert!(line["rtt_ms"].is_number(), "{line:#}");
}

#[test]
fn min_height() {
    kept(&["--min-height", "900000"], peer(|_| {}));
    let miss = |asked: i32, script| {
        let option = asked.to_string();
        missed(&["--min-height", &option], script, "min-height", "min_height", &json!(asked));
    };
    miss(900_001, peer(|_| {}));
    miss(1, peer(|version| version.start_height = Some(-1)));
}

#[test]
fn need_services() {
    let both = ["--need-services", "NETWORK,WITNESS"];
    kept(&both, peer(|version| version.services = 0x9));
    kept(&["--need-services", "NETWORK"], peer(|_| {}));
    let miss = |services, missing: Value| {
        let script = peer(|version| version.services = services);
        missed(&both, script, "need-services", "missing_services", &missing);
    };
    miss(0x1, json!(["WITNESS"]));
    miss(0x8, json!(["NETWORK"]));
    miss(0, json!(["NETWORK", "WITNESS"]));
    miss(!0x9, json!(["NETWORK", "WITNESS"]));
}

#[test]
fn max_clock_skew() {
    let off_by = |seconds| peer(move |version| version.timestamp = now_unix_s() as i64 + seconds);
    // Half a minute is for a machine that is busy.
    kept(&["--max-clock-skew", "5m"], off_by(270));
    kept(&["--max-clock-skew", "5m"], off_by(-270));
    let miss = |script| {
        let value = json!(300_000.0);
        missed(&["--max-clock-skew", "5m"], script, "max-clock-skew", "max_clock_skew_ms", &value);
    };
    miss(off_by(330));
    miss(off_by(-330));
    miss(peer(|version| version.timestamp = i64::MIN));
    miss(peer(|version| version.timestamp = i64::MAX));
    miss(peer(|version| version.timestamp = 0));
}

#[test]
fn max_rtt() {
    let pong_after = |ms| {
        let slow = Step::answer("ping", |nonce| message("pong", nonce));
        let start = saying([version(), verack()].concat());
        let mut script: Vec<_> = start.into_iter().take(2).collect();
        script.extend([Step::Await("verack"), Step::Pause(Duration::from_millis(ms)), slow]);
        script
    };
    kept(&["--max-rtt", "15s"], pong_after(300));
    let value = json!(250.0);
    missed(&["--max-rtt", "250ms"], pong_after(600), "max-rtt", "max_rtt_ms", &value);
}

#[test]
fn several_limits_at_once_and_one_peer_of_two() {
    let options =
        [PATIENT, &["--min-height", "900000", "--need-services", "WITNESS", "--max-rtt", "15s"]];
    let scripts = [peer(|_| {}), peer(|version| version.start_height = Some(899_999))];
    let [good, low] = &probe_each(&options.concat(), scripts)[..] else { panic!() };
    assert_eq!(good.line["ok"], true, "{:#}", good.line);
    assert_eq!(low.line["limit"], "min-height", "{:#}", low.line);
    assert_eq!(low.line["height"], 899_999);
}

#[test]
fn a_limit_takes_nothing_from_another_failure() {
    let script = vec![Step::Await("version"), Step::Send(version()), Step::Close];
    let line = run(&["--min-height", "900001"], script).line;
    assert_eq!((&line["failure"], &line["after"]), (&json!("closed-early"), &json!("version")));
}
