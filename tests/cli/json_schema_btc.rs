//! The schema's part for `btc-handshake`: what its lines say, written by hand, and nothing beside it.

use serde_json::{Value, json};

use crate::common::schema::faults;
use crate::json_schema::{fields, refused, remove};

/// What the peer's version tells, and how long it took.
fn version() -> Value {
    json!({
        "connect_ms": 0.1, "version_ms": 1.5, "protocol": 70016, "services": "0x409",
        "service_names": ["NETWORK", "WITNESS", "NETWORK_LIMITED"], "user_agent": "/Satoshi:31.1.0/",
        "height": 900000, "relay": true, "clock_offset_s": -1, "seen_as": "192.0.2.1:40000",
        "messages": ["version"],
    })
}

/// A line of a handshake that is complete.
fn good() -> Value {
    let pong = json!({"ok": true, "handshake_ms": 2, "rtt_ms": 0.3,
        "messages": ["version", "verack", "pong"]});
    line(true, &[version(), pong])
}

/// A line with these fields, `begun` or not.
fn line(begun: bool, parts: &[Value]) -> Value {
    let mut line = json!({
        "type": "probe", "at": "2026-01-02T03:04:05.678Z", "command": "btc-handshake",
        "target": "192.0.2.7:8333", "network": "mainnet",
    });
    if begun {
        add(&mut line, &json!({"endpoint": "192.0.2.7:8333", "tries": 1, "magic": "f9beb4d9"}));
    }
    parts.iter().for_each(|part| add(&mut line, part));
    line
}

fn failed(begun: bool, failure: &str, parts: &[Value]) -> Value {
    let failure = json!({"ok": false, "failure": failure, "reason": "why"});
    line(begun, &[&[failure], parts].concat())
}

fn add(line: &mut Value, part: &Value) {
    let part = part.as_object().expect("an object").clone();
    line.as_object_mut().expect("an object").extend(part);
}

fn allowed(line: &Value) {
    assert_eq!(faults(line), Vec::<String>::new(), "{line}");
}

#[test]
fn an_answer_has_all_its_fields_and_no_others() {
    const OPTIONAL: [&str; 5] = ["network", "user_agent", "height", "relay", "seen_as"];
    let good = good();
    allowed(&good);
    for field in fields(&good) {
        if !OPTIONAL.contains(&field.as_str()) {
            refused(&good, |line| remove(line, &field));
        }
        refused(&good, |line| line[&field] = json!(null));
    }
    for field in ["surprise", "identity", "node_id", "tcp", "waited_ms", "message", "limit"] {
        refused(&good, |line| line[field] = json!(1));
    }
    refused(&good, |line| line["command"] = json!("eth-ping"));
}

#[test]
fn values_of_an_answer() {
    let bad = [
        ("magic", json!("F9BEB4D9")),
        ("magic", json!("d9b4bef")),
        ("protocol", json!(1_u64 << 31)),
        ("services", json!("0x0409")),
        ("services", json!("0X409")),
        ("services", json!(1033)),
        ("services", json!("0x0")),
        ("service_names", json!([])),
        ("service_names", json!(["bit 64"])),
        ("service_names", json!(["network"])),
        ("user_agent", json!("\u{1b}[31m")),
        ("user_agent", json!("é")),
        ("user_agent", json!(r"\x1b")),
        ("user_agent_hex", json!("1b")),
        ("relay", json!(1)),
        ("clock_offset_s", json!(0.5)),
        ("clock_offset_s", json!(601)),
        ("clock_offset_s", json!(i64::MIN)),
        ("seen_as", json!("::1")),
        ("messages", json!([])),
        ("messages", json!(["x".repeat(13)])),
        ("messages", json!(vec!["inv"; 65])),
        ("message_count", json!(0)),
        ("warnings", json!([])),
    ];
    for (field, value) in bad {
        refused(&good(), |line| line[field] = value);
    }
    let escaped = json!({"user_agent": r"\x1b[31m", "user_agent_hex": "1b5b33316d",
        "warnings": [{"warning": "unprintable", "field": "user_agent"}]});
    allowed(&line(true, &[good(), escaped.clone()]));
    refused(&line(true, &[good(), escaped]), |line| remove(line, "user_agent_hex"));
    let nothing_served = json!({"services": "0x0", "protocol": -1, "height": -1});
    let mut nothing_served = line(true, &[good(), nothing_served]);
    refused(&good(), |line| line["services"] = json!("0x0"));
    remove(&mut nothing_served, "service_names");
    allowed(&nothing_served);
}

