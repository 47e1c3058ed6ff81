//! Files of targets: what is skipped, what is echoed, and a bad line that takes no other with it.

use serde_json::{Value, json};

use crate::common::answering::Peer;
use crate::common::command::{TempDir, outcome, run, run_with_input};

/// What each result line of a file with these bytes says.
fn probe_lines(content: impl AsRef<[u8]>) -> Vec<Value> {
    let args = ["--json", "--per-host-interval", "0", "-"];
    run_with_input(args, content.as_ref()).of_type("probe")
}

fn sorted(mut lines: Vec<Value>) -> Vec<Value> {
    lines.sort_by_key(|line| line["line"].as_u64());
    lines
}

#[test]
fn a_bad_line_is_named_and_the_others_are_answered() {
    let (dir, peer) = (TempDir::new(), Peer::start());
    let content = format!("{0} first\n  192.0.2.1:port broken\n{0} last\n", peer.enode);
    let file = dir.file("nodes.txt", content);
    let ran = run(["--json", "--per-host-interval", "0", "--file", &file]);
    assert_eq!(ran.code, Some(1));
    let lines = sorted(ran.of_type("probe"));
    assert_eq!(lines.iter().map(outcome).collect::<Vec<_>>(), ["ok", "bad-target", "ok"]);
    assert_eq!(lines.iter().map(|l| &l["label"]).collect::<Vec<_>>(), ["first", "broken", "last"]);
    let bad = &lines[1];
    assert_eq!(bad["target"], "192.0.2.1:port");
    assert_eq!(bad["file"], file.as_str());
    assert_eq!((&bad["line"], &bad["column"]), (&json!(2), &json!(13)));
    assert_eq!(bad["reason"], format!("{file}:2:13: 'p' is no digit of a port"));
    let summary = &ran.of_type("summary")[0];
    assert_eq!((&summary["targets"], &summary["answered"]), (&json!(3), &json!(2)));
    assert_eq!(summary["failures"], json!({"bad-target": 1}));

    let text = run(["--per-host-interval", "0", "--file", &file]);
    let place = format!("{file}:2:13: 'p' is no digit of a port");
    assert!(text.stdout.contains(&place), "{}", text.stdout);
}

#[test]
fn line_ends_marks_blanks_and_comments_are_skipped() {
    let peer = Peer::start();
    let target = &peer.enode;
    let content = format!(
        "\u{feff}{target} marked\r\n\r\n# no target\r\n   # nor this\n \t \n{target}\tby a tab\r\n{target}"
    );
    let lines = sorted(probe_lines(content));
    assert_eq!(lines.iter().map(outcome).collect::<Vec<_>>(), ["ok", "ok", "ok"]);
    let place = |line: &Value| (line["line"].clone(), line["label"].clone());
    let found: Vec<_> = lines.iter().map(place).collect();
    let expected =
        [(json!(1), json!("marked")), (json!(6), json!("by a tab")), (json!(7), json!(null))];
    assert_eq!(found, expected);
    for line in &lines {
        assert_eq!((&line["target"], &line["file"]), (&json!(target), &json!("-")));
    }
}

#[test]
fn lines_that_are_not_text_or_too_long_are_named() {
    let peer = Peer::start();
    let mut content = b"192.0.2.1:3\xff03 label\n".to_vec();
    content.extend("x".repeat(20 * 1024).bytes());
    content.extend(format!("\n{}\n", peer.enode).bytes());
    let long_label = format!("{} {}\n", peer.enode, "y".repeat(16_000));
    content.extend(long_label.bytes());
    content.extend("z".repeat(20 * 1024).bytes());
    let lines = sorted(probe_lines(content));
    let outcomes: Vec<_> = lines.iter().map(outcome).collect();
    assert_eq!(outcomes, ["bad-target", "bad-target", "ok", "ok", "bad-target"]);
    assert_eq!(lines[0]["target"], "192.0.2.1:3\u{fffd}03 label");
    assert_eq!(lines[0]["reason"], "-:1:12: the line is not UTF-8 text");
    assert_eq!(lines[1]["reason"], "-:2:16385: the line is longer than 16384 bytes");
    assert!(lines[1]["target"].as_str().expect("text").len() < 300, "{}", lines[1]);
    assert_eq!(lines[3]["label"].as_str().map(str::len), Some(16_000));
    assert_eq!(lines[4]["line"], 5);
}

