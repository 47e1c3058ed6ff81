//! How many datagrams and connections come to the peers, in all and to each: no more than was asked for, and who has to
//! wait for its host holds up nobody else.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use p2pprobe::discv4::{Message, Packet};

use crate::common::command::{Ran, TempDir, probe};
use crate::common::crowd::Crowd;
use crate::common::tcp_crowd::{ANSWER, Manner, TcpCrowd, ip, number};
use crate::common::wire;
use crate::scene::finish;

/// How much earlier than it may something can seem to come, since whoever takes the time may be held up.
const EARLY: Duration = Duration::from_millis(250);

/// When something came to which peer.
type Came = Vec<(Instant, IpAddr)>;

/// Peers that answer, but for each third one, which is silent; perhaps they ping back, too.
fn nodes(ping_back: bool) -> (Crowd, Arc<Mutex<Came>>) {
    let came: Arc<Mutex<Came>> = Arc::default();
    let seen = came.clone();
    let key = wire::key(1);
    let crowd = Crowd::start(move |at, from, bytes| {
        seen.lock().expect("no panic").push((Instant::now(), at.into()));
        let packet = Packet::decode(bytes).expect("a packet");
        let silent = at.octets()[3] % 3 == 0;
        let mut out = Vec::new();
        if matches!(packet.message, Message::Ping(_)) && !silent {
            if ping_back {
                let own = (at, 30303).into();
                out.push(wire::ping(&key, own, from, wire::now_unix_s() + 20));
            }
            out.push(wire::message(&key, &Message::Pong(wire::pong(from, packet.hash))));
        }
        out
    });
    (crowd, came)
}

fn run(command: &str, targets: &str, options: &[&str]) -> Ran {
    let dir = TempDir::new();
    let file = dir.file("targets", targets);
    finish(probe(command, ["--json", "--file", &file].iter().chain(options)))
}

/// Asserts that of these no more came than so many a second, whichever second is looked at.
fn assert_rate(came: &Came, rate: usize) {
    let gap = Duration::from_secs(1) / rate as u32;
    let mut worst = (Duration::ZERO, 0);
    for from in 0..came.len() {
        for to in [from + rate / 2, from + rate, came.len() - 1] {
            let Some((at, _)) = came.get(to).filter(|_| to > from) else { continue };
            let least = gap * (to - from) as u32;
            let missing = least.saturating_sub(*at - came[from].0);
            worst = worst.max((missing, to - from));
        }
    }
    assert!(worst.0 <= EARLY, "{} came {:?} too soon", worst.1, worst.0);
}

#[test]
fn the_rate_is_that_of_all_datagrams() {
    let (crowd, came) = nodes(true);
    let target =
        |number: u32| format!("127.11.{}.{}:{}\n", number / 250, number % 250 + 1, crowd.port);
    let targets: String = (0..300).map(target).collect();
    let pace =
        ["--rate", "200", "--per-host-interval", "0", "--timeout", "300ms", "--retries", "2"];
    let ran = run("eth-ping", &targets, &[&pace[..], &["--bond"]].concat());
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let summary = &ran.of_type("summary")[0];
    let silent = (0..300).filter(|number| (number % 250 + 1) % 3 == 0).count();
    assert_eq!(summary["failures"], serde_json::json!({"no-reply": silent}));
    let came = came.lock().expect("no panic").clone();
    // A Ping and a Pong to each that answers, three Pings to each that does not.
    assert_eq!(came.len(), (300 - silent) * 2 + silent * 3);
    assert_rate(&came, 200);
    let took = came[came.len() - 1].0 - came[0].0;
    assert!(took < Duration::from_secs(20), "slower than it may be: {took:?}");
}

#[test]
fn the_rate_is_that_of_all_connections() {
    let crowd = TcpCrowd::start(|ip, nth| match (number(ip) % 3, nth) {
        (0, 0 | 1) => Manner::Close,
        _ => ANSWER,
    });
    let pace = ["--rate", "100", "--per-host-interval", "0", "--retries", "2"];
    let ran = run("btc-handshake", &crowd.targets(150), &pace);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let came: Came = crowd.came().iter().map(|came| (came.at, came.to)).collect();
    assert_eq!(came.len(), 150 + 2 * 50);
    assert_rate(&came, 100);
}

const INTERVAL: Duration = Duration::from_millis(200);
/// Lines for each of few hosts, which stand before those of all the others.
const CROWDED: usize = 15;
const HOSTS: usize = 4;
const OTHERS: usize = 300;

/// Asserts that few hosts with many targets were left alone as long as they must, and held up nobody.
fn assert_spaced(came: &Came, few: impl Fn(IpAddr) -> bool) {
    let mut by_host: HashMap<IpAddr, Vec<Instant>> = HashMap::new();
    for (at, host) in came {
        by_host.entry(*host).or_default().push(*at);
    }
    let first = came[0].0;
    let (mut crowded, mut last_of_others) = (0, first);
    for (host, times) in &by_host {
        if !few(*host) {
            last_of_others = last_of_others.max(times[times.len() - 1]);
            continue;
        }
        crowded += 1;
        assert_eq!(times.len(), CROWDED, "{host}");
        for (turn, at) in (0..).zip(times) {
            assert!(
                *at - times[0] + EARLY >= turn * INTERVAL,
                "{host}, {turn}: {:?}",
                *at - times[0]
            );
        }
        let took = times[CROWDED - 1] - first;
        assert!(took < Duration::from_secs(10), "{host} was left alone for too long: {took:?}");
    }
    assert_eq!((crowded, by_host.len()), (HOSTS, HOSTS + OTHERS));
    // Few places for all: who waits for its host has none.
    let took = last_of_others - first;
    assert!(took < INTERVAL * CROWDED as u32 - EARLY, "the others waited: {took:?}");
}

#[test]
fn many_targets_of_few_hosts_hold_up_no_others() {
    let pace =
        ["--rate", "0", "--per-host-interval", "200ms", "--concurrency", "8", "--retries", "0"];
    let lines = |target: &dyn Fn(usize) -> String| {
        let crowded = (0..HOSTS * CROWDED).map(|line| target(line % HOSTS));
        crowded.chain((0..OTHERS).map(|other| target(HOSTS + other))).collect::<String>()
    };

    let (crowd, came) = nodes(false);
    // None of these is silent.
    let host =
        |number: usize| IpAddr::from([127, 12, (number / 50) as u8, (number % 50) as u8 * 3 + 1]);
    let target = |number: usize| format!("{}:{}\n", host(number), crowd.port);
    let ran = run("eth-ping", &lines(&target), &pace);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let came = came.lock().expect("no panic").clone();
    assert_spaced(&came, |at| (0..HOSTS).any(|number| host(number) == at));

    let crowd = TcpCrowd::answering();
    let target = |number: usize| crowd.target(number) + "\n";
    let ran = run("btc-handshake", &lines(&target), &pace);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let came: Came = crowd.came().iter().map(|came| (came.at, came.to)).collect();
    assert_spaced(&came, |at| (0..HOSTS).any(|number| IpAddr::from(ip(number)) == at));
}
