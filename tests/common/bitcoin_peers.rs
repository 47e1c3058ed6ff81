//! Real Bitcoin nodes that nobody here wrote: [`Litecoind`], [`Bcoin`] and [`BitcoinSv`].
//!
//! Each listens on loopback alone, on a port of its own, opens no connection, and ends without a trace when it is
//! dropped, or when this process is killed: `tests/peers/daemon.sh` and `tests/peers/bcoin/node.cjs` see that
//! their stdin closes. What is said here of the nodes was seen on 2 cores that had other work, too; the peer that
//! connected had services 0, relay off, height 0 and protocol 70016.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use serde_json::{Value, json};

/// They take 0.2 to 0.6 s; this is for a machine that is busy with other tests.
const START: Duration = Duration::from_secs(30);
/// Between two looks at a daemon that starts.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Where ports are looked for: below those that Linux gives to whoever asks for any.
const PORTS: Range<u32> = 20_000..32_000;
/// Apart, for those of two test programs that run at once.
const PORTS_PER_PROCESS: u32 = 64;
/// A port that was free may be another program's a moment later.
const PORT_TRIES: u32 = 3;
/// For an answer to one RPC; mining 110 blocks takes 0.2 s.
const RPC_PATIENCE: Duration = Duration::from_secs(30);
const RPC_USER: &str = "p2pprobe";
const RPC_PASSWORD: &str = "loopback";
const NO_REAL_PEERS: &str = "P2PPROBE_NO_REAL_PEERS";

/// Which of its chains a node is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// The one with the money.
    Main,
    /// A private one, on which anyone can mine.
    Regtest,
}

/// `litecoind` 0.21.2.1, which descends from Bitcoin Core 0.21.
///
/// It is ready after 0.45 s. It says nothing until our `version` has come. To that it answers, within 1 ms and in
/// one go: version, wtxidrelay, sendaddrv2, verack. To our verack: sendheaders, sendcmpct (three: versions 3, 2
/// and 1), ping, feefilter. A Ping of ours is answered within 10 ms.
///
/// Its version message: protocol 70016, services 0x1000409 (NETWORK, WITNESS, NETWORK_LIMITED and bit 24, MWEB),
/// user agent `/LitecoinCore:0.21.2.1/`, relay 1, nothing after it; `addr_recv` is all zeros, as it does not tell
/// a loopback peer its address.
///
/// Wrong magic: EOF within 0.5 ms, no byte sent, and no ban. A peer that sends nothing, or no verack, hears
/// nothing more until EOF after 60 s. The magic of regtest is that of Bitcoin's.
pub struct Litecoind {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The first four bytes of its messages.
    pub magic: [u8; 4],
    /// For what has no method here.
    pub rpc: Rpc,
    daemon: Daemon,
}

impl Litecoind {
    /// Starts the node and waits until it is ready. `None` where `P2PPROBE_NO_REAL_PEERS` is set.
    pub fn start_or_skip(network: Network) -> Option<Self> {
        (!left_out("litecoind")).then(|| Self::start(network))
    }

    /// Starts the node and waits until it is ready.
    pub fn start(network: Network) -> Self {
        let (daemon, addr, rpc) = Daemon::start(Path::new("litecoind"), |port| {
            // Without this it also takes the network's default port, for Tor, on 127.0.0.1.
            let mut arguments = vec![format!("-bind=127.0.0.2:{port}=onion")];
            if network == Network::Regtest {
                arguments.push("-regtest".into());
            }
            arguments
        });
        let magic = match network {
            Network::Main => [0xfb, 0xc0, 0xb6, 0xdb],
            Network::Regtest => [0xfa, 0xbf, 0xb5, 0xda],
        };
        Litecoind { addr, magic, rpc, daemon }
    }

    /// Mines so many blocks, regtest only, and waits until its version messages tell of them. 110 take 0.2 s.
    pub fn mine(&self, blocks: u32) {
        let mined = self.rpc.call("generatetodescriptor", json!([blocks, "raw(51)"]));
        assert_eq!(mined.as_array().map(Vec::len), usize::try_from(blocks).ok(), "{mined}");
        // Those who talk to peers hear of a block from a queue: without this, the height may be 109 for a moment.
        self.rpc.call("syncwithvalidationinterfacequeue", json!([]));
    }

    /// `getnetworkinfo`.
    pub fn network_info(&self) -> Value {
        self.rpc.call("getnetworkinfo", json!([]))
    }

    /// `getpeerinfo`: what it knows of those who are connected.
    pub fn peer_info(&self) -> Value {
        self.rpc.call("getpeerinfo", json!([]))
    }
}

