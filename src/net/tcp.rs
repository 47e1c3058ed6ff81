//! The TCP driver: one machine, one target.

use std::future::{pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::IpBindAddressNoPort;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::clock::Clock;
use super::error;
use crate::machine::{Action, CloseWhy, ConnectError, Mono, Now, StreamEvent, StreamMachine};
use crate::stop::Stop;

/// How much is read at once, in bytes. A connection in flight must stay small: there may be thousands.
const READ_SIZE: usize = 512;

/// How often a connection is read after its deadline: 64 KiB, which are more than a handshake, may have come before it.
const MAX_LATE_READS: u32 = 128;

/// What happened to a connection, for whoever wants to see it all.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// When.
    pub at: Mono,
    /// What.
    pub what: SeenWhat<'a>,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum SeenWhat<'a> {
    /// We began to connect.
    Connecting,
    /// The connection is open, at this end of ours.
    Connected(SocketAddr),
    /// There is none.
    Failed(ConnectError),
    /// We sent these bytes.
    Sent(&'a [u8]),
    /// These bytes came.
    Got(&'a [u8]),
    /// The peer hung up.
    Closed(CloseWhy),
    /// We hung up.
    Close,
}

/// What is called with all that happens to one connection.
pub type Tracer = Box<dyn FnMut(Seen<'_>) + Send>;

/// How to drive.
#[derive(Clone, Debug)]
pub struct Dialer {
    /// What time it is.
    pub clock: Clock,
    /// Addresses to connect from, at most one a family.
    pub bind: Arc<[SocketAddr]>,
    /// The wish that the run end.
    pub stop: Stop,
}

impl Dialer {
    /// Runs `machine` against `to` until it reports. Told to stop, the machine reports what it has.
    pub async fn drive<M: StreamMachine>(
        mut self,
        machine: &mut M,
        to: SocketAddr,
        tracer: Option<Tracer>,
    ) -> M::Report {
        let clock = self.clock;
        let mut driven = Driven { machine, stream: None, reset: false, clock, tracer };
        let mut stopped = false;
        let mut seen = None;
        let mut late_reads = 0;
        loop {
            while let Some(action) = driven.machine.poll_action(clock.now()) {
                let deadline = driven.machine.poll_timeout();
                tokio::select! {
                    // What is done is done, however late that is seen.
                    biased;
                    () = driven.act(action, to, &self.bind) => {}
                    () = sleep_until(clock, deadline, &mut seen) => break,
                    () = stopping(&mut self.stop, stopped) => break,
                }
            }
            if let Some(report) = driven.machine.poll_report() {
                return report;
            }
            if self.stop.is_requested() && !stopped {
                stopped = true;
                driven.machine.stop(clock.now());
                continue;
            }
            let deadline = driven.machine.poll_timeout();
            tokio::select! {
                // What came before the deadline counts, however late it is read: else a prober that was held up blames
                // its peers. But nobody puts the end off by sending on and on.
                biased;
                () = driven.read() => {
                    let is_late = deadline.is_some_and(|at| at <= clock.mono());
                    late_reads = if is_late { late_reads + 1 } else { 0 };
                    if late_reads > MAX_LATE_READS {
                        driven.machine.handle_timeout(clock.now());
                    }
                }
                () = sleep_until(clock, deadline, &mut seen) => {
                    driven.machine.handle_timeout(clock.now());
                }
                () = stopping(&mut self.stop, stopped) => {}
            }
        }
    }
}

/// A machine and its connection. Its futures may be dropped at any point: then the deadline has passed, or the run is
/// to end, and the machine closes.
struct Driven<'m, M> {
    machine: &'m mut M,
    stream: Option<TcpStream>,
    /// A write said that the peer had reset the connection.
    reset: bool,
    clock: Clock,
    tracer: Option<Tracer>,
}

impl<M: StreamMachine> Driven<'_, M> {
    /// Tells that something happened just now. Times are taken before that: whoever looks on takes time, too.
    fn see(&mut self, now: Now, what: SeenWhat<'_>) {
        if let Some(tracer) = &mut self.tracer {
            tracer(Seen { at: now.mono, what });
        }
    }

    async fn act(&mut self, action: Action, to: SocketAddr, bind: &[SocketAddr]) {
        match action {
            Action::Connect => {
                (self.stream, self.reset) = (None, false);
                self.see(self.clock.now(), SeenWhat::Connecting);
                let connected = connect(to, bind).await;
                let now = self.clock.now();
                match connected {
                    Ok((local, open)) => {
                        self.stream = Some(open);
                        self.see(now, SeenWhat::Connected(local));
                        self.machine.handle(now, StreamEvent::Connected { local });
                    }
                    Err(why) => {
                        self.see(now, SeenWhat::Failed(why));
                        self.machine.handle(now, StreamEvent::ConnectFailed(why));
                    }
                }
            }
            Action::Write(bytes) => {
                let Some(open) = &mut self.stream else { return };
                // What the peer said before it hung up is still to be read; reading tells that it did.
                match open.write_all(&bytes).await {
                    Ok(()) => self.see(self.clock.now(), SeenWhat::Sent(&bytes)),
                    // The system tells a reset once: reading sees no more than the end then.
                    Err(_) => self.reset = true,
                }
            }
            Action::Close => {
                if self.stream.take().is_some() {
                    self.see(self.clock.now(), SeenWhat::Close);
                }
            }
        }
    }

    /// Reads what has come; never returns where there is no connection.
    async fn read(&mut self) {
        let Some(open) = &mut self.stream else { return pending().await };
        let mut buffer = [0; READ_SIZE];
        let read = open.read(&mut buffer).await;
        let now = self.clock.now();
        let (what, event) = match read {
            Ok(0) if self.reset => closed(CloseWhy::Reset),
            Ok(0) => closed(CloseWhy::Eof),
            Ok(count) => {
                let bytes = buffer.get(..count).unwrap_or_default();
                (SeenWhat::Got(bytes), StreamEvent::Bytes(bytes))
            }
            Err(_) => closed(CloseWhy::Reset),
        };
        if matches!(event, StreamEvent::Closed(_)) {
            self.stream = None;
        }
        self.see(now, what);
        self.machine.handle(now, event);
    }
}

fn closed(why: CloseWhy) -> (SeenWhat<'static>, StreamEvent<'static>) {
    (SeenWhat::Closed(why), StreamEvent::Closed(why))
}

/// Opens a connection, and says where our end of it is.
async fn connect(
    to: SocketAddr,
    bind: &[SocketAddr],
) -> Result<(SocketAddr, TcpStream), ConnectError> {
    let socket = match to {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    };
    let socket = socket.map_err(|e| error::connect_at_once(&e))?;
    // A ping must not wait for the acknowledgement of what left before it: that would count as its round trip.
    socket.set_nodelay(true).map_err(|e| error::connect_at_once(&e))?;
    if let Some(from) = bind.iter().find(|from| from.is_ipv4() == to.is_ipv4()) {
        bind_to(&socket, *from).map_err(|e| error::connect_at_once(&e))?;
    }
    let mut connecting = pin!(socket.connect(to));
    // What the system call itself says is found by polling once: whatever the network says takes another turn.
    let at_once = poll_fn(|context| Poll::Ready(connecting.as_mut().poll(context))).await;
    let open = match at_once {
        Poll::Ready(connected) => connected.map_err(|e| error::connect_at_once(&e)),
        Poll::Pending => connecting.await.map_err(|e| error::connect(&e)),
    }?;
    let local = open.local_addr().map_err(|e| error::connect(&e))?;
    Ok((local, open))
}

/// Binds a socket that is to connect; more than one may share a port.
///
/// # Errors
/// Those of the system.
pub fn bind_to(socket: &TcpSocket, from: SocketAddr) -> io::Result<()> {
    if from.port() == 0 {
        // The port is chosen when the peer is known: so many connections may share one as there are peers.
        setsockopt(socket, IpBindAddressNoPort, &true)?;
    } else {
        socket.set_reuseaddr(true)?;
    }
    socket.bind(from)
}

/// Returns once a deadline has passed and the runtime has looked, after that, what else has happened. `seen` is the
/// deadline for which it has: it does so once for each, so that nobody puts one off by sending on and on.
async fn sleep_until(clock: Clock, deadline: Option<Mono>, seen: &mut Option<Mono>) {
    let Some(at) = deadline else { return pending().await };
    tokio::time::sleep_until(clock.instant(at)).await;
    if seen.replace(at) != deadline {
        tokio::task::yield_now().await;
    }
}

/// Returns once the run is to end; never if that is known already.
async fn stopping(stop: &mut Stop, known: bool) {
    match known {
        true => pending().await,
        false => stop.requested().await,
    }
}
