//! Few descriptors (`ulimit -n 64`): it takes longer, and nothing is lost.

use crate::crowd::settings::Shares;
use crate::crowd::{Command, Crowd};
use crate::scene::{Results, Scene, fair};

const TARGETS: u32 = 3000;
/// Each silent peer holds one of few connections for as long as it may.
const SHARES: Shares =
    Shares { silent: 50, refusing: 100, lying: 50, odd: 100, pinging: 0, bad_lines: 20 };

fn line(options: &str) -> String {
    let pace = "--rate 0 --per-host-interval 0 --timeout 1s";
    format!("ulimit -n 64; exec \"$P\" $C --json {pace} {options} --file \"$F\"")
}

/// How many connections there are to be at the same time, by the warning.
fn warned_of(stderr: &str) -> usize {
    let said = stderr.strip_prefix("warning: ").and_then(|said| said.split_once(' '));
    let (most, rest) = said.unwrap_or_else(|| panic!("{stderr}"));
    assert_eq!(
        rest,
        "connections at the same time and not 512: no more descriptors may be open (ulimit -n)\n"
    );
    most.parse().expect("a number")
}

#[test]
fn eth_ping_needs_one_socket_for_all() {
    let scene = Scene::new(Command::EthPing, fair(21, SHARES), TARGETS);
    let ran = scene.run(&line("--retries 1"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    scene.assert_all_told(&Results::read(&ran.stdout), |_, _| None);
}

#[test]
fn eth_ping_connects_to_all_tcp_ports_with_few_connections() {
    // The port over TCP first, where connections of others take some: whatever is said there, it is open.
    let settings = fair(22, SHARES);
    let tcp = Crowd::start(Command::BtcHandshake, settings, TARGETS, 0, 1).expect("a crowd");
    let scene = Scene::on_port(Command::EthPing, settings, TARGETS, tcp.ports.open);
    let ran = scene.run(&line("--retries 1 --tcp"));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!((10..=64).contains(&warned_of(&ran.stderr)), "{}", ran.stderr);
    let results = Results::read(&ran.stdout);
    scene.assert_all_told(&results, |_, line| {
        let expected = match line["failure"].as_str() {
            Some("bad-target") => None,
            Some("port-unreachable") => Some("refused"),
            _ => Some("open"),
        };
        assert_eq!(line["tcp"].as_str(), expected, "{line:#}");
        None
    });
    assert!(tcp.counts().came.get() > 0);
}

#[test]
fn btc_handshake_makes_few_connections_at_a_time() {
    let scene = Scene::new(Command::BtcHandshake, fair(23, SHARES), TARGETS);
    let ran = scene.run(&line(""));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!((10..=64).contains(&warned_of(&ran.stderr)), "{}", ran.stderr);
    scene.assert_all_told(&Results::read(&ran.stdout), |_, _| None);
}
