//! Networks that do not lead to the target of `btc-handshake`, and families that were not asked for.

use serde_json::json;

use crate::common::command::{outcome, run_btc_handshake};
use crate::common::namespace::{run_or_skip, took_ms};
use crate::no_way_there::with_router;

/// Runs `btc-handshake` with the arguments, and writes how long it took as the last line of stderr.
const TIMED: &str = "
    s=$EPOCHREALTIME; \"$P\" btc-handshake --json \"$@\" || code=$?
    echo $(( (${EPOCHREALTIME/./} - ${s/./}) / 1000 )) >&2; exit ${code:-0}";
/// What ends sooner was told so.
const LONG: [&str; 4] = ["--connect-timeout", "8s", "--timeout", "9s"];

#[test]
fn nobody_listens() {
    let ran = run_btc_handshake(["--json", "127.0.0.1:1"]);
    assert_eq!((ran.code, ran.outcomes()), (Some(1), vec!["refused".to_owned()]));
    let line = &ran.lines()[0];
    assert_eq!((&line["tries"], &line["magic"]), (&json!(1), &json!("f9beb4d9")));
    let reason = "the host is there and nothing listens on that TCP port, or a firewall answered in its place";
    assert_eq!(line["reason"], reason);
}

#[test]
fn no_route_is_said_at_once() {
    let targets = ["192.0.2.1", "[2001:db8::1]:18333"];
    let Some(ran) = run_or_skip(TIMED, &[&LONG[..], &targets].concat()) else { return };
    assert_eq!((ran.code, ran.outcomes()), (Some(1), vec!["no-route".to_owned(); 2]), "{ran:?}");
    assert!(took_ms(&ran) < 4000, "{ran:?}");
    for (line, to) in ran.lines().iter().zip(["192.0.2.1:8333", targets[1]]) {
        assert_eq!(line["endpoint"], to);
    }
}

#[test]
fn a_machine_without_ipv6_says_so_and_keeps_ipv4() {
    let script = format!("sysctl -qw net.ipv6.conf.all.disable_ipv6=1; {TIMED}");
    let targets = ["[2001:db8::1]", "[::1]", "127.0.0.1"];
    let Some(ran) = run_or_skip(&script, &[&LONG[..], &targets].concat()) else { return };
    let mut outcomes = ran.outcomes();
    outcomes.sort();
    assert_eq!(outcomes, ["no-route", "no-route", "refused"], "{ran:?}");
    assert!(took_ms(&ran) < 4000, "{ran:?}");
}

#[test]
fn a_router_that_knows_no_way_and_hosts_that_are_not_there() {
    // 192.0.2.9 would be a neighbour: nobody answers for it, and the kernel gives up after three seconds.
    let targets = [
        "198.51.100.7:8333",
        "203.0.113.7:8333",
        "[2001:db8::7]:8333",
        "192.0.2.1:8333",
        "192.0.2.9:8333",
    ];
    let Some(ran) = run_or_skip(&with_router(TIMED), &[&LONG[..], &targets].concat()) else {
        return;
    };
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(took_ms(&ran) < 7500, "{ran:?}");
    let found = |target: &str| {
        let line = ran.lines().into_iter().find(|line| line["target"] == target);
        outcome(&line.unwrap_or_else(|| panic!("nothing on {target}: {ran:?}")))
    };
    let found = targets.map(found);
    let unreachable = "host-unreachable";
    assert_eq!(found, [unreachable, unreachable, unreachable, "refused", unreachable], "{ran:?}");
}

#[test]
fn a_firewall_that_drops_is_waited_for() {
    // Where packets go and nothing comes back: a neighbour with a made-up address.
    let script = format!(
        "ip link add d0 type veth peer name d1; ip addr add 192.0.2.2/24 dev d0
        ip link set d0 up; ip link set d1 up
        ip neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev d0
        {TIMED}"
    );
    let args = ["--connect-timeout", "700ms", "192.0.2.7"];
    let Some(ran) = run_or_skip(&script, &args) else { return };
    assert_eq!(
        (ran.code, ran.outcomes()),
        (Some(1), vec!["connect-timeout".to_owned()]),
        "{ran:?}"
    );
    assert!((700..4000).contains(&took_ms(&ran)), "{ran:?}");
    let line = &ran.lines()[0];
    assert!(
        line["waited_ms"].as_u64().is_some_and(|waited| (700..3000).contains(&waited)),
        "{line:#}"
    );
    // Another try may come through.
    let args =
        ["--connect-timeout", "300ms", "--per-host-interval", "0", "--retries", "2", "192.0.2.7"];
    let Some(ran) = run_or_skip(&script, &args) else { return };
    assert_eq!(
        (ran.outcomes(), &ran.lines()[0]["tries"]),
        (vec!["connect-timeout".to_owned()], &json!(3))
    );
    assert!((900..4000).contains(&took_ms(&ran)), "{ran:?}");
    // All of it may be shorter than the connect.
    let args = ["--connect-timeout", "8s", "--timeout", "500ms", "192.0.2.7"];
    let Some(ran) = run_or_skip(&script, &args) else { return };
    assert_eq!(ran.outcomes(), ["connect-timeout"], "{ran:?}");
    assert!((500..4000).contains(&took_ms(&ran)), "{ran:?}");
}

#[test]
fn families_that_were_not_asked_for_are_left_alone() {
    for (family, targets) in
        [("-4", ["[::1]:1", "127.0.0.1:1"]), ("-6", ["127.0.0.1:1", "[::1]:1"])]
    {
        let ran = run_btc_handshake(["--json", family, targets[0], "[::ffff:127.0.0.1]:1"]);
        let expected = if family == "-4" { "refused" } else { "no-route" };
        assert_eq!(ran.outcomes(), ["no-route", expected], "{family}: {ran:?}");
        assert!(ran.lines()[0].get("endpoint").is_none(), "{ran:?}");
        let other = run_btc_handshake(["--json", family, targets[1]]);
        assert_eq!(other.lines()[0]["endpoint"], targets[1]);
    }
}
