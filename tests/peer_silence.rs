//! Scripted peers that give no answer: what is said then, and what was seen meanwhile. Rows of the
//! specification: silent, refusing, wrong key, wrong ping hash, a reflected copy of our own packet,
//! unsolicited messages; of the pitfalls: recovery always yields some key, spoofed answers off the path.

mod common;

use std::net::UdpSocket;

use common::program::{eth_ping, warnings};
use common::scripted::{Got, Scripted, Stage, pings, pongs};
use common::wire;
use p2pprobe::codec::rlp::RlpStream;
use p2pprobe::discv4::{EnrRequest, FindNode, Message, Neighbor, Neighbors};
use serde_json::Value;

const BRIEF: [&str; 4] = ["--timeout", "300ms", "--retries", "0"];

fn ping_briefly(target: &str) -> common::program::Outcome {
    eth_ping(&[&BRIEF[..], &[target]].concat())
}

#[test]
fn a_silent_peer_is_no_reply_with_all_tries_made() {
    let peer = Scripted::start(300, |_, _| {});
    let run = eth_ping(&["--timeout", "200ms", "--retries", "2", &peer.enode()]);
    let line = run.failed("no-reply");
    assert_eq!(
        (&line["tries"], &line["junk"], &line["reflected"]),
        (&3.into(), &0.into(), &0.into())
    );
    assert!(line["waited_ms"].as_u64().is_some_and(|ms| ms >= 600), "{line:#}");
    assert!(line.get("rtt_ms").is_none() && line.get("node_id").is_none(), "{line:#}");
    let all = peer.finish();
    // Each Ping has a hash of its own, though they are sent within a second (spoofed answers).
    let mut hashes: Vec<_> = pings(&all).iter().map(|got| got.hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!((hashes.len(), all.len()), (3, 3));
}

#[test]
fn a_closed_port_is_port_unreachable_at_once() {
    // Who holds the port on one address keeps everyone, us too, from taking it on all of them.
    let holder = UdpSocket::bind("127.0.0.1:0").expect("a socket on loopback");
    let port = holder.local_addr().expect("its address").port();
    for target in [
        format!("127.0.0.2:{port}"),
        format!("enode://{}@127.0.0.2:{port}", wire::key(301).public()),
    ] {
        let run = eth_ping(&["--timeout", "50s", "--retries", "0", &target]);
        let line = run.failed("port-unreachable");
        assert_eq!((&line["icmp_type"], &line["icmp_code"]), (&3.into(), &3.into()), "{line:#}");
        assert_eq!(line["icmp_from"], "127.0.0.2");
        assert_eq!(line["tries"], 1);
    }
}

#[test]
fn a_closed_port_over_ipv6_is_port_unreachable_at_once() {
    let Ok(holder) = UdpSocket::bind("[::1]:0") else {
        println!("left out: no socket on ::1");
        return;
    };
    // A connected socket takes nothing from others and keeps its port from them.
    holder.connect("[::1]:9").expect("connect");
    let port = holder.local_addr().expect("its address").port();
    let run = eth_ping(&["--timeout", "50s", "--retries", "0", &format!("[::1]:{port}")]);
    let line = run.failed("port-unreachable");
    assert_eq!((&line["icmp_type"], &line["icmp_code"]), (&1.into(), &4.into()), "{line:#}");
    assert_eq!(line["icmp_from"], "::1");
}

#[test]
fn an_answer_signed_by_another_key_is_wrong_identity_and_says_whose() {
    let peer = Scripted::honest(302);
    let run = eth_ping(&["--timeout", "50s", &peer.enode_with(&wire::key(303), 0)]);
    let line = run.failed("wrong-identity");
    assert_eq!(line["expected_id"], wire::key(303).public().node_id().to_string());
    assert_eq!(line["found_id"], peer.id());
    assert_eq!(line["found_key"], peer.key.public().to_string());
    assert_eq!(line["answered_from"], peer.bare());
    assert_eq!(line["tries"], 1);
    assert!(line.get("node_id").is_none(), "{line:#}");
}

#[test]
fn a_wrong_recovery_id_within_range_is_no_other_identity() {
    // r and s are those of the expected key, which is all that its check needs.
    let peer = Scripted::answering(304, |stage, got| {
        wire::resigned(stage.pong(got), |signature| signature[64] ^= 1)
    });
    eth_ping(&["--timeout", "3s", &peer.enode()]).answered();
    // Nothing but the recovery id tells who signed, so someone else seems to.
    let run = eth_ping(&["--timeout", "3s", &peer.bare()]);
    assert_ne!(run.answered()["node_id"], peer.id());
}

#[test]
fn a_pong_to_another_ping_is_junk() {
    let peer =
        Scripted::answering(305, |stage, got| stage.pong_but(got, |pong| pong.ping_hash[31] ^= 1));
    for target in [peer.enode(), peer.bare()] {
        let run = ping_briefly(&target);
        let line = run.failed("no-reply");
        assert_eq!((&line["junk"], &line["reflected"]), (&1.into(), &0.into()), "{line:#}");
    }
}

#[test]
fn what_comes_from_another_port_is_not_counted_against_the_peer() {
    let peer = Scripted::start(306, |stage, got| {
        stage.reply_from_other(got, b"junk");
        stage.reply_from_other(got, &stage.pong_but(got, |pong| pong.ping_hash = [1; 32]));
    });
    let run = ping_briefly(&peer.enode());
    assert_eq!(run.failed("no-reply")["junk"], 0);
}

#[test]
fn our_own_ping_sent_back_is_a_reflection_and_never_answered() {
    let peer = Scripted::start(307, |stage, got| {
        stage.reply(got, &got.bytes);
        stage.reply(got, &got.bytes);
    });
    for target in [peer.enode(), peer.bare()] {
        let run = ping_briefly(&target);
        let line = run.failed("no-reply");
        assert_eq!((&line["junk"], &line["reflected"]), (&2.into(), &2.into()), "{line:#}");
    }
    let all = peer.finish();
    assert_eq!((pings(&all).len(), pongs(&all).len()), (2, 0));
}

#[test]
fn a_reflection_does_not_hide_the_answer_behind_it() {
    let peer = Scripted::start(308, |stage, got| {
        stage.reply(got, &got.bytes);
        stage.reply(got, &stage.pong(got));
    });
    for target in [peer.enode(), peer.bare()] {
        let run = eth_ping(&["--timeout", "3s", &target]);
        assert_eq!(warnings(run.answered()), [""; 0]);
        assert_eq!(run.only()["node_id"], peer.id());
    }
}

/// Right packets that answer no Ping.
fn unsolicited(stage: &Stage, got: &Got) -> [Vec<u8>; 4] {
    let expiration = wire::now_unix_s() + 20;
    // The key is on no curve; whoever only pings has no reason to look.
    let node = Neighbor { ip: Some(got.from.ip()), udp: 1, tcp: 0, key: [0xff; 64] };
    [
        Message::Neighbors(Neighbors { nodes: vec![node; 12], expiration }),
        Message::Neighbors(Neighbors { nodes: Vec::new(), expiration }),
        Message::FindNode(FindNode { target: [0xff; 64], expiration }),
        Message::EnrRequest(EnrRequest { expiration }),
    ]
    .map(|message| wire::message(&stage.key, &message))
}

/// An ENRResponse to the Ping, with a record that the peer signed.
fn enr_response(stage: &Stage, got: &Got) -> Vec<u8> {
    let key = stage.key.public().to_compressed();
    let content = [wire::int(1), wire::bytes(b"id"), wire::bytes(b"v4"), wire::bytes(b"secp256k1")];
    let mut parts: Vec<&[u8]> = content.iter().map(Vec::as_slice).collect();
    let key = wire::bytes(&key);
    parts.push(&key);
    let signed = p2pprobe::codec::hash::keccak256(&[&wire::list(&parts)]);
    let signature = wire::bytes(&stage.key.sign(&signed, None).rs);
    parts.insert(0, &signature);
    let mut out = RlpStream::new_list(2);
    out.append(&got.hash.as_slice()).append_raw(&wire::list(&parts), 1);
    wire::frame(&stage.key, 6, &out.out())
}

#[test]
fn messages_that_answer_no_ping_are_junk_and_never_answered() {
    let peer = Scripted::start(309, |stage, got| {
        unsolicited(stage, got).iter().for_each(|packet| stage.reply(got, packet));
        stage.reply(got, &enr_response(stage, got));
    });
    let run = ping_briefly(&peer.enode());
    let line = run.failed("no-reply");
    assert_eq!((&line["junk"], &line["reflected"]), (&5.into(), &0.into()), "{line:#}");
    assert_eq!(peer.finish().len(), 1, "nothing but our Ping");
}

#[test]
fn an_unknown_packet_type_is_junk_and_not_malformed() {
    let peer = Scripted::start(313, |stage, got| {
        for code in [0, 7, 66] {
            stage.reply(got, &wire::frame(&stage.key, code, &wire::list(&[])));
        }
    });
    let run = ping_briefly(&peer.enode());
    assert_eq!(run.failed("no-reply")["junk"], 3);
}

#[test]
fn a_record_that_is_not_valid_is_malformed() {
    let peer = Scripted::answering(310, |stage, got| {
        let mut data = enr_response(stage, got)[98..].to_vec();
        *data.last_mut().expect("a record") ^= 1;
        wire::frame(&stage.key, 6, &data)
    });
    let run = ping_briefly(&peer.enode());
    let field = run.failed("malformed")["field"].as_str().expect("a name").to_owned();
    assert!(field.contains("record") || field.contains("secp256k1"), "{field}");
}

#[test]
fn any_with_one_answer_and_one_failure() {
    let (good, silent) = (Scripted::honest(311), Scripted::start(312, |_, _| {}));
    let targets = [good.enode(), silent.enode()];
    let run = |more: &[&str]| {
        let targets = targets.each_ref().map(String::as_str);
        eth_ping(&[&["--timeout", "500ms", "--retries", "0", "--summary"], more, &targets].concat())
    };
    let (all, any) = (run(&[]), run(&["--any"]));
    assert_eq!((all.code, any.code), (1, 0));
    for run in [all, any] {
        let [summary] = run.of_type("summary")[..] else { panic!("{:#?}", run.lines) };
        assert_eq!((&summary["targets"], &summary["answered"]), (&2.into(), &1.into()));
        assert_eq!(summary["failures"], serde_json::json!({"no-reply": 1}));
        assert_eq!(summary["seen_as"], serde_json::json!({"127.0.0.1": 1}));
        assert_eq!(run.lines.last().map(|line| &line["type"]), Some(&Value::from("summary")));
    }
}
