//! What `btc-handshake` costs over a raw epoll loop that exchanges the same bytes with the same peers: user and system
//! time, in turns, the least of each counts.
//!
//! `cargo bench --bench handshake_cpu`; the goal is 1.15.

#[path = "../common/mod.rs"]
mod common;
#[path = "../crowd/mod.rs"]
mod crowd;
mod raw;

use std::io;
use std::net::SocketAddrV4;

use common::{PATIENT, prober, processor, scratch, watch};
use crowd::btc_manner::MAINNET;
use crowd::settings::{Settings, Shares};
use crowd::{Command, Crowd, peers};
use nix::sys::resource::UsageWho;
use p2pprobe::bitcoin::{Message, NetAddr, Version};
use raw::Words;

const ROUNDS: usize = 12;
const TARGETS: u32 = 4_000;
/// What p2pprobe does unless it is told otherwise.
const CONCURRENCY: usize = 512;

/// What p2pprobe says, but for the peer's address.
fn words() -> Words {
    let framed = |messages: &[Message]| {
        let mut bytes = Vec::new();
        messages.iter().for_each(|message| message.encode(MAINNET, &mut bytes));
        bytes
    };
    let version = Message::Version(Version {
        protocol: 70_016,
        services: 0,
        timestamp: 1_700_000_000,
        addr_recv: NetAddr::unspecified(0),
        addr_from: Some(NetAddr::unspecified(0)),
        nonce: Some(1),
        user_agent: Some(concat!("/p2pprobe:", env!("CARGO_PKG_VERSION"), "/").into()),
        start_height: Some(0),
        relay: Some(false),
        extra: 0,
    });
    let rest = [Message::WtxidRelay, Message::SendAddrV2, Message::Verack, Message::Ping(2)];
    Words {
        version: framed(&[version]),
        rest: framed(&rest),
        verack: framed(&[Message::Verack]),
        pong: framed(&[Message::Pong(2)]).len(),
    }
}

fn main() -> io::Result<()> {
    let settings = Settings { shares: Shares::GOOD, ..Settings::default() };
    let crowd = Crowd::start(Command::BtcHandshake, settings, TARGETS, 0, 1)?;
    let file = scratch("handshake.txt");
    crowd::write(&file, Command::BtcHandshake, &settings, crowd.ports, TARGETS)?;
    let address = |number| SocketAddrV4::new(peers::address(number), crowd.ports.open);
    let addresses: Vec<_> = (0..TARGETS).map(address).collect();
    let words = words();
    let rows: [(&str, &[&str]); 2] = [("btc-handshake", &[]), ("the same, --json", &["--json"])];
    let mut raw = f64::INFINITY;
    let mut least = [f64::INFINITY; 2];
    let seconds = |taken: std::time::Duration| taken.as_secs_f64() / f64::from(TARGETS);
    for _ in 0..ROUNDS {
        let before = processor(UsageWho::RUSAGE_THREAD)?;
        raw::run(&addresses, CONCURRENCY, &words)?;
        raw = raw.min(seconds(processor(UsageWho::RUSAGE_THREAD)? - before));
        for (least, (name, options)) in least.iter_mut().zip(rows) {
            let took = watch(prober("btc-handshake", PATIENT, &file).args(options))?;
            assert_eq!(took.code, Some(0), "{name}: not every handshake was done");
            *least = least.min(seconds(took.processor));
        }
    }
    println!("{}; the least of {ROUNDS} rounds, {TARGETS} targets each", common::machine());
    println!("results as text (unless --json) with the summary, to /dev/null");
    println!("| | user+sys µs a target | over the raw loop |");
    println!("| --- | --: | --: |");
    println!("| raw epoll loop | {:.1} | 1.00 |", raw * 1e6);
    for (least, (name, _)) in least.into_iter().zip(rows) {
        println!("| {name} | {:.1} | {:.2} |", least * 1e6, least / raw);
    }
    Ok(())
}
