//! Scripted peers that ping back: who is answered, how often, with what, and what is said of it. Rows of the
//! specification: Pong before and after the peer's Ping; of the pitfalls: amplification and reflection (only
//! Pings are answered, only those of the target, only so many).

mod common;

use common::program::{Outcome, eth_ping, warnings};
use common::scripted::{Got, Scripted, pings, pongs};
use common::wire;
use p2pprobe::discv4::pinger::MAX_PONGS;

/// The hash of a packet.
fn hash(packet: &[u8]) -> [u8; 32] {
    *packet.first_chunk().expect("a packet")
}

/// Asserts that what came is one Ping of ours and these Pongs, each signed by the key that signed the Ping and
/// valid for 20 to 60 s, in a run that began then.
fn assert_pongs(all: &[Got], hashes: &[[u8; 32]], began: u64) {
    let ours = pings(all)[0];
    let pongs = pongs(all);
    let found: Vec<_> = pongs.iter().map(|(pong, _)| pong.ping_hash).collect();
    assert_eq!(found, hashes);
    for (pong, got) in pongs {
        assert_eq!((got.signer, got.from), (ours.signer, ours.from));
        // Sent between then and now.
        let expires = began + 20..=wire::now_unix_s() + 60;
        assert!(expires.contains(&pong.expiration), "{} is not in {expires:?}", pong.expiration);
    }
    assert_eq!(all.len(), hashes.len() + pings(all).len(), "nothing else");
}

/// A peer whose Ping goes before its Pong, or behind it; and the hash of its Ping, which it gives in the
/// Pong's enr-seq as far as that fits.
fn pinging(number: u32, first: bool) -> Scripted {
    Scripted::start(number, move |stage, got| {
        let ping = stage.own_ping(got.from, 20);
        let tag = u64::from_be_bytes(*hash(&ping).first_chunk().expect("8 bytes"));
        let pong = stage.pong_but(got, |pong| pong.enr_seq = Some(tag));
        let packets = if first { [&ping, &pong] } else { [&pong, &ping] };
        packets.iter().for_each(|packet| stage.reply(got, packet));
    })
}

/// Asserts that the Ping whose hash begins with the line's enr-seq was answered once.
fn assert_answered_once(run: &Outcome, all: &[Got], peer_addr: &str) {
    let tag = run.answered()["enr_seq"].as_u64().expect("the tag");
    let [(pong, got)] = pongs(all)[..] else { panic!("one Pong was due: {all:#?}") };
    assert_eq!(pong.ping_hash.first_chunk(), Some(&tag.to_be_bytes()));
    assert_eq!(got.signer, pings(all)[0].signer);
    // It says where the peer's Ping came from.
    assert_eq!(pong.to.to_string(), peer_addr);
    assert_eq!(warnings(run.only()), [""; 0]);
}

#[test]
fn a_ping_before_the_pong_is_answered_of_a_known_and_of_an_unknown_peer() {
    for (number, bond, bare) in [(400, 0, 0), (401, 0, 1), (402, 1, 0), (403, 1, 1)] {
        let peer = pinging(number, true);
        let target = if bare == 1 { peer.bare() } else { peer.enode() };
        let bond: &[&str] = if bond == 1 { &["--bond"] } else { &[] };
        let run = eth_ping(&[&["--timeout", "3s", &target], bond].concat());
        assert_eq!(run.answered()["pinged_back"], true, "{number}");
        let addr = peer.bare();
        assert_answered_once(&run, &peer.finish(), &addr);
    }
}

#[test]
fn a_ping_behind_the_pong_is_waited_for_with_bond() {
    for (number, bare) in [(404, false), (405, true)] {
        let peer = pinging(number, false);
        let target = if bare { peer.bare() } else { peer.enode() };
        let run = eth_ping(&["--timeout", "3s", "--bond", &target]);
        assert_eq!(run.answered()["pinged_back"], true, "{number}");
        let addr = peer.bare();
        assert_answered_once(&run, &peer.finish(), &addr);
    }
}

#[test]
fn bond_says_false_of_a_peer_that_does_not_ping() {
    let (peer, began) = (Scripted::honest(406), wire::now_unix_s());
    let run = eth_ping(&["--timeout", "3s", "--bond", &peer.enode()]);
    assert_eq!(run.answered()["pinged_back"], false);
    assert_pongs(&peer.finish(), &[], began);
}

