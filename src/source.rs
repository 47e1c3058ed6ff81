//! Where targets come from: arguments, files and networks' names, resolved to addresses.
//!
//! Targets flow through a bounded channel, so that a file is read no faster than it is worked off and
//! standard input is taken line by line as it comes.

pub mod line;
mod resolve;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use self::line::{Entry, LineError, MAX_LINE};
pub use self::resolve::{LookUp, Resolver, SystemLookUp};
use crate::codec::key::PublicKey;
use crate::machine::LocalError;
use crate::networks::Networks;
use crate::report::{BadTarget, Failure, Origin, ResolveError};
use crate::stop::Stop;
use crate::target::{EthTarget, Families, Place, TargetError, Written, family_allowed};

/// How many targets wait between the source and the machine.
const QUEUE: usize = 64;

/// What a source gives.
#[derive(Debug)]
pub enum Item {
    /// A target that can be probed.
    Located(Arc<Origin>, Located),
    /// A target that cannot.
    Failed(Arc<Origin>, Failure),
    /// Reading failed; nothing more will come from that file.
    Broken {
        /// Its name.
        file: Arc<str>,
        /// Why.
        error: io::Error,
    },
}

/// A target's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// Its UDP address.
    pub to: SocketAddr,
    /// Its TCP port; 0 where it names none.
    pub tcp: u16,
    /// The key that is expected to answer.
    pub key: Option<PublicKey>,
}

/// One place that targets are read from.
pub enum Input {
    /// A target of the command line, already read.
    Argument(Entry),
    /// A file or standard input.
    File {
        /// Its name; `-` is standard input.
        name: Arc<str>,
        /// Its bytes.
        reader: Box<dyn Read + Send>,
    },
}

impl Input {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// Those of the system.
    pub fn open(name: &str) -> io::Result<Self> {
        let reader: Box<dyn Read + Send> = match name {
            "-" => Box::new(io::stdin()),
            _ => Box::new(open_file(name)?),
        };
        Ok(Input::File { name: name.into(), reader })
    }
}

fn open_file(name: &str) -> io::Result<File> {
    let file = File::open(name)?;
    // It opens like a file, and would fail only once other targets had been probed.
    if file.metadata()?.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(file) }
}

/// What was read, before it is resolved.
enum Unresolved {
    Target(Arc<Origin>, EthTarget),
    Failed(Arc<Origin>, Failure),
    Broken { file: Arc<str>, error: io::Error },
}

