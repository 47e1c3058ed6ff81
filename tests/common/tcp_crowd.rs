//! Bitcoin peers on one TCP port: each has an address of its own in 127.0.0.0/8, and each connection a thread.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::btc::{frame, message, verack, version};

/// How long a crowd lives at most.
const MAX_LIFE: Duration = Duration::from_secs(60);
/// How often a thread looks whether it is to end.
const TICK: Duration = Duration::from_millis(5);

/// How a peer treats a connection.
#[derive(Clone, Debug)]
pub enum Manner {
    /// Waits so long, and then shakes hands and answers the ping.
    Answer(Duration),
    /// Hangs up unless the first thing it hears is mainnet's magic; then it answers.
    Picky,
    /// Says nothing for so long, and hangs up.
    Silent(Duration),
    /// Hangs up at once.
    Close,
    /// Says this, and nothing more.
    Say(Vec<u8>),
}

/// An answer that does not wait.
pub const ANSWER: Manner = Manner::Answer(Duration::ZERO);
/// A peer that says nothing for as long as any test takes.
pub const SILENT: Manner = Manner::Silent(MAX_LIFE);

/// One connection.
#[derive(Clone, Copy, Debug)]
pub struct Came {
    /// The peer that it was for.
    pub to: IpAddr,
    /// When.
    pub at: Instant,
}

#[derive(Default)]
struct State {
    stop: AtomicBool,
    came: Mutex<Vec<Came>>,
    /// Connections whose answer has not left yet: the prober holds each of them open.
    waiting: AtomicUsize,
    most: AtomicUsize,
}

/// A running crowd; it ends when this is dropped.
pub struct TcpCrowd {
    /// The port of all of them.
    pub port: u16,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

impl TcpCrowd {
    /// `manner` says how the peer at an address treats a connection, the first one, the second one and so on (from 0).
    pub fn start(manner: impl Fn(Ipv4Addr, usize) -> Manner + Send + 'static) -> Self {
        Self::start_on(TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a listener"), manner)
    }

    /// The same on a listener that is there already.
    pub fn start_on(
        listener: TcpListener,
        manner: impl Fn(Ipv4Addr, usize) -> Manner + Send + 'static,
    ) -> Self {
        listener.set_nonblocking(true).expect("a listener that does not block");
        let port = listener.local_addr().expect("its address").port();
        let state = Arc::new(State::default());
        let serving = state.clone();
        let thread = thread::spawn(move || serve(&listener, manner, &serving));
        TcpCrowd { port, state, thread: Some(thread) }
    }

    /// A crowd of peers that answer.
    pub fn answering() -> Self {
        Self::start(|_, _| ANSWER)
    }

    /// The address of a peer, as a target.
    pub fn target(&self, number: usize) -> String {
        format!("{}:{}", ip(number), self.port)
    }

    /// So many targets, one a line.
    pub fn targets(&self, count: usize) -> String {
        (0..count).map(|number| self.target(number) + "\n").collect()
    }

    /// All connections by now, in their order.
    pub fn came(&self) -> Vec<Came> {
        self.state.came.lock().expect("no thread panicked").clone()
    }

    /// How many connections waited for their answer at the same time, at most. There were as many connections at
    /// least.
    pub fn most(&self) -> usize {
        self.state.most.load(Ordering::SeqCst)
    }
}

impl Drop for TcpCrowd {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "the crowd failed");
        }
    }
}

/// The address of a peer.
pub fn ip(number: usize) -> Ipv4Addr {
    let number = u16::try_from(number).expect("a small crowd").to_be_bytes();
    Ipv4Addr::new(127, 1, number[0], number[1])
}

/// Which peer has an address.
pub fn number(ip: Ipv4Addr) -> usize {
    let [_, _, high, low] = ip.octets();
    u16::from_be_bytes([high, low]).into()
}

