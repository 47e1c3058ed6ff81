//! `[ip, udp-port, tcp-port]`, as Ping and Pong carry it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::codec::rlp::{self, RlpStream};
use crate::codec::{DecodeError, Reader};

/// Where a node says that it, or its peer, is (discv4 §Packet Data, `endpoint`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `None` where the field is neither 4 nor 16 bytes long: geth sends none when it knows no address,
    /// and takes any length.
    pub ip: Option<IpAddr>,
    /// UDP port; 0 where unknown.
    pub udp: u16,
    /// TCP port; 0 where there is none.
    pub tcp: u16,
}

impl Endpoint {
    /// The endpoint of a UDP address. IPv4-mapped IPv6 becomes IPv4, as the wire has it.
    pub fn new(udp: SocketAddr, tcp: u16) -> Self {
        Endpoint { ip: Some(udp.ip().to_canonical()), udp: udp.port(), tcp }
    }

    /// Takes `[ip, udp, tcp]`. Exactly three elements: clients refuse more.
    pub(super) fn decode(
        r: &mut Reader<'_>,
        [list, ip, udp, tcp]: [&'static str; 4],
    ) -> Result<Self, DecodeError> {
        let mut r = rlp::list(r, list)?;
        let ip = ip_from_bytes(rlp::string(&mut r, ip)?);
        let endpoint = Endpoint { ip, udp: rlp::u16(&mut r, udp)?, tcp: rlp::u16(&mut r, tcp)? };
        r.end(list)?;
        Ok(endpoint)
    }

    pub(super) fn encode(&self, out: &mut RlpStream) {
        out.begin_list(3);
        append_ip(out, self.ip);
        out.append(&self.udp).append(&self.tcp);
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            Some(ip) => write!(f, "{}", SocketAddr::new(ip, self.udp)),
            None => write!(f, "?:{}", self.udp),
        }
    }
}

/// An address from its 4 or 16 bytes; `None` for any other length.
pub(super) fn ip_from_bytes(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(v4));
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

pub(super) fn append_ip(out: &mut RlpStream, ip: Option<IpAddr>) {
    match ip {
        None => out.append_empty_data(),
        Some(IpAddr::V4(ip)) => out.append(&ip.octets().as_slice()),
        Some(IpAddr::V6(ip)) => out.append(&ip.octets().as_slice()),
    };
}
