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

use common::{prober, scratch, watch};
use crowd::settings::{Settings, Shares};
use crowd::{Command, Crowd};

/// Targets of a run.
const SIZES: [u32; 3] = [1_000, 10_000, 100_000];
/// Connections in flight at once.
const IN_FLIGHT: [u32; 2] = [1_000, 10_000];

/// The most memory that a run held, in KiB.
fn peak(command: Command, silent: u32, targets: u32, options: &[&str]) -> io::Result<u64> {
    let settings = Settings { shares: Shares { silent, ..Shares::GOOD }, ..Settings::default() };
    let crowd = Crowd::start(command, settings, targets, 0, 1)?;
    let file = scratch("memory.txt");
    crowd::write(&file, command, &settings, crowd.ports, targets)?;
    let took = watch(prober(command.name(), &file).args(options))?;
    assert_eq!(took.success, silent == 0, "answers were not as they had to be");
    Ok(took.peak_kib)
}

fn main() -> io::Result<()> {
    println!("{}", common::machine());
    println!("| targets | 1,000 | 10,000 | 100,000 | bytes a target more |");
    println!("| --- | --: | --: | --: | --: |");
    for command in [Command::EthPing, Command::BtcHandshake] {
        for (silent, name, options) in [
            (0, "that answer", &[][..]),
            // Many at a time, and not long: else it takes minutes.
            (1000, "that are silent", &["--concurrency", "4096", "--timeout", "500ms"]),
        ] {
            let mut peaks = [0; SIZES.len()];
            for (peak_kib, targets) in peaks.iter_mut().zip(SIZES) {
                *peak_kib = peak(command, silent, targets, options)?;
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
        let concurrency = in_flight.to_string();
        // Long enough for all to be open at once.
        let options = ["--concurrency", &concurrency, "--timeout", "5s"];
        *peak_kib = peak(Command::BtcHandshake, 1000, IN_FLIGHT[1], &options)?;
    }
    let more = (peaks[1] as f64 - peaks[0] as f64) * 1024.0;
    let each = more / f64::from(IN_FLIGHT[1] - IN_FLIGHT[0]);
    println!(
        "connections in flight: {IN_FLIGHT:?} take {peaks:?} KiB, that is {each:.0} bytes for each more"
    );
    Ok(())
}
