//! The real nodes of [`common::bitcoin_peers`], asked by `btc-handshake` as nodes of another network, or of any.

mod common;

use std::collections::HashSet;
use std::net::SocketAddr;

use common::bitcoin_peers::{Bcoin, BitcoinSv, Litecoind, Network};
use common::command::{TempDir, run_btc_handshake};
use common::program::{Outcome, btc_handshake};
use serde_json::{Value, json};

/// The networks that have Bitcoin's regtest magic.
const REGTESTS: [&str; 4] = ["dogecoin-regtest", "litecoin-regtest", "namecoin-regtest", "regtest"];

/// The magic that is tried first where it may be any: that of Bitcoin SV, whose nodes ban for another.
const FIRST_OF_ANY: &str = "e3e1f3e8";

fn ask(network: &str, options: &[&str], to: SocketAddr) -> Outcome {
    btc_handshake(&[&["--network", network], options, &[&to.to_string()]].concat())
}

/// Asserts that a node hung up without a word.
fn assert_silent(outcome: &Outcome) -> &Value {
    let line = outcome.failed("closed-early");
    assert_eq!(
        (&line["after"], &line["received"]),
        (&json!("version-sent"), &json!(0)),
        "{line:#}"
    );
    assert!(line["connect_ms"].is_number(), "{line:#}");
    for field in ["version_ms", "protocol", "messages", "rtt_ms"] {
        assert_eq!(line.get(field), None, "{field} of {line:#}");
    }
    line
}

#[test]
fn litecoind_hangs_up_on_another_network() {
    for (on, right) in [(Network::Main, "litecoin"), (Network::Regtest, "regtest")] {
        let Some(node) = Litecoind::start_or_skip(on) else { return };
        for wrong in ["testnet3", "mainnet", "litecoin-testnet"] {
            let outcome = ask(wrong, &[], node.addr);
            let line = assert_silent(&outcome);
            assert_eq!((&line["network"], &line["tries"]), (&json!(wrong), &json!(1)));
        }
        let twice = ask("testnet3", &["--retries", "1"], node.addr);
        assert_eq!(assert_silent(&twice)["tries"], 2);
        // It bans nobody for that.
        ask(right, &[], node.addr).answered();
    }
}

#[test]
fn bitcoin_sv_bans_on_another_network() {
    let Some(node) = BitcoinSv::start_or_skip() else { return };
    assert_eq!(node.banned(), json!([]));
    assert_silent(&ask("testnet3", &[], node.addr));
    assert_eq!(node.banned().as_array().map(Vec::len), Some(1));
    // The right magic does not help now; the reason names this among others.
    let outcome = ask("bsv-regtest", &[], node.addr);
    let reason = assert_silent(&outcome)["reason"].as_str().expect("a reason").to_owned();
    assert!(reason.contains(" has banned us"), "{reason}");
    node.clear_banned();
    ask("bsv-regtest", &[], node.addr).answered();
}

#[test]
fn bcoin_speaks_first_and_so_names_its_network() {
    let all = REGTESTS.join(" or ");
    for (on, magic, names, said) in [
        (Network::Main, "f9beb4d9", json!(["mainnet"]), "mainnet"),
        (Network::Regtest, "fabfb5da", json!(REGTESTS), &all[..]),
    ] {
        let Some(node) = Bcoin::start_or_skip(on) else { return };
        for (options, network, asked) in [
            (["--network", "testnet3"], json!("testnet3"), "testnet3"),
            (["--magic", "01020304"], Value::Null, "magic 01020304"),
        ] {
            let target = node.addr.to_string();
            let outcome = btc_handshake(&[&options[..], &[&target]].concat());
            let line = outcome.failed("wrong-network");
            assert_eq!(
                (&line["found_magic"], &line["networks"]),
                (&json!(magic), &names),
                "{line:#}"
            );
            let first = line["first_bytes"].as_str().expect("hex");
            // Its magic, and "version".
            assert!(first.starts_with(&format!("{magic}76657273696f6e00")), "{line:#}");
            assert_eq!(first.len(), 48, "{line:#}");
            assert_eq!(line.get("network").unwrap_or(&Value::Null), &network, "{line:#}");
            let reason = format!("it is a node of {said} (magic {magic}), not of {asked}");
            assert_eq!((&line["reason"], line.get("protocol")), (&json!(reason), None));
            let text = run_btc_handshake(options.into_iter().chain([&target[..]]));
            assert_eq!(text.code, Some(1), "{}", text.stdout);
            assert!(text.stdout.starts_with("wrong-network "), "{}", text.stdout);
            assert!(text.stdout.contains(&reason), "{}", text.stdout);
        }
    }
}

