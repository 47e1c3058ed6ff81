//! `--ordered`: results in the order of the input.

use std::collections::{BTreeMap, VecDeque};

use crate::report::{Origin, Probe, TargetStats};

/// Result lines that may wait for the turn of an earlier target; with more of them no more targets are begun. A few
/// hundred bytes each.
pub const MAX_HELD: usize = 16_384;

/// Something to be written.
pub enum Said {
    /// A result line.
    Probe(Box<Probe>),
    /// Statistics of a target.
    Target(Box<TargetStats>),
}

/// What waits for its turn.
#[derive(Default)]
pub struct Order {
    /// The target whose turn it is.
    first: u64,
    targets: BTreeMap<u64, Target>,
    /// Lines that wait, those of the first target apart.
    held: usize,
    told: bool,
}

#[derive(Default)]
struct Target {
    name: String,
    said: VecDeque<Said>,
    /// How many targets share the number, once that is known, and how many of them have ended.
    of: Option<u64>,
    ended: u64,
}

impl Order {
    fn target(&mut self, origin: &Origin) -> &mut Target {
        self.targets.entry(origin.number).or_default()
    }

    /// Takes down that a target is begun.
    pub fn begin(&mut self, origin: &Origin) {
        let target = self.target(origin);
        target.name.clone_from(&origin.target);
        if !origin.of_seeds {
            target.of = Some(1);
        }
    }

    /// Takes down that a target has ended.
    pub fn ended(&mut self, origin: &Origin) {
        self.target(origin).ended += 1;
    }

    /// Takes down how many targets a network's seeds gave.
    pub fn seeds_ended(&mut self, network: &Origin, given: u64) {
        self.target(network).of = Some(given);
    }

    /// Keeps something until its turn.
    pub fn hold(&mut self, origin: &Origin, said: Said) {
        self.held += usize::from(origin.number != self.first);
        self.target(origin).said.push_back(said);
    }

    /// The next thing whose turn has come.
    pub fn next_ready(&mut self) -> Option<Said> {
        loop {
            let target = self.targets.get_mut(&self.first)?;
            if let Some(said) = target.said.pop_front() {
                return Some(said);
            }
            if target.of != Some(target.ended) {
                return None;
            }
            self.targets.remove(&self.first);
            self.first += 1;
            self.held -= self.targets.get(&self.first).map_or(0, |target| target.said.len());
        }
    }

    /// False while so much waits that no more targets are to be begun. Those whose turn it is must be, always.
    pub fn has_room(&self) -> bool {
        let first = self.targets.get(&self.first);
        self.held < MAX_HELD || first.is_none_or(|first| first.of.is_none())
    }

    /// The name of the target that all others wait for, the first time that there is no room.
    pub fn newly_full(&mut self) -> Option<String> {
        let first = self.targets.get(&self.first).filter(|_| !self.told && !self.has_room())?;
        let name = first.name.clone();
        self.told = true;
        Some(name)
    }

    /// All that is left, in its order.
    pub fn rest(self) -> impl Iterator<Item = Said> {
        self.targets.into_values().flat_map(|target| target.said)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::report::{Failure, Timestamp};

    fn origin(number: u64) -> Origin {
        Origin { target: format!("target {number}"), number, ..Origin::default() }
    }

    fn result(origin: &Origin) -> Said {
        Said::Probe(Box::new(Probe {
            at: Timestamp(0),
            command: "eth-ping",
            origin: Arc::new(origin.clone()),
            probe: None,
            ok: false,
            failure: Some(Failure::Interrupted),
            endpoint: None,
            answer: None,
            tries: None,
            tcp: None,
            warnings: Vec::new(),
        }))
    }

    fn end(order: &mut Order, origin: &Origin) {
        order.begin(origin);
        order.hold(origin, result(origin));
        order.ended(origin);
    }

    fn numbers(said: impl IntoIterator<Item = Said>) -> Vec<u64> {
        let number = |said| match said {
            Said::Probe(probe) => probe.origin.number,
            Said::Target(stats) => stats.origin.number,
        };
        said.into_iter().map(number).collect()
    }

    fn ready(order: &mut Order) -> Vec<u64> {
        numbers(std::iter::from_fn(|| order.next_ready()))
    }

    #[test]
    fn results_wait_for_those_before_them() {
        let mut order = Order::default();
        end(&mut order, &origin(2));
        assert_eq!(ready(&mut order), [0; 0]);
        order.begin(&origin(0));
        order.hold(&origin(0), result(&origin(0)));
        // The first of several probes: it has its turn, and the target has not ended.
        assert_eq!(ready(&mut order), [0]);
        end(&mut order, &origin(1));
        assert_eq!(ready(&mut order), [0; 0]);
        order.ended(&origin(0));
        assert_eq!(ready(&mut order), [1, 2]);
        end(&mut order, &origin(5));
        end(&mut order, &origin(4));
        assert_eq!(numbers(order.rest()), [4, 5]);
    }

    #[test]
    fn nobody_knows_how_many_the_seeds_give_until_they_end() {
        let mut order = Order::default();
        let of_seeds = Origin { of_seeds: true, ..origin(0) };
        end(&mut order, &of_seeds);
        end(&mut order, &origin(1));
        assert_eq!(ready(&mut order), [0]);
        end(&mut order, &of_seeds);
        assert_eq!(ready(&mut order), [0]);
        order.seeds_ended(&origin(0), 2);
        assert_eq!(ready(&mut order), [1]);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut order = Order::default();
        for number in 1..=MAX_HELD as u64 {
            assert!(order.has_room());
            end(&mut order, &origin(number));
        }
        // The first one was not begun: it must be, or there is no end.
        assert!(order.has_room());
        assert_eq!(order.newly_full(), None);
        order.begin(&origin(0));
        assert!(!order.has_room());
        assert_eq!(order.newly_full().as_deref(), Some("target 0"));
        assert_eq!(order.newly_full(), None, "it is said once");
        end(&mut order, &origin(0));
        assert_eq!(ready(&mut order).len(), MAX_HELD + 1);
        assert!(order.has_room());
        assert_eq!((order.held, order.targets.len()), (0, 0));
    }
}
