//! A well-behaved discv4 peer on loopback, on a thread of its own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use p2pprobe::codec::key::NodeKey;
use p2pprobe::discv4::{Endpoint, Message, Packet, Ping, Pong, packet};

/// How often the thread looks whether it is to end.
const TICK: Duration = Duration::from_millis(20);
/// The sequence number of the record that it says it has.
pub const ENR_SEQ: u64 = 7;

/// How it answers.
#[derive(Clone, Copy)]
pub struct Manner {
    /// Where it listens.
    pub ip: IpAddr,
    /// Its port; 0 takes a free one.
    pub port: u16,
    /// Pongs that it owes and does not send, from the first on.
    pub silent: usize,
    /// Whether it pings back, before its Pong.
    pub pings_back: bool,
    /// How many times too often it sends each Pong.
    pub copies: usize,
}

impl Default for Manner {
    fn default() -> Self {
        let ip = Ipv4Addr::LOCALHOST.into();
        Manner { ip, port: 0, silent: 0, pings_back: false, copies: 0 }
    }
}

/// The peer; it ends when this is dropped.
pub struct Peer {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its enode URL.
    pub enode: String,
    /// Its node ID.
    pub node_id: String,
    received: Arc<AtomicUsize>,
    pongs: Arc<AtomicUsize>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    /// A peer that answers every Ping.
    pub fn start() -> Self {
        Self::with(Manner::default())
    }

    /// A peer that never answers.
    pub fn silent() -> Self {
        Self::with(Manner { silent: usize::MAX, ..Manner::default() })
    }

    /// A peer of this manner.
    pub fn with(manner: Manner) -> Self {
        let socket = UdpSocket::bind((manner.ip, manner.port)).expect("a socket on loopback");
        socket.set_read_timeout(Some(TICK)).expect("a read timeout");
        let address = socket.local_addr().expect("its address");
        let mut secret = [0x42; 32];
        secret[..2].copy_from_slice(&address.port().to_be_bytes());
        let key = NodeKey::new(secret, [0; 32]).expect("a key");
        let enode = format!("enode://{}@{address}", key.public());
        let node_id = key.public().node_id().to_string();
        let (received, pongs, end) = <(Arc<_>, Arc<_>, Arc<AtomicBool>)>::default();
        let mut thread = Answering {
            socket,
            key,
            manner,
            received: Arc::clone(&received),
            pongs: Arc::clone(&pongs),
        };
        let thread = thread::spawn({
            let end = Arc::clone(&end);
            move || {
                while !end.load(Ordering::Relaxed) {
                    thread.turn();
                }
            }
        });
        Peer { address, enode, node_id, received, pongs, end, thread: Some(thread) }
    }

    /// How many datagrams came, of any kind.
    pub fn received(&self) -> usize {
        self.received.load(Ordering::SeqCst)
    }

    /// How many of them were Pongs.
    pub fn pongs(&self) -> usize {
        self.pongs.load(Ordering::SeqCst)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Answering {
    socket: UdpSocket,
    key: NodeKey,
    manner: Manner,
    received: Arc<AtomicUsize>,
    pongs: Arc<AtomicUsize>,
}

impl Answering {
    fn turn(&mut self) {
        let mut buffer = [0; 2048];
        let Ok((size, from)) = self.socket.recv_from(&mut buffer) else { return };
        self.received.fetch_add(1, Ordering::SeqCst);
        let packet = Packet::decode(&buffer[..size]).expect("what the program sends is a packet");
        match packet.message {
            Message::Ping(_) if self.manner.silent > 0 => self.manner.silent -= 1,
            Message::Ping(_) => {
                if self.manner.pings_back {
                    let ours = Endpoint::new(self.socket.local_addr().expect("its address"), 0);
                    self.send(from, &ping(ours, Endpoint::new(from, 0)));
                }
                for _ in 0..=self.manner.copies {
                    self.send(from, &pong(from, packet.hash));
                }
            }
            Message::Pong(_) => drop(self.pongs.fetch_add(1, Ordering::SeqCst)),
            other => panic!("the program sent {other:?}"),
        }
    }

    fn send(&self, to: SocketAddr, message: &Message) {
        let mut bytes = Vec::new();
        packet::encode(message, &self.key, None, &mut bytes);
        // The program may have ended.
        let _ = self.socket.send_to(&bytes, to);
    }
}

fn ping(from: Endpoint, to: Endpoint) -> Message {
    Message::Ping(Ping { version: 4, from, to, expiration: expiration(), enr_seq: None })
}

fn pong(to: SocketAddr, ping_hash: [u8; packet::HASH_SIZE]) -> Message {
    let to = Endpoint::new(to, 0);
    Message::Pong(Pong { to, ping_hash, expiration: expiration(), enr_seq: Some(ENR_SEQ) })
}

fn expiration() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.expect("a clock after 1970").as_secs() + 20
}
