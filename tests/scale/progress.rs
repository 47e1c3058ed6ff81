//! The line that tells a person who waits how far a run has come: on a terminal, after a second, and never in the way.

use std::io::Read;
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};

use crate::common::command::TempDir;
use crate::crowd::settings::Shares;
use crate::crowd::{self, Command};
use crate::scene::{ALL_GOOD, Scene, fair};

/// What only that line says.
const MARK: &str = " targets done";
const TARGETS: u32 = 60;
/// Some fail in two ways.
const SHARES: Shares = Shares { silent: 200, refusing: 200, ..ALL_GOOD };
/// Three seconds of pings or connections.
const SLOW: &str = "--rate 20 --per-host-interval 0 --timeout 300ms --retries 0 --color never";

/// What came to a terminal, and when the mark first did, counted from before the start.
struct Seen {
    text: String,
    marked: Option<Duration>,
}

/// Runs a line of bash (see [`Scene::bash`]) on a terminal, with `$D` as a directory for files.
fn on_a_terminal(scene: &Scene, dir: &TempDir, line: &str) -> Seen {
    let mut process = Process::new("script");
    process.args(["-qec", line, "/dev/null"]).stdin(Stdio::null()).stdout(Stdio::piped());
    // `script` has the shell of the user run it.
    process.env("SHELL", "/bin/bash").env("TERM", "xterm").env("D", dir.path());
    for (name, value) in scene.bash("").get_envs() {
        if let Some(value) = value {
            process.env(name, value);
        }
    }
    let began = Instant::now();
    let mut child = process.spawn().expect("script starts");
    let mut stdout = child.stdout.take().expect("a pipe");
    let (mut bytes, mut buffer, mut marked) = (Vec::new(), [0; 4096], None);
    while let Ok(count @ 1..) = stdout.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..count]);
        if marked.is_none() && String::from_utf8_lossy(&bytes).contains(MARK) {
            marked = Some(began.elapsed());
        }
    }
    child.wait().expect("it ends");
    Seen { text: String::from_utf8(bytes).expect("UTF-8"), marked }
}

/// What a terminal shows in the end, row by row; one that is as wide as it must be.
fn screen(text: &str) -> Vec<String> {
    let (mut rows, mut row, mut column) = (vec![Vec::new()], 0_usize, 0_usize);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\r' => column = 0,
            '\n' => {
                row += 1;
                if row == rows.len() {
                    rows.push(Vec::new());
                }
            }
            '\u{1b}' => {
                assert_eq!(chars.next(), Some('['), "{text:?}");
                let rest: String =
                    chars.by_ref().take_while(|c| !c.is_ascii_alphabetic()).collect();
                let taken = text.len() - chars.as_str().len();
                match (rest.as_str(), &text[taken - 1..taken]) {
                    ("2", "K") => rows[row].clear(),
                    ("" | "0", "K") => rows[row].truncate(column),
                    (count, "A") => row = row.saturating_sub(count.parse().unwrap_or(1)),
                    (count, "B") => row += count.parse().unwrap_or(1),
                    (_, "m") => {}
                    other => panic!("{other:?} in {text:?}"),
                }
            }
            c => {
                let line: &mut Vec<char> = &mut rows[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = c;
                column += 1;
            }
        }
    }
    rows.into_iter().map(|row| row.into_iter().collect::<String>().trim_end().to_owned()).collect()
}

/// Asserts that this is all there is to see: a result a row, and the summary of so many targets.
fn assert_clean(rows: &[String], results: usize, targets: u32) {
    let begins = |row: &&String| {
        ["ok ", "no-reply ", "port-unreachable ", "stalled ", "refused "]
            .iter()
            .any(|outcome| row.starts_with(outcome))
    };
    assert_eq!(rows.iter().filter(begins).count(), results, "{rows:#?}");
    assert!(rows.iter().all(|row| !row.contains(MARK)), "{rows:#?}");
    let summary = format!("{targets} targets, ");
    let at = rows.iter().position(|row| row.starts_with(&summary)).expect("a summary");
    assert!(rows[..at].iter().all(|row| !row.is_empty()), "{rows:#?}");
}

