//! Runs of a thousand and more targets, against a [crowd] on loopback.
//!
//! `cargo bench --bench crowd` measures both commands with 1,000 and 10,000 targets; `-- measure --targets N …` with
//! so many.
//!
//! `cargo bench --bench crowd -- serve eth-ping --targets 10000` (or `btc-handshake`) starts a crowd, writes a file of
//! targets and says how to point `p2pprobe` at it; it ends with Ctrl-C. `-- serve --help` has the rest: seed, shares,
//! losses, delays.

#[path = "../common/mod.rs"]
mod common;
#[path = "mod.rs"]
mod crowd;
mod measure;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crowd::{Command, Crowd, Settings};

/// How often `serve` says what came.
const REPORT: Duration = Duration::from_secs(5);

/// Peers on loopback, for runs of a thousand and more targets.
#[derive(Parser)]
struct Cli {
    /// What cargo says to every benchmark.
    #[arg(long, hide = true, global = true)]
    bench: bool,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand)]
enum What {
    /// Answer until Ctrl-C
    Serve(Serve),
    /// Run p2pprobe against a crowd, and say what that took
    Measure(measure::Measure),
}

#[derive(Args)]
struct Serve {
    /// Which command is to be answered
    command: Command,
    /// How many targets
    #[arg(long, default_value_t = 10_000)]
    targets: u32,
    /// The port of all peers; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Threads that answer for discv4 peers
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Where to write the targets
    #[arg(long)]
    file: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

fn serve(serve: Serve) -> std::io::Result<()> {
    let Serve { command, targets, port, threads, file, settings } = serve;
    let crowd = Crowd::start(command, settings, targets, port, threads)?;
    let file = file.unwrap_or_else(|| target_file(command));
    crowd::write(&file, command, &settings, crowd.ports, targets)?;
    println!("{}", file.display());
    let name = command.name();
    eprintln!("p2pprobe {name} --rate 0 --per-host-interval 0 --file {}", file.display());
    loop {
        std::thread::sleep(REPORT);
        let dropped = crowd.own_drops().unwrap_or_default();
        eprintln!("{}; {dropped} dropped", crowd.counts());
    }
}

/// Where the targets of a command are written unless somebody says where.
fn target_file(command: Command) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("crowd-{}.txt", command.name()))
}

fn main() -> std::io::Result<()> {
    match Cli::parse().what {
        Some(What::Serve(what)) => serve(what),
        Some(What::Measure(what)) => measure::run(&what),
        None => measure::run(&measure::Measure::default()),
    }
}
