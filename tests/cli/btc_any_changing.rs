//! `--network any` with peers that are of another network each time: no magic is spoken twice in a probe, none that is
//! nobody's at all, and each line is about its own probe.

use std::collections::BTreeSet;

use p2pprobe::bitcoin::Magic;
use p2pprobe::networks::Networks;
use serde_json::{Value, json};

use crate::btc_any::{config, only, run};
use crate::common::btc::{MAINNET, frame, version_payload};
use crate::common::command::{TempDir, outcome};
use crate::common::tcp_crowd::{Manner, TcpCrowd};

/// The magics of the file of networks, besides mainnet's.
const ALPHA: Magic = Magic([0x00, 0xc0, 0xff, 0xee]);
const STERN: Magic = Magic([0x00, 0x00, 0x0b, 0xad]);

/// A version and a verack of this network, of a peer that knows no pong: who speaks its magic is done with it at once.
fn saying(magic: Magic) -> Manner {
    let version = version_payload(|version| version.protocol = 60_000);
    let version = frame(magic, b"version", &version);
    Manner::Say([version, frame(magic, b"verack", &[])].concat())
}

fn tried(line: &Value) -> Vec<&str> {
    let magics = line["magics_tried"].as_array().into_iter().flatten();
    magics.map(|magic| magic.as_str().expect("a magic")).collect()
}

#[test]
fn a_magic_that_nobody_knows_is_not_spoken() {
    let crowd = TcpCrowd::start(|_, nth| saying(Magic([0xde, 0xad, 0xbe, nth as u8])));
    let dir = TempDir::new();
    let line = only(&run(&config(&dir, &crowd, ""), &["--retries", "2", &crowd.target(0)]));
    assert_eq!(outcome(&line), "wrong-network", "{line:#}");
    assert_eq!((&line["found_magic"], &line["tries"]), (&json!("deadbe00"), &json!(1)));
    assert_eq!((tried(&line), crowd.came().len()), (vec!["00000bad"], 1), "{line:#}");
    assert_eq!((line.get("network"), line.get("networks")), (None, None), "{line:#}");
}

/// It says the magic that is known next, whichever is spoken to it: all of them have their turn, and that is all.
#[test]
fn known_magics_are_spoken_once_however_often_the_peer_changes_its_own() {
    let known: BTreeSet<String> =
        Networks::default().magics().iter().map(Magic::to_string).collect();
    let (count, first) = (known.len(), known.first().expect("a magic").clone());
    let say = known.into_iter().map(|magic| magic.parse().expect("a magic")).collect::<Vec<_>>();
    let crowd = TcpCrowd::start(move |_, nth| saying(say[nth % say.len()]));
    let dir = TempDir::new();
    let line = only(&run(&config(&dir, &crowd, ""), &["--retries", "2", &crowd.target(0)]));
    assert_eq!(outcome(&line), "wrong-network", "{line:#}");
    assert_eq!(line["found_magic"], first, "{line:#}");
    let distinct: BTreeSet<_> = tried(&line).into_iter().collect();
    // The one that is spoken first is the file's alone.
    assert_eq!((distinct.len(), tried(&line).len()), (count + 1, count + 1), "{line:#}");
    assert_eq!((&line["tries"], crowd.came().len()), (&json!(count + 1), count + 1), "{line:#}");
}

#[test]
fn two_magics_by_turns_are_spoken_once_each() {
    let crowd = TcpCrowd::start(|_, nth| saying(if nth % 2 == 0 { ALPHA } else { MAINNET }));
    let dir = TempDir::new();
    let line = only(&run(&config(&dir, &crowd, ""), &[&crowd.target(0)]));
    assert_eq!(outcome(&line), "wrong-network", "{line:#}");
    assert_eq!(tried(&line), ["00000bad", "00c0ffee", "f9beb4d9"], "{line:#}");
    assert_eq!((&line["magic"], &line["found_magic"]), (&json!("f9beb4d9"), &json!("00c0ffee")));
    assert_eq!(crowd.came().len(), 3);
}

#[test]
fn each_line_of_several_probes_is_about_its_own() {
    let crowd = TcpCrowd::start(|_, nth| match nth {
        // The first probe finds alpha, the second one mainnet, and the third nobody: all three hang up.
        0 | 1 => saying(ALPHA),
        2 | 3 => saying(MAINNET),
        4..=6 => Manner::Close,
        _ => saying(STERN),
    });
    let dir = TempDir::new();
    let args = ["--count", "4", "--interval", "50ms", &crowd.target(0)];
    let ran = run(&config(&dir, &crowd, ""), &args);
    let lines = ran.of_type("probe");
    let told = |line: &Value| {
        let text = |key: &str| line[key].as_str().unwrap_or("-").to_owned();
        let networks = line.get("networks").map_or("-".to_owned(), Value::to_string);
        [outcome(line), text("network"), networks, text("magic"), tried(line).join(" ")].join(", ")
    };
    let expected = [
        "ok, alpha, [\"alpha\"], 00c0ffee, 00000bad 00c0ffee",
        // What was answered is spoken first from then on.
        "ok, mainnet, [\"mainnet\"], f9beb4d9, 00c0ffee f9beb4d9",
        "closed-early, -, -, 00000bad, f9beb4d9 00c0ffee 00000bad",
        "ok, stern, [\"stern\"], 00000bad, f9beb4d9 00000bad",
    ];
    assert_eq!(lines.iter().map(told).collect::<Vec<_>>(), expected, "{ran:?}");
    let tries: Vec<_> = lines.iter().map(|line| line["tries"].as_u64()).collect();
    assert_eq!(tries, [2, 2, 3, 2].map(Some));
    assert_eq!(crowd.came().len(), 9);
}

#[test]
fn after_a_probe_that_failed_all_magics_have_another_chance() {
    let crowd = TcpCrowd::start(|_, nth| match nth {
        0..=4 => Manner::Close,
        // The last magic of the second probe.
        _ => Manner::Picky,
    });
    let dir = TempDir::new();
    let args = ["--count", "2", "--interval", "50ms", &crowd.target(0)];
    let lines = run(&config(&dir, &crowd, ""), &args).of_type("probe");
    let all = ["00000bad", "00c0ffee", "f9beb4d9"];
    assert_eq!((outcome(&lines[0]), tried(&lines[0])), ("closed-early".to_owned(), all.to_vec()));
    assert_eq!((outcome(&lines[1]), tried(&lines[1])), ("ok".to_owned(), all.to_vec()));
    assert_eq!((crowd.came().len(), &lines[1]["network"]), (6, &json!("mainnet")));
}
