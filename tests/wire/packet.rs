//! Every discv4 packet gives the message, the signer and the error that its vector says, and encodes
//! back to the same bytes where it is canonical.

use p2pprobe::codec::hash::keccak256;
use p2pprobe::codec::key::{NodeKey, PublicKey, Signature};
use p2pprobe::codec::{DecodeError, Fault, Reader};
use p2pprobe::discv4::packet::{self, Packet};
use p2pprobe::discv4::{Endpoint, Message, Neighbor, Neighbors, Ping};

use crate::checks;
use crate::vectors::{Vector, hex, load};

/// Offset of the type in a packet.
pub const TYPE_AT: usize = 97;

/// The packets of all vectors.
pub fn packets() -> Vec<(Vector, Vec<u8>)> {
    let packet = |vector: Vector| match vector.get("payload") {
        Some(_) => (checks::frame(&vector.hex("payload")), vector),
        None => (vector.hex("packet"), vector),
    };
    load("discv4.txt", 62)
        .into_iter()
        .map(packet)
        .map(|(packet, vector)| (vector, packet))
        .collect()
}

/// An error as the vectors write it.
pub fn error_text(e: DecodeError) -> String {
    format!("{} @ {}: {:?}", e.field, e.offset, e.fault)
}

fn endpoint_text(endpoint: &Endpoint) -> String {
    let ip = endpoint.ip.map_or("-".to_owned(), |ip| ip.to_string());
    format!("{ip} {} {}", endpoint.udp, endpoint.tcp)
}

fn node_text(node: &Neighbor) -> String {
    let endpoint = Endpoint { ip: node.ip, udp: node.udp, tcp: node.tcp };
    format!("{} {}", endpoint_text(&endpoint), hex(&node.key))
}

/// A message as the vectors write it.
fn message_text(message: &Message) -> Vec<(&'static str, String)> {
    let mut text = vec![("type", message.name().to_owned())];
    let mut enr_seq = None;
    match message {
        Message::Ping(m) => {
            text.push(("version", m.version.to_string()));
            text.push(("from", endpoint_text(&m.from)));
            text.push(("to", endpoint_text(&m.to)));
            enr_seq = m.enr_seq;
        }
        Message::Pong(m) => {
            text.push(("to", endpoint_text(&m.to)));
            text.push(("ping-hash", hex(&m.ping_hash)));
            enr_seq = m.enr_seq;
        }
        Message::FindNode(m) => text.push(("target", hex(&m.target))),
        Message::Neighbors(m) => text.extend(m.nodes.iter().map(|n| ("node", node_text(n)))),
        Message::EnrRequest(_) => {}
        Message::EnrResponse(m) => {
            text.push(("request-hash", hex(&m.request_hash)));
            text.push(("record", hex(&m.record.encode())));
        }
    }
    text.extend(message.expiration().map(|expiration| ("expiration", expiration.to_string())));
    text.extend(enr_seq.map(|seq| ("enr-seq", seq.to_string())));
    text
}

const INPUTS: &[&str] =
    &["source", "note", "packet", "payload", "private", "signer", "node-id", "extra"];

#[test]
fn values() {
    for (vector, bytes) in packets() {
        let found = match Packet::decode(&bytes) {
            Ok(packet) => message_text(&packet.message),
            Err(e) => vec![("error", error_text(e))],
        };
        assert_eq!(found, vector.expected(INPUTS), "{}", vector.name);
    }
}

#[test]
fn signers() {
    let mut seen = 0;
    for (vector, bytes) in packets() {
        let (Some(signer), Ok(packet)) = (vector.get("signer"), Packet::decode(&bytes)) else {
            continue;
        };
        seen += 1;
        assert_eq!(packet.hash, bytes[..32], "{}", vector.name);
        if signer == "-" {
            let e = packet.signer().expect_err(&vector.name);
            assert_eq!(error_text(e), "signature @ 32: Signature", "{}", vector.name);
            continue;
        }
        let key = packet.signer().expect(&vector.name);
        assert_eq!(key.to_string(), signer, "{}", vector.name);
        assert!(packet.signed_by(&key), "{}", vector.name);
        if let Some(id) = vector.get("node-id") {
            assert_eq!(key.node_id().to_string(), id, "{}", vector.name);
        }
    }
    assert_eq!(seen, 25);
}

