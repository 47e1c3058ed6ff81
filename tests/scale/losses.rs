//! While our own socket loses datagrams, fewer leave, and once it does not, more again.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::common::command::{TempDir, eth_ping};
use crate::common::crowd::Crowd;
use crate::scene::{Results, finish};
use crate::small_buffer::Less;

const RATE: usize = 1000;
const TARGETS: usize = 10_000;
/// How long datagrams pour in, from a second after the first Ping on.
const FLOOD: Duration = Duration::from_millis(1500);

fn second(number: u64) -> Duration {
    Duration::from_secs(number)
}

#[test]
fn the_rate_falls_while_we_lose_and_comes_back() {
    let came: Arc<Mutex<Vec<(Instant, SocketAddr)>>> = Arc::default();
    let seen = came.clone();
    let crowd = Crowd::start(move |_, from, _| {
        seen.lock().expect("no panic").push((Instant::now(), from));
        None
    });
    let dir = TempDir::new();
    let target = |number: usize| {
        let [high, low] = (number as u16).to_be_bytes();
        format!("{}:{}\n", Ipv4Addr::new(127, 8, high, low), crowd.port)
    };
    let file = dir.file("targets", (0..TARGETS).map(target).collect::<String>());
    let rate = RATE.to_string();
    let args = ["--json", "--retries", "0", "--timeout", "100ms", "--per-host-interval", "0"];
    let less = Less::new();
    let command = less.applied(eth_ping(args.iter().chain(&["--rate", &rate, "--file", &file])));
    let run = std::thread::spawn(move || finish(command));

    let first = loop {
        if let Some(first) = came.lock().expect("no panic").first() {
            break *first;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    std::thread::sleep(second(1));
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let ours = SocketAddr::from((Ipv4Addr::LOCALHOST, first.1.port()));
    let (began, mut sent) = (Instant::now(), 0);
    while began.elapsed() < FLOOD {
        // So many at once do not fit, and there is time for others between them.
        for _ in 0..20 {
            sent += u64::from(socket.send_to(&[0xaa; 20], ours).is_ok());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let ended = Instant::now();
    let ran = run.join().expect("it ends");
    less.assert_used();

    let results = Results::read(&ran.stdout);
    results.assert_adds_up();
    let drops = results.summary["own_drops"].as_u64().expect("a number");
    assert!(drops > 100 && drops <= sent, "{drops} of {sent}");
    let came = came.lock().expect("no panic").clone();
    let between =
        |from: Instant, to: Instant| came.iter().filter(|(at, _)| *at >= from && *at < to).count();
    let before = between(began - second(1), began);
    // The last half second of the flood, and the half second behind it: the rate comes back a second later.
    let half = second(1) / 2;
    let during = between(ended - half, ended + half);
    let last = came.last().expect("datagrams").0;
    let after = between(last - second(1), last);
    assert!(before > RATE / 2, "{before}, {during}, {after} a second");
    assert!(during < RATE / 4, "{before}, {during}, {after} a second");
    assert!(after > RATE * 3 / 4, "{before}, {during}, {after} a second");
}
