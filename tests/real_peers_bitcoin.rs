//! What the real Bitcoin nodes of [`common::bitcoin_peers`] say, message by message, to a handshake written by
//! hand: none of this crate's code takes part. What other tests expect of these nodes rests on this.

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant, SystemTime};

use common::bitcoin_peers::{Bcoin, BitcoinSv, Litecoind, Network};
use sha2::{Digest, Sha256};

/// Everything here takes 0.1 s; this is for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a node is listened to that should say nothing.
const SILENCE: Duration = Duration::from_millis(300);
const TESTNET3: [u8; 4] = [0x0b, 0x11, 0x09, 0x07];
const HEADER_SIZE: usize = 24;
const USER_AGENT: &str = "/p2pprobe-tests:0.1/";
const PROTOCOL: i32 = 70016;

/// A frame of the v1 transport.
fn frame(magic: [u8; 4], command: &str, payload: &[u8]) -> Vec<u8> {
    let mut name = [0; 12];
    name[..command.len()].copy_from_slice(command.as_bytes());
    let length = u32::try_from(payload.len()).expect("a short payload");
    [&magic[..], &name, &length.to_le_bytes(), &checksum(payload), payload].concat()
}

fn checksum(payload: &[u8]) -> [u8; 4] {
    let hash = Sha256::digest(Sha256::digest(payload));
    hash[..4].try_into().expect("4 bytes")
}

/// The payload of our version message.
fn our_version() -> Vec<u8> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let mut bytes = Vec::new();
    bytes.extend(PROTOCOL.to_le_bytes());
    bytes.extend(0u64.to_le_bytes()); // services
    bytes.extend(
        i64::try_from(now.as_secs()).expect("a clock before 292 thousand million").to_le_bytes(),
    );
    bytes.extend([0; 26]); // addr_recv
    bytes.extend([0; 26]); // addr_from
    bytes.extend(now.as_nanos().to_le_bytes()[..8].iter()); // nonce
    bytes.push(u8::try_from(USER_AGENT.len()).expect("a short one"));
    bytes.extend(USER_AGENT.bytes());
    bytes.extend(0i32.to_le_bytes()); // height
    bytes.push(0); // relay
    bytes
}

/// What came next.
#[derive(Debug, PartialEq)]
enum Heard {
    /// A whole message, its checksum right: its name and payload.
    Message(String, Vec<u8>),
    /// The end, after so many bytes of a message.
    Closed(usize),
    /// Nothing more, in the time that it was given.
    Nothing,
}

/// A connection to a node.
struct Talk {
    stream: TcpStream,
    magic: [u8; 4],
    /// What has come of the next message.
    input: Vec<u8>,
}

impl Talk {
    fn new(addr: SocketAddr, magic: [u8; 4]) -> Self {
        let stream = TcpStream::connect_timeout(&addr, PATIENCE).expect("the node accepts");
        stream.set_nodelay(true).expect("nodelay");
        Talk { stream, magic, input: Vec::new() }
    }

    fn send(&mut self, command: &str, payload: &[u8]) {
        let bytes = frame(self.magic, command, payload);
        self.stream.write_all(&bytes).expect("the node takes it");
    }

    /// What comes next, within this time.
    fn listen(&mut self, time: Duration) -> Heard {
        let deadline = Instant::now() + time;
        loop {
            if let Some(message) = self.message() {
                return message;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Heard::Nothing;
            }
            self.stream.set_read_timeout(Some(left)).expect("a timeout");
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes) {
                Ok(0) => return Heard::Closed(self.input.len()),
                Ok(read) => self.input.extend(&bytes[..read]),
                Err(e) => assert!(
                    matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
                    "{e}"
                ),
            }
        }
    }

    /// The first message of the input, if it has come whole.
    fn message(&mut self) -> Option<Heard> {
        let header = self.input.get(..HEADER_SIZE)?;
        let length = u32::from_le_bytes(header[16..20].try_into().expect("4 bytes"));
        let end = HEADER_SIZE + usize::try_from(length).expect("64 bits");
        let payload = self.input.get(HEADER_SIZE..end)?.to_vec();
        let name = String::from_utf8(header[4..16].to_vec()).expect("an ASCII name");
        let name = name.trim_end_matches('\0').to_owned();
        let expected = frame(self.magic, &name, &payload);
        assert_eq!(self.input[..end], expected, "the magic, or the checksum of {name}");
        self.input.drain(..end);
        Some(Heard::Message(name, payload))
    }

    fn expect_message(&mut self) -> (String, Vec<u8>) {
        match self.listen(PATIENCE) {
            Heard::Message(name, payload) => (name, payload),
            other => panic!("no message: {other:?}"),
        }
    }

    /// Reads as many messages as these, which must have these names; gives their payloads.
    fn expect(&mut self, names: &[&str]) -> Vec<Vec<u8>> {
        let (heard, payloads): (Vec<_>, Vec<_>) =
            names.iter().map(|_| self.expect_message()).unzip();
        assert_eq!(heard, names);
        payloads
    }

    /// Whether the node answers a Ping, and says nothing before that.
    fn expect_pong(&mut self) {
        self.send("ping", b"12345678");
        assert_eq!(self.expect(&["pong"]), [b"12345678"]);
    }
}

