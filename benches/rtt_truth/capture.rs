//! Pings and Pongs as the kernel sees them pass on loopback.

use std::collections::HashMap;
use std::io::{self, IoSliceMut};
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::libc::timespec;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::socket::sockopt::{RcvBuf, ReceiveTimestampns};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockProtocol, SockType, recvmsg,
    setsockopt, socket,
};

/// What is asked for as a buffer, in bytes.
const BUFFER: usize = 64 << 20;
/// Bytes of a packet that are looked at: the headers, and what of the packet tells its type.
const LOOKED_AT: usize = 256;
/// How often is looked whether it is to end, in milliseconds.
const TICK_MS: u8 = 20;
/// Where an IPv4 header has the protocol, and both addresses.
const PROTOCOL_AT: usize = 9;
const UDP: u8 = 17;
const FROM_AT: usize = 12;
const TO_AT: usize = 16;
/// Where a discv4 packet has its type, behind a UDP header: hash and signature come before it.
const TYPE_AT: usize = 8 + 32 + 65;

/// When the first Ping to an address passed, and the first Pong from there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Passed {
    pub ping: Option<Duration>,
    pub pong: Option<Duration>,
}

/// A capture at work.
pub struct Capture {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<HashMap<Ipv4Addr, Passed>>>,
}

impl Capture {
    /// Starts it, for peers with this port.
    ///
    /// # Errors
    /// Those of the system: it takes the right to open raw sockets.
    pub fn start(port: u16) -> io::Result<Self> {
        // Without the link's header, from all interfaces: only loopback carries the port of the crowd.
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let kind = SockType::Datagram;
        let fd = socket(AddressFamily::Packet, kind, flags, SockProtocol::EthAll)?;
        setsockopt(&fd, ReceiveTimestampns, &true)?;
        setsockopt(&fd, RcvBuf, &BUFFER)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || run(&fd, port, &stopped));
        Ok(Capture { stop, thread })
    }

    /// Ends it, and gives what passed by the peers' addresses.
    ///
    /// # Errors
    /// Those of the system.
    pub fn end(self) -> io::Result<HashMap<Ipv4Addr, Passed>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the capture")
    }
}

fn run(fd: &OwnedFd, port: u16, stop: &AtomicBool) -> io::Result<HashMap<Ipv4Addr, Passed>> {
    let mut seen: HashMap<Ipv4Addr, Passed> = HashMap::new();
    let mut buffer = [0; LOOKED_AT];
    let mut control = nix::cmsg_space!(timespec);
    loop {
        let mut parts = [IoSliceMut::new(&mut buffer)];
        let flags = MsgFlags::MSG_DONTWAIT;
        match recvmsg::<()>(fd.as_raw_fd(), &mut parts, Some(&mut control), flags) {
            Ok(message) => {
                let stamp = message.cmsgs()?.find_map(|control| match control {
                    ControlMessageOwned::ScmTimestampns(at) => Some(Duration::from(at)),
                    _ => None,
                });
                let length = message.bytes;
                if let (Some(at), Some(packet)) = (stamp, read(&buffer[..length], port)) {
                    let (peer, is_ping) = packet;
                    let passed = seen.entry(peer).or_default();
                    let first = if is_ping { &mut passed.ping } else { &mut passed.pong };
                    // Each passes twice, on its way out and on its way in.
                    first.get_or_insert(at);
                }
            }
            Err(nix::errno::Errno::EAGAIN) if stop.load(Ordering::Relaxed) => return Ok(seen),
            Err(nix::errno::Errno::EAGAIN) => {
                let mut fds = [PollFd::new(fd.as_fd(), PollFlags::POLLIN)];
                poll(&mut fds, TICK_MS)?;
            }
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// The peer's address, and whether it is a Ping, if it is one to a peer or a Pong of one.
fn read(packet: &[u8], port: u16) -> Option<(Ipv4Addr, bool)> {
    let words = usize::from(packet.first()? & 0xf);
    let udp = packet.get(4 * words..)?;
    if packet[0] >> 4 != 4 || packet.get(PROTOCOL_AT) != Some(&UDP) {
        return None;
    }
    let address = |at: usize| Some(Ipv4Addr::from(*packet.get(at..)?.first_chunk::<4>()?));
    let [from, to] = [0, 2].map(|at| udp.get(at..at + 2) == Some(&port.to_be_bytes()[..]));
    match udp.get(TYPE_AT)? {
        1 if to => Some((address(TO_AT)?, true)),
        2 if from => Some((address(FROM_AT)?, false)),
        _ => None,
    }
}
