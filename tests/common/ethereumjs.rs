//! A real discv4 node that nobody here wrote: `@ethereumjs/devp2p`, run by `tests/peers/ethereumjs/node.mjs`,
//! which also says what the events mean.
//!
//! It pings back 100 ms after a Ping whose key it does not have in its table, to the address and UDP port of
//! `from` (IPv4 only). If `from` has a TCP port, that address and TCP port count as one peer: another key there
//! gets no ping-back, nor does anyone for 5 minutes after one that was not answered within 4 s. It answers
//! FindNode from anyone.

use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// It takes 0.4 s; this is for a machine that is busy with other tests.
const START: Duration = Duration::from_secs(30);
const NO_REAL_PEERS: &str = "P2PPROBE_NO_REAL_PEERS";

/// How to start the node.
pub struct Options<'a> {
    /// UDP port; 0 takes a free one.
    pub port: u16,
    /// Private key, 64 hex digits; a fixed one unless told.
    pub key: Option<&'a str>,
    /// A loopback address.
    pub bind: IpAddr,
    /// Also accept TCP connections on the same port number.
    pub tcp: bool,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options { port: 0, key: None, bind: Ipv4Addr::LOCALHOST.into(), tcp: false }
    }
}

/// The running node; it ends when this is dropped.
pub struct EthereumJs {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Its UDP port.
    pub udp: u16,
    /// Its TCP port; 0 where it has none.
    pub tcp: u16,
    /// Its public key, 128 hex digits.
    pub public_key: String,
    /// Its enode URL.
    pub enode: String,
    child: Child,
    log: Arc<Log>,
}

impl EthereumJs {
    /// Starts the node and waits until it is ready. `None` where `P2PPROBE_NO_REAL_PEERS` is set.
    pub fn start_or_skip(options: &Options<'_>) -> Option<Self> {
        if std::env::var_os(NO_REAL_PEERS).is_some() {
            eprintln!("left out: {NO_REAL_PEERS} is set, so no real ethereumjs node is started");
            return None;
        }
        Some(Self::start(options))
    }

    /// Starts the node and waits until it is ready.
    pub fn start(options: &Options<'_>) -> Self {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/ethereumjs");
        assert!(
            dir.join("node_modules/@ethereumjs/devp2p").is_dir(),
            "run tests/run, which installs the real peers"
        );
        let mut command = Command::new("node");
        command.arg(dir.join("node.mjs"));
        command.args(["--port", &options.port.to_string(), "--bind", &options.bind.to_string()]);
        if let Some(key) = options.key {
            command.args(["--key", key]);
        }
        if options.tcp {
            command.arg("--tcp");
        }
        // It ends when its stdin closes, so it also ends if this process is killed.
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|e| panic!("node: {e}; run tests/run, which installs the real peers"));
        let log = Arc::new(Log::default());
        let lines = BufReader::new(child.stdout.take().expect("stdout is a pipe")).lines();
        thread::spawn({
            let log = Arc::clone(&log);
            move || log.fill(lines)
        });
        let mut node = EthereumJs {
            addr: SocketAddr::new(options.bind, 0),
            udp: 0,
            tcp: 0,
            public_key: String::new(),
            enode: String::new(),
            child,
            log,
        };
        // From here on a panic drops `node`, which ends the process.
        let ready = node.wait_for("ready line", START, |line| line.get("enode").is_some());
        let text = |name: &str| ready[name].as_str().expect("text in the ready line").to_owned();
        let port = |name: &str| {
            let port = ready[name].as_u64().expect("number in the ready line");
            u16::try_from(port).expect("port in the ready line")
        };
        node.udp = port("udp");
        node.tcp = port("tcp");
        node.public_key = text("public_key");
        node.enode = text("enode");
        node.addr.set_port(node.udp);
        node
    }

    /// What the node has said so far, its ready line first.
    pub fn events(&self) -> Vec<Value> {
        self.log.lock().lines.clone()
    }

    /// The first thing that the node said, or says within `patience`, and that `wanted` takes. Panics with
    /// all that it said where there is none.
    pub fn wait_for(
        &self,
        name: &str,
        patience: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let found = |said: &Said| said.lines.iter().find(|line| wanted(line)).cloned();
        let waiting = |said: &mut Said| !said.ended && found(said).is_none();
        let said = self
            .log
            .more
            .wait_timeout_while(self.log.lock(), patience, waiting)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        found(&said).unwrap_or_else(|| {
            let end = if said.ended { "it ended" } else { "it runs" };
            let lines: Vec<String> = said.lines.iter().map(Value::to_string).collect();
            panic!("no {name} within {patience:?}; {end}, and said:\n{}", lines.join("\n"))
        })
    }

    /// [`Self::wait_for`] the first event of this name.
    pub fn wait_for_event(&self, name: &str, patience: Duration) -> Value {
        self.wait_for(name, patience, |line| line["event"] == name)
    }

    /// Ends the node at once (SIGKILL), as a peer that dies does.
    pub fn stop(&mut self) {
        // It may have ended by itself, and there is nothing else to do about a failure.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for EthereumJs {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The lines of the node's stdout, filled by a thread so that the node never waits for a reader.
#[derive(Default)]
struct Log {
    said: Mutex<Said>,
    more: Condvar,
}

#[derive(Default)]
struct Said {
    lines: Vec<Value>,
    ended: bool,
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fill(&self, lines: impl Iterator<Item = std::io::Result<String>>) {
        for line in lines.map_while(Result::ok) {
            // A line that is no JSON is kept as text, to be seen in a failure.
            let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
            self.lock().lines.push(value);
            self.more.notify_all();
        }
        self.lock().ended = true;
        self.more.notify_all();
    }
}
