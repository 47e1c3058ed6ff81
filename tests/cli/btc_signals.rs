//! SIGINT and SIGTERM in the middle of a run of `btc-handshake`: each target that was begun has its line, then comes the
//! summary; a second signal ends it at once.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::process::Child;
use std::time::Duration;

use serde_json::json;

use crate::common::command::{PATIENCE, TempDir, finish, outcome, probe, wait};
use crate::common::tcp_crowd::{ANSWER, Manner, SILENT, TcpCrowd, number};
use crate::signals::{signal, until};

fn start<'a>(args: impl IntoIterator<Item = &'a str>) -> Child {
    let all = ["--json", "--summary", "--timeout", "1h", "--connect-timeout", "1h"]
        .into_iter()
        .chain(args);
    probe("btc-handshake", all).spawn().expect("the binary starts")
}

#[test]
fn what_is_open_is_interrupted_and_what_has_ended_stays() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let crowd =
            TcpCrowd::start(|ip, _| if number(ip).is_multiple_of(3) { ANSWER } else { SILENT });
        let dir = TempDir::new();
        let file = dir.file("nodes.txt", crowd.targets(300));
        let child = start(["--concurrency", "8", "--file", &file]);
        // Eight that say nothing take all places.
        until("eight that are open", || crowd.came().len() >= 11);
        signal(&child, name);
        let ran = finish(child);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(code), ""));
        let lines = ran.of_type("probe");
        let targets: HashSet<_> = lines.iter().map(|line| line["target"].to_string()).collect();
        assert_eq!(targets.len(), lines.len(), "a target twice");
        let came: HashSet<_> = crowd.came().iter().map(|came| came.to.to_string()).collect();
        let mut open = 0;
        for line in &lines {
            let ip =
                line["target"].as_str().and_then(|to| to.split(':').next()).expect("an address");
            let tries = u64::from(came.contains(ip));
            // What the run had not taken from the source yet says no number.
            assert_eq!(line["tries"].as_u64().unwrap_or_default(), tries, "{line:#}");
            let good = number(ip.parse().expect("an address")).is_multiple_of(3);
            let expected = if good && tries == 1 { "ok" } else { "interrupted" };
            assert_eq!(outcome(line), expected, "{line:#}");
            open += u64::from(expected == "interrupted" && tries == 1);
        }
        assert_eq!((open, came.len() <= lines.len()), (8, true));
        let summary = ran.lines().pop().expect("a line");
        assert_eq!((&summary["type"], &summary["interrupted"]), (&json!("summary"), &json!(true)));
        assert_eq!(summary["targets"], lines.len());
        let ok = lines.iter().filter(|line| line["ok"] == true).count();
        assert_eq!(
            (&summary["answered"], &summary["failures"]["interrupted"]),
            (&json!(ok), &json!(lines.len() - ok))
        );
    }
}

#[test]
fn one_that_waits_for_its_turn_is_reported_too() {
    let crowd = TcpCrowd::start(|_, _| SILENT);
    // One is open, one waits for a place, and one for its host's turn.
    let targets = [0, 1, 0].map(|number| crowd.target(number));
    let args = ["--concurrency", "1", "--per-host-interval", "1h"];
    let child = start(args.into_iter().chain(targets.iter().map(String::as_str)));
    until("a connection", || !crowd.came().is_empty());
    signal(&child, "INT");
    let ran = finish(child);
    assert_eq!((ran.code, ran.outcomes()), (Some(130), vec!["interrupted".to_owned(); 3]));
    let lines = ran.of_type("probe");
    let mut tries: Vec<_> = lines.iter().map(|line| line["tries"].as_u64()).collect();
    tries.sort();
    assert_eq!(tries, [None, None, Some(1)], "{ran:?}");
    for line in &lines {
        let sent = if line["tries"] == 1 { "an answer came" } else { "anything was sent" };
        assert_eq!(line["reason"], format!("stopped before {sent}"));
        assert_eq!(line["network"], "mainnet");
    }
    assert_eq!(crowd.came().len(), 1, "a connection was begun when all should end");
}

#[test]
fn one_that_waits_for_another_try_says_how_many_it_had() {
    let crowd = TcpCrowd::start(|_, _| Manner::Close);
    let target = crowd.target(0);
    let child = start(["--retries", "5", "--per-host-interval", "1h", &target]);
    until("a connection", || !crowd.came().is_empty());
    signal(&child, "INT");
    let ran = finish(child);
    let [line] = &ran.of_type("probe")[..] else { panic!("one line was due: {ran:?}") };
    assert_eq!((outcome(line), &line["tries"]), ("interrupted".to_owned(), &json!(1)), "{line:#}");
    assert_eq!(line["magic"], "f9beb4d9", "{line:#}");
}

#[test]
fn between_two_probes_nothing_is_lost() {
    let crowd = TcpCrowd::answering();
    let target = crowd.target(0);
    let child = start(["--count", "9", "--interval", "1h", &target]);
    until("a connection", || !crowd.came().is_empty());
    signal(&child, "INT");
    let ran = finish(child);
    assert_eq!((ran.code, ran.outcomes()), (Some(130), vec!["ok".to_owned()]));
    assert_eq!(ran.of_type("target")[0]["sent"], 1);
    assert_eq!(ran.of_type("summary")[0]["answered"], 1);
}

#[test]
fn what_the_peer_had_said_is_still_told() {
    let crowd = TcpCrowd::start(|_, _| Manner::Say(crate::common::btc::version()));
    let target = crowd.target(0);
    let child = start([&target[..]]);
    until("a connection", || !crowd.came().is_empty());
    signal(&child, "TERM");
    let ran = finish(child);
    assert_eq!((ran.code, ran.outcomes()), (Some(143), vec!["interrupted".to_owned()]));
    assert_eq!(ran.lines()[0]["user_agent"], "/Satoshi:31.1.0/");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let crowd = TcpCrowd::answering();
    let target = crowd.target(0);
    // Results that nobody reads fill the pipe, and then nothing but a second signal is left.
    let pace = ["--count", "1000000", "--interval", "0", "--per-host-interval", "0", "--rate", "0"];
    let mut child = start(pace.into_iter().chain([&target[..]]));
    let stdout = child.stdout.take().expect("stdout is a pipe");
    let mut line = String::new();
    let mut reader = BufReader::with_capacity(1, stdout);
    reader.read_line(&mut line).expect("a line");
    let mut before = 0;
    until("the end of its connecting", || {
        std::thread::sleep(Duration::from_millis(300));
        let now = crowd.came().len();
        std::mem::replace(&mut before, now) == now
    });
    signal(&child, "INT");
    std::thread::sleep(Duration::from_millis(200));
    assert!(child.try_wait().expect("it can be waited for").is_none(), "one was enough");
    signal(&child, "TERM");
    let status = wait(&mut child, PATIENCE).expect("an end");
    assert_eq!(status.code(), Some(143));
}
