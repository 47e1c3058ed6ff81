//! SIGINT in the middle of a handshake, or between two connections: what was told by then is in the line.

use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::btc_any::config;
use crate::common::btc::{verack, version};
use crate::common::command::{TempDir, finish, outcome, probe};
use crate::common::scripted_tcp::{ScriptedTcp, Step};
use crate::common::tcp_crowd::{Manner, TcpCrowd};
use crate::signals::{signal, until};

fn start(args: &[&str]) -> Child {
    let all = ["--json", "--timeout", "1h", "--connect-timeout", "1h"];
    probe("btc-handshake", all.iter().chain(args)).spawn().expect("the binary starts")
}

/// Interrupts it, and gives its only result line, which says so.
fn interrupted(child: Child) -> Value {
    signal(&child, "INT");
    let ran = finish(child);
    assert_eq!(ran.code, Some(130), "{ran:?}");
    let [line] = &ran.of_type("probe")[..] else { panic!("one line was due: {ran:?}") };
    assert_eq!(outcome(line), "interrupted", "{line:#}");
    line.clone()
}

/// A step that takes a message and says nothing, and whether it has.
fn told_of(name: &'static str) -> (Step, impl Fn() -> bool) {
    let came = Arc::new(AtomicBool::new(false));
    let seen = came.clone();
    let step = Step::answer(name, move |_| {
        came.store(true, Ordering::SeqCst);
        Vec::new()
    });
    (step, move || seen.load(Ordering::SeqCst))
}

#[test]
fn a_handshake_that_lacks_its_pong_only_is_told_as_far_as_it_came() {
    let (ping, pinged) = told_of("ping");
    let hello = Step::Send([version(), verack()].concat());
    let peer = ScriptedTcp::start(vec![Step::Await("version"), hello, ping]);
    let child = start(&[&peer.target()]);
    until("a ping", pinged);
    let line = interrupted(child);
    let told = ["user_agent", "services", "height"].map(|field| line[field].clone());
    assert_eq!(told, [json!("/Satoshi:31.1.0/"), json!("0x409"), json!(900_000)], "{line:#}");
    assert!(line["handshake_ms"].is_number() && line["version_ms"].is_number(), "{line:#}");
    assert_eq!((line.get("rtt_ms"), line.get("warnings")), (None, None), "{line:#}");
    assert_eq!((&line["magic"], &line["tries"]), (&json!("f9beb4d9"), &json!(1)));
}

#[test]
fn one_that_waits_for_another_try_tells_what_the_last_one_gave() {
    let (taken, greeted) = told_of("verack");
    let script = vec![Step::Await("version"), Step::Send(version()), taken, Step::Close];
    let peer = ScriptedTcp::start(script);
    let child = start(&["--retries", "3", "--per-host-interval", "1h", &peer.target()]);
    until("our verack", greeted);
    // Until it has seen that the peer hung up, too.
    thread::sleep(Duration::from_millis(300));
    let line = interrupted(child);
    assert_eq!((&line["user_agent"], &line["tries"]), (&json!("/Satoshi:31.1.0/"), &json!(1)));
    assert_eq!(line["messages"], json!(["version"]), "{line:#}");
    assert!(line["version_ms"].is_number() && line.get("handshake_ms").is_none(), "{line:#}");
}

#[test]
fn between_two_magics_only_those_that_were_spoken_are_told() {
    let (dir, crowd) = (TempDir::new(), TcpCrowd::start(|_, _| Manner::Close));
    let file = config(&dir, &crowd, "");
    let target = crowd.target(0);
    let child =
        start(&["-q", "--network", "any", "--config", &file, "--per-host-interval", "1h", &target]);
    until("a connection", || !crowd.came().is_empty());
    thread::sleep(Duration::from_millis(300));
    let line = interrupted(child);
    assert_eq!((&line["tries"], &line["magics_tried"]), (&json!(1), &json!(["00000bad"])));
    assert_eq!((&line["magic"], line.get("network")), (&json!("00000bad"), None), "{line:#}");
}
