//! What several probes gave: of one target, and of a whole run.

use std::sync::Arc;

use serde::Serialize;

use super::{Millis, Origin, Timestamp, WaitedMs};

/// With `--count`: what all probes of one target gave.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetStats {
    /// When the last probe had ended.
    pub at: Timestamp,
    /// The command that asked.
    pub command: &'static str,
    /// The target.
    #[serde(flatten)]
    pub origin: Arc<Origin>,
    /// True if one of its probes at least was answered as expected.
    pub ok: bool,
    /// Probes for which anything was sent.
    pub sent: u32,
    /// Probes answered, be it as asked or not.
    pub received: u32,
    /// The share of the others, in percent, if anything was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss_pct: Option<f64>,
    /// Their round-trip times.
    #[serde(flatten)]
    pub rtt: Option<RttStats>,
}

/// Round-trip times in the manner of ping(8).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RttStats {
    /// The shortest.
    pub rtt_min_ms: Millis,
    /// The median.
    pub rtt_median_ms: Millis,
    /// The longest.
    pub rtt_max_ms: Millis,
    /// The standard deviation.
    pub rtt_dev_ms: Millis,
}

/// The time that 90 % of the round trips kept, and 99 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RttTail {
    /// 90 %.
    pub rtt_p90_ms: Millis,
    /// 99 %.
    pub rtt_p99_ms: Millis,
}

/// What a whole run gave.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// When the run ended.
    pub at: Timestamp,
    /// The command.
    pub command: &'static str,
    /// Targets begun.
    pub targets: u64,
    /// Of these, how many were answered as expected.
    pub answered: u64,
    /// Result lines written; more than the targets with `--count`.
    pub probes: u64,
    /// Result lines that say `ok`.
    pub ok: u64,
    /// The others, by their kind.
    pub failures: Counts,
    /// Warnings, by their kind.
    #[serde(skip_serializing_if = "Counts::is_empty")]
    pub warnings: Counts,
    /// Round-trip times of the answered probes.
    #[serde(flatten)]
    pub rtt: Option<RttStats>,
    /// The slowest of them.
    #[serde(flatten)]
    pub rtt_tail: Option<RttTail>,
    /// At which addresses peers see us, and how many say so; the ports are left out.
    #[serde(skip_serializing_if = "Counts::is_empty")]
    pub seen_as: Counts,
    /// What nodes say they are, and how many say so: the first so many names that came, and the others together.
    #[serde(skip_serializing_if = "Counts::is_empty")]
    pub user_agents: Counts,
    /// What nodes serve, and how many do.
    #[serde(skip_serializing_if = "Counts::is_empty")]
    pub services: Counts,
    /// Datagrams that our own sockets lost; of a command that sends none there is nothing to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_drops: Option<u64>,
    /// Targets that ended, a second.
    pub targets_per_s: f64,
    /// How long the run took.
    pub elapsed_ms: WaitedMs,
    /// True if it was stopped by a signal.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
}

/// All names for which there was no room. No user agent can be this: their parentheses come after a slash (BIP-14).
pub const OTHERS: &str = "(others)";

/// How often each of some names came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Counts(pub std::collections::BTreeMap<String, u64>);

impl Counts {
    /// Counts one more `name`.
    pub fn add(&mut self, name: &str) {
        match self.0.get_mut(name) {
            Some(count) => *count += 1,
            None => drop(self.0.insert(name.to_owned(), 1)),
        }
    }

    /// Counts one more `name`, or one more of [`OTHERS`] where there are `most` names already.
    pub fn add_bounded(&mut self, name: &str, most: usize) {
        let is_new = !self.0.contains_key(name);
        self.add(if is_new && self.0.len() >= most { OTHERS } else { name });
    }

    /// True if nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All names, the most frequent first.
    pub fn most(&self) -> Vec<(&str, u64)> {
        let mut counts: Vec<_> = self.0.iter().map(|(name, count)| (&name[..], *count)).collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_and_none_is_lost() {
        let mut counts = Counts::default();
        for name in ["a", "b", "c", "a", "d", "c"] {
            counts.add_bounded(name, 2);
        }
        assert_eq!(counts.most(), [(OTHERS, 3), ("a", 2), ("b", 1)]);
    }
}
