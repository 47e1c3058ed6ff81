//! Runs of `btc-handshake` with the real nodes of [`common::bitcoin_peers`]: limits, a wrong clock, several probes,
//! several nodes.

mod common;

use std::net::SocketAddr;

use common::bitcoin_peers::{Bcoin, BitcoinSv, Litecoind, Network};
use common::command::TempDir;
use common::program::{Outcome, btc_handshake, warnings};
use common::wire::now_unix_s;
use serde_json::{Value, json};

const LITECOIN: &str = "/LitecoinCore:0.21.2.1/";
const BITCOIN_SV: &str = "/Bitcoin SV:1.0.13/";
const BCOIN: &str = "/bcoin:v1.0.2/";

fn ask(network: &str, options: &[&str], to: SocketAddr) -> Outcome {
    btc_handshake(&[&["--network", network], options, &[&to.to_string()]].concat())
}

#[test]
fn limits_of_height_services_and_round_trip() {
    let Some(node) = Litecoind::start_or_skip(Network::Regtest) else { return };
    node.mine(110);
    let ask = |option, value| ask("litecoin-regtest", &[option, value], node.addr);
    let kept = |option, value| drop(ask(option, value).answered().clone());
    let missed = |option, value, expected: Value| {
        let outcome = ask(option, value);
        let line = outcome.failed("not-as-asked");
        for (field, value) in expected.as_object().expect("an object") {
            assert_eq!(&line[field], value, "{field} of {line:#}");
        }
        // What it said is there all the same.
        assert_eq!((&line["user_agent"], &line["height"]), (&json!(LITECOIN), &json!(110)));
    };
    kept("--min-height", "110");
    let reason = "its chain has height 110, less than 111";
    missed(
        "--min-height",
        "111",
        json!({ "limit": "min-height", "min_height": 111, "reason": reason }),
    );
    kept("--need-services", "NETWORK,WITNESS");
    kept("--need-services", "MWEB");
    let missing = json!({
        "limit": "need-services", "missing_services": ["COMPACT_FILTERS"],
        "reason": "it does not offer COMPACT_FILTERS",
    });
    missed("--need-services", "WITNESS,COMPACT_FILTERS", missing);
    kept("--max-rtt", "10s");
    missed("--max-rtt", "1ns", json!({ "limit": "max-rtt" }));
}

#[test]
fn a_clock_that_is_wrong() {
    let Some(node) = Litecoind::start_or_skip(Network::Regtest) else { return };
    let ask = |max| ask("litecoin-regtest", &["--max-clock-skew", max], node.addr);
    assert_eq!(warnings(ask("2s").answered()), [""; 0]);
    for (off, side) in [(3600, "ahead of"), (-3600, "behind")] {
        let now = i64::try_from(now_unix_s()).expect("a time");
        // It stands still from then on.
        node.rpc.call("setmocktime", json!([now + off]));
        let outcome = ask("30m");
        let line = outcome.failed("not-as-asked");
        assert_eq!(
            (&line["limit"], &line["max_clock_skew_ms"]),
            (&json!("max-clock-skew"), &json!(1_800_000.0))
        );
        let offset = line["clock_offset_s"].as_i64().expect("a number");
        assert!((off - 30..=off).contains(&offset), "{line:#}");
        let by = offset.unsigned_abs();
        let reason = format!("its clock is {by} s {side} ours, more than 1800 s");
        assert_eq!(line["reason"], reason);
        assert_eq!(line["warnings"], json!([{ "warning": "clock", "by_s": by }]), "{line:#}");
        assert_eq!(warnings(ask("2h").answered()), ["clock"]);
    }
}

