//! Names to addresses, a bounded number at a time and never for longer than the timeout.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};

use super::Item;
use crate::report::{Failure, ResolveError};
use crate::stop::Stop;
use crate::target::{Families, family_allowed};

/// How many names are looked up at once. `getaddrinfo` cannot be stopped: each look-up that hangs holds a
/// thread until it gives up by itself.
const AT_ONCE: usize = 16;

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
    slots: Arc<Semaphore>,
}

impl<L: LookUp> Resolver<L> {
    /// A resolver that gives addresses of `families` only, until `stop` turns true.
    pub fn new(families: Families, timeout: Duration, look_up: L, stop: Stop) -> Self {
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        Resolver { look_up: Arc::new(look_up), stop, families, timeout, slots }
    }

    /// Returns once another look-up could begin, at a stop, or after the timeout: a healthy resolver keeps
    /// the source waiting and nobody's time runs out, a dead one keeps it only so long.
    pub async fn wait_for_room(&self) {
        let mut stop = self.stop.clone();
        tokio::select! {
            _ = tokio::time::timeout(self.timeout, self.slots.acquire()) => {}
            () = stop.requested() => {}
        }
    }

    /// Begins to look up `name` and sends what `item` makes of the outcome.
    pub fn begin(
        &self,
        name: String,
        port: u16,
        out: mpsc::Sender<Item>,
        item: impl FnOnce(Result<SocketAddr, Failure>) -> Item + Send + 'static,
    ) {
        let Resolver { look_up, stop, families, timeout, slots } = self;
        let mut stop = stop.clone();
        let (look_up, families, timeout) = (look_up.clone(), *families, *timeout);
        let slots = slots.clone();
        tokio::spawn(async move {
            let host = name.clone();
            // The slot belongs to the look-up and not to its deadline: a look-up that hangs keeps it.
            let looking = tokio::spawn(async move {
                let _slot = slots.acquire_owned().await;
                look_up.look_up(name).await
            });
            let found = tokio::select! {
                found = tokio::time::timeout(timeout, looking) => found,
                () = stop.requested() => {
                    let _ = out.send(item(Err(Failure::Interrupted))).await;
                    return;
                }
            };
            let found = match found {
                Ok(Ok(Ok(found))) => choose(found, port, families),
                Ok(Ok(Err(e))) => Err(ResolveError::Said(e.to_string())),
                Ok(Err(e)) => Err(ResolveError::Said(e.to_string())),
                Err(_) => Err(ResolveError::Timeout(timeout)),
            };
            let found = found.map_err(|why| Failure::Unresolved { host, why });
            // Nobody takes it any more once the run has been stopped.
            let _ = out.send(item(found)).await;
        });
    }
}

fn choose(found: Vec<IpAddr>, port: u16, families: Families) -> Result<SocketAddr, ResolveError> {
    let none = if found.is_empty() { ResolveError::Nothing } else { ResolveError::Family };
    found
        .into_iter()
        .map(|ip| ip.to_canonical())
        .find(|ip| family_allowed(*ip, families))
        .map(|ip| SocketAddr::new(ip, port))
        .ok_or(none)
}
