//! Probes peers of two peer-to-peer networks and says what each one is.

pub mod cli;
pub mod codec;
pub mod discv4;
pub mod machine;
pub mod net;
pub mod networks;
pub mod output;
pub mod report;
pub mod run;
pub mod signals;
pub mod source;
pub mod stop;
pub mod tally;
pub mod target;
pub mod tcp_check;
