//! Bytes to values and back. Nothing here knows a socket, a clock or an output format.
//!
//! [`Reader`] is the one place where input is sliced; it cannot panic, and every error that it gives
//! names the field and the offset.

pub mod compact_size;
pub mod hash;
mod integers;
pub mod key;
mod reader;
pub mod rlp;

pub use reader::{DecodeError, Fault, Reader};
