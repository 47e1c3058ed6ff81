//! Round-trip times of any number of probes.

use std::time::Duration;

use crate::report::{Millis, RttStats, RttTail};

/// Fewer have no tail: the tenth would be the longest.
const TAIL: usize = 10;

/// Round-trip times in microseconds, as they are shown, four bytes each: there may be a hundred thousand. An hour is the
/// longest; no timeout comes near it.
#[derive(Clone, Debug, Default)]
pub struct Rtts(Vec<u32>);

impl Rtts {
    /// Adds one.
    pub fn add(&mut self, rtt: Duration) {
        self.0.push(u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX));
    }

    /// Minimum, median, maximum and standard deviation, if there are any.
    pub fn stats(&mut self) -> Option<RttStats> {
        self.0.sort_unstable();
        let (min, max) = (*self.0.first()?, *self.0.last()?);
        let middle = self.0.len() / 2;
        let median = match (self.0.get(middle.saturating_sub(1)), self.0.get(middle)) {
            (Some(below), Some(above)) if self.0.len().is_multiple_of(2) => below.midpoint(*above),
            (_, above) => *above?,
        };
        let count = self.0.len() as f64;
        let mean = self.0.iter().copied().map(f64::from).sum::<f64>() / count;
        let variance =
            self.0.iter().map(|rtt| (f64::from(*rtt) - mean).powi(2)).sum::<f64>() / count;
        Some(RttStats {
            rtt_min_ms: millis(min),
            rtt_median_ms: millis(median),
            rtt_max_ms: millis(max),
            rtt_dev_ms: millis(variance.sqrt() as u32),
        })
    }

    /// The times that 90 % and 99 % of them keep, if there are enough of them for a tail.
    pub fn tail(&mut self) -> Option<RttTail> {
        if self.0.len() < TAIL {
            return None;
        }
        self.0.sort_unstable();
        // Nearest rank: the smallest that so many keep.
        let percentile = |percent: usize| {
            let rank = (self.0.len() * percent).div_ceil(100);
            self.0.get(rank.saturating_sub(1)).copied().map(millis)
        };
        Some(RttTail { rtt_p90_ms: percentile(90)?, rtt_p99_ms: percentile(99)? })
    }
}

fn millis(micros: u32) -> Millis {
    Millis(Duration::from_micros(micros.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rtts(millis: impl IntoIterator<Item = u64>) -> Rtts {
        let mut rtts = Rtts::default();
        millis.into_iter().for_each(|ms| rtts.add(Duration::from_millis(ms)));
        rtts
    }

    fn stats(millis: &[u64]) -> Option<[u128; 4]> {
        rtts(millis.iter().copied()).stats().map(|s| {
            [s.rtt_min_ms, s.rtt_median_ms, s.rtt_max_ms, s.rtt_dev_ms].map(|ms| ms.0.as_micros())
        })
    }

    #[test]
    fn round_trip_statistics() {
        assert_eq!(stats(&[]), None);
        assert_eq!(stats(&[5]), Some([5_000, 5_000, 5_000, 0]));
        assert_eq!(stats(&[4, 2]), Some([2_000, 3_000, 4_000, 1_000]));
        // 2, 4, 4, 4, 5, 5, 7, 9 has the mean 5 and the deviation 2.
        assert_eq!(stats(&[9, 2, 4, 5, 4, 5, 4, 7]), Some([2_000, 4_500, 9_000, 2_000]));
        assert_eq!(stats(&[1, 100, 3]), Some([1_000, 3_000, 100_000, 46_204]));
    }

    #[test]
    fn so_many_keep_the_percentile() {
        let tail = |millis: &[u64]| {
            let tail = rtts(millis.iter().copied()).tail();
            tail.map(|tail| [tail.rtt_p90_ms, tail.rtt_p99_ms].map(|ms| ms.0.as_millis()))
        };
        assert_eq!(tail(&[]), None);
        assert_eq!(tail(&[7; 9]), None);
        let hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!(tail(&hundred), Some([90, 99]));
        let ten: Vec<u64> = (1..=10).collect();
        assert_eq!(tail(&ten), Some([9, 10]));
    }
}
