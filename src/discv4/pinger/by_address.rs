//! Which jobs have a target at an address.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use crate::machine::JobId;

/// Jobs by the IP addresses of their targets, and then by all of their addresses: one set for both questions, since
/// nearly every address has one job.
#[derive(Debug, Default)]
pub(super) struct ByAddress(BTreeSet<(IpAddr, SocketAddr, JobId)>);

impl ByAddress {
    pub fn insert(&mut self, to: SocketAddr, id: JobId) {
        self.0.insert((to.ip(), to, id));
    }

    pub fn remove(&mut self, to: SocketAddr, id: JobId) {
        self.0.remove(&(to.ip(), to, id));
    }

    /// The jobs whose target is at exactly that address.
    pub fn at(&self, to: SocketAddr) -> impl Iterator<Item = JobId> {
        let from = (to.ip(), to, JobId(0));
        self.0.range(from..).take_while(move |(_, at, _)| *at == to).map(|(.., id)| *id)
    }

    /// The jobs whose target is at that IP address, whatever its port is.
    pub fn at_ip(&self, ip: IpAddr) -> impl Iterator<Item = JobId> {
        let from = (ip, SocketAddr::new(ip, 0), JobId(0));
        self.0.range(from..).take_while(move |(at, ..)| *at == ip).map(|(.., id)| *id)
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_found_by_either_address() {
        let mut jobs = ByAddress::default();
        let all = ["[::1]:9", "[::2]:8", "127.0.0.1:1", "127.0.0.1:65535", "127.0.0.2:1"];
        for (id, to) in (1..).zip(all).chain([(6, "127.0.0.1:1")]) {
            jobs.insert(to.parse().unwrap(), JobId(id));
        }
        let at = |jobs: &ByAddress, to: &str| -> Vec<u64> {
            jobs.at(to.parse().unwrap()).map(|id| id.0).collect()
        };
        let at_ip =
            |ip: &str| -> Vec<u64> { jobs.at_ip(ip.parse().unwrap()).map(|id| id.0).collect() };
        assert_eq!(at(&jobs, "127.0.0.1:1"), [3, 6]);
        assert_eq!(at(&jobs, "127.0.0.1:2"), [0; 0]);
        assert_eq!(at_ip("127.0.0.1"), [3, 6, 4]);
        assert_eq!((at_ip("::1"), at_ip("::3")), (vec![1], vec![]));
        jobs.remove("127.0.0.1:1".parse().unwrap(), JobId(3));
        assert_eq!(at(&jobs, "127.0.0.1:1"), [6]);
    }
}
