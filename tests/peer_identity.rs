//! Whose key is expected where a target is an enode URL with a host name, or a node record.

mod common;

use std::net::{IpAddr, Ipv6Addr, TcpListener, UdpSocket};

use common::program::eth_ping;
use common::scripted::{Scripted, Stage};
use common::wire;
use p2pprobe::codec::key::NodeKey;
use p2pprobe::discv4::Record;

/// An enode URL of a peer's port at `localhost`.
fn at_localhost(peer: &Scripted, key: &NodeKey) -> String {
    format!("enode://{}@localhost:{}", key.public(), peer.addr.port())
}

/// A record of these IPv4 and IPv6 endpoints, and this TCP port.
fn record(key: &NodeKey, four: Option<u16>, six: Option<u16>, tcp: Option<u16>) -> String {
    let mut pairs = Vec::new();
    if let Some(udp) = four {
        pairs.extend([("ip", wire::bytes(&[127, 0, 0, 1])), ("udp", wire::int(udp.into()))]);
    }
    if let Some(udp) = six {
        let ip = Ipv6Addr::LOCALHOST.octets();
        pairs.extend([("ip6", wire::bytes(&ip)), ("udp6", wire::int(udp.into()))]);
    }
    pairs.extend(tcp.map(|tcp| ("tcp", wire::int(tcp.into()))));
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, &value[..])).collect();
    Record::sign(key, 1, &pairs).expect("a short record").to_string()
}

#[test]
fn the_key_of_an_enode_with_a_host_name_is_expected() {
    let peer = Scripted::honest(1000);
    let run = eth_ping(&["-4", "--timeout", "5s", &at_localhost(&peer, &peer.key)]);
    let line = run.answered();
    assert_eq!((&line["identity"], &line["node_id"]), (&"expected".into(), &peer.id().into()));
    assert_eq!(line["endpoint"], peer.bare());
}

#[test]
fn another_key_behind_a_host_name_is_a_wrong_identity() {
    let peer = Scripted::honest(1001);
    let run = eth_ping(&["-4", "--timeout", "5s", &at_localhost(&peer, &wire::key(1002))]);
    run.failed("wrong-identity");
}

#[test]
fn the_key_of_a_record_is_expected() {
    let peer = Scripted::honest(1003);
    let target = record(&peer.key, Some(peer.addr.port()), None, None);
    let run = eth_ping(&["--timeout", "5s", &target]);
    let line = run.answered();
    assert_eq!((&line["identity"], &line["node_id"]), (&"expected".into(), &peer.id().into()));
    assert_eq!(line["endpoint"], peer.bare());
}

#[test]
fn a_record_that_another_key_signed_is_a_wrong_identity() {
    let peer = Scripted::honest(1004);
    let target = record(&wire::key(1005), Some(peer.addr.port()), None, None);
    eth_ping(&["--timeout", "5s", &target]).failed("wrong-identity");
}

#[test]
fn the_tcp_port_of_a_record_is_the_one_that_is_connected_to() {
    let peer = Scripted::honest(1006);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener on loopback");
    let tcp = listener.local_addr().expect("its address").port();
    let target = record(&peer.key, Some(peer.addr.port()), None, Some(tcp));
    assert_eq!(eth_ping(&["--timeout", "5s", "--tcp", &target]).answered()["tcp"], "open");
    listener.accept().expect("a connection");
    let target = record(&peer.key, Some(peer.addr.port()), None, None);
    assert_eq!(eth_ping(&["--timeout", "5s", "--tcp", &target]).answered()["tcp"], "no-port");
}

#[test]
fn a_record_of_both_families_is_pinged_where_it_was_asked_to_be() {
    if let Err(e) = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)) {
        println!("left out: no socket on ::1 ({e})");
        return;
    }
    let four = Scripted::honest(1007);
    let answer = |stage: &Stage, got: &_| stage.reply(got, &stage.pong(got));
    let six = Scripted::start_at(IpAddr::from(Ipv6Addr::LOCALHOST), 1007, answer);
    let target = record(&four.key, Some(four.addr.port()), Some(six.addr.port()), None);
    for (option, peer) in [("-4", &four), ("-6", &six)] {
        let run = eth_ping(&[option, "--timeout", "5s", &target]);
        assert_eq!(run.answered()["endpoint"], peer.bare(), "{option}");
        assert_eq!(run.only()["identity"], "expected", "{option}");
    }
}
