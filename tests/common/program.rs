//! The real binary: run, waited for, its JSON lines read and held against the schema.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{command, schema};

/// Nothing here takes long; this is for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a run gave.
pub struct Outcome {
    /// Its exit code.
    pub code: i32,
    /// Standard output, line by line.
    pub lines: Vec<Value>,
    /// Standard error.
    pub stderr: String,
    /// The most memory that it held, in KiB, as far as was seen.
    pub peak_kib: u64,
}

/// Runs `p2pprobe eth-ping --json --per-host-interval 0` with these arguments.
pub fn eth_ping(arguments: &[&str]) -> Outcome {
    probe("eth-ping", arguments)
}

/// The same with `btc-handshake`.
pub fn btc_handshake(arguments: &[&str]) -> Outcome {
    probe("btc-handshake", arguments)
}

fn probe(name: &str, arguments: &[&str]) -> Outcome {
    let options = ["--json", "--per-host-interval", "0"];
    let mut child =
        command::probe(name, [&options, arguments].concat()).spawn().expect("the binary starts");
    let stdout = collect(child.stdout.take().expect("a pipe"));
    let stderr = collect(child.stderr.take().expect("a pipe"));
    let deadline = Instant::now() + PATIENCE;
    let mut peak_kib = 0;
    let status = loop {
        peak_kib = memory_kib(child.id()).unwrap_or(peak_kib);
        if let Some(status) = child.try_wait().expect("wait") {
            break status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("still running after {PATIENCE:?}: {arguments:?}");
        }
        thread::sleep(Duration::from_millis(2));
    };
    let stdout = stdout.join().expect("a reader");
    let stderr = stderr.join().expect("a reader");
    let code = status.code().unwrap_or_else(|| panic!("ended by a signal: {status}; {stderr}"));
    assert!(!stderr.contains("panicked"), "{stderr}");
    Outcome { code, lines: schema::validate_all(&stdout), stderr, peak_kib }
}

/// The most memory that a process has held so far.
fn memory_kib(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn collect(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).expect("UTF-8");
        text
    })
}

impl Outcome {
    /// The lines of a type.
    pub fn of_type(&self, kind: &str) -> Vec<&Value> {
        self.lines.iter().filter(|line| line["type"] == kind).collect()
    }

    /// The one line of a run that was to give one line, a probe.
    pub fn only(&self) -> &Value {
        match self.lines.as_slice() {
            [line] if line["type"] == "probe" => line,
            lines => panic!("one probe line was due; there are {lines:#?}\n{}", self.stderr),
        }
    }

    /// The only line; it says that the peer answered, and the exit code says so, too.
    pub fn answered(&self) -> &Value {
        let line = self.only();
        assert!(line["ok"] == true && line.get("failure").is_none(), "{line:#}");
        assert_eq!(self.code, 0, "{line:#}");
        line
    }

    /// The only line; it names this failure, and the exit code is 1.
    pub fn failed(&self, kind: &str) -> &Value {
        let line = self.only();
        assert!(line["ok"] == false && line["failure"] == kind, "{kind} was due: {line:#}");
        assert!(line["reason"].is_string(), "{line:#}");
        assert_eq!(self.code, 1, "{line:#}");
        line
    }
}

/// The names of a line's warnings, in its order.
pub fn warnings(line: &Value) -> Vec<&str> {
    let list = line.get("warnings").and_then(Value::as_array);
    list.into_iter().flatten().map(|w| w["warning"].as_str().expect("a name")).collect()
}

/// The warning of this name.
pub fn warning<'a>(line: &'a Value, name: &str) -> &'a Value {
    let list = line.get("warnings").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .find(|w| w["warning"] == name)
        .unwrap_or_else(|| panic!("no warning {name}: {line:#}"))
}