/// Two packets with the same signature over other bytes: a key comes out of both, so only comparing it
/// with the expected one authenticates.
#[test]
fn a_recovered_key_alone_authenticates_nothing() {
    let packets = packets();
    let find = |name| packets.iter().find(|(vector, _)| vector.name == name).expect(name);
    let (_, genuine) = find("ethrex-pong-enrseq-decode");
    let (_, forged) = find("ethrex-pong-decode");
    let genuine = Packet::decode(genuine).expect("decodes");
    let forged = Packet::decode(forged).expect("decodes");
    assert_eq!(genuine.signature, forged.signature);
    let key = genuine.signer().expect("recovers");
    assert_ne!(Ok(key), forged.signer());
    assert!(genuine.signed_by(&key) && !forged.signed_by(&key));
}

#[test]
fn canonical_messages_encode_to_the_same_bytes() {
    let mut seen = 0;
    for (vector, bytes) in packets() {
        let Ok(packet) = Packet::decode(&bytes) else { continue };
        let data = packet.message.encode_data();
        let extra = vector.get("extra").map_or(0, |_| vector.number("extra") as usize);
        if extra == 0 {
            assert_eq!(hex(&data), hex(&bytes[TYPE_AT + 1..]), "{}", vector.name);
            seen += 1;
        } else {
            // A list's header may shrink with its content, by a byte at most here.
            let less = bytes.len() - TYPE_AT - 1 - data.len();
            assert!((extra..=extra + 1).contains(&less), "{}: {less} bytes less", vector.name);
        }
    }
    assert_eq!(seen, 23);
}

/// Where the private key is known and the signature deterministic, the same packet comes out.
#[test]
fn known_keys_sign_the_same_packets() {
    let mut seen = 0;
    for (vector, bytes) in packets() {
        if vector.get("private").is_none() {
            continue;
        }
        let key = NodeKey::new(vector.array("private"), [3; 32]).expect(&vector.name);
        let packet = Packet::decode(&bytes).expect(&vector.name);
        let mut out = b"kept".to_vec();
        let hash = packet::encode(&packet.message, &key, None, &mut out);
        assert_eq!(out[..4], *b"kept", "{}", vector.name);
        assert_eq!(hex(&out[4..]), hex(&bytes), "{}", vector.name);
        assert_eq!(hash, bytes[..32], "{}", vector.name);
        seen += 1;
    }
    assert_eq!(seen, 10);
}

#[test]
fn a_retry_is_another_packet_of_the_same_message() {
    let (_, bytes) = packets().into_iter().find(|(v, _)| v.name == "ethrex-ping").expect("there");
    let message = Packet::decode(&bytes).expect("decodes").message;
    let key = NodeKey::new([1; 32], [3; 32]).expect("a key");
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let hashes = [
        packet::encode(&message, &key, Some(&[1; 32]), &mut first),
        packet::encode(&message, &key, Some(&[2; 32]), &mut second),
    ];
    assert_ne!(hashes[0], hashes[1]);
    for bytes in [first, second] {
        let packet = Packet::decode(&bytes).expect("decodes");
        assert_eq!(packet.message, message);
        assert!(packet.signed_by(key.public()));
    }
}

