//! Nothing that a terminal obeys comes from a target, a file's name or a file's content; and input that breaks
//! off.

use crate::common::answering::Peer;
use crate::common::command::{Ran, TempDir, run};

/// A sequence that turns a terminal red.
const RED: &str = "\x1b[31m";

/// Asserts that nothing in the output is for a terminal to obey, and that the rest of [`RED`] is shown.
fn assert_harmless(ran: &Ran) {
    let control = |c: char| c.is_control() && c != '\n';
    assert!(!ran.stdout.contains(control), "{ran:?}");
    assert!(!ran.stderr.contains(control), "{ran:?}");
    assert!((ran.stdout.clone() + &ran.stderr).contains("[31m"), "it is not shown: {ran:?}");
}

#[test]
fn a_target() {
    let peer = Peer::start();
    let target = format!("{}#{RED}", peer.enode);
    assert_harmless(&run(["--count", "1", "--timeout", "5s", &target]));
    assert_harmless(&run(["--count", "1", "--timeout", "5s", "--json", &target]));
}

#[test]
fn the_name_of_a_file_with_a_bad_line() {
    let dir = TempDir::new();
    let file = dir.file(&format!("nodes{RED}.txt"), "192.0.2.1:port\n");
    for json in [&[][..], &["--json"]] {
        let ran = run([json, &["--file", &file]].concat());
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_harmless(&ran);
    }
}

#[test]
fn the_name_of_a_file_that_cannot_be_read() {
    let dir = TempDir::new();
    let missing = dir.path().join(format!("none{RED}"));
    let missing = missing.to_str().expect("UTF-8");
    for option in ["--file", "--config", "--key"] {
        let ran = run([option, missing, "127.0.0.1:9"]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert_harmless(&ran);
    }
}

#[test]
fn a_config_file() {
    let dir = TempDir::new();
    for (name, toml) in [
        ("syntax", format!("[ethereum.{RED}]\n")),
        ("key", "[ethereum.\"\\u001b[31m\"]\nwrong = 1\n".to_owned()),
        ("network", "[ethereum.\"\\u001b[31m\"]\nbootnodes = [\"?\"]\n".to_owned()),
        ("node", "[ethereum.mine]\nbootnodes = [\"enode://\\u001b[31m\"]\n".to_owned()),
    ] {
        let file = dir.file(name, toml);
        let ran = run(["--config", &file, "127.0.0.1:9"]);
        assert_eq!(ran.code, Some(2), "{name}: {ran:?}");
        let control = |c: char| c.is_control() && c != '\n';
        assert!(!ran.stderr.contains(control), "{name}: {ran:?}");
    }
}

#[test]
fn input_that_breaks_off() {
    // It can be opened, and its first page not be read.
    let file = "/proc/self/mem";
    let ran = run(["--json", "--file", file]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains(&format!("cannot read {file}: ")), "{ran:?}");
}
