//! Bitcoin's wire protocol, version 1 of the transport (Core `protocol.h`, `net.cpp` V1Transport): frames,
//! the messages of a handshake, and what the first bytes of a stranger look like.
//!
//! All chains that descend from Bitcoin speak it, each with a [`Magic`] of its own.

pub mod frame;
pub mod handshake;
pub mod message;
pub mod net_addr;
pub mod opening;
pub mod reader;
pub mod services;
pub mod version;

pub use frame::{Command, Frame, Magic, NotAMagic};
pub use message::Message;
pub use net_addr::NetAddr;
pub use opening::{LooksLike, Opening};
pub use reader::{FrameError, FrameReader};
pub use version::Version;
