//! Hundreds of peers of all kinds at once, under loss, copies, delay and reordering.

use super::sim::{Peer, PeerId, Sim, Weather, config, ms};
use super::*;

const KINDS: [Peer; 5] = [
    Peer { pings_back: Some(Duration::ZERO), ..HONEST },
    Peer { pings_back: Some(Duration::from_millis(3)), pings_first: true, ..HONEST },
    Peer { silent: true, ..HONEST },
    Peer { lies: true, pings_back: Some(Duration::ZERO), ..HONEST },
    Peer { icmp: Some((PORT_CLOSED, usize::MAX)), silent: true, ..HONEST },
];
const HONEST: Peer = Peer {
    delay: Duration::from_millis(40),
    silent: false,
    ignores: 0,
    lies: false,
    pings_back: None,
    pings_first: false,
    icmp: None,
    send_fails: None,
};

fn world(seed: u64, weather: Weather) -> (Sim, Vec<(JobId, PeerId, Peer)>) {
    let mut sim = Sim::new(seed, Config { retries: 3, count: 2, ..config() });
    sim.weather = weather;
    let mut jobs = Vec::new();
    for index in 0..200 {
        let kind = KINDS[index % KINDS.len()];
        let peer = sim.peer(kind);
        jobs.push((sim.ping(peer), peer, kind));
    }
    (sim, jobs)
}

#[test]
fn every_target_has_its_probes_and_no_answer_is_a_wrong_one() {
    let bad = Weather { loss: 20, copies: 20, jitter: ms(300) };
    for seed in 100..104 {
        let (mut sim, jobs) = world(seed, bad);
        sim.run();
        let mut answered = 0;
        for (job, peer, kind) in jobs {
            assert_eq!(sim.reports(job).len(), 2);
            for report in sim.reports(job) {
                let what = report.outcome.as_ref().map_err(Failure::kind);
                match (what, kind) {
                    (Ok(answer), Peer { silent: false, lies: false, icmp: None, .. }) => {
                        answered += 1;
                        assert_eq!(answer.node_id, sim.key_of(peer).node_id());
                        let rtt = answer.rtt_ms.0;
                        assert!(rtt >= ms(80) && rtt <= ms(680), "{rtt:?}");
                    }
                    (Err("no-reply"), Peer { icmp: None, .. })
                    | (Err("wrong-identity"), Peer { lies: true, .. })
                    | (Err("port-unreachable"), Peer { icmp: Some(_), .. }) => {}
                    (what, kind) => panic!("{what:?} from {kind:?}"),
                }
            }
        }
        // Of 160 probes of honest peers, each with four tries of which 64 % get through.
        assert!((150..=160).contains(&answered), "{answered}");
    }
}

#[test]
fn in_good_weather_every_outcome_is_certain() {
    let (mut sim, jobs) = world(200, Weather::default());
    sim.run();
    for (job, peer, kind) in jobs {
        let expected = match kind {
            Peer { icmp: Some(_), .. } => Err("port-unreachable"),
            Peer { lies: true, .. } => Err("wrong-identity"),
            Peer { silent: true, .. } => Err("no-reply"),
            _ => Ok(()),
        };
        for report in sim.reports(job) {
            assert_eq!(report.outcome.as_ref().map(drop).map_err(Failure::kind), expected);
        }
        let pongs = if expected.is_ok() { 2 } else { 0 };
        assert_eq!(sim.pongs_to(peer), pongs, "{kind:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let weather = Weather { loss: 30, copies: 10, jitter: ms(100) };
    let outcome = |seed| {
        let (mut sim, jobs) = world(seed, weather);
        sim.run();
        jobs.iter().flat_map(|(job, ..)| sim.reports(*job).to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(outcome(300), outcome(300));
    assert_ne!(outcome(300), outcome(301));
}
