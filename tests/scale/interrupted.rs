//! Ten thousand targets, and an end that comes before theirs: a signal, a reader that has enough, or a full disk.

use std::fs::File;
use std::process::Command as Process;
use std::time::{Duration, Instant};

use crate::common::command::{PATIENCE, TempDir, finish};
use crate::crowd::settings::Shares;
use crate::crowd::{self, Command};
use crate::scene::{ALL_GOOD, Results, Scene, fair, outcome};

const TARGETS: u32 = 10_000;
/// Pings or connections that had come when the signal is sent.
const HALF: u64 = 5000;
/// Good peers that may have no answer yet when the signal comes: those of a quarter of a second.
const JUST_BEGUN: usize = 1000;

fn until_half(scene: &Scene) {
    let deadline = Instant::now() + PATIENCE;
    while scene.crowd.counts().came.get() < HALF {
        assert!(Instant::now() < deadline, "{}", scene.crowd.counts());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_signal_half_way_loses_nothing() {
    for (seed, command, signal, code, ordered) in [
        (41, Command::EthPing, "INT", 130, ""),
        (42, Command::EthPing, "TERM", 143, "--ordered"),
        (43, Command::BtcHandshake, "INT", 130, "--ordered"),
        (44, Command::BtcHandshake, "TERM", 143, ""),
    ] {
        let scene = Scene::new(command, fair(seed, Shares::default()), TARGETS);
        let line = format!(
            "exec \"$P\" $C --json {ordered} --rate 4000 --per-host-interval 0 --timeout 1s \
             --retries 0 --concurrency 8192 --file \"$F\""
        );
        // Nobody reads a pipe before the run has ended, and a full one would hold it up.
        let (dir, mut process) = (TempDir::new(), scene.bash(&line));
        let results = dir.path().join("results");
        let child = process.stdout(File::create(&results).expect("a file")).spawn();
        let child = child.expect("it starts");
        until_half(&scene);
        let id = child.id().to_string();
        assert!(Process::new("kill").args(["-s", signal, &id]).status().expect("kill").success());
        let signalled = Instant::now();
        let ran = finish(child);
        assert!(signalled.elapsed() < Duration::from_secs(15), "{:?}", signalled.elapsed());
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(code), ""));
        let results = Results::read(&std::fs::read_to_string(results).expect("a file"));
        results.assert_adds_up();
        assert_eq!(results.summary["interrupted"], true);
        assert_eq!(results.order.is_sorted(), !ordered.is_empty());
        let (lines, mut just_begun) = (&results.lines, 0);
        for number in 0..TARGETS {
            let came = scene.crowd.exchanges(number);
            let Some(line) = lines.get(&number) else {
                assert_eq!(came, 0, "target {number} was begun and has no line");
                continue;
            };
            let due = crowd::expected(command, &scene.settings, number).outcome;
            let interrupted = outcome(line) == "interrupted";
            assert!(interrupted || outcome(line) == due, "{due} was due: {line:#}");
            if came > 0 {
                assert_eq!(line["tries"], came, "{line:#}");
            }
            just_begun += usize::from(interrupted && came > 0 && due == "ok");
        }
        assert!(lines.len() as u64 >= HALF, "{}", lines.len());
        assert!(results.count("ok") > 1000 && results.count("interrupted") > 0);
        assert!(just_begun < JUST_BEGUN, "{just_begun} of {}", lines.len());
    }
}

#[test]
fn a_reader_that_has_enough_ends_it_soon() {
    let refusing = Shares { refusing: 1000, ..ALL_GOOD };
    for command in [Command::EthPing, Command::BtcHandshake] {
        for (shares, code) in [(ALL_GOOD, 0), (refusing, 1)] {
            let scene = Scene::new(command, fair(45, shares), TARGETS);
            let began = Instant::now();
            // All of it would take 20 s.
            let ran = scene.run(
                "\"$P\" $C --json --rate 500 --per-host-interval 0 --file \"$F\" | head -5
                 exit ${PIPESTATUS[0]}",
            );
            assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
            assert_eq!((ran.code, ran.stderr.as_str()), (Some(code), ""));
            assert_eq!(ran.stdout.lines().count(), 5);
            assert!(scene.crowd.counts().came.get() < HALF, "{}", scene.crowd.counts());
        }
    }
}

#[test]
fn a_full_disk_ends_it_with_a_word() {
    for command in [Command::EthPing, Command::BtcHandshake] {
        let scene = Scene::new(command, fair(46, ALL_GOOD), TARGETS);
        for format in ["", "--json"] {
            let began = Instant::now();
            let pace = "--rate 500 --per-host-interval 0";
            let ran =
                scene.run(&format!("exec \"$P\" $C {format} {pace} --file \"$F\" > /dev/full"));
            assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
            let why = "error: cannot write to standard output: No space left on device";
            assert_eq!(ran.code, Some(2), "{}", ran.stderr);
            assert!(ran.stderr.starts_with(why) && ran.stderr.lines().count() == 1, "{ran:?}");
        }
    }
}
