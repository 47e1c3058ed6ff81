//! The least that a handshake can cost: non-blocking sockets and epoll, with bytes that were made beforehand, and no
//! questions asked.

use std::io;
use std::net::SocketAddrV4;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrIn, connect, recv, send, socket,
};

/// Events that are taken at once.
const EVENTS: usize = 1024;
/// Bytes that are read at once: a peer of the crowd has no more to say.
const READ_SIZE: usize = 512;

/// What is said to each peer.
pub struct Words {
    /// First of all.
    pub version: Vec<u8>,
    /// Once its version and verack have come.
    pub rest: Vec<u8>,
    /// With what its greeting ends.
    pub verack: Vec<u8>,
    /// How long its last word is.
    pub pong: usize,
}

/// What is waited for.
enum Stage {
    Connect,
    Greeting,
    Pong,
}

struct Connection {
    fd: OwnedFd,
    stage: Stage,
}

/// Shakes hands with all of them, so many at a time.
///
/// # Errors
/// Those of the system.
pub fn run(targets: &[SocketAddrV4], concurrency: usize, words: &Words) -> io::Result<()> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let mut left = targets.iter();
    let mut slots = Vec::with_capacity(concurrency);
    for to in left.by_ref().take(concurrency) {
        slots.push(open(&epoll, slots.len(), *to)?);
    }
    let mut done = 0;
    let mut events = [EpollEvent::empty(); EVENTS];
    while done < targets.len() {
        let count = epoll.wait(&mut events, EpollTimeout::NONE)?;
        for event in &events[..count] {
            let slot = event.data() as usize;
            if !advance(&mut slots[slot], words)? {
                continue;
            }
            done += 1;
            if let Some(to) = left.next() {
                // The old one is closed, and that takes it out of the epoll.
                slots[slot] = open(&epoll, slot, *to)?;
            }
        }
    }
    Ok(())
}

fn open(epoll: &Epoll, slot: usize, to: SocketAddrV4) -> io::Result<Connection> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let fd = socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
    match connect(fd.as_raw_fd(), &SockaddrIn::from(to)) {
        Ok(()) | Err(Errno::EINPROGRESS) => {}
        Err(errno) => return Err(errno.into()),
    }
    let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLET;
    epoll.add(&fd, EpollEvent::new(flags, slot as u64))?;
    Ok(Connection { fd, stage: Stage::Connect })
}

/// Says or reads what is due. True once the pong has come.
fn advance(connection: &mut Connection, words: &Words) -> io::Result<bool> {
    let fd = connection.fd.as_raw_fd();
    let mut buffer = [0; READ_SIZE];
    connection.stage = match connection.stage {
        Stage::Connect => {
            send(fd, &words.version, MsgFlags::MSG_NOSIGNAL)?;
            Stage::Greeting
        }
        Stage::Greeting => {
            // Whoever may send again only has nothing to read yet.
            let Some(read) = read(fd, &mut buffer)? else { return Ok(false) };
            // It was written at once, and is read at once.
            assert!(buffer[..read].ends_with(&words.verack), "a greeting in pieces");
            send(fd, &words.rest, MsgFlags::MSG_NOSIGNAL)?;
            Stage::Pong
        }
        Stage::Pong => {
            let Some(read) = read(fd, &mut buffer)? else { return Ok(false) };
            assert_eq!(read, words.pong, "no pong");
            return Ok(true);
        }
    };
    Ok(false)
}

fn read(fd: i32, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    match recv(fd, buffer, MsgFlags::empty()) {
        Ok(read) => Ok(Some(read)),
        Err(Errno::EAGAIN) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}