#[test]
fn neighbors_have_the_known_sizes() {
    for vector in load("neighbors-size.txt", 7) {
        let ip = match vector.number("family") {
            4 => [10, 0, 0, 1].into(),
            _ => [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into(),
        };
        let node = Neighbor { ip: Some(ip), udp: 30303, tcp: 30303, key: [0xff; 64] };
        let nodes = vec![node; vector.number("nodes") as usize];
        let message = Message::Neighbors(Neighbors { nodes, expiration: u64::MAX });
        let mut out = Vec::new();
        let key = NodeKey::new([1; 32], [3; 32]).expect("a key");
        packet::encode(&message, &key, None, &mut out);
        assert_eq!(out.len() as u64, vector.number("size"), "{}", vector.name);
        assert_eq!(Packet::decode(&out).expect("decodes").message, message, "{}", vector.name);
    }
}

/// A node that another relays may have any bytes for a key: whoever uses it finds that out.
#[test]
fn relayed_keys_may_be_off_the_curve() {
    let mut valid = Vec::new();
    for (vector, bytes) in packets() {
        let Ok(Packet { message: Message::Neighbors(m), .. }) = Packet::decode(&bytes) else {
            continue;
        };
        let keys = m.nodes.iter().filter(|node| PublicKey::from_xy(&node.key).is_ok());
        valid.push((vector.name, keys.count(), m.nodes.len()));
    }
    let names: Vec<_> = valid.iter().map(|(n, valid, all)| (n.as_str(), *valid, *all)).collect();
    let expected =
        [("eip8-neighbors", 4, 4), ("ethrex-neighbors", 1, 2), ("neighbors-12-zero-key", 0, 12)];
    assert_eq!(names, expected);
}

/// What follows the fields is ignored (EIP-8), and 2048 bytes are read.
#[test]
fn packets_are_read_up_to_2048_bytes() {
    let key = NodeKey::new([0x21; 32], [0; 32]).expect("a key");
    let to = Endpoint { ip: Some([127, 0, 0, 1].into()), udp: 1, tcp: 0 };
    let ping = Ping { version: 4, from: to, to, expiration: 1, enr_seq: None };
    let list = Message::Ping(ping).encode_data();
    for (size, expected) in
        [(2048, Ok(())), (2049, Err(Fault::OverLimit { limit: 2048, claimed: 2049 }))]
    {
        let mut payload = vec![1];
        payload.extend_from_slice(&list);
        payload.resize(size - TYPE_AT, 0);
        let signature = key.sign(&keccak256(&[&payload]), None).to_bytes();
        let hash = keccak256(&[&signature, &payload]);
        let bytes = [&hash[..], &signature, &payload].concat();
        assert_eq!(bytes.len(), size);
        assert_eq!(Packet::decode(&bytes).map(drop).map_err(|e| e.fault), expected, "{size}");
    }
}

#[test]
fn expirations_of_the_sign_bit_are_long_past() {
    let now = 1_700_000_000;
    assert_eq!(packet::expires_in_s(now + 20, now), 20);
    assert_eq!(packet::expires_in_s(now, now), 0);
    assert_eq!(packet::expires_in_s(now - 5, now), -5);
    // What the test suite of geth sends as "past": 2^64 − (now + 20).
    assert_eq!(packet::expires_in_s((now + 20).wrapping_neg(), now), -2 * now as i64 - 20);
    assert_eq!(packet::expires_in_s(1 << 63, now), i64::MIN);
    assert_eq!(packet::expires_in_s(u64::MAX, now), -1 - now as i64);
    assert_eq!(packet::expires_in_s(i64::MAX as u64, 0), i64::MAX);
}

#[test]
fn a_signature_is_65_bytes_as_they_stand() {
    let signature = Signature { rs: std::array::from_fn(|i| i as u8), v: 3 };
    let bytes = signature.to_bytes();
    assert_eq!(bytes[..64], signature.rs);
    assert_eq!(bytes[64], 3);
    assert_eq!(Reader::new(&bytes).byte("r"), Ok(0));
}

#[test]
fn endpoints_are_made_and_printed() {
    let mapped = Endpoint::new("[::ffff:1.2.3.4]:5".parse().expect("an address"), 6);
    assert_eq!(mapped, Endpoint { ip: Some([1, 2, 3, 4].into()), udp: 5, tcp: 6 });
    assert_eq!(mapped.to_string(), "1.2.3.4:5");
    let v6 = Endpoint::new("[2001:db8::1]:5".parse().expect("an address"), 0);
    assert_eq!(v6.to_string(), "[2001:db8::1]:5");
    assert_eq!(Endpoint { ip: None, udp: 5, tcp: 6 }.to_string(), "?:5");
}
