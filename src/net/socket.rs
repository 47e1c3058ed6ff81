//! One bound UDP socket, with the options that make the difference between truth and lies.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc::{self, sock_extended_err, sockaddr_in, sockaddr_in6, timespec};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, SockaddrStorage, bind,
    connect, getsockname, getsockopt, recvmsg, sendto, setsockopt, socket, sockopt,
};
use tokio::io::Interest;

use crate::machine::{Icmp, IcmpKind};

/// What is asked for as receive buffer, in bytes. Systems grant less; what they grant is read back.
const RECEIVE_BUFFER: usize = 4 << 20;
/// What the kernel charges for one small datagram, in bytes.
const DATAGRAM_CHARGE: usize = 832;
/// The least that any kernel charges for one, in bytes.
const LEAST_CHARGE: usize = 512;
/// Answers that one Ping can bring: a Pong and the peer's own Ping. Half of the buffer is kept free.
const CHARGES_PER_PING: usize = 4;
/// The longest datagram that UDP can carry: none is ever cut, so that none is taken for another.
pub const MAX_DATAGRAM: usize = 65_535;

/// A datagram that was read.
pub struct Received {
    pub from: SocketAddr,
    pub len: usize,
    /// When the kernel took it, since the Unix epoch.
    pub stamp: Option<Duration>,
}

/// An ICMP error that was read; what it quotes is in the buffer.
pub struct ErrorReceived {
    pub to: SocketAddr,
    pub icmp: Icmp,
    pub len: usize,
}

/// The socket.
pub struct UdpSocket {
    /// The runtime's, for waiting; all else goes past it to the system.
    socket: tokio::net::UdpSocket,
    pub local: SocketAddr,
    pub inode: u64,
    /// How many datagrams the receive buffer can hold at the most.
    pub capacity: usize,
    /// How many Pings may leave between two reads.
    pub batch: usize,
    control: Vec<u8>,
}

impl UdpSocket {
    /// Opens and binds. Must be called within a runtime.
    pub fn bind(local: SocketAddr) -> Result<Self, Errno> {
        let fd = open(local)?;
        if local.is_ipv6() {
            setsockopt(&fd, sockopt::Ipv6V6Only, &true)?;
            setsockopt(&fd, sockopt::Ipv6RecvErr, &true)?;
        } else {
            setsockopt(&fd, sockopt::Ipv4RecvErr, &true)?;
        }
        setsockopt(&fd, sockopt::ReceiveTimestampns, &true)?;
        setsockopt(&fd, sockopt::RcvBuf, &RECEIVE_BUFFER)?;
        let granted = getsockopt(&fd, sockopt::RcvBuf)?;
        bind(fd.as_raw_fd(), &SockaddrStorage::from(local))?;
        let local = local_address(fd.as_raw_fd())?;
        let inode = nix::sys::stat::fstat(&fd)?.st_ino;
        let socket = tokio::net::UdpSocket::from_std(std::net::UdpSocket::from(fd))
            .map_err(|e| e.raw_os_error().map_or(Errno::EIO, Errno::from_raw))?;
        Ok(UdpSocket {
            socket,
            local,
            inode,
            capacity: granted / LEAST_CHARGE + 1,
            batch: (granted / DATAGRAM_CHARGE / CHARGES_PER_PING).max(1),
            control: cmsg_space!(timespec, sock_extended_err, sockaddr_in6),
        })
    }

    /// Waits until there is something to read, be it a datagram or an error.
    pub async fn readable(&self) {
        let interest = Interest::READABLE | Interest::ERROR;
        if self.socket.ready(interest).await.is_ok() {
            // What came before is about to be read; only what comes from here on is to wake us again. One
            // interest at a time: of two together the runtime clears none.
            for interest in [Interest::READABLE, Interest::ERROR] {
                let _: io::Result<()> =
                    self.socket.try_io(interest, || Err(io::ErrorKind::WouldBlock.into()));
            }
        }
    }

    /// Sends one datagram.
    pub fn send(&self, bytes: &[u8], to: SocketAddr) -> Result<(), Errno> {
        sendto(self.raw(), bytes, &SockaddrStorage::from(to), MsgFlags::MSG_DONTWAIT).map(drop)
    }

    /// Reads one datagram into `buf`.
    pub fn receive(&mut self, buf: &mut [u8]) -> Result<Received, Errno> {
        let mut parts = [IoSliceMut::new(buf)];
        let flags = MsgFlags::MSG_DONTWAIT;
        let fd = self.socket.as_raw_fd();
        let message = recvmsg::<SockaddrStorage>(fd, &mut parts, Some(&mut self.control), flags)?;
        let stamp = message.cmsgs().ok().into_iter().flatten().find_map(|control| match control {
            ControlMessageOwned::ScmTimestampns(at) => Some(Duration::from(at)),
            _ => None,
        });
        let from = message.address.as_ref().and_then(address).ok_or(Errno::EAFNOSUPPORT)?;
        Ok(Received { from, len: message.bytes, stamp })
    }

    /// Reads one ICMP error; `Ok(None)` for an entry of the error queue that is none.
    pub fn receive_error(&mut self, buf: &mut [u8]) -> Result<Option<ErrorReceived>, Errno> {
        let mut parts = [IoSliceMut::new(buf)];
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_ERRQUEUE;
        let fd = self.socket.as_raw_fd();
        let message = recvmsg::<SockaddrStorage>(fd, &mut parts, Some(&mut self.control), flags)?;
        let icmp = message.cmsgs().ok().into_iter().flatten().find_map(|control| match control {
            ControlMessageOwned::Ipv4RecvErr(error, offender) => icmp_v4(error, offender),
            ControlMessageOwned::Ipv6RecvErr(error, offender) => icmp_v6(error, offender),
            _ => None,
        });
        let to = message.address.as_ref().and_then(address);
        Ok(to.zip(icmp).map(|(to, icmp)| ErrorReceived { to, icmp, len: message.bytes }))
    }

