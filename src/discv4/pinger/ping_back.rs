//! The peers' own Pings, which are answered: only a target's, only so often, and each once.

use std::net::SocketAddr;

use super::{Answer, MAX_CHECKS, MAX_HELD, MAX_PONGS, Pinger};
use crate::codec::key::PublicKey;
use crate::discv4::packet::expires_in_s;
use crate::discv4::{Packet, Ping};
use crate::machine::{JobId, Now};

/// A Ping that came before its target's key was known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub signer: PublicKey,
    /// The Pong that it still needs.
    pub pong: Option<Answer>,
}

impl Pinger {
    pub(super) fn ping(&mut self, now: Now, from: SocketAddr, packet: &Packet<'_>, ping: &Ping) {
        // Old Pings are how others are made to send packets (discv4 §Ping Packet).
        if expires_in_s(ping.expiration, now.unix_s()) < 0 {
            return self.junk(from, None);
        }
        let mut ids: Vec<JobId> = self.by_address.at(from).collect();
        if ids.is_empty() {
            ids.extend(self.by_address.at_ip(from.ip()));
        }
        if ids.is_empty() {
            return;
        }
        let Some(signer) = self.signer_of_ping(&ids, packet) else {
            return self.junk(from, None);
        };
        if signer == *self.key.public() {
            for id in ids {
                if let Some(job) = self.jobs.get_mut(&id).filter(|job| job.is_waiting()) {
                    job.saw_reflection();
                }
            }
            return;
        }
        let mut answered = None;
        let mut known = false;
        for id in ids {
            let Some(job) = self.jobs.get_mut(&id) else { continue };
            let pong = Answer { job: id, to: from, tcp: ping.from.tcp, ping_hash: packet.hash };
            match job.key {
                None if job.held.len() < MAX_HELD => {
                    job.held.push(Held { signer, pong: Some(pong) });
                }
                Some(key) if key == signer => {
                    job.pinged_back = true;
                    if let Some(report) = &mut job.answer {
                        report.pinged_back = Some(true);
                    }
                    if answered.is_none() && job.pongs_sent < MAX_PONGS {
                        job.pongs_sent += 1;
                        answered = Some(pong);
                    }
                }
                None | Some(_) => continue,
            }
            known = true;
        }
        if let Some(pong) = answered {
            self.pongs.push_back(pong);
            self.let_go_of(pong);
        }
        if !known {
            self.junk(from, None);
        }
    }

    /// One Ping gets one Pong, however many jobs have its sender as their target: whoever else holds the Ping that
    /// this answers need not answer it.
    pub(super) fn let_go_of(&mut self, answered: Answer) {
        for id in self.by_address.at_ip(answered.to.ip()) {
            let Some(job) = self.jobs.get_mut(&id) else { continue };
            for held in &mut job.held {
                held.pong = held.pong.filter(|pong| pong.ping_hash != answered.ping_hash);
            }
        }
    }

    /// Who signed a Ping that came from the address of these jobs. `None` where the signature is bad, or
    /// where the address has sent too many Pings that were not its own.
    fn signer_of_ping(&mut self, ids: &[JobId], packet: &Packet<'_>) -> Option<PublicKey> {
        let known = match ids {
            [id] => self.jobs.get(id).and_then(|job| job.key),
            _ => None,
        };
        let checker =
            ids.iter().find(|id| self.jobs.get(id).is_some_and(|job| job.checks < MAX_CHECKS))?;
        if let Some(key) = known.filter(|key| packet.signed_by(key)) {
            return Some(key);
        }
        if let Some(job) = self.jobs.get_mut(checker) {
            job.checks += 1;
        }
        packet.signer().ok()
    }
}
