//! Networks that do not lead to the target, each in namespaces of its own.

use std::fmt::Write;

use serde_json::json;

use crate::common::command::outcome;
use crate::common::namespace::{TIMED, run_or_skip, took_ms};

/// What ends sooner was told so.
const LONG: [&str; 2] = ["--timeout", "8s"];

#[test]
fn no_route_is_said_at_once() {
    let targets = ["192.0.2.1:30303", "[2001:db8::1]:30303"];
    let Some(ran) = run_or_skip(TIMED, &[&LONG[..], &targets].concat()) else { return };
    assert_eq!((ran.code, ran.outcomes()), (Some(1), vec!["no-route".to_owned(); 2]));
    assert!(took_ms(&ran) < 4000, "{ran:?}");
    for (line, target) in ran.lines().iter().zip(targets) {
        assert_eq!((&line["endpoint"], &line["tries"]), (&json!(target), &json!(0)));
    }
}

#[test]
fn a_machine_without_ipv6_says_so_and_keeps_ipv4() {
    let script = format!("sysctl -qw net.ipv6.conf.all.disable_ipv6=1; {TIMED}");
    let Some(ran) = run_or_skip(
        &script,
        &[&LONG[..], &["[2001:db8::1]:30303", "[::1]:30303", "127.0.0.1:9"]].concat(),
    ) else {
        return;
    };
    let mut outcomes = ran.outcomes();
    outcomes.sort();
    assert_eq!(
        (ran.code, outcomes),
        (Some(1), ["no-route", "no-route", "port-unreachable"].map(String::from).to_vec())
    );
    assert!(took_ms(&ran) < 4000, "{ran:?}");
}

/// Each Ping says our address towards its target, however many were asked for before it.
#[test]
fn from_is_our_own_address_towards_each_target() {
    let script = "
        for net in 10 11 12; do
            unshare --net sleep 15 & r=$!
            own=$(readlink /proc/self/ns/net)
            until [ \"$(readlink /proc/$r/ns/net)\" != \"$own\" ]; do sleep 0.02; done
            ip link add d$net type veth peer name e$net; ip link set e$net netns $r
            ip addr add 10.$net.0.1/24 dev d$net; ip link set d$net up
            nsenter -t $r -n ip addr add 10.$net.0.2/24 dev e$net
            nsenter -t $r -n ip link set e$net up
        done
        \"$P\" eth-ping -v --timeout 4s --retries 0 \"$@\"";
    let targets = ["10.10.0.2:9", "10.11.0.2:9", "127.0.0.1:9", "10.12.0.2:9", "10.10.0.2:10"];
    let Some(ran) = run_or_skip(script, &targets) else { return };
    for target in targets {
        let sent = format!("sent to {target} ");
        let line = ran.stderr.lines().find(|line| line.contains(&sent)).expect("it was sent");
        let from = line.split(" from=").nth(1).and_then(|rest| rest.split(':').next());
        let expected = match target.rsplit_once('.') {
            Some(("127.0.0", _)) => "127.0.0.1".to_owned(),
            Some((net, _)) => format!("{net}.1"),
            None => unreachable!("{target}"),
        };
        assert_eq!(from, Some(&expected[..]), "{line}");
    }
}

/// A device that takes nothing: its target fails, and no other waits for it.
#[test]
fn a_full_device_holds_up_nobody() {
    let script = format!(
        "ip link add d0 type veth peer name d1; ip addr add 10.9.0.1/24 dev d0
        ip link set d0 up; ip link set d1 up
        ip neigh add 10.9.0.3 lladdr 02:00:00:00:00:03 dev d0
        tc qdisc replace dev d0 root pfifo limit 0
        {TIMED}"
    );
    let targets = ["10.9.0.3:9", "127.0.0.1:9"];
    let Some(ran) = run_or_skip(&script, &targets) else { return };
    assert_eq!(ran.outcomes(), ["port-unreachable", "local-error"], "{ran:?}");
    assert_eq!((&ran.lines()[1]["tries"], ran.code), (&json!(0), Some(1)));
    assert!(took_ms(&ran) < 8000, "{ran:?}");
}

/// A second namespace `$n` behind a veth pair, as router to networks that it cannot reach.
pub fn with_router(command: &str) -> String {
    let mut script = String::new();
    for line in [
        "unshare --net sleep 15 & r=$!",
        "own=$(readlink /proc/self/ns/net); until [ \"$(readlink /proc/$r/ns/net)\" != \"$own\" ]; do sleep 0.02; done",
        "n=\"nsenter -t $r -n\"",
        "ip link add here type veth peer name there; ip link set there netns $r",
        "ip addr add 192.0.2.2/24 dev here; ip -6 addr add fd00::2/64 dev here nodad; ip link set here up",
        "$n ip addr add 192.0.2.1/24 dev there; $n ip -6 addr add fd00::1/64 dev there nodad",
        "$n ip link set there up; $n ip link set lo up",
        "$n sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1",
        "$n ip route add unreachable 198.51.100.0/24; $n ip -6 route add unreachable 2001:db8::/32",
        "$n ip route add prohibit 203.0.113.0/24",
        "ip route add default via 192.0.2.1; ip -6 route add default via fd00::1",
    ] {
        writeln!(script, "{line}").expect("a String takes everything");
    }
    script + command
}

#[test]
fn a_router_that_knows_no_way_is_named() {
    let targets =
        ["198.51.100.7:30303", "203.0.113.7:30303", "[2001:db8::7]:30303", "192.0.2.1:30303"];
    let Some(ran) = run_or_skip(&with_router(TIMED), &[&LONG[..], &targets].concat()) else {
        return;
    };
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(took_ms(&ran) < 6000, "{ran:?}");
    let found = |target: &str| {
        let line = ran.lines().into_iter().find(|line| line["target"] == target);
        let line = line.unwrap_or_else(|| panic!("nothing on {target}: {ran:?}"));
        let reason = line["reason"].as_str().expect("a reason").to_owned();
        let from = line["icmp_from"].as_str().expect("an address").to_owned();
        assert!(reason.contains(&from), "{reason}");
        (outcome(&line), line["icmp_type"].clone(), line["icmp_code"].clone(), from)
    };
    let said = |kind: &str, of: u8, code: u8, from: &str| {
        (kind.to_owned(), json!(of), json!(code), from.to_owned())
    };
    assert_eq!(found(targets[0]), said("host-unreachable", 3, 1, "192.0.2.1"));
    assert_eq!(found(targets[1]), said("host-unreachable", 3, 13, "192.0.2.1"));
    assert_eq!(found(targets[2]), said("host-unreachable", 1, 0, "fd00::1"));
    assert_eq!(found(targets[3]), said("port-unreachable", 3, 3, "192.0.2.1"));
}
