//! The six messages (discv4 §Packet Data, EIP-868).
//!
//! Elements after the known ones and bytes after the list are skipped (EIP-8). Sizes on the wire: a
//! packet is at most 1280 bytes; all integers are canonical RLP.

use std::net::IpAddr;

use super::endpoint::{Endpoint, append_ip, ip_from_bytes};
use super::enr::Record;
use crate::codec::rlp::{self, RlpStream};
use crate::codec::{DecodeError, Fault, Reader};

/// The version that a Ping announces; receivers ignore it (discv4 §Ping Packet).
pub const VERSION: u64 = 4;

/// A decoded message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Type 1.
    Ping(Ping),
    /// Type 2.
    Pong(Pong),
    /// Type 3.
    FindNode(FindNode),
    /// Type 4.
    Neighbors(Neighbors),
    /// Type 5 (EIP-868).
    EnrRequest(EnrRequest),
    /// Type 6 (EIP-868).
    EnrResponse(EnrResponse),
}

/// `[version, from, to, expiration, enr-seq, …]` (discv4 §Ping Packet).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ping {
    /// 4; any value is taken.
    pub version: u64,
    /// Where the sender says it is.
    pub from: Endpoint,
    /// Where the sender sees the receiver.
    pub to: Endpoint,
    /// Absolute Unix time in seconds.
    pub expiration: u64,
    /// Sequence number of the sender's record (EIP-868), if it sent a canonical one.
    pub enr_seq: Option<u64>,
}

/// `[to, ping-hash, expiration, enr-seq, …]` (discv4 §Pong Packet).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pong {
    /// Where the sender sees the receiver.
    pub to: Endpoint,
    /// The hash of the Ping that this answers.
    pub ping_hash: [u8; 32],
    /// Absolute Unix time in seconds.
    pub expiration: u64,
    /// Sequence number of the sender's record (EIP-868), if it sent a canonical one.
    pub enr_seq: Option<u64>,
}

/// `[target, expiration, …]` (discv4 §FindNode Packet).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindNode {
    /// A public key X‖Y; need not be on the curve.
    pub target: [u8; 64],
    /// Absolute Unix time in seconds.
    pub expiration: u64,
}

/// `[nodes, expiration, …]` (discv4 §Neighbors Packet).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbors {
    /// The nodes, in the order sent.
    pub nodes: Vec<Neighbor>,
    /// Absolute Unix time in seconds.
    pub expiration: u64,
}

/// `[ip, udp-port, tcp-port, node-id]` in a Neighbors packet. Nothing of it is checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbor {
    /// `None` where the field is neither 4 nor 16 bytes long.
    pub ip: Option<IpAddr>,
    /// UDP port.
    pub udp: u16,
    /// TCP port.
    pub tcp: u16,
    /// Public key X‖Y, perhaps not on the curve.
    pub key: [u8; 64],
}

/// `[expiration, …]` (EIP-868).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrRequest {
    /// Absolute Unix time in seconds.
    pub expiration: u64,
}

/// `[request-hash, record, …]` (EIP-868); has no expiration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrResponse {
    /// The hash of the ENRRequest that this answers.
    pub request_hash: [u8; 32],
    /// The sender's record, its signature verified.
    pub record: Record,
}

impl Message {
    /// The packet type, 1 to 6.
    pub fn code(&self) -> u8 {
        match self {
            Message::Ping(_) => 1,
            Message::Pong(_) => 2,
            Message::FindNode(_) => 3,
            Message::Neighbors(_) => 4,
            Message::EnrRequest(_) => 5,
            Message::EnrResponse(_) => 6,
        }
    }

    /// The name in the specification.
    pub fn name(&self) -> &'static str {
        match self {
            Message::Ping(_) => "Ping",
            Message::Pong(_) => "Pong",
            Message::FindNode(_) => "FindNode",
            Message::Neighbors(_) => "Neighbors",
            Message::EnrRequest(_) => "ENRRequest",
            Message::EnrResponse(_) => "ENRResponse",
        }
    }

    /// Absolute Unix time in seconds after which the message is void; ENRResponse has none.
    pub fn expiration(&self) -> Option<u64> {
        match self {
            Message::Ping(m) => Some(m.expiration),
            Message::Pong(m) => Some(m.expiration),
            Message::FindNode(m) => Some(m.expiration),
            Message::Neighbors(m) => Some(m.expiration),
            Message::EnrRequest(m) => Some(m.expiration),
            Message::EnrResponse(_) => None,
        }
    }

    /// Decodes `type ‖ data`.
    ///
    /// # Errors
    /// [`Fault::UnknownType`] and the faults of RLP.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let start = *r;
        let code = r.byte("type")?;
        match code {
            1 => Ping::decode(r).map(Message::Ping),
            2 => Pong::decode(r).map(Message::Pong),
            3 => FindNode::decode(r).map(Message::FindNode),
            4 => Neighbors::decode(r).map(Message::Neighbors),
            5 => EnrRequest::decode(r).map(Message::EnrRequest),
            6 => EnrResponse::decode(r).map(Message::EnrResponse),
            _ => Err(start.error("type", Fault::UnknownType { code })),
        }
    }

    /// Encodes the data, without the type.
    pub fn encode_data(&self) -> Vec<u8> {
        let mut out = RlpStream::new();
        match self {
            Message::Ping(m) => m.encode(&mut out),
            Message::Pong(m) => m.encode(&mut out),
            Message::FindNode(m) => {
                out.begin_list(2).append(&m.target.as_slice()).append(&m.expiration);
            }
            Message::Neighbors(m) => m.encode(&mut out),
            Message::EnrRequest(m) => {
                out.begin_list(1).append(&m.expiration);
            }
            Message::EnrResponse(m) => {
                out.begin_list(2).append(&m.request_hash.as_slice());
                out.append_raw(&m.record.encode(), 1);
            }
        }
        out.out().to_vec()
    }
}

