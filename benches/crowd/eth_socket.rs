//! One UDP socket that is at home at every address: the kernel says at which of them a datagram came
//! (`IP_PKTINFO`), and sends the answer from there.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};

use nix::libc::{in_addr, in_pktinfo};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, sendmsg, setsockopt,
    sockopt,
};

/// What is asked for as buffers, in bytes; what is granted is what there is.
const BUFFER: usize = 8 << 20;
/// Longer datagrams are cut; a prober sends none.
const LONGEST: usize = 2048;

/// The socket.
pub struct AnywhereSocket {
    socket: UdpSocket,
    /// Its port, at all addresses.
    pub port: u16,
}

/// What a datagram is read into.
pub struct Buffer {
    bytes: [u8; LONGEST],
    control: Vec<u8>,
}

impl Buffer {
    /// An empty one.
    pub fn new() -> Self {
        Buffer { bytes: [0; LONGEST], control: nix::cmsg_space!(in_pktinfo) }
    }
}

/// A datagram that came.
pub struct Datagram<'a> {
    /// The address of ours that it was for.
    pub at: Ipv4Addr,
    /// Who sent it.
    pub from: SocketAddrV4,
    /// All of it.
    pub bytes: &'a [u8],
}

impl AnywhereSocket {
    /// Binds it; port 0 takes a free one.
    pub fn bind(port: u16) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))?;
        setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
        setsockopt(&socket, sockopt::RcvBuf, &BUFFER)?;
        setsockopt(&socket, sockopt::SndBuf, &BUFFER)?;
        let port = socket.local_addr()?.port();
        Ok(AnywhereSocket { socket, port })
    }

    /// Its address, and the inode by which the system's table knows it.
    pub fn in_table(&self) -> io::Result<(SocketAddr, u64)> {
        Ok((self.socket.local_addr()?, nix::sys::stat::fstat(&self.socket)?.st_ino))
    }

    /// Waits until there is something to read, or no longer than this.
    pub fn wait(&self, timeout: PollTimeout) {
        let mut fds = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        // Interrupted or not: whoever waits looks what there is.
        let _ = poll(&mut fds, timeout);
    }

    /// Reads a datagram, if one is there.
    pub fn receive<'a>(&self, buffer: &'a mut Buffer) -> Option<Datagram<'a>> {
        let Buffer { bytes, control } = buffer;
        let mut parts = [IoSliceMut::new(bytes)];
        let (fd, flags) = (self.socket.as_raw_fd(), MsgFlags::MSG_DONTWAIT);
        let message = recvmsg::<SockaddrIn>(fd, &mut parts, Some(control), flags).ok()?;
        let at = message.cmsgs().ok()?.find_map(|control| match control {
            ControlMessageOwned::Ipv4PacketInfo(info) => {
                Some(Ipv4Addr::from(info.ipi_addr.s_addr.to_ne_bytes()))
            }
            _ => None,
        })?;
        let from = SocketAddrV4::from(message.address?);
        let length = message.bytes;
        Some(Datagram { at, from, bytes: &bytes[..length] })
    }

    /// Sends a datagram from one of our addresses.
    pub fn send(&self, at: Ipv4Addr, to: SocketAddrV4, bytes: &[u8]) -> io::Result<()> {
        let info = in_pktinfo {
            ipi_ifindex: 0,
            ipi_spec_dst: in_addr { s_addr: u32::from_ne_bytes(at.octets()) },
            ipi_addr: in_addr { s_addr: 0 },
        };
        let parts = [IoSlice::new(bytes)];
        let control = [ControlMessage::Ipv4PacketInfo(&info)];
        let (fd, to) = (self.socket.as_raw_fd(), SockaddrIn::from(to));
        sendmsg(fd, &parts, &control, MsgFlags::empty(), Some(&to))?;
        Ok(())
    }
}
