//! From the start to the exit of one `eth-ping`, less the time of the peer that answers it, beside a Rust hello
//! world and `python3 -c pass`, interleaved in one run.
//!
//! `cargo bench --bench startup`; the goal is a ratio of at most 1.6 to hello world.

#[path = "common/mod.rs"]
mod common;

use std::fmt::Write as _;
use std::fs;
use std::io::IoSliceMut;
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use nix::libc::timespec;
use nix::sys::socket::sockopt::ReceiveTimestampns;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, setsockopt};
use p2pprobe::codec::key::NodeKey;
use p2pprobe::discv4::{Endpoint, Message, Packet, Pong, packet};

const ROUNDS: usize = 500;

/// A peer that answers Pings, and knows how long each was its own: from the moment the kernel had the Ping to the
/// one when its Pong had left.
struct Peer {
    target: String,
    busy_ns: Arc<AtomicU64>,
}

impl Peer {
    fn start() -> Self {
        let key = NodeKey::new([2; 32], [0; 32]).expect("a key");
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        setsockopt(&socket, ReceiveTimestampns, &true).expect("kernel timestamps");
        let address = socket.local_addr().expect("an address");
        let target = format!("enode://{}@{address}", key.public());
        let busy_ns = Arc::new(AtomicU64::new(0));
        let counter = busy_ns.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            let mut pong = Vec::new();
            loop {
                let (len, from, stamp) = receive(&socket, &mut buffer);
                let ping = Packet::decode(&buffer[..len]).expect("a packet");
                let message = Message::Pong(Pong {
                    to: Endpoint::new(from, 0),
                    ping_hash: ping.hash,
                    expiration: unix_time().as_secs() + 20,
                    enr_seq: None,
                });
                pong.clear();
                packet::encode(&message, &key, None, &mut pong);
                // Before the Pong leaves: after it, the prober may be done and the time asked for.
                let busy = unix_time().saturating_sub(stamp);
                counter.store(busy.as_nanos() as u64, Ordering::SeqCst);
                socket.send_to(&pong, from).expect("sent");
            }
        });
        Peer { target, busy_ns }
    }
}

fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> (usize, SocketAddr, Duration) {
    let mut control = nix::cmsg_space!(timespec);
    let mut parts = [IoSliceMut::new(buffer)];
    let message = recvmsg::<SockaddrIn>(
        socket.as_raw_fd(),
        &mut parts,
        Some(&mut control),
        MsgFlags::empty(),
    )
    .expect("a datagram");
    let stamp = message.cmsgs().expect("control messages").find_map(|control| match control {
        ControlMessageOwned::ScmTimestampns(stamp) => Some(Duration::from(stamp)),
        _ => None,
    });
    let from = SocketAddrV4::from(message.address.expect("an address"));
    (message.bytes, SocketAddr::V4(from), stamp.expect("a time stamp"))
}

fn unix_time() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970")
}

fn hello_world() -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (source, binary) = (dir.join("hello.rs"), dir.join("hello"));
    fs::write(&source, "fn main() { println!(\"Hello, world!\"); }").expect("written");
    let status = Command::new("rustc")
        .args(["--edition", "2024", "-C", "opt-level=3", "-C", "strip=symbols", "-o"])
        .args([&binary, &source])
        .status()
        .expect("rustc");
    assert!(status.success());
    binary
}

/// The interpreter itself: `python3` may be a script that looks for it.
fn python() -> String {
    let asked = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let path = asked.expect("python3").stdout;
    String::from_utf8(path).expect("UTF-8").trim().to_owned()
}

fn time(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let status = command.status().expect("it runs");
    let took = began.elapsed();
    assert!(status.success(), "{command:?}");
    took
}

fn row(out: &mut String, name: &str, times: &mut [Duration], base: Option<[f64; 2]>) -> [f64; 2] {
    times.sort_unstable();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let [min, median] = [times[0], times[times.len() / 2]].map(micros);
    let ratio = |value: f64, base: f64| value / base;
    let base = base.unwrap_or([min, median]);
    let _ = writeln!(
        out,
        "| {name} | {min:.0} | {median:.0} | {:.2} | {:.2} |",
        ratio(min, base[0]),
        ratio(median, base[1])
    );
    [min, median]
}

fn main() {
    let hello = hello_world();
    let python = python();
    let peer = Peer::start();
    let [mut hellos, mut pings, mut pythons] = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        hellos.push(time(&mut Command::new(&hello)));
        let mut ping = Command::new(env!("CARGO_BIN_EXE_p2pprobe"));
        let took = time(ping.args(["eth-ping", &peer.target]));
        pings.push(took.saturating_sub(Duration::from_nanos(peer.busy_ns.load(Ordering::SeqCst))));
        pythons.push(time(Command::new(&python).args(["-c", "pass"])));
    }
    let mut out = String::new();
    let base = row(&mut out, "Rust hello world", &mut hellos, None);
    row(&mut out, "p2pprobe eth-ping, one target", &mut pings, Some(base));
    row(&mut out, "python3 -c pass", &mut pythons, Some(base));
    println!("{}; {ROUNDS} rounds, interleaved", common::machine());
    println!("| program | min µs | median µs | min ratio | median ratio |");
    println!("| --- | --: | --: | --: | --: |\n{out}");
}
