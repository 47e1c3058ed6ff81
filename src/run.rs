//! One run of a command: source → machines ⇄ drivers → results.

pub mod handshake;
mod ledger;
mod order;
pub mod ping;

use std::io;
use std::sync::Arc;

use tokio::sync::mpsc;

pub use self::ledger::{Keeping, Ledger};
use crate::machine::Now;
use crate::report::Timestamp;

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

/// The next item; never one where the source has ended.
async fn next_item<T>(items: Option<&mut mpsc::Receiver<T>>) -> Option<T> {
    match items {
        Some(items) => items.recv().await,
        None => std::future::pending().await,
    }
}

fn timestamp(now: Now) -> Timestamp {
    Timestamp(now.unix_ms)
}
