//! Names to addresses, a bounded number at a time and never for longer than the timeout.

use std::collections::HashSet;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::Item;
use crate::report::{Failure, Origin, ResolveError};
use crate::stop::Stop;
use crate::target::{Families, family_allowed};

/// How many names are looked up at once. `getaddrinfo` cannot be stopped: each look-up that hangs holds a
/// thread until it gives up by itself.
const AT_ONCE: usize = 16;

/// How many names may wait for an answer or a slot, before the source waits, too. A resolver that takes a quarter of the
/// timeout for a name still gets to the last of them in time. While names that hang hold all slots, so many others end as
/// not looked up in each timeout: the price of not holding up the addresses behind them.
const WAITING: usize = 3 * AT_ONCE;

/// Something that knows the addresses of names.
pub trait LookUp: Send + Sync + 'static {
    /// All addresses of `name`, the one to be preferred first.
    fn look_up(&self, name: String) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send;
}

/// The system's resolver.
#[derive(Clone, Copy, Debug)]
pub struct SystemLookUp;

impl LookUp for SystemLookUp {
    async fn look_up(&self, name: String) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// A resolver with its limits.
pub struct Resolver<L> {
    look_up: Arc<L>,
    stop: Stop,
    families: Families,
    timeout: Duration,
    /// Held by look-ups, for as long as they take.
    slots: Arc<Semaphore>,
    /// Held by names, until their outcome has been taken.
    waiting: Arc<Semaphore>,
}

impl<L: LookUp> Resolver<L> {
    /// A resolver that gives addresses of `families` only, until `stop` turns true.
    pub fn new(families: Families, timeout: Duration, look_up: L, stop: Stop) -> Self {
        let (slots, waiting) = (Semaphore::new(AT_ONCE), Semaphore::new(WAITING));
        let (slots, waiting) = (Arc::new(slots), Arc::new(waiting));
        Resolver { look_up: Arc::new(look_up), stop, families, timeout, slots, waiting }
    }

    /// Begins to look up `name`, as soon as there are not too many others, and sends what `item` makes of the
    /// outcome.
    pub async fn begin<P: Send + 'static>(
        &self,
        name: String,
        port: u16,
        out: mpsc::Sender<Item<P>>,
        item: impl FnOnce(Result<SocketAddr, Failure>) -> Item<P> + Send + 'static,
    ) {
        let waiting = self.waiting.clone().acquire_owned().await;
        let mut stop = self.stop.clone();
        let (look_up, slots) = (self.look_up.clone(), self.slots.clone());
        let (families, timeout) = (self.families, self.timeout);
        tokio::spawn(async move {
            let found = tokio::select! {
                found = ask(look_up, slots, name.clone(), timeout) => found
                    .and_then(|found| choose(found, port, families))
                    .map_err(|why| Failure::Unresolved { host: name, why }),
                () = stop.requested() => Err(Failure::Interrupted),
            };
            // Nobody takes it any more once the run has ended. Until somebody does, it counts as waiting: the source
            // must not run ahead of the run.
            let _ = out.send(item(found)).await;
            drop(waiting);
        });
    }

    /// Begins to look up the seeds of a network, all at once as far as there are slots, and sends what `item` makes of
    /// each address, which is sent once however many seeds give it. A seed that gives none is sent as such; if none of
    /// them gives any, so is the network itself, as unresolved.
    pub async fn begin_seeds<P: Send + 'static>(
        &self,
        network: Arc<Origin>,
        seeds: Vec<String>,
        port: u16,
        out: mpsc::Sender<Item<P>>,
        item: impl Fn(Arc<Origin>, SocketAddr) -> Item<P> + Send + 'static,
    ) {
        let waiting = self.waiting.clone().acquire_owned().await;
        let mut stop = self.stop.clone();
        let (families, timeout) = (self.families, self.timeout);
        let mut asked = JoinSet::new();
        for seed in seeds {
            let (look_up, slots) = (self.look_up.clone(), self.slots.clone());
            asked.spawn(async move {
                let found = ask(look_up, slots, seed.clone(), timeout).await;
                (seed, found.and_then(|found| choose_all(found, families)))
            });
        }
        tokio::spawn(async move {
            let mut known = HashSet::new();
            loop {
                let next = tokio::select! {
                    next = asked.join_next() => next,
                    () = stop.requested() => {
                        let last = if known.is_empty() {
                            Item::Failed(network, Failure::Interrupted)
                        } else {
                            Item::SeedsEnded { network, given: known.len() as u64 }
                        };
                        let _ = out.send(last).await;
                        return;
                    }
                };
                let Some(answer) = next else { break };
                // A look-up that panicked says nothing; none does.
                let Ok((seed, found)) = answer else { continue };
                let items: Vec<Item<P>> = match found {
                    Err(why) => vec![Item::SeedFailed { seed, why }],
                    Ok(found) => found
                        .into_iter()
                        .filter(|ip| known.insert(*ip))
                        .map(|ip| {
                            let to = SocketAddr::new(ip, port);
                            item(Arc::new(of_seed(&network, to, &seed)), to)
                        })
                        .collect(),
                };
                for item in items {
                    // Nobody takes it any more once the run has ended.
                    if out.send(item).await.is_err() {
                        return;
                    }
                }
            }
            let last = if known.is_empty() {
                let host = network.target.clone();
                let failure = Failure::Unresolved { host, why: ResolveError::NoSeed };
                Item::Failed(network, failure)
            } else {
                Item::SeedsEnded { network, given: known.len() as u64 }
            };
            let _ = out.send(last).await;
            drop(waiting);
        });
    }
}

/// An address that a seed gave. It is written as a target by itself.
fn of_seed(network: &Origin, to: SocketAddr, seed: &str) -> Origin {
    let label = network.label.clone().or_else(|| Some(seed.to_owned()));
    Origin { target: to.to_string(), label, of_seeds: true, ..network.clone() }
}

async fn ask(
    look_up: Arc<impl LookUp>,
    slots: Arc<Semaphore>,
    name: String,
    timeout: Duration,
) -> Result<Vec<IpAddr>, ResolveError> {
    let deadline = tokio::time::Instant::now() + timeout;
    let slot = tokio::time::timeout_at(deadline, slots.acquire_owned()).await;
    let Ok(slot) = slot else { return Err(ResolveError::Busy(timeout)) };
    // The slot belongs to the look-up and not to its deadline: one that hangs keeps it.
    let looking = tokio::spawn(async move {
        let _slot = slot;
        look_up.look_up(name).await
    });
    match tokio::time::timeout_at(deadline, looking).await {
        Ok(Ok(found)) => found.map_err(|e| ResolveError::Said(e.to_string())),
        Ok(Err(e)) => Err(ResolveError::Said(e.to_string())),
        Err(_) => Err(ResolveError::Timeout(timeout)),
    }
}

fn choose(found: Vec<IpAddr>, port: u16, families: Families) -> Result<SocketAddr, ResolveError> {
    let first = choose_all(found, families)?.into_iter().next();
    first.map(|ip| SocketAddr::new(ip, port)).ok_or(ResolveError::Nothing)
}

fn choose_all(found: Vec<IpAddr>, families: Families) -> Result<Vec<IpAddr>, ResolveError> {
    let none = if found.is_empty() { ResolveError::Nothing } else { ResolveError::Family };
    let canonical = found.into_iter().map(|ip| ip.to_canonical());
    let chosen: Vec<_> = canonical.filter(|ip| family_allowed(*ip, families)).collect();
    if chosen.is_empty() { Err(none) } else { Ok(chosen) }
}
