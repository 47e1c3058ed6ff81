//! `--network any`: each magic that the port suggests is spoken until one is answered.

use serde_json::{Value, json};

use crate::common::command::{Ran, TempDir, finish_with_input, outcome, probe, run_btc_handshake};
use crate::common::namespace::run_or_skip;
use crate::common::tcp_crowd::{ANSWER, Manner, TcpCrowd};

const WARNING: &str =
    "warning: a Bitcoin SV node bans whoever speaks another network's magic to it, for a day\n";

/// A file of networks all of which use the crowd's port: one whose nodes ban, two others, and these tables.
pub fn config(dir: &TempDir, crowd: &TcpCrowd, more: &str) -> String {
    let table = |name: &str, magic: &str, more: &str| {
        format!("[bitcoin.{name}]\nmagic = \"{magic}\"\nport = {}\n{more}\n", crowd.port)
    };
    let text = table("alpha", "00c0ffee", "")
        + &table("mainnet", "f9beb4d9", "")
        + &table("stern", "00000bad", "bans = true")
        + more;
    dir.file("networks.toml", text)
}

/// Runs with such a file and without a pause.
pub fn run(config: &str, args: &[&str]) -> Ran {
    let pace = ["--json", "--per-host-interval", "0", "--network", "any", "--config", config];
    run_btc_handshake(pace.iter().chain(args))
}

/// The only result line.
pub fn only(ran: &Ran) -> Value {
    let [line] = &ran.of_type("probe")[..] else { panic!("one line was due: {ran:?}") };
    line.clone()
}

#[test]
fn magics_are_spoken_one_after_the_other_that_of_banners_first() {
    let (dir, crowd) = (TempDir::new(), TcpCrowd::start(|_, _| Manner::Picky));
    let ran = run(&config(&dir, &crowd, ""), &[&crowd.target(0)]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), WARNING), "{ran:?}");
    let line = only(&ran);
    assert_eq!(line["magics_tried"], json!(["00000bad", "00c0ffee", "f9beb4d9"]), "{line:#}");
    assert_eq!((&line["magic"], &line["tries"]), (&json!("f9beb4d9"), &json!(3)));
    assert_eq!((&line["networks"], &line["network"]), (&json!(["mainnet"]), &json!("mainnet")));
    assert_eq!(crowd.came().len(), 3);
}

#[test]
fn a_magic_that_several_have_is_none_of_them_for_certain() {
    let (dir, crowd) = (TempDir::new(), TcpCrowd::start(|_, _| Manner::Picky));
    let twin = config(&dir, &crowd, "[bitcoin.twin]\nmagic = \"f9beb4d9\"\n");
    let line = only(&run(&twin, &[&crowd.target(0)]));
    assert_eq!((&line["networks"], line.get("network")), (&json!(["mainnet", "twin"]), None));
}

#[test]
fn what_the_peer_says_is_spoken_next() {
    let (dir, crowd) = (TempDir::new(), TcpCrowd::start(|_, _| ANSWER));
    let line = only(&run(&config(&dir, &crowd, ""), &[&crowd.target(0)]));
    assert_eq!(line["magics_tried"], json!(["00000bad", "f9beb4d9"]), "{line:#}");
    assert_eq!((&line["ok"], &line["tries"]), (&json!(true), &json!(2)));
}

#[test]
fn where_nobody_answers_all_of_them_are_told() {
    let (dir, crowd) = (TempDir::new(), TcpCrowd::start(|_, _| Manner::Close));
    let ran = run(&config(&dir, &crowd, ""), &[&crowd.target(0)]);
    let line = only(&ran);
    assert_eq!((ran.code, outcome(&line)), (Some(1), "closed-early".to_owned()));
    assert_eq!(line["magics_tried"], json!(["00000bad", "00c0ffee", "f9beb4d9"]), "{line:#}");
    assert_eq!(crowd.came().len(), 3);
    let reason = line["reason"].as_str().expect("a reason");
    assert!(reason.contains("whichever of 3 magics was spoken"), "{reason}");
    assert_eq!((line.get("networks"), line.get("network")), (None, None), "{line:#}");
    // With retries all have another turn, and are told once.
    let again = only(&run(&config(&dir, &crowd, ""), &["--retries", "1", &crowd.target(1)]));
    assert_eq!((&again["magics_tried"], &again["tries"]), (&line["magics_tried"], &json!(6)));
}

#[test]
fn a_line_of_such_a_run_knows_its_network_in_the_next() {
    let (dir, crowd) = (TempDir::new(), TcpCrowd::start(|_, _| Manner::Picky));
    let config = config(&dir, &crowd, "");
    let first = run(&config, &[&crowd.target(0)]);
    let args = ["--json", "--per-host-interval", "0", "--config", &config, "-"];
    let again = finish_with_input(probe("btc-handshake", args), first.stdout.as_bytes());
    let line = only(&again);
    assert_eq!((&line["ok"], &line["network"]), (&json!(true), &json!("mainnet")));
    assert_eq!((crowd.came().len(), line.get("magics_tried")), (4, None));
}

#[test]
fn a_target_without_a_port_has_that_of_mainnet() {
    // Nobody listens there.
    let script = "exec \"$P\" btc-handshake --json -q --network any \"$@\"";
    let Some(ran) = run_or_skip(script, &["127.0.0.1", "[::1]"]) else { return };
    let mut endpoints: Vec<_> =
        ran.of_type("probe").iter().map(|line| line["endpoint"].clone()).collect();
    endpoints.sort_by_key(Value::to_string);
    assert_eq!(endpoints, [json!("127.0.0.1:8333"), json!("[::1]:8333")], "{ran:?}");
    assert_eq!(ran.outcomes(), ["refused", "refused"]);
}

/// Whoever its seeds give is to be of that network, whatever else is asked of others.
#[test]
fn the_seeds_of_a_network_stand_for_that_network_alone() {
    let (dir, crowd) = (TempDir::new(), TcpCrowd::start(|_, _| ANSWER));
    let port = crowd.port;
    let text =
        format!("[bitcoin.mine]\nmagic = \"00c0ffee\"\nport = {port}\nseeds = [\"localhost\"]\n");
    let config = dir.file("seeds.toml", text);
    let line = only(&run(&config, &["-4", "mine"]));
    assert_eq!(outcome(&line), "wrong-network", "{line:#}");
    assert_eq!((&line["magic"], &line["network"]), (&json!("00c0ffee"), &json!("mine")));
    assert_eq!((&line["found_magic"], &line["tries"]), (&json!("f9beb4d9"), &json!(1)));
    assert_eq!((crowd.came().len(), line.get("magics_tried")), (1, None), "{line:#}");
}
