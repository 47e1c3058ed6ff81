//! What the UDP driver tells a machine, on loopback: times, ICMP errors, our own losses.

use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use p2pprobe::machine::{
    DatagramMachine, Event, Icmp, IcmpKind, JobId, JobReport, LocalError, Mono, Now, RttClock,
    SendId, Transmit,
};
use p2pprobe::net::clock::Clock;
use p2pprobe::net::udp::{Options, UdpDriver};

/// Sends what it is told to, and writes down what it is told.
#[derive(Default)]
struct Recorder {
    to_send: VecDeque<(SocketAddr, Vec<u8>)>,
    sends: u64,
    deadline: Option<Mono>,
    sent: Vec<Mono>,
    failed: Vec<LocalError>,
    datagrams: Vec<(SocketAddr, RttClock, Mono, Vec<u8>)>,
    icmp: Vec<(SocketAddr, Icmp, Vec<u8>)>,
    drops: u64,
    /// How many datagrams had been told when a deadline was.
    at_deadline: Option<usize>,
}

impl DatagramMachine for Recorder {
    type Target = ();
    type Report = ();

    fn room(&self) -> usize {
        0
    }

    fn start(&mut self, _: Now, _: JobId, (): ()) {}

    fn handle(&mut self, _: Now, event: Event<'_>) {
        match event {
            Event::Datagram { from, clock, arrived, bytes } => {
                self.datagrams.push((from, clock, arrived, bytes.to_vec()));
            }
            Event::Sent { at, .. } => self.sent.push(at),
            Event::SendFailed { why, .. } => self.failed.push(why),
            Event::Icmp { to, why, quoted } => self.icmp.push((to, why, quoted.to_vec())),
            Event::OwnDrops { total } => self.drops = total,
        }
    }

    fn handle_timeout(&mut self, _: Now) {
        self.deadline = None;
        self.at_deadline = Some(self.datagrams.len());
    }

    fn has_transmit(&self) -> bool {
        !self.to_send.is_empty()
    }

    fn poll_transmit(&mut self, _: Now, buf: &mut Vec<u8>) -> Option<Transmit> {
        let (to, bytes) = self.to_send.pop_front()?;
        buf.extend_from_slice(&bytes);
        self.sends += 1;
        Some(Transmit { id: SendId(self.sends), to })
    }

    fn poll_report(&mut self) -> Option<(JobId, JobReport<()>)> {
        None
    }

    fn poll_timeout(&self) -> Option<Mono> {
        self.deadline
    }

    fn stop(&mut self, _: Now) {}
}

fn run<T>(test: impl AsyncFnOnce(UdpDriver, SocketAddr) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // Our own address cannot be asked for from outside, so a port is chosen first.
        let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let options = Options { bind: vec![free], rate: 0, tracer: None };
        let Ok(driver) = UdpDriver::new(Clock::start(), options) else { panic!("{free} was free") };
        test(driver, free).await
    })
}

/// Turns until nothing is left to send and `done` holds, or some seconds have passed.
async fn turns(driver: &mut UdpDriver, machine: &mut Recorder, done: impl Fn(&Recorder) -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        driver.receive(machine);
        driver.timeouts(machine);
        driver.send(machine);
        if machine.to_send.is_empty() && !driver.holds_datagram() && done(machine) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "it takes too long");
        let nap = tokio::time::sleep(Duration::from_millis(100));
        tokio::select! {
            () = driver.wait(machine) => {}
            () = nap => {}
        }
    }
}

#[test]
fn a_datagram_is_stamped_when_it_came_and_not_when_it_was_read() {
    run(async |mut driver, ours| {
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut machine = Recorder::default();
        // The kernel begins to stamp what arrives a while after the first socket has asked for it.
        for _ in 0..500 {
            peer.send_to(b"now?", ours).unwrap();
            std::thread::sleep(Duration::from_millis(5));
            driver.receive(&mut machine);
            if machine.datagrams.pop().is_some_and(|(_, clock, ..)| clock == RttClock::Kernel) {
                break;
            }
        }
        machine.datagrams.clear();
        let before = driver.now().mono;
        peer.send_to(b"hello", ours).unwrap();
        let after = driver.now().mono;
        std::thread::sleep(Duration::from_millis(50));
        driver.receive(&mut machine);
        let [(from, clock, arrived, bytes)] = &machine.datagrams[..] else {
            panic!("one datagram")
        };
        assert_eq!((*from, *clock), (peer.local_addr().unwrap(), RttClock::Kernel));
        assert_eq!(bytes, b"hello");
        // Both clocks are read one after the other, so a little play is left.
        let play = Duration::from_millis(5);
        assert!(
            *arrived + play >= before && *arrived <= after + play,
            "{before:?} {arrived:?} {after:?}"
        );
    });
}

