//! `--bind`: where connections come from.

mod common;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::time::Duration;

use common::btc::{MAINNET, PATIENT, Probed, good_peer, probe_peers};
use common::scripted_tcp::{ScriptedTcp, Step};

/// Where the connection of each of the peers came from.
fn from(options: &[&str], peers: Vec<ScriptedTcp>) -> Vec<SocketAddr> {
    let probed = probe_peers(&[PATIENT, options].concat(), peers);
    let from = |probed: &Probed| {
        assert_eq!(probed.line["ok"], true, "{:#}", probed.line);
        probed.connection().from
    };
    probed.iter().map(from).collect()
}

#[test]
fn an_address_of_ours_is_what_the_peer_sees() {
    let ours = IpAddr::from([127, 0, 0, 9]);
    let peers = [good_peer(), good_peer()].map(ScriptedTcp::start);
    let seen = from(&["--bind", "127.0.0.9:0"], peers.into());
    assert!(seen.iter().all(|from| from.ip() == ours && from.port() != 0), "{seen:?}");
}

#[test]
fn one_port_is_enough_for_several_peers_at_the_same_time() {
    let free = TcpListener::bind("127.0.0.8:0").expect("a port");
    let ours = free.local_addr().expect("its address");
    drop(free);
    // All of them are open until the last one has answered.
    let slow = || [vec![Step::Pause(Duration::from_millis(700))], good_peer()].concat();
    let peers = [slow(), slow(), slow()].map(ScriptedTcp::start);
    assert_eq!(from(&["--bind", &ours.to_string()], peers.into()), [ours; 3]);
}

#[test]
fn each_family_has_an_address_of_its_own() {
    let six = IpAddr::V6(Ipv6Addr::LOCALHOST);
    if let Err(e) = TcpListener::bind((six, 0)) {
        println!("left out: no listener on ::1 ({e})");
        return;
    }
    let peers = || {
        let at = |ip| ScriptedTcp::start_at(ip, MAINNET, good_peer());
        vec![at(Ipv4Addr::LOCALHOST.into()), at(six)]
    };
    let four = IpAddr::from([127, 0, 0, 9]);
    for bind in [
        &["--bind", "127.0.0.9:0", "--bind", "[::1]:0"][..],
        &["--bind", "[::1]:0", "--bind", "127.0.0.9:0"],
        // The system chooses for the other one.
        &["--bind", "127.0.0.9:0"],
    ] {
        let seen: Vec<_> = from(bind, peers()).iter().map(SocketAddr::ip).collect();
        assert_eq!(seen, [four, six], "{bind:?}");
    }
}
