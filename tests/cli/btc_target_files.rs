//! Files of targets for `btc-handshake`: labels, comments, and JSON lines of ours that are taken back in.

use std::net::{IpAddr, Ipv4Addr};

use p2pprobe::bitcoin::Magic;
use serde_json::{Value, json};

use crate::btc_any::{self, config};
use crate::common::btc::{frame, version_payload};
use crate::common::command::{Ran, TempDir, finish_with_input, outcome, probe};
use crate::common::scripted_tcp::{ScriptedTcp, Step};
use crate::common::tcp_crowd::{ANSWER, Manner, SILENT, TcpCrowd};

/// A network that no peer here is of.
const OTHER: &str = "[bitcoin.other]\nmagic = \"00c0ffee\"\n";

fn run(args: &[&str], input: &str) -> Ran {
    let args = ["--json", "--per-host-interval", "0", "-"].iter().chain(args);
    finish_with_input(probe("btc-handshake", args), input.as_bytes())
}

/// The result lines in the order of the input.
fn lines(ran: &Ran) -> Vec<Value> {
    let mut lines = ran.of_type("probe");
    lines.sort_by_key(|line| line["line"].as_u64());
    lines
}

#[test]
fn labels_are_echoed_and_comments_skipped() {
    let crowd = TcpCrowd::answering();
    let [one, two, three] = [0, 1, 2].map(|number| crowd.target(number));
    let input = format!("\u{feff}{one} first one\r\n\r\n# {two}\n \t\n  {two}\tby a tab\n{three}");
    let ran = run(&[], &input);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let lines = lines(&ran);
    let found: Vec<_> = lines
        .iter()
        .map(|line| (line["target"].clone(), line["line"].clone(), line.get("label").cloned()))
        .collect();
    let label = |text: &str| Some(json!(text));
    let expected = [
        (json!(one), json!(1), label("first one")),
        (json!(two), json!(5), label("by a tab")),
        (json!(three), json!(6), None),
    ];
    assert_eq!(found, expected);
    assert!(lines.iter().all(|line| line["file"] == "-" && line["network"] == "mainnet"));
}

#[test]
fn json_lines_keep_their_network_unless_another_is_asked_for() {
    let (dir, crowd) = (TempDir::new(), TcpCrowd::answering());
    let config = dir.file("other.toml", OTHER);
    let line = |network: &str| {
        let line =
            json!({"type": "probe", "target": crowd.target(0), "label": "l", "network": network});
        line.to_string()
    };
    let ask = |args: &[&str], input: &str| {
        let ran = run(&[&["--config", &config], args].concat(), input);
        let [line] = &ran.of_type("probe")[..] else { panic!("one line was due: {ran:?}") };
        assert_eq!(line["label"], "l");
        let network = line["network"].as_str().unwrap_or("-");
        format!("{} {network} {}", outcome(line), line["magic"].as_str().unwrap_or("-"))
    };
    assert_eq!(ask(&[], &line("mainnet")), "ok mainnet f9beb4d9");
    assert_eq!(ask(&[], &line("other")), "wrong-network other 00c0ffee");
    assert_eq!(ask(&["--network", "mainnet"], &line("other")), "ok mainnet f9beb4d9");
    assert_eq!(ask(&["--network", "other"], &line("mainnet")), "wrong-network other 00c0ffee");
    assert_eq!(ask(&["--magic", "f9beb4d9"], &line("other")), "ok - f9beb4d9");
    assert_eq!(ask(&[], &line("another")), "bad-target - -");
}

#[test]
fn a_json_line_without_port_takes_that_of_its_network() {
    let (dir, crowd) = (TempDir::new(), TcpCrowd::answering());
    let config = dir.file(
        "mine.toml",
        format!("[bitcoin.mine]\nmagic = \"f9beb4d9\"\nport = {}\n", crowd.port),
    );
    let ran = run(&["--config", &config], "{\"target\":\"127.1.0.7\",\"network\":\"mine\"}\n");
    assert_eq!(ran.lines()[0]["endpoint"], crowd.target(7), "{ran:?}");
    assert_eq!(ran.outcomes(), ["ok"]);
}

