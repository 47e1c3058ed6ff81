//! Whose turn it is: tries at one IP address are spaced, whatever target they are for.

use std::net::IpAddr;
use std::time::Duration;

use foldhash::HashMap;

use crate::machine::Mono;

/// Addresses whose turn has passed that are kept at least; more of them are forgotten from time to time.
const KEPT: usize = 1024;

/// The turns of all IP addresses of a run.
#[derive(Clone, Debug)]
pub struct HostTurns {
    interval: Duration,
    hosts: HashMap<IpAddr, Host>,
    /// How many addresses may be known before those are forgotten that bind nobody any more.
    limit: usize,
}

/// An address.
#[derive(Clone, Copy, Debug, Default)]
struct Host {
    /// The next turn that nobody has reserved.
    next: Mono,
    /// The end of the rest after the last try.
    rested: Mono,
}

impl HostTurns {
    /// At least `interval` between two tries at one address.
    pub fn new(interval: Duration) -> Self {
        HostTurns { interval, hosts: HashMap::default(), limit: KEPT }
    }

    /// Reserves the next turn of an address that is not before `earliest`: `earliest` itself if it is free.
    pub fn reserve(&mut self, now: Mono, ip: IpAddr, earliest: Mono) -> Mono {
        if self.interval.is_zero() {
            return earliest;
        }
        if self.hosts.len() >= self.limit {
            // Who has rested binds nobody; there is one for each address of a whole run.
            self.hosts.retain(|_, host| host.next.max(host.rested) > now);
            self.limit = 2 * self.hosts.len() + KEPT;
        }
        let host = self.hosts.entry(ip).or_default();
        let at = earliest.max(host.next);
        host.next = at + self.interval;
        at
    }

    /// Begins a try whose turn has come. A try may have had to wait for something else after that, so that another one
    /// was begun just before it.
    ///
    /// # Errors
    /// When the address will have had its rest, where it has not.
    pub fn begin(&mut self, now: Mono, ip: IpAddr) -> Result<(), Mono> {
        if self.interval.is_zero() {
            return Ok(());
        }
        let host = self.hosts.entry(ip).or_default();
        if host.rested > now {
            return Err(host.rested);
        }
        host.rested = now + self.interval;
        Ok(())
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
    fn who_comes_late_does_not_come_together_with_others() {
        let mut turns = HostTurns::new(Duration::from_secs(1));
        let ip = IpAddr::from([127, 0, 0, 1]);
        let reserved = [ip; 3].map(|ip| turns.reserve(at(0), ip, at(0)));
        assert_eq!(reserved, [at(0), at(1000), at(2000)]);
        // All three had to wait for something else.
        assert_eq!(turns.begin(at(5000), ip), Ok(()));
        assert_eq!(turns.begin(at(5000), ip), Err(at(6000)));
        assert_eq!(turns.begin(at(5000), ip), Err(at(6000)));
        assert_eq!(turns.begin(at(6000), ip), Ok(()));
        assert_eq!(turns.begin(at(6001), ip), Err(at(7000)));
    }

    #[test]
    fn addresses_are_forgotten_once_their_turn_has_passed() {
        let mut turns = HostTurns::new(Duration::from_millis(10));
        for number in 0..100_000_u32 {
            let now = at(u64::from(number));
            turns.reserve(now, IpAddr::from(number.to_be_bytes()), now);
            assert!(turns.hosts.len() <= KEPT + 30);
        }
    }
}
