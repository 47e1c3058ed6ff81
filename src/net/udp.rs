//! The UDP driver: one bound socket a family, for any number of peers.
//!
//! Each turn of a run: [`UdpDriver::receive`] empties the error queue and reads until nothing is left,
//! [`UdpDriver::timeouts`] tells the machine the time, [`UdpDriver::send`] sends one bounded batch, and
//! [`UdpDriver::wait`] sleeps until there is more to do. No more Pings leave between two reads than there is
//! room for their answers.

use std::future::pending;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use foldhash::HashMap;
use nix::errno::Errno;

use super::clock::{Clock, unix_time};
use super::drops::own_drops;
use super::error;
use super::pacer::Pacer;
use super::socket::{MAX_DATAGRAM, UdpSocket};
use crate::machine::{DatagramMachine, Event, LocalError, Mono, Now, RttClock, Transmit};

/// How often our own losses are looked up at most. Deadlines wait for it: no `no-reply` is given that has
/// not been checked against them.
const DROPS_INTERVAL: Duration = Duration::from_millis(20);
/// How often our own losses are looked up while we send.
const LOSS_INTERVAL: Duration = Duration::from_millis(200);
/// How long there must have been no loss before the rate is doubled again.
const RECOVERY: Duration = Duration::from_secs(1);
/// Networks towards which our own address is remembered.
const MAX_TOWARDS: usize = 4096;
/// How often a send is repeated that returned an error which may be that of an earlier datagram.
const SEND_AGAIN: usize = 16;
/// How soon a send is tried again for which the system had no buffer.
const NO_BUFFER_WAIT: Duration = Duration::from_millis(1);
/// For how long: then it is the machine's to say what becomes of it, and the others' turn.
const NO_BUFFER_PATIENCE: Duration = Duration::from_millis(200);
/// How far the two clocks may drift apart between two reads before the wall clock counts as set anew.
const CLOCK_JUMP: Duration = Duration::from_millis(5);

/// A packet that was sent or received, for whoever wants to see them all.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// When.
    pub at: Mono,
    /// True if we sent it.
    pub sent: bool,
    /// The peer's address.
    pub peer: SocketAddr,
    /// All of it.
    pub bytes: &'a [u8],
}