/// What a node's version message says.
#[derive(Debug, PartialEq)]
struct Version {
    protocol: i32,
    services: u64,
    /// Services, IPv6 address and port.
    addr_recv: [u8; 26],
    addr_from: [u8; 26],
    user_agent: String,
    height: i32,
    /// `relay`, and what follows it.
    rest: Vec<u8>,
}

impl Version {
    /// Reads it, and compares its clock with ours.
    fn parse(payload: &[u8]) -> Self {
        let mut left = payload;
        let mut take = |count| left.split_off(..count).expect("a whole version message");
        let protocol = i32::from_le_bytes(take(4).try_into().expect("4 bytes"));
        let services = u64::from_le_bytes(take(8).try_into().expect("8 bytes"));
        let time = i64::from_le_bytes(take(8).try_into().expect("8 bytes"));
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        let now = i64::try_from(now.as_secs()).expect("seconds");
        assert!(time.abs_diff(now) <= PATIENCE.as_secs(), "its clock: {time}, ours: {now}");
        let addr_recv = take(26).try_into().expect("26 bytes");
        let addr_from = take(26).try_into().expect("26 bytes");
        let nonce = take(8);
        assert_ne!(nonce, [0; 8]);
        let length = take(1)[0];
        let user_agent = String::from_utf8(take(length.into()).to_vec()).expect("ASCII");
        let height = i32::from_le_bytes(take(4).try_into().expect("4 bytes"));
        let rest = left.to_vec();
        Version { protocol, services, addr_recv, addr_from, user_agent, height, rest }
    }
}

/// An address field of version: services, the rest zeros.
fn no_address(services: u64) -> [u8; 26] {
    let mut field = [0; 26];
    field[..8].copy_from_slice(&services.to_le_bytes());
    field
}

/// Tells a node of another network's magic; gives what it says to that, and how long it took.
fn with_wrong_magic(addr: SocketAddr, magic: [u8; 4]) -> (Talk, Heard, Duration) {
    let mut talk = Talk::new(addr, magic);
    let start = Instant::now();
    talk.stream.write_all(&frame(TESTNET3, "version", &our_version())).expect("it takes that");
    let heard = talk.listen(PATIENCE);
    (talk, heard, start.elapsed())
}

fn check_litecoind(node: &Litecoind, height: i32) {
    let mut talk = Talk::new(node.addr, node.magic);
    assert_eq!(talk.listen(SILENCE), Heard::Nothing, "it waits for our version");
    talk.send("version", &our_version());
    let payloads = talk.expect(&["version", "wtxidrelay", "sendaddrv2", "verack"]);
    let expected = Version {
        protocol: 70016,
        services: 0x0100_0409,
        addr_recv: no_address(0),
        addr_from: no_address(0x0100_0409),
        user_agent: "/LitecoinCore:0.21.2.1/".into(),
        height,
        rest: vec![1],
    };
    assert_eq!(Version::parse(&payloads[0]), expected);
    assert_eq!(talk.listen(SILENCE), Heard::Nothing, "it waits for our verack");
    talk.send("verack", &[]);
    let cmpct = "sendcmpct";
    let payloads = talk.expect(&["sendheaders", cmpct, cmpct, cmpct, "ping", "feefilter"]);
    for (payload, version) in payloads[1..4].iter().zip([3, 2, 1]) {
        assert_eq!(payload, &[0, version, 0, 0, 0, 0, 0, 0, 0]);
    }
    talk.expect_pong();

    // It knows of us, and of nobody else.
    let peers = node.peer_info();
    assert_eq!(peers.as_array().expect("a list").len(), 1, "{peers}");
    assert_eq!(peers[0]["subver"], USER_AGENT);
    assert_eq!(peers[0]["inbound"], true);
    assert_eq!(peers[0]["version"], PROTOCOL);
    let network = node.network_info();
    assert_eq!(network["connections_out"], 0);
    assert_eq!(network["localservices"], "0000000001000409");

    let (_, heard, took) = with_wrong_magic(node.addr, node.magic);
    eprintln!("litecoind, wrong magic: {heard:?} after {took:?}");
    assert_eq!(heard, Heard::Closed(0));
    assert_eq!(node.rpc.call("listbanned", serde_json::json!([])), serde_json::json!([]));
    talk.expect_pong();
}

#[test]
fn litecoind_main() {
    let Some(node) = Litecoind::start_or_skip(Network::Main) else { return };
    check_litecoind(&node, 0);
}

