//! Standard streams that are pipes, full, closed, or fed slowly.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use crate::common::answering::Peer;
use crate::common::command::{PATIENCE, Ran, clean, eth_ping, finish, outcome};
use crate::common::schema::validate;

/// Runs a line of bash in which `$P` is the binary and `$T` a target.
pub fn bash(line: &str, target: &str) -> Ran {
    let mut command = Command::new("bash");
    command.args(["-c", line]).env("P", env!("CARGO_BIN_EXE_p2pprobe")).env("T", target);
    clean(&mut command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    finish(command.spawn().expect("bash starts"))
}

#[test]
fn a_reader_that_has_enough_ends_the_run_quietly() {
    let peer = Peer::start();
    let pace = "--per-host-interval 0 --interval 20ms";
    for format in ["", "--json"] {
        let line = format!(
            "\"$P\" eth-ping {format} --count 1000 {pace} \"$T\" | head -1; exit ${{PIPESTATUS[0]}}"
        );
        let ran = bash(&line, &peer.enode);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{format}");
        assert_eq!(ran.stdout.lines().count(), 1);
    }
}

#[test]
fn a_reader_that_has_enough_keeps_the_code_earned_so_far() {
    let (peer, silent) = (Peer::start(), Peer::silent());
    let line = "(echo \"$T\"; sleep 1; yes 192.0.2.1:0 | head -5000) |
        \"$P\" eth-ping --timeout 100ms --retries 0 - | head -1; exit ${PIPESTATUS[1]}";
    assert_eq!(bash(line, &silent.enode).code, Some(1));
    let ran = bash(&line.replace("eth-ping", "eth-ping --any"), &peer.enode);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_full_standard_output_is_a_failure_of_the_run() {
    let peer = Peer::start();
    for args in [&["--json"][..], &[], &["--json", "--summary"]] {
        let full = File::options().write(true).open("/dev/full").expect("/dev/full");
        let args = args.iter().copied().chain([peer.enode.as_str()]);
        let ran = finish(eth_ping(args).stdout(full).spawn().expect("the binary starts"));
        let expected = "error: cannot write to standard output: No space left on device\n";
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(2), expected));
    }
}

#[test]
fn help_that_cannot_be_written_is_a_failure() {
    for args in ["--help", "--version", "eth-ping -h"] {
        let full = bash(&format!("\"$P\" {args} > /dev/full"), "");
        let expected = "error: cannot write to standard output: No space left on device\n";
        assert_eq!((full.code, full.stderr.as_str()), (Some(2), expected), "{args}");
        let closed =
            bash(&format!("(sleep 0.2; \"$P\" {args}) | true; exit ${{PIPESTATUS[0]}}"), "");
        assert_eq!((closed.code, closed.stderr.as_str()), (Some(0), ""), "{args}");
    }
}

#[test]
fn nobody_needs_to_read_standard_error() {
    let peer = Peer::start();
    for to in ["2>&-", "2>/dev/full", "2> >(exec 0<&-; sleep 0.1)"] {
        let good = format!("\"$P\" eth-ping -vv --summary \"$T\" {to}");
        let ran = bash(&good, &peer.enode);
        assert_eq!(ran.code, Some(0), "{to}: {ran:?}");
        assert!(ran.stdout.starts_with("ok "), "{to}: {ran:?}");
        let bad = format!("\"$P\" eth-ping --file /none {to}");
        assert_eq!(bash(&bad, "").code, Some(2), "{to}");
        let usage = format!("\"$P\" eth-ping {to}");
        assert_eq!(bash(&usage, "").code, Some(2), "{to}");
    }
}

#[test]
fn a_line_gives_its_result_while_the_input_stays_open() {
    let peer = Peer::start();
    let mut child = eth_ping(["--json", "--per-host-interval", "0", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    let stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
    let (sender, lines) = mpsc::channel();
    let reader = thread::spawn(move || {
        stdout.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
    });
    for (number, target) in [&peer.enode, "nonsense:", &peer.enode].into_iter().enumerate() {
        writeln!(stdin, "{target}").expect("it reads");
        let line = validate(&lines.recv_timeout(PATIENCE).expect("a result"));
        assert_eq!(line["line"], number + 1);
        assert_eq!(outcome(&line), if number == 1 { "bad-target" } else { "ok" });
    }
    drop(stdin);
    let summary = validate(&lines.recv_timeout(PATIENCE).expect("the summary"));
    assert_eq!(summary["targets"], 3);
    assert!(reader.join().expect("the reader ends"));
    assert_eq!(finish(child).code, Some(1));
}

#[test]
fn colour_is_for_terminals_or_on_demand() {
    const ESC: char = '\u{1b}';
    let peer = Peer::start();
    let run = |args: &[&str], no_color: &str| {
        let args = args.iter().copied().chain([peer.enode.as_str()]);
        let child = eth_ping(args).env("NO_COLOR", no_color).spawn().expect("the binary starts");
        finish(child).stdout
    };
    assert!(!run(&[], "").contains(ESC));
    assert!(!run(&["--color", "never"], "").contains(ESC));
    // Who asks for it gets it; the variable is about the default.
    for no_color in ["", "1"] {
        let text = run(&["--color", "always"], no_color);
        assert!(text.starts_with("\u{1b}[32mok\u{1b}[0m  "), "{text:?}");
    }
    assert!(!run(&["--color", "always", "--json"], "").contains(ESC));
    for (variables, coloured) in
        [("TERM=xterm", true), ("TERM=xterm NO_COLOR=1", false), ("TERM=dumb", false)]
    {
        let line = format!("{variables} script -qec '\"$P\" eth-ping \"$T\"' /dev/null");
        let on_a_terminal = bash(&line, &peer.enode);
        assert!(on_a_terminal.stdout.contains("node_id"), "{on_a_terminal:?}");
        assert_eq!(on_a_terminal.stdout.contains("\u{1b}[32m"), coloured, "{on_a_terminal:?}");
        // Nothing is wiped away where no progress was shown, which takes a second.
        let styles = ["\u{1b}[32m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[0m"];
        let mut text = on_a_terminal.stdout.clone();
        styles.iter().for_each(|style| text = text.replace(style, ""));
        let plain = !text.contains(ESC);
        assert!(plain || on_a_terminal.stdout.contains(" done, "), "{on_a_terminal:?}");
    }
}