#[test]
fn without_bond_a_ping_behind_the_pong_is_answered_while_the_run_goes_on() {
    let peer = pinging(407, false);
    let run = eth_ping(&["--timeout", "3s", "--count", "2", "--interval", "300ms", &peer.bare()]);
    assert_eq!(run.code, 0);
    let probes = run.of_type("probe");
    assert_eq!(probes.len(), 2);
    let all = peer.finish();
    let tag = probes[0]["enr_seq"].as_u64().expect("the tag").to_be_bytes();
    let first = pongs(&all)[0].0;
    assert_eq!(first.ping_hash.first_chunk(), Some(&tag));
    assert_eq!(pings(&all).len(), 2);
    // It was answered before we pinged again, not when it suited.
    assert!(matches!(all[1].message, p2pprobe::discv4::Message::Pong(_)), "{all:#?}");
}

#[test]
fn a_ping_gets_one_pong_however_many_targets_name_the_peer() {
    // The key known to both, to neither, to one.
    for (number, which) in [(408, [0, 0]), (409, [1, 1]), (410, [0, 1]), (411, [1, 0])] {
        let mut sent = Vec::new();
        let peer = Scripted::start(number, move |stage, got| {
            sent.push(got.clone());
            if let [first, second] = &sent[..] {
                let ping = stage.own_ping(got.from, 20);
                stage.reply(got, &ping);
                for got in [first, second] {
                    stage.reply(got, &stage.pong(got));
                }
            }
        });
        let texts = [peer.enode(), peer.bare()];
        let targets = which.map(|which: usize| texts[which].as_str());
        let run = eth_ping(&["--timeout", "3s", "--bond", targets[0], targets[1]]);
        assert_eq!((run.code, run.lines.len()), (0, 2), "{number}: {:#?}", run.lines);
        for line in &run.lines {
            assert_eq!(line["pinged_back"], true, "{number}: {line:#}");
        }
        let all = peer.finish();
        assert_eq!((pings(&all).len(), pongs(&all).len()), (2, 1), "{number}: {which:?}");
    }
}

#[test]
fn a_ping_signed_by_another_key_is_never_answered() {
    for (number, first) in [(412, true), (413, false)] {
        let peer = Scripted::start(number, move |stage, got| {
            let other = wire::key(9_000);
            let ping = wire::ping(&other, stage.addr, got.from, wire::now_unix_s() + 20);
            let pong = stage.pong(got);
            let packets = if first { [&ping, &pong] } else { [&pong, &ping] };
            packets.iter().for_each(|packet| stage.reply(got, packet));
        });
        for target in [peer.enode(), peer.bare()] {
            let run = eth_ping(&["--timeout", "3s", "--bond", &target]);
            assert_eq!(run.answered()["pinged_back"], false, "{number}");
            assert_eq!(run.only()["node_id"], peer.id());
        }
        assert_eq!(pongs(&peer.finish()).len(), 0, "{number}");
    }
}

#[test]
fn another_ones_ping_does_not_push_out_the_peers_own() {
    // Both come from the peer's address before the Pong says which of them is the peer's.
    let peer = Scripted::start(414, |stage, got| {
        stage.reply(got, &stage.own_ping(got.from, 20));
        let other = wire::key(9_001);
        stage.reply(got, &wire::ping(&other, stage.addr, got.from, wire::now_unix_s() + 20));
        stage.reply(got, &stage.pong(got));
    });
    let run = eth_ping(&["--timeout", "3s", "--bond", &peer.enode()]);
    assert_eq!(run.answered()["pinged_back"], true);
    assert_eq!(pongs(&peer.finish()).len(), 1);
}

#[test]
fn our_pong_is_signed_by_our_key_and_lives_for_a_while() {
    let (sender, sent) = std::sync::mpsc::channel();
    let peer = Scripted::start(422, move |stage, got| {
        let ping = stage.own_ping(got.from, 20);
        sender.send(hash(&ping)).expect("the test listens");
        stage.reply(got, &ping);
        stage.reply(got, &stage.pong(got));
    });
    let began = wire::now_unix_s();
    eth_ping(&["--timeout", "3s", "--bond", &peer.enode()]).answered();
    assert_pongs(&peer.finish(), &[sent.recv().expect("a hash")], began);
}

