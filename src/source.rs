//! Where targets come from: arguments, files and networks' names, resolved to addresses.
//!
//! Targets flow through a bounded channel, so that a file is read no faster than it is worked off and
//! standard input is taken line by line as it comes.

pub mod line;
mod read;
mod resolve;

use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use self::line::Entry;
use self::read::Unresolved;
pub use self::resolve::{LookUp, Resolver, SystemLookUp};
use crate::host::Host;
use crate::machine::LocalError;
use crate::report::{Failure, Origin, ResolveError};
use crate::stop::Stop;
use crate::target::{Families, Place, Targets, family_allowed};

/// How many targets wait between the source and the machine.
const QUEUE: usize = 64;

/// What a source gives.
#[derive(Debug)]
pub enum Item<P> {
    /// A target that can be probed.
    Located(Arc<Origin>, Located<P>),
    /// A target that cannot.
    Failed(Arc<Origin>, Failure),
    /// Reading failed; nothing more will come from that file.
    Broken {
        /// Its name.
        file: Arc<str>,
        /// Why.
        error: io::Error,
    },
    /// One of a network's seeds gave no address. No result: others may have given some.
    SeedFailed {
        /// Its name.
        seed: String,
        /// Why.
        why: ResolveError,
    },
    /// A network's seeds have given all that they give.
    SeedsEnded {
        /// The network.
        network: Arc<Origin>,
        /// How many targets they gave.
        given: u64,
    },
}

/// A target's address, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<P> {
    /// Its address.
    pub to: SocketAddr,
    /// What is known of it.
    pub peer: P,
}

/// One place that targets are read from.
pub enum Input<P> {
    /// A target of the command line, already read.
    Argument(Entry<P>),
    /// A file or standard input.
    File {
        /// Its name; `-` is standard input.
        name: Arc<str>,
        /// Its bytes.
        reader: Box<dyn Read + Send>,
        /// How many there are, where that is known.
        size: Option<u64>,
    },
}

/// A source at work.
pub struct Source<P> {
    /// What it gives.
    pub items: mpsc::Receiver<Item<P>>,
    /// How far it has come.
    pub reading: Arc<Reading>,
}

/// How far a source has come with its files.
#[derive(Debug)]
pub struct Reading {
    total: Option<u64>,
    read: AtomicU64,
    targets: AtomicU64,
}

impl Reading {
    fn of<P>(inputs: &[Input<P>]) -> Self {
        let sizes = inputs.iter().map(|input| match input {
            Input::Argument(_) => Some(0),
            Input::File { size, .. } => *size,
        });
        let (read, targets) = (AtomicU64::new(0), AtomicU64::new(0));
        Reading { total: sizes.sum(), read, targets }
    }

    /// Counts targets where the bytes are counted that they stand in: else the one says nothing of the other.
    fn count<P>(&self, items: &[Unresolved<P>]) {
        let targets = items.iter().filter(|item| !matches!(item, Unresolved::Broken { .. }));
        self.targets.fetch_add(targets.count() as u64, Ordering::Relaxed);
    }