#[test]
fn the_lines_of_a_run_make_the_next_one() {
    let silent_once = |ip: std::net::Ipv4Addr, nth| match (ip.octets()[3], nth) {
        (1, 0) => SILENT,
        _ => ANSWER,
    };
    let crowd = TcpCrowd::start(silent_once);
    let input = format!("{} good\n{} silent\n", crowd.target(0), crowd.target(1));
    let args = ["--timeout", "1500ms", "--count", "1"];
    let first = run(&args, &input);
    assert_eq!(first.code, Some(1), "{first:?}");
    // Statistics name their target, too: what has a second line is asked a second time.
    let probes: Vec<_> =
        first.stdout.lines().filter(|line| !line.contains("\"type\":\"target\"")).collect();
    let second = run(&args, &probes.join("\n"));
    let told = |ran: &Ran| {
        let lines = ran.of_type("probe").into_iter().map(|line| {
            let text = |key: &str| line[key].as_str().unwrap_or("-").to_owned();
            [text("target"), text("label"), text("network"), outcome(&line)].join(" ")
        });
        let mut lines: Vec<_> = lines.collect();
        lines.sort();
        lines
    };
    let [good, other] = [0, 1].map(|number| crowd.target(number));
    assert_eq!(
        told(&first),
        [format!("{good} good mainnet ok"), format!("{other} silent mainnet stalled")]
    );
    assert_eq!(
        told(&second),
        [format!("{good} good mainnet ok"), format!("{other} silent mainnet ok")]
    );
    assert_eq!((second.code, crowd.came().len()), (Some(0), 4));
}

/// Of several magics that were tried in vain none is the peer's.
#[test]
fn a_line_of_any_network_that_failed_leaves_no_magic_to_the_next_run() {
    let (dir, crowd) = (TempDir::new(), TcpCrowd::start(|_, _| Manner::Close));
    // That of mainnet is not the last that is spoken.
    let more = format!("[bitcoin.zulu]\nmagic = \"0badcafe\"\nport = {}\n", crowd.port);
    let config = config(&dir, &crowd, &more);
    let first = btc_any::run(&config, &[&crowd.target(0)]);
    let line = btc_any::only(&first);
    assert_eq!((&line["ok"], &line["magic"]), (&json!(false), &json!("0badcafe")), "{line:#}");
    let again = btc_any::only(&run(&["--config", &config], &first.stdout));
    assert_eq!((&again["magic"], &again["network"]), (&json!("f9beb4d9"), &json!("mainnet")));
    // Nor is it left where the run is told the network.
    let alpha = run(&["--config", &config, "--network", "alpha"], &first.stdout);
    assert_eq!(btc_any::only(&alpha)["magic"], "00c0ffee");
}

/// Four networks have it.
#[test]
fn a_line_with_a_magic_and_no_network_comes_back_with_that_magic() {
    let regtest = Magic([0xfa, 0xbf, 0xb5, 0xda]);
    let version = frame(regtest, b"version", &version_payload(|_| {}));
    let said = Step::Send([version, frame(regtest, b"verack", &[])].concat());
    let pong = Step::answer("ping", move |nonce| frame(regtest, b"pong", nonce));
    let script = vec![Step::Await("version"), said, pong];
    let peer = ScriptedTcp::start_at(IpAddr::V4(Ipv4Addr::LOCALHOST), regtest, script);
    let first = run(&["--magic", "fabfb5da"], &format!("{} label\n", peer.target()));
    for ran in [&run(&[], &first.stdout), &first] {
        let line = btc_any::only(ran);
        assert_eq!((&line["ok"], &line["magic"]), (&json!(true), &json!("fabfb5da")), "{line:#}");
        assert_eq!((line.get("network"), &line["label"]), (None, &json!("label")), "{line:#}");
    }
    // The same for one that failed: it was the only magic that was asked for.
    let failed =
        json!({"type": "probe", "target": peer.target(), "ok": false, "magic": "fabfb5da"});
    assert_eq!(btc_any::only(&run(&[], &failed.to_string()))["ok"], true);
}

#[test]
fn a_summary_is_no_target() {
    let crowd = TcpCrowd::answering();
    let first = run(&["--summary"], &crowd.target(0));
    assert!(first.of_type("summary")[0]["ok"].is_number(), "{first:?}");
    let second = run(&[], &first.stdout);
    assert_eq!((second.code, second.outcomes()), (Some(0), vec!["ok".to_owned()]), "{second:?}");
    assert_eq!(crowd.came().len(), 2);
}
