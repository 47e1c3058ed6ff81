//! Probes peers of two peer-to-peer networks and says what each one is.

pub mod codec;
pub mod discv4;
