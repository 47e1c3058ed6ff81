//! Ten thousand targets of all kinds: each has its one result, and the right one.

use std::time::Duration;

use p2pprobe::codec::key::PublicKey;
use p2pprobe::discv4::pinger::{Config, MAX_EXTRA_TRIES, PingReport};
use p2pprobe::report::Warning;

use crate::crowd::eth_manner::{self, Manner};
use crate::crowd::settings::{Settings, Shares, Weather};
use crate::eth_network::{Network, Told};
use crate::rounds;

const TARGETS: u32 = 10_000;
const RETRIES: u32 = 2;
const TIMEOUT: Duration = Duration::from_secs(1);

fn settings(seed: u64) -> Settings {
    let weather = Weather {
        lossy: 300,
        max_lost: RETRIES,
        duplicated: 200,
        reordered: 500,
        delay: Duration::from_millis(2),
        jitter: Duration::from_millis(300),
    };
    Settings { seed, shares: Shares::default(), weather }
}

fn config(concurrency: usize) -> Config {
    Config {
        timeout: TIMEOUT,
        retries: RETRIES,
        count: 1,
        interval: Duration::from_secs(1),
        per_host_interval: Duration::ZERO,
        concurrency,
        bond: true,
    }
}

/// Each peer and its key.
fn everybody(seed: u64, count: u32) -> impl Iterator<Item = (u32, PublicKey)> {
    (0..count).map(move |number| (number, *eth_manner::key(seed, number).public()))
}

fn outcome(report: &PingReport) -> &'static str {
    report.outcome.as_ref().map_or_else(|failure| failure.kind(), |_| "ok")
}

fn warnings(report: &PingReport) -> Vec<&'static str> {
    let name = |warning: &Warning| match warning {
        Warning::Expired { .. } => "expired",
        Warning::OtherSource { .. } => "other-source",
        Warning::Duplicate { .. } => "duplicate",
        Warning::OwnDrops { .. } => "own-drops",
        other => panic!("{other:?}"),
    };
    report.warnings.iter().map(name).collect()
}

/// The only report of a target that has ended.
fn only(told: &Told) -> &PingReport {
    assert!(told.ended.is_some(), "{told:?}");
    let [report] = &told.reports[..] else { panic!("one report was due: {told:?}") };
    report
}

#[test]
fn each_of_ten_thousand_has_its_one_result() {
    for seed in 0..rounds(2) {
        let settings = settings(seed);
        // With few places the last ones begin when the first have long been forgotten.
        let mut network = Network::new(settings, config(if seed == 0 { 512 } else { 8192 }));
        network.run(everybody(seed, TARGETS));
        assert_eq!(network.told.len(), TARGETS as usize);
        for (number, told) in (0..).zip(&network.told) {
            let (report, manner) = (only(told), Manner::of(&settings, number));
            let place = || format!("seed {seed}, peer {number}, {manner:?}: {report:?}");
            assert_eq!(outcome(report), manner.expected().outcome, "{}", place());
            assert!((1..=RETRIES + 1).contains(&report.tries), "{}", place());
            let due = manner.expected().warnings;
            let found = warnings(report);
            let others = |list: &[&str]| list.iter().filter(|w| **w != "duplicate").count();
            // Whether a second Pong comes while somebody waits for it is a matter of time.
            let twice = due.contains(&"duplicate") || settings.weather.duplicates(seed, number);
            assert!(twice || !found.contains(&"duplicate") || report.tries > 1, "{}", place());
            assert_eq!(others(&found), others(due), "{}", place());
            if let Ok(answer) = &report.outcome {
                let own = eth_manner::key(seed, number);
                assert_eq!(answer.node_id, own.public().node_id(), "{}", place());
                assert_eq!(answer.pinged_back, Some(manner == Manner::PingsBack), "{}", place());
            }
        }
        let most = u64::from(TARGETS * (RETRIES + 1));
        assert!(network.pings < most, "{} Pings", network.pings);
    }
}

/// Whatever our own socket loses, no peer that answers is said to be silent.
#[test]
fn what_we_lose_ourselves_is_never_said_to_be_silence() {
    const COUNT: u32 = 1000;
    for (seed, own_losses) in (100..100 + rounds(1)).flat_map(|seed| [(seed, 10), (seed, 60)]) {
        let fair = Settings { weather: Weather::FAIR, ..settings(seed) };
        let mut network = Network::new(fair, Config { retries: 0, ..config(512) });
        network.own_losses = own_losses;
        network.run(everybody(seed, COUNT));
        let (mut ok, mut ours) = (0, 0);
        for (number, told) in (0..).zip(&network.told) {
            let (report, manner) = (only(told), Manner::of(&fair, number));
            let (outcome, expected) = (outcome(report), manner.expected().outcome);
            let lost = report.outcome.is_err() && warnings(report).contains(&"own-drops");
            assert!(
                outcome == expected || outcome == "local-error" && lost,
                "seed {seed}, peer {number}, {manner:?}: {report:?}"
            );
            assert!(report.tries <= 1 + MAX_EXTRA_TRIES, "{report:?}");
            ok += u32::from(outcome == "ok");
            ours += u32::from(outcome == "local-error");
        }
        assert!(ok > COUNT / 4 && ours > 0, "{ok}, {ours}");
    }
}

/// What each target says, and when: of a run in which every tenth target stands twice, and every hundredth a third
/// time under another key.
fn run_with_copies(seed: u64) -> (Settings, Vec<(u32, bool)>, Network) {
    let shares =
        Shares { silent: 100, refusing: 100, lying: 100, odd: 600, pinging: 0, bad_lines: 0 };
    let settings = Settings { shares, ..settings(seed) };
    let targets: Vec<_> = (0..2000)
        .flat_map(|number| {
            let copies = 1 + usize::from(number % 10 == 0) + usize::from(number % 100 == 0);
            (0..copies).map(move |copy| (number, copy == 2))
        })
        .collect();
    let key = |number, other| match other {
        false => *eth_manner::key(seed, number).public(),
        true => *eth_manner::key(seed, number + 1).public(),
    };
    let mut network = Network::new(settings, config(8192));
    network.run(targets.iter().map(|(number, other)| (*number, key(*number, *other))));
    (settings, targets, network)
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let (_, _, one) = run_with_copies(7);
    let (_, _, again) = run_with_copies(7);
    assert!(one.told == again.told, "{:?}", one.told.iter().zip(&again.told).find(|(a, b)| a != b));
    let (_, _, other) = run_with_copies(8);
    assert!(one.told != other.told);
}

/// The same target twice, and its address under another key: each has its own result.
#[test]
fn each_of_several_jobs_for_one_address_has_its_own_result() {
    // Losses are drawn for the first Pings of a peer, whosever they are.
    let (settings, targets, network) = run_with_copies(9);
    for ((number, other), told) in targets.iter().zip(&network.told) {
        let (report, manner) = (only(told), Manner::of(&settings, *number));
        let expected = match manner.expected().outcome {
            "ok" if *other => "wrong-identity",
            expected => expected,
        };
        assert_eq!(outcome(report), expected, "{number}, {manner:?}, {other}: {report:?}");
    }
}
