//! See `version` in `src/bitcoin.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| p2pprobe_fuzz::bitcoin::version(bytes));
