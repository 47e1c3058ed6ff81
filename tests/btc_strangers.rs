//! Who speaks something else: another protocol, or Bitcoin's with the magic of another network. It is named by its
//! first bytes, and nothing behind them is believed.

mod common;

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use common::btc::{
    MAINNET, PATIENT, Row, assert_rows, frame, probe_peers, version, version_payload,
};
use common::scripted_tcp::{ScriptedTcp, Step};
use data_encoding::HEXLOWER;
use p2pprobe::bitcoin::Magic;
use serde_json::{Value, json};

const TESTNET3: Magic = Magic([0x0b, 0x11, 0x09, 0x07]);
/// Of Bitcoin's regtest, and of Litecoin's.
const REGTEST: Magic = Magic([0xfa, 0xbf, 0xb5, 0xda]);
/// Of Bitcoin Cash, and of Bitcoin SV.
const CASH: Magic = Magic([0xe3, 0xe1, 0xf3, 0xe8]);
const NOBODYS: Magic = Magic([0xde, 0xad, 0xbe, 0xef]);

/// Hex of the first 24 bytes.
fn first(bytes: &[u8]) -> String {
    HEXLOWER.encode(&bytes[..bytes.len().min(24)])
}

fn version_of(magic: Magic) -> Vec<u8> {
    frame(magic, b"version", &version_payload(|_| {}))
}

/// Says it without waiting for anything.
fn says(bytes: &[u8]) -> Vec<Step> {
    vec![Step::Send(bytes.to_vec())]
}

fn not_bitcoin(looks_like: &str, bytes: &[u8]) -> Value {
    json!({"failure": "not-bitcoin", "looks_like": looks_like, "first_bytes": first(bytes),
        "protocol": null, "messages": null})
}

