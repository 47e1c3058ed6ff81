//! Both machines in virtual time, without sockets and clocks: ten thousand discv4 peers in bad weather, and thousands of
//! Bitcoin streams that are cut, delayed and hostile. All is drawn from seeds, and the same seed makes the same run.

#[path = "../../benches/crowd/mod.rs"]
mod crowd;

mod btc;
mod btc_oracle;
mod btc_script;
mod eth;
mod eth_network;

/// How many times as much is tried with `P2PPROBE_LONG`.
const LONG: u64 = 20;

/// So many rounds, or far more of them if there is time.
fn rounds(usual: u64) -> u64 {
    if std::env::var_os("P2PPROBE_LONG").is_some() { usual * LONG } else { usual }
}
