//! As many probes at the same time as there may be: all of them silent, and slow peers among those that answer.

use std::time::{Duration, Instant};

use crate::crowd::Command;
use crate::crowd::settings::{Settings, Shares, Weather};
use crate::has_time;
use crate::scene::{ALL_GOOD, ALL_SILENT, Results, Scene, fair};

#[test]
fn a_run_of_silent_peers_ends_and_adds_up() {
    // So long that all who have a place are pinged before the first one loses it.
    let (targets, concurrency, timeout) =
        if has_time() { (70_000, 65_536, "20s") } else { (6000, 4096, "2s") };
    let scene = Scene::new(Command::EthPing, fair(31, ALL_SILENT), targets);
    let ran = scene.run(&format!(
        "exec \"$P\" $C --json --rate 0 --per-host-interval 0 --timeout {timeout} --retries 0 \
         --concurrency {concurrency} --file \"$F\""
    ));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    let results = Results::read(&ran.stdout);
    scene.assert_all_told(&results, |_, _| None);
    for line in results.lines.values() {
        assert_eq!((&line["tries"], &line["junk"]), (&1.into(), &0.into()), "{line:#}");
    }
    assert_eq!(scene.crowd.counts().came.get(), u64::from(targets));
}

/// Half of all are silent: their places are soon free for others, and whoever answers is told of at once.
#[test]
fn slow_peers_hold_up_nobody_who_has_a_place() {
    let weather = Weather { delay: Duration::from_millis(5), ..Weather::FAIR };
    let shares = Shares { silent: 500, ..ALL_GOOD };
    for command in [Command::EthPing, Command::BtcHandshake] {
        let scene = Scene::new(command, Settings { seed: 32, shares, weather }, 2000);
        let began = Instant::now();
        let ran = scene.run(
            "exec \"$P\" $C --json --rate 0 --per-host-interval 0 --timeout 4s --retries 0 \
             --concurrency 4096 --file \"$F\"",
        );
        // One after the other they would take more than an hour.
        assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
        let results = Results::read(&ran.stdout);
        scene.assert_all_told(&results, |_, _| None);
        // Each that answers comes before each that does not.
        let failed = |text: &str| text.contains("\"failure\"");
        let ok = ran.stdout.lines().take_while(|text| !failed(text)).count();
        assert_eq!(ok, results.count("ok"), "{}", command.name());
    }
}
