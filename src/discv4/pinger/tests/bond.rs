//! What the peer's own Ping must not wait for, what waits for it, and ICMP errors that name no Ping of ours.

use super::sim::{Peer, Sim, config, ms};
use super::*;
use crate::discv4::Packet;

#[test]
fn a_stop_while_the_peers_ping_is_waited_for_loses_no_answer() {
    let mut sim = Sim::new(30, Config { bond: true, count: 2, ..config() });
    let peer = sim.peer(Peer { delay: ms(1), ..Peer::default() });
    let job = sim.ping(peer);
    sim.run_until(ms(250));
    assert!(sim.reports(job).is_empty(), "it waits for the peer's Ping");
    sim.stop();
    sim.run();
    let report = sim.only_report(job);
    assert_eq!(answer(report).rtt_ms.0, ms(2));
    assert_eq!(answer(report).pinged_back, Some(false));
    assert_eq!(sim.ended(job), Mono(ms(250)));
}

#[test]
fn a_pong_goes_before_all_pings_that_are_due() {
    let mut sim = Sim::new(31, config());
    let peer = sim.peer(Peer { silent: true, ..Peer::default() });
    sim.ping(peer);
    sim.step();
    for _ in 0..5 {
        let other = sim.peer(Peer::default());
        sim.ping(other);
    }
    let ping = Message::Ping(Ping {
        version: 4,
        from: Endpoint::new(peer, 0),
        to: Endpoint::new(sim::OURS, 0),
        expiration: sim.unix_s() + 20,
        enr_seq: None,
    });
    sim.peer_says(peer, &ping, false);
    let (first, to) = sim.next_packet();
    assert!(matches!(Packet::decode(&first).expect("a packet").message, Message::Pong(_)));
    assert_eq!(to, peer);
    let (second, _) = sim.next_packet();
    assert!(matches!(Packet::decode(&second).expect("a packet").message, Message::Ping(_)));
}

#[test]
fn an_icmp_error_that_quotes_other_bytes_says_nothing_about_a_silent_peer() {
    let mut sim = Sim::new(32, config());
    let peer = sim.peer(Peer { silent: true, ..Peer::default() });
    let job = sim.ping(peer);
    sim.step();
    sim.event(Event::Icmp { to: address(peer), why: PORT_CLOSED, quoted: &[7; 8] });
    sim.run();
    assert_eq!(failure(sim.only_report(job)), "no-reply");
    assert_eq!(sim.ended(job), Mono(ms(4000)));
}
