//! Messages twice, too early, and in orders that no specification knows. A peer that says version and verack has
//! shaken hands, whatever else it says.

mod common;

use common::btc::{PATIENT, Row, assert_rows, message, pong, probe, saying, verack, version_but};
use common::scripted_tcp::Step;
use serde_json::{Value, json};

fn version() -> Vec<u8> {
    common::btc::version()
}

fn other_version() -> Vec<u8> {
    version_but(|version| {
        (version.protocol, version.services) = (70_015, 1);
        version.user_agent = Some(b"/other:2/".to_vec());
        (version.timestamp, version.start_height, version.relay) = (0, Some(2), Some(false));
    })
}

/// What the first version says, with these warnings.
fn first(warnings: &Value) -> Value {
    json!({"ok": true, "protocol": 70_016, "services": "0x409", "user_agent": "/Satoshi:31.1.0/",
        "height": 900_000, "relay": true, "warnings": warnings})
}

fn twice(copies: u32) -> Value {
    json!([{"warning": "duplicate", "copies": copies}])
}

fn early(message: &str) -> Value {
    json!([{"warning": "out-of-order", "message": message}])
}

#[test]
fn the_first_version_and_the_first_verack_count() {
    let parts = |parts: &[Vec<u8>]| saying(parts.concat());
    let rows: Vec<Row> = vec![
        ("version twice", parts(&[version(), other_version(), verack()]), first(&twice(1))),
        (
            "version again behind verack",
            parts(&[version(), verack(), other_version()]),
            first(&twice(1)),
        ),
        ("verack twice", parts(&[version(), verack(), verack()]), first(&twice(1))),
        (
            "all of it twice",
            parts(&[version(), other_version(), verack(), verack()]),
            first(&twice(2)),
        ),
    ];
    for probed in assert_rows(PATIENT, rows) {
        // Nor is anything said twice.
        let names = probed.connection().names();
        assert_eq!(names, ["version", "wtxidrelay", "sendaddrv2", "verack", "ping"]);
    }
}

/// Behind a version that could be read, another one that cannot is nothing that the answer needs.
#[test]
fn a_second_version_that_is_broken_breaks_nothing() {
    let cut = || message("version", &[0; 45]);
    let sum = || common::btc::with_bad_checksum(other_version());
    let before = [version(), cut(), verack()].concat();
    let behind = [version(), verack(), cut()].concat();
    let rows = vec![
        ("between", saying(before), first(&twice(1))),
        ("behind", saying(behind), first(&twice(1))),
    ];
    assert_rows(PATIENT, rows);
    let warnings = json!([{"warning": "bad-checksum", "message": "version", "count": 1}]);
    for bytes in [[version(), sum(), verack()].concat(), [version(), verack(), sum()].concat()] {
        let line = probe(PATIENT, saying(bytes)).line;
        assert_eq!((&line["ok"], &line["warnings"]), (&json!(true), &warnings), "{line:#}");
    }
}

/// bcoin says its version on accept, before it has read ours.
#[test]
fn a_version_on_accept_is_in_order() {
    let on_accept = vec![Step::Send([version(), verack()].concat()), pong()];
    let first_alone = vec![
        Step::Send(version()),
        Step::Await("version"),
        Step::Await("verack"),
        Step::Send(verack()),
        pong(),
    ];
    let rows = vec![
        ("all at once", on_accept, json!({"ok": true})),
        ("the verack to ours", first_alone, json!({"ok": true})),
    ];
    assert_rows(PATIENT, rows);
}

#[test]
fn what_may_stand_between_version_and_verack_is_in_order() {
    let between = |messages: &[(&str, &[u8])]| {
        let messages: Vec<u8> =
            messages.iter().flat_map(|(name, payload)| message(name, payload)).collect();
        saying([version(), messages, verack()].concat())
    };
    let core = between(&[("wtxidrelay", &[]), ("sendaddrv2", &[])]);
    let more = between(&[("sendtxrcncl", &[1; 12]), ("feature", b"\x03abc"), ("sendaddrv2", &[])]);
    // Nobody knows where it belongs.
    let unknown = between(&[("zzz", &[7; 100]), ("a name of 12", &[])]);
    let rows: Vec<Row> = vec![
        (
            "as Core has it",
            core,
            json!({"ok": true,
                "messages": ["version", "wtxidrelay", "sendaddrv2", "verack", "pong"]}),
        ),
        (
            "BIP-330 and BIP-434",
            more,
            json!({"ok": true,
                "messages": ["version", "sendtxrcncl", "feature", "sendaddrv2", "verack", "pong"]}),
        ),
        (
            "unknown",
            unknown,
            json!({"ok": true,
                "messages": ["version", "zzz", "a name of 12", "verack", "pong"]}),
        ),
    ];
    for probed in assert_rows(PATIENT, rows) {
        assert!(probed.line.get("message_count").is_none(), "{:#}", probed.line);
    }
}

#[test]
fn what_belongs_behind_verack_is_out_of_order_between() {
    let late = [
        "ping",
        "pong",
        "inv",
        "addr",
        "addrv2",
        "headers",
        "getheaders",
        "getaddr",
        "getdata",
        "getblocks",
        "tx",
        "block",
        "mempool",
        "notfound",
        "sendheaders",
        "sendcmpct",
        "feefilter",
    ];
    let row = |name| {
        let between = message(name, &[0; 9]);
        // Only the first is named.
        let another = message("inv", &[0]);
        let script = saying([version(), between, another, verack()].concat());
        (name, script, json!({"ok": true, "warnings": early(name)}))
    };
    assert_rows(PATIENT, late.map(row).into());
    let behind: Vec<u8> = late.iter().flat_map(|name| message(name, &[0; 9])).collect();
    let script = saying([version(), verack(), behind].concat());
    assert_rows(PATIENT, vec![("behind", script, json!({"ok": true}))]);
}

#[test]
fn whatever_comes_before_the_version_is_out_of_order() {
    let row = |name| {
        let script = saying([message(name, &[1; 8]), version(), verack()].concat());
        (name, script, json!({"ok": true, "warnings": early(name)}))
    };
    assert_rows(PATIENT, ["wtxidrelay", "alert", "inv", "ping"].map(row).into());
}

#[test]
fn a_verack_before_the_version_is_a_verack() {
    let script = saying([verack(), version()].concat());
    let messages = json!(["verack", "version", "pong"]);
    let says = json!({"ok": true, "warnings": early("verack"), "messages": messages});
    let probed = assert_rows(PATIENT, vec![("verack first", script, says)]);
    assert_eq!(probed[0].connection().names().last(), Some(&"ping"));
}

#[test]
fn a_verack_alone_is_no_handshake() {
    let script = vec![Step::Await("version"), Step::Send(verack()), Step::Close];
    let line = probe(PATIENT, script).line;
    assert_eq!(line["failure"], "closed-early", "{line:#}");
    assert_eq!((&line["after"], &line["received"]), (&json!("version-sent"), &json!(24)));
    assert_eq!(line["messages"], json!(["verack"]));
}
