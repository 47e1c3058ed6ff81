//! `btc-handshake` as its peers see it: what it says, in which order, and when it hangs up.

mod common;

use std::collections::HashSet;
use std::net::{IpAddr, Ipv6Addr, TcpListener};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use common::btc::{
    MAINNET, NONCE_AT, PATIENT, Probed, good_peer, message, pong, probe, probe_each, probe_peers,
    saying, verack, version_but,
};
use common::program::btc_handshake;
use common::scripted_tcp::{Connection, ScriptedTcp, Step};
use common::wire::now_unix_s;
use p2pprobe::bitcoin::{NetAddr, Version};
use p2pprobe::codec::Reader;

/// The version that a peer was told.
fn told(connection: &Connection) -> Version {
    let [payload] = connection.payloads("version")[..] else { panic!("one version was due") };
    Version::decode(&mut Reader::new(payload)).expect("a version")
}

fn with_protocol(protocol: i32) -> Vec<u8> {
    [version_but(|version| version.protocol = protocol), verack()].concat()
}

/// Of the known mistakes of simple scripts: a node that serves nothing says that it serves the chain, and calls itself
/// by a name that is none of BIP-14 (10); the port is written little end first (14).
#[test]
fn the_version_claims_nothing_that_is_not_so() {
    let probed = probe(PATIENT, good_peer());
    assert_eq!(probed.line["ok"], true, "{:#}", probed.line);
    let version = told(probed.connection());
    let to = probed.line["target"].as_str().and_then(|to| to.parse().ok()).expect("an address");
    assert_eq!(version.protocol, 70_016);
    assert_eq!(version.services, 0);
    assert_eq!(version.addr_recv, NetAddr::new(0, to));
    assert_eq!(version.addr_from, Some(NetAddr::unspecified(0)));
    let agent = format!("/p2pprobe:{}/", env!("CARGO_PKG_VERSION"));
    assert_eq!(version.user_agent.as_deref(), Some(agent.as_bytes()));
    assert_eq!((version.start_height, version.relay), (Some(0), Some(false)));
    assert_eq!(version.extra, 0);
    assert!(version.timestamp.abs_diff(now_unix_s() as i64) < 60, "{version:?}");
}

#[test]
fn a_user_agent_of_the_users_own() {
    let probed = probe(&[PATIENT, &["--user-agent", "/x:1/"]].concat(), good_peer());
    assert_eq!(probed.line["ok"], true, "{:#}", probed.line);
    assert_eq!(told(probed.connection()).user_agent.as_deref(), Some(&b"/x:1/"[..]));
}

/// Mistake 9 of simple scripts: a nonce that is always the same, by which two of them that meet take each other for
/// themselves.
#[test]
fn each_connection_has_a_nonce_of_its_own() {
    let scripts = (0..3).map(|_| good_peer());
    let probed: Vec<_> = probe_each(PATIENT, scripts).into_iter().collect();
    let again = probe(PATIENT, good_peer());
    let all = || probed.iter().chain([&again]).map(Probed::connection);
    let nonces: HashSet<_> = all().map(|connection| told(connection).nonce).collect();
    assert_eq!(nonces.len(), 4, "{nonces:?}");
    assert!(!nonces.contains(&Some(0)), "{nonces:?}");
    let pings: HashSet<_> = all().flat_map(|connection| connection.payloads("ping")).collect();
    assert_eq!(pings.len(), 4, "{pings:?}");
}

/// Mistake 2 of simple scripts: the second message is taken for the verack.
#[test]
fn nothing_but_the_version_leaves_before_the_peers() {
    let mut script = vec![Step::Await("version"), Step::Pause(Duration::from_millis(400))];
    let version = version_but(|_| {});
    script.push(Step::Send(version.clone()));
    // A ping of ours that came before both veracks would be here.
    script.push(Step::Pause(Duration::from_millis(200)));
    let extras = [message("wtxidrelay", &[]), message("sendaddrv2", &[])].concat();
    let before = version.len() + extras.len() + verack().len();
    script.push(Step::Send([extras, verack()].concat()));
    script.push(pong());
    let probed = probe(PATIENT, script);
    assert_eq!(probed.line["ok"], true, "{:#}", probed.line);
    let connection = probed.connection();
    assert_eq!(connection.names(), ["version", "wtxidrelay", "sendaddrv2", "verack", "ping"]);
    let said: Vec<_> = connection.heard.iter().map(|heard| heard.said).collect();
    assert_eq!(said, [0, version.len(), version.len(), version.len(), before]);
}

