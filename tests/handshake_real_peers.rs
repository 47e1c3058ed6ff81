//! The handshake machine, through the TCP driver, with the real nodes of [`common::bitcoin_peers`].

mod common;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::bitcoin_peers::{Bcoin, BitcoinSv, Litecoind, Network};
use p2pprobe::bitcoin::Magic;
use p2pprobe::bitcoin::handshake::{Config, End, Handshake, HandshakeReport, OurNonces, Stage};
use p2pprobe::net::clock::Clock;
use p2pprobe::net::tcp::Dialer;
use p2pprobe::stop;

const TESTNET3: Magic = Magic([0x0b, 0x11, 0x09, 0x07]);

fn shake(to: SocketAddr, magic: Magic) -> HandshakeReport {
    static NONCE: AtomicU64 = AtomicU64::new(0x1234_5678_0000);
    let random = [(); 2].map(|()| NONCE.fetch_add(1, Ordering::SeqCst));
    let config = Config {
        magic,
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(20),
        user_agent: "/p2pprobe-tests:0.1/".to_owned(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let clock = Clock::start();
        let (_sender, stop) = stop::channel();
        let machine = Handshake::new(config, to, random, OurNonces::default(), clock.now());
        Dialer { clock, bind: [].into(), stop }.drive(machine, to, None).await
    })
}

fn heard(report: &HandshakeReport) -> Vec<&str> {
    report.messages.iter().map(|command| command.as_str()).collect()
}

/// What every finished handshake has in common.
fn assert_done(report: &HandshakeReport, protocol: i32, services: u64, agent: &str, height: i32) {
    assert_eq!((&report.end, report.stage), (&End::Done, Stage::Verack), "{report:?}");
    let times = [report.connect, report.version_took, report.handshake_took, report.pong];
    assert!(times.iter().all(Option::is_some), "{report:?}");
    let version = report.version.as_ref().expect("a version");
    assert_eq!((version.protocol, version.services), (protocol, services));
    assert_eq!(version.user_agent.as_deref(), Some(agent.as_bytes()));
    assert_eq!((version.start_height, version.relay), (Some(height), Some(true)));
    assert_eq!((report.duplicates, report.bad_commands, report.bad_checksums), (0, 0, 0));
    assert_eq!((report.bad_checksum, report.out_of_order), (None, None), "{report:?}");
    assert!(report.clock_offset_s.is_some_and(|offset| offset.abs() <= 2), "{report:?}");
    assert!(heard(report).contains(&"pong"), "{report:?}");
}

#[test]
fn litecoind_on_both_networks() {
    let Some(node) = Litecoind::start_or_skip(Network::Regtest) else { return };
    node.mine(110);
    let report = shake(node.addr, Magic(node.magic));
    assert_done(&report, 70_016, 0x100_0409, "/LitecoinCore:0.21.2.1/", 110);
    assert_eq!(heard(&report)[..4], ["version", "wtxidrelay", "sendaddrv2", "verack"]);
    let Some(main) = Litecoind::start_or_skip(Network::Main) else { return };
    let report = shake(main.addr, Magic(main.magic));
    assert_done(&report, 70_016, 0x100_0409, "/LitecoinCore:0.21.2.1/", 0);
}

#[test]
fn bcoin_on_both_networks() {
    for network in [Network::Main, Network::Regtest] {
        let Some(node) = Bcoin::start_or_skip(network) else { return };
        let report = shake(node.addr, Magic(node.magic));
        assert_done(&report, 70_015, 0x9, "/bcoin:v1.0.2/", 0);
        assert_eq!(heard(&report)[..2], ["version", "verack"]);
    }
}

#[test]
fn bitcoin_sv_with_its_extra_byte() {
    let Some(node) = BitcoinSv::start_or_skip() else { return };
    let report = shake(node.addr, Magic(node.magic));
    assert_done(&report, 70_016, 0x21, "/Bitcoin SV:1.0.13/", 0);
    assert_eq!(report.version.as_ref().map(|version| version.extra), Some(1));
    assert!(heard(&report).contains(&"protoconf"), "{report:?}");
}

#[test]
fn the_wrong_network_of_each() {
    let closed = |report: HandshakeReport| {
        let (end, stage, received) = (report.end, report.stage, report.received);
        assert!(matches!(end, End::Closed(_)), "{end:?}");
        assert_eq!((stage, received), (Stage::VersionSent, 0));
    };
    if let Some(node) = Litecoind::start_or_skip(Network::Regtest) {
        closed(shake(node.addr, TESTNET3));
    }
    if let Some(node) = BitcoinSv::start_or_skip() {
        closed(shake(node.addr, TESTNET3));
    }
    // It says its version on accept, and so names its network.
    if let Some(node) = Bcoin::start_or_skip(Network::Main) {
        let report = shake(node.addr, TESTNET3);
        let End::OtherMagic { found } = report.end else { panic!("{:?}", report.end) };
        assert_eq!((&found[..4], &found[4..11]), (&node.magic[..], &b"version"[..]));
    }
}
