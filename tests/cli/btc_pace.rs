//! How fast and how often `btc-handshake` connects, measured where it connects to.

use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::os::fd::AsRawFd;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, bind, getsockname, listen, socket,
};
use serde_json::json;

use crate::common::btc::frame;
use crate::common::command::{Ran, finish, probe, run_btc_handshake};
use crate::common::tcp_crowd::{ANSWER, Came, Manner, TcpCrowd, ip, number};

/// How much earlier than asked for a connection may seem to come, since threads take the time of each.
const EARLY: Duration = Duration::from_millis(250);

fn run(args: &[&str]) -> Ran {
    run_btc_handshake(["--json"].iter().chain(args))
}

/// When the connections to a peer came, after the first one of all.
fn times(came: &[Came], peer: usize) -> Vec<Duration> {
    let to_it = came.iter().filter(|one| one.to == ip(peer));
    to_it.map(|one| one.at - came[0].at).collect()
}

#[test]
fn the_rate_holds_for_all_of_them() {
    let crowd = TcpCrowd::answering();
    let targets: Vec<_> = (0..21).map(|number| crowd.target(number)).collect();
    let args: Vec<_> =
        ["--rate", "20"].into_iter().chain(targets.iter().map(String::as_str)).collect();
    assert_eq!(run(&args).code, Some(0));
    let came = crowd.came();
    let took = came[20].at - came[0].at;
    assert!(took >= Duration::from_secs(1) - EARLY, "{took:?}");
}

#[test]
fn connections_to_one_address_are_spaced_and_others_do_not_wait() {
    let crowd = TcpCrowd::answering();
    let (one, other) = (crowd.target(0), crowd.target(1));
    let targets = [&one[..], &one, &one, &other];
    let ran = run(&[&["--per-host-interval", "500ms"], &targets[..]].concat());
    assert_eq!((ran.code, ran.of_type("probe").len()), (Some(0), 4), "{ran:?}");
    let came = crowd.came();
    let spaced = times(&came, 0);
    for (turn, time) in (0..).zip(&spaced) {
        assert!(*time + EARLY >= turn * Duration::from_millis(500), "{spaced:?}");
    }
    assert!(times(&came, 1)[0] < spaced[1], "{came:?}");
    // The default is a second.
    let crowd = TcpCrowd::answering();
    run(&[&crowd.target(0), &crowd.target(0)]);
    assert!(times(&crowd.came(), 0)[1] + EARLY >= Duration::from_secs(1));
}

#[test]
fn no_interval_is_none() {
    let crowd = TcpCrowd::start(|_, _| Manner::Answer(Duration::from_secs(1)));
    let target = crowd.target(0);
    let ran = run(&[&["--per-host-interval", "0"], &[&target[..]; 5][..]].concat());
    assert_eq!((ran.code, crowd.came().len()), (Some(0), 5));
    assert!(crowd.most() > 1, "one after the other");
}

#[test]
fn a_peer_that_hangs_up_is_tried_again_at_its_turn() {
    let crowd = TcpCrowd::start(|ip, nth| match (number(ip), nth) {
        (0, 0 | 1) | (1, _) => Manner::Close,
        _ => ANSWER,
    });
    let targets = [0, 1, 2].map(|number| crowd.target(number));
    let args = ["--retries", "2", "--per-host-interval", "400ms"];
    let ran = run(&[&args[..], &targets.each_ref().map(|target| &target[..])].concat());
    let told = |number: usize| {
        let line = ran.of_type("probe").into_iter().find(|line| line["target"] == targets[number]);
        let line = line.unwrap_or_else(|| panic!("{number}: {ran:?}"));
        (line.get("failure").cloned(), line["tries"].clone())
    };
    assert_eq!(told(0), (None, json!(3)));
    assert_eq!(told(1), (Some(json!("closed-early")), json!(3)));
    assert_eq!(told(2), (None, json!(1)));
    let came = crowd.came();
    assert_eq!([0, 1, 2].map(|peer| times(&came, peer).len()), [3, 3, 1]);
    let spaced = times(&came, 0);
    assert!(spaced[2] + EARLY >= Duration::from_millis(800), "{spaced:?}");
    // Nobody is tried again who was not asked to be.
    let crowd = TcpCrowd::start(|_, _| Manner::Close);
    assert_eq!(run(&[&crowd.target(0)]).lines()[0]["tries"], 1);
    assert_eq!(crowd.came().len(), 1);
}

#[test]
fn what_time_cannot_mend_is_not_tried_again() {
    let crowd = TcpCrowd::start(|ip, _| match number(ip) {
        0 => Manner::Say(frame(p2pprobe::bitcoin::Magic([0x0b, 0x11, 0x09, 0x07]), b"verack", &[])),
        _ => Manner::Say(b"HTTP/1.1 400 Bad Request\r\nServer: none\r\n\r\n".to_vec()),
    });
    let targets = [0, 1].map(|number| crowd.target(number));
    let args = ["--retries", "3", "--per-host-interval", "0", &targets[0], &targets[1]];
    let ran = run(&args);
    let mut outcomes = ran.outcomes();
    outcomes.sort();
    assert_eq!(outcomes, ["not-bitcoin", "wrong-network"]);
    assert!(ran.lines().iter().all(|line| line["tries"] == 1), "{ran:?}");
    assert_eq!(crowd.came().len(), 2);
}

