//! Text lines: columns for awk, pairs for grep, the facts of the JSON line, and nothing a terminal obeys.

use std::collections::BTreeSet;
use std::net::TcpListener;

use serde_json::Value;

use crate::common::answering::{Manner, Peer};
use crate::common::command::{run, run_with_input};

/// What a text line has no `key=` for: it has a column, or the form of the line says it.
const IN_COLUMNS: [&str; 7] = ["type", "command", "ok", "failure", "target", "rtt_ms", "reason"];

/// The `key=value` pairs of a line, the values as written.
fn pairs(line: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find('=') {
        let key_at = rest[..at].rfind(' ').map_or(0, |space| space + 1);
        let key = rest[key_at..at].to_owned();
        let value = &rest[at + 1..];
        let end = match value.strip_prefix('"') {
            Some(quoted) => closing_quote(quoted) + 2,
            None => value.find(' ').unwrap_or(value.len()),
        };
        found.push((key, value[..end].to_owned()));
        rest = &value[end..];
    }
    found
}

fn closing_quote(text: &str) -> usize {
    let mut escaped = false;
    let end = text.find(|c| {
        let found = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        found
    });
    end.expect("a closing quote")
}

/// The text line's words before the pairs, and its pairs.
fn split(line: &str) -> (Vec<&str>, Vec<(String, String)>) {
    (line.split_whitespace().take(3).collect(), pairs(line))
}

/// Runs both formats and holds each text line against the JSON line in its place.
fn same_facts(args: &[&str], input: &str) -> Vec<Value> {
    let common = ["--per-host-interval", "0", "--timeout", "300ms", "--retries", "0"];
    let common = common.iter().chain(["--concurrency", "1"].iter()).chain(args);
    let text = run_with_input(common.clone(), input.as_bytes());
    let json = run_with_input(common.chain(["--json"].iter()), input.as_bytes());
    assert_eq!(text.code, json.code);
    let lines = json.of_type("probe");
    assert_eq!(text.stdout.lines().count(), lines.len(), "{text:?}");
    for (text, json) in text.stdout.lines().zip(&lines) {
        let (columns, pairs) = split(text);
        assert_eq!(columns[0], json["failure"].as_str().unwrap_or("ok"));
        match json["rtt_ms"].is_number() {
            true => assert!(columns[2].ends_with("ms") && columns[2].contains('.'), "{text}"),
            false => assert_eq!(columns[2], "-", "{text}"),
        }
        if let Some(reason) = json["reason"].as_str() {
            // The times in it differ from run to run.
            let words = |text: &str| text.replace(|c: char| c.is_ascii_digit() || c == '.', "");
            assert!(words(text).contains(&words(reason)), "{text}: {reason}");
        }
        let keys: BTreeSet<_> = pairs.iter().map(|(key, _)| key.as_str()).collect();
        let json_keys = json.as_object().expect("an object").keys().map(String::as_str);
        let expected: BTreeSet<_> = json_keys.filter(|key| !IN_COLUMNS.contains(key)).collect();
        assert_eq!(keys, expected, "{text}\n{json}");
        assert_eq!(keys.len(), pairs.len(), "a key twice: {text}");
        for (key, value) in pairs {
            same_value(&key, &value, &json[&key]);
        }
    }
    lines
}

/// What stays the same from one run to the next must be the same in both.
fn same_value(key: &str, text: &str, json: &Value) {
    match key {
        // The kernel's clock is not believed where this program was held up between two looks at its own.
        "rtt_clock" => assert!(["kernel", "user"].contains(&text), "{text}"),
        "at" | "seen_as" | "waited_ms" | "tcp_connect_ms" | "expires_in_s" | "reason" => {}
        "warnings" => {
            for warning in json.as_array().expect("an array") {
                assert!(text.contains(warning["warning"].as_str().expect("a name")), "{text}");
            }
        }
        _ => {
            let json = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
            assert_eq!(text.trim_matches('"'), json.replace('"', "\\\""), "{key}");
        }
    }
}

#[test]
fn answers_have_the_same_facts_in_both_formats() {
    // TCP ports first: other tests use many of those, and few of UDP's.
    let open = TcpListener::bind("127.0.0.1:0").expect("a TCP port");
    let port = open.local_addr().expect("its address").port();
    let peer = Peer::with(Manner { port, pings_back: true, copies: 2, ..Manner::default() });
    let list = format!("{}\n{} a label = \"quoted\" one\n", peer.enode, peer.address);
    let lines = same_facts(&["--count", "2", "--interval", "100ms", "--tcp", "--bond", "-"], &list);
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().any(|line| line["warnings"].is_array()), "{lines:?}");
    assert!(lines.iter().all(|line| line["tcp"] == "open" && line["pinged_back"] == true));
}

