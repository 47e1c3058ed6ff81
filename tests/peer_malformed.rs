//! Scripted peers that send what cannot be read, or what nobody can have signed: `malformed` with field and
//! offset, only at the deadline and only if no answer came. Rows of the specification: v = 27, random bytes;
//! of the pitfalls: recovery id out of range, r = 0, s = 0, r off the curve, RLP lengths that overflow,
//! non-canonical integers and sizes, tiny packets.

mod common;

use common::program::{Outcome, eth_ping, warnings};
use common::scripted::{Got, Scripted, Stage};
use common::wire;
use serde_json::Value;

const N: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
    0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];
/// What a peer sends, and the field and the offset that must be named.
type Row = (Answer, &'static str, usize);
type Answer = fn(&Stage, &Got) -> Vec<u8>;

const PATIENT: &[&str] = &["--timeout", "5s", "--retries", "0"];
const BRIEF: &[&str] = &["--timeout", "400ms", "--retries", "0"];

fn run(options: &[&str], peers: &[Scripted]) -> Outcome {
    let targets: Vec<String> = peers.iter().map(Scripted::enode).collect();
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    eth_ping(&[options, &targets].concat())
}

fn line_of<'a>(run: &'a Outcome, peer: &Scripted) -> &'a Value {
    let found: Vec<&Value> = run.lines.iter().filter(|l| l["target"] == peer.enode()).collect();
    let [line] = found.as_slice() else { panic!("one line was due: {found:#?}") };
    line
}

/// Asserts that what such peers send is malformed there, and that a right Pong behind it is a plain answer.
fn assert_malformed(rows: &[Row]) {
    let bad = |(number, (answer, ..)): (usize, &Row)| Scripted::answering(number as u32, *answer);
    let peers: Vec<Scripted> = rows.iter().enumerate().map(bad).collect();
    let outcome = run(BRIEF, &peers);
    assert_eq!((outcome.code, outcome.lines.len()), (1, rows.len()));
    for (row, ((_, field, offset), peer)) in rows.iter().zip(&peers).enumerate() {
        let line = line_of(&outcome, peer);
        assert_eq!(line["failure"], "malformed", "row {row}: {line:#}");
        assert_eq!(line["field"], *field, "row {row}: {line:#}");
        assert_eq!(line["offset"], *offset, "row {row}: {line:#}");
        assert_eq!((&line["junk"], &line["tries"]), (&1.into(), &1.into()), "row {row}: {line:#}");
    }

    let both = |(number, (answer, ..)): (usize, &Row)| {
        let answer = *answer;
        Scripted::start(number as u32, move |stage, got| {
            stage.reply(got, &answer(stage, got));
            stage.reply(got, &stage.pong(got));
        })
    };
    let peers: Vec<Scripted> = rows.iter().enumerate().map(both).collect();
    let outcome = run(PATIENT, &peers);
    assert_eq!((outcome.code, outcome.lines.len()), (0, rows.len()));
    for (row, peer) in peers.iter().enumerate() {
        let line = line_of(&outcome, peer);
        assert!(line["ok"] == true && line.get("failure").is_none(), "row {row}: {line:#}");
        assert_eq!(warnings(line), [""; 0], "row {row}: {line:#}");
    }
}

fn v(stage: &Stage, got: &Got, v: u8) -> Vec<u8> {
    wire::resigned(stage.pong(got), |signature| signature[64] = v)
}

#[test]
fn a_recovery_id_above_3_is_malformed() {
    assert_malformed(&[
        (|stage, got| v(stage, got, 27), "signature", 32),
        (|stage, got| v(stage, got, 28), "signature", 32),
        (|stage, got| v(stage, got, 4), "signature", 32),
        (|stage, got| v(stage, got, 255), "signature", 32),
    ]);
}

#[test]
fn what_is_malformed_ends_no_probe_before_its_last_deadline() {
    let peer = Scripted::start(1, |stage, got| match got.nth {
        1 => stage.reply(got, &v(stage, got, 27)),
        _ => stage.reply(got, &stage.pong(got)),
    });
    let run = eth_ping(&["--timeout", "400ms", "--retries", "1", &peer.enode()]);
    assert_eq!(run.answered()["tries"], 2);
}

