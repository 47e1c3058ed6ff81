//! `--bind` with port 0 and more targets than there are ports: those of other targets are shared.

use std::time::Duration;

use crate::common::command::{TempDir, run_btc_handshake};
use crate::common::namespace::run_or_skip;
use crate::common::tcp_crowd::{Manner, TcpCrowd};

/// Set where there are few ports: this test runs itself there.
const FEW_PORTS: &str = "P2PPROBE_TEST_FEW_PORTS";
const TARGETS: usize = 200;

#[test]
fn more_targets_than_free_ports_are_answered() {
    if std::env::var_os(FEW_PORTS).is_some() {
        return answered_from_few_ports();
    }
    let script = format!(
        "sysctl -qw net.ipv4.ip_local_port_range='40000 40059'
        {FEW_PORTS}=1 exec \"$1\" --exact --nocapture btc_few_ports::more_targets_than_free_ports_are_answered"
    );
    let this = std::env::current_exe().expect("this test's own binary");
    let Some(ran) = run_or_skip(&script, &[this.to_str().expect("UTF-8")]) else { return };
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("test result: ok. 1 passed"), "{ran:?}");
}

fn answered_from_few_ports() {
    // All of them are open at the same time.
    let crowd = TcpCrowd::start(|_, _| Manner::Answer(Duration::from_millis(500)));
    let dir = TempDir::new();
    let file = dir.file("nodes.txt", crowd.targets(TARGETS));
    let ran = run_btc_handshake(["--json", "--bind", "127.0.0.1:0", "--file", &file]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let lines = ran.of_type("probe");
    assert_eq!(lines.len(), TARGETS);
    assert!(lines.iter().all(|line| line["ok"] == true && line["tries"] == 1), "{}", ran.stdout);
    assert!(crowd.most() > 100, "{}", crowd.most());
}