#[test]
fn an_expired_ping_is_never_answered() {
    // The second has wrapped around: as an unsigned number it lies in the far future.
    for (number, expiration) in [(415, wire::now_unix_s() - 5), (416, u64::MAX - 5)] {
        let peer = Scripted::start(number, move |stage, got| {
            stage.reply(got, &wire::ping(&stage.key, stage.addr, got.from, expiration));
            stage.reply(got, &stage.pong(got));
        });
        for target in [peer.enode(), peer.bare()] {
            let run = eth_ping(&["--timeout", "3s", "--bond", &target]);
            assert_eq!(run.answered()["pinged_back"], false, "{number}");
        }
        assert_eq!(pongs(&peer.finish()).len(), 0, "{number}");
    }
}

#[test]
fn a_flood_of_pings_gets_only_so_many_pongs() {
    // The same Ping again and again, and other ones of the same peer.
    for (number, replayed) in [(417, true), (418, false)] {
        let peer = Scripted::start(number, move |stage, got| {
            for turn in 0..50 {
                stage.reply(got, &stage.own_ping(got.from, if replayed { 20 } else { 20 + turn }));
            }
            stage.reply(got, &stage.pong(got));
        });
        let run = eth_ping(&["--timeout", "3s", "--bond", &peer.enode()]);
        assert_eq!(run.answered()["pinged_back"], true, "{number}");
        assert_eq!(pongs(&peer.finish()).len(), MAX_PONGS as usize, "{number}");
    }
}

#[test]
fn a_flood_of_pings_before_an_unknown_peers_pong_gets_one_pong() {
    let peer = Scripted::start(419, |stage, got| {
        (0..50).for_each(|turn| stage.reply(got, &stage.own_ping(got.from, 20 + turn)));
        stage.reply(got, &stage.pong(got));
    });
    let run = eth_ping(&["--timeout", "3s", "--bond", &peer.bare()]);
    assert_eq!(run.answered()["pinged_back"], true);
    assert_eq!(pongs(&peer.finish()).len(), 1);
}

#[test]
fn a_ping_from_who_is_no_target_is_never_answered() {
    let stranger = std::net::UdpSocket::bind("127.0.0.3:0").expect("a socket on loopback");
    let its_addr = stranger.local_addr().expect("its address");
    let copy = stranger.try_clone().expect("a copy");
    let peer = Scripted::start(420, move |stage, got| {
        let expiration = wire::now_unix_s() + 20;
        let ping = wire::ping(&wire::key(9_002), its_addr, got.from, expiration);
        copy.send_to(&ping, got.from).expect("sent");
        // Nor is the target's own from a host that is none.
        copy.send_to(&stage.own_ping(got.from, 20), got.from).expect("sent");
        stage.reply(got, &stage.pong(got));
    });
    let run = eth_ping(&["--timeout", "3s", "--bond", &peer.enode()]);
    assert_eq!(run.answered()["pinged_back"], false);
    assert_eq!(pongs(&peer.finish()).len(), 0);
    stranger.set_nonblocking(true).expect("non-blocking");
    assert!(stranger.recv(&mut [0; 64]).is_err(), "the stranger was answered");
}

#[test]
fn a_ping_from_another_port_of_the_peers_host_is_answered_there() {
    let peer = Scripted::start(421, |stage, got| {
        stage.reply_from_other(got, &stage.own_ping(got.from, 20));
        let mut buffer = [0; 2048];
        let patience = Some(std::time::Duration::from_secs(5));
        stage.other.set_read_timeout(patience).expect("read timeout");
        let (len, from) = stage.other.recv_from(&mut buffer).expect("a Pong");
        assert_eq!((from, buffer[97]), (got.from, 2), "{len} bytes");
        stage.reply(got, &stage.pong(got));
    });
    let run = eth_ping(&["--timeout", "10s", "--bond", &peer.enode()]);
    assert_eq!(run.answered()["pinged_back"], true);
    assert_eq!(pongs(&peer.finish()).len(), 0);
}
