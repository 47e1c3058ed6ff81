//! SIGINT and SIGTERM end a run in order, a second one ends it at once.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::common::answering::Peer;
use crate::common::command::{PATIENCE, Ran, TempDir, eth_ping, finish, outcome, probe, wait};

/// Longer than any test waits: what ends sooner was ended.
const LONG: &str = "1h";

pub fn signal(child: &Child, name: &str) {
    // A thread of the program's own sets the handlers; on a busy machine that may come after the first Ping.
    std::thread::sleep(Duration::from_millis(300));
    let status = Command::new("kill").args(["-s", name, &child.id().to_string()]).status();
    assert!(status.expect("kill runs").success());
}

pub fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Starts, waits until `peer` has been sent something, sends the signal, waits for the end.
fn stopped(args: &[&str], peer: &Peer, name: &str) -> Ran {
    let child = eth_ping(args).spawn().expect("the binary starts");
    until("a Ping", || peer.received() > 0);
    signal(&child, name);
    finish(child)
}

#[test]
fn what_was_begun_is_reported_and_the_summary_comes() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let silent = Peer::silent();
        let args = ["--json", "--summary", "--timeout", LONG, &silent.enode];
        let ran = stopped(&args, &silent, name);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(code), ""));
        let lines = ran.lines();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!((outcome(&lines[0]), &lines[0]["tries"]), ("interrupted".into(), &json!(1)));
        assert_eq!(lines[1]["interrupted"], true);
        assert_eq!(lines[1]["failures"], json!({"interrupted": 1}));
    }
}

#[test]
fn between_two_probes_nothing_is_lost() {
    let peer = Peer::start();
    let args = ["--json", "--count", "9", "--interval", LONG, &peer.enode];
    let child = eth_ping(args).spawn().expect("the binary starts");
    until("a Ping", || peer.received() > 0);
    // By then its Pong has come; an interrupted probe would be seen below.
    signal(&child, "INT");
    let ran = finish(child);
    assert_eq!((ran.code, ran.outcomes()), (Some(130), vec!["ok".to_owned()]));
    assert_eq!(ran.of_type("target")[0]["sent"], 1);
    assert_eq!(ran.of_type("summary")[0]["answered"], 1);
}

#[test]
fn standard_input_that_stays_open_is_left() {
    let peer = Peer::silent();
    let list = format!("{}\n", peer.enode);
    let mut child = eth_ping(["--json", "--timeout", LONG, "-"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    std::io::Write::write_all(&mut stdin, list.as_bytes()).expect("it reads");
    until("a Ping", || peer.received() > 0);
    signal(&child, "TERM");
    let ran = finish(child);
    assert_eq!((ran.code, ran.outcomes()), (Some(143), vec!["interrupted".to_owned()]));
    drop(stdin);
}

/// A pipe that nobody writes to cannot be opened for long; nothing was sent by then that could be reported.
#[test]
fn one_signal_ends_the_opening_of_a_file() {
    let dir = TempDir::new();
    let fifo = dir.path().join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status();
    assert!(made.expect("mkfifo runs").success());
    let fifo = fifo.to_str().expect("UTF-8");
    for (name, option) in [
        ("eth-ping", "--file"),
        ("eth-ping", "--config"),
        ("eth-ping", "--key"),
        ("btc-handshake", "--file"),
        ("btc-handshake", "--config"),
    ] {
        let mut child = probe(name, ["127.0.0.1:9", option, fifo]).spawn().expect("it starts");
        signal(&child, "TERM");
        let status = wait(&mut child, PATIENCE).expect("an end");
        assert_eq!(status.signal(), Some(15), "{name} {option}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let peer = Peer::start();
    // Results that nobody reads fill the pipe, and then nothing but a second signal is left.
    let args = ["--json", "--count", "1000000", "--interval", "0", "--per-host-interval", "0"];
    let args = args.into_iter().chain(["--rate", "0", &peer.enode]);
    let mut child = eth_ping(args).spawn().expect("the binary starts");
    let stdout = child.stdout.take().expect("stdout is a pipe");
    let mut line = String::new();
    let mut reader = BufReader::with_capacity(1, stdout);
    reader.read_line(&mut line).expect("a line");
    let mut before = 0;
    until("the end of its sending", || {
        std::thread::sleep(Duration::from_millis(300));
        std::mem::replace(&mut before, peer.received()) == peer.received()
    });
    signal(&child, "INT");
    std::thread::sleep(Duration::from_millis(200));
    assert!(child.try_wait().expect("it can be waited for").is_none(), "one was enough");
    signal(&child, "TERM");
    let status = wait(&mut child, PATIENCE).expect("an end");
    assert_eq!(status.code(), Some(143));
}

#[test]
fn targets_that_wait_for_their_turn_are_reported_too() {
    let silent = Peer::silent();
    let others = [Peer::silent(), Peer::silent()];
    let targets = [&silent.enode, &others[0].enode, &others[1].enode];
    let args = ["--json", "--summary", "--concurrency", "1", "--timeout", LONG];
    let ran = stopped(&[&args[..], &targets.map(String::as_str)].concat(), &silent, "INT");
    assert_eq!(ran.code, Some(130));
    assert_eq!(ran.outcomes(), ["interrupted"; 3]);
    let told: Vec<_> = ran.of_type("probe").iter().map(|line| line["target"].clone()).collect();
    assert!(targets.iter().all(|target| told.contains(&json!(target))), "{told:?}");
    let summary = &ran.of_type("summary")[0];
    assert_eq!((&summary["targets"], &summary["answered"]), (&json!(3), &json!(0)));
    assert_eq!(summary["failures"], json!({"interrupted": 3}));
    assert_eq!(others.map(|other| other.received()), [0, 0]);
}
