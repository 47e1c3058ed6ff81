//! A crowd: up to hundreds of thousands of peers, of which each has an address of its own in 127.0.0.0/8 and all have
//! one socket. What a peer does follows from [`Settings`] and its number alone, so that what must be said of each
//! target is known beforehand.
//!
//! It is the answering side of benchmarks (`main.rs`) and of tests, which take it in with
//! `#[path = "../benches/crowd/mod.rs"] mod crowd;`. Linux only.

// Each user compiles this anew and uses a part of it.
#![allow(dead_code, unused_imports)]

mod btc;
pub mod btc_manner;
mod counts;
mod eth;
pub mod eth_manner;
mod eth_socket;
pub mod peers;
pub mod settings;
pub mod targets;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use p2pprobe::net::drops::own_drops;

pub use self::counts::Counts;
pub use self::settings::Settings;
pub use self::targets::{Ports, expected, write};

/// How often a crowd looks whether it is to end.
const TICK: Duration = Duration::from_millis(20);

/// Which command is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Command {
    /// discv4 peers.
    EthPing,
    /// Bitcoin peers of mainnet.
    BtcHandshake,
}

impl Command {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Command::EthPing => "eth-ping",
            Command::BtcHandshake => "btc-handshake",
        }
    }
}

/// A running crowd; it ends when this is dropped.
pub struct Crowd {
    /// Its ports; what its targets look like follows from them.
    pub ports: Ports,
    common: Arc<Common>,
    threads: Vec<JoinHandle<()>>,
    in_table: Option<(SocketAddr, u64)>,
    /// Keeps the closed port from being taken by anybody.
    _closed: Box<dyn Send>,
}

/// What all threads of a crowd share.
struct Common {
    settings: Settings,
    counts: Counts,
    /// Of each peer, how many exchanges were begun with it.
    exchanges: Vec<AtomicU32>,
    stop: AtomicBool,
}

impl Common {
    /// Begins an exchange with a peer, and says whether the weather takes it. `None` if there is no such peer.
    fn begin_exchange(&self, number: u32) -> Option<(u32, bool)> {
        let exchanges = self.exchanges.get(number as usize)?;
        let nth = exchanges.fetch_add(1, Ordering::Relaxed);
        let Settings { seed, weather, .. } = &self.settings;
        Some((nth, weather.loses(*seed, number, nth)))
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Crowd {
    /// Starts a crowd of `size` peers on `port` of all their addresses; 0 takes a free one. `threads` answer for
    /// discv4 peers; for Bitcoin ones it is always one.
    ///
    /// # Errors
    /// Those of sockets.
    pub fn start(
        command: Command,
        settings: Settings,
        size: u32,
        port: u16,
        threads: usize,
    ) -> io::Result<Crowd> {
        let common = Arc::new(Common {
            settings,
            counts: Counts::default(),
            exchanges: (0..size).map(|_| AtomicU32::new(0)).collect(),
            stop: AtomicBool::new(false),
        });
        let Opened { ports, in_table, closed, work } = match command {
            Command::EthPing => eth::open(&common, port, threads)?,
            Command::BtcHandshake => btc::open(&common, port)?,
        };
        let threads = work.into_iter().map(thread::spawn).collect();
        Ok(Crowd { ports, common, threads, in_table, _closed: closed })
    }

    /// What it got and sent so far.
    pub fn counts(&self) -> &Counts {
        &self.common.counts
    }

    /// How many datagrams its own socket lost, where it has one for those: then it was too slow.
    pub fn own_drops(&self) -> Option<u64> {
        self.in_table.and_then(|(local, inode)| own_drops(&local, inode))
    }
}

/// Open sockets.
struct Opened {
    ports: Ports,
    /// The UDP socket's address, and the inode by which the system's table knows it.
    in_table: Option<(SocketAddr, u64)>,
    /// What keeps the closed port closed.
    closed: Box<dyn Send>,
    /// What each thread is to do.
    work: Vec<Box<dyn FnOnce() + Send>>,
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.common.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let ended = thread.join();
            // A panic within a panic would end a test without a word.
            assert!(ended.is_ok() || thread::panicking(), "a thread of the crowd failed");
        }
    }
}
