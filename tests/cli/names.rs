//! Names of hosts: a resolver that never answers, and the choice of the family.

use std::collections::BTreeSet;

use crate::common::command::outcome;
use crate::common::namespace::{TIMED, run_or_skip, took_ms};

/// A resolver that takes every question and says nothing. Its socket is that of the test's own shell.
const SILENT_RESOLVER: &str = "
    f=$(mktemp); echo 'nameserver 127.0.0.1' > $f; mount --bind $f /etc/resolv.conf; rm $f
    f=$(mktemp); echo 'hosts: files dns' > $f; mount --bind $f /etc/nsswitch.conf; rm $f
    ready=$(mktemp -u) asked=$(mktemp -u); trap 'rm -f $ready $asked' EXIT
    python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((\"127.0.0.1\", 53)); print(flush=True)
s.recv(512); print(flush=True); time.sleep(20)' > >(read -r _; touch $ready; read -r _; touch $asked; cat) &
    until [ -e $ready ]; do sleep 0.02; done; rm $ready
";

#[test]
fn a_resolver_that_never_answers_holds_up_nobody() {
    let script = format!("{SILENT_RESOLVER}{TIMED}");
    let args = ["--timeout", "1s", "node.example.org:30303", "127.0.0.1:9"];
    let Some(ran) = run_or_skip(&script, &args) else { return };
    assert_eq!(ran.code, Some(1), "{ran:?}");
    // The other target is answered meanwhile.
    assert_eq!(ran.outcomes(), ["port-unreachable", "unresolved"], "{ran:?}");
    let line = &ran.lines()[1];
    assert_eq!(line["host"], "node.example.org");
    assert_eq!(line["reason"], "node.example.org: the resolver gave no answer in 1s");
    // getaddrinfo itself gives up after 10 s (5 s, twice).
    assert!((900..6000).contains(&took_ms(&ran)), "{ran:?}");
}

#[test]
fn a_signal_ends_a_look_up() {
    let script = format!(
        "{SILENT_RESOLVER}
        \"$P\" eth-ping --json --summary --timeout 1h node.example.org:30303 & p=$!
        until [ -e $asked ]; do sleep 0.02; done; rm $asked; sleep 0.3
        kill -INT $p; code=0; wait $p || code=$?; exit $code"
    );
    let Some(ran) = run_or_skip(&script, &[]) else { return };
    assert_eq!(ran.code, Some(130), "{ran:?}");
    assert_eq!(ran.outcomes(), ["interrupted"]);
    assert_eq!(ran.of_type("summary")[0]["interrupted"], true);
}

#[test]
fn a_name_is_taken_in_the_family_that_was_asked_for() {
    let script = "
        f=$(mktemp); printf '127.0.0.1 four both\\n::1 six both\\n' > $f
        mount --bind $f /etc/hosts; rm $f
        f=$(mktemp); echo 'hosts: files' > $f; mount --bind $f /etc/nsswitch.conf; rm $f
        for args in '-4 four' '-4 six' '-4 both' '-6 four' '-6 six' '-6 both' four six none; do
            \"$P\" eth-ping --json --retries 0 --timeout 5s $args:9 || true
        done";
    let Some(ran) = run_or_skip(script, &[]) else { return };
    let found: Vec<_> = ran
        .lines()
        .iter()
        .map(|line| format!("{} {}", outcome(line), line["endpoint"].as_str().unwrap_or("-")))
        .collect();
    let (four, six, none) =
        ("port-unreachable 127.0.0.1:9", "port-unreachable [::1]:9", "unresolved -");
    assert_eq!(found, [four, none, four, none, six, six, four, six, none], "{ran:?}");
    let reason = ran.lines()[1]["reason"].clone();
    assert_eq!(reason, "six: the name has no address of the family that was asked for");
    let reason = ran.lines()[8]["reason"].clone();
    assert!(reason.as_str().is_some_and(|reason| reason.starts_with("none: ")), "{reason}");
}

#[test]
fn the_built_in_networks_are_those_of_the_source() {
    let source = include_str!("../vectors/ethereum-bootnodes.txt");
    let rows = source.lines().filter(|line| !line.starts_with('#'));
    let rows: Vec<_> = rows.map(|row| row.split_once(' ').expect("two columns")).collect();
    assert_eq!(rows.len(), 14);
    let networks = p2pprobe::networks::Networks::default();
    for name in ["holesky", "hoodi", "mainnet", "sepolia"] {
        let nodes = networks.ethereum(name).expect("a network");
        let found: BTreeSet<_> = nodes.iter().map(|node| node.text.as_str()).collect();
        let expected: BTreeSet<_> =
            rows.iter().filter(|row| row.0 == name).map(|row| row.1).collect();
        assert_eq!((&found, nodes.len()), (&expected, expected.len()), "{name}");
    }
}
