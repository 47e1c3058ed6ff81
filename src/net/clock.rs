//! The system's two clocks as machines see them.

use std::time::{Duration, Instant, SystemTime};

use crate::machine::{Mono, Now};

/// Counts from the moment it was made.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Starts to count.
    pub fn start() -> Self {
        Clock { start: Instant::now() }
    }

    /// The time on the monotonic clock.
    pub fn mono(&self) -> Mono {
        Mono(self.start.elapsed())
    }

    /// The time on both clocks.
    pub fn now(&self) -> Now {
        Now { mono: self.mono(), unix_ms: unix_time().as_millis() as u64 }
    }

    /// A point of the monotonic clock, for the runtime's timers.
    pub fn instant(&self, at: Mono) -> tokio::time::Instant {
        // Too far away to be represented is as good as never.
        self.start.checked_add(at.0).map_or_else(far_future, tokio::time::Instant::from_std)
    }
}

/// The time since the Unix epoch; zero before it.
pub fn unix_time() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn far_future() -> tokio::time::Instant {
    tokio::time::Instant::now() + Duration::from_secs(86_400 * 365)
}
