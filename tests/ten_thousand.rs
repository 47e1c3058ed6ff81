//! Ten thousand targets of each command in one run, or a hundred thousand with `P2PPROBE_LONG`: most of them answer,
//! and the others are silent, refuse, lie or are no targets at all; answers are lost, come twice or in another order.
//! Each line of the file gets its one result, and the right one, and the summary adds up.

mod common;
#[path = "../benches/crowd/mod.rs"]
mod crowd;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use common::command::{self, TempDir};
use common::{program, schema};
use crowd::eth_manner::{self, Manner as EthManner};
use crowd::settings::{Settings, Shares, Weather};
use crowd::{Command, Counts, Crowd, peers};
use serde_json::Value;

/// Lines of which one is held against the schema: to hold all of them would take longer than all the rest.
const SAMPLE: usize = 100;
/// How long a run may take; it ends long before.
const PATIENCE: Duration = Duration::from_secs(300);
/// How many wrong results are shown.
const SHOWN: usize = 5;

/// How many targets there are.
fn size() -> u32 {
    if std::env::var_os("P2PPROBE_LONG").is_some() { 100_000 } else { 10_000 }
}

/// What the results of a run say in all.
#[derive(Default)]
struct Said<'a> {
    /// The line of each number, as it was written.
    lines: BTreeMap<u32, &'a str>,
    outcomes: BTreeMap<String, u64>,
    warnings: BTreeMap<String, u64>,
    wrong: Vec<String>,
}

/// Runs a command against a crowd, and asserts what is so of both: a result for each line, of the kind that is due,
/// and a summary of them. `fits` is given the number of each line and what it says, and the warnings that are due.
fn assert_run(
    command: Command,
    settings: Settings,
    options: &[&str],
    fits: impl Fn(u32, &Value, &[&str]) -> bool,
) -> Crowd {
    let size = size();
    let crowd = Crowd::start(command, settings, size, 0, 1).expect("a crowd");
    let dir = TempDir::new();
    let file = dir.file("targets", "");
    crowd::write(Path::new(&file), command, &settings, crowd.ports, size).expect("a file");
    let always = ["--json", "--per-host-interval", "0", "--file", file.as_str()];
    let child = command::probe(command.name(), always.iter().chain(options)).spawn();
    let ran = command::finish_within(child.expect("the binary starts"), PATIENCE);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);

    let (summary, results) = ran.stdout.trim_end().rsplit_once('\n').map_or_else(
        || panic!("no results: {}", ran.stderr),
        |(results, summary)| (schema::validate(summary), results),
    );
    let mut said = Said::default();
    for (nth, text) in results.lines().enumerate() {
        let line = if nth % SAMPLE == 0 { schema::validate(text) } else { parse(text) };
        assert_eq!(line["type"], "probe", "{line:#}");
        let number = line["line"].as_u64().expect("a line number") as u32 - 1;
        if let Some(other) = said.lines.insert(number, text) {
            panic!("two results:\n{other}\n{text}");
        }
        let expected = crowd::expected(command, &settings, number);
        let outcome = line["failure"].as_str().unwrap_or("ok");
        let same = outcome == expected.outcome && line["ok"] == (outcome == "ok");
        if !same || !fits(number, &line, expected.warnings) {
            said.wrong.push(format!("{expected:?} was due: {line:#}"));
        }
        *said.outcomes.entry(outcome.to_owned()).or_default() += 1;
        for warning in program::warnings(&line) {
            *said.warnings.entry(warning.to_owned()).or_default() += 1;
        }
    }
    let shown = &said.wrong[..said.wrong.len().min(SHOWN)];
    assert!(shown.is_empty(), "{} are wrong; {}", said.wrong.len(), shown.join("\n"));
    assert!(said.lines.keys().copied().eq(0..size), "{} lines of {size}", said.lines.len());
    assert_adds_up(&summary, said);
    let Counts { lost, strange, unsent, .. } = crowd.counts();
    assert_eq!((strange.get(), unsent.get()), (0, 0), "{}", crowd.counts());
    assert!(lost.get() > 0, "{}", crowd.counts());
    if options.contains(&"--ordered") {
        let numbers = results.lines().map(|text| parse(text)["line"].as_u64());
        assert!(numbers.is_sorted(), "not in the order of the file");
    }
    crowd
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} in the line\n{line}"))
}

