//! The Node Discovery Protocol v4 (`devp2p/discv4.md`) and the texts that name its nodes:
//! packets, messages, node records, enode URLs, and the machine that pings.

pub mod endpoint;
pub mod enode;
pub mod enr;
pub mod message;
pub mod packet;
pub mod pinger;

pub use endpoint::Endpoint;
pub use enode::Enode;
pub use enr::Record;
pub use message::{EnrRequest, EnrResponse, FindNode, Message, Neighbor, Neighbors, Ping, Pong};
pub use packet::Packet;