#[test]
fn failures_have_the_same_facts_in_both_formats() {
    let (peer, silent) = (Peer::start(), Peer::silent());
    let other = peer.enode.replace(&peer.address.to_string(), &silent.address.to_string());
    let wrong = Peer::start();
    let stranger = silent.enode.replace(&silent.address.to_string(), &wrong.address.to_string());
    let list = format!("{other}\n{stranger}\n127.0.0.1:port b\nnothing\n127.0.0.1:1 shut\n");
    let lines = same_facts(&["-"], &list);
    let kinds: BTreeSet<_> = lines.iter().filter_map(|line| line["failure"].as_str()).collect();
    let expected = ["bad-target", "no-reply", "port-unreachable", "wrong-identity"];
    assert_eq!(kinds, BTreeSet::from(expected));
    same_facts(&["--max-rtt", "0", "-"], &format!("{}\n", peer.enode));
}

#[test]
fn the_columns_are_in_their_places() {
    let peer = Peer::start();
    let ran = run(["--per-host-interval", "0", &peer.address.to_string(), &peer.enode]);
    for line in ran.stdout.lines() {
        assert_eq!(&line[..18], "ok                ", "{line}");
        let target = line[18..].split_whitespace().next().expect("a target");
        let (start, _) = line.split_once("ms ").expect("a round-trip time");
        let width = 18 + target.chars().count().max(32) + 2 + 10;
        assert_eq!(start.chars().count() + 2, width, "{line}");
        let last = line.rsplit(' ').next().expect("a last pair");
        assert!(last.starts_with("at=2") && last.ends_with('Z'), "{line}");
    }
    let short = format!("{}…@{}", &peer.enode[8..16], peer.address);
    assert!(ran.stdout.contains(&format!("  {short} ")), "{}", ran.stdout);
}

#[test]
fn text_from_outside_reaches_no_terminal_raw() {
    let peer = Peer::start();
    let hostile = "\u{1b}]0;title\u{7} \u{202e}gpj.exe caf\u{e9} \u{9b}31m";
    let bad = "192.0.2.1:\u{1b}[31m";
    let list = format!("{} {hostile}\n{bad} {hostile}\n\u{202e}mainnet\n", peer.enode);
    let text = run_with_input(["-v", "--color", "never", "-"], list.as_bytes());
    let allowed = |c: char| matches!(c, ' '..='~' | '\n' | '…');
    for output in [&text.stdout, &text.stderr] {
        assert!(output.chars().all(allowed), "{output:?}");
    }
    assert!(text.stdout.contains("\\u{1b}]0;title\\u{7} \\u{202e}gpj.exe caf\\u{e9}"), "{text:?}");

    let json = run_with_input(["--json", "-"], list.as_bytes());
    assert!(!json.stdout.contains(|c: char| c.is_ascii_control() && c != '\n'), "{json:?}");
    let labels: Vec<_> = json.of_type("probe").into_iter().map(|l| l["label"].clone()).collect();
    assert_eq!(labels.iter().filter(|label| *label == hostile).count(), 2, "{labels:?}");

    // The statistics on stderr repeat the target, too.
    let config = format!("{{\"target\":\"{}\",\"label\":\"a\\nok forged\"}}\n", peer.enode);
    let forged = run_with_input(["--count", "1", "-"], config.as_bytes());
    assert_eq!(forged.stdout.lines().count(), 1, "{forged:?}");
}

#[test]
fn a_label_or_target_cannot_look_like_another_field() {
    let peer = Peer::start();
    let list = format!("{} enode: x ok=true rtt_ms=1\n{{\"target\":\"a b\"}}\n", peer.enode);
    let lines = same_facts(&["-"], &list);
    assert_eq!(lines.len(), 2);
    let empty = same_facts(&["-"], "{\"target\":\"\"}\n");
    assert_eq!(empty[0]["failure"], "bad-target");
}

#[test]
fn statistics_and_the_summary_go_to_stderr() {
    let late = Peer::with(Manner { silent: 1, ..Manner::default() });
    let pace = ["--count", "4", "--interval", "50ms", "--timeout", "200ms", "--retries", "0"];
    let pace = pace.iter().copied().chain(["--per-host-interval", "0"]);
    let ran = run(pace.clone().chain([late.enode.as_str()]));
    let lines: Vec<_> = ran.stderr.lines().collect();
    assert_eq!(ran.stdout.lines().count(), 4);
    let short = format!("--- {}…@{} ---", &late.enode[8..16], late.address);
    assert_eq!(lines[0], short, "{lines:?}");
    assert_eq!(lines[1], "4 probes sent, 3 answered, 25% loss");
    assert!(lines[2].starts_with("rtt min ") && lines[2].contains(", deviation "), "{lines:?}");
    assert!(lines[3].starts_with("1 target, 1 ok; 4 probes, 3 ok; no-reply 1; "), "{lines:?}");
    // What the statistics of a single target have said is not said again.
    assert_eq!(lines[4], "peers see us at 127.0.0.1 (3)");
    let quiet = run(pace.chain(["--quiet", late.enode.as_str()]));
    assert_eq!((quiet.stdout.lines().count(), quiet.stderr.as_str()), (4, ""));
}