/// Bitcoin SV 1.0.13 on its regtest.
///
/// It is ready after 0.3 s (it listens after 0.2 s, and answers then). It says nothing until our `version` has
/// come. To that it answers, within 1 ms and in one go: version, verack, protoconf. To our verack: authch,
/// sendheaders, sendcmpct (version 1), ping. It sends neither wtxidrelay nor sendaddrv2, and ignores ours.
///
/// Its version message: protocol 70016, services 0x21 (NETWORK, and bit 5), user agent `/Bitcoin SV:1.0.13/`,
/// relay 1, and then one byte more, 0; `addr_recv` is all zeros.
///
/// Wrong magic: EOF after 50 ms, no byte sent, and the address is banned for 24 h: its other connections get EOF
/// at the same time, and new ones as soon as they are accepted. See [`Self::clear_banned`]. A peer that sends
/// nothing, or no verack, hears nothing more until EOF after 61 s.
pub struct BitcoinSv {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The first four bytes of its messages: not those of Bitcoin's regtest.
    pub magic: [u8; 4],
    /// For what has no method here.
    pub rpc: Rpc,
    daemon: Daemon,
}

impl BitcoinSv {
    /// Starts the node and waits until it is ready. `None` where `P2PPROBE_NO_REAL_PEERS` is set.
    pub fn start_or_skip() -> Option<Self> {
        (!left_out("Bitcoin SV")).then(Self::start)
    }

    /// Starts the node and waits until it is ready.
    pub fn start() -> Self {
        let (daemon, addr, rpc) = Daemon::start(&peers().join("bitcoin-sv/bin/bitcoind"), |_| {
            let required = ["-excessiveblocksize=0", "-maxstackmemoryusageconsensus=0"];
            let mut arguments: Vec<String> = required.map(String::from).into();
            arguments.extend(["-minminingtxfee=0.00000500".into(), "-regtest".into()]);
            arguments
        });
        BitcoinSv { addr, magic: [0xda, 0xb5, 0xbf, 0xfa], rpc, daemon }
    }

    /// `getpeerinfo`: what it knows of those who are connected.
    pub fn peer_info(&self) -> Value {
        self.rpc.call("getpeerinfo", json!([]))
    }

    /// `listbanned`.
    pub fn banned(&self) -> Value {
        self.rpc.call("listbanned", json!([]))
    }

    /// `clearbanned`: forgives those who came with wrong magic.
    pub fn clear_banned(&self) {
        self.rpc.call("clearbanned", json!([]));
    }
}

/// `bcoin` 1.0.2, run by `tests/peers/bcoin/node.cjs`, with an empty chain.
///
/// It is ready after 0.4 s. It sends its version as soon as it has accepted (1 to 3 ms; the first ever after 10),
/// and verack when it has ours, 1 ms later. To our verack: sendcmpct (version 1), and on regtest getaddr as well.
/// It sends neither wtxidrelay nor sendaddrv2, and ignores ours.
///
/// Its version message: protocol 70015, services 9 (NETWORK, WITNESS), user agent `/bcoin:v1.0.2/`, height 0,
/// relay 1, nothing after it; `addr_recv` is our address and port.
///
/// Wrong magic: its version, then a `reject` (of a message with the empty name: code 1, "error parsing message")
/// for each 24 bytes that came, as it takes each for another header: five for our version message, within 2 ms.
/// It bans nobody. EOF comes 10 s after it has accepted if no version came, which is so after wrong magic, and
/// 15 s after if no verack did.
pub struct Bcoin {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The first four bytes of its messages.
    pub magic: [u8; 4],
    child: Child,
}

impl Bcoin {
    /// Starts the node and waits until it is ready. `None` where `P2PPROBE_NO_REAL_PEERS` is set.
    pub fn start_or_skip(network: Network) -> Option<Self> {
        (!left_out("bcoin")).then(|| Self::start(network))
    }

    /// Starts the node and waits until it is ready.
    pub fn start(network: Network) -> Self {
        let (name, magic) = match network {
            Network::Main => ("main", [0xf9, 0xbe, 0xb4, 0xd9]),
            Network::Regtest => ("regtest", [0xfa, 0xbf, 0xb5, 0xda]),
        };
        let directory = peers().join("bcoin");
        assert_installed(&directory.join("node_modules/bcoin"));
        let mut command = Command::new("node");
        command.arg(directory.join("node.cjs")).args(["--network", name]);
        let mut child = spawn(command.stdout(Stdio::piped()));
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let addr = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
        let mut node = Bcoin { addr, magic, child };
        // From here on a panic drops `node`, which ends the process.
        let (ready, wait) = mpsc::channel();
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            // Nobody waits any more where this fails.
            let _ = ready.send(lines.next());
            lines.for_each(|line| eprintln!("bcoin: {line}"));
        });
        let line = wait.recv_timeout(START).expect("bcoin is ready in time");
        let line = line.expect("bcoin says that it is ready, and does not end");
        let line: Value = serde_json::from_str(&line).expect("a line of JSON");
        let port = line["port"].as_u64().and_then(|port| u16::try_from(port).ok());
        node.addr.set_port(port.unwrap_or_else(|| panic!("no port in {line}")));
        node
    }
}

