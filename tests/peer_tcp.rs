//! `--tcp`: one connect to the node's TCP port beside the Ping.

mod common;

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use common::program::{Outcome, eth_ping, warnings};
use common::scripted::Scripted;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, bind, getsockname, listen, socket,
};

fn ping(peer: &Scripted, tcp: u16, timeout: &str) -> Outcome {
    let target = peer.enode_with(&peer.key, tcp);
    eth_ping(&["--timeout", timeout, "--tcp", &target])
}

#[test]
fn an_open_port_is_said_to_be_open_and_the_connect_is_timed() {
    let peer = Scripted::honest(700);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener on loopback");
    let run = ping(&peer, listener.local_addr().expect("its address").port(), "5s");
    let line = run.answered();
    assert_eq!(line["tcp"], "open");
    assert!(line["tcp_connect_ms"].as_f64().is_some_and(|ms| ms > 0.0 && ms < 5000.0), "{line:#}");
    assert_eq!(line["node_id"], peer.id());
    assert_eq!(warnings(line), [""; 0]);
    // It connected, sent nothing, and closed.
    let (mut stream, _) = listener.accept().expect("a connection");
    assert_eq!(std::io::copy(&mut stream, &mut std::io::sink()).expect("read"), 0);
}

#[test]
fn a_shut_port_is_not_as_asked_and_the_answer_over_udp_is_shown() {
    let peer = Scripted::honest(701);
    // Bound and not listening: nobody else can take the port.
    let fd =
        socket(AddressFamily::Inet, SockType::Stream, SockFlag::empty(), None).expect("socket");
    let port = bound(&fd);
    let run = ping(&peer, port, "50s");
    let line = run.failed("not-as-asked");
    assert_eq!((&line["limit"], &line["tcp"]), (&"tcp".into(), &"refused".into()));
    assert!(line.get("tcp_connect_ms").is_none(), "{line:#}");
    assert_eq!(line["node_id"], peer.id());
}

#[test]
fn no_port_is_no_fault() {
    let peer = Scripted::honest(702);
    let run = ping(&peer, 0, "5s");
    assert_eq!(run.answered()["tcp"], "no-port");
    // Nor is it looked at unless it is asked for.
    let run = eth_ping(&["--timeout", "5s", &peer.enode_with(&peer.key, 1)]);
    assert!(run.answered().get("tcp").is_none(), "{:#}", run.only());
}

#[test]
fn a_port_that_takes_no_more_is_a_timeout() {
    let peer = Scripted::honest(703);
    let fd =
        socket(AddressFamily::Inet, SockType::Stream, SockFlag::empty(), None).expect("socket");
    let port = bound(&fd);
    listen(&fd, Backlog::new(0).expect("a backlog")).expect("listen");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    // With its queue full, the kernel drops what else comes.
    let wait = Duration::from_millis(100);
    let connect = || TcpStream::connect_timeout(&address, wait);
    let queue: Vec<TcpStream> = (0..8).map_while(|_| connect().ok()).collect();
    assert!((1..8).contains(&queue.len()), "{} connections were taken", queue.len());
    let run = ping(&peer, port, "700ms");
    let line = run.failed("not-as-asked");
    assert_eq!((&line["limit"], &line["tcp"]), (&"tcp".into(), &"timeout".into()));
    assert_eq!(line["node_id"], peer.id());
}

/// Peers that answer over UDP at once and never over TCP: only so many connects are open as targets may be.
#[test]
fn connects_are_as_few_as_targets() {
    let peer = Scripted::honest(706);
    let fd =
        socket(AddressFamily::Inet, SockType::Stream, SockFlag::empty(), None).expect("socket");
    let port = bound(&fd);
    listen(&fd, Backlog::new(0).expect("a backlog")).expect("listen");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(100));
    let queue: Vec<TcpStream> = (0..8).map_while(|_| connect().ok()).collect();
    assert!(queue.len() < 8, "the queue is full");
    let target = peer.enode_with(&peer.key, port);
    // With 32 descriptors there is room for 8 connects, not for 24.
    let script = "ulimit -n 32; exec \"$0\" eth-ping --json --tcp --timeout 500ms --concurrency 8 \
                  --per-host-interval 0 \"$@\"";
    let output = std::process::Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_p2pprobe")])
        .args([&target; 24])
        .output()
        .expect("bash runs");
    let lines = common::schema::validate_all(&String::from_utf8_lossy(&output.stdout));
    let found: Vec<_> = lines.iter().map(|line| line["tcp"].as_str().unwrap_or("-")).collect();
    assert_eq!(found, ["timeout"; 24], "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_peer_silent_over_udp_is_no_reply_whatever_its_tcp_port_is() {
    let peer = Scripted::start(704, |_, _| {});
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener on loopback");
    let port = listener.local_addr().expect("its address").port();
    let target = peer.enode_with(&peer.key, port);
    let run = eth_ping(&["--timeout", "500ms", "--retries", "0", "--tcp", &target]);
    assert_eq!(run.failed("no-reply")["tcp"], "open");
}

#[test]
fn with_count_there_is_one_connect_and_every_probe_says_what_it_gave() {
    let peer = Scripted::honest(705);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener on loopback");
    let target = peer.enode_with(&peer.key, listener.local_addr().expect("its address").port());
    let run = eth_ping(&["--timeout", "5s", "--tcp", "--count", "3", "--interval", "0", &target]);
    assert_eq!(run.code, 0);
    let probes = run.of_type("probe");
    assert_eq!(probes.len(), 3);
    assert!(probes.iter().all(|line| line["tcp"] == "open"), "{:#?}", run.lines);
    listener.accept().expect("a connection");
    listener.set_nonblocking(true).expect("non-blocking");
    assert!(listener.accept().is_err(), "a second connection");
}

/// Binds to any port on loopback, and tells which.
fn bound(fd: &OwnedFd) -> u16 {
    let any = SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
    bind(fd.as_raw_fd(), &any).expect("bind");
    getsockname::<SockaddrIn>(fd.as_raw_fd()).expect("its address").port()
}
