//! Versions of peers that are cut, too long, of all times, or say who they are in odd ways.

mod common;

use std::time::{Duration, Instant};

use common::btc::{
    PATIENT, Row, assert_rows, message, probe, probe_each, saying, verack, version_but,
    version_payload,
};
use common::scripted_tcp::Step;
use common::wire::now_unix_s;
use p2pprobe::bitcoin::{NetAddr, Version};
use serde_json::{Value, json};

/// A handshake whose version has this payload.
fn with_payload(payload: &[u8]) -> Vec<Step> {
    saying([message("version", payload), verack()].concat())
}

fn with(change: impl FnOnce(&mut Version)) -> Vec<Step> {
    with_payload(&version_payload(change))
}

/// The first so many bytes of a version as Core has it.
fn cut(length: usize) -> Vec<Step> {
    with_payload(&version_payload(|_| {})[..length])
}

/// Where the fields end in a version whose user agent is `/Satoshi:31.1.0/`.
const ADDR_RECV: usize = 46;
const ADDR_FROM: usize = 72;
const NONCE: usize = 80;
const USER_AGENT: usize = 97;
const START_HEIGHT: usize = 101;

/// Mistake 6 of simple scripts: the relay byte is read where there is none.
#[test]
fn a_version_may_end_after_each_field_from_addr_recv_on() {
    let short = |ends_after: &str| json!([{"warning": "short-version", "ends_after": ends_after}]);
    let rows: Vec<Row> = vec![
        (
            "addr_recv",
            cut(ADDR_RECV),
            json!({"ok": true, "services": "0x409", "seen_as": "192.0.2.1:40000",
                "user_agent": null, "height": null, "warnings": short("addr_recv")}),
        ),
        (
            "addr_from",
            cut(ADDR_FROM),
            json!({"ok": true, "user_agent": null, "warnings": short("addr_from")}),
        ),
        ("nonce", cut(NONCE), json!({"ok": true, "user_agent": null, "warnings": short("nonce")})),
        (
            "user_agent",
            cut(USER_AGENT),
            json!({"ok": true, "user_agent": "/Satoshi:31.1.0/", "height": null,
                "warnings": short("user_agent")}),
        ),
        (
            "start_height",
            cut(START_HEIGHT),
            json!({"ok": true, "height": 900_000, "warnings": short("start_height")}),
        ),
    ];
    for probed in assert_rows(PATIENT, rows) {
        // What is absent means true (BIP-37).
        assert_ne!(probed.line["relay"], false, "{:#}", probed.line);
    }
}

#[test]
fn a_version_that_ends_inside_a_field_is_malformed_there() {
    let rows = [
        (0, "version.version", 0),
        (3, "version.version", 0),
        (19, "version.timestamp", 12),
        (ADDR_RECV - 1, "version.addr_recv.port", 44),
        (ADDR_RECV + 1, "version.addr_from.services", ADDR_RECV),
        (NONCE - 1, "version.nonce", ADDR_FROM),
        (NONCE + 1, "version.user_agent", NONCE + 1),
        (USER_AGENT + 3, "version.start_height", USER_AGENT),
    ];
    let scripts = rows.map(|(length, ..)| cut(length));
    for ((length, field, offset), probed) in rows.iter().zip(probe_each(PATIENT, scripts)) {
        let line = &probed.line;
        assert_eq!(line["failure"], "malformed", "{length}: {line:#}");
        assert_eq!((&line["field"], &line["offset"]), (&json!(field), &json!(offset)), "{length}");
        assert_eq!(line["messages"], json!(["version"]), "{length}: {line:#}");
    }
}

#[test]
fn bytes_behind_the_relay_byte_are_counted() {
    let longer = |count| [version_payload(|_| {}), vec![0x55; count]].concat();
    let extra = |count: usize| {
        let warnings = json!([{"warning": "extra-bytes", "count": count}]);
        json!({"ok": true, "relay": true, "user_agent": "/Satoshi:31.1.0/", "warnings": warnings})
    };
    let row = |name, count| (name, with_payload(&longer(count)), extra(count));
    assert_rows(PATIENT, vec![row("one", 1), row("many", 5000)]);
}

