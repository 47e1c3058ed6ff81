//! Floods: more datagrams than anyone can use, from the peer and from others. A run still ends, and an answer
//! among them is found. Rows of the specification: a flood; of the pitfalls: memory, allocation by a claimed
//! length.

mod common;

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::program::{eth_ping, warnings};
use common::scripted::{Got, Scripted, Stage, pongs};
use common::wire;

/// Datagrams of a flood, in all.
const FLOOD: usize = 20_000;
/// Sockets that a flood comes from, besides the peer's own.
const SOURCES: usize = 4;
/// The most memory that a run may take meanwhile; a quiet one takes a fifth of that.
const MOST_KIB: u64 = 64 * 1024;

/// Junk of several kinds, built once: too short, a wrong hash, a claimed length of 2^63, a right Pong to
/// nobody's Ping, a Ping of nobody's, and the longest datagram that there is.
fn junk(stage: &Stage, got: &Got) -> Vec<Vec<u8>> {
    let stranger = wire::key(9_600);
    vec![
        vec![0xaa; 20],
        vec![0x55; 300],
        wire::frame(&stage.key, 2, &[0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        stage.pong_but(got, |pong| pong.ping_hash = [3; 32]),
        wire::ping(&stranger, stage.addr, got.from, wire::now_unix_s() + 20),
        vec![0x11; 60_000],
    ]
}

fn sources() -> Vec<UdpSocket> {
    (0..SOURCES).map(|_| UdpSocket::bind("127.0.0.1:0").expect("a socket on loopback")).collect()
}

#[test]
fn the_answer_in_the_middle_of_a_flood_is_found() {
    let sources = sources();
    let peer = Scripted::start(600, move |stage, got| {
        // Pings that come while this is busy are answered behind the flood.
        let rounds = if got.nth == 1 { FLOOD / (SOURCES + 1) } else { 0 };
        let junk = junk(stage, got);
        for round in 0..=rounds {
            if round == rounds / 2 {
                stage.reply(got, &stage.pong(got));
            }
            if round == rounds {
                break;
            }
            let junk = &junk[round % (junk.len() - usize::from(round % 100 != 0))];
            stage.reply(got, junk);
            for source in &sources {
                let _ = source.send_to(junk, got.from);
            }
        }
    });
    // Our own buffer may lose the answer, which is why there are more tries.
    let run = eth_ping(&["--timeout", "3s", "--retries", "3", &peer.enode()]);
    let line = run.answered();
    assert_eq!(line["node_id"], peer.id());
    assert!(warnings(line).iter().all(|name| *name == "own-drops"), "{line:#}");
    assert_eq!(pongs(&peer.finish()).len(), 0);
}

/// Sends junk from `sources` to `to` until told to end, or for 20 s.
fn pour(
    sources: Vec<UdpSocket>,
    to: SocketAddr,
    end: Arc<AtomicBool>,
) -> thread::JoinHandle<usize> {
    thread::spawn(move || {
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut sent = 0;
        while !end.load(Ordering::Relaxed) && Instant::now() < deadline {
            for source in &sources {
                sent += usize::from(source.send_to(&[0xaa; 200], to).is_ok());
            }
        }
        sent
    })
}

#[test]
fn a_flood_without_an_answer_cannot_hold_up_the_end() {
    let end = Arc::new(AtomicBool::new(false));
    let (until, mut pouring) = (end.clone(), None);
    let peer = Scripted::start(601, move |stage, got| {
        if pouring.is_none() {
            let own = stage.socket.try_clone().expect("a copy");
            let all = sources().into_iter().chain([own]).collect();
            pouring = Some(pour(all, got.from, until.clone()));
        }
    });
    let began = Instant::now();
    let run = eth_ping(&["--timeout", "300ms", "--retries", "0", &peer.enode()]);
    let took = began.elapsed();
    end.store(true, Ordering::Relaxed);
    let line = run.failed("malformed");
    assert_eq!((&line["field"], &line["offset"]), (&"hash".into(), &0.into()));
    assert!(line["junk"].as_u64().is_some_and(|junk| junk > 100), "{line:#}");
    assert!((1..MOST_KIB).contains(&run.peak_kib), "{} KiB", run.peak_kib);
    // The flood goes on for 20 s unless the run ends first.
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[test]
fn a_flood_from_others_ends_in_no_reply_or_in_a_loss_of_our_own() {
    let end = Arc::new(AtomicBool::new(false));
    let (until, mut pouring) = (end.clone(), None);
    let peer = Scripted::start(602, move |_, got| {
        pouring.get_or_insert_with(|| pour(sources(), got.from, until.clone()));
    });
    let began = Instant::now();
    let run = eth_ping(&["--timeout", "300ms", "--retries", "0", &peer.enode()]);
    let took = began.elapsed();
    end.store(true, Ordering::Relaxed);
    let line = run.only();
    assert_eq!(run.code, 1);
    match line["failure"].as_str() {
        // None of it came from the peer.
        Some("no-reply") => assert_eq!(line["junk"], 0, "{line:#}"),
        // Who lost datagrams cannot say that the peer sent none.
        Some("local-error") => assert_eq!(warnings(line), ["own-drops"], "{line:#}"),
        _ => panic!("{line:#}"),
    }
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[test]
fn forged_pings_cost_a_bounded_number_of_checks_and_get_no_answer() {
    let peer = Scripted::start(603, |stage, got| {
        let stranger = wire::key(9_601);
        let ping = wire::ping(&stranger, stage.addr, got.from, wire::now_unix_s() + 20);
        (0..100).for_each(|_| stage.reply(got, &ping));
        (0..100).for_each(|_| stage.reply(got, &got.bytes));
    });
    let run = eth_ping(&["--timeout", "600ms", "--retries", "0", &peer.enode()]);
    let line = run.failed("no-reply");
    assert_eq!(line["junk"], 200, "{line:#}");
    // What comes behind the last check is junk of an unknown kind.
    assert_eq!(line["reflected"], 0, "{line:#}");
    assert_eq!(pongs(&peer.finish()).len(), 0);
}
