//! How much memory runs of many targets hold at their peak, and how much of it a connection in flight takes.
//!
//! `cargo bench --bench memory`; the goals: 100,000 targets take no more than 10,000 do and 200 bytes for each of the
//! others, and a connection no more than 4 KiB. Each connection takes a descriptor here, too: where `ulimit -n` is less
//! than 10,100, fewer are in flight.

#[path = "common/mod.rs"]
mod common;
#[path = "crowd/mod.rs"]
mod crowd;

use std::io;

use common::{PATIENT, prober, scratch, watch};
use crowd::settings::{Settings, Shares};
use crowd::{Command, Crowd};

/// Targets of a run.
const SIZES: [u32; 3] = [1_000, 10_000, 100_000];
/// Connections in flight at once.
const IN_FLIGHT: [u32; 2] = [1_000, 10_000];

/// The most memory that a run held, in KiB.
fn peak(command: Command, silent: bool, targets: u32, pace: [&str; 2]) -> io::Result<u64> {
    let [timeout, concurrency] = pace;
    let silent = if silent { 1000 } else { 0 };
    let settings = Settings { shares: Shares { silent, ..Shares::GOOD }, ..Settings::default() };
    let crowd = Crowd::start(command, settings, targets, 0, 1)?;
    let file = scratch("memory.txt");
    crowd::write(&file, command, &settings, crowd.ports, targets)?;
    let mut prober = prober(command.name(), timeout, &file);
    let took = watch(prober.args(["--concurrency", concurrency]))?;
    assert_eq!(took.code, Some(i32::from(silent > 0)), "answers are not as they must be");
    Ok(took.peak_kib)
}

fn main() -> io::Result<()> {
    println!("{}", common::machine());
    println!("| targets | 1,000 | 10,000 | 100,000 | bytes a target more |");
    println!("| --- | --: | --: | --: | --: |");
    for command in [Command::EthPing, Command::BtcHandshake] {
        for (silent, name, pace) in [
            (false, "that answer", [PATIENT, "512"]),
            // Many at a time, and not long: else it takes minutes.
            (true, "that are silent", ["500ms", "4096"]),
        ] {
            let mut peaks = [0; SIZES.len()];
            for (peak_kib, targets) in peaks.iter_mut().zip(SIZES) {
                *peak_kib = peak(command, silent, targets, pace)?;
            }
            let [least, less, most] = peaks;
            let more = (most as f64 - less as f64) * 1024.0 / f64::from(SIZES[2] - SIZES[1]);
            println!(
                "| {} {name} | {least} KiB | {less} KiB | {most} KiB | {more:.0} |",
                command.name()
            );
        }
    }
    let mut peaks = [0; IN_FLIGHT.len()];
    for (peak_kib, in_flight) in peaks.iter_mut().zip(IN_FLIGHT) {
        // Long enough for all to be open at once.
        let pace = ["5s", &in_flight.to_string()];
        *peak_kib = peak(Command::BtcHandshake, true, IN_FLIGHT[1], pace)?;
    }
    let more = (peaks[1] as f64 - peaks[0] as f64) * 1024.0;
    let each = more / f64::from(IN_FLIGHT[1] - IN_FLIGHT[0]);
    println!(
        "connections in flight: {IN_FLIGHT:?} take {peaks:?} KiB, that is {each:.0} bytes for each more"
    );
    Ok(())
}
