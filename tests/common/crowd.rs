//! A thousand peers on one socket: each has an address of its own in 127.0.0.0/8, and the kernel says which of
//! them a datagram was for (`IP_PKTINFO`), and sends the answer from there.

use std::collections::HashMap;
use std::io::{IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::libc::in_pktinfo;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, sendmsg, setsockopt,
    sockopt,
};

/// How long a crowd lives at most.
const MAX_LIFE: Duration = Duration::from_secs(60);

/// A running crowd; it ends when this is dropped.
pub struct Crowd {
    /// The port of all of them.
    pub port: u16,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Crowd {
    /// `answer` is given what came and makes the answer of the peer at an address, if it is to give one, or several.
    pub fn start<A: IntoIterator<Item = Vec<u8>>>(
        mut answer: impl FnMut(Ipv4Addr, SocketAddr, &[u8]) -> A + Send + 'static,
    ) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a socket");
        setsockopt(&socket, sockopt::Ipv4PacketInfo, &true).expect("IP_PKTINFO");
        // Many targets are pinged at once; what is granted is what there is.
        let _ = setsockopt(&socket, sockopt::RcvBuf, &(4 << 20));
        socket.set_read_timeout(Some(Duration::from_millis(10))).expect("read timeout");
        let port = socket.local_addr().expect("its address").port();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            let end = Instant::now() + MAX_LIFE;
            while !stopped.load(Ordering::Relaxed) && Instant::now() < end {
                let Some((at, from, bytes)) = receive(&socket) else { continue };
                for packet in answer(at, from, &bytes) {
                    send(&socket, at, from, &packet);
                }
            }
        });
        Crowd { port, stop, thread: Some(thread) }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "the crowd's script failed");
        }
    }
}

fn receive(socket: &UdpSocket) -> Option<(Ipv4Addr, SocketAddr, Vec<u8>)> {
    let mut buffer = [0; 2048];
    let mut control = nix::cmsg_space!(in_pktinfo);
    let mut parts = [IoSliceMut::new(&mut buffer)];
    let fd = socket.as_raw_fd();
    let message =
        recvmsg::<SockaddrIn>(fd, &mut parts, Some(&mut control), MsgFlags::empty()).ok()?;
    let at = message.cmsgs().ok()?.find_map(|control| match control {
        ControlMessageOwned::Ipv4PacketInfo(info) => {
            Some(Ipv4Addr::from(info.ipi_addr.s_addr.to_ne_bytes()))
        }
        _ => None,
    })?;
    let from = SocketAddr::V4(SocketAddrV4::from(message.address?));
    let len = message.bytes;
    Some((at, from, buffer[..len].to_vec()))
}

fn send(socket: &UdpSocket, at: Ipv4Addr, to: SocketAddr, bytes: &[u8]) {
    let SocketAddr::V4(to) = to else { return };
    let from = nix::libc::in_addr { s_addr: u32::from_ne_bytes(at.octets()) };
    let info = in_pktinfo {
        ipi_ifindex: 0,
        ipi_spec_dst: from,
        ipi_addr: nix::libc::in_addr { s_addr: 0 },
    };
    let parts = [IoSlice::new(bytes)];
    let control = [ControlMessage::Ipv4PacketInfo(&info)];
    let to = SockaddrIn::from(to);
    let _ = sendmsg(socket.as_raw_fd(), &parts, &control, MsgFlags::empty(), Some(&to));
}

/// How often each value came.
pub fn counts<'a>(values: impl Iterator<Item = &'a str>) -> HashMap<&'a str, usize> {
    let mut counts = HashMap::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    counts
}
