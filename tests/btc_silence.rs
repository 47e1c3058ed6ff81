//! Peers that fall silent or hang up, and how far they came. A handshake that was complete stays one.

mod common;

use common::btc::{BRIEF, PATIENT, Row, assert_rows, message, probe, saying_only, verack, version};
use common::scripted_tcp::Step;
use serde_json::{Value, json};

fn no_pong() -> Value {
    json!({"ok": true, "height": 900_000, "rtt_ms": null, "warnings": [{"warning": "no-pong"}]})
}

/// Bytes of a version as Core has it.
fn length() -> usize {
    version().len()
}

/// Mistake 11 of simple scripts: they wait for ever.
#[test]
fn silence_ends_at_the_deadline() {
    let half = version()[..100].to_vec();
    let stalled = |after: &str, received: usize| json!({"failure": "stalled", "after": after, "received": received, "limit": null});
    let rows: Vec<Row> = vec![
        ("on accept", vec![], stalled("version-sent", 0)),
        ("in the version", saying_only(half), stalled("version-sent", 100)),
        ("behind the version", saying_only(version()), stalled("version", length())),
        (
            "in the verack",
            saying_only([&version()[..], &verack()[..23]].concat()),
            stalled("version", length() + 23),
        ),
        ("behind the verack", saying_only([version(), verack()].concat()), no_pong()),
    ];
    for probed in assert_rows(BRIEF, rows) {
        let line = &probed.line;
        if line["ok"] == false {
            let waited = line["waited_ms"].as_u64();
            assert!(waited.is_some_and(|ms| (1000..20_000).contains(&ms)), "{line:#}");
        }
        assert!(probed.connection().hung_up_after.is_some(), "{line:#}");
    }
}

#[test]
fn a_version_without_verack_tells_all_that_it_says() {
    let script = saying_only([version(), message("wtxidrelay", &[])].concat());
    let says = json!({"failure": "stalled", "after": "version", "protocol": 70_016,
        "services": "0x409", "service_names": ["NETWORK", "WITNESS", "NETWORK_LIMITED"],
        "user_agent": "/Satoshi:31.1.0/", "height": 900_000, "relay": true,
        "seen_as": "192.0.2.1:40000", "magic": "f9beb4d9", "handshake_ms": null, "rtt_ms": null,
        "messages": ["version", "wtxidrelay"]});
    let probed = assert_rows(BRIEF, vec![("no verack", script, says)]);
    assert!(probed[0].line["clock_offset_s"].as_i64().is_some_and(|s| s.abs() < 60));
}

/// A full node, and one that has banned us, hang up so.
#[test]
fn a_peer_that_hangs_up_without_a_byte_may_be_full() {
    let closed = |how: &str| json!({"failure": "closed-early", "after": "version-sent", "received": 0, "how": how});
    let rows: Vec<Row> = vec![
        ("FIN on accept", vec![Step::Close], closed("eof")),
        ("FIN", vec![Step::Await("version"), Step::Close], closed("eof")),
        ("RST", vec![Step::Await("version"), Step::Reset], closed("reset")),
    ];
    for probed in assert_rows(PATIENT, rows) {
        let reason = probed.line["reason"].as_str().expect("a reason").to_lowercase();
        for guess in ["full", "ban", "network", "bitcoin"] {
            assert!(reason.contains(guess), "no {guess} in: {reason}");
        }
    }
}

#[test]
fn a_reset_on_accept() {
    // Whether our version had left by then is for the kernel to know.
    let line = probe(PATIENT, vec![Step::Reset]).line;
    assert_eq!(line["failure"], "closed-early", "{line:#}");
    assert_eq!((&line["how"], &line["received"]), (&json!("reset"), &json!(0)), "{line:#}");
    assert!(["connect", "version-sent"].map(Value::from).contains(&line["after"]), "{line:#}");
}

#[test]
fn how_far_a_peer_came_that_hangs_up() {
    let closed = |after: &str, received: usize, how: &str| json!({"failure": "closed-early", "after": after, "received": received, "how": how});
    let part = version()[..100].to_vec();
    let ends = |bytes: &[u8], last: Step| {
        vec![Step::Await("version"), Step::Send(bytes.to_vec()), Step::Await("verack"), last]
    };
    let both = [version(), verack()].concat();
    // Its version is one byte of the verack's frame too long.
    let and_a_byte = [&version()[..], &verack()[..1]].concat();
    let rows: Vec<Row> = vec![
        (
            "in the version",
            vec![Step::Await("version"), Step::Send(part), Step::Close],
            closed("version-sent", 100, "eof"),
        ),
        ("FIN", ends(&version(), Step::Close), closed("version", length(), "eof")),
        ("RST", ends(&version(), Step::Reset), closed("version", length(), "reset")),
        ("in the verack", ends(&and_a_byte, Step::Close), closed("version", length() + 1, "eof")),
        ("FIN behind the verack", ends(&both, Step::Close), no_pong()),
        ("RST behind the verack", ends(&both, Step::Reset), no_pong()),
        (
            "FIN behind our ping",
            vec![
                Step::Await("version"),
                Step::Send(both.clone()),
                Step::Await("ping"),
                Step::Close,
            ],
            no_pong(),
        ),
    ];
    for probed in assert_rows(PATIENT, rows) {
        if probed.line["after"] == "version" {
            assert_eq!(probed.line["user_agent"], "/Satoshi:31.1.0/");
        }
    }
}

#[test]
fn a_pong_to_another_ping_is_none() {
    let script = vec![
        Step::Await("version"),
        Step::Send([version(), verack()].concat()),
        Step::answer("ping", |nonce| {
            let other: Vec<u8> = nonce.iter().rev().map(|byte| byte ^ 1).collect();
            [message("pong", &other), message("pong", &nonce[..7]), message("pong", &[])].concat()
        }),
    ];
    let probed = assert_rows(BRIEF, vec![("another nonce", script, no_pong())]);
    let messages = json!(["version", "verack", "pong", "pong", "pong"]);
    assert_eq!(probed[0].line["messages"], messages);
}
