//! What every run takes from the system, and what is said where the system refuses something.

use std::io;

use anyhow::anyhow;
use nix::errno::Errno;
use tokio::runtime::{Builder, Runtime};

use super::Fault;
use super::common::printable;
use crate::signals::Signals;
use crate::stop::Stop;

/// What signals are told through.
const SIGNALS: &str = "a pipe for signals";

/// Takes over the signals.
pub fn signals() -> Result<Signals, Fault> {
    Signals::register().map_err(|e| not_opened(SIGNALS, &e))
}

/// Makes the first signal a [`Stop`]. Must be called within a runtime.
pub fn stop(signals: &Signals) -> Result<Stop, Fault> {
    signals.stop().map_err(|e| not_opened(SIGNALS, &e))
}

/// What a run waits with.
pub fn runtime() -> Result<Runtime, Fault> {
    let built = Builder::new_current_thread().enable_all().build();
    built.map_err(|e| not_opened("an event queue (epoll)", &e))
}

/// Why an address could not be bound, in words.
pub fn not_bound(errno: Errno) -> String {
    let advice = match errno {
        Errno::EADDRINUSE => ": take another port, or 0 for any that is free",
        Errno::EADDRNOTAVAIL => ": this machine does not have that address",
        Errno::EACCES => ": ports below 1024 are for root",
        errno => return described(errno),
    };
    format!("{}{advice}", errno.desc())
}

/// Standard output takes nothing.
pub fn not_written(error: &io::Error) -> Fault {
    anyhow!("cannot write to standard output: {}", words(error)).into()
}

/// A file of targets gives nothing.
pub fn not_read(file: &str, error: &io::Error) -> Fault {
    anyhow!("cannot read {}: {}", input_name(file), words(error)).into()
}

/// The name of a file that targets are read from, fit for a terminal.
pub fn input_name(file: &str) -> String {
    if file == "-" { "standard input".to_owned() } else { printable(file) }
}

fn not_opened(what: &str, error: &io::Error) -> Fault {
    anyhow!("cannot open {what}: {}", words(error)).into()
}

/// An error of the system, in words.
pub fn words(error: &io::Error) -> String {
    // The number of an error says nothing to a person.
    error.raw_os_error().map_or_else(|| error.to_string(), |n| described(Errno::from_raw(n)))
}

fn described(errno: Errno) -> String {
    match errno {
        Errno::EMFILE => format!("{}: raise the limit with ulimit -n", errno.desc()),
        errno => errno.desc().to_owned(),
    }
}
