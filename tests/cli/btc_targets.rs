//! What a target of `btc-handshake` may look like, and which network and port go without saying.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};

use p2pprobe::bitcoin::Magic;
use serde_json::{Value, json};

use crate::common::btc::{MAINNET, frame, version_payload};
use crate::common::command::{Ran, TempDir, run_btc_handshake};
use crate::common::scripted_tcp::{ScriptedTcp, Step};

const MINE: Magic = Magic([0x00, 0xc0, 0xff, 0xee]);
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A peer of a network, with these services. What comes with another magic fails the test.
fn peer(ip: IpAddr, magic: Magic, services: u64) -> ScriptedTcp {
    let version = version_payload(|version| version.services = services);
    let said = [frame(magic, b"version", &version), frame(magic, b"verack", &[])].concat();
    let pong = Step::answer("ping", move |nonce| frame(magic, b"pong", nonce));
    ScriptedTcp::start_at(ip, magic, vec![Step::Await("version"), Step::Send(said), pong])
}

/// A file of networks, one of which is `mine`, whose port is that of the peer.
fn config(dir: &TempDir, peer: &ScriptedTcp, more: &str) -> String {
    let port = peer.addr.port();
    dir.file("networks.toml", format!("[bitcoin.mine]\nmagic = \"{MINE}\"\nport = {port}\n{more}"))
}

/// Runs with these arguments, and gives the only line.
fn line(args: &[&str]) -> Value {
    let ran = run(args);
    let [line] = &ran.lines()[..] else { panic!("one line was due: {ran:?}") };
    line.clone()
}

fn run(args: &[&str]) -> Ran {
    // All of them are at one address.
    run_btc_handshake(["--json", "--per-host-interval", "0"].iter().chain(args))
}

#[test]
fn a_host_takes_the_port_of_its_network() {
    let (dir, peer) = (TempDir::new(), peer(LOOPBACK, MINE, 1));
    let config = config(&dir, &peer, "");
    let with_port = peer.target();
    let by_name = format!("localhost:{}", peer.addr.port());
    for target in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", &with_port, &by_name] {
        let line = line(&["--config", &config, "--network", "mine", "-4", target]);
        assert_eq!(line["ok"], true, "{target}: {line:#}");
        assert_eq!((&line["target"], &line["endpoint"]), (&json!(target), &json!(with_port)));
        assert_eq!((&line["network"], &line["magic"]), (&json!("mine"), &json!("00c0ffee")));
    }
    assert_eq!(peer.finish().len(), 5);
}

#[test]
fn an_ipv6_address_stands_between_brackets() {
    let ip = IpAddr::V6(Ipv6Addr::LOCALHOST);
    if let Err(e) = TcpListener::bind((ip, 0)) {
        println!("left out: no listener on ::1 ({e})");
        return;
    }
    let (dir, peer) = (TempDir::new(), peer(ip, MINE, 1));
    let config = config(&dir, &peer, "");
    for target in ["[::1]", &peer.target(), "[0:0::1]"] {
        let line = line(&["--config", &config, "--network", "mine", target]);
        assert_eq!(line["ok"], true, "{target}: {line:#}");
        assert_eq!((&line["target"], &line["endpoint"]), (&json!(target), &json!(peer.target())));
    }
}

#[test]
fn mainnet_goes_without_saying() {
    let public = peer(LOOPBACK, MAINNET, 1);
    let told = line(&[&public.target()]);
    assert_eq!((&told["network"], &told["magic"]), (&json!("mainnet"), &json!("f9beb4d9")));
    // A network of the user's own with that name stands in its place, port and all.
    let (dir, mine) = (TempDir::new(), peer(LOOPBACK, MINE, 1));
    let text = format!("[bitcoin.mainnet]\nmagic = \"{MINE}\"\nport = {}\n", mine.addr.port());
    let own = dir.file("own.toml", text);
    let told = line(&["--config", &own, "127.0.0.1"]);
    assert_eq!((&told["ok"], &told["magic"]), (&json!(true), &json!("00c0ffee")));
}

#[test]
fn a_magic_stands_for_its_network() {
    let (dir, peer) = (TempDir::new(), peer(LOOPBACK, MINE, 1));
    let config = config(&dir, &peer, "");
    for args in
        [&["00c0ffee", "127.0.0.1"], &["00C0FFEE", "127.0.0.1"], &["00c0ffee", &peer.target()[..]]]
    {
        let line = line(&[&["--config", &config, "--magic"], &args[..]].concat());
        assert_eq!((&line["ok"], &line["magic"]), (&json!(true), &json!("00c0ffee")), "{line:#}");
        assert_eq!((&line["endpoint"], line.get("network")), (&json!(peer.target()), None));
    }
    // Without a network that has it, too, where the port is said.
    assert_eq!(line(&["--magic", "00c0ffee", &peer.target()])["ok"], true);
}

#[test]
fn a_signet_is_told_by_its_challenge() {
    // BIP-325: the first four bytes of the double SHA-256 of the challenge and its length; OP_TRUE here.
    let magic = Magic([0x54, 0xd2, 0x6f, 0xbd]);
    let (dir, peer) = (TempDir::new(), peer(LOOPBACK, magic, 1));
    let port = peer.addr.port();
    let config =
        dir.file("own.toml", format!("[bitcoin.signet]\nmagic = \"0a03cf40\"\nport = {port}\n"));
    for target in ["127.0.0.1", &peer.target()] {
        let line = line(&["--config", &config, "--signet-challenge", "51", target]);
        assert_eq!((&line["ok"], &line["magic"]), (&json!(true), &json!("54d26fbd")), "{line:#}");
        assert_eq!((&line["endpoint"], line.get("network")), (&json!(peer.target()), None));
    }
}

#[test]
fn a_network_names_service_bits_of_its_own() {
    let (dir, peer) = (TempDir::new(), peer(LOOPBACK, MINE, 1 | 1 << 3 | 1 << 24 | 1 << 62));
    let services = "services = { 3 = \"WATERMARK\", 24 = \"MINE\", 30 = \"OTHER\" }\n";
    let config = config(&dir, &peer, services);
    let ask = |needed: &[&str]| {
        line(&[&["--config", &config, "--network", "mine", "127.0.0.1"], needed].concat())
    };
    let told = ask(&[]);
    assert_eq!(
        told["service_names"],
        json!(["NETWORK", "WATERMARK", "MINE", "bit 62"]),
        "{told:#}"
    );
    assert_eq!(ask(&["--need-services", "MINE,NETWORK,WATERMARK,bit 62"])["ok"], true);
    let missed = ask(&["--need-services", "MINE,other,bit 61"]);
    assert_eq!(
        (&missed["failure"], &missed["limit"]),
        (&json!("not-as-asked"), &json!("need-services"))
    );
    assert_eq!(missed["missing_services"], json!(["OTHER", "bit 61"]));
}

#[test]
fn a_service_may_be_asked_for_in_any_case() {
    let peer = peer(LOOPBACK, MAINNET, 1);
    assert_eq!(line(&["--need-services", "network", &peer.target()])["ok"], true);
    let missed = line(&["--need-services", "network,witness,bit 9", &peer.target()]);
    assert_eq!(missed["missing_services"], json!(["WITNESS", "bit 9"]), "{missed:#}");
}

#[test]
fn a_network_without_seeds_says_what_to_do() {
    let told = run(&["litecoin-regtest"]).of_type("probe").remove(0);
    assert_eq!(told["failure"], "unresolved");
    let reason = "the network litecoin-regtest has no DNS seeds: give a host: --network litecoin-regtest HOST";
    assert_eq!(told["reason"], reason);
}
