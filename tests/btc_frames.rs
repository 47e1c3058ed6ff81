//! Frames in pieces of one byte, with lengths that are lies, checksums that are wrong and commands that are none.

mod common;

use std::time::{Duration, Instant};

use common::btc::{
    BRIEF, MAINNET, PATIENT, Row, assert_rows, frame, header, message, pong, probe, saying,
    saying_only, verack, version, with_bad_checksum,
};
use common::program::btc_handshake;
use common::scripted_tcp::{ScriptedTcp, Step};
use serde_json::json;

/// Mistake 3 of simple scripts: whoever asks for four bytes gets four.
#[test]
fn one_byte_a_write() {
    let whole = [version(), message("wtxidrelay", &[]), message("sendaddrv2", &[]), verack()];
    let script =
        vec![Step::Await("version"), Step::Drip(whole.concat(), Duration::from_millis(1)), pong()];
    let heard = json!(["version", "wtxidrelay", "sendaddrv2", "verack", "pong"]);
    assert_rows(PATIENT, vec![("drip", script, json!({"ok": true, "messages": heard}))]);
}

/// Mistake 11 of simple scripts: no timeout, or one that starts anew with each byte.
#[test]
fn one_byte_a_second_ends_at_the_deadline_and_holds_up_nobody() {
    let drip = vec![Step::Drip(version(), Duration::from_secs(1))];
    let slow = ScriptedTcp::start(drip);
    let good = ScriptedTcp::start(common::btc::good_peer());
    let began = Instant::now();
    let outcome = btc_handshake(&["--timeout", "2500ms", &slow.target(), &good.target()]);
    let took = began.elapsed();
    let [first, second] = outcome.lines.as_slice() else { panic!("{:#?}", outcome.lines) };
    assert_eq!((&first["target"], &first["ok"]), (&json!(good.target()), &json!(true)));
    assert_eq!((&second["target"], &second["failure"]), (&json!(slow.target()), &json!("stalled")));
    assert_eq!(second["after"], "version-sent");
    assert!(second.get("limit").is_none(), "{second:#}");
    // One at once, then one a second; less, where the machine is busy.
    assert!(second["received"].as_u64().is_some_and(|n| (1..=3).contains(&n)), "{second:#}");
    assert!(second["waited_ms"].as_u64().is_some_and(|ms| ms >= 2000), "{second:#}");
    assert!(took < Duration::from_secs(20), "{took:?}");
}

