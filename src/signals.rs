//! SIGINT and SIGTERM: the first ends the run in order, the second at once.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};
use tokio::io::AsyncReadExt;

use crate::stop::{self, Stop};

/// The signals, and the exit code that each asks for: 128 and its number, as shells have it.
const SIGNALS: [(i32, u8); 2] = [(SIGINT, 130), (SIGTERM, 143)];

/// Knows which signal came.
#[derive(Debug)]
pub struct Signals {
    code: Arc<AtomicUsize>,
    woken: UnixStream,
}

impl Signals {
    /// Takes over the signals. A second one ends the program from within its handler, even while a pipe that nobody
    /// reads holds the program up.
    ///
    /// # Errors
    /// Those of the system.
    pub fn register() -> io::Result<Self> {
        let (woken, waker) = UnixStream::pair()?;
        let came = Arc::new(AtomicBool::new(false));
        let code = Arc::new(AtomicUsize::new(0));
        for (signal, exit_code) in SIGNALS {
            // In this order: the first signal finds the flag unset, and sets it.
            flag::register_conditional_shutdown(signal, exit_code.into(), came.clone())?;
            flag::register(signal, came.clone())?;
            flag::register_usize(signal, code.clone(), exit_code.into())?;
            low_level::pipe::register(signal, waker.try_clone()?)?;
        }
        woken.set_nonblocking(true)?;
        Ok(Signals { code, woken })
    }

    /// Makes the first signal a [`Stop`]. Must be called within a runtime.
    ///
    /// # Errors
    /// Those of the system.
    pub fn stop(&self) -> io::Result<Stop> {
        let (sender, stop) = stop::channel();
        let mut woken = tokio::net::UnixStream::from_std(self.woken.try_clone()?)?;
        tokio::spawn(async move {
            if woken.read_u8().await.is_ok() {
                sender.request();
            }
        });
        Ok(stop)
    }

    /// The exit code that the signal asks for, if one came.
    pub fn exit_code(&self) -> Option<u8> {
        u8::try_from(self.code.load(Ordering::SeqCst)).ok().filter(|code| *code != 0)
    }
}