#[test]
fn peers_of_before_70016_get_the_verack_alone() {
    let before: &[&str] = &["version", "verack", "ping"];
    let since: &[&str] = &["version", "wtxidrelay", "sendaddrv2", "verack", "ping"];
    let rows =
        [(60_001, before), (70_001, before), (70_015, before), (70_016, since), (70_017, since)];
    let scripts = rows.map(|(protocol, _)| saying(with_protocol(protocol)));
    for ((protocol, names), probed) in rows.iter().zip(probe_each(PATIENT, scripts)) {
        assert_eq!(probed.connection().names(), *names, "{protocol}");
        assert_eq!(probed.line["protocol"], *protocol);
        assert_eq!(probed.line["ok"], true, "{:#}", probed.line);
    }
}

/// Mistake 11 of simple scripts: pings stay unanswered.
#[test]
fn a_ping_is_answered_with_its_nonce_and_the_prober_hangs_up_after_its_own_pong() {
    let nonce = 0x0102_0304_0506_0708_u64.to_le_bytes();
    let answered = Step::answer("pong", |_| Vec::new());
    let mut script = saying([with_protocol(70_016), message("ping", &nonce)].concat());
    script.insert(2, answered);
    // The run goes on meanwhile: its end would close all connections.
    let mut slow = vec![Step::Pause(Duration::from_secs(3))];
    slow.extend(good_peer());
    let probed = probe_each(PATIENT, [script, slow]).remove(0);
    assert_eq!(probed.line["ok"], true, "{:#}", probed.line);
    let connection = probed.connection();
    assert_eq!(connection.payloads("pong"), [&nonce]);
    assert_eq!(connection.payloads("ping").len(), 1);
    let after = connection.hung_up_after.expect("it hangs up");
    assert!(after < Duration::from_secs(1), "{after:?}");
}

#[test]
fn pings_that_want_no_pong_get_none() {
    // Those of before BIP-31 carry nothing; nine bytes are a nonce and one too many, as Core has it.
    let pings = [message("ping", &[]), message("ping", &[1; 7]), message("ping", &[2; 9])];
    let probed = probe(PATIENT, saying([with_protocol(70_016), pings.concat()].concat()));
    assert_eq!(probed.line["ok"], true, "{:#}", probed.line);
    assert_eq!(probed.connection().payloads("pong"), [[2; 8]]);
}

/// Once is enough, however it ends: a peer that hangs up may be full, and whoever comes back at once makes it worse.
#[test]
fn one_connection_to_each_peer() {
    let hangs_up = vec![Step::Await("version"), Step::Close];
    let garbage = vec![Step::Send(vec![0x5a; 64])];
    // [`Probed::connection`] panics where there were more.
    for probed in probe_each(PATIENT, [good_peer(), hangs_up, garbage]) {
        probed.connection();
        assert_eq!(probed.line["tries"], 1, "{:#}", probed.line);
    }
}

/// With `--count`, the statistics and the summary are held against the schema, too.
#[test]
fn each_probe_of_several_is_a_connection_of_its_own() {
    let peer = ScriptedTcp::start(good_peer());
    let target = peer.target();
    let options = ["--count", "3", "--interval", "50ms", "--summary", &target];
    let outcome = btc_handshake(&[PATIENT, &options].concat());
    let kinds: Vec<_> = outcome.lines.iter().map(|line| &line["type"]).collect();
    assert_eq!(kinds, ["probe", "probe", "probe", "target", "summary"]);
    for line in outcome.of_type("probe") {
        assert_eq!((&line["ok"], &line["tries"]), (&true.into(), &1.into()), "{line:#}");
    }
    let connections = peer.finish();
    let nonces: HashSet<_> = connections.iter().map(|connection| told(connection).nonce).collect();
    assert_eq!((connections.len(), nonces.len()), (3, 3), "{connections:?}");
}

