//! The two shapes of a protocol machine, and what passes between a machine and its driver.
//!
//! Machines are sans-IO: they never touch a socket, a clock or a source of randomness. A driver hands in
//! what happened and what time it is, then drains every output, then sleeps until
//! [`poll_timeout`](DatagramMachine::poll_timeout) or the next event. So a whole exchange, with loss, delay
//! and reordering, runs in a test in virtual time.
//!
//! There is one [`DatagramMachine`] for a whole UDP socket, however many peers it talks to, and one
//! [`StreamMachine`] for each TCP target. They are not forced into one trait: the first must find out whose
//! datagram it was handed, the second never has to.

use std::net::SocketAddr;
use std::ops::Add;
use std::time::Duration;

/// A point on the driver's monotonic clock, counted from the start of the run. Never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(pub Duration);

impl Mono {
    /// Time since `earlier`; zero if it is later.
    pub fn since(self, earlier: Mono) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Mono {
    type Output = Mono;

    fn add(self, rhs: Duration) -> Mono {
        Mono(self.0.saturating_add(rhs))
    }
}

/// The time, on both clocks: deadlines and round trips use `mono`, what is written on the wire or in a
/// report uses `unix_ms`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Monotonic.
    pub mono: Mono,
    /// Wall clock, milliseconds since the Unix epoch.
    pub unix_ms: u64,
}

impl Now {
    /// Wall clock in seconds, as discv4 expirations have it.
    pub fn unix_s(self) -> u64 {
        self.unix_ms / 1000
    }
}

/// Names one target of a run. Given by whoever calls [`DatagramMachine::start`]; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

/// Names one datagram handed to the driver, so that the driver can say what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SendId(pub u64);

/// A datagram to be sent; its bytes are in the buffer given to [`DatagramMachine::poll_transmit`]. The
/// driver answers each with one [`Event::Sent`] or [`Event::SendFailed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Its name.
    pub id: SendId,
    /// Where to.
    pub to: SocketAddr,
}

/// Which clock told when a datagram arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RttClock {
    /// The kernel, when it took the datagram from the network.
    Kernel,
    /// This program, when it read the datagram: late by however long that took.
    User,
}

/// Why this machine could not send, as far as the difference matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalError {
    /// No route to there, or no address of ours to send from.
    NoRoute,
    /// The address family is not there, or was switched off.
    NoFamily,
    /// No address of ours to connect from, or no port of it that is free.
    NoPort,
    /// Any other error of the system, by its number.
    Os(i32),
    /// The receive buffer of our own socket overflowed while the answer was due, and did so again when the
    /// question was repeated.
    OwnDrops,
}

/// An ICMP or ICMPv6 error about a datagram of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Icmp {
    /// What it means.
    pub kind: IcmpKind,
    /// ICMP type.
    pub icmp_type: u8,
    /// ICMP code.
    pub code: u8,
    /// Who said it, where the kernel knows.
    pub from: Option<std::net::IpAddr>,
}

/// What an ICMP error means for a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IcmpKind {
    /// The host is there and nothing listens on the port.
    PortUnreachable,
    /// Host, network or protocol not reachable, forbidden, or hop limit exceeded.
    HostUnreachable,
}

/// What a UDP socket can tell.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A datagram arrived.
    Datagram {
        /// From where.
        from: SocketAddr,
        /// On which clock `arrived` was taken.
        clock: RttClock,
        /// When it arrived, which is before it was read.
        arrived: Mono,
        /// All of it.
        bytes: &'a [u8],
    },
    /// A datagram left.
    Sent {
        /// Which.
        id: SendId,
        /// When, stamped at the system call and not when it was built.
        at: Mono,
    },
    /// A datagram could not be sent.
    SendFailed {
        /// Which.
        id: SendId,
        /// Why.
        why: LocalError,
    },
    /// An ICMP error came back.
    Icmp {
        /// Where the datagram that it is about was sent to.
        to: SocketAddr,
        /// The error.
        why: Icmp,
        /// As much of that datagram's payload as it quotes; perhaps nothing.
        quoted: &'a [u8],
    },
    /// How many datagrams the socket has lost so far because its receive buffer was full.
    OwnDrops {
        /// Since the socket was opened.
        total: u64,
    },
}

/// What a machine says of a job: any number of probes, then `Done` exactly once.
#[derive(Clone, Debug, PartialEq)]
pub enum JobReport<R> {
    /// One probe ended.
    Probe(R),
    /// The job ended; nothing more will be said of it.
    Done,
}

/// A machine for a whole UDP socket and any number of peers.
pub trait DatagramMachine {
    /// What a job is started with.
    type Target;
    /// What is said of one probe.
    type Report;

    /// How many more jobs it would take now.
    fn room(&self) -> usize;
    /// Begins a job. From here on it gives [`JobReport::Done`] exactly once, whatever happens.
    fn start(&mut self, now: Now, id: JobId, target: Self::Target);
    /// Takes in what happened.
    fn handle(&mut self, now: Now, event: Event<'_>);
    /// Takes in that the time of [`DatagramMachine::poll_timeout`] has come.
    fn handle_timeout(&mut self, now: Now);
    /// True if [`DatagramMachine::poll_transmit`] has a datagram. Asked before a pace is kept: what is not there
    /// need not wait for its turn.
    fn has_transmit(&self) -> bool;
    /// Builds and signs the next datagram into `buf`, which is empty; `None` when there is none to send.
    fn poll_transmit(&mut self, now: Now, buf: &mut Vec<u8>) -> Option<Transmit>;
    /// The next thing to say.
    fn poll_report(&mut self) -> Option<(JobId, JobReport<Self::Report>)>;
    /// The earliest deadline of any kind.
    fn poll_timeout(&self) -> Option<Mono>;
    /// Ends every open job now; its open probe is reported as interrupted.
    fn stop(&mut self, now: Now);
}

/// What a TCP connection can tell.
#[derive(Clone, Copy, Debug)]
pub enum StreamEvent<'a> {
    /// The connection is open.
    Connected {
        /// Our end of it.
        local: SocketAddr,
    },
    /// There is none, and why.
    ConnectFailed(ConnectError),
    /// Bytes came.
    Bytes(&'a [u8]),
    /// The peer closed it.
    Closed(CloseWhy),
}

/// Why a TCP connection could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectError {
    /// RST: nothing listens there.
    Refused,
    /// The network says that the host cannot be reached.
    HostUnreachable,
    /// Nothing came back for as long as the system waits.
    TimedOut,
    /// This machine could not even try.
    Local(LocalError),
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CloseWhy {
    /// The peer closed it in order.
    Eof,
    /// The peer reset it.
    Reset,
}

/// What a stream machine wants its driver to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open a connection; a second time closes the first (a fall-back to another transport).
    Connect,
    /// Write all of this.
    Write(Vec<u8>),
    /// Close. The last action.
    Close,
}

/// A machine for one TCP target.
pub trait StreamMachine {
    /// What it says in the end.
    type Report;

    /// Takes in what happened.
    fn handle(&mut self, now: Now, event: StreamEvent<'_>);
    /// Takes in that the time of [`StreamMachine::poll_timeout`] has come.
    fn handle_timeout(&mut self, now: Now);
    /// The next thing to do.
    fn poll_action(&mut self, now: Now) -> Option<Action>;
    /// The report, once; the machine is finished then.
    fn poll_report(&mut self) -> Option<Self::Report>;
    /// The earliest deadline of any kind.
    fn poll_timeout(&self) -> Option<Mono>;
    /// Ends it now, as interrupted.
    fn stop(&mut self, now: Now);
}