fn serve(listener: &TcpListener, manner: impl Fn(Ipv4Addr, usize) -> Manner, state: &Arc<State>) {
    let end = Instant::now() + MAX_LIFE;
    let mut connections: HashMap<Ipv4Addr, usize> = HashMap::new();
    while !state.stop.load(Ordering::SeqCst) && Instant::now() < end {
        let Ok((stream, _)) = listener.accept() else {
            thread::sleep(Duration::from_millis(1));
            continue;
        };
        let Ok(SocketAddr::V4(local)) = stream.local_addr() else { panic!("IPv4 is its family") };
        let came = Came { to: IpAddr::V4(*local.ip()), at: Instant::now() };
        state.came.lock().expect("no thread panicked").push(came);
        let waiting = state.waiting.fetch_add(1, Ordering::SeqCst) + 1;
        state.most.fetch_max(waiting, Ordering::SeqCst);
        let nth = connections.entry(*local.ip()).and_modify(|count| *count += 1).or_default();
        let (manner, state) = (manner(*local.ip(), *nth), state.clone());
        // It ends with the connection, which ends with the run.
        thread::spawn(move || treat(stream, manner, &state));
    }
}

/// What fails here fails for the prober, too, and shows there.
fn treat(mut stream: TcpStream, manner: Manner, state: &State) {
    let _ = stream.set_nonblocking(false);
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(Some(TICK));
    let answers = match manner {
        Manner::Answer(wait) => {
            listen(&mut stream, wait, state);
            true
        }
        Manner::Picky => is_mainnet(&stream),
        Manner::Silent(time) => {
            listen(&mut stream, time, state);
            false
        }
        Manner::Close | Manner::Say(_) => false,
    };
    state.waiting.fetch_sub(1, Ordering::SeqCst);
    if answers {
        let _ = stream.write_all(&[version(), verack()].concat());
        answer_ping(&mut stream, state);
    } else if let Manner::Say(bytes) = manner {
        let _ = stream.write_all(&bytes);
        listen(&mut stream, MAX_LIFE, state);
    } else {
        // A reset is for what was not read; this is a plain end.
        listen(&mut stream, 4 * TICK, state);
        let _ = stream.shutdown(Shutdown::Write);
        listen(&mut stream, MAX_LIFE, state);
    }
}

/// Takes what comes until the time is over, the prober has hung up or the crowd ends.
fn listen(stream: &mut TcpStream, time: Duration, state: &State) {
    let until = Instant::now() + time;
    let mut buffer = [0; 1024];
    while Instant::now() < until && !state.stop.load(Ordering::SeqCst) {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Err(e) if !is_quiet(&e) => return,
            _ => {}
        }
    }
}

/// True if mainnet's magic comes first; it is left there to be read.
fn is_mainnet(stream: &TcpStream) -> bool {
    let mut magic = [0; 4];
    let until = Instant::now() + MAX_LIFE;
    while Instant::now() < until {
        match stream.peek(&mut magic) {
            Ok(4) => break,
            Err(e) if is_quiet(&e) => {}
            Ok(0) | Err(_) => return false,
            Ok(_) => thread::sleep(TICK),
        }
    }
    magic == super::btc::MAINNET.0
}

fn answer_ping(stream: &mut TcpStream, state: &State) {
    let ping = frame(super::btc::MAINNET, b"ping", &[]);
    // Magic and name; length and checksum follow, and then the nonce.
    let start = &ping[..16];
    let (mut heard, mut buffer) = (Vec::new(), [0; 1024]);
    let mut answered = false;
    while !state.stop.load(Ordering::SeqCst) {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => heard.extend_from_slice(&buffer[..count]),
            Err(e) if is_quiet(&e) => {}
            Err(_) => return,
        }
        let at = heard.windows(start.len()).position(|window| window == start);
        let nonce = at.and_then(|at| heard.get(at + 24..at + 32));
        if let Some(nonce) = nonce.filter(|_| !answered) {
            let _ = stream.write_all(&message("pong", nonce));
            answered = true;
        }
    }
}

fn is_quiet(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}