    /// Our own address towards `to`, from the routing table. Sends nothing.
    pub fn address_towards(&self, to: SocketAddr) -> Result<SocketAddr, Errno> {
        if !self.local.ip().is_unspecified() {
            return Ok(self.local);
        }
        // A new one each time: a socket keeps the source address of its first connect.
        let router = open(self.local)?;
        connect(router.as_raw_fd(), &SockaddrStorage::from(to))?;
        let ip = local_address(router.as_raw_fd())?.ip();
        Ok(SocketAddr::new(ip, self.local.port()))
    }

    fn raw(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

fn open(like: SocketAddr) -> Result<OwnedFd, Errno> {
    let family = if like.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    socket(family, SockType::Datagram, flags, None)
}

fn local_address(fd: RawFd) -> Result<SocketAddr, Errno> {
    address(&getsockname::<SockaddrStorage>(fd)?).ok_or(Errno::EAFNOSUPPORT)
}

fn address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = storage.as_sockaddr_in().map(|sin| SocketAddr::V4(SocketAddrV4::from(*sin)));
    v4.or_else(|| storage.as_sockaddr_in6().map(|sin6| SocketAddr::V6(SocketAddrV6::from(*sin6))))
}

/// RFC 792: type 3 is "destination unreachable", its code 3 "port"; code 4 is a hint about the path's
/// packet size and no failure; type 11 is "time exceeded".
fn icmp_v4(error: sock_extended_err, offender: Option<sockaddr_in>) -> Option<Icmp> {
    let kind = match (error.ee_origin, error.ee_type, error.ee_code) {
        (libc::SO_EE_ORIGIN_ICMP, 3, 3) => IcmpKind::PortUnreachable,
        (libc::SO_EE_ORIGIN_ICMP, 3, 4) => return None,
        (libc::SO_EE_ORIGIN_ICMP, 3 | 11, _) => IcmpKind::HostUnreachable,
        _ => return None,
    };
    let from = offender
        .filter(|offender| offender.sin_family == libc::AF_INET as u16)
        .map(|offender| IpAddr::from(offender.sin_addr.s_addr.to_ne_bytes()));
    Some(Icmp { kind, icmp_type: error.ee_type, code: error.ee_code, from })
}

/// RFC 4443: type 1 is "destination unreachable", its code 4 "port"; type 3 is "time exceeded".
fn icmp_v6(error: sock_extended_err, offender: Option<sockaddr_in6>) -> Option<Icmp> {
    let kind = match (error.ee_origin, error.ee_type, error.ee_code) {
        (libc::SO_EE_ORIGIN_ICMP6, 1, 4) => IcmpKind::PortUnreachable,
        (libc::SO_EE_ORIGIN_ICMP6, 1 | 3, _) => IcmpKind::HostUnreachable,
        _ => return None,
    };
    let from = offender
        .filter(|offender| offender.sin6_family == libc::AF_INET6 as u16)
        .map(|offender| IpAddr::from(offender.sin6_addr.s6_addr));
    Some(Icmp { kind, icmp_type: error.ee_type, code: error.ee_code, from })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(origin: u8, icmp_type: u8, code: u8) -> sock_extended_err {
        sock_extended_err {
            ee_errno: 0,
            ee_origin: origin,
            ee_type: icmp_type,
            ee_code: code,
            ee_pad: 0,
            ee_info: 0,
            ee_data: 0,
        }
    }

    /// The type and code that an error is said to have are its own.
    fn kind(icmp_type: u8, code: u8, icmp: Option<Icmp>) -> Option<IcmpKind> {
        icmp.map(|icmp| {
            assert_eq!((icmp.icmp_type, icmp.code, icmp.from), (icmp_type, code, None));
            icmp.kind
        })
    }

    #[test]
    fn what_an_icmp_error_says() {
        const PORT: Option<IcmpKind> = Some(IcmpKind::PortUnreachable);
        const HOST: Option<IcmpKind> = Some(IcmpKind::HostUnreachable);
        let (v4, v6) = (libc::SO_EE_ORIGIN_ICMP, libc::SO_EE_ORIGIN_ICMP6);
        let local = libc::SO_EE_ORIGIN_LOCAL;
        for (origin, icmp_type, code, expected) in [
            (v4, 3, 3, PORT),
            (v4, 3, 0, HOST),
            (v4, 3, 1, HOST),
            (v4, 3, 13, HOST),
            (v4, 3, 4, None),
            (v4, 11, 0, HOST),
            (v4, 12, 0, None),
            (v6, 1, 4, None),
            (local, 3, 3, None),
        ] {
            let found = icmp_v4(error(origin, icmp_type, code), None);
            assert_eq!(kind(icmp_type, code, found), expected, "{origin}: {icmp_type}/{code}");
        }
        for (origin, icmp_type, code, expected) in [
            (v6, 1, 4, PORT),
            (v6, 1, 0, HOST),
            (v6, 3, 0, HOST),
            (v6, 2, 0, None),
            (v4, 3, 3, None),
            (local, 1, 4, None),
        ] {
            let found = icmp_v6(error(origin, icmp_type, code), None);
            assert_eq!(kind(icmp_type, code, found), expected, "{origin}: {icmp_type}/{code}");
        }
    }
}
