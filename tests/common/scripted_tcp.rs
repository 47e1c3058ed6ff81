//! A TCP peer that plays a script: a listener on loopback, and for each connection a thread that takes one
//! [`Step`] after the other and keeps what came. It ends when it is dropped or [finished](ScriptedTcp::finish),
//! or after [`MAX_LIFE`]; each connection ends with it.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::libc::linger;
use nix::sys::socket::{setsockopt, sockopt};
use p2pprobe::bitcoin::{FrameReader, Magic};

/// How long a peer lives at most.
const MAX_LIFE: Duration = Duration::from_secs(60);
/// How many connections it takes at most.
const MAX_CONNECTIONS: usize = 100;
/// How long it waits for somebody to take what it says.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that are kept of a payload; the prober says nothing that is longer.
const LONGEST: usize = 1024;
/// How often it looks whether it is to end; then it first takes what has arrived.
const TICK: Duration = Duration::from_millis(5);

/// What a peer does. Behind its last step it listens until the prober hangs up.
#[derive(Clone)]
pub enum Step {
    /// Sends all of it.
    Send(Vec<u8>),
    /// Sends it in writes of one byte, with a pause behind each.
    Drip(Vec<u8>, Duration),
    /// Waits for the next message of this name.
    Await(&'static str),
    /// Waits for it, and sends what this makes of its payload.
    Answer(&'static str, Reply),
    /// Does nothing but listen.
    Pause(Duration),
    /// Says that nothing more will come (FIN), and listens on. To close outright would be a reset wherever something
    /// of the prober's had not been read.
    Close,
    /// Resets the connection (RST).
    Reset,
}

/// What becomes of a payload.
pub type Reply = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

impl Step {
    /// [`Step::Answer`].
    pub fn answer(
        name: &'static str,
        reply: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Step::Answer(name, Arc::new(reply))
    }
}

/// A running peer.
pub struct ScriptedTcp {
    pub addr: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Connection>>>,
}

/// What came on one connection.
#[derive(Debug)]
pub struct Connection {
    /// Where it came from.
    pub from: SocketAddr,
    /// All messages, in their order. A peer here gets nothing but right frames.
    pub heard: Vec<Heard>,
    /// How long after the peer's last bytes the prober hung up, if it did.
    pub hung_up_after: Option<Duration>,
}

/// One message of the prober's.
#[derive(Debug)]
pub struct Heard {
    pub name: String,
    pub payload: Vec<u8>,
    /// How many bytes the peer had said when this came.
    pub said: usize,
}

impl Connection {
    /// The names of all messages.
    pub fn names(&self) -> Vec<&str> {
        self.heard.iter().map(|heard| heard.name.as_str()).collect()
    }

    /// The payloads of those of this name.
    pub fn payloads(&self, name: &str) -> Vec<&[u8]> {
        let named = self.heard.iter().filter(|heard| heard.name == name);
        named.map(|heard| heard.payload.as_slice()).collect()
    }
}

impl ScriptedTcp {
    /// A peer on 127.0.0.1 that speaks with mainnet's magic and plays this for each connection.
    pub fn start(script: Vec<Step>) -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), super::btc::MAINNET, script)
    }

    /// The same on another address of this machine, for a prober of another network.
    pub fn start_at(ip: IpAddr, magic: Magic, script: Vec<Step>) -> Self {
        let listener = TcpListener::bind((ip, 0)).expect("a listener on loopback");
        listener.set_nonblocking(true).expect("a listener that does not block");
        let addr = listener.local_addr().expect("its address");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || serve(&listener, magic, &script, &stopped));
        ScriptedTcp { addr, stop, thread: Some(thread) }
    }

    /// Its address, as a target.
    pub fn target(&self) -> String {
        self.addr.to_string()
    }

    /// Ends it, and gives all connections.
    pub fn finish(mut self) -> Vec<Connection> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().expect("not finished yet").join().expect("the peer's script")
    }
}

impl Drop for ScriptedTcp {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            // A panic within a panic would end the test without a word.
            assert!(ended.is_ok() || thread::panicking(), "the peer's script failed");
        }
    }
}

