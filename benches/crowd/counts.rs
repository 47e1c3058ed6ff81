//! What a crowd got and sent.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers that only grow.
#[derive(Debug, Default)]
pub struct Counts {
    /// Pings, or connections, that came to a peer.
    pub came: Count,
    /// Of them, those that were answered, whatever with.
    pub answered: Count,
    /// Of them, those that the weather took.
    pub lost: Count,
    /// Pongs that came late or twice; what the weather added.
    pub added: Count,
    /// The prober's Pongs to peers that pinged back; or its pings that were answered.
    pub pongs: Count,
    /// What came and is none of these: damaged, of another type, or for nobody.
    pub strange: Count,
    /// What the system did not send.
    pub unsent: Count,
}

/// One of them.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// One more.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many there are.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { came, answered, lost, added, pongs, strange, unsent } = self;
        let [came, answered, lost, added, pongs, strange, unsent] =
            [came, answered, lost, added, pongs, strange, unsent].map(Count::get);
        write!(
            f,
            "{came} came, {answered} answered, {lost} lost, {added} added, {pongs} pongs, \
             {strange} strange, {unsent} unsent"
        )
    }
}
