//! `--retries`: what may be over by the next try is tried again, and what would be the same is not.

mod common;

use common::btc::{
    MAINNET, PATIENT, Row, assert_rows, frame, header, message, saying, saying_only, verack,
    version, version_but, with_bad_checksum,
};
use common::scripted_tcp::Step;
use p2pprobe::bitcoin::Magic;
use serde_json::json;

const TESTNET3: Magic = Magic([0x0b, 0x11, 0x09, 0x07]);

fn patient(more: &[&'static str]) -> Vec<&'static str> {
    [PATIENT, &["--retries", "2"], more].concat()
}

#[test]
fn a_peer_that_hangs_up_is_tried_again() {
    let closed = |after: &str| json!({"failure": "closed-early", "after": after, "tries": 3});
    let behind_version =
        vec![Step::Await("version"), Step::Send(version()), Step::Await("verack"), Step::Close];
    let rows: Vec<Row> = vec![
        ("FIN", vec![Step::Await("version"), Step::Close], closed("version-sent")),
        ("RST", vec![Step::Await("version"), Step::Reset], closed("version-sent")),
        ("behind the version", behind_version, closed("version")),
    ];
    assert_rows(&patient(&[]), rows);
}

#[test]
fn a_peer_that_falls_silent_is_tried_again() {
    let stalled = |after: &str| json!({"failure": "stalled", "after": after, "tries": 2});
    let rows: Vec<Row> = vec![
        ("no version", vec![], stalled("version-sent")),
        ("no verack", saying_only(version()), stalled("version")),
    ];
    assert_rows(&["--retries", "1", "--timeout", "1s"], rows);
}

#[test]
fn what_a_peer_says_wrong_is_said_wrong_again() {
    let once = |failure: &str| json!({"failure": failure, "tries": 1});
    let oversized = header(MAINNET, b"version", 4_000_001, [0; 4]);
    let other = frame(TESTNET3, b"version", &[0; 86]);
    let many = message("inv", &[0]).repeat(10_000);
    let early = json!([{"warning": "out-of-order", "message": "inv"}]);
    let rows: Vec<Row> = vec![
        ("a web server", saying_only(b"HTTP/1.1 400 Bad Request\r\n".into()), once("not-bitcoin")),
        ("another network", saying_only(other), once("wrong-network")),
        ("a length that is a lie", saying_only(oversized), once("oversized")),
        ("a version that is cut", saying_only(message("version", &[0; 45])), once("malformed")),
        ("a stream that breaks", saying_only([version(), vec![0; 64]].concat()), once("malformed")),
        ("a checksum", saying_only(with_bad_checksum(version())), once("bad-checksum")),
        (
            "ourselves",
            vec![Step::answer("version", |payload| message("version", payload))],
            once("self-connection"),
        ),
        (
            "a flood",
            saying_only(many),
            json!({"failure": "stalled", "limit": "messages", "tries": 1, "warnings": early}),
        ),
    ];
    assert_rows(&patient(&[]), rows);
}

#[test]
fn an_answer_is_one_even_where_it_is_not_as_asked() {
    let low = [version_but(|version| version.start_height = Some(1)), verack()].concat();
    let rows: Vec<Row> = vec![
        ("low", saying(low), json!({"failure": "not-as-asked", "tries": 1})),
        ("high enough", saying([version(), verack()].concat()), json!({"ok": true, "tries": 1})),
    ];
    assert_rows(&patient(&["--min-height", "2"]), rows);
}
