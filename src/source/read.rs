//! Reads inputs line by line, and finds what each line stands for.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::line::{self, Entry, LineError, MAX_LINE};
use super::{Input, Reading};
use crate::report::{BadTarget, Failure, Origin, ResolveError};
use crate::target::{Listed, Place, TargetError, Targets, Written};

/// What was read, before it is resolved.
pub enum Unresolved<P> {
    /// A target.
    Target(Origin, Place<P>),
    /// What is none.
    Failed(Origin, Failure),
    /// Reading failed.
    Broken {
        /// The file's name.
        file: Arc<str>,
        /// Why.
        error: io::Error,
    },
}

/// How many targets are sent on together at the most.
const BATCH: usize = 64;

/// Sends on what was read. Not one by one: to wake whoever takes it costs more than to read a line.
struct Sink<'r, P> {
    out: mpsc::Sender<Vec<Unresolved<P>>>,
    batch: Vec<Unresolved<P>>,
    reading: &'r Reading,
}

impl<P> Sink<'_, P> {
    /// Takes what was read, and sends it on once it is much. False if nobody takes it any more.
    fn put(&mut self, items: Vec<Unresolved<P>>) -> bool {
        self.reading.count(&items);
        self.batch.extend(items);
        self.batch.len() < BATCH || self.send()
    }

    /// Sends on what there is. False if nobody takes it any more.
    fn send(&mut self) -> bool {
        let batch = std::mem::take(&mut self.batch);
        batch.is_empty() || self.out.blocking_send(batch).is_ok()
    }
}

/// Reads all inputs, in their order, for as long as somebody takes what they give.
pub fn all<T: Targets>(
    inputs: Vec<Input<T::Peer>>,
    targets: &T,
    out: mpsc::Sender<Vec<Unresolved<T::Peer>>>,
    reading: &Reading,
) {
    let mut sink = Sink { out, batch: Vec::new(), reading };
    for input in inputs {
        let more = match input {
            Input::Argument(entry) => sink.put(expand(entry, None, targets)),
            Input::File { name, reader, .. } => {
                let mut reader = BufReader::new(reader);
                match file(&name, &mut reader, targets, &mut sink) {
                    Ok(more) => more,
                    Err(error) => sink.put(vec![Unresolved::Broken { file: name, error }]),
                }
            }
        };
        if !more {
            return;
        }
    }
    sink.send();
}

fn file<T: Targets>(
    name: &Arc<str>,
    reader: &mut BufReader<impl Read>,
    targets: &T,
    sink: &mut Sink<'_, T::Peer>,
) -> io::Result<bool> {
    let mut line = Vec::new();
    for number in 1.. {
        // The next line may be long in coming; what there is must not wait for it.
        if !reader.buffer().contains(&b'\n') && !sink.send() {
            return Ok(false);
        }
        line.clear();
        // One byte more than fits tells a line that is too long from one that just fits.
        let read = reader.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut line)?;
        if read == 0 {
            break;
        }
        sink.reading.add(read);
        let parsed = if line.len() > MAX_LINE && !line.ends_with(b"\n") {
            sink.reading.add(skip_line(reader)?);
            Some(Err(line::too_long(&line)))
        } else {
            line::parse(&line, |text, said| targets.parse(text, said))
        };
        let place = Some((name.clone(), number));
        let items = match parsed {
            None => continue,
            Some(Ok(entry)) => expand(entry, place, targets),
            Some(Err(error)) => vec![bad_line(error, place)],
        };
        if !sink.put(items) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Skips the rest of a line, and says how long it was.
fn skip_line(reader: &mut impl BufRead) -> io::Result<usize> {
    let mut skipped = 0;
    loop {
        let available = reader.fill_buf()?;
        let (used, end) = match available.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (available.len(), available.is_empty()),
        };
        reader.consume(used);
        skipped += used;
        if end {
            return Ok(skipped);
        }
    }
}

type FileAndLine = Option<(Arc<str>, u64)>;

fn origin(text: String, label: Option<String>, place: &FileAndLine) -> Origin {
    let (file, line) = match place {
        Some((file, line)) => (Some(file.clone()), Some(*line)),
        None => (None, None),
    };
    Origin { target: text, file, line, label, ..Origin::default() }
}

fn bad_line<P>(error: LineError, place: FileAndLine) -> Unresolved<P> {
    let LineError { text, label, column, error } = error;
    let origin = origin(text, label, &place);
    Unresolved::Failed(origin, Failure::BadTarget(BadTarget { column, error }))
}

/// The targets that an entry stands for: itself, or the peers of the network that it names.
pub fn expand<T: Targets>(
    entry: Entry<T::Peer>,
    place: FileAndLine,
    targets: &T,
) -> Vec<Unresolved<T::Peer>> {
    let name = match entry.written {
        Written::Peer(what) => {
            let mut origin = origin(entry.text, entry.label, &place);
            origin.network = peer_of(&what).and_then(|peer| targets.network_of(peer));
            return vec![Unresolved::Target(origin, what)];
        }
        Written::Network(ref name) => name.clone(),
    };
    let listed = match targets.expand(&name) {
        Ok(listed) => listed,
        Err(why) => {
            let column = entry.column(0);
            let error = TargetError { offset: 0, why };
            let bad = LineError { text: entry.text, label: entry.label, column, error };
            return vec![bad_line(bad, place)];
        }
    };
    if listed.is_empty() {
        let failure = Failure::Unresolved { host: name, why: ResolveError::NoNodes(T::PROTOCOL) };
        let network = Some(entry.text.as_str().into());
        let origin = Origin { network, ..origin(entry.text.clone(), entry.label, &place) };
        return vec![Unresolved::Failed(origin, failure)];
    }
    let network: Arc<str> = name.into();
    let one = |listed: Listed<T::Peer>| {
        let label = listed.label.or_else(|| entry.label.clone());
        let mut origin = origin(listed.text, label, &place);
        origin.network = Some(network.clone());
        Unresolved::Target(origin, listed.place)
    };
    listed.into_iter().map(one).collect()
}

fn peer_of<P>(place: &Place<P>) -> Option<&P> {
    match place {
        Place::Host(_, _, peer) | Place::Seeds(_, _, peer) => Some(peer),
        Place::Endpoints(endpoints) => endpoints.first().map(|(_, peer)| peer),
    }
}
