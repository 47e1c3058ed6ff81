//! SIGINT and SIGTERM: the first ends the run in order, the second at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::stop::{self, Stop, StopSender};

const SIGINT_CODE: u8 = 130;
const SIGTERM_CODE: u8 = 143;

/// Knows which signal came.
#[derive(Clone, Debug, Default)]
pub struct Signals(Arc<AtomicU8>);

impl Signals {
    /// Begins to listen. On a thread and a runtime of their own, so that a second signal ends the program even
    /// while it is held up by a pipe that nobody reads.
    ///
    /// # Errors
    /// Those of the system, for the thread.
    pub fn listen() -> std::io::Result<(Self, Stop)> {
        let signals = Signals::default();
        let (sender, stop) = stop::channel();
        let codes = signals.0.clone();
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
            if let Ok(runtime) = runtime {
                // It fails where the system refuses handlers; signals then end us the plain way.
                let _ = runtime.block_on(listen(&codes, &sender));
            }
        })?;
        Ok((signals, stop))
    }

    /// The exit code that the signal asks for, if one came.
    pub fn exit_code(&self) -> Option<u8> {
        Some(self.0.load(Ordering::SeqCst)).filter(|code| *code != 0)
    }
}

async fn listen(codes: &AtomicU8, sender: &StopSender) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    codes.store(next(&mut interrupt, &mut terminate).await, Ordering::SeqCst);
    sender.request();
    let second = next(&mut interrupt, &mut terminate).await;
    std::process::exit(second.into());
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal) -> u8 {
    tokio::select! {
        _ = interrupt.recv() => SIGINT_CODE,
        _ = terminate.recv() => SIGTERM_CODE,
    }
}
