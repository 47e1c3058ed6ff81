//! What benchmarks share: where they ran, and what a process took.

// Each benchmark compiles this anew and uses a part of it.
#![allow(dead_code)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// How often the memory of a process is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// The processor, its cores and the kernel: no figure means anything without.
pub fn machine() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("?");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{}, {cores} cores, Linux {}",
        model.trim_start_matches(['\t', ' ', ':']),
        kernel.trim()
    )
}

/// A file of a benchmark, under cargo's target directory.
pub fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Longer than any peer takes here that means to answer.
pub const PATIENT: &str = "30s";

/// A run over a file of targets, as fast as it goes, whose results nobody reads. No target is tried twice: that would
/// be counted as one.
pub fn prober(command: &str, timeout: &str, targets: &Path) -> Command {
    let mut process = Command::new(env!("CARGO_BIN_EXE_p2pprobe"));
    process.args([command, "--rate", "0", "--retries", "0", "--timeout", timeout, "--file"]);
    process.arg(targets).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    process
}

/// What a process took.
pub struct Took {
    /// From its start to its end.
    pub wall: Duration,
    /// User and system time.
    pub processor: Duration,
    /// What this process took of it meanwhile.
    pub here: Duration,
    /// The most memory that it held at once.
    pub peak_kib: u64,
    /// With what it ended: 0 if every target was answered, 1 if not.
    pub code: Option<i32>,
}

/// Runs a process to its end. No other child may end meanwhile.
pub fn watch(process: &mut Command) -> io::Result<Took> {
    let (before, began) = (both()?, Instant::now());
    let mut child = process.spawn()?;
    let mut peak_kib = 0;
    let status = loop {
        // While it ends, it says less than before.
        peak_kib = peak_kib.max(memory_kib(&child).unwrap_or_default());
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(LOOK);
    };
    let (wall, after) = (began.elapsed(), both()?);
    let [processor, here] = [0, 1].map(|who| after[who] - before[who]);
    Ok(Took { wall, processor, here, peak_kib, code: status.code() })
}

/// What all children that have ended took of the processor, and what this process did.
fn both() -> io::Result<[Duration; 2]> {
    Ok([processor(UsageWho::RUSAGE_CHILDREN)?, processor(UsageWho::RUSAGE_SELF)?])
}

/// User and system time of a process or thread.
pub fn processor(who: UsageWho) -> io::Result<Duration> {
    let usage = getrusage(who)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(micros as u64))
}

/// The most memory that a process has held so far.
fn memory_kib(process: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