/// What is called with each packet.
pub type Tracer = Box<dyn FnMut(Seen<'_>)>;

/// How to drive.
pub struct Options {
    /// Addresses to bind, at most one a family; a family without one is bound to any address and port when
    /// it is first used.
    pub bind: Vec<SocketAddr>,
    /// Datagrams a second, in all; 0 for any number.
    pub rate: u32,
    /// Called with each packet.
    pub tracer: Option<Tracer>,
}

/// The driver.
pub struct UdpDriver {
    clock: Clock,
    v4: Option<Bound>,
    v6: Option<Bound>,
    pacer: Pacer,
    /// Our own addresses towards networks.
    towards: HashMap<IpAddr, SocketAddr>,
    tracer: Option<Tracer>,
    buffer: Box<[u8]>,
    /// Built, and not yet taken by the system.
    outgoing: Vec<u8>,
    unsent: Option<Unsent>,
    /// When the last reading began: what had arrived by then has been handed to the machine.
    read_at: Mono,
    drops_read: Option<Mono>,
    /// When we last slowed down for our own losses, or doubled the rate again.
    slowed: Option<Mono>,
    /// There is more to do at once.
    busy: bool,
    /// The last send had to wait for the pacer.
    paced: bool,
}

/// A datagram for which the system had no buffer.
#[derive(Clone, Copy)]
struct Unsent {
    transmit: Transmit,
    since: Mono,
    retry: Mono,
}

struct Bound {
    socket: UdpSocket,
    /// When the socket was last seen empty, on both clocks: what is read now came later.
    empty: (Mono, Duration),
    drops: u64,
}

impl UdpDriver {
    /// Binds what is to be bound. Must be called within a runtime.
    ///
    /// # Errors
    /// The address that could not be bound, and why.
    pub fn new(clock: Clock, options: Options) -> Result<Self, (SocketAddr, Errno)> {
        let mut driver = UdpDriver {
            clock,
            v4: None,
            v6: None,
            pacer: Pacer::new(options.rate),
            towards: HashMap::default(),
            tracer: options.tracer,
            buffer: vec![0; MAX_DATAGRAM].into_boxed_slice(),
            outgoing: Vec::new(),
            unsent: None,
            read_at: Mono::default(),
            drops_read: None,
            slowed: None,
            busy: false,
            paced: false,
        };
        for address in options.bind {
            driver.bind(address).map_err(|errno| (address, errno))?;
        }
        Ok(driver)
    }

    fn bind(&mut self, address: SocketAddr) -> Result<&mut Bound, Errno> {
        let socket = UdpSocket::bind(address)?;
        let slot = if address.is_ipv4() { &mut self.v4 } else { &mut self.v6 };
        Ok(slot.insert(Bound { socket, empty: (self.clock.mono(), unix_time()), drops: 0 }))
    }

    /// The socket for a target, bound if it is not yet.
    fn socket_for(&mut self, to: SocketAddr) -> Result<&mut Bound, Errno> {
        let (missing, any): (bool, IpAddr) = match to {
            SocketAddr::V4(_) => (self.v4.is_none(), Ipv4Addr::UNSPECIFIED.into()),
            SocketAddr::V6(_) => (self.v6.is_none(), Ipv6Addr::UNSPECIFIED.into()),
        };
        if missing {
            return self.bind(SocketAddr::new(any, 0));
        }
        let bound = if to.is_ipv4() { &mut self.v4 } else { &mut self.v6 };
        bound.as_mut().ok_or(Errno::EBADF)
    }

    /// Our own address towards `to`, or towards a neighbour of it that was asked about before: it is told to peers, who
    /// have no use for it, and costs four system calls. Sends nothing.
    ///
    /// # Errors
    /// Why this machine cannot send there.
    pub fn address_towards(&mut self, to: SocketAddr) -> Result<SocketAddr, LocalError> {
        let net = neighbourhood(to.ip());
        if let Some(known) = self.towards.get(&net) {
            return Ok(*known);
        }
        let bound = self.socket_for(to).map_err(error::local)?;
        let ours = bound.socket.address_towards(to).map_err(error::local)?;
        if self.towards.len() >= MAX_TOWARDS {
            self.towards.clear();
        }
        self.towards.insert(net, ours);
        Ok(ours)
    }

    /// The time.
    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// How many datagrams our own sockets had lost when that was last looked up.
    pub fn own_drops(&self) -> u64 {
        [&self.v4, &self.v6].into_iter().flatten().map(|bound| bound.drops).sum()
    }

    /// Hands all that has arrived to the machine: errors first, then datagrams.
    pub fn receive(&mut self, machine: &mut impl DatagramMachine) {
        self.busy = false;
        self.read_at = self.clock.mono();
        for v4 in [true, false] {
            self.receive_errors(v4, machine);
            self.receive_datagrams(v4, machine);
        }
    }

    /// How many datagrams the socket can have held when reading began. No more are read before anything else gets
    /// its turn, so that a flood cannot stop the clock.
    fn capacity(&self, v4: bool) -> usize {
        let bound = if v4 { &self.v4 } else { &self.v6 };
        bound.as_ref().map_or(0, |bound| bound.socket.capacity)
    }

    fn receive_errors(&mut self, v4: bool, machine: &mut impl DatagramMachine) {
        for _ in 0..self.capacity(v4) {
            let bound = if v4 { &mut self.v4 } else { &mut self.v6 };
            let Some(bound) = bound else { return };
            match bound.socket.receive_error(&mut self.buffer[..]) {
                Ok(None) => {}
                Ok(Some(error)) => {
                    let quoted = self.buffer.get(..error.len).unwrap_or_default();
                    let event = Event::Icmp { to: error.to, why: error.icmp, quoted };
                    machine.handle(self.clock.now(), event);
                }
                Err(_) => return,
            }
        }
        self.busy |= self.capacity(v4) > 0;
    }

    fn receive_datagrams(&mut self, v4: bool, machine: &mut impl DatagramMachine) {
        for _ in 0..self.capacity(v4) {
            let bound = if v4 { &mut self.v4 } else { &mut self.v6 };
            let Some(bound) = bound else { return };
            let asked = unix_time();
            let received = match bound.socket.receive(&mut self.buffer[..]) {
                Ok(received) => received,
                Err(Errno::EAGAIN) => {
                    bound.empty = (self.clock.mono(), unix_time());
                    return;
                }
                // Either a signal, or the pending error of an earlier send, which is not ours to tell.
                Err(errno) if errno == Errno::EINTR || error::may_be_pending(errno) => continue,
                // What stays is read in a later turn, or never; deadlines come all the same.
                Err(_) => return,
            };
            let now = self.clock.now();
            // Until the kernel has got round to stamping what arrives, it stamps what is read.
            let stamp = received.stamp.filter(|stamp| *stamp < asked);
            let stamped =
                stamp.and_then(|stamp| arrival(now.mono, unix_time(), bound.empty, stamp));
            let (arrived, clock) = match stamped {
                Some(arrived) => (arrived, RttClock::Kernel),
                None => (now.mono, RttClock::User),
            };
            let bytes = self.buffer.get(..received.len).unwrap_or_default();
            let from = received.from;
            if let Some(tracer) = &mut self.tracer {
                tracer(Seen { at: arrived, sent: false, peer: from, bytes });
            }
            machine.handle(now, Event::Datagram { from, clock, arrived, bytes });
        }
        self.busy |= self.capacity(v4) > 0;
    }

    /// Tells the machine the time, if it waits for it: that of the last reading, so that no deadline is told before
    /// all that arrived by then was. Our own losses are told first, so that it never takes one for a peer's silence.
    pub fn timeouts(&mut self, machine: &mut impl DatagramMachine) {
        let now = Now { mono: self.read_at, ..self.clock.now() };
        if machine.poll_timeout().is_none_or(|at| self.due(at) > now.mono) {
            return;
        }
        self.tell_own_drops(machine);
        machine.handle_timeout(now);
    }

    /// Counts what our own sockets have lost, and tells the machine.
    pub fn tell_own_drops(&mut self, machine: &mut impl DatagramMachine) {
        let (now, before) = (self.clock.mono(), self.own_drops());
        self.drops_read = Some(now);
        for bound in [&mut self.v4, &mut self.v6].into_iter().flatten() {
            if let Some(drops) = own_drops(&bound.socket.local, bound.socket.inode) {
                bound.drops = drops;
            }
        }
        if self.own_drops() > before {
            self.pacer.slow_down(now);
            self.slowed = Some(now);
        } else if self.slowed.is_some_and(|at| now.since(at) >= RECOVERY) {
            self.pacer.speed_up();
            self.slowed = Some(now);
        }
        machine.handle(self.clock.now(), Event::OwnDrops { total: self.own_drops() });
    }

    /// When the machine is told that its deadline has come.
    fn due(&self, deadline: Mono) -> Mono {
        match self.drops_read {
            Some(read) => deadline.max(read + DROPS_INTERVAL),
            None => deadline,
        }
    }

    /// Sends what the machine has, as much as may leave before the next read.
    pub fn send(&mut self, machine: &mut impl DatagramMachine) {
        self.paced = false;
        let read = self.drops_read.unwrap_or_default();
        if machine.has_transmit() && self.clock.mono().since(read) >= LOSS_INTERVAL {
            self.tell_own_drops(machine);
        }
        let batch =
            [&self.v4, &self.v6].into_iter().flatten().map(|bound| bound.socket.batch).min();
        for _ in 0..batch.unwrap_or(1) {
            let now = self.clock.now();
            if self.unsent.is_some_and(|unsent| unsent.retry > now.mono)
                || (self.unsent.is_none() && !machine.has_transmit())
            {
                return;
            }
            if self.pacer.ready_at() > now.mono {
                self.paced = true;
                return;
            }
            if let Some(Unsent { transmit, since, .. }) = self.unsent.take() {
                self.send_one(transmit, since, machine);
                continue;
            }
            self.outgoing.clear();
            match machine.poll_transmit(now, &mut self.outgoing) {
                Some(transmit) => self.send_one(transmit, now.mono, machine),
                None => return,
            }
        }
        self.busy = true;
    }

    fn send_one(&mut self, transmit: Transmit, since: Mono, machine: &mut impl DatagramMachine) {
        let Transmit { id, to } = transmit;
        for attempt in 0.. {
            let outgoing = std::mem::take(&mut self.outgoing);
            let at = self.clock.mono();
            let sent = self.socket_for(to).and_then(|bound| bound.socket.send(&outgoing, to));
            self.outgoing = outgoing;
            let event = match sent {
                Ok(()) => {
                    self.pacer.spend(at);
                    if let Some(tracer) = &mut self.tracer {
                        tracer(Seen { at, sent: true, peer: to, bytes: &self.outgoing });
                    }
                    Event::Sent { id, at }
                }
                // Our own send buffer is full, for as long as the network device takes. ENOBUFS is another matter:
                // that datagram is lost, and others may well get through.
                Err(Errno::EAGAIN) if at.since(since) < NO_BUFFER_PATIENCE => {
                    self.unsent = Some(Unsent { transmit, since, retry: at + NO_BUFFER_WAIT });
                    return;
                }
                Err(Errno::EINTR) => continue,
                // Perhaps the error of an earlier datagram: reading the error queue clears it.
                Err(errno) if error::may_be_pending(errno) && attempt < SEND_AGAIN => {
                    self.receive_errors(to.is_ipv4(), machine);
                    continue;
                }
                Err(errno) => Event::SendFailed { id, why: error::local(errno) },
            };
            machine.handle(self.clock.now(), event);
            return;
        }
    }

    /// True while a datagram that the machine gave has not left.
    pub fn holds_datagram(&self) -> bool {
        self.unsent.is_some()
    }

    /// Waits until a socket has something, the machine's deadline has come, or more may be sent.
    pub async fn wait(&self, machine: &impl DatagramMachine) {
        if self.busy {
            return tokio::task::yield_now().await;
        }
        let deadline = machine.poll_timeout().map(|at| self.due(at));
        let paced = self.paced.then(|| self.pacer.ready_at());
        let retry = self.unsent.map(|unsent| unsent.retry);
        let wake = [deadline, paced, retry].into_iter().flatten().min();
        let sleep = async {
            match wake {
                Some(at) => tokio::time::sleep_until(self.clock.instant(at)).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = readable(self.v4.as_ref()) => {}
            () = readable(self.v6.as_ref()) => {}
            () = sleep => {}
        }
    }
}

/// The network of an address that is likely reached the same way: its first 16 bits, or 48 of IPv6.
fn neighbourhood(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => IpAddr::V4((ip.to_bits() & !0xffff).into()),
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() & !(u128::MAX >> 48)).into()),
    }
}