#[test]
fn it_comes_after_a_second_and_goes_before_each_result() {
    for command in [Command::EthPing, Command::BtcHandshake] {
        let (scene, dir) = (Scene::new(command, fair(61, SHARES), TARGETS), TempDir::new());
        let seen = on_a_terminal(&scene, &dir, &format!("exec \"$P\" $C {SLOW} --file \"$F\""));
        assert!(seen.marked.is_some_and(|after| after >= Duration::from_secs(1)), "{}", seen.text);
        assert_clean(&screen(&seen.text), TARGETS as usize, TARGETS);
        let draws: Vec<&str> = seen.text.split('\r').filter(|part| part.contains(MARK)).collect();
        assert!(draws.len() > 5, "{draws:#?}");
        let last = draws[draws.len() - 1];
        let kinds = match command {
            Command::EthPing => ["no-reply ", "port-unreachable "],
            Command::BtcHandshake => ["stalled ", "refused "],
        };
        for part in [" ok", "/s", kinds[0], kinds[1]] {
            assert!(last.contains(part), "{part}: {last:?}");
        }
        // How long it will take, until only those are left that were begun.
        let tells = |draw: &&str| draw.contains(" s left") || draw.contains(" open");
        assert!(draws.iter().all(tells), "{draws:#?}");
    }
}

/// More results at once than fit into any buffer: they waited for the first one.
#[test]
fn it_goes_before_a_heap_of_results() {
    const HEAP: u32 = 2000;
    let shares = Shares { silent: 1, ..ALL_GOOD };
    let first = |seed: &u64| crowd::expected(Command::EthPing, &fair(*seed, shares), 0).outcome;
    let seed = (0..).find(|seed| first(seed) == "no-reply").expect("one of a thousand");
    let (scene, dir) = (Scene::new(Command::EthPing, fair(seed, shares), HEAP), TempDir::new());
    let pace = "--rate 0 --per-host-interval 0 --timeout 3s --retries 0 --concurrency 4096";
    let line = format!("exec \"$P\" $C --ordered {pace} --color never --file \"$F\"");
    let seen = on_a_terminal(&scene, &dir, &line);
    assert!(seen.marked.is_some(), "{}", seen.text);
    assert_clean(&screen(&seen.text), HEAP as usize, HEAP);
}

#[test]
fn it_is_on_stderr_and_only_on_a_terminal() {
    let (scene, dir) = (Scene::new(Command::EthPing, fair(62, SHARES), TARGETS), TempDir::new());
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).expect("a file");

    let line = format!("exec \"$P\" $C {SLOW} --file \"$F\" > \"$D/out\"");
    let seen = on_a_terminal(&scene, &dir, &line);
    assert!(seen.marked.is_some(), "{}", seen.text);
    assert_clean(&screen(&seen.text), 0, TARGETS);
    assert_eq!(read("out").lines().count(), TARGETS as usize);
    assert!(!read("out").contains(MARK) && !read("out").contains('\u{1b}'));

    let line = format!("exec \"$P\" $C {SLOW} --file \"$F\" 2> \"$D/err\"");
    let seen = on_a_terminal(&scene, &dir, &line);
    assert!(seen.marked.is_none() && !seen.text.contains('\u{1b}'), "{:?}", seen.text);
    assert_eq!(seen.text.lines().count(), TARGETS as usize);
    let err = read("err");
    assert!(err.starts_with("60 targets, ") && !err.contains('\u{1b}'), "{err:?}");

    for quiet in ["-q", "-v"] {
        let line = format!("exec \"$P\" $C {quiet} {SLOW} --file \"$F\"");
        let seen = on_a_terminal(&scene, &dir, &line);
        assert!(seen.marked.is_none() && !seen.text.contains('\u{1b}'), "{:?}", seen.text);
    }
}

#[test]
fn short_runs_have_none() {
    for command in [Command::EthPing, Command::BtcHandshake] {
        let (scene, dir) = (Scene::new(command, fair(63, ALL_GOOD), 20), TempDir::new());
        let line = "exec \"$P\" $C --per-host-interval 0 --color never --file \"$F\"";
        let seen = on_a_terminal(&scene, &dir, line);
        // On a machine that is busy it may take a second after all.
        let long = seen.marked.is_some_and(|after| after >= Duration::from_secs(1));
        assert!(long || !seen.text.contains('\u{1b}'), "{:?}", seen.text);
    }
}
