//! Flags and files that cannot be used: what is wrong, what to do, and that nothing is sent.

use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;

use super::transcript::Transcript;
use crate::common::command::{TempDir, run};
use crate::pipes::bash;

fn check(name: &str, cases: &[&[&str]]) {
    let mut transcript = Transcript::default();
    for args in cases {
        transcript.refused(args);
    }
    transcript.check(name);
}

#[test]
fn nothing_asked() {
    let mut transcript = Transcript::default();
    transcript.refused_alone(&[]);
    transcript.check("nothing_asked");
}

/// What stands first, or in place of it.
#[test]
fn no_command() {
    let dir = TempDir::new();
    dir.file("p2pprobe/bootnodes.toml", "[bitcoin.mynet]\nmagic = '01020304'\n");
    let mut transcript = Transcript::default();
    transcript.set("XDG_CONFIG_HOME", dir.path());
    for (word, args) in [
        ("mainnet", &[][..]),
        ("sepolia", &[]),
        ("litecoin", &[]),
        ("mynet", &[]),
        ("enode://ab@127.0.0.1:30303", &[]),
        ("enr:-ab", &[]),
        ("127.0.0.1:30303", &["--count", "3"]),
        ("[::1]:8333", &[]),
        ("node.example.org", &[]),
        ("eth-pin", &[]),
        ("bitcoin", &[]),
        ("--count", &["3", "mainnet"]),
        ("-n", &["3", "mainnet"]),
        ("completions", &["tcsh"]),
    ] {
        transcript.go_on_with(word);
        transcript.refused_alone(args);
    }
    transcript.check("no_command");
}

#[test]
fn flags() {
    check(
        "flags",
        &[
            &["--retry", "3"],
            &["--timeuot", "3s"],
            &["-c", "3"],
            &["-n", "3"],
            &["-X"],
            // Flags of btc-handshake.
            &["--network", "mainnet"],
            &["--min-height=3"],
            &["--count", "0"],
            &["--count", "many"],
            &["--concurrency", "0"],
            &["--timeout", "0"],
            &["--timeout", "0s"],
            &["--timeout", "2"],
            &["--timeout", "soon"],
            &["--interval", "-1s"],
            &["--rate", "-1"],
            &["--color", "red"],
            &["-4", "-6"],
            &["--quiet", "-v"],
        ],
    );
}

#[test]
fn flags_of_commands_that_probe_are_not_those_of_others() {
    let mut transcript = Transcript::of("networks");
    transcript.refused_alone(&["--count", "3"]);
    transcript.check("flags_of_networks");
}

#[test]
fn nothing_to_probe_leaves_json_its_summary() {
    let ran = run(["--json", "-"]);
    assert_eq!((ran.code, ran.lines().len()), (Some(2), 1), "{ran:?}");
    assert_eq!(ran.of_type("summary")[0]["targets"], 0);
    assert_eq!(ran.stderr, "error: nothing to probe: standard input has no target\n");
}

/// So few that the run cannot begin.
#[test]
fn descriptors_for_nothing() {
    for limit in 4..=9 {
        let ran = bash(&format!("ulimit -n {limit}; exec \"$P\" eth-ping \"$T\""), "127.0.0.1:9");
        let said = ran.stderr.starts_with("error: cannot open a")
            && ran.stderr.ends_with(": Too many open files: raise the limit with ulimit -n\n");
        assert!(said && ran.code == Some(2), "{limit}: {ran:?}");
    }
}

#[test]
fn addresses_to_bind() {
    let taken = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let taken = taken.local_addr().expect("its address");
    let mut transcript = Transcript::default();
    transcript.replace(format!("127.0.0.1:{}", taken.port()), "127.0.0.1:TAKEN");
    transcript.refused(&["--bind", "eth0"]);
    transcript.refused(&["--bind", "127.0.0.1"]);
    transcript.refused(&["--bind", "127.0.0.1:0", "--bind", "127.0.0.2:0"]);
    transcript.refused(&["--bind", "[::1]:0", "--bind", "[::]:0"]);
    transcript.refused(&["--bind", &taken.to_string()]);
    transcript.refused(&["--bind", "192.0.2.1:30303"]);
    transcript.check("addresses_to_bind");
}

