//! What a person sees at a terminal: one target as a block, more of them as rows that end at its right edge. Whoever
//! reads through a pipe gets whole lines.

mod common;

use std::net::UdpSocket;
use std::process::{Command, Stdio};

use common::btc;
use common::command::{PROGRAM, TempDir, clean, finish};
use common::scripted_tcp::ScriptedTcp;

/// What the program writes to a terminal of its own (script(1), of Debian's bsdutils), with the line ends of a file.
fn at_terminal(arguments: &str, variables: &[(&str, &str)]) -> String {
    in_columns(0, arguments, variables)
}

/// The same of a terminal that is so wide; 0 if it does not say.
fn in_columns(columns: u32, arguments: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new("script");
    clean(&mut command);
    let line = format!("stty rows 24 cols {columns}; '{PROGRAM}' {arguments}");
    command.args(["-qec", &line, "/dev/null"]);
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
    assert!(
        lines[0].starts_with(&format!("ok  {target}  ")) && lines[0].ends_with("ms"),
        "{shown}"
    );
    for (key, value) in [("network", "mainnet"), ("protocol", "70016"), ("tries", "1")] {
        let line = lines.iter().find(|line| line.trim_start().starts_with(key));
        let line = line.unwrap_or_else(|| panic!("no {key} in\n{shown}"));
        assert_eq!(*line, format!("  {key:<14}  {value}"), "{shown}");
    }
    assert!(lines[1..].iter().all(|line| line.starts_with("  ") && line.len() > 16), "{shown}");
}

/// The line that tells how far a run has come would run over what is typed.
#[test]
fn no_progress_is_shown_while_targets_are_typed() {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let target = silent.local_addr().expect("its address");
    let run = format!("eth-ping --timeout 1700ms --retries 0 --summary {target}");
    for (input, is_shown) in
        [("", true), ("-", false), ("--file -", false), ("- < /dev/null", true)]
    {
        let shown = at_terminal(&format!("{run} {input}"), &[("TERM", "xterm")]);
        let progress = shown.contains("no answer yet") || shown.contains(" targets done");
        assert_eq!(progress, is_shown, "{input}: {shown:?}");
        assert!(shown.contains("no-reply"), "{input}: {shown:?}");
    }
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

/// A row tells as much as there is room for; but a failure always tells its whole reason.
#[test]
fn rows_end_at_the_right_edge() {
    let peer = ScriptedTcp::start(btc::good_peer());
    let arguments = format!("btc-handshake -q --ordered {} 127.0.0.1:1", peer.target());
    let shown = |columns| in_columns(columns, &arguments, &[("NO_COLOR", "1")]);
    let why = "the host is there and nothing listens on that TCP port, or a firewall answered in its place";
    for (columns, begin, end) in [(80, "", " …"), (120, " user_agent=", " …"), (0, "", "Z")] {
        let text = shown(columns);
        let (ok, failed) = text.split_once('\n').expect("two results");
        let fits = |line: &str| columns == 0 || line.chars().count() <= columns as usize;
        assert!(text.lines().all(fits), "{text}");
        assert!(ok.ends_with(end) && ok.contains(begin), "{ok}");
        // Whatever its width: where a line goes on, it stands in.
        assert!(failed.replace("\n    ", " ").contains(why), "{failed}");
    }
    assert!(shown(0).lines().all(|line| line.contains(" tries=1 at=")));
    let dir = TempDir::new();
    let list = dir.file("list", "127.0.0.1:1 rack-4\n");
    let labelled = in_columns(60, &format!("btc-handshake -q --file {list}"), &[("NO_COLOR", "1")]);
    assert!(labelled.trim_end().ends_with(" place  label=rack-4"), "{labelled}");
    let wide = in_columns(400, &format!("btc-handshake -q --file {list}"), &[("NO_COLOR", "1")]);
    assert!(wide.contains(" line=1 ") && !wide.contains(" file="), "{wide}");
    let coloured = in_columns(80, &format!("{arguments} --color always"), &[]);
    let dimmed = coloured.lines().next().unwrap_or_default();
    assert!(dimmed.starts_with("\u{1b}[32mok\u{1b}[0m  "), "{dimmed:?}");
    assert!(dimmed.contains("\u{1b}[2m …") && dimmed.ends_with("\u{1b}[0m"), "{dimmed:?}");
}

#[test]
fn a_block_is_broken_between_words() {
    let shown = in_columns(60, "btc-handshake 127.0.0.1:1", &[("NO_COLOR", "1")]);
    let begin = "refused  127.0.0.1:1\n  the host is there and nothing listens on that TCP port, or\n  a firewall answered in its place\n";
    assert!(shown.starts_with(begin), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 60), "{shown}");
}

/// What a peer calls itself may be nothing, blank or long: the block stands, and every field is in its place.
#[test]
fn blank_user_agents_are_seen() {
    for (agent, shown) in
        [("", "\"\""), ("   ", "\"   \""), (" /a/", "\" /a/\""), ("/a b/", "/a b/")]
    {
        let said = btc::version_but(|version| version.user_agent = Some(agent.into()));
        let peer = ScriptedTcp::start(btc::saying([said, btc::verack()].concat()));
        let arguments = format!("btc-handshake {}", peer.target());
        for columns in [0, 1, 30, 80] {
            let text = in_columns(columns, &arguments, &[("NO_COLOR", "1")]);
            let line = text.lines().find(|line| line.trim_start().starts_with("user_agent"));
            assert_eq!(line, Some(&format!("  user_agent      {shown}")[..]), "{columns}: {text}");
            let last = text.lines().last().unwrap_or_default();
            assert!(last.starts_with("  at              20"), "{text}");
        }
    }
}

/// An `ok` with a warning is yellow, and says why however narrow the terminal.
#[test]
fn warnings_are_never_left_out() {
    let said = btc::version_but(|version| version.timestamp -= 3_600);
    let peer = ScriptedTcp::start(btc::saying([said, btc::verack()].concat()));
    let arguments = format!("btc-handshake --count 1 {}", peer.target());
    for columns in [60, 80] {
        let text = in_columns(columns, &arguments, &[("TERM", "xterm")]);
        assert!(text.starts_with("\u{1b}[33mok\u{1b}[0m  "), "{text:?}");
        assert!(text.contains("probe=1"), "{text:?}");
        assert!(text.contains("warnings=clock(by_s=3"), "{text:?}");
    }
}
