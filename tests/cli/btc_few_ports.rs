//! `--bind` and more connections than there are ports: those of other targets are shared, and others are waited for.

use std::time::Duration;

use crate::common::command::{finish_with_input, probe, run_btc_handshake};
use crate::common::namespace::run_or_skip;
use crate::common::tcp_crowd::{Manner, TcpCrowd};

/// Set in the namespace in which a test runs itself.
const INSIDE: &str = "P2PPROBE_TEST_INSIDE";

/// Runs a test of this file in a network namespace that is set up so; true for the test that runs there.
fn is_inside(setting: &str, test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let script = format!(
        "sysctl -qw net.ipv4.tcp_tw_reuse=2 '{setting}'
        {INSIDE}=1 exec \"$1\" --exact --nocapture btc_few_ports::{test}"
    );
    let this = std::env::current_exe().expect("this test's own binary");
    if let Some(ran) = run_or_skip(&script, &[this.to_str().expect("UTF-8")]) {
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stdout.contains("test result: ok. 1 passed"), "{ran:?}");
    }
    false
}

#[test]
fn more_targets_than_free_ports_are_answered() {
    const TARGETS: usize = 200;
    let few = "net.ipv4.ip_local_port_range=40000 40059";
    if !is_inside(few, "more_targets_than_free_ports_are_answered") {
        return;
    }
    // They are open at the same time: more than there are ports, on a busy machine, too.
    let crowd = TcpCrowd::start(|_, _| Manner::Answer(Duration::from_secs(1)));
    // No file: its name would be made of a process number, which others have in namespaces of theirs.
    let run = probe("btc-handshake", ["--json", "--bind", "127.0.0.1:0", "-"]);
    let ran = finish_with_input(run, crowd.targets(TARGETS).as_bytes());
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let lines = ran.of_type("probe");
    assert_eq!(lines.len(), TARGETS);
    assert!(lines.iter().all(|line| line["ok"] == true && line["tries"] == 1), "{}", ran.stdout);
    assert!(crowd.most() > 60, "{}", crowd.most());
}

/// The kernel keeps a port from the target that it was used for: here for a second or two, and for a minute elsewhere.
#[test]
fn a_port_that_is_not_free_yet_is_waited_for() {
    const TARGETS: usize = 6;
    let few = "net.ipv4.ip_local_port_range=40000 40003";
    if !is_inside(few, "a_port_that_is_not_free_yet_is_waited_for") {
        return;
    }
    let crowd = TcpCrowd::answering();
    let target = crowd.target(0);
    // One after the other: the first have been there when the ports run out.
    let pace = ["--json", "--concurrency", "1", "--per-host-interval", "0"];
    let bind = ["--bind", "127.0.0.1:0"];
    let targets = vec![target.as_str(); TARGETS];
    let ran = run_btc_handshake(pace.iter().chain(&bind).chain(&targets));
    assert_eq!((ran.code, ran.outcomes()), (Some(0), vec!["ok".to_owned(); TARGETS]), "{ran:?}");
    assert!(ran.of_type("probe").iter().all(|line| line["tries"] == 1), "{ran:?}");
    let came = crowd.came();
    assert_eq!(came.len(), TARGETS);
    let took = came[TARGETS - 1].at - came[0].at;
    assert!(took > Duration::from_millis(400), "they were free: {came:?}");
}
