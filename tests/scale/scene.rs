//! A crowd, the file of its targets, runs over it, and what must be so of their results.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::command::{PROGRAM, Ran, TempDir, clean, finish_within};
use crate::common::schema;
use crate::crowd::settings::{Settings, Shares, Weather};
use crate::crowd::{self, Command, Crowd};

/// How long a run may take; it ends long before.
const PATIENCE: Duration = Duration::from_secs(200);
/// Lines of which one is held against the schema: to hold all of them would take longer than the run.
const SAMPLE: usize = 50;

/// Peers that all answer.
pub const ALL_GOOD: Shares =
    Shares { silent: 0, refusing: 0, lying: 0, odd: 0, pinging: 0, bad_lines: 0 };
/// Nothing but peers that say nothing.
pub const ALL_SILENT: Shares = Shares { silent: 1000, ..ALL_GOOD };

/// Settings without weather.
pub fn fair(seed: u64, shares: Shares) -> Settings {
    Settings { seed, shares, weather: Weather::FAIR }
}

/// A crowd and its file.
pub struct Scene {
    pub command: Command,
    pub settings: Settings,
    pub size: u32,
    pub crowd: Crowd,
    pub file: String,
    _dir: TempDir,
}

/// The results of a run, by the number of their target.
pub struct Results {
    pub lines: BTreeMap<u32, Value>,
    /// The numbers in the order of the results.
    pub order: Vec<u32>,
    pub summary: Value,
}

impl Scene {
    pub fn new(command: Command, settings: Settings, size: u32) -> Self {
        Self::on_port(command, settings, size, 0)
    }

    /// The same on this port of all addresses.
    pub fn on_port(command: Command, settings: Settings, size: u32, port: u16) -> Self {
        let crowd = Crowd::start(command, settings, size, port, 1).expect("a crowd");
        let dir = TempDir::new();
        let file = dir.file("targets", "");
        crowd::write(Path::new(&file), command, &settings, crowd.ports, size).expect("a file");
        Scene { command, settings, size, crowd, file, _dir: dir }
    }

    /// A line of bash in which `$P` is the binary, `$C` the command and `$F` the file.
    pub fn bash(&self, line: &str) -> Process {
        let mut process = Process::new("bash");
        process.args(["-c", line]);
        process.env("P", PROGRAM).env("C", self.command.name()).env("F", &self.file);
        clean(&mut process);
        process.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        process
    }

    /// Runs such a line.
    pub fn run(&self, line: &str) -> Ran {
        finish(self.bash(line))
    }

    /// Asserts that each line of the file has the result that is due, as `changed` has it for this run.
    pub fn assert_all_told(
        &self,
        results: &Results,
        changed: impl Fn(u32, &Value) -> Option<&'static str>,
    ) {
        let Results { lines, .. } = results;
        assert!(lines.keys().copied().eq(0..self.size), "{} of {}", lines.len(), self.size);
        for (number, line) in lines {
            let due = crowd::expected(self.command, &self.settings, *number).outcome;
            let due = changed(*number, line).unwrap_or(due);
            assert_eq!(outcome(line), due, "{line:#}");
        }
        results.assert_adds_up();
    }
}

/// Waits for the end of a run of thousands of targets.
pub fn finish(mut process: Process) -> Ran {
    let ran = finish_within(process.spawn().expect("it starts"), PATIENCE);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran
}

/// The failure of a line, or `ok`.
pub fn outcome(line: &Value) -> &str {
    line["failure"].as_str().unwrap_or("ok")
}

impl Results {
    /// Those of a run with `--json --file`; no target has two.
    pub fn read(stdout: &str) -> Self {
        let Some((results, summary)) = stdout.trim_end().rsplit_once('\n') else {
            panic!("no results: {stdout}");
        };
        let (mut lines, mut order) = (BTreeMap::new(), Vec::new());
        for (nth, text) in results.lines().enumerate() {
            let line: Value = match nth % SAMPLE {
                0 => schema::validate(text),
                _ => serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}")),
            };
            let number = line["line"].as_u64().expect("a line number") as u32 - 1;
            order.push(number);
            assert_eq!(line["ok"], line.get("failure").is_none(), "{line:#}");
            if let Some(other) = lines.insert(number, line) {
                panic!("two results: {other:#}\n{text}");
            }
        }
        Results { lines, order, summary: schema::validate(summary) }
    }

    /// Asserts that the summary says the same as the lines.
    pub fn assert_adds_up(&self) {
        let mut failures = BTreeMap::new();
        for line in self.lines.values() {
            *failures.entry(outcome(line)).or_insert(0) += 1;
        }
        let (all, ok) = (self.lines.len(), failures.remove("ok").unwrap_or(0));
        let told = ["targets", "probes", "ok", "answered"].map(|field| self.summary[field].clone());
        assert_eq!(told, [json!(all), json!(all), json!(ok), json!(ok)], "{:#}", self.summary);
        assert_eq!(self.summary["failures"], json!(failures));
    }

    /// How many have this outcome.
    pub fn count(&self, what: &str) -> usize {
        self.lines.values().filter(|line| outcome(line) == what).count()
    }
}