/// Mistake 6 of simple scripts: a time of 0 is taken for none.
#[test]
fn clocks_of_all_times() {
    let before = now_unix_s() as i64;
    let times = [i64::MIN, -1, 0, 1, before - 590, before, before + 590, before + 660, i64::MAX];
    let probed = probe_each(PATIENT, times.map(|time| with(|version| version.timestamp = time)));
    let after = now_unix_s() as i64;
    for (time, probed) in times.iter().zip(&probed) {
        let line = &probed.line;
        assert_eq!(line["ok"], true, "{time}: {line:#}");
        let offset = line["clock_offset_s"].as_i64().expect("an offset");
        let due = time.saturating_sub(after)..=time.saturating_sub(before);
        assert!(due.contains(&offset), "{time}: {due:?}, {line:#}");
        // The schema sees that the warning is there exactly where the offset is above ten minutes.
        if let Some(warnings) = line["warnings"].as_array() {
            let by_s = offset.unsigned_abs();
            assert_eq!(*warnings, [json!({"warning": "clock", "by_s": by_s})], "{line:#}");
        }
    }
    let warned = probed.iter().filter(|probed| probed.line.get("warnings").is_some());
    assert_eq!(warned.count(), 6);
}

#[test]
fn numbers_at_their_ends() {
    let all_bits = (0..64).map(|bit| 1_u64 << bit).sum();
    let names = |line: &Value| line["service_names"].as_array().map(Vec::len);
    let rows: Vec<Row> = vec![
        (
            "nothing",
            with(|version| (version.services, version.start_height) = (0, Some(0))),
            json!({"ok": true, "services": "0x0", "service_names": null, "height": 0}),
        ),
        (
            "everything",
            with(|version| (version.services, version.start_height) = (all_bits, Some(i32::MAX))),
            json!({"ok": true, "services": "0xffffffffffffffff", "height": i32::MAX}),
        ),
        (
            "less than nothing",
            with(|version| (version.protocol, version.start_height) = (-1, Some(i32::MIN))),
            json!({"ok": true, "protocol": -1, "height": i32::MIN,
                "warnings": [{"warning": "no-pong"}]}),
        ),
        (
            "no name",
            with(|version| version.services = 1 << 9 | 1),
            json!({"ok": true, "services": "0x201", "service_names": ["NETWORK", "bit 9"]}),
        ),
        (
            "relay off",
            with(|version| version.relay = Some(false)),
            json!({"ok": true, "relay": false}),
        ),
    ];
    let probed = assert_rows(PATIENT, rows);
    assert_eq!(names(&probed[1].line), Some(64));
}

#[test]
fn where_the_peer_sees_us() {
    let seen = |text: &str| {
        let addr = NetAddr::new(0, text.parse().expect("an address"));
        saying([version_but(|version| version.addr_recv = addr), verack()].concat())
    };
    let rows: Vec<Row> = vec![
        ("IPv4", seen("192.0.2.9:5"), json!({"ok": true, "seen_as": "192.0.2.9:5"})),
        ("IPv6", seen("[2001:db8::1]:5"), json!({"ok": true, "seen_as": "[2001:db8::1]:5"})),
        ("all zeros", seen("[::]:0"), json!({"ok": true, "seen_as": null})),
        ("mapped zeros", seen("0.0.0.0:0"), json!({"ok": true, "seen_as": null})),
        ("zeros with a port", seen("0.0.0.0:8333"), json!({"ok": true, "seen_as": null})),
    ];
    assert_rows(PATIENT, rows);
}

/// A peer of before BIP-31 answers no ping, and so none is sent, nor waited for.
#[test]
fn a_peer_of_protocol_60000_is_done_with_its_verack() {
    let began = Instant::now();
    let probed = probe(&["--timeout", "50s"], with(|version| version.protocol = 60_000));
    assert!(began.elapsed() < Duration::from_secs(25), "it waited: {:?}", began.elapsed());
    let line = &probed.line;
    assert_eq!((&line["ok"], &line["protocol"]), (&json!(true), &json!(60_000)), "{line:#}");
    assert_eq!(line["warnings"], json!([{"warning": "no-pong"}]), "{line:#}");
    assert!(line["handshake_ms"].is_number() && line.get("rtt_ms").is_none(), "{line:#}");
    let connection = probed.connection();
    assert_eq!(connection.names(), ["version", "verack"]);
    assert!(connection.hung_up_after.is_some());
    // Who asks for a round trip does not get one.
    let options = ["--timeout", "50s", "--max-rtt", "40s"];
    let line = probe(&options, with(|version| version.protocol = 60_000)).line;
    assert_eq!((&line["failure"], &line["limit"]), (&json!("not-as-asked"), &json!("max-rtt")));
}