fn serve(
    listener: &TcpListener,
    magic: Magic,
    script: &[Step],
    stop: &Arc<AtomicBool>,
) -> Vec<Connection> {
    let end = Instant::now() + MAX_LIFE;
    let mut playing = Vec::new();
    while Instant::now() < end && playing.len() < MAX_CONNECTIONS {
        match listener.accept() {
            Ok((stream, from)) => {
                let (script, stop) = (script.to_vec(), stop.clone());
                let player = Player::new(stream, from, magic, stop, end);
                playing.push(thread::spawn(move || player.play(script)));
            }
            Err(_) if stop.load(Ordering::Relaxed) => break,
            Err(_) => thread::sleep(TICK),
        }
    }
    playing.into_iter().map(|player| player.join().expect("a script")).collect()
}

/// Plays a script on one connection.
struct Player {
    stream: TcpStream,
    reader: FrameReader,
    stop: Arc<AtomicBool>,
    end: Instant,
    connection: Connection,
    /// How many messages of a name steps have waited for.
    taken: HashMap<&'static str, usize>,
    said: usize,
    last_said: Instant,
    over: bool,
}

impl Player {
    fn new(
        stream: TcpStream,
        from: SocketAddr,
        magic: Magic,
        stop: Arc<AtomicBool>,
        end: Instant,
    ) -> Self {
        stream.set_nonblocking(false).expect("a stream that blocks");
        stream.set_nodelay(true).expect("bytes leave at once");
        stream.set_read_timeout(Some(TICK)).expect("read timeout");
        stream.set_write_timeout(Some(WRITE_PATIENCE)).expect("write timeout");
        Player {
            stream,
            reader: FrameReader::new(magic, LONGEST),
            stop,
            end,
            connection: Connection { from, heard: Vec::new(), hung_up_after: None },
            taken: HashMap::new(),
            said: 0,
            last_said: Instant::now(),
            over: false,
        }
    }

    fn play(mut self, script: Vec<Step>) -> Connection {
        for step in script {
            if self.over {
                break;
            }
            match step {
                Step::Send(bytes) => self.say(&bytes),
                Step::Drip(bytes, pause) => {
                    for byte in bytes {
                        self.say(&[byte]);
                        self.listen(pause);
                    }
                }
                Step::Await(name) => drop(self.wait_for(name)),
                Step::Answer(name, reply) => {
                    if let Some(payload) = self.wait_for(name) {
                        self.say(&reply(&payload));
                    }
                }
                Step::Pause(time) => self.listen(time),
                // A prober that has hung up already is no fault of the script's.
                Step::Close => drop(self.stream.shutdown(Shutdown::Write)),
                Step::Reset => {
                    let at_once = linger { l_onoff: 1, l_linger: 0 };
                    setsockopt(&self.stream, sockopt::Linger, &at_once).expect("SO_LINGER");
                    return self.connection;
                }
            }
        }
        self.listen(MAX_LIFE);
        self.connection
    }

    fn say(&mut self, bytes: &[u8]) {
        if self.over {
            return;
        }
        self.said += bytes.len();
        // One that hangs up in the middle shows when it is listened to.
        let _ = self.stream.write_all(bytes);
        self.last_said = Instant::now();
    }

    fn listen(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while !self.over && Instant::now() < until {
            self.hear();
        }
    }

    fn wait_for(&mut self, name: &'static str) -> Option<Vec<u8>> {
        let taken = *self.taken.entry(name).and_modify(|taken| *taken += 1).or_default();
        loop {
            if let Some(payload) = self.connection.payloads(name).get(taken) {
                return Some(payload.to_vec());
            }
            if self.over {
                return None;
            }
            self.hear();
        }
    }

    /// Takes what has come, or waits for it a moment.
    fn hear(&mut self) {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) => self.hung_up(),
            Ok(count) => {
                let mut new = &buffer[..count];
                while let Some(frame) = self.reader.next_frame(&mut new).expect("a right frame") {
                    let name = frame.command.as_str().to_owned();
                    let heard = Heard { name, payload: frame.payload, said: self.said };
                    self.connection.heard.push(heard);
                }
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                self.over = self.stop.load(Ordering::Relaxed) || Instant::now() > self.end;
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            // What it had not read when it hung up makes a reset of it.
            Err(_) => self.hung_up(),
        }
    }

    fn hung_up(&mut self) {
        self.over = true;
        self.connection.hung_up_after = Some(self.last_said.elapsed());
    }
}
