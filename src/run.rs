//! One run of a command: source → machines ⇄ drivers → results.

pub mod handshake;
mod ledger;
mod order;
pub mod ping;

use std::future::pending;
use std::io;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

pub use self::ledger::{Keeping, Ledger};
use crate::machine::Now;
use crate::report::Timestamp;
use crate::source::Item;

/// Why a run failed as a whole; what it gave until then has been written.
#[derive(Debug)]
pub enum RunError {
    /// Standard output does not take what is written. [`io::ErrorKind::BrokenPipe`] is no failure: whoever
    /// read it has enough.
    Output(io::Error),
    /// A file cannot be read on.
    Input {
        /// Its name.
        file: Arc<str>,
        /// Why.
        error: io::Error,
    },
}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> Self {
        RunError::Output(error)
    }
}

/// What a source gives, until it has ended.
struct Intake<P>(Option<mpsc::Receiver<Item<P>>>);

impl<P> Intake<P> {
    fn has_ended(&self) -> bool {
        self.0.is_none()
    }

    /// The next item; `None` where the source has just ended. Never returns after that.
    async fn next(&mut self) -> Option<Item<P>> {
        let Some(items) = &mut self.0 else { return pending().await };
        let item = items.recv().await;
        if item.is_none() {
            self.0 = None;
        }
        item
    }

    /// The next item, if there is one now.
    fn try_next(&mut self) -> Option<Item<P>> {
        match self.0.as_mut()?.try_recv() {
            Ok(item) => Some(item),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                self.0 = None;
                None
            }
        }
    }
}

fn timestamp(now: Now) -> Timestamp {
    Timestamp(now.unix_ms)
}
