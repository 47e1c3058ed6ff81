//! What runs of thousands of targets take: time, processor, memory, and own losses.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Command as Process, Stdio};

use clap::Args;
use serde_json::Value;

use super::common;
use super::crowd::{self, Command, Crowd, Settings};
use super::target_file;

/// What p2pprobe is told unless somebody says what.
const OPTIONS: &[&str] =
    &["--rate", "0", "--timeout", "2s", "--retries", "0", "--concurrency", "8192"];
/// How many wrong results are shown.
const SHOWN: u32 = 5;

/// What is measured.
#[derive(Args, Default)]
pub struct Measure {
    /// The command; both where it is not said
    command: Option<Command>,
    /// How many targets; may stand several times
    #[arg(long)]
    targets: Vec<u32>,
    /// Threads that answer for discv4 peers
    #[arg(long, default_value_t = 1)]
    threads: usize,
    #[command(flatten)]
    settings: Settings,
    /// What else p2pprobe is told, in place of `--rate 0 --timeout 2s --retries 0 --concurrency 8192`
    #[arg(last = true)]
    options: Vec<String>,
}

/// Measures, and prints a table.
pub fn run(what: &Measure) -> io::Result<()> {
    let sizes = if what.targets.is_empty() { &[1_000, 10_000][..] } else { &what.targets };
    let both = [Command::EthPing, Command::BtcHandshake];
    println!("| | | as ex- | | a | user+sys | of the | peak | own | of the |");
    println!("| command | targets | pected | wall s | second | s | crowd | MiB | drops | crowd |");
    println!("| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |");
    for command in both.into_iter().filter(|one| what.command.is_none_or(|named| named == *one)) {
        for targets in sizes {
            row(what, command, *targets)?;
        }
    }
    Ok(())
}

fn row(what: &Measure, command: Command, targets: u32) -> io::Result<()> {
    let settings = &what.settings;
    let crowd = Crowd::start(command, *settings, targets, 0, what.threads)?;
    let file = target_file(command);
    crowd::write(&file, command, settings, crowd.ports, targets)?;
    let results = file.with_extension("jsonl");
    let mut process = Process::new(env!("CARGO_BIN_EXE_p2pprobe"));
    process.args([command.name(), "--json", "--per-host-interval", "0", "--file"]).arg(&file);
    if what.options.is_empty() {
        process.args(OPTIONS);
    }
    process.args(&what.options).stdin(Stdio::null()).stdout(File::create(&results)?);
    let took = common::watch(process.stderr(Stdio::inherit()))?;
    let (right, own_drops) = read(&results, command, settings)?;
    let drops = |drops: Option<u64>| drops.map_or("-".to_owned(), |drops| drops.to_string());
    println!(
        "| {} | {targets} | {right} | {:.2} | {:.0} | {:.2} | {:.2} | {:.1} | {} | {} |",
        command.name(),
        took.wall.as_secs_f64(),
        f64::from(targets) / took.wall.as_secs_f64(),
        took.processor.as_secs_f64(),
        took.here.as_secs_f64(),
        took.peak_kib as f64 / 1024.0,
        drops(own_drops),
        drops(crowd.own_drops()),
    );
    eprintln!("the crowd: {}", crowd.counts());
    Ok(())
}

/// How many results are as they must be, and how many datagrams the prober says that it lost. Shows the first of the
/// others.
fn read(results: &Path, command: Command, settings: &Settings) -> io::Result<(u32, Option<u64>)> {
    let (mut right, mut wrong, mut own_drops) = (0, 0, None);
    for line in BufReader::new(File::open(results)?).lines() {
        let line = line?;
        let value: Value = serde_json::from_str(&line).map_err(io::Error::other)?;
        if value["type"] == "summary" {
            own_drops = value["own_drops"].as_u64();
            continue;
        }
        let number = value["line"].as_u64().unwrap_or_default() as u32;
        let expected = crowd::expected(command, settings, number.saturating_sub(1));
        if value["failure"].as_str().unwrap_or("ok") == expected.outcome {
            right += 1;
        } else {
            if wrong < SHOWN {
                eprintln!("{} was due: {line}", expected.outcome);
            }
            wrong += 1;
        }
    }
    Ok((right, own_drops))
}
