//! A peer that does what a test tells it: a UDP socket on loopback and a closure that is handed each
//! datagram. It ends when it is dropped or [finished](Scripted::finish), after [`MAX_LIFE`], or after
//! [`MAX_DATAGRAMS`].

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use p2pprobe::codec::key::{NodeKey, PublicKey};
use p2pprobe::discv4::{Enode, Message, Packet, Ping, Pong};
use p2pprobe::host::Host;

use super::wire;

/// How long a peer lives at most.
const MAX_LIFE: Duration = Duration::from_secs(60);
/// How many datagrams it takes at most.
const MAX_DATAGRAMS: usize = 10_000;
/// How often it looks whether it is to end; then it first takes what has arrived.
const TICK: Duration = Duration::from_millis(10);

/// A running peer.
pub struct Scripted {
    pub addr: SocketAddr,
    pub key: Arc<NodeKey>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Got>>>,
}

/// A datagram that came to the peer.
#[derive(Clone, Debug)]
pub struct Got {
    pub from: SocketAddr,
    pub bytes: Vec<u8>,
    /// The packet's hash, who signed it, and what it says. A peer here gets nothing but right packets.
    pub hash: [u8; 32],
    pub signer: PublicKey,
    pub message: Message,
    /// How many packets of its kind came, with this one.
    pub nth: usize,
}

/// What the closure acts with.
pub struct Stage {
    pub socket: UdpSocket,
    /// A second socket of the same host.
    pub other: UdpSocket,
    pub key: Arc<NodeKey>,
    pub addr: SocketAddr,
}

impl Scripted {
    /// A peer on 127.0.0.1 with the key of this number. `act` is called with each Ping, other packets are
    /// only kept.
    pub fn start(number: u32, act: impl FnMut(&Stage, &Got) + Send + 'static) -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), number, act)
    }

    /// The same on another address of this machine.
    pub fn start_at(
        ip: IpAddr,
        number: u32,
        mut act: impl FnMut(&Stage, &Got) + Send + 'static,
    ) -> Self {
        let socket = UdpSocket::bind((ip, 0)).expect("a socket on loopback");
        let other = UdpSocket::bind((ip, 0)).expect("a socket on loopback");
        let addr = socket.local_addr().expect("its address");
        let key = Arc::new(wire::key(number));
        socket.set_read_timeout(Some(TICK)).expect("read timeout");
        let stop = Arc::new(AtomicBool::new(false));
        let stage = Stage { socket, other, key: key.clone(), addr };
        let stopped = stop.clone();
        let thread = thread::spawn(move || serve(&stage, &stopped, &mut act));
        Scripted { addr, key, stop, thread: Some(thread) }
    }

    /// A peer that answers each Ping as it should, and does not ping back.
    pub fn honest(number: u32) -> Self {
        Self::answering(number, Stage::pong)
    }

    /// A peer that answers each Ping with what `answer` makes of it.
    pub fn answering(
        number: u32,
        mut answer: impl FnMut(&Stage, &Got) -> Vec<u8> + Send + 'static,
    ) -> Self {
        Self::start(number, move |stage, got| {
            let bytes = answer(stage, got);
            stage.reply(got, &bytes);
        })
    }

    /// Its enode URL, with TCP port 0.
    pub fn enode(&self) -> String {
        self.enode_with(&self.key, 0)
    }

    /// An enode URL of its address.
    pub fn enode_with(&self, key: &NodeKey, tcp: u16) -> String {
        let host = Host::Ip(self.addr.ip());
        Enode { key: *key.public(), host, tcp, udp: self.addr.port() }.to_string()
    }

    /// Its bare address.
    pub fn bare(&self) -> String {
        self.addr.to_string()
    }

    /// Its node ID, as hex.
    pub fn id(&self) -> String {
        self.key.public().node_id().to_string()
    }

    /// Ends it, and gives all that came.
    pub fn finish(mut self) -> Vec<Got> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().expect("not finished yet").join().expect("the peer's script")
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            // A panic within a panic would end the test without a word.
            assert!(ended.is_ok() || thread::panicking(), "the peer's script failed");
        }
    }
}

fn serve(stage: &Stage, stop: &AtomicBool, act: &mut dyn FnMut(&Stage, &Got)) -> Vec<Got> {
    let end = Instant::now() + MAX_LIFE;
    let mut all: Vec<Got> = Vec::new();
    let mut buffer = [0; 2048];
    while Instant::now() < end && all.len() < MAX_DATAGRAMS {
        let Ok((len, from)) = stage.socket.recv_from(&mut buffer) else {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            continue;
        };
        let bytes = buffer[..len].to_vec();
        let packet = Packet::decode(&bytes).expect("a packet that can be read");
        let signer = packet.signer().expect("a signature by someone");
        let (hash, message) = (packet.hash, packet.message);
        let nth = 1 + all.iter().filter(|got| got.message.code() == message.code()).count();
        let got = Got { from, hash, signer, message, nth, bytes };
        if matches!(got.message, Message::Ping(_)) {
            act(stage, &got);
        }
        all.push(got);
    }
    all
}

impl Got {
    /// The Ping that it must be.
    pub fn ping(&self) -> &Ping {
        match &self.message {
            Message::Ping(ping) => ping,
            other => panic!("a Ping was due, not {other:?}"),
        }
    }
}

/// The Pings among them.
pub fn pings(all: &[Got]) -> Vec<&Got> {
    all.iter().filter(|got| matches!(got.message, Message::Ping(_))).collect()
}

/// The Pongs among them, with their packets.
pub fn pongs(all: &[Got]) -> Vec<(&Pong, &Got)> {
    let pong = |got: &'_ Got| matches!(got.message, Message::Pong(_));
    let both = all.iter().filter(|got| pong(got)).map(|got| match &got.message {
        Message::Pong(pong) => (pong, got),
        _ => unreachable!("filtered"),
    });
    both.collect()
}

impl Stage {
    /// Sends to whoever sent that.
    pub fn reply(&self, got: &Got, bytes: &[u8]) {
        // A prober that has ended is no fault of the peer's.
        let _ = self.socket.send_to(bytes, got.from);
    }

    /// The same from the other socket.
    pub fn reply_from_other(&self, got: &Got, bytes: &[u8]) {
        let _ = self.other.send_to(bytes, got.from);
    }

    /// A right Pong to this Ping.
    pub fn pong(&self, got: &Got) -> Vec<u8> {
        self.pong_but(got, |_| {})
    }

    /// A Pong to this Ping with something changed before it is signed.
    pub fn pong_but(&self, got: &Got, change: impl FnOnce(&mut Pong)) -> Vec<u8> {
        let mut pong = wire::pong(got.from, got.hash);
        change(&mut pong);
        wire::message(&self.key, &Message::Pong(pong))
    }

    /// The peer's own Ping, which expires in so many seconds.
    pub fn own_ping(&self, to: SocketAddr, expires_in_s: i64) -> Vec<u8> {
        let expiration = wire::now_unix_s().saturating_add_signed(expires_in_s);
        wire::ping(&self.key, self.addr, to, expiration)
    }
}
