//! `--ordered`: nobody waits for what will never come.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::common::command::{finish, probe};
use crate::common::tcp_crowd::TcpCrowd;

#[test]
fn a_file_that_breaks_holds_up_no_target_behind_it() {
    let crowd = TcpCrowd::answering();
    // It can be opened, and there is nothing at its begin to be read.
    let args = ["--json", "--ordered", "--file", "/proc/self/mem", "--file", "-"];
    let mut child =
        probe("btc-handshake", args).stdin(Stdio::piped()).spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    writeln!(stdin, "{}", crowd.target(0)).expect("it is taken");
    let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let (sender, lines) = mpsc::channel();
    let reader = thread::spawn(move || {
        stdout.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
    });
    // Standard input is still open.
    let first = lines.recv_timeout(Duration::from_secs(20)).expect("a result");
    assert!(first.contains(&crowd.target(0)) && first.contains("\"ok\":true"), "{first}");
    drop(stdin);
    let ran = finish(child);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains("/proc/self/mem"), "{ran:?}");
    reader.join().expect("the reader");
    let rest: Vec<_> = lines.iter().collect();
    assert!(rest.iter().all(|line| !line.contains("\"type\":\"probe\"")), "{rest:?}");
}
