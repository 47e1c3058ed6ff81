//! Many targets at once: never more connections than asked for or than descriptors allow, and nobody waits for a slow one.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::command::{PROGRAM, Ran, TempDir, clean, finish, run_btc_handshake};
use crate::common::tcp_crowd::{ANSWER, Manner, SILENT, TcpCrowd, number};
use crate::pipes::bash;

const TARGETS: usize = 300;

/// Runs a line of sh in which `$P` is the binary and `$F` a file of the crowd's targets.
fn sh(line: &str, crowd: &TcpCrowd) -> Ran {
    let dir = TempDir::new();
    let file = dir.file("nodes.txt", crowd.targets(TARGETS));
    let mut command = Command::new("sh");
    command.args(["-c", line]).env("P", PROGRAM).env("F", file);
    clean(&mut command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    finish(command.spawn().expect("sh starts"))
}

fn assert_all_answered(ran: &Ran) {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let lines = ran.of_type("probe");
    assert_eq!(lines.len(), TARGETS);
    assert!(lines.iter().all(|line| line["ok"] == true && line["tries"] == 1), "{}", ran.stdout);
    let summary = &ran.of_type("summary")[0];
    let told = ["targets", "answered", "probes", "ok"].map(|field| summary[field].as_u64());
    assert_eq!(told, [Some(TARGETS as u64); 4], "{summary:#}");
}

#[test]
fn no_more_connections_than_asked_for() {
    let crowd = TcpCrowd::start(|_, _| Manner::Answer(Duration::from_millis(40)));
    let dir = TempDir::new();
    let file = dir.file("nodes.txt", crowd.targets(TARGETS));
    let ran = run_btc_handshake(["--json", "--concurrency", "8", "--file", &file]);
    assert_all_answered(&ran);
    assert_eq!(ran.stderr, "");
    assert_eq!(crowd.came().len(), TARGETS);
    assert!((5..=8).contains(&crowd.most()), "{}", crowd.most());
}

#[test]
fn silent_and_slow_peers_hold_up_nobody() {
    let manner = |ip, _| match number(ip) {
        3..=5 => SILENT,
        6 | 7 => Manner::Answer(Duration::from_secs(2)),
        _ => ANSWER,
    };
    let crowd = TcpCrowd::start(manner);
    let dir = TempDir::new();
    let file = dir.file("nodes.txt", crowd.targets(60));
    // Five of eight places are taken, from the start.
    let ran =
        run_btc_handshake(["--json", "--concurrency", "8", "--timeout", "5s", "--file", &file]);
    let mut outcomes = ran.outcomes();
    assert_eq!(outcomes.split_off(57), ["stalled"; 3], "{ran:?}");
    assert_eq!(outcomes, ["ok"; 57]);
    let lines = ran.of_type("probe");
    let last_two: Vec<_> = lines[55..57].iter().map(|line| line["target"].as_str()).collect();
    for slow in [6, 7].map(|number| crowd.target(number)) {
        assert!(last_two.contains(&Some(&slow[..])), "{last_two:?}");
    }
}

#[test]
fn fewer_connections_where_descriptors_are_few() {
    let slow = |ip, _| match number(ip) % 3 {
        0 => Manner::Answer(Duration::from_secs(1)),
        _ => ANSWER,
    };
    let crowd = TcpCrowd::start(slow);
    let ran = sh(
        "ulimit -n 64; exec \"$P\" btc-handshake --json --concurrency 512 --file \"$F\"",
        &crowd,
    );
    assert_all_answered(&ran);
    let most = warned_of(&ran);
    assert!((10..=40).contains(&most) && crowd.most() <= most, "{most}, {}", crowd.most());
}

#[test]
fn with_next_to_no_descriptors_it_is_slow_and_nothing_is_lost() {
    let crowd = TcpCrowd::answering();
    let ran = sh("ulimit -n 20; exec \"$P\" btc-handshake --json --file \"$F\"", &crowd);
    assert_all_answered(&ran);
    let most = warned_of(&ran);
    assert!((1..=10).contains(&most) && crowd.most() <= most, "{most}, {}", crowd.most());
}

/// There may be fewer free than the runtime alone has use for.
#[test]
fn as_few_descriptors_as_it_starts_with_take_seconds_and_lose_nothing() {
    let crowd = TcpCrowd::answering();
    let began = Instant::now();
    let ran = sh("ulimit -n 12; exec \"$P\" btc-handshake --json --file \"$F\"", &crowd);
    assert_all_answered(&ran);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    let most = warned_of(&ran);
    assert!((1..=4).contains(&most) && crowd.most() <= most, "{most}, {}", crowd.most());
}

#[test]
fn who_names_no_more_targets_than_there_is_room_for_is_not_warned() {
    let crowd = TcpCrowd::answering();
    let run = |targets: &str| {
        let line =
            format!("ulimit -n 14; exec \"$P\" btc-handshake --per-host-interval 0 {targets}");
        let ran = bash(&line, &crowd.target(0));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.stderr
    };
    assert_eq!(run("\"$T\""), "");
    let many = run(&"\"$T\" ".repeat(20));
    assert!(
        many.starts_with("warning: ") && many.contains(" at the same time and not 20: "),
        "{many}"
    );
}

/// How many connections there are to be at the same time, by the warning. What else is open has its share in that.
fn warned_of(ran: &Ran) -> usize {
    let said = ran.stderr.strip_prefix("warning: ").and_then(|said| said.split_once(' '));
    let (most, rest) = said.unwrap_or_else(|| panic!("{}", ran.stderr));
    let most = most.parse().expect("a number");
    let connections = if most == 1 { "connection" } else { "connections" };
    let expected = format!(
        "{connections} at the same time and not 512: no more descriptors may be open (ulimit -n)\n"
    );
    assert_eq!(rest, expected);
    most
}

#[test]
fn a_limit_that_may_be_raised_is_raised_without_a_word() {
    let crowd = TcpCrowd::start(|_, _| Manner::Answer(Duration::from_secs(1)));
    let line = "ulimit -S -n 64; exec \"$P\" btc-handshake --json --concurrency 150 --file \"$F\"";
    let ran = sh(line, &crowd);
    assert_all_answered(&ran);
    assert_eq!(ran.stderr, "");
    assert!((65..=150).contains(&crowd.most()), "{}", crowd.most());
}
