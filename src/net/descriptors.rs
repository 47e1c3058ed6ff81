//! How many connections the limit on open descriptors allows.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Descriptors that the runtime and a file of targets that is yet to be opened take.
const RUNTIME: u64 = 5;
/// Descriptors for look-ups of names: two for each of 16 at the same time.
const LOOK_UPS: u64 = 32;

/// Raises the limit as far as it is allowed, if `connections` need that, and says how many of them fit beside what is
/// open now.
pub fn room_for(connections: usize) -> usize {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return connections };
    let taken = std::fs::read_dir("/proc/self/fd").map_or(0, |open| open.count() as u64) + RUNTIME;
    let wanted = connections as u64 + taken + LOOK_UPS;
    let mut limit = soft;
    if soft < wanted {
        let raised = wanted.min(hard);
        if setrlimit(Resource::RLIMIT_NOFILE, raised, hard).is_ok() {
            limit = raised;
        }
    }
    let room = limit.saturating_sub(taken);
    // Where there is room for little, look-ups get half of it at most.
    let room = room.saturating_sub(LOOK_UPS).max(room.div_ceil(2)).max(1);
    connections.min(usize::try_from(room).unwrap_or(usize::MAX))
}
