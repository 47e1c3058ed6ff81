//! How many sends a second.

use std::time::Duration;

use crate::machine::Mono;

/// How far sends may run ahead of an even spread: the runtime's timers are no finer than a millisecond, so
/// what became due meanwhile leaves together.
const SLACK: Duration = Duration::from_millis(10);
/// Over how long the rate is measured that is halved where none is set.
const WINDOW: Duration = Duration::from_millis(250);
/// The slowest that halving leads to.
const MAX_GAP: Duration = Duration::from_millis(100);
/// Sends that are closer together than this are as good as unpaced.
const NO_GAP: Duration = Duration::from_micros(10);

/// Spreads sends evenly (the generic cell rate algorithm, ITU-T I.371).
#[derive(Clone, Copy, Debug)]
pub struct Pacer {
    /// Between two sends, as it was asked for.
    asked: Duration,
    /// Between two sends now: longer while we were too fast for ourselves.
    gap: Duration,
    next: Mono,
    /// When the measuring began, how many were sent since, and what the last measuring gave.
    window: Mono,
    sent: u32,
    measured: Duration,
    /// When the last send was counted.
    last: Mono,
}

impl Pacer {
    /// At most `rate` sends a second; 0 means any number.
    pub fn new(rate: u32) -> Self {
        let gap = if rate == 0 { Duration::ZERO } else { Duration::from_secs(1) / rate };
        let zero = Mono::default();
        Pacer { asked: gap, gap, next: zero, window: zero, sent: 0, measured: gap, last: zero }
    }

    /// When the next send is due; not later than `now` if it is.
    pub fn ready_at(&self) -> Mono {
        Mono(self.next.0.saturating_sub(SLACK))
    }

    /// Counts a send.
    pub fn spend(&mut self, now: Mono) {
        self.next = self.next.max(now) + self.gap;
        if now.since(self.last) >= WINDOW {
            // Nothing was sent for a while: that is no rate.
            (self.window, self.sent) = (now, 0);
        }
        self.last = now;
        self.sent += 1;
        let passed = now.since(self.window);
        if passed >= WINDOW {
            self.measured = passed / self.sent;
            (self.window, self.sent) = (now, 0);
        }
    }

    /// Halves the rate, or what was sent a second lately if that is less.
    pub fn slow_down(&mut self, now: Mono) {
        // An idle time must not pass for a slow one.
        let lately = now.since(self.window).checked_div(self.sent);
        let measured = match lately {
            Some(lately) if self.measured.is_zero() => lately,
            Some(lately) => lately.min(self.measured),
            None => self.measured,
        };
        let gap = self.gap.max(measured).max(NO_GAP);
        self.gap = (2 * gap).min(MAX_GAP.max(self.asked));
    }

    /// Doubles the rate again, as far as was asked for.
    pub fn speed_up(&mut self) {
        let gap = self.gap / 2;
        self.gap = if gap < NO_GAP { self.asked } else { gap.max(self.asked) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends whatever may be sent, looking every 100 µs, and says how many that are a second.
    fn rate(pacer: &mut Pacer, from: Duration) -> u32 {
        let mut sent = 0;
        for tick in 0..10_000 {
            let now = Mono(from + tick * Duration::from_micros(100));
            if pacer.ready_at() <= now {
                pacer.spend(now);
                sent += 1;
            }
        }
        sent
    }

    #[test]
    fn the_rate_is_halved_and_comes_back() {
        for asked in [0, 2000] {
            let mut pacer = Pacer::new(asked);
            let full = rate(&mut pacer, Duration::from_secs(1));
            let expected = if asked == 0 { 10_000 } else { asked };
            assert!(full.abs_diff(expected) <= 30, "{full} of {asked}");
            pacer.slow_down(Mono(Duration::from_secs(2)));
            let half = rate(&mut pacer, Duration::from_secs(2));
            assert!(half.abs_diff(full / 2) <= 100, "{half} of {full}");
            pacer.slow_down(Mono(Duration::from_secs(3)));
            let quarter = rate(&mut pacer, Duration::from_secs(3));
            assert!(quarter.abs_diff(full / 4) <= 100, "{quarter} of {full}");
            (0..10).for_each(|_| pacer.speed_up());
            let again = rate(&mut pacer, Duration::from_secs(4));
            assert!(again.abs_diff(full) <= 30, "{again} of {full}");
        }
    }

    #[test]
    fn it_never_comes_to_a_stop() {
        let mut pacer = Pacer::new(0);
        (0..100).for_each(|_| pacer.slow_down(Mono::default()));
        assert!(rate(&mut pacer, Duration::from_secs(1)) >= 10);
        let mut slow = Pacer::new(2);
        (0..100).for_each(|_| slow.slow_down(Mono::default()));
        // A third one may run ahead.
        assert!((2..=3).contains(&rate(&mut slow, Duration::from_secs(1))));
    }

    #[test]
    fn an_idle_time_is_no_rate() {
        let mut pacer = Pacer::new(0);
        rate(&mut pacer, Duration::from_secs(1));
        // Nothing for eight seconds, then a burst that our own socket does not take.
        let burst = Duration::from_secs(10);
        (0..10).for_each(|n| pacer.spend(Mono(burst + n * Duration::from_micros(100))));
        pacer.slow_down(Mono(burst + Duration::from_millis(1)));
        let half = rate(&mut pacer, burst + Duration::from_millis(1));
        assert!((4000..=6000).contains(&half), "{half}");
    }
}
