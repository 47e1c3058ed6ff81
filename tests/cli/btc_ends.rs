//! How a run of `btc-handshake` ends: its exit code, its summary, its standard streams.

use std::fs::File;
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use crate::common::command::{Ran, finish, probe, run_btc_handshake};
use crate::common::tcp_crowd::{ANSWER, Manner, SILENT, TcpCrowd, number};
use crate::pipes::bash;

/// Peers 0 to 9 answer, 10 to 19 hang up, 20 to 29 say nothing.
fn mixed(ip: Ipv4Addr, _: usize) -> Manner {
    match number(ip) / 10 {
        0 => ANSWER,
        1 => Manner::Close,
        _ => SILENT,
    }
}

fn run(args: &[&str], targets: &[String]) -> Ran {
    let pace = ["--per-host-interval", "0"];
    run_btc_handshake(pace.iter().chain(args).copied().chain(targets.iter().map(String::as_str)))
}

#[test]
fn the_code_says_what_the_results_say() {
    let crowd = TcpCrowd::start(mixed);
    let [good, bad] = [0, 10].map(|number| crowd.target(number));
    let both = [good.clone(), bad.clone()];
    let code = |args: &[&str], targets: &[String]| {
        let ran = run(&[&["--json"], args].concat(), targets);
        assert_eq!(ran.lines().len(), targets.len());
        ran.code
    };
    assert_eq!(code(&[], &both[..1]), Some(0));
    assert_eq!(code(&[], &both[1..]), Some(1));
    assert_eq!(code(&[], &both), Some(1));
    assert_eq!(code(&["--any"], &both), Some(0));
    assert_eq!(code(&["--any"], &both[1..]), Some(1));
    // Answered, and not as asked.
    assert_eq!(code(&["--min-height", "1000000"], &both[..1]), Some(1));
    assert_eq!(code(&["--any", "--min-height", "1000000"], &both), Some(1));
}

#[test]
fn the_summary_adds_up() {
    let crowd = TcpCrowd::start(mixed);
    let mut targets: Vec<_> = (0..25).map(|number| crowd.target(number)).collect();
    // Nothing listens there, since the crowd is at its own port.
    targets.push("127.0.0.1:1".to_owned());
    let ran =
        run(&["--json", "--summary", "--timeout", "1500ms", "--min-height", "900000"], &targets);
    let summary = ran.of_type("summary").pop().expect("a summary");
    assert_eq!(ran.lines().last(), Some(&summary));
    let expected = json!({"closed-early": 10, "stalled": 5, "refused": 1});
    assert_eq!(summary["failures"], expected);
    let told = ["targets", "answered", "probes", "ok"].map(|field| summary[field].as_u64());
    assert_eq!(told, [26, 10, 26, 10].map(Some));
    let failures = summary["failures"].as_object().expect("an object");
    let failed: u64 = failures.values().filter_map(Value::as_u64).sum();
    assert_eq!(summary["targets"].as_u64(), Some(failed + 10));
    let mut outcomes = ran.outcomes();
    outcomes.retain(|outcome| outcome == "ok");
    assert_eq!(outcomes.len(), 10);
    assert_eq!(summary["seen_as"], json!({"192.0.2.1": 10}));
    assert!(summary.get("interrupted").is_none() && summary.get("own_drops").is_none());
}

#[test]
fn text_has_its_results_on_standard_output_and_the_rest_on_the_other() {
    let crowd = TcpCrowd::start(mixed);
    let targets = [0, 10].map(|number| crowd.target(number));
    let ran = run(&["--summary"], &targets);
    assert_eq!(ran.stdout.lines().count(), 2, "{ran:?}");
    let text = "2 targets, 1 ok; closed-early 1; ";
    assert!(ran.stderr.starts_with(text), "{ran:?}");
    let quiet = run(&["--summary", "-q"], &targets);
    assert_eq!((quiet.stdout.lines().count(), quiet.stderr.as_str()), (2, ""), "{quiet:?}");
    // Warnings of the run, too.
    let target = &targets[..1];
    let warned = run(&["--json", "--network", "any"], target);
    let expected =
        "warning: a Bitcoin SV node bans whoever speaks another network's magic to it, for a day\n";
    assert_eq!(warned.stderr, expected);
    assert_eq!(run(&["--json", "--network", "any", "-q"], target).stderr, "");
}

#[test]
fn colour_is_for_terminals_or_on_demand() {
    const ESC: char = '\u{1b}';
    let crowd = TcpCrowd::answering();
    let run = |args: &[&str], no_color: &str| {
        let args = args.iter().copied().chain(["--per-host-interval", "0"]);
        let mut command = probe("btc-handshake", args);
        let child = command.arg(crowd.target(0)).env("NO_COLOR", no_color).spawn();
        finish(child.expect("the binary starts")).stdout
    };
    assert!(!run(&[], "").contains(ESC));
    assert!(!run(&["--color", "never"], "").contains(ESC));
    for no_color in ["", "1"] {
        assert!(run(&["--color", "always"], no_color).starts_with("\u{1b}[32mok"));
    }
    assert!(!run(&["--color", "always", "--json"], "").contains(ESC));
    for (variables, coloured) in [("TERM=xterm", true), ("TERM=xterm NO_COLOR=1", false)] {
        let line = format!("{variables} script -qec '\"$P\" btc-handshake \"$T\"' /dev/null");
        let on_a_terminal = bash(&line, &crowd.target(1));
        assert!(on_a_terminal.stdout.contains("user_agent"), "{on_a_terminal:?}");
        assert_eq!(on_a_terminal.stdout.contains("\u{1b}[32m"), coloured, "{on_a_terminal:?}");
    }
}

#[test]
fn a_reader_that_has_enough_ends_the_run_quietly() {
    let crowd = TcpCrowd::answering();
    let pace = "--per-host-interval 0 --interval 20ms";
    for format in ["", "--json"] {
        let line = format!(
            "\"$P\" btc-handshake {format} --count 1000 {pace} \"$T\" | head -1; exit ${{PIPESTATUS[0]}}"
        );
        let ran = bash(&line, &crowd.target(0));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{format}");
        assert_eq!(ran.stdout.lines().count(), 1);
    }
    assert!(crowd.came().len() < 1000);
}

#[test]
fn a_full_standard_output_is_a_failure_of_the_run() {
    let crowd = TcpCrowd::answering();
    for args in [&["--json"][..], &[], &["--json", "--summary"]] {
        let full = File::options().write(true).open("/dev/full").expect("/dev/full");
        let mut command = probe("btc-handshake", args);
        let child = command.arg(crowd.target(0)).stdout(full).spawn().expect("the binary starts");
        let ran = finish(child);
        let expected = "error: cannot write to standard output: No space left on device\n";
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(2), expected));
    }
}