/// Mistake 8 of simple scripts: a socket that knows IPv4 alone.
#[test]
fn a_peer_on_ipv6() {
    if let Err(e) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) {
        println!("left out: no listener on ::1 ({e})");
        return;
    }
    let seen_as = "[2001:db8::7]:40000";
    let seen = NetAddr::new(0, seen_as.parse().expect("an address"));
    let bytes = [version_but(|version| version.addr_recv = seen), verack()].concat();
    let peer = ScriptedTcp::start_at(IpAddr::from(Ipv6Addr::LOCALHOST), MAINNET, saying(bytes));
    let addr = peer.addr;
    let probed = probe_peers(PATIENT, vec![peer]).remove(0);
    assert_eq!(probed.line["ok"], true, "{:#}", probed.line);
    assert_eq!(probed.line["seen_as"], seen_as);
    assert_eq!(told(probed.connection()).addr_recv, NetAddr::new(0, addr));
    assert!(probed.connection().from.is_ipv6());
}

#[test]
fn our_own_nonce_in_a_peers_version_is_ourselves() {
    let own = |payload: &[u8]| {
        let nonce = payload[NONCE_AT..NONCE_AT + 8].try_into().map(u64::from_le_bytes);
        version_but(|version| version.nonce = nonce.ok())
    };
    let itself = vec![Step::answer("version", own)];
    // Whoever listens on that port says everything again.
    let echo = vec![Step::answer("version", |payload| message("version", payload))];
    let other = saying([version_but(|version| version.nonce = Some(0)), verack()].concat());
    let [itself, echo, other] = &probe_each(PATIENT, [itself, echo, other])[..] else { panic!() };
    assert_eq!(itself.line["failure"], "self-connection", "{:#}", itself.line);
    assert_eq!(itself.line["user_agent"], "/Satoshi:31.1.0/");
    assert_eq!(echo.line["failure"], "self-connection", "{:#}", echo.line);
    let agent = format!("/p2pprobe:{}/", env!("CARGO_PKG_VERSION"));
    assert_eq!(echo.line["user_agent"], agent.as_str());
    assert_eq!(other.line["ok"], true, "{:#}", other.line);
    assert!(other.line.get("warnings").is_none(), "{:#}", other.line);
    for probed in [itself, echo] {
        assert_eq!(probed.connection().names(), ["version"]);
    }
}

/// A node that is dialled at two of its addresses connects to itself twice, and may mix up the two.
#[test]
fn the_nonce_of_another_connection_of_ours_is_ourselves_too() {
    let (sender, receiver) = mpsc::channel();
    let receiver = Mutex::new(receiver);
    // It takes its time, and so both connections are open.
    let slow = vec![
        Step::answer("version", move |payload| {
            sender.send(payload[NONCE_AT..NONCE_AT + 8].to_vec()).expect("somebody listens");
            Vec::new()
        }),
        Step::Pause(Duration::from_secs(1)),
        Step::Send(with_protocol(70_016)),
        pong(),
    ];
    let quick = Step::answer("version", move |_| {
        let nonce = receiver.lock().expect("one user").recv_timeout(Duration::from_secs(10));
        let nonce = nonce.expect("the other connection").try_into().expect("eight bytes");
        version_but(|version| version.nonce = Some(u64::from_le_bytes(nonce)))
    });
    let [slow, quick] = &probe_each(PATIENT, [slow, vec![quick]])[..] else { panic!() };
    assert_eq!(slow.line["ok"], true, "{:#}", slow.line);
    assert_eq!(quick.line["failure"], "self-connection", "{:#}", quick.line);
}

/// What is unacknowledged when it is time for our ping must not hold it up (Nagle): that would count as its round trip.
/// A peer that has just answered acknowledges after 40 ms, unless it has something to say.
#[test]
fn our_ping_does_not_wait_for_an_acknowledgement() {
    let talk = (1..=4_u64)
        .flat_map(|nonce| [Step::Send(message("ping", &nonce.to_le_bytes())), Step::Await("pong")]);
    // Our pong leaves at once, and our ping once all this is read: all of it had been sent by then.
    let last = [message("ping", &[9; 8]), message("inv", &[0; 20_000]), verack()].concat();
    let script = || {
        let hello = version_but(|_| {});
        let mut script = vec![Step::Await("version"), Step::Send(hello), Step::Await("verack")];
        script.extend(talk.clone());
        script.extend([Step::Send(last.clone()), pong()]);
        script
    };
    // The quickest of several: a machine that is busy makes some of them slow.
    let rtts = (0..5).map(|_| probe(PATIENT, script()).line["rtt_ms"].as_f64().expect("a time"));
    let rtts: Vec<_> = rtts.collect();
    assert!(rtts.iter().any(|rtt| *rtt < 25.0), "{rtts:?}");
}