#[test]
fn the_round_trip_is_absent_exactly_where_no_pong_came() {
    let warned = json!([{"warning": "no-pong"}]);
    refused(&good(), |line| line["warnings"] = warned.clone());
    let mut without = good();
    remove(&mut without, "rtt_ms");
    without["warnings"] = warned;
    allowed(&without);
    refused(&without, |line| remove(line, "warnings"));
    refused(&without, |line| line["warnings"] = json!([{"warning": "duplicate", "copies": 1}]));
}

#[test]
fn each_warning_has_its_own_fields_and_no_others() {
    let warnings = [
        json!({"warning": "bad-checksum", "message": "inv", "count": 2}),
        json!({"warning": "bad-command", "count": 1}),
        json!({"warning": "duplicate", "copies": 1}),
        json!({"warning": "extra-bytes", "count": 1}),
        json!({"warning": "short-version", "ends_after": "nonce"}),
        json!({"warning": "out-of-order", "message": "ping"}),
    ];
    let mut all = good();
    all["warnings"] = json!(warnings);
    allowed(&all);
    for (index, warning) in warnings.iter().enumerate() {
        for field in fields(warning) {
            refused(&all, |line| remove(&mut line["warnings"][index], &field));
            refused(&all, |line| line["warnings"][index][&field] = json!(0));
        }
        refused(&all, |line| line["warnings"][index]["lost"] = json!(1));
    }
    // Those of the other command.
    for foreign in [
        json!({"warning": "expired", "by_s": 1}),
        json!({"warning": "own-drops", "lost": 1}),
        json!({"warning": "other-source", "from": "192.0.2.1:1"}),
    ] {
        refused(&good(), |line| line["warnings"] = json!([foreign]));
    }
    // A clock that is wrong by more than ten minutes, and only such a one.
    let clock = json!([{"warning": "clock", "by_s": 601}]);
    refused(&good(), |line| line["warnings"] = clock.clone());
    let off = json!({"clock_offset_s": -601, "warnings": clock});
    refused(&line(true, &[good(), off]), |line| line["warnings"][0]["by_s"] = json!(600));
}

/// A line of each failure, with the fields that are its own.
fn failures() -> Vec<(Value, Vec<&'static str>)> {
    let connected = json!({"connect_ms": 0.1});
    let silent = json!({"after": "version-sent", "received": 0});
    let found = json!({"first_bytes": "0b110907", "connect_ms": 0.1});
    let cut = json!({"after": "version", "received": 150, "how": "eof"});
    let asked = |asked: Value| failed(true, "not-as-asked", &[without_ok(good()), asked]);
    let plain = |kind: &str, own: Value| failed(true, kind, &[connected.clone(), own]);
    let mut rows = vec![
        (failed(false, "bad-target", &[json!({"column": 1})]), vec!["column"]),
        (failed(false, "unresolved", &[json!({"host": "h"})]), vec!["host"]),
        (failed(true, "no-route", &[]), vec![]),
        (failed(false, "local-error", &[]), vec![]),
        (failed(false, "interrupted", &[]), vec![]),
        (failed(true, "interrupted", &[version()]), vec![]),
        (failed(true, "refused", &[]), vec!["endpoint"]),
        (failed(true, "host-unreachable", &[]), vec!["endpoint"]),
        (failed(true, "connect-timeout", &[json!({"waited_ms": 5000})]), vec!["waited_ms"]),
        (failed(true, "closed-early", &[version(), cut]), vec!["after", "received", "how"]),
        (
            plain("oversized", json!({"length": 4_000_001, "after": "version-sent"})),
            vec!["length", "after"],
        ),
        (plain("bad-checksum", json!({"message": "version"})), vec!["message"]),
        (failed(true, "bad-checksum", &[version(), json!({"message": "verack"})]), vec!["message"]),
        (failed(true, "self-connection", &[version()]), vec!["protocol"]),
        (
            plain("malformed", json!({"field": "version.nonce", "offset": 72})),
            vec!["field", "offset"],
        ),
        (asked(json!({"limit": "min-height", "min_height": 1})), vec!["min_height"]),
        (
            asked(json!({"limit": "need-services", "missing_services": ["WITNESS"]})),
            vec!["missing_services", "handshake_ms"],
        ),
        (
            asked(json!({"limit": "max-clock-skew", "max_clock_skew_ms": 5000})),
            vec!["max_clock_skew_ms"],
        ),
        (asked(json!({"limit": "max-rtt", "max_rtt_ms": 0.5})), vec!["max_rtt_ms", "rtt_ms"]),
    ];
    let stalled = json!({"waited_ms": 2000, "limit": "bytes"});
    rows.push((
        failed(true, "stalled", &[connected, silent, stalled]),
        vec!["after", "received", "waited_ms"],
    ));
    let not_bitcoin = json!({"looks_like": "http"});
    rows.push((
        failed(true, "not-bitcoin", &[found.clone(), not_bitcoin]),
        vec!["looks_like", "first_bytes"],
    ));
    let elsewhere = json!({"found_magic": "0b110907", "networks": ["testnet3"]});
    rows.push((
        failed(true, "wrong-network", &[found, elsewhere]),
        vec!["found_magic", "first_bytes"],
    ));
    rows
}

