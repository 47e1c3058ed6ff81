//! A network address as a version message has it (Core `protocol.h`, CAddress without its time).

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::codec::{DecodeError, Reader};

/// `services ‖ ip ‖ port`, 26 bytes: the services little end first, the port big end first. The IP address is
/// kept as it stands, in 16 bytes, so that the same bytes come out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NetAddr {
    /// What is said to be served there.
    pub services: u64,
    /// An IPv4 address is mapped: `::ffff:a.b.c.d`.
    pub ip: Ipv6Addr,
    /// The port.
    pub port: u16,
}

impl NetAddr {
    /// Bytes that it takes.
    pub const SIZE: usize = 26;

    /// An address with its services.
    pub fn new(services: u64, addr: SocketAddr) -> Self {
        let ip = match addr.ip() {
            IpAddr::V4(v4) => v4.to_ipv6_mapped(),
            IpAddr::V6(v6) => v6,
        };
        NetAddr { services, ip, port: addr.port() }
    }

    /// `[::]:0`: what Core sends where it would stand itself.
    pub fn unspecified(services: u64) -> Self {
        NetAddr { services, ip: Ipv6Addr::UNSPECIFIED, port: 0 }
    }

    /// The address, a mapped one as IPv4.
    pub fn socket_addr(&self) -> SocketAddr {
        SocketAddr::new(self.ip.to_canonical(), self.port)
    }

    /// Decodes services, IP address and port, in `fields`' words.
    ///
    /// # Errors
    /// [`Fault::Truncated`](crate::codec::Fault::Truncated).
    pub fn decode(
        r: &mut Reader<'_>,
        [services, ip, port]: [&'static str; 3],
    ) -> Result<Self, DecodeError> {
        Ok(NetAddr {
            services: r.le_u64(services)?,
            ip: r.array::<16>(ip)?.into(),
            port: r.be_u16(port)?,
        })
    }

    /// Appends the 26 bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.services.to_le_bytes());
        out.extend_from_slice(&self.ip.octets());
        out.extend_from_slice(&self.port.to_be_bytes());
    }
}
