//! `eth-ping --ordered`: results in the order of the file, with names, bad lines and slow targets in between; what waits
//! is bounded.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use p2pprobe::discv4::{Message, Packet};

use crate::common::command::{TempDir, eth_ping};
use crate::common::crowd::Crowd;
use crate::common::wire;
use crate::scene::{finish, outcome};

/// When something came to which address.
type Came = Arc<Mutex<Vec<(Instant, Ipv4Addr)>>>;

/// Peers that answer; those at 127.9.9.0/24 do not.
fn crowd() -> (Crowd, Came) {
    let came = Came::default();
    let seen = came.clone();
    let crowd = Crowd::start(move |at, from: SocketAddr, bytes| {
        seen.lock().expect("no panic").push((Instant::now(), at));
        let hash = Packet::decode(bytes).expect("a Ping").hash;
        let silent = at.octets()[2] == 9;
        let pong = || wire::message(&wire::key(1), &Message::Pong(wire::pong(from, hash)));
        (!silent).then(pong)
    });
    (crowd, came)
}

fn run(options: &[&str], file: &str) -> crate::common::command::Ran {
    let always = ["--json", "--ordered", "--rate", "0", "--per-host-interval", "0"];
    finish(eth_ping(always.iter().chain(options).chain(&["--file", file])))
}

#[test]
fn names_bad_lines_and_slow_targets_keep_their_place() {
    let (crowd, _) = crowd();
    let port = crowd.port;
    let (mut text, mut due) = (String::new(), Vec::new());
    for number in 0..600_u32 {
        let (line, outcome) = match number % 5 {
            0 => (format!("127.9.9.{}:{port}", number % 250 + 1), "no-reply"),
            1 => (format!("127.9.0.{}:{port}", number % 250 + 1), "ok"),
            2 => (format!("localhost:{port}"), "ok"),
            3 => ("127.9.0.1:port".to_owned(), "bad-target"),
            _ => (format!("enode://{}@127.9.1.1:{port}", wire::key(1).public()), "ok"),
        };
        text.push_str(&line);
        text.push('\n');
        due.push(outcome);
    }
    let dir = TempDir::new();
    let ran = run(
        &["--timeout", "1s", "--retries", "0", "-4", "--concurrency", "4096"],
        &dir.file("targets", text),
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    let lines = ran.of_type("probe");
    let told: Vec<_> = lines.iter().map(outcome).collect();
    let wrong = (0..).zip(told.iter().zip(&due)).find(|(_, (told, due))| told != due);
    assert_eq!((told.len(), wrong), (600, None));
    let numbers = lines.iter().map(|line| line["line"].as_u64().expect("a number"));
    assert!(numbers.eq(1..=600));
}

#[test]
fn so_many_wait_for_the_first_one_and_no_more() {
    const BAD: usize = 20_000;
    const GOOD: usize = 100;
    let (crowd, came) = crowd();
    let port = crowd.port;
    // Bad lines wait as others do, and cost nothing.
    let bad = "127.9.0.1:port\n".repeat(BAD);
    let good = format!("127.9.0.1:{port}\n").repeat(GOOD);
    let dir = TempDir::new();
    let file = dir.file("targets", format!("127.9.9.1:{port}\n{bad}{good}"));
    let ran = run(&["--timeout", "4s", "--retries", "0"], &file);
    let warning = format!(
        "warning: --ordered: 16384 results wait for that of 127.9.9.1:{port}; no more targets are begun until it has \
         ended\n"
    );
    assert_eq!((ran.code, &ran.stderr), (Some(1), &warning));
    let line = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    let lines: Vec<_> = ran.stdout.lines().map(line).collect();
    assert_eq!(lines.len(), 1 + BAD + GOOD + 1);
    let numbers = lines[..=BAD + GOOD].iter().map(|line| line["line"].as_u64().expect("a number"));
    assert!(numbers.eq(1..=(1 + BAD + GOOD) as u64));
    assert_eq!(
        lines[BAD + GOOD + 1]["failures"],
        serde_json::json!({"no-reply": 1, "bad-target": BAD})
    );
    // The others were not begun before the first had ended.
    let came = came.lock().expect("no panic").clone();
    assert_eq!(came.len(), 1 + GOOD);
    assert!(came[1].0 - came[0].0 >= Duration::from_millis(3500), "{:?}", came[1].0 - came[0].0);
}
