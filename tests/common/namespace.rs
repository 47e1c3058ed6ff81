//! Runs a shell script in a network namespace of its own.

use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};

use super::command::{PROGRAM, Ran, clean, finish};

const NO_NAMESPACES: &str = "P2PPROBE_NO_NAMESPACES";

/// A script that runs `eth-ping` with the arguments, and writes how long it took as the last line of stderr.
pub const TIMED: &str = "
    s=$EPOCHREALTIME; \"$P\" eth-ping --json --retries 0 \"$@\" || code=$?
    echo $(( (${EPOCHREALTIME/./} - ${s/./}) / 1000 )) >&2; exit ${code:-0}";

/// What [`TIMED`] wrote.
pub fn took_ms(ran: &Ran) -> u64 {
    let last = ran.stderr.lines().last().and_then(|line| line.parse().ok());
    last.unwrap_or_else(|| panic!("no time in {ran:?}"))
}

/// Runs `script` in fresh network and mount namespaces in which only `lo` is up, with `$P` as the binary and
/// the arguments as `$1`, `$2`, …; all that it starts ends with it. `None`, and a line that says so, where
/// `P2PPROBE_NO_NAMESPACES` is set.
pub fn run_or_skip(script: &str, args: &[&str]) -> Option<Ran> {
    if std::env::var_os(NO_NAMESPACES).is_some() {
        eprintln!("left out: {NO_NAMESPACES} is set, so no network namespace is made");
        return None;
    }
    let script = format!("set -eu; ip link set lo up\n{script}");
    let mut command = Command::new("unshare");
    let ours = std::fs::metadata("/proc/self").expect("/proc").uid();
    if ours != 0 {
        command.arg("--map-root-user");
    }
    // A process namespace, too: the first process takes all others with it.
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command.args(["timeout", "-s", "KILL", "20", "bash", "-c", &script, "bash"]).args(args);
    command.env("P", PROGRAM);
    clean(&mut command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ran = finish(command.spawn().expect("unshare starts"));
    assert!(
        !ran.stderr.contains("unshare: "),
        "no namespaces here ({}); set {NO_NAMESPACES} to go without",
        ran.stderr.trim_end()
    );
    Some(ran)
}
