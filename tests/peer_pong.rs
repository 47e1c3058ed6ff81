//! Scripted peers whose Pong is odd and yet an answer: `ok`, with a named warning or with none. Rows of the
//! specification: high-S signature, expired Pong, Pong from another port, enr-seq as list or zero-padded,
//! extra elements, trailing bytes, over 1280 bytes; of the pitfalls: signature malleability, nesting depth,
//! non-canonical integers (lenient only for enr-seq), the wrap of expirations.

mod common;

use std::net::Ipv6Addr;

use common::program::{Outcome, eth_ping, warning, warnings};
use common::scripted::{Got, Scripted, Stage};
use common::wire;
use serde_json::Value;

/// secp256k1's group order.
const N: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
    0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

/// The elements of a Pong: `to`, ping hash, expiration, and what follows; `None` stands for what is right there.
type Parts = [Option<Vec<u8>>; 4];

/// Pings a peer that answers so.
fn ping(number: u32, answer: impl FnMut(&Stage, &Got) -> Vec<u8> + Send + 'static) -> Outcome {
    let peer = Scripted::answering(number, answer);
    eth_ping(&["--timeout", "3s", &peer.enode()])
}

/// The same, with a Pong of these elements.
fn ping_parts(number: u32, parts: fn(&Got) -> Parts) -> Outcome {
    ping(number, move |stage, got| {
        let [to, hash, expiration, rest] = parts(got);
        let to = to.unwrap_or_else(|| wire::endpoint(&[127, 0, 0, 1], got.from.port(), 0));
        let hash = hash.unwrap_or_else(|| wire::bytes(&got.hash));
        let expiration = expiration.unwrap_or_else(|| wire::int(wire::now_unix_s() + 20));
        let rest = rest.unwrap_or_default();
        let all = [&to[..], &hash, &expiration, &rest];
        let some = all.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        wire::frame(&stage.key, 2, &wire::list(&some))
    })
}

fn subtract(a: &[u8; 32], b: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    let mut borrow = 0;
    for at in (0..32).rev() {
        let difference = i16::from(a[at]) - i16::from(b[at]) - borrow;
        borrow = i16::from(difference < 0);
        out[at] = difference.rem_euclid(256) as u8;
    }
    out
}

#[test]
fn a_plain_pong_is_an_answer_without_warnings() {
    let peer = Scripted::honest(100);
    let run = eth_ping(&["--timeout", "3s", &peer.enode()]);
    let line = run.answered();
    assert_eq!(warnings(line), [""; 0]);
    assert_eq!(line["node_id"], peer.id());
    assert_eq!(line["identity"], "expected");
    assert_eq!(line["endpoint"], peer.bare());
    assert_eq!(line["target"], peer.enode());
    assert_eq!(line["tries"], 1);
    assert!(matches!(line["expires_in_s"].as_i64(), Some(18..=20)), "{line:#}");
    assert!(line["rtt_ms"].as_f64().is_some_and(|rtt| rtt > 0.0 && rtt < 3000.0), "{line:#}");
    assert!(line.get("pinged_back").is_none() && line.get("enr_seq").is_none(), "{line:#}");
    assert!(line.get("enode").is_none(), "{line:#}");
    let all = peer.finish();
    let [ping] = all.as_slice() else { panic!("one Ping was due: {all:#?}") };
    assert_eq!(line["seen_as"], ping.from.to_string());
    assert_eq!(ping.ping().version, 4);
    assert!(matches!(ping.ping().expiration - wire::now_unix_s(), 35..=43));
}

#[test]
fn a_bare_address_learns_who_answers() {
    let peer = Scripted::honest(101);
    let run = eth_ping(&["--timeout", "3s", &peer.bare()]);
    let line = run.answered();
    assert_eq!(line["identity"], "learned");
    assert_eq!(line["node_id"], peer.id());
    assert_eq!(line["enode"], peer.enode_with(&peer.key, peer.addr.port()));
}