#[test]
fn count_with_its_statistics() {
    let Some(node) = Bcoin::start_or_skip(Network::Main) else { return };
    let outcome = ask("mainnet", &["--count", "3", "--interval", "300ms"], node.addr);
    assert_eq!((outcome.code, outcome.lines.len()), (0, 5), "{:#?}", outcome.lines);
    let probes = outcome.of_type("probe");
    let numbers: Vec<_> = probes.iter().map(|line| line["probe"].clone()).collect();
    assert_eq!(numbers, [1, 2, 3].map(Value::from));
    let mut rtts: Vec<_> =
        probes.iter().map(|line| line["rtt_ms"].as_f64().expect("rtt_ms")).collect();
    rtts.sort_by(f64::total_cmp);
    let spread = json!([rtts[0], rtts[1], rtts[2]]);
    let (target, summary) = (outcome.of_type("target")[0], outcome.of_type("summary")[0]);
    for line in [target, summary] {
        assert_eq!(
            json!([line["rtt_min_ms"], line["rtt_median_ms"], line["rtt_max_ms"]]),
            spread,
            "{line:#}"
        );
    }
    assert_eq!(
        (&target["sent"], &target["received"], &target["loss_pct"]),
        (&json!(3), &json!(3), &json!(0.0))
    );
    assert_eq!((&summary["targets"], &summary["ok"]), (&json!(1), &json!(3)), "{summary:#}");
    assert_eq!(summary["seen_as"], json!({ "127.0.0.1": 3 }));
    assert!(summary["elapsed_ms"].as_u64().is_some_and(|ms| ms >= 600), "{summary:#}");
}

/// Asserts that all of these answer, each on its network and as itself; gives what was said.
fn assert_all_answer(file: &str, all: &[(SocketAddr, &str, &str)]) -> Outcome {
    let outcome = btc_handshake(&["--file", file]);
    assert_eq!(
        (outcome.code, outcome.of_type("probe").len()),
        (0, all.len()),
        "{:#?}",
        outcome.lines
    );
    for (addr, network, agent) in all {
        let probes = outcome.of_type("probe");
        let line = probes.iter().find(|line| line["target"] == addr.to_string());
        let line = line.unwrap_or_else(|| panic!("no line of {addr}: {probes:#?}"));
        assert_eq!((&line["network"], &line["user_agent"]), (&json!(network), &json!(agent)));
    }
    let [summary] = outcome.of_type("summary")[..] else { panic!("{:#?}", outcome.lines) };
    assert_eq!((&summary["targets"], &summary["answered"]), (&json!(all.len()), &json!(all.len())));
    assert_eq!(summary["seen_as"], json!({ "127.0.0.1": 2 }), "{summary:#}");
    assert_eq!(summary["warnings"], json!({ "extra-bytes": 1 }), "{summary:#}");
    outcome
}

/// A JSON line of ours names the network of its target, so one file holds nodes of many.
#[test]
fn all_five_of_one_file_and_their_lines_once_more() {
    let Some(litecoin) = Litecoind::start_or_skip(Network::Main) else { return };
    let Some(litecoin_regtest) = Litecoind::start_or_skip(Network::Regtest) else { return };
    let Some(bitcoin_sv) = BitcoinSv::start_or_skip() else { return };
    let Some(bcoin) = Bcoin::start_or_skip(Network::Main) else { return };
    let Some(bcoin_regtest) = Bcoin::start_or_skip(Network::Regtest) else { return };
    let all = [
        (litecoin.addr, "litecoin", LITECOIN),
        (litecoin_regtest.addr, "litecoin-regtest", LITECOIN),
        (bitcoin_sv.addr, "bsv-regtest", BITCOIN_SV),
        (bcoin.addr, "mainnet", BCOIN),
        (bcoin_regtest.addr, "regtest", BCOIN),
    ];
    let lines =
        all.map(|(addr, network, _)| json!({ "target": addr, "network": network }).to_string());
    let directory = TempDir::new();
    let outcome = assert_all_answer(&directory.file("nodes", lines.join("\n")), &all);
    for line in outcome.of_type("probe") {
        let number = all.iter().position(|(addr, ..)| line["target"] == addr.to_string());
        assert_eq!(line["line"], json!(number.map(|index| index + 1)), "{line:#}");
    }
    // What the run said is a file of targets, too, its summary left out.
    let said: Vec<_> = outcome.lines.iter().map(Value::to_string).collect();
    assert_all_answer(&directory.file("again", said.join("\n")), &all);
}