/// Asserts that `--network any` finds the magic with which a node answers, and its names.
fn assert_found(to: SocketAddr, magic: &str, names: &Value) -> Value {
    let outcome = ask("any", &[], to);
    assert!(outcome.stderr.starts_with("warning: a Bitcoin SV node bans "), "{}", outcome.stderr);
    let line = outcome.answered().clone();
    assert_eq!((&line["magic"], &line["networks"]), (&json!(magic), names), "{line:#}");
    let tried = line["magics_tried"].as_array().expect("a list");
    assert_eq!(line["tries"], tried.len(), "{line:#}");
    assert_eq!(tried.iter().collect::<HashSet<_>>().len(), tried.len(), "{line:#}");
    assert_eq!((&tried[0], tried.last()), (&json!(FIRST_OF_ANY), Some(&json!(magic))), "{line:#}");
    assert!(line["rtt_ms"].is_number(), "{line:#}");
    line
}

#[test]
fn any_with_litecoind() {
    for (on, magic, names, height) in [
        (Network::Main, "fbc0b6db", json!(["litecoin"]), 0),
        (Network::Regtest, "fabfb5da", json!(REGTESTS), 3),
    ] {
        let Some(node) = Litecoind::start_or_skip(on) else { return };
        if height > 0 {
            node.mine(height);
        }
        let line = assert_found(node.addr, magic, &names);
        // One magic after the other until it answers: of those that it may be, this is neither the first nor the last.
        assert!(line["tries"].as_u64().is_some_and(|tries| (3..18).contains(&tries)), "{line:#}");
        assert_eq!((&line["height"], &line["protocol"]), (&json!(height), &json!(70_016)));
        assert_eq!(line["user_agent"], "/LitecoinCore:0.21.2.1/");
    }
}

#[test]
fn any_with_bcoin_needs_two_connections() {
    for (on, magic, names) in [
        (Network::Main, "f9beb4d9", json!(["mainnet"])),
        (Network::Regtest, "fabfb5da", json!(REGTESTS)),
    ] {
        let Some(node) = Bcoin::start_or_skip(on) else { return };
        let line = assert_found(node.addr, magic, &names);
        assert_eq!(line["tries"], 2, "{line:#}");
        assert_eq!(line["user_agent"], "/bcoin:v1.0.2/");
    }
}

/// Where the port is that of some networks, only those are tried, and those first whose nodes ban.
#[test]
fn any_does_not_get_us_banned_by_bitcoin_sv_on_its_port() {
    let Some(node) = BitcoinSv::start_or_skip() else { return };
    let directory = TempDir::new();
    let port = node.addr.port();
    let config = format!(
        "[bitcoin.first]\nmagic = \"fabfb5da\"\nport = {port}\n\
         [bitcoin.bsv-regtest]\nmagic = \"dab5bffa\"\nport = {port}\nbans = true\n"
    );
    let config = directory.file("networks.toml", config);
    let outcome = ask("any", &["--config", &config], node.addr);
    let line = outcome.answered();
    assert_eq!((&line["magic"], &line["tries"]), (&json!("dab5bffa"), &json!(1)), "{line:#}");
    assert_eq!(
        (&line["networks"], &line["magics_tried"]),
        (&json!(["bch-regtest", "bsv-regtest"]), &json!(["dab5bffa"]))
    );
    assert_eq!(line["user_agent"], "/Bitcoin SV:1.0.13/");
    assert_eq!(node.banned(), json!([]));
    ask("bsv-regtest", &[], node.addr).answered();
}

/// Bitcoin SV has several networks, and only the first that is tried is safe: on a port that tells nothing that is its
/// mainnet, and its regtest bans.
#[test]
fn any_gets_us_banned_by_bitcoin_sv_of_another_network_elsewhere() {
    let Some(node) = BitcoinSv::start_or_skip() else { return };
    let outcome = ask("any", &[], node.addr);
    let line = assert_silent(&outcome);
    let tried = line["magics_tried"].as_array().expect("a list");
    assert_eq!(
        (&tried[0], &line["tries"]),
        (&json!(FIRST_OF_ANY), &json!(tried.len())),
        "{line:#}"
    );
    assert!(tried.contains(&json!("dab5bffa")), "{line:#}");
    let reason = format!(" without a word, whichever of {} magics was spoken: ", tried.len());
    assert!(line["reason"].as_str().is_some_and(|said| said.contains(&reason)), "{line:#}");
    assert_eq!(node.banned().as_array().map(Vec::len), Some(1));
    node.clear_banned();
    ask("bsv-regtest", &[], node.addr).answered();
}