fn assert_adds_up(summary: &Value, said: Said<'_>) {
    let Said { lines, mut outcomes, warnings, .. } = said;
    let (all, ok) = (lines.len() as u64, outcomes.remove("ok").expect("answers"));
    assert_eq!((&summary["type"], &summary["targets"]), (&"summary".into(), &all.into()));
    assert_eq!((&summary["probes"], &summary["ok"]), (&all.into(), &ok.into()));
    assert_eq!(summary["answered"], ok);
    assert_eq!(summary["failures"], serde_json::json!(outcomes));
    assert_eq!(summary["warnings"], serde_json::json!(warnings));
    assert!(summary.get("interrupted").is_none(), "{summary:#}");
}

#[test]
fn eth_ping_gives_each_line_its_result() {
    let weather = Weather {
        lossy: 200,
        max_lost: 2,
        duplicated: 100,
        reordered: 500,
        delay: Duration::from_millis(2),
        jitter: Duration::from_millis(30),
    };
    let settings = Settings { seed: 1, shares: Shares::default(), weather };
    // Two tries are lost at the most; a further one is for a busy machine. Only who waits for the peer's own Ping
    // sees that a Pong came twice.
    let options = ["--rate=0", "--timeout=1s", "--retries=3", "--concurrency=8192", "--bond"];

    let crowd = assert_run(Command::EthPing, settings, &options, |number, line, due| {
        let found = program::warnings(line);
        let twice = due.contains(&"duplicate") || weather.duplicates(settings.seed, number);
        let others = |list: &[&str]| list.iter().filter(|w| **w != "duplicate").count();
        // One of the other kind at the most is due.
        let right = due.iter().all(|warning| found.contains(warning) || *warning == "duplicate")
            && others(&found) == others(due)
            && (twice || !found.contains(&"duplicate"));
        right && (line["failure"] == "bad-target" || is_said_of(&settings, number, line))
    });

    assert!(crowd.counts().pongs.get() > 0, "{}", crowd.counts());
    assert_eq!(crowd.own_drops(), Some(0), "the crowd is too slow");
}

/// What a line says beyond its outcome and its warnings.
fn is_said_of(settings: &Settings, number: u32, line: &Value) -> bool {
    let own_id = || eth_manner::key(settings.seed, number).public().node_id().to_string();
    match EthManner::of(settings, number) {
        EthManner::OtherKey => {
            let other = eth_manner::other_key(settings.seed, number);
            line["found_key"] == other.public().to_string() && line["expected_id"] == own_id()
        }
        EthManner::OtherHash => line["junk"].as_u64() > Some(0),
        EthManner::Silent => line["junk"] == 0 && line["tries"] == 4,
        EthManner::PingsBack => line["pinged_back"] == true,
        EthManner::Answers => line["node_id"] == own_id() && line["pinged_back"] == false,
        _ => true,
    }
}

#[test]
fn btc_handshake_gives_each_line_its_result() {
    let weather = Weather { lossy: 200, jitter: Duration::from_millis(30), ..Weather::FAIR };
    let settings = Settings { seed: 2, shares: Shares::default(), weather };
    // One connection is hung up on at the most; a further one is for a busy machine, on which thousands that are begun
    // at once would take too long, too.
    let options = ["--rate=4000", "--timeout=3s", "--retries=2", "--concurrency=6000", "--ordered"];

    assert_run(Command::BtcHandshake, settings, &options, |number, line, due| {
        let named = line["user_agent"] == format!("/crowd:{number}/");
        program::warnings(line) == due && (line["ok"] == false || named)
    });
}

#[test]
fn each_peer_has_an_address() {
    for number in (0..200_000).chain([1_000_000, 14_999_999]) {
        let address = peers::address(number);
        assert!(address.is_loopback(), "{address}");
        assert_eq!(peers::number(address), Some(number), "{address}");
    }
    assert_eq!(peers::number([127, 0, 0, 1].into()), None);
    assert_eq!(peers::number([127, 16, 251, 1].into()), None);
}