async fn readable(bound: Option<&Bound>) {
    match bound {
        Some(bound) => bound.socket.readable().await,
        None => pending().await,
    }
}

/// When a datagram arrived, on the monotonic clock. The kernel stamps with the wall clock; a clock that jumps must not
/// change a round-trip time, so its age is held between zero and the time since the socket was last seen empty.
/// `None` where the wall clock was set since then: its stamps say nothing.
fn arrival(now: Mono, wall: Duration, empty: (Mono, Duration), stamp: Duration) -> Option<Mono> {
    let (empty, wall_then) = empty;
    let passed = now.since(empty);
    let drift = wall.saturating_sub(wall_then).abs_diff(passed);
    let age = wall.saturating_sub(stamp).min(passed);
    (drift < CLOCK_JUMP).then(|| Mono(now.0.saturating_sub(age)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_changes_no_arrival() {
        let s = Duration::from_secs;
        let ms = Duration::from_millis;
        let empty = (Mono(s(10)), s(1000));
        let at = |wall, stamp| arrival(Mono(s(11)), wall, empty, stamp);
        assert_eq!(at(s(1001), s(1001) - ms(300)), Some(Mono(s(11) - ms(300))));
        // A stamp from before the socket was empty, or from the future, is the clock's fault, not the network's.
        assert_eq!(at(s(1001), s(999)), Some(Mono(s(10))));
        assert_eq!(at(s(1001), s(1002)), Some(Mono(s(11))));
        // Set forward, set back.
        assert_eq!(at(s(1002), s(1000)), None);
        assert_eq!(at(s(900), s(899)), None);
    }
}
