//! What a service bit is called is up to the network of the peer, and so is what `--need-services` asks for.

use std::net::{IpAddr, Ipv4Addr};

use p2pprobe::bitcoin::Magic;
use serde_json::{Value, json};

use crate::common::btc::{MAINNET, frame, version_payload};
use crate::common::command::{TempDir, run_btc_handshake};
use crate::common::scripted_tcp::{ScriptedTcp, Step};

const CASH: Magic = Magic([0xe3, 0xe1, 0xf3, 0xe8]);
const LITECOIN: Magic = Magic([0xfb, 0xc0, 0xb6, 0xdb]);

/// A peer that offers these services.
fn peer(magic: Magic, services: u64) -> ScriptedTcp {
    let version = version_payload(|version| version.services = services);
    let said = [frame(magic, b"version", &version), frame(magic, b"verack", &[])].concat();
    let pong = Step::answer("ping", move |nonce| frame(magic, b"pong", nonce));
    let script = vec![Step::Await("version"), Step::Send(said), pong];
    ScriptedTcp::start_at(IpAddr::V4(Ipv4Addr::LOCALHOST), magic, script)
}

/// The line on a peer of which these services are asked, by a prober with these options.
fn ask(peer: &ScriptedTcp, options: &[&str], needed: &str) -> Value {
    let target = peer.target();
    let args = ["--json", "--per-host-interval", "0", "--need-services", needed, &target];
    let ran = run_btc_handshake(args.iter().chain(options));
    let [line] = &ran.lines()[..] else { panic!("one line was due: {ran:?}") };
    line.clone()
}

fn assert_offers(peer: &ScriptedTcp, options: &[&str], needed: &str) {
    let line = ask(peer, options, needed);
    assert_eq!(line["ok"], true, "{needed}: {line:#}");
}

fn assert_lacks(peer: &ScriptedTcp, options: &[&str], needed: &str, missing: &[&str]) {
    let line = ask(peer, options, needed);
    assert_eq!(
        (&line["failure"], &line["limit"]),
        (&json!("not-as-asked"), &json!("need-services"))
    );
    assert_eq!(line["missing_services"], json!(missing), "{needed}: {line:#}");
}

#[test]
fn a_bit_that_means_something_else_there_is_not_what_was_asked_for() {
    let peer = peer(CASH, 1 | 1 << 6);
    let cash = ["--network", "bitcoin-cash"];
    assert_offers(&peer, &cash, "GRAPHENE,NETWORK");
    assert_offers(&peer, &cash, "bit 6");
    assert_lacks(&peer, &cash, "COMPACT_FILTERS,NETWORK", &["COMPACT_FILTERS"]);
    assert_eq!(ask(&peer, &cash, "bit 6")["service_names"], json!(["NETWORK", "GRAPHENE"]));
}

#[test]
fn a_service_of_one_network_is_missing_on_the_others() {
    let litecoin = peer(LITECOIN, 1 | 1 << 24);
    let options = ["--network", "litecoin"];
    assert_offers(&litecoin, &options, "MWEB");
    assert_offers(&litecoin, &options, "mweb,bit 24,BIT 0");
    assert_lacks(&litecoin, &options, "mweb_light_client", &["MWEB_LIGHT_CLIENT"]);
    // Here the same bit has no name, and the name no bit.
    let mainnet = peer(MAINNET, 1 | 1 << 24);
    assert_lacks(&mainnet, &[], "MWEB", &["MWEB"]);
    assert_lacks(&mainnet, &[], "mweb", &["MWEB"]);
    let reason = &ask(&mainnet, &[], "MWEB,WITNESS")["reason"];
    assert_eq!(*reason, "it does not offer WITNESS; no service of its network is named MWEB");
    assert_offers(&mainnet, &[], "bit 24");
}

#[test]
fn what_is_missing_is_said_once() {
    let mainnet = peer(MAINNET, 0);
    let twice = "witness,MWEB,WITNESS,bit 3,mweb,Bit 9,bit 9";
    assert_lacks(&mainnet, &[], twice, &["WITNESS", "MWEB", "bit 9"]);
    let litecoin = peer(LITECOIN, 0);
    assert_lacks(&litecoin, &["--network", "litecoin"], "MWEB,bit 24,mweb", &["MWEB"]);
}

/// Bitcoin Cash and Bitcoin SV share their magic, and only the one calls bit 6 GRAPHENE.
#[test]
fn a_bit_that_networks_of_one_magic_name_differently_has_no_name() {
    let (dir, peer) = (TempDir::new(), peer(CASH, 1 | 1 << 3 | 1 << 6 | 1 << 8));
    let table = |name: &str, more: &str| {
        let port = peer.addr.port();
        format!("[bitcoin.{name}]\nmagic = \"{CASH}\"\nport = {port}\n{more}\n")
    };
    let text = table("bitcoin-cash", "services = { 6 = \"GRAPHENE\", 8 = \"CF\" }")
        + &table("bitcoin-sv", "bans = true");
    let config = dir.file("networks.toml", text);
    let any = ["-q", "--network", "any", "--config", &config];
    for options in [&any[..], &["--magic", "e3e1f3e8"]] {
        let line = ask(&peer, options, "bit 6,bit 8,WITNESS");
        assert_eq!(line["ok"], true, "{options:?}: {line:#}");
        assert_eq!(line["service_names"], json!(["NETWORK", "WITNESS", "bit 6", "bit 8"]));
        let expected = (options == any).then(|| json!(["bitcoin-cash", "bitcoin-sv"]));
        assert_eq!((line.get("networks"), line.get("network")), (expected.as_ref(), None));
        assert_lacks(&peer, options, "GRAPHENE,COMPACT_FILTERS", &["GRAPHENE", "COMPACT_FILTERS"]);
        let reason = &ask(&peer, options, "GRAPHENE")["reason"];
        let shared =
            "GRAPHENE does not mean the same on all of bitcoin-cash, bitcoin-sv: --network";
        let says_so = reason.as_str().is_some_and(|reason| reason.contains(shared));
        assert_eq!(says_so, options == any, "{reason}");
    }
}
