//! The binary in runs of thousands of targets: where it is short of descriptors or of buffers, interrupted, watched on a
//! terminal, or asked to be polite. One program for all of it, since each costs a link of its own.

#[path = "../common/mod.rs"]
mod common;
#[path = "../../benches/crowd/mod.rs"]
mod crowd;

mod descriptors;
mod duplicates;
mod interrupted;
mod losses;
mod ordered;
mod politeness;
mod progress;
mod scene;
mod small_buffer;
mod waiting;

/// True where there is time for the largest runs.
fn has_time() -> bool {
    std::env::var_os("P2PPROBE_LONG").is_some()
}
