//! The schema allows each kind of line as the program writes it, and nothing beside it.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::common::answering::{Manner, Peer};
use crate::common::command::run;
use crate::common::schema::faults;

/// Lines of all three types from one run: an answer with a warning, a failure, statistics and a summary.
static REAL_LINES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let peer = Peer::with(Manner { copies: 1, pings_back: true, ..Manner::default() });
    let silent = Peer::silent();
    let targets = [&peer.enode, &silent.enode];
    let args = ["--json", "--count", "2", "--interval", "100ms", "--per-host-interval", "0"];
    let ran =
        run(args.into_iter().chain(["--timeout", "300ms"]).chain(targets.map(String::as_str)));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    ran.lines()
});

pub fn refused(line: &Value, change: impl FnOnce(&mut Value)) {
    let mut changed = line.clone();
    change(&mut changed);
    assert_ne!(changed, *line);
    assert_eq!(faults(line), Vec::<String>::new());
    assert_ne!(faults(&changed), Vec::<String>::new(), "allowed: {changed}");
}

pub fn fields(line: &Value) -> Vec<String> {
    line.as_object().expect("an object").keys().cloned().collect()
}

pub fn remove(line: &mut Value, field: &str) {
    line.as_object_mut().expect("an object").remove(field).expect("it was there");
}

#[test]
fn an_unknown_field_is_refused_in_every_object() {
    for line in &*REAL_LINES {
        refused(line, |line| line["surprise"] = json!(1));
        refused(line, |line| line["warnings"] = json!([{"warning": "expired", "by_s": 1, "x": 1}]));
        if line["type"] == "summary" {
            refused(line, |line| line["failures"]["surprise"] = json!(1));
            refused(line, |line| line["warnings"]["surprise"] = json!(1));
            refused(line, |line| line["seen_as"]["surprise"] = json!(1));
        }
    }
}

#[test]
fn a_missing_field_is_refused() {
    // What a line may have or not.
    const OPTIONAL: [&str; 6] =
        ["probe", "enr_seq", "seen_as", "pinged_back", "warnings", "interrupted"];
    for line in &*REAL_LINES {
        let mut required = 0;
        for field in fields(line).iter().filter(|field| !OPTIONAL.contains(&field.as_str())) {
            refused(line, |line| remove(line, field));
            required += 1;
        }
        assert!(required >= 8, "{line}");
    }
}

#[test]
fn a_value_of_another_type_is_refused() {
    for line in &*REAL_LINES {
        for field in fields(line) {
            refused(line, |line| line[&field] = json!(null));
            let other = if line[&field].is_string() { json!(1) } else { json!("text") };
            refused(line, |line| line[&field] = other);
        }
        refused(line, |line| line["at"] = json!("2026-01-02T03:04:05Z"));
        refused(line, |line| line["at"] = json!("2026-01-02 03:04:05.678Z"));
        refused(line, |line| line["command"] = json!("eth-pong"));
        refused(line, |line| line["type"] = json!("result"));
    }
}

#[test]
fn an_unknown_failure_or_warning_is_refused() {
    let failed = REAL_LINES.iter().find(|line| line["failure"] == "no-reply").expect("a failure");
    refused(failed, |line| line["failure"] = json!("no-answer"));
    refused(failed, |line| line["failure"] = json!("bad-target"));
    refused(failed, |line| line["ok"] = json!(true));
    let warned = REAL_LINES.iter().find(|line| line["warnings"].is_array() && line["ok"] == true);
    let warned = warned.expect("a warning");
    refused(warned, |line| line["warnings"][0]["warning"] = json!("odd"));
    refused(warned, |line| line["warnings"] = json!([]));
    refused(warned, |line| line["ok"] = json!(false));
    refused(warned, |line| line["failure"] = json!("interrupted"));
}

/// A line of each failure, with what each kind must have.
fn failures() -> Vec<(Value, Vec<&'static str>)> {
    let hash = "ab".repeat(32);
    let line = |failure: &str, begun: bool, own: Value| {
        let mut line = json!({
            "type": "probe", "at": "2026-01-02T03:04:05.678Z", "command": "eth-ping",
            "target": "a", "ok": false, "failure": failure, "reason": "why",
        });
        if begun {
            line["endpoint"] = json!("[fe80::1%2]:30303");
            line["tries"] = json!(0);
        }
        let own = own.as_object().expect("an object").clone();
        line.as_object_mut().expect("an object").extend(own);
        line
    };
    let answer = json!({"limit": "max-rtt", "max_rtt_ms": 0.5, "rtt_ms": 1, "rtt_clock": "user",
        "identity": "expected", "expires_in_s": -3, "node_id": hash});
    let wrong = json!({"expected_id": hash, "found_id": hash, "found_key": hash.repeat(2),
        "answered_from": "192.0.2.1:1"});
    vec![
        (line("bad-target", false, json!({"column": 1})), vec!["column"]),
        (line("unresolved", false, json!({"host": "h"})), vec!["host"]),
        (line("no-route", true, json!({})), vec!["tries", "endpoint"]),
        (line("no-route", false, json!({})), vec![]),
        (line("local-error", true, json!({})), vec![]),
        (line("interrupted", false, json!({})), vec!["reason"]),
        (
            line("no-reply", true, json!({"waited_ms": 1, "junk": 0, "reflected": 0})),
            vec!["waited_ms", "junk", "reflected"],
        ),
        (
            line("port-unreachable", true, json!({"icmp_type": 3, "icmp_code": 3})),
            vec!["icmp_type", "icmp_code"],
        ),
        (
            line(
                "host-unreachable",
                true,
                json!({"icmp_type": 1, "icmp_code": 0, "icmp_from": "2001:db8::1"}),
            ),
            vec!["icmp_type", "icmp_code"],
        ),
        (
            line("wrong-identity", true, wrong),
            vec!["expected_id", "found_id", "found_key", "answered_from"],
        ),
        (
            line("malformed", true, json!({"field": "hash", "offset": 0, "junk": 1})),
            vec!["field", "offset", "junk"],
        ),
        (
            line("not-as-asked", true, answer),
            vec![
                "limit",
                "max_rtt_ms",
                "rtt_ms",
                "rtt_clock",
                "identity",
                "expires_in_s",
                "node_id",
            ],
        ),
    ]
}

#[test]
fn each_failure_has_its_own_fields_and_no_others() {
    let failures = failures();
    for (line, required) in &failures {
        assert_eq!(faults(line), Vec::<String>::new(), "{line}");
        for field in ["failure", "reason"].iter().chain(required) {
            refused(line, |line| remove(line, field));
        }
        for other in ["column", "host", "waited_ms", "icmp_type", "found_key", "field", "limit"] {
            if line.get(other).is_none() {
                refused(line, |line| line[other] = json!(1));
            }
        }
    }
}
