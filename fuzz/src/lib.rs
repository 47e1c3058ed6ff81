//! What the fuzz targets check, and the tests too: whatever the bytes, an error or an honest value.

pub mod bitcoin;

use p2pprobe::codec::Reader;
use p2pprobe::codec::hash::keccak256;
use p2pprobe::codec::key::NodeKey;
use p2pprobe::codec::rlp::{self, Item};
use p2pprobe::discv4::enode::Enode;
use p2pprobe::discv4::enr::{self, Record, TextError};
use p2pprobe::discv4::{Message, Packet};
use p2pprobe::host::parse_host_port;

/// The private key of the EIP-778 example.
const PRIVATE: [u8; 32] = [
    0xb7, 0x1c, 0x71, 0xa6, 0x7e, 0x11, 0x77, 0xad, 0x4e, 0x90, 0x16, 0x95, 0xe1, 0xb4, 0xb9, 0xee,
    0x17, 0xae, 0x16, 0xc6, 0x66, 0x8d, 0x31, 0x3e, 0xac, 0x2f, 0x96, 0xdb, 0xcd, 0xa3, 0xf2, 0x91,
];

/// The key that signs what must have a signature.
pub fn key() -> NodeKey {
    NodeKey::new(PRIVATE, [7; 32]).expect("a valid key")
}

/// A packet of `type ‖ data`, with the right hash and signature.
pub fn frame(payload: &[u8]) -> Vec<u8> {
    frame_with(&key().sign(&keccak256(&[payload]), None).to_bytes(), payload)
}

/// A packet of `type ‖ data`, with the right hash and the signature given.
pub fn frame_with(signature: &[u8; 65], payload: &[u8]) -> Vec<u8> {
    let hash = keccak256(&[signature, payload]);
    [&hash[..], signature, payload].concat()
}

/// A record of `seq, k, v, …` as they stand, with the right signature.
pub fn sign_record(content: &[u8]) -> Vec<u8> {
    let signature = key().sign(&keccak256(&[&list_of(content)]), None).rs;
    list_of(&[&rlp::encode_bytes(&signature), content].concat())
}

/// The RLP list of items already encoded.
pub fn list_of(items: &[u8]) -> Vec<u8> {
    let mut header = Vec::new();
    match items.len() {
        short @ 0..=55 => header.push(0xc0 + short as u8),
        long => {
            let length = long.to_be_bytes();
            let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
            header.push(0xf7 + length.len() as u8);
            header.extend_from_slice(length);
        }
    }
    [&header, items].concat()
}

/// Target `packet`: the bytes are a datagram, and the `type ‖ data` of another one.
pub fn packet(bytes: &[u8]) {
    if let Ok(packet) = Packet::decode(bytes) {
        message(&packet.message);
        if let Ok(signer) = packet.signer() {
            assert!(packet.signed_by(&signer));
        }
    }
    payload(bytes);
}

/// Bytes as `type ‖ data`: the decoder behind the hash and the signature.
pub fn payload(bytes: &[u8]) {
    if let Ok(decoded) = Message::decode(&mut Reader::new(bytes)) {
        assert_eq!(bytes.first(), Some(&decoded.code()));
        message(&decoded);
    }
}

/// A message that was decoded survives being sent on.
fn message(message: &Message) {
    let bytes = [vec![message.code()], message.encode_data()].concat();
    let mut r = Reader::new(&bytes);
    assert_eq!(Message::decode(&mut r).as_ref(), Ok(message));
}

/// Target `record`: the bytes are a record, and the content of another one that gets its signature here.
pub fn record(bytes: &[u8]) {
    decode_record(bytes);
    if bytes.len() <= enr::MAX_SIZE {
        decode_record(&sign_record(bytes));
    }
}

fn decode_record(bytes: &[u8]) {
    let mut r = Reader::new(bytes);
    let Ok(record) = Record::decode(&mut r) else { return };
    assert!(r.offset() <= enr::MAX_SIZE);
    assert_eq!(record.encode(), bytes[..r.offset()]);
    assert_eq!(Record::parse(&record.to_string()).as_ref(), Ok(&record));
    assert_eq!(record.get("id"), Some(&b"\x82v4"[..]));
    let endpoints = [record.endpoint_v4(), record.endpoint_v6()];
    assert_eq!(record.endpoint().is_some(), endpoints.iter().any(Option::is_some));
    assert!(record.endpoint().is_none() || endpoints.contains(&record.endpoint()));
}

/// Target `record_text`.
pub fn record_text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Record::parse(text) {
        Ok(record) => assert_eq!(record.to_string(), text),
        Err(TextError::Base64 { offset }) => assert!((4..=text.len()).contains(&offset)),
        Err(TextError::Record(_)) => assert!(text.starts_with(enr::PREFIX)),
        Err(TextError::Prefix) => assert!(!text.starts_with(enr::PREFIX)),
    }
}

/// Target `enode`: enode URLs, and the host and port of one.
pub fn enode(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Enode::parse(text) {
        Ok(enode) => assert_eq!(Enode::parse(&enode.to_string()), Ok(enode)),
        // An offset at which a caller can cut the text.
        Err(e) => assert!(text.is_char_boundary(e.offset), "{e:?}"),
    }
    match parse_host_port(text) {
        Ok((host, port)) => {
            assert_eq!(parse_host_port(&format!("{host}:{port}")), Ok((host, port)))
        }
        Err(e) => assert!(text.is_char_boundary(e.offset), "{e:?}"),
    }
}

/// Target `rlp`: every item, at any depth, is in its shortest form and inside the list around it.
pub fn rlp(bytes: &[u8]) {
    let mut lists = vec![Reader::new(bytes)];
    while let Some(mut r) = lists.pop() {
        while !r.is_empty() {
            let (before, left) = (r.offset(), r.len());
            let mut again = r;
            let Ok(item) = rlp::item(&mut r, "item") else { return };
            assert!(r.offset() > before && r.offset() - before + r.len() == left);
            let raw = rlp::raw(&mut again, "item").expect("read before");
            assert_eq!(raw, &bytes[before..r.offset()]);
            match item {
                Item::String(mut payload) => {
                    let payload = payload.all();
                    assert_eq!(rlp::encode_bytes(payload), raw);
                    integer(raw, payload);
                }
                Item::List(mut payload) => {
                    lists.push(payload);
                    assert_eq!(list_of(payload.all()), raw);
                }
            }
        }
    }
}

/// A string is an integer of so many bits exactly where it is short enough and has no leading zero.
fn integer(raw: &[u8], payload: &[u8]) {
    let shortest = payload.first() != Some(&0);
    let value = rlp::u64(&mut Reader::new(raw), "u64");
    assert_eq!(value.is_ok(), shortest && payload.len() <= 8);
    assert_eq!(rlp::lenient_u64(&mut Reader::new(raw), "u64"), Ok(value.ok()));
    let port = rlp::u16(&mut Reader::new(raw), "u16");
    assert_eq!(port.ok().map(u64::from), value.ok().filter(|_| payload.len() <= 2));
}