impl Ping {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut r = rlp::list(r, "ping")?;
        Ok(Ping {
            version: rlp::u64(&mut r, "ping.version")?,
            from: Endpoint::decode(
                &mut r,
                ["ping.from", "ping.from.ip", "ping.from.udp", "ping.from.tcp"],
            )?,
            to: Endpoint::decode(&mut r, ["ping.to", "ping.to.ip", "ping.to.udp", "ping.to.tcp"])?,
            expiration: rlp::u64(&mut r, "ping.expiration")?,
            enr_seq: rlp::lenient_u64(&mut r, "ping.enr-seq")?,
        })
    }

    fn encode(&self, out: &mut RlpStream) {
        out.begin_list(4 + usize::from(self.enr_seq.is_some())).append(&self.version);
        self.from.encode(out);
        self.to.encode(out);
        out.append(&self.expiration);
        append_enr_seq(out, self.enr_seq);
    }
}

impl Pong {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut r = rlp::list(r, "pong")?;
        Ok(Pong {
            to: Endpoint::decode(&mut r, ["pong.to", "pong.to.ip", "pong.to.udp", "pong.to.tcp"])?,
            ping_hash: rlp::array(&mut r, "pong.ping-hash")?,
            expiration: rlp::u64(&mut r, "pong.expiration")?,
            enr_seq: rlp::lenient_u64(&mut r, "pong.enr-seq")?,
        })
    }

    fn encode(&self, out: &mut RlpStream) {
        out.begin_list(3 + usize::from(self.enr_seq.is_some()));
        self.to.encode(out);
        out.append(&self.ping_hash.as_slice()).append(&self.expiration);
        append_enr_seq(out, self.enr_seq);
    }
}

fn append_enr_seq(out: &mut RlpStream, enr_seq: Option<u64>) {
    if let Some(seq) = enr_seq {
        out.append(&seq);
    }
}

impl FindNode {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut r = rlp::list(r, "findnode")?;
        Ok(FindNode {
            target: rlp::array(&mut r, "findnode.target")?,
            expiration: rlp::u64(&mut r, "findnode.expiration")?,
        })
    }
}

impl Neighbors {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut r = rlp::list(r, "neighbors")?;
        let mut list = rlp::list(&mut r, "neighbors.nodes")?;
        // A node takes at least 70 bytes of a datagram, so the number of nodes is bounded by its size.
        let mut nodes = Vec::new();
        while !list.is_empty() {
            nodes.push(Neighbor::decode(&mut list)?);
        }
        Ok(Neighbors { nodes, expiration: rlp::u64(&mut r, "neighbors.expiration")? })
    }

    fn encode(&self, out: &mut RlpStream) {
        out.begin_list(2).begin_list(self.nodes.len());
        for node in &self.nodes {
            out.begin_list(4);
            append_ip(out, node.ip);
            out.append(&node.udp).append(&node.tcp).append(&node.key.as_slice());
        }
        out.append(&self.expiration);
    }
}

impl Neighbor {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut r = rlp::list(r, "neighbors.node")?;
        let node = Neighbor {
            ip: ip_from_bytes(rlp::string(&mut r, "neighbors.node.ip")?),
            udp: rlp::u16(&mut r, "neighbors.node.udp")?,
            tcp: rlp::u16(&mut r, "neighbors.node.tcp")?,
            key: rlp::array(&mut r, "neighbors.node.key")?,
        };
        r.end("neighbors.node")?;
        Ok(node)
    }
}

impl EnrRequest {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut r = rlp::list(r, "enrrequest")?;
        Ok(EnrRequest { expiration: rlp::u64(&mut r, "enrrequest.expiration")? })
    }
}

impl EnrResponse {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut r = rlp::list(r, "enrresponse")?;
        Ok(EnrResponse {
            request_hash: rlp::array(&mut r, "enrresponse.request-hash")?,
            record: Record::decode(&mut r)?,
        })
    }
}
