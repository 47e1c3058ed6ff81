//! The drivers: they own sockets and clocks, call the machines' verbs, and do not know what a message means.

pub mod clock;
pub mod descriptors;
pub mod drops;
mod error;
pub mod pacer;
mod socket;
pub mod tcp;
pub mod udp;
