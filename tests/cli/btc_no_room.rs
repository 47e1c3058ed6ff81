//! Descriptors that run out in the middle of a run: who needs one waits until there is one again.

use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::common::command::{TempDir, finish, probe};
use crate::common::tcp_crowd::TcpCrowd;
use crate::signals::until;

const TARGETS: usize = 30;

/// Sets how many descriptors a process may have, as far as it may have more at all.
fn limit(process: u32, descriptors: &str) {
    let args = ["--pid", &process.to_string(), &format!("--nofile={descriptors}:")];
    let ended = Command::new("prlimit").args(args).status().expect("prlimit starts");
    assert!(ended.success(), "{ended}");
}

#[test]
fn a_connection_without_a_descriptor_waits_for_one_and_is_no_try() {
    let crowd = TcpCrowd::answering();
    let dir = TempDir::new();
    let file = dir.file("nodes.txt", crowd.targets(TARGETS));
    let args = ["--json", "--rate", "20", "--concurrency", "8", "--file", &file];
    let child = probe("btc-handshake", args).spawn().expect("the binary starts");
    until("a connection", || !crowd.came().is_empty());
    limit(child.id(), "3");
    // What is open stays open; a few more may have been begun just before.
    thread::sleep(Duration::from_millis(300));
    let before = crowd.came().len();
    thread::sleep(Duration::from_millis(300));
    assert_eq!(crowd.came().len(), before, "the limit limits nothing");
    assert!(before < TARGETS);
    limit(child.id(), "256");
    let ran = finish(child);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let lines = ran.of_type("probe");
    assert_eq!((lines.len(), crowd.came().len()), (TARGETS, TARGETS));
    assert!(lines.iter().all(|line| line["ok"] == true && line["tries"] == 1), "{}", ran.stdout);
}