#[test]
fn litecoind_regtest_after_mining() {
    let Some(node) = Litecoind::start_or_skip(Network::Regtest) else { return };
    node.mine(110);
    check_litecoind(&node, 110);
}

#[test]
fn bitcoin_sv() {
    let Some(node) = BitcoinSv::start_or_skip() else { return };
    let mut talk = Talk::new(node.addr, node.magic);
    assert_eq!(talk.listen(SILENCE), Heard::Nothing, "it waits for our version");
    talk.send("version", &our_version());
    let payloads = talk.expect(&["version", "verack", "protoconf"]);
    let expected = Version {
        protocol: 70016,
        services: 0x21,
        addr_recv: no_address(0),
        addr_from: no_address(0x21),
        user_agent: "/Bitcoin SV:1.0.13/".into(),
        height: 0,
        rest: vec![1, 0], // one byte more than the protocol has
    };
    assert_eq!(Version::parse(&payloads[0]), expected);
    // Neither is known to it.
    talk.send("wtxidrelay", &[]);
    talk.send("sendaddrv2", &[]);
    assert_eq!(talk.listen(SILENCE), Heard::Nothing, "it waits for our verack");
    talk.send("verack", &[]);
    talk.expect(&["authch", "sendheaders", "sendcmpct", "ping"]);
    talk.expect_pong();
    let peers = node.peer_info();
    assert_eq!(peers.as_array().expect("a list").len(), 1, "{peers}");
    assert_eq!(peers[0]["subver"], USER_AGENT);

    // Wrong magic is punished: the address is banned, its other connections are closed, and so are new ones.
    let (_, heard, took) = with_wrong_magic(node.addr, node.magic);
    eprintln!("Bitcoin SV, wrong magic: {heard:?} after {took:?}");
    assert_eq!(heard, Heard::Closed(0));
    assert_eq!(talk.listen(PATIENCE), Heard::Closed(0));
    assert_eq!(Talk::new(node.addr, node.magic).listen(PATIENCE), Heard::Closed(0));
    assert_eq!(node.banned()[0]["address"], "127.0.0.1/32");
    node.clear_banned();
    let mut talk = Talk::new(node.addr, node.magic);
    talk.send("version", &our_version());
    talk.expect(&["version", "verack", "protoconf"]);
}

fn check_bcoin(node: &Bcoin, after_verack: &[&str]) {
    let mut talk = Talk::new(node.addr, node.magic);
    // It does not wait for ours.
    let payloads = talk.expect(&["version"]);
    let version = Version::parse(&payloads[0]);
    let us = talk.stream.local_addr().expect("our address");
    let mut addr_recv = no_address(0);
    addr_recv[18..24].copy_from_slice(&[0xff, 0xff, 127, 0, 0, 1]); // ::ffff:127.0.0.1
    addr_recv[24..].copy_from_slice(&us.port().to_be_bytes());
    let expected = Version {
        protocol: 70015,
        services: 9,
        addr_recv,
        addr_from: no_address(9),
        user_agent: "/bcoin:v1.0.2/".into(),
        height: 0,
        rest: vec![1],
    };
    assert_eq!(version, expected);
    assert_eq!(talk.listen(SILENCE), Heard::Nothing, "it waits for our version");
    talk.send("version", &our_version());
    talk.expect(&["verack"]);
    // Both are newer than it is.
    talk.send("wtxidrelay", &[]);
    talk.send("sendaddrv2", &[]);
    assert_eq!(talk.listen(SILENCE), Heard::Nothing, "it waits for our verack");
    talk.send("verack", &[]);
    talk.expect(after_verack);
    talk.expect_pong();

    let (mut other, heard, took) = with_wrong_magic(node.addr, node.magic);
    eprintln!("bcoin, wrong magic: {heard:?} after {took:?}");
    assert!(matches!(heard, Heard::Message(name, _) if name == "version"));
    let payloads = other.expect(&["reject"; 5]);
    for payload in payloads {
        assert_eq!(payload, b"\x00\x01\x15error parsing message");
    }
    assert_eq!(other.listen(SILENCE), Heard::Nothing);
    talk.expect_pong();
}

#[test]
fn bcoin_main() {
    let Some(node) = Bcoin::start_or_skip(Network::Main) else { return };
    check_bcoin(&node, &["sendcmpct"]);
}

#[test]
fn bcoin_regtest() {
    let Some(node) = Bcoin::start_or_skip(Network::Regtest) else { return };
    check_bcoin(&node, &["sendcmpct", "getaddr"]);
}

#[test]
fn nothing_is_left_of_a_node_that_is_dropped() {
    let Some(node) = Litecoind::start_or_skip(Network::Regtest) else { return };
    // Another one does not stand in its way, as it would at the network's own port.
    let other = Litecoind::start(Network::Regtest);
    let addr = node.addr;
    drop(node);
    assert!(TcpStream::connect_timeout(&addr, PATIENCE).is_err());
    assert_eq!(other.network_info()["connections"], 0);
}
