//! What the weather makes of the answers of discv4 peers: some are lost, and some come late, twice, or after a while.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use super::eth_manner::{Manner, Pinged};
use super::settings::Settings;

/// A packet that a peer sends.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Whether from the other port.
    pub other_port: bool,
    /// Who sends it, and to whom.
    pub at: Ipv4Addr,
    pub to: SocketAddrV4,
    pub bytes: Vec<u8>,
}

/// What one Ping brings.
#[derive(Debug, Default)]
pub struct Answered {
    /// What leaves, and after how long.
    pub packets: Vec<(Duration, Packet)>,
    /// How many of them the weather added.
    pub added: usize,
}

/// What was lost and is to come behind the next answer of its peer.
#[derive(Debug, Default)]
pub struct Late(HashMap<u32, Vec<Packet>>);

impl Late {
    /// What the Ping of this number brings, `lost` or not.
    pub fn answer(
        &mut self,
        settings: &Settings,
        pinged: &Pinged,
        nth: u32,
        lost: bool,
    ) -> Answered {
        let Settings { seed, weather, .. } = *settings;
        let Pinged { number, manner, at, from, .. } = *pinged;
        let keeps = lost && weather.reorders(seed, number);
        if lost && !keeps {
            return Answered::default();
        }
        let packet = |bytes| Packet {
            other_port: manner == Manner::OtherPort,
            at: *at.ip(),
            to: from,
            bytes,
        };
        let mut packets: Vec<_> = pinged.answer(settings).into_iter().map(packet).collect();
        if keeps {
            self.0.entry(number).or_default().extend(packets);
            return Answered::default();
        }
        let own = packets.len();
        if weather.duplicates(seed, number) {
            packets.extend_from_within(..);
        }
        packets.extend(self.0.remove(&number).unwrap_or_default());
        let added = packets.len() - own;
        let delay = |copy| weather.delay(seed, number, nth, copy);
        let packets = (0..).zip(packets).map(|(copy, packet)| (delay(copy), packet)).collect();
        Answered { packets, added }
    }
}
