//! How many sends a second.

use std::time::Duration;

use crate::machine::Mono;

/// How far sends may run ahead of an even spread: the runtime's timers are no finer than a millisecond, so
/// what became due meanwhile leaves together.
const SLACK: Duration = Duration::from_millis(10);

/// Spreads sends evenly (the generic cell rate algorithm, ITU-T I.371).
#[derive(Clone, Copy, Debug)]
pub struct Pacer {
    /// Between two sends.
    gap: Duration,
    next: Mono,
}

impl Pacer {
    /// At most `rate` sends a second; 0 means any number.
    pub fn new(rate: u32) -> Self {
        let gap = if rate == 0 { Duration::ZERO } else { Duration::from_secs(1) / rate };
        Pacer { gap, next: Mono::default() }
    }

    /// When the next send is due; not later than `now` if it is.
    pub fn ready_at(&self) -> Mono {
        Mono(self.next.0.saturating_sub(SLACK))
    }

    /// Counts a send.
    pub fn spend(&mut self, now: Mono) {
        self.next = self.next.max(now) + self.gap;
    }
}
