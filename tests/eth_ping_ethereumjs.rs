//! `p2pprobe eth-ping` against a node of `@ethereumjs/devp2p`, which nobody here wrote.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::ethereumjs::{EthereumJs, Options};
use common::schema::validate;
use serde_json::{Value, json};

/// Everything here takes a second or two; this is for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(10);
const ID: &str = "a448f24c6d18e575453db13171562b71999873db5b286df957af199ec94617f7";

fn p2pprobe(arguments: &[&str]) -> (Vec<Value>, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_p2pprobe"))
        .args(["eth-ping", "--json", "--per-host-interval", "0", "--timeout", "5s"])
        .args(arguments)
        .output()
        .expect("the binary runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    (text.lines().map(validate).collect(), output.status.code().expect("an exit code"))
}

/// What every answer of the node has in common; its key is that of EIP-778.
fn assert_answered(line: &Value, node: &EthereumJs) {
    assert_eq!(line["ok"], json!(true), "{line}");
    assert_eq!(line["endpoint"], json!(node.addr.to_string()));
    assert_eq!(line["node_id"], json!(ID));
    // The kernel begins to stamp what arrives a moment after the first socket has asked for it.
    assert!(matches!(line["rtt_clock"].as_str(), Some("kernel" | "user")), "{line}");
    assert!(line["rtt_ms"].as_f64().is_some_and(|rtt| rtt > 0.0), "{line}");
    let seen_as = line["seen_as"].as_str().expect("an address");
    assert!(seen_as.starts_with("127.0.0.1:"), "{line}");
    // It adds 60 s.
    assert!((55..=60).contains(&line["expires_in_s"].as_i64().expect("a number")), "{line}");
    // It knows no record.
    assert_eq!(line.get("enr_seq"), None);
    assert_eq!(line.get("warnings"), None);
}

#[test]
fn by_enode() {
    let Some(node) = EthereumJs::start_or_skip(&Options::default()) else { return };
    let (lines, code) = p2pprobe(&[&node.enode]);
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_answered(line, &node);
    assert_eq!(line["identity"], json!("expected"));
    assert_eq!(line.get("enode"), None);
    assert_eq!(code, 0);
}

#[test]
fn by_bare_address_the_identity_is_learned() {
    let Some(node) = EthereumJs::start_or_skip(&Options::default()) else { return };
    let (lines, code) = p2pprobe(&[&node.addr.to_string()]);
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_answered(line, &node);
    assert_eq!(line["identity"], json!("learned"));
    let learned = format!("enode://{}@{}", node.public_key, node.addr);
    assert_eq!(line["enode"], json!(learned));
    assert_eq!(code, 0);
    // What was learned can be asked for.
    let (lines, code) = p2pprobe(&[&learned]);
    assert_eq!((lines[0]["identity"].clone(), code), (json!("expected"), 0));
}

#[test]
fn with_a_wrong_key() {
    let Some(node) = EthereumJs::start_or_skip(&Options::default()) else { return };
    // The key of the first mainnet bootnode.
    let other = "d860a01f9722d78051619d1e2351aba3f43f943f6f00718d1b9baa4101932a1f\
                 5011f16bb2b1bb35db20d6fe28fa0bf09636d26a87d31de9ec6203eeedb1f666";
    let (lines, code) = p2pprobe(&[&format!("enode://{other}@{}", node.addr)]);
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!(
        (line["ok"].clone(), line["failure"].clone()),
        (json!(false), json!("wrong-identity"))
    );
    assert_eq!(line["found_key"], json!(node.public_key));
    assert_eq!(line["found_id"], json!(ID));
    let expected = "c845e51a5e470e445ad424f7cb516339237f469ad7b3c903221b5c49ce55863f";
    assert_eq!(line["expected_id"], json!(expected));
    assert_eq!(code, 1);
}

#[test]
fn bond_is_mutual() {
    let Some(node) = EthereumJs::start_or_skip(&Options::default()) else { return };
    let (lines, code) = p2pprobe(&["--bond", &node.enode]);
    assert_answered(&lines[0], &node);
    assert_eq!((lines[0]["pinged_back"].clone(), code), (json!(true), 0));
    // The node says so itself: our Pong named its Ping.
    node.wait_for("ping-answered", PATIENCE, |line| line["event"] == json!("ping-answered"));
}

#[test]
fn its_tcp_port() {
    let tcp = Options { tcp: true, ..Options::default() };
    let Some(node) = EthereumJs::start_or_skip(&tcp) else { return };
    let (lines, code) = p2pprobe(&["--tcp", &node.enode]);
    assert_answered(&lines[0], &node);
    assert_eq!((lines[0]["tcp"].clone(), code), (json!("open"), 0));
    assert!(lines[0]["tcp_connect_ms"].is_f64());
    let Some(shut) = EthereumJs::start_or_skip(&Options::default()) else { return };
    let (lines, code) = p2pprobe(&["--tcp", &shut.addr.to_string()]);
    assert_eq!(lines[0]["failure"], json!("not-as-asked"));
    assert_eq!(
        (lines[0]["limit"].clone(), lines[0]["tcp"].clone()),
        (json!("tcp"), json!("refused"))
    );
    // Answered all the same: what it said is there.
    assert_eq!((lines[0]["node_id"].clone(), code), (json!(ID), 1));
}

#[test]
fn stopped_in_the_middle_of_count() {
    let Some(mut node) = EthereumJs::start_or_skip(&Options::default()) else { return };
    let mut child = Command::new(env!("CARGO_BIN_EXE_p2pprobe"))
        .args(["eth-ping", "--json", "--count", "4", "--interval", "300ms", "--timeout", "2s"])
        .args(["--retries", "0", "--per-host-interval", "0", &node.enode])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut next = || validate(&lines.next().expect("a line").expect("UTF-8"));
    let first = next();
    assert_answered(&first, &node);
    assert_eq!(first["probe"], json!(1));
    let port = node.addr.port();
    node.stop();
    // Each later probe finds the port closed, or, if it was under way meanwhile, no answer.
    let mut later: Vec<Value> = (0..3).map(|_| next()).collect();
    let last = later.pop().expect("three lines");
    assert_eq!(
        (last["probe"].clone(), last["failure"].clone()),
        (json!(4), json!("port-unreachable"))
    );
    assert_eq!((last["icmp_type"].clone(), last["icmp_code"].clone()), (json!(3), json!(3)));
    assert_eq!(last["icmp_from"], json!("127.0.0.1"));
    let target = next();
    assert_eq!((target["type"].clone(), target["sent"].clone()), (json!("target"), json!(4)));
    let received = target["received"].as_u64().expect("a number");
    assert!((1..=3).contains(&received), "{target}");
    let summary = next();
    assert_eq!(
        (summary["type"].clone(), summary["answered"].clone()),
        (json!("summary"), json!(1))
    );
    assert_eq!(summary["seen_as"], json!({ "127.0.0.1": received }));
    // One of its probes was answered, so the target was.
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert!(std::net::UdpSocket::bind(("127.0.0.1", port)).is_ok(), "the node has ended");
}