#[test]
fn files_of_networks() {
    let dir = TempDir::new();
    let config = |name: &str, text: &str| dir.file(name, text);
    let files = [
        config("key.toml", "[ethereum.mine]\nbootnode = []\n"),
        config("table.toml", "[etherium.mine]\nbootnodes = []\n"),
        config("type.toml", "[ethereum.mine]\nbootnodes = \"127.0.0.1:30303\"\n"),
        config("toml.toml", "[ethereum.mine\nbootnodes = []\n"),
        config("node.toml", "[ethereum.mine]\nbootnodes = [\"127.0.0.1:1\", \"127.0.0.1\"]\n"),
        config("name.toml", "[ethereum.mine]\nbootnodes = [\"mainnet\"]\n"),
        config("empty.toml", "[ethereum.mine]\nbootnodes = [\"# later\"]\n"),
        config("no-nodes.toml", "[ethereum.mine]\n"),
        config("number.toml", "[ethereum.mine]\nbootnodes = [30303]\n"),
        config("colon.toml", "[ethereum.\"a:b\"]\nbootnodes = []\n"),
        config("no-name.toml", "# none\n[ethereum.\"\"]\nbootnodes = []\n"),
        config("quote.toml", "[ethereum.mine]\nbootnodes = [\"127.0.0.1:1]\n"),
        config("no-quotes.toml", "[ethereum.mine]\nbootnodes = [127.0.0.1:30303]\n"),
        config("no-quotes-host.toml", "[ethereum.mine]\nbootnodes = [\n a.example:30303,\n]\n"),
        config("single-quote.toml", "[ethereum.mine]\nbootnodes = ['127.0.0.1:1]\n"),
        config("no-bracket.toml", "[ethereum.mine]\nbootnodes = [\"127.0.0.1:1 it's\"\n"),
        config("brackets.toml", "[[ethereum.mine]]\nbootnodes = []\n"),
        config("deep.toml", &format!("{}a = 1\n", "a.".repeat(100))),
        dir.file("latin-1.toml", b"[ethereum.mine]\nbootnodes = [\"127.0.0.1:1 \xe9\"]\n"),
        dir.path().join("none.toml").to_str().expect("UTF-8").to_owned(),
        dir.path().to_str().expect("UTF-8").to_owned(),
        // It has no end.
        "/dev/zero".to_owned(),
    ];
    let mut transcript = Transcript::default();
    transcript.replace(dir.path().to_str().expect("UTF-8"), "DIR");
    for file in &files {
        transcript.refused(&["--config", file]);
    }
    transcript.check("files_of_networks");
}

#[test]
fn files_of_targets() {
    let dir = TempDir::new();
    let path = dir.path().to_str().expect("UTF-8");
    let mut transcript = Transcript::default();
    transcript.replace(path, "DIR");
    transcript.refused(&["--file", &format!("{path}/none.txt")]);
    transcript.refused(&["--file", path]);
    transcript.refused_alone(&["--file", &dir.file("empty.txt", "")]);
    let comments = dir.file("comments.txt", "# one\n\n  \t\n# two\n");
    transcript.refused_alone(&["--file", &comments]);
    transcript.refused_alone(&["-"]);
    transcript.refused_alone(&["--file", &comments, "-", "--file", &comments]);
    transcript.refused_alone(&["--file", &comments].repeat(7));
    transcript.check("files_of_targets");
}

#[test]
fn key_files() {
    let dir = TempDir::new();
    let key = |name: &str, text: &str, mode: u32| {
        let file = dir.file(name, text);
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&file, mode).expect("its mode");
        file
    };
    let good = "11".repeat(32);
    let files = [
        key("read.key", &good, 0o644),
        key("group.key", &good, 0o620),
        key("short.key", &good[1..], 0o600),
        key("text.key", "a pass phrase\n", 0o600),
        key("empty.key", "", 0o600),
        key("zero.key", &"00".repeat(32), 0o600),
        key("large.key", &"ff".repeat(32), 0o600),
        key("binary.key", "\0\u{1b}", 0o600),
        dir.path().join("none.key").to_str().expect("UTF-8").to_owned(),
        dir.path().to_str().expect("UTF-8").to_owned(),
    ];
    let mut transcript = Transcript::default();
    transcript.replace(dir.path().to_str().expect("UTF-8"), "DIR");
    for file in &files {
        transcript.refused(&["--key", file]);
    }
    transcript.check("key_files");
}
