//! Nothing that a terminal obeys comes from a target, a file's name or a file's content; and input that breaks
//! off.

use crate::common::answering::Peer;
use crate::common::command::{Ran, TempDir, run};

/// What turns a terminal red, and its letters around.
const RED: &str = "\x1b[31m\u{202e}\u{2066}";
/// The same as TOML has it between quotes.
const RED_IN_TOML: &str = "\\u001b[31m\\u202e\\u2066";

/// True for what a terminal obeys: control characters, and those that change the order of letters (Unicode annex 9).
fn is_obeyed(c: char) -> bool {
    c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Asserts that nothing in the output is for a terminal to obey, and that the rest of [`RED`] is shown.
fn assert_harmless(ran: &Ran) {
    // JSON is for programs, and has letters of all scripts as they are.
    let is_json = ran.stdout.starts_with('{');
    let is_obeyed_there = |c: char| is_obeyed(c) && (c.is_control() || !is_json);
    assert!(!ran.stdout.contains(is_obeyed_there), "{ran:?}");
    assert!(!ran.stderr.contains(is_obeyed), "{ran:?}");
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
        ("turned", "[ethereum.\u{202e}mine]\n".to_owned()),
        ("other", "[\"\u{202e}\u{2066}\"]\n".to_owned()),
        ("key", format!("[ethereum.\"{RED_IN_TOML}\"]\nwrong = 1\n")),
        ("network", format!("[ethereum.\"{RED_IN_TOML}\"]\nbootnodes = [\"?\"]\n")),
        ("node", format!("[ethereum.mine]\nbootnodes = [\"enode://{RED_IN_TOML}\"]\n")),
        ("host", "[ethereum.mine]\nbootnodes = [\"\u{202e}:1\"]\n".to_owned()),
    ] {
        let file = dir.file(name, toml);
        let ran = run(["--config", &file, "127.0.0.1:9"]);
        assert_eq!(ran.code, Some(2), "{name}: {ran:?}");
        assert!(!ran.stderr.contains(is_obeyed), "{name}: {ran:?}");
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
