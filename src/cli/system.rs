//! What every run takes from the system, and what is said where the system refuses something.

use std::io::{self, ErrorKind};
use std::path::Path;

use anyhow::anyhow;
use nix::errno::Errno;
use tokio::runtime::{Builder, Runtime};

use super::Fault;
use super::common::printable;
use crate::signals::Signals;
use crate::stop::Stop;

/// What signals are told through.
const SIGNALS: &str = "a pipe for signals";

/// Takes over the signals. Not before all files are open: a pipe that nobody writes to may hold that up, and a signal
/// that is taken over does not end it.
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

/// A file that is shown as `name` gives nothing. Where there is none, `instead` says what to do.
pub fn not_read(name: &str, file: &Path, error: &io::Error, instead: &str) -> Fault {
    let why = match error.kind() {
        ErrorKind::NotFound if file.is_symlink() => {
            "it is a link to what is not there; `ls -l` shows where it leads".to_owned()
        }
        ErrorKind::NotFound => format!("there is no such file; {instead}"),
        ErrorKind::IsADirectory => "this is a directory; name a file in it".to_owned(),
        ErrorKind::PermissionDenied => {
            "you may not read it; `namei -l` says who may, chmod changes that".to_owned()
        }
        _ => words(error),
    };
    anyhow!("cannot read {name}: {why}").into()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_is_told_with_what_to_do() {
        for (errno, words) in [
            (Errno::ENOENT, "there is no such file; take another"),
            (Errno::EISDIR, "this is a directory; name a file in it"),
            (Errno::EACCES, "you may not read it; `namei -l` says who may, chmod changes that"),
            (Errno::EIO, "I/O error"),
        ] {
            let error = io::Error::from_raw_os_error(errno as i32);
            let Fault::Failed(told) = not_read("it", Path::new("/none"), &error, "take another")
            else {
                panic!("{errno}")
            };
            assert_eq!(told.to_string(), format!("cannot read it: {words}"));
        }
    }
}