#[test]
fn a_port_that_opens_meanwhile_is_reached() {
    // Bound and not listening yet, the port refuses, and nobody else gets it.
    let flag = SockFlag::SOCK_CLOEXEC;
    let fd = socket(AddressFamily::Inet, SockType::Stream, flag, None).expect("a socket");
    let here = SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
    bind(fd.as_raw_fd(), &here).expect("a port");
    let at: SockaddrIn = getsockname(fd.as_raw_fd()).expect("its address");
    let target = format!("127.0.0.1:{}", at.port());
    let refused = run(&["--retries", "2", "--per-host-interval", "50ms", &target]);
    assert_eq!(refused.outcomes(), ["refused"]);
    assert_eq!(refused.lines()[0]["tries"], 3);

    let args = ["--json", "--retries", "200", "--per-host-interval", "100ms", &target];
    let child = probe("btc-handshake", args).spawn().expect("the binary starts");
    thread::sleep(Duration::from_millis(700));
    listen(&fd, Backlog::new(8).expect("a backlog")).expect("it listens");
    let crowd = TcpCrowd::start_on(TcpListener::from(fd), |_, _| ANSWER);
    let ran = finish(child);
    assert_eq!((ran.code, ran.outcomes()), (Some(0), vec!["ok".to_owned()]));
    assert!(ran.lines()[0]["tries"].as_u64() > Some(1), "{ran:?}");
    assert_eq!(crowd.came().len(), 1);
}

#[test]
fn several_probes_of_a_target_come_one_after_the_other() {
    let crowd = TcpCrowd::start(|ip, nth| match (number(ip), nth) {
        (1, 1) => Manner::Close,
        _ => ANSWER,
    });
    let targets = [0, 1].map(|number| crowd.target(number));
    let began = Instant::now();
    let ran = run(&["--count", "3", "--interval", "600ms", &targets[0], &targets[1]]);
    assert!(began.elapsed() >= Duration::from_millis(1200), "{:?}", began.elapsed());
    // One of three was missed; a target is answered where one of its probes is.
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for (peer, received) in [(0, 3), (1, 2)] {
        let spaced = times(&crowd.came(), peer);
        assert_eq!(spaced.len(), 3);
        assert!(spaced[2] + EARLY >= spaced[0] + Duration::from_millis(1200), "{spaced:?}");
        let of_it = |kind: &str| {
            let lines = ran.of_type(kind).into_iter();
            lines.filter(|line| line["target"] == targets[peer]).collect::<Vec<_>>()
        };
        let numbers: Vec<_> = of_it("probe").iter().map(|line| line["probe"].clone()).collect();
        assert_eq!(numbers, [1, 2, 3].map(|number| json!(number)));
        let [stats] = &of_it("target")[..] else { panic!("one line of statistics: {ran:?}") };
        assert_eq!((&stats["sent"], &stats["received"]), (&json!(3), &json!(received)));
        assert_eq!(stats["ok"], true);
        let rtt = ["min", "median", "max"].map(|which| stats[format!("rtt_{which}_ms")].as_f64());
        assert!(rtt[0] > Some(0.0) && rtt[0] <= rtt[1] && rtt[1] <= rtt[2], "{stats:#}");
    }
    let summary = &ran.of_type("summary")[0];
    let told = ["targets", "answered", "probes", "ok"].map(|field| summary[field].as_u64());
    assert_eq!(told, [2, 2, 6, 5].map(Some), "{summary:#}");
    assert_eq!(ran.lines().last(), Some(summary));
}

/// From the begin of one probe to that of the next, where addresses need no rest, too.
#[test]
fn probes_keep_their_interval_by_themselves() {
    let crowd = TcpCrowd::answering();
    let target = crowd.target(0);
    let args = ["--count", "4", "--interval", "400ms", "--per-host-interval", "0", &target];
    assert_eq!(run(&args).code, Some(0));
    for (turn, time) in (0..).zip(times(&crowd.came(), 0)) {
        assert!(time + EARLY >= turn * Duration::from_millis(400), "{turn}: {time:?}");
    }
}

#[test]
fn each_probe_has_all_its_retries() {
    // Two tries of the first probe, and two of the second.
    let crowd = TcpCrowd::start(|_, nth| if nth < 3 { Manner::Close } else { ANSWER });
    let pace = ["--interval", "50ms", "--per-host-interval", "0"];
    let args = ["--count", "2", "--retries", "1", &crowd.target(0)];
    let ran = run(&[&pace[..], &args].concat());
    assert_eq!(ran.outcomes(), ["closed-early", "ok"], "{ran:?}");
    assert!(ran.of_type("probe").iter().all(|line| line["tries"] == 2), "{ran:?}");
    assert_eq!(crowd.came().len(), 4);
}