impl Drop for Bcoin {
    fn drop(&mut self) {
        // It may have ended by itself, and it leaves nothing behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The RPC server of a daemon: JSON in HTTP, on loopback.
pub struct Rpc(SocketAddr);

impl Rpc {
    /// The result of a call; panics if there is none.
    pub fn call(&self, method: &str, params: Value) -> Value {
        self.try_call(method, params).unwrap_or_else(|e| panic!("{method}: {e}"))
    }

    fn try_call(&self, method: &str, params: Value) -> Result<Value, String> {
        let body = json!({ "id": 1, "method": method, "params": params }).to_string();
        let mut answer = self.post(&body).map_err(|e| e.to_string())?;
        if !answer["error"].is_null() || answer.get("result").is_none() {
            return Err(answer.to_string());
        }
        Ok(answer["result"].take())
    }

    fn post(&self, body: &str) -> std::io::Result<Value> {
        let login = BASE64.encode(format!("{RPC_USER}:{RPC_PASSWORD}").as_bytes());
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {login}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.0,
            body.len()
        );
        let mut stream = TcpStream::connect_timeout(&self.0, RPC_PATIENCE)?;
        stream.set_read_timeout(Some(RPC_PATIENCE))?;
        stream.write_all((head + body).as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        serde_json::from_str(body).map_err(|e| std::io::Error::other(format!("{e}: {answer:?}")))
    }
}

/// A descendant of Bitcoin Core's daemon, with a data directory of its own. Both are gone when this is dropped.
struct Daemon(Child);

impl Daemon {
    /// Starts it with what all need and these arguments for its port, and waits until it is ready.
    fn start(program: &Path, arguments: impl Fn(u16) -> Vec<String>) -> (Self, SocketAddr, Rpc) {
        if program.components().count() > 1 {
            assert_installed(program);
        }
        for _ in 0..PORT_TRIES {
            let (port, rpc_port) = (free_port(), free_port());
            let mut command = Command::new(peers().join("daemon.sh"));
            command.arg(program).args(arguments(port)).args(common_arguments(port, rpc_port));
            let mut daemon = Daemon(spawn(command.stdout(Stdio::null())));
            let rpc = Rpc(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), rpc_port));
            if daemon.is_ready(&rpc) {
                return (daemon, SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port), rpc);
            }
        }
        panic!(
            "{}: ended {PORT_TRIES} times before it was ready; if it is not there, run tests/run",
            program.display()
        );
    }

    /// False if it ends instead. It answers RPCs when it listens for peers and has all that it needs.
    fn is_ready(&mut self, rpc: &Rpc) -> bool {
        let deadline = Instant::now() + START;
        loop {
            let answer = rpc.try_call("getnetworkinfo", json!([]));
            if self.0.try_wait().expect("wait").is_some() {
                return false;
            }
            match answer {
                Ok(_) => return true,
                Err(e) => assert!(Instant::now() < deadline, "not ready within {START:?}: {e}"),
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // The script then kills the daemon, removes its directory, and ends.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn common_arguments(port: u16, rpc_port: u16) -> Vec<String> {
    let mut arguments = vec![
        format!("-bind=127.0.0.1:{port}"),
        format!("-rpcport={rpc_port}"),
        format!("-rpcuser={RPC_USER}"),
        format!("-rpcpassword={RPC_PASSWORD}"),
    ];
    // Nobody is looked for, or told of this node.
    let quiet = ["-connect=0", "-dnsseed=0", "-discover=0", "-upnp=0", "-listenonion=0"];
    let local = ["-listen=1", "-server=1", "-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1"];
    // A wallet takes a second to make.
    let small = ["-disablewallet=1", "-printtoconsole=1"];
    arguments.extend([&quiet[..], &local, &small].concat().into_iter().map(String::from));
    arguments
}

/// A port that was free just now, and that no other daemon of this process was given.
fn free_port() -> u16 {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(PORTS_PER_PROCESS);
    for _ in PORTS {
        let number = first.wrapping_add(NUMBER.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + number % (PORTS.end - PORTS.start);
        let port = u16::try_from(port).expect("a port");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port of {PORTS:?} is free");
}

/// It ends when its stdin closes, so it also ends if this process is killed.
fn spawn(command: &mut Command) -> Child {
    let program = command.get_program().to_owned();
    command.stdin(Stdio::piped()).spawn().unwrap_or_else(|e| {
        panic!("{}: {e}; run tests/run, which installs the real peers", program.display())
    })
}

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers")
}

fn assert_installed(path: &Path) {
    assert!(path.exists(), "no {}: run tests/run, which installs the real peers", path.display());
}

fn left_out(name: &str) -> bool {
    let left_out = std::env::var_os(NO_REAL_PEERS).is_some();
    if left_out {
        eprintln!("left out: {NO_REAL_PEERS} is set, so no real {name} is started");
    }
    left_out
}
