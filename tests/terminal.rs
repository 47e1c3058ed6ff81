//! What a person sees at a terminal who asks for one target: a block, coloured by outcome. Whoever asks for more, or
//! reads through a pipe, gets lines.

mod common;

use std::process::{Command, Stdio};

use common::btc;
use common::command::{PROGRAM, clean, finish};
use common::scripted_tcp::ScriptedTcp;

/// What the program writes to a terminal of its own (script(1), of Debian's bsdutils), with the line ends of a file.
fn at_terminal(arguments: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new("script");
    clean(&mut command);
    command.args(["-qec", &format!("'{PROGRAM}' {arguments}"), "/dev/null"]);
    command.envs(variables.iter().copied()).stdin(Stdio::null());
    let ran =
        finish(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("script"));
    ran.stdout.replace("\r\n", "\n")
}

#[test]
fn one_target_is_shown_field_by_field() {
    let peer = ScriptedTcp::start(btc::good_peer());
    let target = peer.target();
    let shown = at_terminal(&format!("btc-handshake {target}"), &[("NO_COLOR", "1")]);
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines[0], format!("ok  {target}"), "{shown}");
    for (key, value) in [("network", "mainnet"), ("protocol", "70016"), ("tries", "1")] {
        let line = lines.iter().find(|line| line.trim_start().starts_with(key));
        let line = line.unwrap_or_else(|| panic!("no {key} in\n{shown}"));
        assert_eq!(*line, format!("  {key:<14}  {value}"), "{shown}");
    }
    assert!(lines[1..].iter().all(|line| line.starts_with("  ") && line.len() > 16), "{shown}");
}

#[test]
fn a_failure_says_why_in_its_second_line() {
    let shown = at_terminal("btc-handshake 127.0.0.1:1", &[]);
    let red = "\x1b[1m\x1b[31mrefused\x1b[0m  127.0.0.1:1\n  the host is there and nothing listens";
    assert!(shown.starts_with(red), "{shown:?}");
}

#[test]
fn several_targets_are_lines() {
    for arguments in ["127.0.0.1:1 127.0.0.2:1", "--count 2 --interval 10ms 127.0.0.1:1"] {
        let shown = at_terminal(&format!("btc-handshake -q {arguments}"), &[("NO_COLOR", "1")]);
        assert_eq!(shown.lines().count(), 2, "{shown}");
        assert!(
            shown.lines().all(|line| line.starts_with("refused           127.0.0.")),
            "{shown}"
        );
    }
}
