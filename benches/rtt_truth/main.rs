//! How true round-trip times are under load: ours, beside those of a packet capture on loopback (from the first Ping
//! to a peer to the first Pong from there, by the kernel's time stamps).
//!
//! `cargo bench --bench rtt_truth`, as root (or with CAP_NET_RAW); the goal is a p99 below 0.1 ms.

mod capture;
#[path = "../common/mod.rs"]
mod common;
#[path = "../crowd/mod.rs"]
mod crowd;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use capture::{Capture, Passed};
use common::scratch;
use crowd::settings::{Settings, Shares, Weather};
use crowd::{Command, Crowd};
use serde_json::Value;

/// Pings a second, and how many there are.
const RUNS: [(u32, u32); 2] = [(1_000, 5_000), (5_000, 25_000)];
const ROUNDS: usize = 3;
/// Peers take so long, so that many answers are under way.
const DELAY: Duration = Duration::from_millis(4);
const JITTER: Duration = Duration::from_millis(4);

fn main() -> io::Result<()> {
    println!("{}", common::machine());
    println!("ours and the capture's, absolute difference in µs; peers take 4 to 8 ms");
    println!("| Pings a second | round | compared | p50 | p99 | max |");
    println!("| --: | --: | --: | --: | --: | --: |");
    for (rate, targets) in RUNS {
        for round in 1..=ROUNDS {
            let mut off = differences(rate, targets)?;
            off.sort_by(f64::total_cmp);
            let at = |share: f64| off[((off.len() - 1) as f64 * share) as usize];
            let [p50, p99, max] = [0.5, 0.99, 1.0].map(at);
            println!(
                "| {rate} | {round} | {} of {targets} | {p50:.1} | {p99:.1} | {max:.1} |",
                off.len()
            );
        }
    }
    Ok(())
}

/// By how many microseconds ours and the capture's times differ, for each target that both have seen.
fn differences(rate: u32, targets: u32) -> io::Result<Vec<f64>> {
    let weather = Weather { delay: DELAY, jitter: JITTER, ..Weather::FAIR };
    let settings = Settings { shares: Shares::GOOD, weather, ..Settings::default() };
    let crowd = Crowd::start(Command::EthPing, settings, targets, 0, 1)?;
    let file = scratch("rtt-truth.txt");
    crowd::write(&file, Command::EthPing, &settings, crowd.ports, targets)?;
    let capture = Capture::start(crowd.ports.open)?;
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_p2pprobe"))
        .args(["eth-ping", "--json", "-q", "--retries", "0", "--rate", &rate.to_string()])
        .arg("--file")
        .arg(&file)
        .output()?;
    let seen = capture.end()?;
    let lines = String::from_utf8_lossy(&output.stdout);
    Ok(lines.lines().filter_map(|line| difference(line, &seen)).collect())
}

fn difference(line: &str, seen: &HashMap<Ipv4Addr, Passed>) -> Option<f64> {
    let line: Value = serde_json::from_str(line).ok()?;
    let endpoint: SocketAddrV4 = line["endpoint"].as_str()?.parse().ok()?;
    let Passed { ping: Some(ping), pong: Some(pong) } = seen.get(endpoint.ip())? else {
        return None;
    };
    let theirs = pong.checked_sub(*ping)?;
    Some((line["rtt_ms"].as_f64()? * 1e3 - theirs.as_secs_f64() * 1e6).abs())
}