#[test]
fn r_or_s_out_of_range_is_malformed() {
    fn set(stage: &Stage, got: &Got, at: usize, value: &[u8; 32]) -> Vec<u8> {
        wire::resigned(stage.pong(got), |signature| signature[at..at + 32].copy_from_slice(value))
    }
    assert_malformed(&[
        (|stage, got| set(stage, got, 0, &[0; 32]), "signature", 32),
        (|stage, got| set(stage, got, 32, &[0; 32]), "signature", 32),
        (|stage, got| set(stage, got, 0, &N), "signature", 32),
        (|stage, got| set(stage, got, 32, &N), "signature", 32),
        (|stage, got| set(stage, got, 32, &[0xff; 32]), "signature", 32),
        (|stage, got| wire::resigned(stage.pong(got), |rsv| rsv[..64].fill(0)), "signature", 32),
    ]);
}

#[test]
fn r_that_is_no_point_is_malformed() {
    // 5 is the x of no point on secp256k1: 5³ + 7 has no square root.
    let off_curve = |stage: &Stage, got: &Got| {
        wire::resigned(stage.pong(got), |signature| {
            signature[..32].fill(0);
            signature[31] = 5;
        })
    };
    // r + n is above the field's size for all but a few r.
    let overflow = |stage: &Stage, got: &Got| {
        wire::resigned(stage.pong(got), |signature| {
            signature[31] ^= 1;
            signature[64] = 2;
        })
    };
    assert_malformed(&[(off_curve, "signature", 32), (overflow, "signature", 32)]);
}

#[test]
fn a_hash_that_does_not_fit_is_malformed() {
    let wrong = |stage: &Stage, got: &Got| {
        let mut packet = stage.pong(got);
        packet[0] ^= 1;
        packet
    };
    let cut = |stage: &Stage, got: &Got| {
        let mut packet = stage.pong(got);
        packet.pop();
        packet
    };
    let random = |_: &Stage, got: &Got| {
        // 160 bytes that are no packet, and other ones each time.
        got.bytes.iter().map(|byte| byte.wrapping_mul(31) ^ 0x5c).cycle().take(160).collect()
    };
    assert_malformed(&[(wrong, "hash", 0), (cut, "hash", 0), (random, "hash", 0)]);
}

#[test]
fn a_datagram_too_short_for_a_packet_is_malformed_where_it_ends() {
    assert_malformed(&[
        (|_, _| Vec::new(), "hash", 0),
        (|stage, got| stage.pong(got)[..31].to_vec(), "hash", 0),
        (|stage, got| stage.pong(got)[..32].to_vec(), "signature", 32),
        (|stage, got| stage.pong(got)[..96].to_vec(), "signature", 32),
        (|stage, got| stage.pong(got)[..97].to_vec(), "type", 97),
        (|stage, _| wire::frame(&stage.key, 2, &[]), "pong", 98),
    ]);
}

/// Offset of the `to` of these Pongs, whose lists are short enough for a header of one byte.
const TO_AT: usize = 98 + 1;
/// Length of [`here`]: a header, 5 bytes of address, 3 and 1 of ports.
const HERE: usize = 1 + 5 + 3 + 1;

fn pong(stage: &Stage, parts: &[&[u8]]) -> Vec<u8> {
    let list = wire::list(parts);
    assert!(list[0] < 0xf8, "the list needs a longer header");
    wire::frame(&stage.key, 2, &list)
}

fn here() -> Vec<u8> {
    let here = wire::endpoint(&[127, 0, 0, 1], 30303, 0);
    assert_eq!(here.len(), HERE);
    here
}

fn soon() -> Vec<u8> {
    wire::int(wire::now_unix_s() + 20)
}

/// A Pong that is right but for its `to`.
fn with_to(stage: &Stage, got: &Got, to: &[u8]) -> Vec<u8> {
    pong(stage, &[to, &wire::bytes(&got.hash), &soon()])
}

/// The same with an endpoint of these elements behind its address.
fn with_ports(stage: &Stage, got: &Got, rest: &[&[u8]]) -> Vec<u8> {
    let ip = wire::bytes(&[127, 0, 0, 1]);
    with_to(stage, got, &wire::list(&[&[&ip[..]], rest].concat()))
}

