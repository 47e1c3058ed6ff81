//! The TCP driver, with a machine that wants some bytes: what came in time counts, however late it is read, and the end
//! comes all the same.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use p2pprobe::machine::{Action, Mono, Now, StreamEvent, StreamMachine};
use p2pprobe::net::clock::Clock;
use p2pprobe::net::tcp::Dialer;
use p2pprobe::stop;
use tokio::task::JoinSet;

/// More than the runtime wakes before it asks the system again.
const CONNECTIONS: usize = 200;

/// Connects, and says whether so many bytes came before its deadline.
struct WantsBytes {
    wanted: usize,
    deadline: Mono,
    connects: bool,
    came: Option<bool>,
}

impl StreamMachine for WantsBytes {
    type Report = bool;

    fn handle(&mut self, _now: Now, event: StreamEvent<'_>) {
        match event {
            StreamEvent::Connected { .. } => {}
            StreamEvent::Bytes(bytes) => {
                self.wanted = self.wanted.saturating_sub(bytes.len());
                self.came = (self.wanted == 0).then_some(true);
            }
            StreamEvent::ConnectFailed(_) | StreamEvent::Closed(_) => self.came = Some(false),
        }
    }

    fn handle_timeout(&mut self, _now: Now) {
        self.came.get_or_insert(false);
    }

    fn poll_action(&mut self, _now: Now) -> Option<Action> {
        std::mem::take(&mut self.connects).then_some(Action::Connect)
    }

    fn poll_report(&mut self) -> Option<bool> {
        self.came.take()
    }

    fn poll_timeout(&self) -> Option<Mono> {
        Some(self.deadline)
    }

    fn stop(&mut self, _now: Now) {}
}

#[tokio::test]
async fn bytes_that_came_before_the_deadline_are_read_after_it() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener on loopback");
    let to = listener.local_addr().expect("its address");
    let peers = thread::spawn(move || {
        let accept = || listener.accept().expect("a connection").0;
        let mut streams: Vec<_> = (0..CONNECTIONS).map(|_| accept()).collect();
        // By now all of them wait for it, and the prober is about to be held up.
        thread::sleep(Duration::from_millis(300));
        streams.iter_mut().for_each(|stream| stream.write_all(b"!").expect("taken"));
        streams
    });
    let (_sender, stop) = stop::channel();
    let clock = Clock::start();
    let deadline = Mono(clock.mono().0 + Duration::from_secs(2));
    let mut driven = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let dialer = Dialer { clock, bind: Arc::new([]), stop: stop.clone() };
        let mut machine = WantsBytes { wanted: 1, deadline, connects: true, came: None };
        driven.spawn(async move { dialer.drive(&mut machine, to, None).await });
    }
    tokio::time::sleep(Duration::from_millis(150)).await;
    // What a busy machine does to it.
    thread::sleep(Duration::from_millis(2200));

    assert_eq!(driven.join_all().await, [true; CONNECTIONS]);
    peers.join().expect("the peers");
}

#[tokio::test]
async fn nobody_puts_the_end_off_by_sending_on() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener on loopback");
    let to = listener.local_addr().expect("its address");
    let peer = thread::spawn(move || {
        let mut stream = listener.accept().expect("a connection").0;
        let mut sent = 0_u64;
        // Until we hang up.
        while stream.write_all(&[0; 4096]).is_ok() {
            sent += 4096;
        }
        sent
    });
    let (_sender, stop) = stop::channel();
    let clock = Clock::start();
    let deadline = Mono(clock.mono().0 + Duration::from_millis(300));
    let mut machine = WantsBytes { wanted: usize::MAX, deadline, connects: true, came: None };
    let dialer = Dialer { clock, bind: Arc::new([]), stop };
    let driven = dialer.drive(&mut machine, to, None);
    let came = tokio::time::timeout(Duration::from_secs(10), driven).await;
    assert_eq!(came, Ok(false), "it ends, and not because the peer did");
    assert!(peer.join().expect("the peer ends") > 0);
}

/// A peer that had filled all buffers by then, and fills them again: so much of it may have come in time, and no more.
#[tokio::test]
async fn what_is_read_after_the_deadline_is_bounded() {
    const MOST: usize = 66 << 10;
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener on loopback");
    let to = listener.local_addr().expect("its address");
    let peer = thread::spawn(move || {
        let mut stream = listener.accept().expect("a connection").0;
        // By now the prober is held up.
        thread::sleep(Duration::from_millis(300));
        let mut sent = 0;
        while stream.write_all(&[0; 4096]).is_ok() {
            sent += 4096;
        }
        sent
    });
    let (_sender, stop) = stop::channel();
    let clock = Clock::start();
    let deadline = Mono(clock.mono().0 + Duration::from_millis(700));
    let dialer = Dialer { clock, bind: Arc::new([]), stop };
    let driven = tokio::spawn(async move {
        let mut machine = WantsBytes { wanted: usize::MAX, deadline, connects: true, came: None };
        let came = dialer.drive(&mut machine, to, None).await;
        (came, usize::MAX - machine.wanted)
    });
    tokio::time::sleep(Duration::from_millis(150)).await;
    thread::sleep(Duration::from_millis(800));

    let driven = tokio::time::timeout(Duration::from_secs(10), driven).await;
    let (came, read) = driven.expect("it ends").expect("it does not panic");
    assert!(!came && (1..=MOST).contains(&read), "{read} bytes");
    let sent: usize = peer.join().expect("the peer ends");
    assert!(sent > 2 * MOST, "{sent} bytes are none too many");
}