/// Mistake 4 of simple scripts: the length is believed, whatever it says.
#[test]
fn a_length_above_4_000_000_ends_it_at_once() {
    let claims = |length| header(MAINNET, b"version", length, [0; 4]);
    let inv = |length| header(MAINNET, b"inv", length, [0; 4]);
    let rows: Vec<Row> = vec![
        (
            "one too many",
            saying_only(claims(4_000_001)),
            json!({"failure": "oversized", "length": 4_000_001, "after": "version-sent"}),
        ),
        (
            "all ones",
            saying_only(claims(u32::MAX)),
            json!({"failure": "oversized", "length": u32::MAX, "after": "version-sent"}),
        ),
        (
            "behind the version",
            saying_only([version(), inv(u32::MAX)].concat()),
            json!({"failure": "oversized", "length": u32::MAX, "after": "version",
                "user_agent": "/Satoshi:31.1.0/", "messages": ["version"]}),
        ),
        (
            "behind the verack",
            saying_only([version(), verack(), inv(u32::MAX)].concat()),
            json!({"ok": true, "warnings": [{"warning": "no-pong"}]}),
        ),
    ];
    let began = Instant::now();
    assert_rows(&["--timeout", "40s"], rows);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn a_length_of_4_000_000_is_waited_for() {
    let claim = header(MAINNET, b"version", 4_000_000, [0; 4]);
    let says = json!({"failure": "stalled", "after": "version-sent", "received": 24,
        "limit": null, "messages": null});
    assert_rows(BRIEF, vec![("silence", saying_only(claim), says)]);
    let long = message("block", &vec![0; 4_000_000]);
    let script = saying([version(), verack(), long].concat());
    assert_rows(PATIENT, vec![("all of it", script, json!({"ok": true}))]);
}

#[test]
fn a_wrong_checksum_matters_where_the_message_does() {
    let broken = |name| with_bad_checksum(message(name, &[1]));
    let warning = |name: &str, count: u32| {
        json!({"ok": true,
            "warnings": [{"warning": "bad-checksum", "message": name, "count": count}]})
    };
    let rows: Vec<Row> = vec![
        (
            "of the version",
            saying([with_bad_checksum(version()), verack()].concat()),
            json!({"failure": "bad-checksum", "message": "version", "protocol": null}),
        ),
        (
            "of the verack",
            saying([version(), with_bad_checksum(verack())].concat()),
            json!({"failure": "bad-checksum", "message": "verack", "height": 900_000}),
        ),
        // Mistake 4 of simple scripts: the error ends the whole crawl.
        (
            "of another",
            saying([version(), broken("sendtxrcncl"), verack()].concat()),
            warning("sendtxrcncl", 1),
        ),
        (
            "of two others",
            saying([version(), verack(), broken("inv"), broken("addr")].concat()),
            warning("inv", 2),
        ),
    ];
    assert_rows(PATIENT, rows);
}

#[test]
fn a_ping_with_a_wrong_checksum_gets_no_pong() {
    let ping = with_bad_checksum(message("ping", &[9; 8]));
    let probed = probe(PATIENT, saying([version(), verack(), ping].concat()));
    assert_eq!(probed.line["ok"], true, "{:#}", probed.line);
    assert_eq!(probed.connection().payloads("pong"), [[0; 8]; 0]);
}

/// Mistake 5 of simple scripts: NULs inside a command are deleted, and `pi\0ng` is a ping.
#[test]
fn a_command_that_is_none_is_counted_and_not_answered() {
    let none = |command: &[u8]| frame(MAINNET, command, &[9; 8]);
    let bad =
        |count: u32| json!({"ok": true, "warnings": [{"warning": "bad-command", "count": count}]});
    let several = [none(b""), none(b"\x1b[31m"), none(b"ping\0\0\0\0\0\0\0x"), none(b"p\xffng")];
    let between = [version(), none(b"pi\0ng"), verack()].concat();
    let rows: Vec<Row> = vec![
        ("NUL inside", saying([version(), verack(), none(b"pi\0ng")].concat()), bad(1)),
        ("several", saying([version(), verack(), several.concat()].concat()), bad(4)),
        ("between", saying(between), bad(1)),
        ("before the version", saying([none(b"ver\0sion"), version(), verack()].concat()), bad(1)),
    ];
    for probed in assert_rows(PATIENT, rows) {
        assert_eq!(probed.connection().payloads("pong"), [[0; 8]; 0]);
        // A name is what a message has.
        assert_eq!(probed.line["messages"], json!(["version", "verack", "pong"]));
    }
}

/// A version that is called otherwise is none.
#[test]
fn a_command_is_taken_as_it_stands() {
    let called = |command: &[u8]| {
        let payload = common::btc::version_payload(|_| {});
        saying_only(frame(MAINNET, command, &payload))
    };
    let stalled = json!({"failure": "stalled", "after": "version-sent", "messages": null,
        "warnings": [{"warning": "bad-command", "count": 1}]});
    let named = |name: &str| {
        json!({"failure": "stalled", "after": "version-sent", "messages": [name],
            "warnings": [{"warning": "out-of-order", "message": name}]})
    };
    let rows: Vec<Row> = vec![
        ("NUL inside", called(b"ver\0sion"), stalled),
        ("capitals", called(b"VERSION"), named("VERSION")),
        ("a blank behind", called(b"version "), named("version ")),
        ("longer", called(b"versionx"), named("versionx")),
    ];
    assert_rows(BRIEF, rows);
}