    fn add(&self, bytes: usize) {
        self.read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// How many targets there are in all, by what was read so far, and whether that is all; `None` where nobody knows
    /// how much there is, or nothing was read yet.
    pub fn targets(&self) -> Option<(u64, bool)> {
        let (total, read) = (self.total?, self.read.load(Ordering::Relaxed));
        let targets = self.targets.load(Ordering::Relaxed);
        if read >= total {
            return Some((targets, true));
        }
        (read > 0).then(|| ((targets as f64 * total as f64 / read as f64).round() as u64, false))
    }
}

impl<P> Input<P> {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// Those of the system.
    pub fn open(name: &str) -> io::Result<Self> {
        if name == "-" {
            return Ok(Input::File {
                name: name.into(),
                reader: Box::new(io::stdin()),
                size: None,
            });
        }
        let file = File::open(name)?;
        let metadata = file.metadata()?;
        // It opens like a file, and would fail only once other targets had been probed.
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let size = metadata.is_file().then_some(metadata.len());
        Ok(Input::File { name: name.into(), reader: Box::new(file), size })
    }
}

/// Starts to read all inputs, in their order. Files are read by a thread of their own, since a read of a
/// terminal or a pipe cannot be stopped. Nothing more is read once `stop` turns true; what was read by
/// then is still given. Must be called within a runtime.
pub fn start<T: Targets>(
    inputs: Vec<Input<T::Peer>>,
    targets: T,
    families: Families,
    timeout: Duration,
    look_up: impl LookUp,
    mut stop: Stop,
) -> Source<T::Peer> {
    let reading = Arc::new(Reading::of(&inputs));
    let (to_run, items) = mpsc::channel(QUEUE);
    let (to_resolver, mut unresolved) = mpsc::channel(1);
    let names_only_files = inputs.iter().all(|input| matches!(input, Input::Argument(_)));
    let resolver = Resolver::new(families, timeout, look_up, stop.clone());
    tokio::spawn(async move {
        // Where a target stands among all; what cannot be read on is none.
        let mut number = 0;
        loop {
            let next = tokio::select! {
                biased;
                () = stop.requested() => return,
                next = unresolved.recv() => next,
            };
            let Some(batch) = next else { return };
            let mut numbered = |origin| {
                let origin = Arc::new(Origin { number, ..origin });
                number += 1;
                origin
            };
            for next in batch {
                let sent = match next {
                    Unresolved::Target(origin, place) => {
                        let origin = numbered(origin);
                        locate(&resolver, families, origin, place, &to_run).await
                    }
                    Unresolved::Failed(origin, failure) => {
                        let origin = numbered(origin);
                        to_run.send(Item::Failed(origin, failure)).await.is_ok()
                    }
                    Unresolved::Broken { file, error } => {
                        to_run.send(Item::Broken { file, error }).await.is_ok()
                    }
                };
                if !sent {
                    return;
                }
            }
        }
    });
    if names_only_files {
        // No thread for what is in memory already: it would cost a tenth of a short run.
        let counter = reading.clone();
        tokio::spawn(async move {
            for input in inputs {
                let Input::Argument(entry) = input else { continue };
                let items = read::expand(entry, None, &targets);
                counter.count(&items);
                if to_resolver.send(items).await.is_err() {
                    return;
                }
            }
        });
    } else {
        let reading = reading.clone();
        std::thread::spawn(move || read::all(inputs, &targets, to_resolver, &reading));
    }
    Source { items, reading }
}

/// Sends the target on, at once if it has an address; else its name is looked up, while others go on.
/// False if nobody takes it any more.
async fn locate<P: Clone + Send + 'static, L: LookUp>(
    resolver: &Resolver<L>,
    families: Families,
    origin: Arc<Origin>,
    place: Place<P>,
    to_run: &mpsc::Sender<Item<P>>,
) -> bool {
    let endpoints = match place {
        Place::Host(Host::Ip(ip), port, peer) => vec![(SocketAddr::new(ip, port), peer)],
        Place::Endpoints(endpoints) => endpoints,
        Place::Host(Host::Name(name), port, peer) => {
            let begun = resolver.begin(name, port, to_run.clone(), move |found| match found {
                Ok(to) => Item::Located(origin, Located { to, peer }),
                Err(failure) => Item::Failed(origin, failure),
            });
            begun.await;
            return !to_run.is_closed();
        }
        Place::Seeds(seeds, port, peer) => {
            let one = move |origin, to| Item::Located(origin, Located { to, peer: peer.clone() });
            resolver.begin_seeds(origin, seeds, port, to_run.clone(), one).await;
            return !to_run.is_closed();
        }
    };
    let usable = endpoints.into_iter().find(|(to, _)| family_allowed(to.ip(), families));
    let item = match usable {
        Some((to, peer)) => Item::Located(origin, Located { to, peer }),
        None => Item::Failed(origin, Failure::NoRoute { why: LocalError::NoFamily }),
    };
    to_run.send(item).await.is_ok()
}
