//! discv4 packets of this crate against a node of `@ethereumjs/devp2p`: an implementation that shares no
//! code with ours must understand what we send, and we what it sends.

mod common;

use std::net::{Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant, SystemTime};

use common::ethereumjs::{EthereumJs, Options};
use p2pprobe::codec::key::NodeKey;
use p2pprobe::discv4::{Endpoint, Message, Packet, Ping, Pong, packet};

/// Everything here takes 0.2 s; this is for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(10);
/// More datagrams than the node can have sent us.
const MAX_DATAGRAMS: usize = 16;

fn now_unix_s() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.expect("a clock after 1970").as_secs()
}

fn expiration() -> u64 {
    now_unix_s() + 43
}

/// A socket that gives up after [`PATIENCE`], and the key that signs what it sends.
struct Prober {
    socket: UdpSocket,
    key: NodeKey,
}

impl Prober {
    fn new(peer: SocketAddr) -> Self {
        let socket = UdpSocket::bind(SocketAddr::new(peer.ip(), 0)).expect("a socket on loopback");
        // Nothing that another program sends gets in.
        socket.connect(peer).expect("connect");
        Prober { socket, key: NodeKey::new([0x11; 32], [0x22; 32]).expect("a key") }
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::new(self.socket.local_addr().expect("local address"), 0)
    }

    fn send(&self, message: &Message) -> [u8; packet::HASH_SIZE] {
        let mut bytes = Vec::new();
        let hash = packet::encode(message, &self.key, None, &mut bytes);
        assert_eq!(self.socket.send(&bytes).expect("send"), bytes.len());
        hash
    }

    /// The first message that `wanted` takes, with the packet's hash; the node must have signed it.
    fn receive<T>(
        &self,
        node: &EthereumJs,
        what: &str,
        wanted: impl Fn(Message) -> Option<T>,
    ) -> (T, [u8; packet::HASH_SIZE]) {
        let deadline = Instant::now() + PATIENCE;
        for _ in 0..MAX_DATAGRAMS {
            let left = deadline.saturating_duration_since(Instant::now());
            // A timeout of zero is an error, and would mean to wait for ever.
            let left = left.max(Duration::from_millis(1));
            self.socket.set_read_timeout(Some(left)).expect("read timeout");
            let mut buffer = [0; 2048];
            let size = self
                .socket
                .recv(&mut buffer)
                .unwrap_or_else(|e| panic!("{what}: {e}; the node said {:#?}", node.events()));
            let packet = Packet::decode(&buffer[..size]).expect("a packet that we can read");
            let signer = packet.signer().expect("a signature by someone");
            assert_eq!(signer.to_string(), node.public_key);
            assert!(packet.signed_by(&signer));
            if let Some(found) = wanted(packet.message) {
                return (found, packet.hash);
            }
        }
        panic!("no {what} among {MAX_DATAGRAMS} packets");
    }

    fn ping_and_check_pong(&self, node: &EthereumJs) {
        let ours = self.send(&Message::Ping(Ping {
            version: 4,
            from: self.endpoint(),
            to: Endpoint::new(node.addr, 0),
            expiration: expiration(),
            enr_seq: None,
        }));
        let (pong, _) = self.receive(node, "Pong", |message| match message {
            Message::Pong(pong) => Some(pong),
            _ => None,
        });
        assert_eq!(pong.ping_hash, ours);
        assert_eq!(pong.to, self.endpoint());
        assert_eq!(pong.enr_seq, None);
        assert!(packet::expires_in_s(pong.expiration, now_unix_s()) > 0);
    }
}

#[test]
fn each_side_answers_the_other_ones_ping() {
    let Some(node) = EthereumJs::start_or_skip(&Options::default()) else { return };
    let prober = Prober::new(node.addr);

    prober.ping_and_check_pong(&node);

    // It pings back 100 ms later, to the address that our `from` named.
    let (ping, theirs) = prober.receive(&node, "Ping", |message| match message {
        Message::Ping(ping) => Some(ping),
        _ => None,
    });
    assert_eq!(ping.version, 4);
    assert_eq!(ping.from, Endpoint::new(node.addr, 0));
    assert_eq!(ping.to, prober.endpoint());
    prober.send(&Message::Pong(Pong {
        to: ping.from,
        ping_hash: theirs,
        expiration: expiration(),
        enr_seq: None,
    }));
    let answered = node.wait_for_event("ping-answered", PATIENCE);
    assert_eq!(answered["public_key"], prober.key.public().to_string());
    assert_eq!(answered["udp"], prober.endpoint().udp);
    assert_eq!(answered["address"], "127.0.0.1");
    node.wait_for_event("peer-added", PATIENCE);
}

#[test]
fn a_ping_over_ipv6_is_answered() {
    if let Err(e) = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)) {
        eprintln!("left out: no socket on ::1 ({e})");
        return;
    }
    let options = Options { bind: Ipv6Addr::LOCALHOST.into(), ..Options::default() };
    let Some(node) = EthereumJs::start_or_skip(&options) else { return };
    // No more than that: it reads the 16 bytes of an IPv6 `from` from the start of the packet, where the
    // hash is, so it never pings back over IPv6.
    Prober::new(node.addr).ping_and_check_pong(&node);
}
