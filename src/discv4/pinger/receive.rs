//! What arrives: Pongs, junk, and ICMP errors. The peers' own Pings are in `ping_back.rs`.

use std::net::SocketAddr;

use super::job::{State, unreachable};
use super::{BOND_WAIT, Pinger};
use crate::codec::key::PublicKey;
use crate::codec::{DecodeError, Fault};
use crate::discv4::packet::{self, HASH_SIZE, expires_in_s};
use crate::discv4::{Endpoint, Enode, Message, Packet, Pong};
use crate::host::Host;
use crate::machine::{Icmp, JobId, Mono, Now, RttClock};
use crate::report::{Failure, Identity, Millis, PingAnswer, Warning};

/// A Pong that expires later than this from now, in seconds, says that the clocks differ: clients add 20
/// to 60.
const LATEST_EXPIRATION_S: i64 = 3600;

/// When, where from, and by which clock a datagram came.
#[derive(Clone, Copy)]
struct Arrival {
    from: SocketAddr,
    at: Mono,
    clock: RttClock,
    size: usize,
}

impl Pinger {
    pub(super) fn datagram(
        &mut self,
        now: Now,
        from: SocketAddr,
        clock: RttClock,
        at: Mono,
        bytes: &[u8],
    ) {
        let packet = match Packet::decode(bytes) {
            Ok(packet) => packet,
            // Somebody's extension, perhaps: unknown, and nothing wrong with it (discv4 §Wire Protocol, EIP-8).
            Err(DecodeError { fault: Fault::UnknownType { .. }, .. }) => {
                return self.junk(from, None);
            }
            Err(error) => return self.junk(from, Some(error)),
        };
        let arrival = Arrival { from, at, clock, size: bytes.len() };
        match &packet.message {
            Message::Pong(pong) => self.pong(now, arrival, &packet, pong),
            Message::Ping(ping) => self.ping(now, from, &packet, ping),
            _ => self.junk(from, None),
        }
    }

    /// Remembers, for each probe that waits for that address, that it sent what answers nothing.
    pub(super) fn junk(&mut self, from: SocketAddr, error: Option<DecodeError>) {
        for id in self.by_address.at(from) {
            if let Some(job) = self.jobs.get_mut(&id).filter(|job| job.is_waiting()) {
                job.saw_junk(error);
            }
        }
    }

    fn pong(&mut self, now: Now, arrival: Arrival, packet: &Packet<'_>, pong: &Pong) {
        let Some(&id) = self.by_hash.get(&pong.ping_hash) else {
            return self.junk(arrival.from, None);
        };
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if job.all_pings().any(|ping| ping.hash == pong.ping_hash && ping.answered) {
            job.duplicates = job.duplicates.saturating_add(1);
            return;
        }
        let waiting = job.is_waiting();
        let Some(ping) = job.ping_mut(&pong.ping_hash).filter(|_| waiting) else {
            // Later than the end of its probe, which has been reported.
            return;
        };
        let (left, ping_expiration) = (ping.left.unwrap_or(arrival.at), ping.expiration);
        let expected = job.target.key;
        let key = match expected.filter(|key| packet.signed_by(key)) {
            Some(key) => key,
            None => match packet.signer() {
                Ok(key) => key,
                Err(error) => return self.junk(arrival.from, Some(error)),
            },
        };
        if let Some(expected) = expected.filter(|expected| *expected != key) {
            let failure = Failure::WrongIdentity {
                expected_id: expected.node_id(),
                found_id: key.node_id(),
                found_key: key,
                answered_from: arrival.from,
            };
            return self.end_probe(now, id, Err(failure));
        }
        if let Some(ping) = job.ping_mut(&pong.ping_hash) {
            ping.answered = true;
        }
        job.key = Some(key);
        let copied = pong.expiration == ping_expiration;
        warn_of(&mut job.warnings, now, arrival, job.target.to, pong, copied);
        let answer = PingAnswer {
            rtt_ms: Millis(arrival.at.since(left)),
            rtt_clock: arrival.clock,
            node_id: key.node_id(),
            identity: if expected.is_some() { Identity::Expected } else { Identity::Learned },
            enode: expected.is_none().then(|| learned_enode(key, job.target.to, job.target.tcp)),
            seen_as: seen_as(&pong.to),
            enr_seq: pong.enr_seq,
            expires_in_s: expires_in_s(pong.expiration, now.unix_s()),
            pinged_back: job.pinged_back.then_some(true),
        };
        self.answered(now, id, key, answer);
    }

    /// The Pong has come: reports it, or waits for the peer's own Ping first.
    fn answered(&mut self, now: Now, id: JobId, key: PublicKey, mut answer: PingAnswer) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let held = std::mem::take(&mut job.held).into_iter().find(|held| held.signer == key);
        let due = held.as_ref().and_then(|held| held.pong);
        if held.is_some() {
            job.pinged_back = true;
            job.pongs_sent += u32::from(due.is_some());
            answer.pinged_back = Some(true);
        }
        self.pongs.extend(due);
        let pong_due = due.is_some();
        let bonded = job.pinged_back && !pong_due;
        if !self.config.bond || bonded {
            self.end_probe(now, id, Ok(answer));
        } else {
            answer.pinged_back = Some(pong_due);
            job.answer = Some(answer);
            self.set_state(id, State::Bonding, Some(now.mono + BOND_WAIT));
        }
        if let Some(due) = due {
            self.let_go_of(due);
        }
    }

    pub(super) fn icmp(&mut self, now: Now, to: SocketAddr, why: Icmp, quoted: &[u8]) {
        if let Some(hash) = quoted.first_chunk::<HASH_SIZE>() {
            let Some(&id) = self.by_hash.get(hash) else { return };
            let Some(job) = self.jobs.get_mut(&id).filter(|job| job.is_waiting()) else { return };
            // Where it was sent to need not be asked: 32 bytes that nobody else knows are proof enough, and what was
            // sent to 0.0.0.0 comes back from 127.0.0.1.
            if job.ping_mut(hash).is_some() {
                self.end_probe(now, id, Err(unreachable(why)));
            }
            return;
        }
        for id in self.by_address.at(to) {
            if let Some(job) = self.jobs.get_mut(&id).filter(|job| job.is_waiting())
                && job.all_pings().any(|ping| ping.hash.starts_with(quoted))
            {
                job.saw_weak_icmp(why);
            }
        }
    }
}

fn warn_of(
    warnings: &mut Vec<Warning>,
    now: Now,
    arrival: Arrival,
    asked: SocketAddr,
    pong: &Pong,
    expiration_is_ours: bool,
) {
    let expires_in_s = expires_in_s(pong.expiration, now.unix_s());
    if expires_in_s < 0 && !expiration_is_ours {
        warnings.push(Warning::Expired { by_s: expires_in_s.unsigned_abs() });
    }
    if expires_in_s > LATEST_EXPIRATION_S {
        warnings.push(Warning::Clock { by_s: (expires_in_s - LATEST_EXPIRATION_S) as u64 });
    }
    if arrival.size > packet::MAX_SIZE {
        warnings.push(Warning::Oversized { size: arrival.size });
    }
    if arrival.from != asked {
        warnings.push(Warning::OtherSource { from: arrival.from });
    }
}

fn seen_as(to: &Endpoint) -> Option<SocketAddr> {
    to.ip.map(|ip| SocketAddr::new(ip.to_canonical(), to.udp))
}

fn learned_enode(key: PublicKey, udp: SocketAddr, tcp: u16) -> String {
    let host = Host::Ip(udp.ip());
    Enode { key, host, tcp, udp: udp.port() }.to_string()
}