#[test]
fn a_high_s_signature_is_accepted_of_a_known_and_of_an_unknown_peer() {
    let high = |stage: &Stage, got: &Got| {
        wire::resigned(stage.pong(got), |signature| {
            let s = subtract(&N, &signature[32..64]);
            assert!(s[0] >= 0x7f, "S was high already");
            signature[32..64].copy_from_slice(&s);
            signature[64] ^= 1;
        })
    };
    let peer = Scripted::answering(102, high);
    for target in [peer.enode(), peer.bare()] {
        let run = eth_ping(&["--timeout", "3s", &target]);
        assert_eq!(warnings(run.answered()), [""; 0]);
        assert_eq!(run.only()["node_id"], peer.id());
    }
}

fn expiration_of(number: u32, expiration: fn(&Got) -> u64) -> Value {
    let run = ping(number, move |stage, got| {
        let expiration = expiration(got);
        stage.pong_but(got, |pong| pong.expiration = expiration)
    });
    run.answered().clone()
}

#[test]
fn an_expired_pong_is_accepted_and_warned_of() {
    let line = expiration_of(103, |_| wire::now_unix_s() - 100);
    assert_eq!(warnings(&line), ["expired"]);
    assert!(matches!(warning(&line, "expired")["by_s"].as_u64(), Some(100..=110)), "{line:#}");
    assert!(matches!(line["expires_in_s"].as_i64(), Some(-110..=-100)), "{line:#}");
}

#[test]
fn an_expiration_of_2_to_the_63_or_more_is_long_past_and_not_a_far_future() {
    let line = expiration_of(104, |_| 1 << 63);
    assert_eq!(warnings(&line), ["expired"]);
    assert_eq!(warning(&line, "expired")["by_s"], 1_u64 << 63);
    assert_eq!(line["expires_in_s"], i64::MIN);

    let line = expiration_of(105, |_| u64::MAX);
    assert_eq!(warnings(&line), ["expired"]);
    let by = warning(&line, "expired")["by_s"].as_u64().expect("a number");
    assert!((0..=10).contains(&(wire::now_unix_s() + 1 - by)), "{line:#}");
}

#[test]
fn an_expiration_in_the_far_future_is_a_warning_about_the_clocks() {
    let line = expiration_of(106, |_| wire::now_unix_s() + 7200);
    assert_eq!(warnings(&line), ["clock"]);
    assert!(matches!(warning(&line, "clock")["by_s"].as_u64(), Some(3590..=3600)), "{line:#}");

    let line = expiration_of(107, |_| i64::MAX as u64);
    assert_eq!(warnings(&line), ["clock"]);
}

#[test]
fn a_pong_that_copies_our_own_expiration_says_nothing_about_the_clocks() {
    let line = expiration_of(108, |got| got.ping().expiration);
    assert_eq!(warnings(&line), [""; 0]);
    assert!(matches!(line["expires_in_s"].as_i64(), Some(35..=43)), "{line:#}");
}

#[test]
fn a_pong_from_another_port_is_accepted_and_its_address_shown() {
    let peer = Scripted::start(109, |stage, got| {
        stage.reply_from_other(
            got,
            &stage.pong_but(got, |pong| {
                let other = stage.other.local_addr().expect("its address");
                pong.enr_seq = Some(other.port().into());
            }),
        );
    });
    let run = eth_ping(&["--timeout", "3s", &peer.enode()]);
    let line = run.answered();
    assert_eq!(warnings(line), ["other-source"]);
    let other = format!("127.0.0.1:{}", line["enr_seq"]);
    assert_eq!(warning(line, "other-source")["from"], other);
    assert_ne!(other, peer.bare());
    assert_eq!(line["endpoint"], peer.bare());
}