#[test]
fn an_endpoint_of_another_shape_is_malformed() {
    assert_malformed(&[
        // Four elements.
        (
            |stage, got| with_ports(stage, got, &[&wire::int(30303), &[0x80], &[9]]),
            "pong.to",
            TO_AT + HERE,
        ),
        (|stage, got| with_ports(stage, got, &[&wire::int(30303)]), "pong.to.tcp", TO_AT + 9),
        (|stage, got| with_ports(stage, got, &[]), "pong.to.udp", TO_AT + 6),
        (|stage, got| with_ports(stage, got, &[&[0x82, 0, 9], &[9]]), "pong.to.udp", TO_AT + 6),
        (
            |stage, got| with_ports(stage, got, &[&wire::int(65_536), &[9]]),
            "pong.to.udp",
            TO_AT + 6,
        ),
        (|stage, got| with_to(stage, got, &wire::list(&[])), "pong.to.ip", TO_AT + 1),
        (|stage, got| with_to(stage, got, &wire::bytes(b"localhost:1")), "pong.to", TO_AT),
    ]);
}

#[test]
fn a_ping_hash_or_an_expiration_of_another_shape_is_malformed() {
    /// A Pong that is right but for its expiration.
    fn expiring(stage: &Stage, got: &Got, expiration: &[&[u8]]) -> Vec<u8> {
        pong(stage, &[&[&here()[..], &wire::bytes(&got.hash)], expiration].concat())
    }
    const HASH_AT: usize = TO_AT + HERE;
    const EXPIRATION_AT: usize = HASH_AT + 33;
    assert_malformed(&[
        (
            |stage, got| pong(stage, &[&here(), &wire::bytes(&got.hash[..31]), &soon()]),
            "pong.ping-hash",
            HASH_AT,
        ),
        (|stage, got| expiring(stage, got, &[&[0xc0]]), "pong.expiration", EXPIRATION_AT),
        (
            |stage, got| expiring(stage, got, &[&wire::bytes(&[1; 9])]),
            "pong.expiration",
            EXPIRATION_AT,
        ),
        (
            |stage, got| expiring(stage, got, &[&wire::bytes(&[0, 1, 1, 1, 1])]),
            "pong.expiration",
            EXPIRATION_AT,
        ),
        (|stage, got| expiring(stage, got, &[]), "pong.expiration", EXPIRATION_AT),
        // An enr-seq may be anything, but not reach out of its list.
        (|stage, got| expiring(stage, got, &[&soon(), &[0x88]]), "pong.enr-seq", EXPIRATION_AT + 5),
    ]);
}

#[test]
fn lengths_that_overflow_or_are_not_the_shortest_are_malformed() {
    assert_malformed(&[
        (|stage, _| wire::frame(&stage.key, 2, &[0xb8]), "pong", 98),
        (|stage, _| wire::frame(&stage.key, 2, &[0xff; 9]), "pong", 98),
        (|stage, _| wire::frame(&stage.key, 2, &[0xbf; 40]), "pong", 98),
        (|stage, _| wire::frame(&stage.key, 2, &[0xf8, 3, 1, 2, 3]), "pong", 98),
        (|stage, _| wire::frame(&stage.key, 2, &[0xf9, 0, 60]), "pong", 98),
        (|stage, _| wire::frame(&stage.key, 2, &[0x80]), "pong", 98),
        // A list of the right size whose first element claims 2^63 bytes.
        (
            |stage, _| wire::frame(&stage.key, 2, &[0xc9, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]),
            "pong.to",
            99,
        ),
    ]);
}

#[test]
fn only_the_first_is_named_and_all_are_counted() {
    let peer = Scripted::start(1, |stage, got| {
        stage.reply(got, &v(stage, got, 27));
        stage.reply(got, b"hello");
        // It can be read, and answers nothing.
        stage.reply(got, &stage.pong_but(got, |pong| pong.ping_hash = [7; 32]));
    });
    let run = eth_ping(&["--timeout", "400ms", "--retries", "1", &peer.enode()]);
    let line = run.failed("malformed");
    assert_eq!((&line["field"], &line["offset"]), (&"signature".into(), &32.into()));
    assert_eq!(line["junk"], 6);
    assert_eq!(line["tries"], 2);
}