fn without_ok(mut line: Value) -> Value {
    remove(&mut line, "ok");
    line
}

#[test]
fn each_failure_has_its_own_fields_and_no_others() {
    for (line, required) in &failures() {
        allowed(line);
        for field in ["failure", "reason"].iter().chain(required) {
            refused(line, |line| remove(line, field));
        }
        for (other, value) in [
            ("column", json!(1)),
            ("host", json!("h")),
            ("waited_ms", json!(1)),
            ("after", json!("version")),
            ("how", json!("eof")),
            ("received", json!(1)),
            ("limit", json!("min-height")),
            ("message", json!("version")),
            ("first_bytes", json!("00")),
            ("field", json!("version.nonce")),
            ("junk", json!(1)),
            ("icmp_type", json!(3)),
        ] {
            if line.get(other).is_none() {
                refused(line, |line| line[other] = value);
            }
        }
        refused(line, |line| line["ok"] = json!(true));
        refused(line, |line| line["failure"] = json!("no-reply"));
        refused(line, |line| line["warnings"] = json!([{"warning": "no-pong"}]));
    }
}

#[test]
fn a_failure_agrees_with_what_is_known() {
    let find = |kind: &str| {
        let found = failures().into_iter().find(|(line, _)| line["failure"] == kind);
        found.expect("a line of that kind").0
    };
    // What came after the version knows the version, and what came before does not.
    refused(&find("closed-early"), |line| line["after"] = json!("version-sent"));
    refused(&find("stalled"), |line| line["after"] = json!("version"));
    refused(&find("malformed"), |line| add(line, &version()));
    refused(&find("bad-checksum"), |line| add(line, &version()));
    refused(&find("self-connection"), |line| line["handshake_ms"] = json!(1));
    refused(&find("refused"), |line| line["connect_ms"] = json!(1));
    refused(&find("oversized"), |line| line["length"] = json!(4_000_000));
    refused(&find("wrong-network"), |line| line["networks"] = json!([]));
    refused(&find("not-bitcoin"), |line| line["first_bytes"] = json!("00".repeat(25)));
    refused(&find("not-as-asked"), |line| line["limit"] = json!("tcp"));
}

#[test]
fn summaries_and_statistics_may_be_of_this_command_and_count_its_kinds_alone() {
    let at = json!({"at": "2026-01-02T03:04:05.678Z", "command": "btc-handshake"});
    let mut target = json!({"type": "target", "target": "a", "ok": true, "sent": 1, "received": 1,
        "loss_pct": 0});
    add(&mut target, &at);
    allowed(&target);
    let mut summary = json!({"type": "summary", "targets": 1, "answered": 1, "probes": 1, "ok": 1,
        "failures": {"wrong-network": 1}, "warnings": {"no-pong": 1}, "targets_per_s": 200.0, "elapsed_ms": 5});
    add(&mut summary, &at);
    allowed(&summary);
    refused(&summary, |line| line["failures"] = json!({"no-reply": 1}));
    refused(&summary, |line| line["warnings"] = json!({"own-drops": 1}));
    // Only datagrams are lost.
    refused(&summary, |line| line["own_drops"] = json!(0));
    refused(&summary, |line| line["command"] = json!("eth-ping"));
}