#[test]
fn our_own_json_lines_are_taken_back_in() {
    let (peer, silent) = (Peer::start(), Peer::silent());
    let list = format!("{} good one\n{} other\n", peer.enode, silent.address);
    let pace = ["--per-host-interval", "0", "--timeout", "200ms", "--retries", "0"];
    let args = ["--json", "-"].into_iter().chain(pace);
    let first = run_with_input(args.clone(), list.as_bytes());
    assert_eq!(first.of_type("probe").len(), 2);
    assert_eq!(first.of_type("summary").len(), 1);

    let again = run_with_input(args, first.stdout.as_bytes());
    let key = |line: &Value| {
        let text = |key: &str| line[key].as_str().map(str::to_owned);
        (text("target"), text("label"), outcome(line))
    };
    let mut before: Vec<_> = first.of_type("probe").iter().map(key).collect();
    let mut after: Vec<_> = again.of_type("probe").iter().map(key).collect();
    before.sort();
    after.sort();
    assert_eq!(before, after);
    assert_eq!((peer.received(), silent.received()), (2, 2));
}

#[test]
fn json_that_is_not_ours_is_named() {
    let content = "{\"type\":\"summary\",\"targets\":3}\n\
                   {\"type\":\"probe\"}\n\
                   {\"target\":7}\n\
                   {\"target\":\"127.0.0.1\"}\n\
                   \t{\"target\n";
    let lines = sorted(probe_lines(content));
    let reasons: Vec<_> = lines.iter().map(|line| line["reason"].as_str().expect("text")).collect();
    let expected = [
        "-:2:1: this JSON object has no \"target\"",
        "-:3:11: this is neither a target nor a JSON line of ours",
        "-:4:1: the port is missing: write HOST:PORT (30303 is usual)",
        "-:5:9: this is neither a target nor a JSON line of ours",
    ];
    assert_eq!(reasons, expected);
}

/// What they name may mean other peers to another command: networks of both have the same names.
#[test]
fn json_lines_of_another_command_are_not_obeyed() {
    let (dir, peer) = (TempDir::new(), Peer::start());
    let config =
        dir.file("mine.toml", format!("[ethereum.mine]\nbootnodes = [\"{}\"]\n", peer.enode));
    let line = |command: &str, target: &str| {
        json!({"type": "probe", "command": command, "target": target, "label": "l"}).to_string()
    };
    let of_others = [line("btc-handshake", "mine"), line("eth\u{1b}crawl", &peer.enode)];
    let args = ["--json", "--config", &config, "-"];
    let ran = run_with_input(args, of_others.join("\n").as_bytes());
    let lines = sorted(ran.of_type("probe"));
    let told: Vec<_> = lines.iter().map(|line| line["reason"].as_str().expect("text")).collect();
    let expected = [
        "-:1:1: this is a result of btc-handshake: give it to that command",
        "-:2:1: this is a result of eth\\u{1b}crawl: give it to that command",
    ];
    assert_eq!((told, peer.received()), (expected.to_vec(), 0), "{ran:?}");
    assert_eq!((&lines[0]["target"], &lines[0]["label"]), (&json!("mine"), &json!("l")));
    assert_eq!(run_with_input(args, line("eth-ping", "mine").as_bytes()).outcomes(), ["ok"]);
}

#[test]
fn a_network_in_a_file_stands_for_its_nodes() {
    let (dir, peer) = (TempDir::new(), Peer::start());
    let content = format!(
        "[ethereum.mine]\nbootnodes = [\"{0} own label\", \"{0}\"]\n\n[ethereum.none]\nbootnodes = []\n",
        peer.enode
    );
    let config = dir.file("networks.toml", content);
    let list = dir.file("list.txt", "mine of the list\nnone\nmime\n");
    let args = ["--json", "--per-host-interval", "0", "--config", &config, "--file", &list];
    let ran = run(args);
    assert_eq!(ran.code, Some(1));
    let mut found: Vec<_> = ran
        .of_type("probe")
        .iter()
        .map(|line| {
            let text = |key: &str| line[key].as_str().unwrap_or("-").to_owned();
            [outcome(line), text("network"), text("label"), line["line"].to_string()].join(" | ")
        })
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            "bad-target | - | - | 3",
            "ok | mine | of the list | 1",
            "ok | mine | own label | 1",
            "unresolved | none | - | 2",
        ]
    );
    let reason = "the network none has no bootnodes: add some to it in --config FILE";
    assert!(ran.of_type("probe").iter().any(|line| line["reason"] == reason), "{ran:?}");
}

#[test]
fn several_inputs_are_read_in_their_order() {
    let (dir, peer) = (TempDir::new(), Peer::start());
    let one = dir.file("one.txt", format!("{} one\n", peer.enode));
    let two = dir.file("two.txt", format!("{} two\n", peer.enode));
    let args = ["--json", "--per-host-interval", "0", "--concurrency", "1", "--file", &one, "-"];
    let input = format!("{} input\n", peer.enode);
    let ran = run_with_input(args.into_iter().chain(["--file", &two]), input.as_bytes());
    let labels: Vec<_> = ran.of_type("probe").iter().map(|line| line["label"].clone()).collect();
    // Targets come first, then files.
    assert_eq!(labels, ["input", "one", "two"]);
    assert_eq!(ran.code, Some(0));
}
