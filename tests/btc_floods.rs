//! Peers that say far too much: a run ends, holds little memory, and says little back.

mod common;

use std::time::{Duration, Instant};

use common::btc::{BRIEF, PATIENT, message, pong, probe, saying, saying_only, verack, version};
use common::program::{btc_handshake, warnings};
use common::scripted_tcp::{ScriptedTcp, Step};
use serde_json::json;

/// Messages before the handshake is done after which it is given up.
const MAX_MESSAGES: usize = 10_000;
/// The same in bytes.
const MAX_BYTES: u64 = 32 << 20;
/// Pings that are answered.
const MAX_PONGS: usize = 100;
/// The most memory that a run may take meanwhile.
const MOST_KIB: u64 = 64 * 1024;

/// So many pings, each with a nonce of its own, none of them ours but by a chance of 2^-57.
fn pings(count: u64) -> Vec<u8> {
    (0..count).flat_map(|nonce| message("ping", &nonce.to_le_bytes())).collect()
}

fn nonces(count: u64) -> Vec<[u8; 8]> {
    (0..count).map(u64::to_le_bytes).collect()
}

#[test]
fn ten_thousand_messages_before_the_version() {
    let inv = message("inv", &[&[1], &[7; 36][..]].concat());
    let began = Instant::now();
    let line = probe(&["--timeout", "50s"], saying_only(inv.repeat(MAX_MESSAGES + 500))).line;
    assert!(began.elapsed() < Duration::from_secs(25), "it waited: {:?}", began.elapsed());
    assert_eq!(line["failure"], "stalled", "{line:#}");
    assert_eq!((&line["limit"], &line["after"]), (&json!("messages"), &json!("version-sent")));
    assert_eq!(line["message_count"], MAX_MESSAGES, "{line:#}");
    assert_eq!(line["messages"], json!(vec!["inv"; 64]), "{line:#}");
    assert_eq!(warnings(&line), ["out-of-order"], "{line:#}");
    // What came with the last of them is counted, too.
    let received = line["received"].as_u64().expect("bytes");
    let due = inv.len() * MAX_MESSAGES..=inv.len() * (MAX_MESSAGES + 500);
    assert!(due.contains(&(received as usize)), "{line:#}");
}

#[test]
fn fewer_messages_before_the_version_are_none_too_many() {
    let inv = message("inv", &[0]).repeat(MAX_MESSAGES - 100);
    let line = probe(PATIENT, saying([inv, version(), verack()].concat())).line;
    assert_eq!((&line["ok"], &line["height"]), (&json!(true), &json!(900_000)), "{line:#}");
    assert_eq!(line["message_count"], MAX_MESSAGES - 100 + 3, "{line:#}");
}

#[test]
fn more_than_32_mib_before_the_verack() {
    let addr = message("addr", &vec![0; 4_000_000]);
    let mut script = saying_only(version());
    script.extend((0..9).map(|_| Step::Send(addr.clone())));
    let peer = ScriptedTcp::start(script);
    let outcome = btc_handshake(&["--timeout", "50s", &peer.target()]);
    let line = outcome.failed("stalled");
    assert_eq!((&line["limit"], &line["after"]), (&json!("bytes"), &json!("version")));
    // To the byte, however much more had come by then.
    assert_eq!(line["received"], MAX_BYTES, "{line:#}");
    assert!(line["waited_ms"].as_u64().is_some_and(|ms| ms < 50_000), "{line:#}");
    assert!((1..MOST_KIB).contains(&outcome.peak_kib), "{} KiB", outcome.peak_kib);
}

/// Mistake 11 of simple scripts is to send no pong; to send as many as are asked for is none the better.
#[test]
fn a_hundred_pings_are_answered_and_no_more() {
    let probed = probe(BRIEF, saying_only([version(), verack(), pings(150)].concat()));
    let line = &probed.line;
    assert_eq!((&line["ok"], warnings(line)), (&json!(true), vec!["no-pong"]), "{line:#}");
    assert_eq!(line["message_count"], 152, "{line:#}");
    assert_eq!(probed.connection().payloads("pong"), nonces(MAX_PONGS as u64));
    assert_eq!(probed.connection().payloads("ping").len(), 1);
}

#[test]
fn our_own_pong_is_found_among_pings() {
    let mut script = saying_only([version(), verack(), pings(3000)].concat());
    script.push(pong());
    script.push(Step::Send(pings(3000)));
    let probed = probe(PATIENT, script);
    let line = &probed.line;
    assert_eq!((&line["ok"], warnings(line)), (&json!(true), vec![]), "{line:#}");
    assert_eq!(probed.connection().payloads("pong").len(), MAX_PONGS);
}

#[test]
fn pongs_wait_for_our_verack() {
    let before_verack = [version(), pings(150), verack()].concat();
    let before_version = [pings(150), version(), verack()].concat();
    for bytes in [before_verack, before_version] {
        let probed = probe(PATIENT, saying(bytes));
        let line = &probed.line;
        assert_eq!(line["ok"], true, "{line:#}");
        let early = json!([{"warning": "out-of-order", "message": "ping"}]);
        assert_eq!(line["warnings"], early, "{line:#}");
        let connection = probed.connection();
        let start = ["version", "wtxidrelay", "sendaddrv2", "verack"];
        assert_eq!(connection.names()[..4], start);
        assert_eq!(connection.payloads("pong"), nonces(MAX_PONGS as u64));
    }
}

#[test]
fn a_flood_behind_the_verack_takes_nothing_from_the_handshake() {
    let inv = message("inv", &[0]).repeat(MAX_MESSAGES + 500);
    let began = Instant::now();
    let script = saying_only([version(), verack(), inv].concat());
    let line = probe(&["--timeout", "50s"], script).line;
    assert!(began.elapsed() < Duration::from_secs(25), "it waited: {:?}", began.elapsed());
    assert_eq!((&line["ok"], warnings(&line)), (&json!(true), vec!["no-pong"]), "{line:#}");
}
