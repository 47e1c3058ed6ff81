//! The pinger in virtual time, against peers that are machines of a few lines: no socket, no clock.

mod limits;
mod network;
mod sim;

use std::time::Duration;

use self::sim::{Peer, Sim, address, config, ms};
use super::*;
use crate::machine::{Icmp, IcmpKind, RttClock};
use crate::report::Identity;

const PORT_CLOSED: Icmp =
    Icmp { kind: IcmpKind::PortUnreachable, icmp_type: 3, code: 3, from: None };

fn answer(report: &PingReport) -> &PingAnswer {
    report.outcome.as_ref().expect("an answer")
}

fn failure(report: &PingReport) -> &'static str {
    report.outcome.as_ref().expect_err("a failure").kind()
}

#[test]
fn the_round_trip_is_that_of_the_network() {
    let mut sim = Sim::new(1, config());
    let peer = sim.peer(Peer { delay: ms(7), ..Peer::default() });
    let job = sim.ping(peer);
    sim.run();
    let report = sim.only_report(job);
    assert_eq!(answer(report).rtt_ms.0, ms(14));
    assert_eq!(answer(report).rtt_clock, RttClock::Kernel);
    assert_eq!(answer(report).identity, Identity::Expected);
    assert_eq!(answer(report).seen_as, Some(sim::OURS));
    assert_eq!(answer(report).expires_in_s, 20);
    assert_eq!(answer(report).pinged_back, None);
    assert_eq!((report.number, report.tries), (1, 1));
    assert!(report.warnings.is_empty());
}

#[test]
fn a_silent_peer_ends_after_every_try_had_its_time() {
    let mut sim = Sim::new(2, Config { retries: 2, ..config() });
    let peer = sim.peer(Peer { silent: true, ..Peer::default() });
    let job = sim.ping(peer);
    sim.run();
    assert_eq!(sim.only_report(job).tries, 3);
    let Err(Failure::NoReply(seen)) = &sim.only_report(job).outcome else { panic!("no reply") };
    assert_eq!((seen.waited_ms.0, seen.junk, seen.reflected), (ms(6000), 0, 0));
    assert_eq!(sim.ended(job), Mono(ms(6000)));
    assert_eq!(sim.pings_to(peer), [ms(0), ms(2000), ms(4000)]);
}

#[test]
fn every_ping_of_a_probe_may_be_answered_and_has_its_own_round_trip() {
    let mut sim = Sim::new(3, config());
    let peer = sim.peer(Peer { ignores: 1, delay: ms(5), ..Peer::default() });
    let second = sim.ping(peer);
    // One way takes 1.3 s, so the answer to the first Ping comes when the second has left.
    let far = sim.peer(Peer { delay: ms(1300), ..Peer::default() });
    let late = sim.ping(far);
    sim.run();
    assert_eq!(sim.only_report(second).tries, 2);
    assert_eq!(answer(sim.only_report(second)).rtt_ms.0, ms(10));
    assert_eq!(sim.only_report(late).tries, 2);
    assert_eq!(answer(sim.only_report(late)).rtt_ms.0, ms(2600));
}

