//! Peers by their numbers: their addresses, and what is drawn for each.

use std::net::Ipv4Addr;

/// Where the addresses begin: 127.16.0.0. Below it is what others on this machine use.
const FIRST_NET: u32 = 16;
/// Hosts of a net of 256 addresses: none ends with 0 or 255, though loopback would not mind.
const HOSTS: u32 = 250;

/// The address of a peer: a different one for each of the first 15 million.
pub fn address(number: u32) -> Ipv4Addr {
    let (net, host) = (number / HOSTS, number % HOSTS + 1);
    let [_, _, third, host] = [0, 0, net % HOSTS + 1, host].map(|octet| octet as u8);
    Ipv4Addr::new(127, (FIRST_NET + net / HOSTS) as u8, third, host)
}

/// The number of the peer at an address.
pub fn number(of: Ipv4Addr) -> Option<u32> {
    let [_, second, third, host] = of.octets().map(u32::from);
    let net = second.checked_sub(FIRST_NET)? * HOSTS + third.checked_sub(1)?;
    let number = net * HOSTS + host.checked_sub(1)?;
    (address(number) == of).then_some(number)
}

/// What is drawn for a peer. Each kind of draw is independent of the others.
#[derive(Clone, Copy, Debug)]
pub enum Draw {
    /// Whether its line is a bad one.
    BadLine = 1,
    /// What it is on the whole.
    Group,
    /// What it does in particular.
    Kind,
    /// Whether any of its exchanges are lost, and how many.
    Lossy,
    Lost,
    /// Whether what it sends comes twice, or late.
    Duplicated,
    Reordered,
    /// How long it takes, on top of what all take.
    Jitter,
    /// Whatever else is of no consequence.
    Detail,
}

/// A number that follows from these alone, and looks as if it did not (SplitMix64).
pub fn draw(seed: u64, number: u32, what: Draw) -> u64 {
    let mut z = seed
        .wrapping_mul(0x2545_f491_4f6c_dd1d)
        .wrapping_add(u64::from(number) << 8 | what as u64)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// True for so many peers of a thousand.
pub fn falls_to(seed: u64, number: u32, what: Draw, per_mille: u32) -> bool {
    draw(seed, number, what) % 1000 < u64::from(per_mille)
}

/// One of these.
pub fn pick<T: Copy>(seed: u64, number: u32, what: Draw, of: &[T]) -> T {
    of[(draw(seed, number, what) % of.len() as u64) as usize]
}