#[test]
fn other_protocols() {
    let random: Vec<u8> = (0..64).map(|n: u8| n.wrapping_mul(101).wrapping_add(0x83)).collect();
    let all: [(&str, &str, &[u8]); 12] = [
        ("a web server", "http", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
        ("a web page", "http", b"<!DOCTYPE html><html><body>hello</body></html>"),
        ("a web client", "http", b"GET / HTTP/1.0\r\n\r\n"),
        ("a shell", "ssh", b"SSH-2.0-OpenSSH_9.6\r\n"),
        ("a TLS alert", "tls", b"\x15\x03\x03\0\x02\x02\x28"),
        ("mail", "smtp-or-ftp", b"220 mail ESMTP\r\n"),
        ("files", "smtp-or-ftp", b"220-Welcome\r\n"),
        ("mail, not now", "smtp-or-ftp", b"421 too many connections from you, come back later\r\n"),
        ("random bytes", "unknown", &random),
        ("zeros", "unknown", &[0; 24]),
        ("three bytes of the magic", "unknown", b"\xf9\xbe\xb4\0 and then something else"),
        ("two bytes of the magic", "unknown", b"\xf9\xbe\0"),
    ];
    let row = |(row, looks_like, bytes): (&'static str, &str, &[u8])| {
        (row, says(bytes), not_bitcoin(looks_like, bytes))
    };
    assert_rows(PATIENT, all.map(row).into());
    // The same, said in answer to ours, and with a hang-up behind.
    let answer = |(row, looks_like, bytes): (&'static str, &str, &[u8])| {
        let script = vec![Step::Await("version"), Step::Send(bytes.to_vec()), Step::Close];
        (row, script, not_bitcoin(looks_like, bytes))
    };
    assert_rows(PATIENT, all.map(answer).into());
}

#[test]
fn first_bytes_in_pieces() {
    // One byte says nothing; the rest of what is said first comes soon.
    let pieces = |bytes: &[u8]| {
        let (byte, rest) = bytes.split_at(1);
        let rest = Step::Drip(rest.to_vec(), Duration::ZERO);
        vec![Step::Send(byte.to_vec()), Step::Pause(Duration::from_millis(30)), rest]
    };
    let banner = b"SSH-2.0-OpenSSH_9.6\r\n";
    let rows: Vec<Row> = vec![
        ("a shell", pieces(banner), not_bitcoin("ssh", banner)),
        ("one byte", vec![Step::Send(vec![0x16]), Step::Close], not_bitcoin("unknown", &[0x16])),
        ("one byte and silence", says(&[0x16]), not_bitcoin("unknown", &[0x16])),
    ];
    let began = Instant::now();
    assert_rows(PATIENT, rows);
    // Nobody waits for the rest until the deadline.
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    let testnet3 = version_of(TESTNET3);
    let names = json!({"failure": "wrong-network", "found_magic": "0b110907",
        "networks": ["testnet3"], "first_bytes": first(&testnet3)});
    assert_rows(PATIENT, vec![("another network", pieces(&testnet3), names)]);
}

#[test]
fn other_networks() {
    let wrong = |magic: &str, bytes: &[u8]| {
        json!({"failure": "wrong-network", "found_magic": magic, "magic": "f9beb4d9",
            "first_bytes": first(bytes), "protocol": null, "messages": null})
    };
    let of = |magic| version_of(magic);
    let namecoin = of(Magic([0xf9, 0xbe, 0xb4, 0xfe]));
    let rows: Vec<Row> = vec![
        ("testnet3", says(&of(TESTNET3)), wrong("0b110907", &of(TESTNET3))),
        ("two of one magic", says(&of(REGTEST)), wrong("fabfb5da", &of(REGTEST))),
        ("two chains", says(&of(CASH)), wrong("e3e1f3e8", &of(CASH))),
        // Three bytes of it are those of mainnet's.
        ("Namecoin", says(&namecoin), wrong("f9beb4fe", &namecoin)),
        ("nobody's", says(&of(NOBODYS)), wrong("deadbeef", &of(NOBODYS))),
    ];
    let probed = assert_rows(PATIENT, rows);
    let networks: Vec<Vec<&str>> = probed
        .iter()
        .map(|probed| {
            let names = probed.line["networks"].as_array().into_iter().flatten();
            names.map(|name| name.as_str().expect("a name")).collect()
        })
        .collect();
    assert_eq!(networks[0], ["testnet3"]);
    for (found, due) in networks[1..4].iter().zip([
        &["regtest", "litecoin-regtest"][..],
        &["bitcoin-cash", "bitcoin-sv"],
        &["namecoin"],
    ]) {
        assert!(due.iter().all(|name| found.contains(name)), "{due:?} of {found:?}");
    }
    assert!(probed[4].line.get("networks").is_none(), "{:#}", probed[4].line);
    assert!(probed[0].line["reason"].as_str().is_some_and(|reason| reason.contains("testnet3")));
}

/// Mistake 4 of simple scripts: they look for the magic further on, and find what somebody wants to be found.
#[test]
fn a_handshake_behind_other_bytes_is_not_looked_for() {
    let good = [version(), common::btc::verack()].concat();
    let behind = |bytes: &[u8]| {
        let all = [bytes, &good].concat();
        let looks_like = if bytes.len() > 1 { "http" } else { "unknown" };
        (says(&all), not_bitcoin(looks_like, &all))
    };
    let (one, one_says) = behind(b"\0");
    let (page, page_says) = behind(b"HTTP/1.1 200 OK\r\n\r\n");
    let rows = vec![("behind a byte", one, one_says), ("behind a page", page, page_says)];
    for probed in assert_rows(PATIENT, rows) {
        assert_eq!(probed.connection().names(), ["version"]);
    }
}

#[test]
fn garbage_behind_the_version_leaves_what_it_told_and_behind_the_verack_all() {
    let garbage = [0x5a; 64];
    let half = [&version()[..], &garbage].concat();
    let whole = [&version()[..], &common::btc::verack(), &garbage].concat();
    // It spoke Bitcoin's protocol: what looks like none of it is a stream that broke, and where.
    let told = json!({"failure": "malformed", "field": "magic", "offset": version().len(),
        "height": 900_000, "messages": ["version"]});
    let rows: Vec<Row> = vec![
        ("behind the version", says(&half), told),
        (
            "behind the verack",
            says(&whole),
            json!({"ok": true, "warnings": [{"warning": "no-pong"}]}),
        ),
    ];
    assert_rows(PATIENT, rows);
}

/// It is this network's until then: what begins like another one's message is a stream that broke, too.
#[test]
fn a_frame_of_another_network_behind_the_version_breaks_the_stream() {
    let foreign = frame(TESTNET3, b"verack", &[]);
    let names = common::btc::message("wtxidrelay", &[]);
    let before = version().len() + names.len();
    let told = |offset: usize, messages: Value| {
        json!({"failure": "malformed", "field": "magic", "offset": offset, "messages": messages,
            "user_agent": "/Satoshi:31.1.0/", "found_magic": null, "networks": null})
    };
    let rows: Vec<Row> = vec![
        (
            "behind the version",
            says(&[version(), foreign.clone()].concat()),
            told(version().len(), json!(["version"])),
        ),
        (
            "behind another message",
            says(&[version(), names, foreign].concat()),
            told(before, json!(["version", "wtxidrelay"])),
        ),
    ];
    assert_rows(PATIENT, rows);
}

/// A peer of the network that is asked for, by its name, its magic or its challenge, and of no other.
#[test]
fn the_magic_that_was_asked_for_is_spoken() {
    let op_true = Magic([0x54, 0xd2, 0x6f, 0xbd]);
    let rows: [(&[&str], Magic, Option<&str>); 5] = [
        (&[], MAINNET, Some("mainnet")),
        (&["--network", "testnet3"], TESTNET3, Some("testnet3")),
        (&["--network", "bitcoin-cash"], CASH, Some("bitcoin-cash")),
        (&["--magic", "deadbeef"], NOBODYS, None),
        (&["--signet-challenge", "51"], op_true, None),
    ];
    for (options, magic, network) in rows {
        let frames = [("version", version_payload(|_| {})), ("verack", vec![])]
            .map(|(name, payload)| frame(magic, name.as_bytes(), &payload));
        let pong = Step::answer("ping", move |nonce| frame(magic, b"pong", nonce));
        let script = vec![Step::Await("version"), Step::Send(frames.concat()), pong];
        let peer = ScriptedTcp::start_at(Ipv4Addr::LOCALHOST.into(), magic, script);
        let line = probe_peers(&[PATIENT, options].concat(), vec![peer]).remove(0).line;
        assert_eq!((&line["ok"], &line["magic"]), (&json!(true), &json!(magic.to_string())));
        assert_eq!(line.get("network"), network.map(Value::from).as_ref(), "{line:#}");
    }
}

#[test]
fn mainnet_is_a_stranger_to_whoever_asks_for_another_network() {
    let litecoin = Magic([0xfb, 0xc0, 0xb6, 0xdb]);
    let peer = ScriptedTcp::start_at(Ipv4Addr::LOCALHOST.into(), litecoin, says(&version()));
    let options = [PATIENT, &["--network", "litecoin"]].concat();
    let line = probe_peers(&options, vec![peer]).remove(0).line;
    assert_eq!(line["failure"], "wrong-network", "{line:#}");
    assert_eq!((&line["magic"], &line["found_magic"]), (&json!("fbc0b6db"), &json!("f9beb4d9")));
    assert_eq!((&line["network"], &line["networks"]), (&json!("litecoin"), &json!(["mainnet"])));
}
