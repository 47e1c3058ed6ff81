//! Packets, right and wrong, built by hand: the frame here is written anew, so that it can be broken.

use std::net::SocketAddr;
use std::time::SystemTime;

use p2pprobe::codec::hash::keccak256;
use p2pprobe::codec::key::NodeKey;
use p2pprobe::codec::rlp::RlpStream;
use p2pprobe::discv4::{Endpoint, Message, Ping, Pong};

/// Offset of the recovery id.
pub const V_AT: usize = 96;

/// A key that no other test value shares.
pub fn key(number: u32) -> NodeKey {
    let mut secret = [0x5a; 32];
    secret[28..].copy_from_slice(&number.to_be_bytes());
    NodeKey::new(secret, [0x77; 32]).expect("a key")
}

pub fn now_unix_s() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.expect("a clock after 1970").as_secs()
}

/// `hash ‖ signature ‖ code ‖ data`, all of it right.
pub fn frame(key: &NodeKey, code: u8, data: &[u8]) -> Vec<u8> {
    let signature = key.sign(&keccak256(&[&[code], data]), None);
    let mut packet = vec![0; 32];
    packet.extend_from_slice(&signature.to_bytes());
    packet.push(code);
    packet.extend_from_slice(data);
    rehash(packet)
}

/// Makes the hash of a packet right again.
pub fn rehash(mut packet: Vec<u8>) -> Vec<u8> {
    let hash = keccak256(&[&packet[32..]]);
    packet[..32].copy_from_slice(&hash);
    packet
}

/// A packet of ours with another signature: `change` is given r‖s‖v.
pub fn resigned(mut packet: Vec<u8>, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    change(&mut packet[32..=V_AT]);
    rehash(packet)
}

pub fn message(key: &NodeKey, message: &Message) -> Vec<u8> {
    frame(key, message.code(), &message.encode_data())
}

/// A Ping as a well-behaved peer sends it.
pub fn ping(key: &NodeKey, from: SocketAddr, to: SocketAddr, expiration: u64) -> Vec<u8> {
    message(
        key,
        &Message::Ping(Ping {
            version: 4,
            from: Endpoint::new(from, 0),
            to: Endpoint::new(to, 0),
            expiration,
            enr_seq: None,
        }),
    )
}

/// A Pong as a well-behaved peer sends it.
pub fn pong(to: SocketAddr, ping_hash: [u8; 32]) -> Pong {
    Pong { to: Endpoint::new(to, 0), ping_hash, expiration: now_unix_s() + 20, enr_seq: None }
}

/// The RLP list of these encoded items.
pub fn list(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = RlpStream::new_list(parts.len());
    for part in parts {
        out.append_raw(part, 1);
    }
    out.out().to_vec()
}

/// The RLP of an integer.
pub fn int(value: u64) -> Vec<u8> {
    let mut out = RlpStream::new();
    out.append(&value);
    out.out().to_vec()
}

/// The RLP of a byte string.
pub fn bytes(value: &[u8]) -> Vec<u8> {
    p2pprobe::codec::rlp::encode_bytes(value)
}

/// The RLP of `[ip, udp, tcp]`.
pub fn endpoint(ip: &[u8], udp: u16, tcp: u16) -> Vec<u8> {
    list(&[&bytes(ip), &int(udp.into()), &int(tcp.into())])
}