#[test]
fn probes_of_a_target_keep_their_interval() {
    let mut sim = Sim::new(4, Config { count: 3, interval: ms(1500), ..config() });
    let peer = sim.peer(Peer { delay: ms(1), ..Peer::default() });
    let silent = sim.peer(Peer { silent: true, ..Peer::default() });
    let job = sim.ping(peer);
    let slow = sim.ping(silent);
    sim.run();
    assert_eq!(sim.pings_to(peer), [ms(0), ms(1500), ms(3000)]);
    let numbers: Vec<_> = sim.reports(job).iter().map(|report| report.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    // A probe that takes longer than the interval puts the next one off.
    assert_eq!(sim.pings_to(silent), [0, 2000, 4000, 6000, 8000, 10_000].map(ms));
    assert_eq!(sim.reports(slow).len(), 3);
}

#[test]
fn one_host_is_not_pinged_more_often_than_it_may() {
    let mut sim = Sim::new(5, Config { per_host_interval: ms(1000), ..config() });
    let ports: Vec<_> = (0..3).map(|_| sim.peer_at_ip(9, Peer::default())).collect();
    let other = sim.peer(Peer::default());
    for peer in &ports {
        sim.ping(*peer);
    }
    sim.ping(other);
    sim.run();
    let times: Vec<_> = ports.iter().flat_map(|peer| sim.pings_to(*peer)).collect();
    assert_eq!(times, [ms(0), ms(1000), ms(2000)]);
    assert_eq!(sim.pings_to(other), [ms(0)]);
}

#[test]
fn bond_waits_for_the_peers_own_ping() {
    let mut sim = Sim::new(6, Config { bond: true, ..config() });
    let soon = sim.peer(Peer { pings_back: Some(ms(100)), delay: ms(1), ..Peer::default() });
    let never = sim.peer(Peer { delay: ms(1), ..Peer::default() });
    let bonded = sim.ping(soon);
    let alone = sim.ping(never);
    sim.run();
    assert_eq!(answer(sim.only_report(bonded)).pinged_back, Some(true));
    assert_eq!(sim.ended(bonded), Mono(ms(102)));
    assert_eq!(sim.pongs_to(soon), 1);
    assert_eq!(answer(sim.only_report(alone)).pinged_back, Some(false));
    assert_eq!(sim.ended(alone), Mono(ms(2) + BOND_WAIT));
}

#[test]
fn a_ping_that_comes_after_the_report_is_answered_for_a_while() {
    let mut sim = Sim::new(7, config());
    let soon = sim.peer(Peer { pings_back: Some(ms(900)), ..Peer::default() });
    let late = sim.peer(Peer { pings_back: Some(ms(1100)), ..Peer::default() });
    sim.ping(soon);
    sim.ping(late);
    // Keeps the run going.
    let silent = sim.peer(Peer { silent: true, ..Peer::default() });
    sim.ping(silent);
    sim.run();
    assert_eq!(sim.pongs_to(soon), 1);
    assert_eq!(sim.pongs_to(late), 0);
}

#[test]
fn a_peer_without_a_known_key_is_answered_once_it_has_shown_one() {
    let mut sim = Sim::new(8, Config { bond: true, ..config() });
    let peer = sim.peer(Peer { pings_first: true, pings_back: Some(ms(0)), ..Peer::default() });
    let job = sim.ping_address(peer);
    sim.run();
    let found = answer(sim.only_report(job));
    assert_eq!((found.identity, found.pinged_back), (Identity::Learned, Some(true)));
    assert_eq!(found.node_id, sim.key_of(peer).node_id());
    assert!(found.enode.as_ref().is_some_and(|enode| enode.ends_with("@127.0.0.1:30303")));
    assert_eq!(sim.pongs_to(peer), 1);
}

#[test]
fn an_icmp_error_that_quotes_the_hash_is_believed_at_once() {
    let mut sim = Sim::new(9, config());
    let peer = sim.peer(Peer { icmp: Some((PORT_CLOSED, usize::MAX)), ..Peer::default() });
    let job = sim.ping(peer);
    sim.run();
    assert_eq!(failure(sim.only_report(job)), "port-unreachable");
    assert_eq!((sim.only_report(job).tries, sim.ended(job)), (1, Mono(ms(0))));
}

#[test]
fn an_icmp_error_that_quotes_too_little_waits_for_the_deadline() {
    let mut sim = Sim::new(10, config());
    // Eight bytes of the packet could be guessed by nobody; a wrong quote names nothing.
    let refused = sim.peer(Peer { icmp: Some((PORT_CLOSED, 8)), silent: true, ..Peer::default() });
    let alive = sim.peer(Peer { icmp: Some((PORT_CLOSED, 0)), delay: ms(3), ..Peer::default() });
    let (refused, alive) = (sim.ping(refused), sim.ping(alive));
    sim.run();
    assert_eq!(failure(sim.only_report(refused)), "port-unreachable");
    assert_eq!(sim.ended(refused), Mono(ms(4000)));
    assert!(sim.only_report(alive).outcome.is_ok());
}

#[test]
fn a_forged_icmp_error_ends_nothing() {
    let mut sim = Sim::new(11, config());
    let peer = sim.peer(Peer { delay: ms(5), ..Peer::default() });
    let job = sim.ping(peer);
    sim.step();
    let why = PORT_CLOSED;
    sim.event(Event::Icmp { to: address(peer), why, quoted: &[7; 64] });
    sim.event(Event::Icmp { to: address(peer), why, quoted: &[7; 3] });
    sim.run();
    assert!(sim.only_report(job).outcome.is_ok());
}

#[test]
fn what_our_own_socket_lost_is_asked_for_again_and_never_called_silence() {
    let mut sim = Sim::new(12, config());
    let lost_once = sim.peer(Peer { ignores: 2, ..Peer::default() });
    let job = sim.ping(lost_once);
    sim.lose_at(ms(3000), 1);
    sim.run();
    let report = sim.only_report(job);
    assert!(report.outcome.is_ok());
    assert_eq!(report.tries, 3);
    assert_eq!(report.warnings, [Warning::OwnDrops { lost: 1 }]);

    let mut sim = Sim::new(13, config());
    let silent = sim.peer(Peer { silent: true, ..Peer::default() });
    let job = sim.ping(silent);
    for second in 0..20 {
        sim.lose_at(ms(1000 * second), second);
    }
    sim.run();
    let report = sim.only_report(job);
    assert_eq!(report.outcome, Err(Failure::LocalError { why: LocalError::OwnDrops }));
    assert_eq!(report.tries, 2 + MAX_EXTRA_TRIES);
}

#[test]
fn a_send_without_a_route_ends_the_probe_and_another_error_is_tried_again() {
    let mut sim = Sim::new(14, config());
    let peer = sim.peer(Peer { send_fails: Some((LocalError::NoRoute, 1)), ..Peer::default() });
    let no_route = sim.ping(peer);
    let most = MAX_LOCAL_RETRIES;
    let peer = sim.peer(Peer { send_fails: Some((LocalError::Os(1), most)), ..Peer::default() });
    let once = sim.ping(peer);
    let peer =
        sim.peer(Peer { send_fails: Some((LocalError::Os(1), most + 1)), ..Peer::default() });
    let always = sim.ping(peer);
    sim.run();
    assert_eq!(failure(sim.only_report(no_route)), "no-route");
    assert_eq!(sim.only_report(no_route).tries, 0);
    assert_eq!(sim.only_report(once).tries, 1);
    assert!(sim.only_report(once).outcome.is_ok());
    assert_eq!(failure(sim.only_report(always)), "local-error");
}

#[test]
fn stopping_reports_every_open_probe_once() {
    let mut sim = Sim::new(15, Config { per_host_interval: ms(1000), count: 2, ..config() });
    let silent = sim.peer(Peer { silent: true, ..Peer::default() });
    let alive = sim.peer(Peer::default());
    let queued = sim.peer_at_ip(9, Peer::default());
    let first = sim.peer_at_ip(9, Peer { silent: true, ..Peer::default() });
    let waiting = sim.ping(silent);
    let between = sim.ping(alive);
    let (_, behind) = (sim.ping(first), sim.ping(queued));
    sim.run_until(ms(500));
    sim.stop();
    sim.run();
    assert_eq!(failure(sim.only_report(waiting)), "interrupted");
    assert_eq!(
        (failure(sim.only_report(behind)), sim.only_report(behind).tries),
        ("interrupted", 0)
    );
    // Between two probes there is none to interrupt.
    assert!(sim.only_report(between).outcome.is_ok());
    assert!(sim.all_done());
}
