//! The bounds that keep a hostile peer from using us: each at its limit and one past it.

use super::sim::{Peer, PeerId, Sim, config, ms};
use super::*;

fn ping_from(sim: &Sim, peer: PeerId) -> Message {
    Message::Ping(Ping {
        version: 4,
        from: Endpoint::new(peer, 0),
        to: Endpoint::new(sim::OURS, 0),
        expiration: sim.unix_s() + 20,
        enr_seq: None,
    })
}

#[test]
fn a_peer_gets_so_many_pongs_a_probe_and_no_more() {
    for pings in [1, MAX_PONGS, MAX_PONGS + 1, 100] {
        let mut sim = Sim::new(20, Config { retries: 0, ..config() });
        let peer = sim.peer(Peer { silent: true, ..Peer::default() });
        sim.ping(peer);
        sim.step();
        let ping = ping_from(&sim, peer);
        for _ in 0..pings {
            sim.peer_says(peer, &ping, false);
        }
        sim.run();
        assert_eq!(sim.pongs_to(peer) as u32, pings.min(MAX_PONGS));
    }
}

#[test]
fn a_flood_of_forged_pings_is_checked_so_often_and_no_more() {
    for (forged, answered) in [(MAX_CHECKS - 1, 1), (MAX_CHECKS, 0)] {
        let mut sim = Sim::new(21, Config { retries: 0, ..config() });
        let peer = sim.peer(Peer { silent: true, ..Peer::default() });
        sim.ping(peer);
        sim.step();
        let ping = ping_from(&sim, peer);
        for _ in 0..forged {
            sim.peer_says(peer, &ping, true);
        }
        sim.peer_says(peer, &ping, false);
        sim.run();
        assert_eq!(sim.pongs_to(peer), answered, "after {forged} forged Pings");
    }
}

#[test]
fn expired_pings_and_strangers_get_no_pong() {
    let mut sim = Sim::new(22, config());
    let peer = sim.peer(Peer { silent: true, ..Peer::default() });
    let stranger = sim.peer(Peer::default());
    sim.ping(peer);
    sim.step();
    let mut ping = ping_from(&sim, peer);
    sim.peer_says(stranger, &ping, false);
    sim.peer_says(peer, &ping, true);
    for expiration in [sim.unix_s() - 1, u64::MAX, 1 << 63] {
        if let Message::Ping(ping) = &mut ping {
            ping.expiration = expiration;
        }
        sim.peer_says(peer, &ping, false);
    }
    sim.run();
    assert_eq!((sim.pongs_to(peer), sim.pongs_to(stranger)), (0, 0));
}

#[test]
fn room_is_what_concurrency_leaves() {
    let mut sim = Sim::new(23, Config { concurrency: 2, ..config() });
    let peers = [sim.peer(Peer::default()), sim.peer(Peer::default())];
    assert_eq!(sim.pinger.room(), 2);
    for peer in peers {
        sim.ping(peer);
    }
    assert_eq!(sim.pinger.room(), 0);
    sim.run();
    assert_eq!(sim.pinger.room(), 2);
}

#[test]
fn nothing_is_remembered_of_jobs_long_done() {
    let mut sim = Sim::new(24, Config { count: 5, ..config() });
    for index in 0..50 {
        let peer = sim.peer(Peer { silent: index % 2 == 0, ..Peer::default() });
        sim.ping(peer);
    }
    sim.run();
    // The next job begins when all others have been forgotten.
    sim.run_until(ms(100_000));
    let last = sim.peer(Peer::default());
    sim.ping(last);
    let pinger = &sim.pinger;
    assert_eq!(pinger.jobs.len(), 1);
    assert_eq!(pinger.by_address.len(), 1);
    assert_eq!((pinger.by_hash.len(), pinger.in_flight.len()), (0, 0));
    assert_eq!((pinger.lingering.len(), pinger.timers.len()), (0, 0));
}

#[test]
fn who_waits_for_a_busy_host_takes_no_place() {
    let mut sim = Sim::new(25, Config { concurrency: 2, per_host_interval: ms(1000), ..config() });
    let neighbours: Vec<_> = (0..3).map(|_| sim.peer_at_ip(9, Peer::default())).collect();
    for peer in &neighbours {
        sim.ping(*peer);
    }
    assert_eq!(sim.pinger.room(), 1);
    let other = sim.peer(Peer::default());
    sim.ping(other);
    sim.run();
    assert_eq!(sim.pings_to(other), [ms(0)]);
    let times: Vec<_> = neighbours.iter().flat_map(|peer| sim.pings_to(*peer)).collect();
    assert_eq!(times, [0, 1000, 2000].map(ms));
}

#[test]
fn a_turn_that_comes_while_all_places_are_taken_waits_for_one() {
    let config = Config { concurrency: 1, retries: 0, per_host_interval: ms(1000), ..config() };
    let mut sim = Sim::new(26, config);
    let silent = sim.peer_at_ip(9, Peer { silent: true, ..Peer::default() });
    let neighbours: Vec<_> = (0..2).map(|_| sim.peer_at_ip(9, Peer::default())).collect();
    sim.ping(silent);
    for peer in &neighbours {
        sim.ping(*peer);
    }
    assert_eq!(sim.pinger.room(), 0);
    sim.run();
    // Their turns come at 1000 and 2000, the place is free from 2000 on, and the host wants its rest all the same.
    let times: Vec<_> = neighbours.iter().flat_map(|peer| sim.pings_to(*peer)).collect();
    assert_eq!(times, [2000, 3000].map(ms));
    assert_eq!(sim.pinger.room(), 1);
}

#[test]
fn no_more_jobs_than_so_many_are_open() {
    let mut sim = Sim::new(27, Config { per_host_interval: ms(1), ..config() });
    let peer = sim.peer(Peer::default());
    for _ in 1..MAX_OPEN {
        sim.ping(peer);
    }
    assert_eq!(sim.pinger.room(), 1);
    sim.ping(peer);
    assert_eq!(sim.pinger.room(), 0);
}
