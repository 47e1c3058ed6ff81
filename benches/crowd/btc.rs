//! Speaks for all Bitcoin peers: one listener at every address, one thread, one task a connection.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use p2pprobe::bitcoin::{Command, Frame, FrameReader, Message};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::btc_manner::{MAINNET, Manner};
use super::eth_manner::unix_s;
use super::targets::Ports;
use super::{Common, Counts, Opened, TICK, peers};

/// Connections that wait to be taken: more than the system allows (`net.core.somaxconn`) is cut to that.
const BACKLOG: u32 = 65_535;
/// How much longer a slow peer takes.
const SLOWNESS: Duration = Duration::from_millis(300);
/// How long a connection is left open at most.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long is waited when there is no descriptor for another connection.
const NO_ROOM_WAIT: Duration = Duration::from_millis(10);
/// Bytes that are kept of what the prober sends: its ping has eight.
const KEEP: usize = 8;
/// Bytes that are read at once: the prober's longest message has fewer.
const READ_SIZE: usize = 512;

/// Opens the listener.
pub fn open(common: &Arc<Common>, port: u16) -> io::Result<Opened> {
    raise_limit();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let entered = runtime.enter();
    let listener = bound(Ipv4Addr::UNSPECIFIED, port)?.listen(BACKLOG)?;
    drop(entered);
    // Bound, so that nobody else takes it, and not listening, so that it is closed.
    let closed = bound(Ipv4Addr::UNSPECIFIED, 0)?;
    let ports = Ports { open: listener.local_addr()?.port(), closed: closed.local_addr()?.port() };
    let common = common.clone();
    let work: Box<dyn FnOnce() + Send> = Box::new(move || {
        runtime.block_on(async {
            let accepting = tokio::spawn(accept(listener, common.clone()));
            while !common.is_stopped() && !accepting.is_finished() {
                tokio::time::sleep(TICK).await;
            }
        });
    });
    Ok(Opened { ports, in_table: None, closed: Box::new(closed), work: vec![work] })
}

fn bound(ip: Ipv4Addr, port: u16) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(ip.into(), port))?;
    Ok(socket)
}

/// Each silent peer holds a connection for as long as the prober does.
fn raise_limit() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // What there is must do.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

async fn accept(listener: TcpListener, common: Arc<Common>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let common = common.clone();
                tokio::spawn(async move {
                    // A prober that hangs up in the middle is no fault of the peer's.
                    let _ = tokio::time::timeout(PATIENCE, talk(stream, &common)).await;
                });
            }
            Err(_) => {
                common.counts.strange.add();
                tokio::time::sleep(NO_ROOM_WAIT).await;
            }
        }
    }
}

async fn talk(mut stream: TcpStream, common: &Common) -> io::Result<()> {
    let Common { settings, counts, .. } = common;
    let number = match stream.local_addr()?.ip() {
        IpAddr::V4(at) => peers::number(at),
        IpAddr::V6(_) => None,
    };
    let begun = number.and_then(|number| Some((number, common.begin_exchange(number)?)));
    let Some((number, (nth, lost))) = begun else {
        counts.strange.add();
        return Ok(());
    };
    counts.came.add();
    let manner = Manner::of(settings, number);
    let lost = lost && !manner.waits_for_the_deadline();
    if lost {
        counts.lost.add();
    }
    if lost || manner == Manner::HangsUp {
        return Ok(());
    }
    stream.set_nodelay(true)?;
    let slowness = if manner == Manner::Slow { SLOWNESS } else { Duration::ZERO };
    let delay = settings.weather.delay(settings.seed, number, nth, 0) + slowness;
    let mut peer = Peer { number, manner, delay, said: false };
    let mut reader = FrameReader::new(MAINNET, KEEP);
    let mut buffer = [0; READ_SIZE];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        let mut bytes = &buffer[..count];
        loop {
            match reader.next_frame(&mut bytes) {
                Ok(None) => break,
                Ok(Some(frame)) => peer.answer(&mut stream, &frame, counts).await?,
                Err(_) => {
                    counts.strange.add();
                    return Ok(());
                }
            }
        }
    }
}

/// One end of a connection.
struct Peer {
    number: u32,
    manner: Manner,
    delay: Duration,
    /// Whether it has said what it has to say.
    said: bool,
}

impl Peer {
    async fn answer(
        &mut self,
        stream: &mut TcpStream,
        frame: &Frame,
        counts: &Counts,
    ) -> io::Result<()> {
        match frame.command {
            Command::VERSION if !self.said && self.manner != Manner::Silent => {
                self.said = true;
                counts.answered.add();
                // A sleep of nothing would be one of a millisecond.
                if !self.delay.is_zero() {
                    tokio::time::sleep(self.delay).await;
                }
                stream.write_all(&self.manner.greeting(self.number, unix_s())).await
            }
            Command::PING => {
                let Ok(Message::Ping(nonce)) = Message::decode(frame) else { return Ok(()) };
                counts.pongs.add();
                let mut pong = Vec::new();
                Message::Pong(nonce).encode(MAINNET, &mut pong);
                stream.write_all(&pong).await
            }
            _ => Ok(()),
        }
    }
}
