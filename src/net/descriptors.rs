//! How many connections the limit on open descriptors allows.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Descriptors for all else: standard streams, files of targets, the runtime, signals, and look-ups of names, of which
/// each of 16 at once may hold two.
const SPARE: u64 = 48;

/// Raises the limit as far as it is allowed, if `connections` need that, and says how many of them fit.
pub fn room_for(connections: usize) -> usize {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return connections };
    let wanted = connections as u64 + SPARE;
    let mut limit = soft;
    if soft < wanted {
        let raised = wanted.min(hard);
        if setrlimit(Resource::RLIMIT_NOFILE, raised, hard).is_ok() {
            limit = raised;
        }
    }
    // Where there is next to nothing, half of it is better than none.
    let room = limit.saturating_sub(SPARE).max(limit / 2).max(1);
    connections.min(usize::try_from(room).unwrap_or(usize::MAX))
}