#[test]
fn an_enr_seq_that_is_no_canonical_integer_counts_as_absent() {
    fn rest(rest: Vec<u8>) -> Parts {
        [None, None, None, Some(rest)]
    }
    let odd: [fn(&Got) -> Parts; 5] = [
        // A list, as in the vectors of EIP-8.
        |_| rest(wire::list(&[&wire::int(1)])),
        // Padded to eight bytes, as old Besu does.
        |_| rest(wire::bytes(&[0, 0, 0, 0, 0, 0, 0, 7])),
        |_| rest(wire::bytes(&[0])),
        |_| rest(wire::bytes(&[1; 9])),
        |_| rest(Vec::new()),
    ];
    for parts in odd {
        let run = ping_parts(110, parts);
        assert!(run.answered().get("enr_seq").is_none(), "{:#}", run.only());
        assert_eq!(warnings(run.only()), [""; 0]);
    }
    for (seq, parts) in [
        (u64::MAX, (|_| rest(wire::int(u64::MAX))) as fn(&Got) -> _),
        (0, |_| rest(wire::int(0))),
        (7, |_| rest(wire::int(7))),
    ] {
        assert_eq!(ping_parts(111, parts).answered()["enr_seq"], seq);
    }
}

#[test]
fn extra_elements_of_any_kind_and_depth_are_skipped() {
    let run = ping(112, |stage, got| {
        // As many lists in lists as fit: a reader that recurses would run out of stack.
        let deep = (0..350).fold(wire::list(&[]), |inner, _| wire::list(&[&inner]));
        assert!((700..1100).contains(&deep.len()), "{}", deep.len());
        let expiration = wire::int(wire::now_unix_s() + 20);
        let to = wire::endpoint(&[192, 0, 2, 1], 9, 0);
        let hash = wire::bytes(&got.hash);
        let parts = [&to[..], &hash, &expiration, &wire::int(5), &wire::bytes(b"x"), &deep];
        wire::frame(&stage.key, 2, &wire::list(&parts))
    });
    assert_eq!(run.answered()["enr_seq"], 5);
    assert_eq!(run.only()["seen_as"], "192.0.2.1:9");
}

/// A Pong with bytes after its list, to make it so long.
fn padded(stage: &Stage, got: &Got, size: usize) -> Vec<u8> {
    let plain = stage.pong(got);
    let mut data = plain[98..].to_vec();
    data.resize(size - 98, 0xee);
    wire::frame(&stage.key, 2, &data)
}

#[test]
fn bytes_after_the_list_are_skipped_and_only_more_than_1280_in_all_are_warned_of() {
    for size in [200, 1280] {
        let run = ping(113, move |stage, got| padded(stage, got, size));
        assert_eq!(warnings(run.answered()), [""; 0], "{size}");
    }
    for size in [1281, 1373, 2048] {
        let run = ping(114, move |stage, got| padded(stage, got, size));
        assert_eq!(warnings(run.answered()), ["oversized"], "{size}");
        assert_eq!(warning(run.only(), "oversized")["size"], size);
    }
}

#[test]
fn an_endpoint_without_a_usable_address_gives_no_seen_as() {
    let none: [fn(&Got) -> Parts; 3] = [
        |_| [Some(wire::endpoint(&[], 0, 0)), None, None, None],
        |_| [Some(wire::endpoint(&[1, 2, 3], 30303, 0)), None, None, None],
        |_| [Some(wire::endpoint(&[9; 32], 30303, 0)), None, None, None],
    ];
    for parts in none {
        let run = ping_parts(115, parts);
        assert!(run.answered().get("seen_as").is_none(), "{:#}", run.only());
    }
}

#[test]
fn an_ipv4_address_mapped_into_ipv6_is_shown_as_ipv4() {
    let run = ping_parts(116, |_| {
        let mapped: Ipv6Addr = "::ffff:203.0.113.9".parse().expect("an address");
        [Some(wire::endpoint(&mapped.octets(), 4242, 0)), None, None, None]
    });
    assert_eq!(run.answered()["seen_as"], "203.0.113.9:4242");
}