/// Starts to read all inputs, in their order. Files are read by a thread of their own, since a read of a
/// terminal or a pipe cannot be stopped. Nothing more is read once `stop` turns true; what was read by
/// then is still given. Must be called within a runtime.
pub fn start(
    inputs: Vec<Input>,
    networks: Networks,
    families: Families,
    timeout: Duration,
    look_up: impl LookUp,
    mut stop: Stop,
) -> mpsc::Receiver<Item> {
    let (to_run, items) = mpsc::channel(QUEUE);
    let (to_resolver, mut unresolved) = mpsc::channel(1);
    let names_only_files = inputs.iter().all(|input| matches!(input, Input::Argument(_)));
    let resolver = Resolver::new(families, timeout, look_up, stop.clone());
    tokio::spawn(async move {
        loop {
            let next = tokio::select! {
                biased;
                () = stop.requested() => return,
                next = unresolved.recv() => next,
            };
            let Some(next) = next else { return };
            let sent = match next {
                Unresolved::Target(origin, target) => {
                    locate(&resolver, families, origin, target, &to_run).await
                }
                Unresolved::Failed(origin, failure) => {
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
    });
    if names_only_files {
        // No thread for what is in memory already: it would cost a tenth of a short run.
        tokio::spawn(async move {
            for input in inputs {
                let Input::Argument(entry) = input else { continue };
                for item in expand(entry, None, &networks) {
                    if to_resolver.send(item).await.is_err() {
                        return;
                    }
                }
            }
        });
    } else {
        std::thread::spawn(move || read_all(inputs, &networks, &to_resolver));
    }
    items
}

/// Sends the target on, at once if it has an address; else its name is looked up, while others go on.
/// False if nobody takes it any more.
async fn locate<L: LookUp>(
    resolver: &Resolver<L>,
    families: Families,
    origin: Arc<Origin>,
    target: EthTarget,
    to_run: &mpsc::Sender<Item>,
) -> bool {
    let EthTarget { key, place } = target;
    let endpoints = match place {
        Place::Host(host, udp, tcp) => match host {
            crate::discv4::enode::Host::Ip(ip) => vec![(SocketAddr::new(ip, udp), tcp)],
            crate::discv4::enode::Host::Name(name) => {
                let begun = resolver.begin(name, udp, to_run.clone(), move |found| match found {
                    Ok(to) => Item::Located(origin, Located { to, tcp, key }),
                    Err(failure) => Item::Failed(origin, failure),
                });
                begun.await;
                return !to_run.is_closed();
            }
        },
        Place::Endpoints(endpoints) => endpoints,
    };
    let usable = endpoints.into_iter().find(|(to, _)| family_allowed(to.ip(), families));
    let item = match usable {
        Some((to, tcp)) => Item::Located(origin, Located { to, tcp, key }),
        None => Item::Failed(origin, Failure::NoRoute { why: LocalError::NoFamily }),
    };
    to_run.send(item).await.is_ok()
}

fn read_all(inputs: Vec<Input>, networks: &Networks, out: &mpsc::Sender<Unresolved>) {
    for input in inputs {
        let more = match input {
            Input::Argument(entry) => expand(entry, None, networks)
                .into_iter()
                .all(|item| out.blocking_send(item).is_ok()),
            Input::File { name, reader } => {
                let mut reader = BufReader::new(reader);
                match read_file(&name, &mut reader, networks, out) {
                    Ok(more) => more,
                    Err(error) => {
                        out.blocking_send(Unresolved::Broken { file: name, error }).is_ok()
                    }
                }
            }
        };
        if !more {
            return;
        }
    }
}

fn read_file(
    name: &Arc<str>,
    reader: &mut impl BufRead,
    networks: &Networks,
    out: &mpsc::Sender<Unresolved>,
) -> io::Result<bool> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        // One byte more than fits tells a line that is too long from one that just fits.
        let read = reader.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut line)?;
        if read == 0 {
            break;
        }
        let parsed = if line.len() > MAX_LINE && !line.ends_with(b"\n") {
            skip_line(reader)?;
            Some(Err(line::too_long(&line)))
        } else {
            line::parse(&line)
        };
        let place = Some((name.clone(), number));
        let items = match parsed {
            None => continue,
            Some(Ok(entry)) => expand(entry, place, networks),
            Some(Err(error)) => vec![bad_line(error, place)],
        };
        if !items.into_iter().all(|item| out.blocking_send(item).is_ok()) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let available = reader.fill_buf()?;
        let (used, end) = match available.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (available.len(), available.is_empty()),
        };
        reader.consume(used);
        if end {
            return Ok(());
        }
    }
}

type FileAndLine = Option<(Arc<str>, u64)>;

fn origin(text: String, label: Option<String>, place: &FileAndLine) -> Origin {
    let (file, line) = match place {
        Some((file, line)) => (Some(file.clone()), Some(*line)),
        None => (None, None),
    };
    Origin { target: text, file, line, label, network: None }
}

fn bad_line(error: LineError, place: FileAndLine) -> Unresolved {
    let LineError { text, label, column, error } = error;
    let origin = origin(text, label, &place);
    Unresolved::Failed(Arc::new(origin), Failure::BadTarget(BadTarget { column, error }))
}

/// The targets that an entry stands for: itself, or the nodes of the network that it names.
fn expand(entry: Entry, place: FileAndLine, networks: &Networks) -> Vec<Unresolved> {
    let name = match &entry.written {
        Written::Node(target) => {
            let target = target.clone();
            let origin = origin(entry.text, entry.label, &place);
            return vec![Unresolved::Target(Arc::new(origin), target)];
        }
        Written::Network(name) => name.clone(),
    };
    let nodes = match networks.ethereum(&name) {
        Ok(nodes) => nodes,
        Err(why) => {
            let column = entry.column(0);
            let error = TargetError { offset: 0, why };
            let bad = LineError { text: entry.text, label: entry.label, column, error };
            return vec![bad_line(bad, place)];
        }
    };
    if nodes.is_empty() {
        let failure = Failure::Unresolved { host: name, why: ResolveError::NoNodes };
        return vec![Unresolved::Failed(
            Arc::new(origin(entry.text, entry.label, &place)),
            failure,
        )];
    }
    let network: Arc<str> = name.into();
    let one = |node: &crate::networks::Bootnode| {
        let label = node.label.clone().or_else(|| entry.label.clone());
        let mut origin = origin(node.text.clone(), label, &place);
        origin.network = Some(network.clone());
        Unresolved::Target(Arc::new(origin), node.target.clone())
    };
    nodes.iter().map(one).collect()
}