#[test]
fn closed_ports_are_all_named_and_hold_up_nobody_else() {
    run(async |mut driver, _| {
        let alive = UdpSocket::bind("127.0.0.1:0").unwrap();
        alive.set_nonblocking(true).unwrap();
        // Ports that were free a moment ago.
        let closed: Vec<SocketAddr> = {
            let sockets: Vec<_> =
                (0..200).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
            sockets.iter().map(|socket| socket.local_addr().unwrap()).collect()
        };
        let mut machine = Recorder::default();
        for (index, to) in closed.iter().enumerate() {
            machine.to_send.push_back((
                *to,
                format!("to the closed port number {index:03}, in full").into_bytes(),
            ));
            machine.to_send.push_back((alive.local_addr().unwrap(), b"alive?".to_vec()));
        }
        turns(&mut driver, &mut machine, |machine| machine.icmp.len() == 200).await;
        assert_eq!((machine.sent.len(), machine.failed.len()), (400, 0));
        for (index, to) in closed.iter().enumerate() {
            let (_, why, quoted) =
                machine.icmp.iter().find(|(about, ..)| about == to).expect("each is named");
            assert_eq!((why.kind, why.icmp_type, why.code), (IcmpKind::PortUnreachable, 3, 3));
            assert_eq!(why.from, Some("127.0.0.1".parse().unwrap()));
            assert_eq!(quoted, format!("to the closed port number {index:03}, in full").as_bytes());
        }
        let mut buffer = [0; 64];
        let arrived = (0..).take_while(|_| alive.recv(&mut buffer).is_ok()).count();
        assert_eq!(arrived, 200);
    });
}

#[test]
fn what_our_own_socket_lost_is_known_at_the_next_deadline() {
    run(async |mut driver, ours| {
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut machine = Recorder::default();
        // More than any system grants room for: 8 MiB hold 10,082 small datagrams.
        for _ in 0..15_000 {
            peer.send_to(b"flood", ours).unwrap();
        }
        machine.deadline = Some(Mono::default());
        driver.timeouts(&mut machine);
        assert_eq!(machine.deadline, None);
        assert!(machine.drops > 0);
        assert_eq!(driver.own_drops(), machine.drops);
        turns(&mut driver, &mut machine, |_| true).await;
        for _ in 0..100 {
            driver.receive(&mut machine);
        }
        assert_eq!(machine.datagrams.len() as u64 + machine.drops, 15_000);
    });
}

#[test]
fn no_deadline_is_told_before_all_that_arrived_by_then() {
    run(async |mut driver, ours| {
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut machine = Recorder::default();
        driver.receive(&mut machine);
        // Far more than one turn needs to be short; less than the smallest buffer that a test machine grants.
        for _ in 0..250 {
            peer.send_to(b"in time", ours).unwrap();
        }
        machine.deadline = Some(driver.now().mono);
        driver.timeouts(&mut machine);
        assert_eq!(machine.at_deadline, None, "what arrived before was not read yet");
        driver.receive(&mut machine);
        driver.timeouts(&mut machine);
        assert_eq!(machine.at_deadline, Some(250));
    });
}

#[test]
fn nobody_waits_for_a_pace_with_nothing_to_send() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let sink = UdpSocket::bind("127.0.0.1:0").unwrap();
        let options = Options { bind: Vec::new(), rate: 1, tracer: None };
        let Ok(mut driver) = UdpDriver::new(Clock::start(), options) else { panic!("bind") };
        let to_send = [(sink.local_addr().unwrap(), b"once".to_vec())].into();
        let mut machine = Recorder { to_send, ..Recorder::default() };
        driver.send(&mut machine);
        driver.send(&mut machine);
        assert_eq!(machine.sent.len(), 1);
        driver.receive(&mut machine);
        // With no deadline and nothing to send, it waits for the socket alone.
        let waited = tokio::time::timeout(Duration::from_millis(1200), driver.wait(&machine)).await;
        assert!(waited.is_err());
    });
}

#[test]
fn a_send_without_a_way_is_told_of_its_own_datagram_only() {
    run(async |mut driver, _| {
        let alive = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut machine = Recorder::default();
        // From a socket bound to loopback nothing leaves the machine.
        machine.to_send.push_back(("198.51.100.1:9".parse().unwrap(), b"away".to_vec()));
        machine.to_send.push_back((alive.local_addr().unwrap(), b"here".to_vec()));
        turns(&mut driver, &mut machine, |_| true).await;
        assert_eq!((machine.sent.len(), machine.failed), (1, vec![LocalError::NoRoute]), "EINVAL");
    });
}

#[test]
fn no_more_leave_than_the_rate_allows() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let sink = UdpSocket::bind("127.0.0.1:0").unwrap();
        let options = Options { bind: Vec::new(), rate: 100, tracer: None };
        let Ok(mut driver) = UdpDriver::new(Clock::start(), options) else { panic!("bind") };
        let to_send = (0..30).map(|_| (sink.local_addr().unwrap(), b"tick".to_vec())).collect();
        let mut machine = Recorder { to_send, ..Recorder::default() };
        turns(&mut driver, &mut machine, |_| true).await;
        let (first, last) = (machine.sent[0], machine.sent[29]);
        // 29 gaps of 10 ms, of which one may be run ahead of.
        assert!(last.since(first) >= Duration::from_millis(270), "{:?}", last.since(first));
    });
}
