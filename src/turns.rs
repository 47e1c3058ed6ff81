//! Whose turn it is: tries at one IP address are spaced, whatever target they are for.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::machine::Mono;

/// Addresses whose turn has passed that are kept at least; more of them are forgotten from time to time.
const KEPT: usize = 1024;

/// The turns of all IP addresses of a run.
#[derive(Clone, Debug)]
pub struct HostTurns {
    interval: Duration,
    next: HashMap<IpAddr, Mono>,
    /// How many addresses may be known before those are forgotten whose turn has passed.
    limit: usize,
}

impl HostTurns {
    /// At least `interval` between two tries at one address.
    pub fn new(interval: Duration) -> Self {
        HostTurns { interval, next: HashMap::new(), limit: KEPT }
    }

    /// Reserves the next turn of an address that is not before `earliest`: `earliest` itself if it is free.
    pub fn reserve(&mut self, now: Mono, ip: IpAddr, earliest: Mono) -> Mono {
        if self.interval.is_zero() {
            return earliest;
        }
        if self.next.len() >= self.limit {
            // Turns that have passed bind nobody; there is one for each address of a whole run.
            self.next.retain(|_, next| *next > now);
            self.limit = 2 * self.next.len() + KEPT;
        }
        let next = self.next.entry(ip).or_default();
        let at = earliest.max(*next);
        *next = at + self.interval;
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Mono {
        Mono(Duration::from_millis(ms))
    }

    #[test]
    fn each_address_has_turns_of_its_own() {
        let mut turns = HostTurns::new(Duration::from_secs(1));
        let (one, two) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let reserved = [one, one, two, one].map(|ip| turns.reserve(at(50), ip, at(50)));
        assert_eq!(reserved, [at(50), at(1050), at(50), at(2050)]);
        assert_eq!(turns.reserve(at(60), two, at(5000)), at(5000));
        assert_eq!(turns.reserve(at(60), two, at(60)), at(6000));
    }

    #[test]
    fn addresses_are_forgotten_once_their_turn_has_passed() {
        let mut turns = HostTurns::new(Duration::from_millis(10));
        for number in 0..100_000_u32 {
            let now = at(u64::from(number));
            turns.reserve(now, IpAddr::from(number.to_be_bytes()), now);
            assert!(turns.next.len() <= KEPT + 30);
        }
    }
}
