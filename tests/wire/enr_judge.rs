//! The `enr` crate of sigp, which nobody here wrote, judges our records: each side reads what the other
//! made, with the same values and the same text, and both agree on what is no record, or it is said why not.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use enr::k256::ecdsa::SigningKey;
use p2pprobe::codec::hash::keccak256;
use p2pprobe::codec::key::NodeKey;
use p2pprobe::codec::{Fault, rlp};
use p2pprobe::discv4::Record;

use super::enr::{decode, read, vectors};
use crate::checks;
use crate::vectors::unhex;

type Judge = enr::Enr<SigningKey>;

fn text_of(bytes: &[u8]) -> String {
    format!("enr:{}", BASE64URL_NOPAD.encode(bytes))
}

/// Both sides see the same in a record that both read.
fn assert_same(ours: &Record, judge: &Judge, name: &str) {
    assert_eq!(ours.to_string(), judge.to_base64(), "{name}");
    assert_eq!(ours.seq(), judge.seq(), "{name}");
    assert_eq!(ours.key().node_id().0, judge.node_id().raw(), "{name}");
    let pairs: Vec<_> = ours.pairs().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
    let judged: Vec<_> = judge.iter().map(|(key, value)| (key.clone(), value.to_vec())).collect();
    assert_eq!(pairs, judged, "{name}");
    // Port 0 is a port for the crate and none for us.
    let udp4 = judge.udp4_socket().filter(|udp| udp.port() != 0);
    let v4 = udp4.map(|udp| (SocketAddr::from(udp), judge.tcp4().unwrap_or(0)));
    assert_eq!(ours.endpoint_v4(), v4, "{name}");
    // The crate leaves it to the caller that `udp` and `tcp` stand in for `udp6` and `tcp6` (EIP-778).
    let either = |v6: Option<u16>, both: Option<u16>| {
        v6.filter(|port| *port != 0).or(both).filter(|port| *port != 0)
    };
    let udp6 = judge.ip6().zip(either(judge.udp6(), judge.udp4()));
    let tcp6 = either(judge.tcp6(), judge.tcp4()).unwrap_or(0);
    let v6 = udp6.map(|(ip, port)| (SocketAddr::new(IpAddr::V6(ip), port), tcp6));
    assert_eq!(ours.endpoint_v6(), v6, "{name}");
}

#[test]
fn both_agree_on_the_vectors() {
    let (mut valid, mut differ) = (0, 0);
    for vector in vectors() {
        let name = &vector.name;
        let text = match vector.get("text") {
            Some(text) => text.to_owned(),
            None => text_of(&vector.hex("rlp")),
        };
        match (read(&vector), Judge::from_str(&text)) {
            (Ok(ours), Ok(judge)) => {
                assert_same(&ours, &judge, name);
                valid += 1;
            }
            (Err(_), Ok(_)) => {
                assert_eq!(vector.get("enr-crate"), Some("accepts"), "{name}");
                assert!(vector.get("why").is_some(), "{name}: no reason");
                differ += 1;
                continue;
            }
            (Ok(_), Err(e)) => panic!("{name}: only the crate refuses it: {e}"),
            (Err(_), Err(_)) => {}
        }
        assert_eq!(vector.get("enr-crate"), None, "{name}: the two agree now");
    }
    assert_eq!((valid, differ), (9, 1));
}

/// Contents that no record may have, validly signed.
#[test]
fn both_agree_on_signed_nonsense() {
    let id = b"\x82id\x82v4".as_slice();
    let public = checks::key().public().to_compressed();
    let key = [b"\x89secp256k1".as_slice(), &rlp::encode_bytes(&public)].concat();
    let mut off_curve = key.clone();
    off_curve[12..].fill(5);
    let cases: &[(&str, Vec<u8>, Fault)] = &[
        ("no id", [b"\x01", &key[..]].concat(), Fault::Missing),
        ("no key", [b"\x01", id].concat(), Fault::Missing),
        ("scheme", [b"\x01\x82id\x82v5", &key[..]].concat(), Fault::Scheme),
        ("scheme is a list", [b"\x01\x82id\xc0", &key[..]].concat(), Fault::Scheme),
        ("off the curve", [b"\x01", id, &off_curve].concat(), Fault::NotOnCurve),
        ("unsorted", [b"\x01", &key[..], id].concat(), Fault::Unsorted),
        ("twice", [b"\x01", id, id, &key].concat(), Fault::Unsorted),
        ("key without value", [b"\x01", id, &key, b"\x7a"].concat(), Fault::Missing),
        ("value cut", [b"\x01", id, &key, b"\x7a\x82\x01"].concat(), truncated(1)),
        ("key is a list", [b"\x01", id, &key, b"\xc0\x80"].concat(), Fault::NotAString),
        // "id" reads as the number 0x6964, and the keys are then "v4" and the public key.
        ("no seq", [id, &key].concat(), Fault::Unsorted),
        ("seq padded", [b"\x82\x00\x01", id, &key].concat(), Fault::NotCanonical),
        ("seq is 0 as a byte", [b"\x00", id, &key].concat(), Fault::NotCanonical),
        ("seq of 9 bytes", [b"\x89123456789", id, &key].concat(), over(8, 9)),
        ("ip of 3 bytes", [b"\x01", id, b"\x82ip\x83abc", &key].concat(), length(4, 3)),
        ("ip6 of 4 bytes", [b"\x01", id, b"\x83ip6\x84abcd", &key].concat(), length(16, 4)),
        ("port 65536", [b"\x01", id, &key, b"\x83udp\x83\x01\0\0"].concat(), over(2, 3)),
        ("port is a list", [b"\x01", id, &key, b"\x83udp\xc0"].concat(), Fault::NotAString),
    ];
    for (name, content, fault) in cases {
        let record = checks::sign_record(content);
        let found = decode(&record).map_err(|e| e.fault);
        assert_eq!(found.err(), Some(*fault), "{name}");
        assert!(Judge::from_str(&text_of(&record)).is_err(), "{name}");
    }
    // The same means make a record that both take.
    let record = checks::sign_record(&[b"\x01", id, &key].concat());
    let ours = decode(&record).expect("valid");
    assert_same(&ours, &Judge::from_str(&text_of(&record)).expect("valid"), "valid");
}

fn truncated(missing: u64) -> Fault {
    Fault::Truncated { missing }
}

fn over(limit: u64, claimed: u64) -> Fault {
    Fault::OverLimit { limit, claimed }
}

fn length(expected: usize, found: usize) -> Fault {
    Fault::Length { expected, found }
}

/// S and n − S sign alike; a record holds the low one (EIP-778 leaves it open, geth does not).
#[test]
fn high_s_is_refused() {
    let order = unhex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    let mut record = Record::sign(&checks::key(), 1, &[]).expect("short").encode();
    // List header 2 bytes, string header 2, r 32, then s.
    let s = &mut record[36..68];
    let mut borrow = 0;
    for (s, n) in s.iter_mut().zip(order).rev() {
        let difference = i16::from(n) - i16::from(*s) - borrow;
        borrow = i16::from(difference < 0);
        *s = difference as u8;
    }
    let e = decode(&record).expect_err("high S");
    assert_eq!((e.field, e.offset, e.fault), ("record.signature", 2, Fault::Signature));
    assert!(Judge::from_str(&text_of(&record)).is_err());
}

/// Bytes that are always the same, and look random.
struct Bytes(u64);

impl Bytes {
    fn next(&mut self) -> [u8; 32] {
        self.0 += 1;
        keccak256(&[&self.0.to_be_bytes()])
    }
}

#[test]
fn two_hundred_records_both_ways() {
    let mut bytes = Bytes(0);
    for round in 0..200 {
        let name = format!("round {round}");
        let secret = bytes.next();
        let [with, seq_bytes, .., v6_a, v6_b] = bytes.next();
        let seq = u64::MAX >> (seq_bytes % 64);
        let shape = bytes.next();
        let mut pairs: Vec<(&str, Vec<u8>)> = Vec::new();
        let port = |at: usize| {
            let port = u16::from_be_bytes([shape[at], shape[at + 1]]) >> (shape[at] % 9);
            rlp::encode_bytes(&port.to_be_bytes()[port.leading_zeros() as usize / 8..])
        };
        let ip6 = [&[v6_a, v6_b], &shape[..14]].concat();
        for (bit, key, value) in [
            (0, "ip", rlp::encode_bytes(&shape[..4])),
            (1, "ip6", rlp::encode_bytes(&ip6)),
            (2, "udp", port(4)),
            (3, "tcp", port(6)),
            (4, "udp6", port(8)),
            (5, "tcp6", port(10)),
            (6, "eth", checks::list_of(&checks::list_of(&rlp::encode_bytes(&shape[12..16])))),
            (7, "zz", rlp::encode_bytes(&shape[..usize::from(shape[16] % 33)])),
        ] {
            if with & 1 << bit != 0 {
                pairs.push((key, value));
            }
        }

        let key = NodeKey::new(secret, shape).expect("a key");
        let borrowed: Vec<_> = pairs.iter().map(|(k, v)| (*k, v.as_slice())).collect();
        let ours = Record::sign(&key, seq, &borrowed).expect("short");
        let judge = Judge::from_str(&ours.to_string()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_same(&ours, &judge, &name);

        let judge_key = SigningKey::from_slice(&secret).expect("a key");
        let mut builder = Judge::builder();
        builder.seq(seq);
        for (key, value) in pairs {
            builder.add_value_rlp(key, value.into());
        }
        let judge = builder.build(&judge_key).expect("short");
        let read = Record::parse(&judge.to_base64()).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        assert_same(&read, &judge, &name);
        // The signatures differ, for the crate adds entropy; all else is the same.
        assert!(read.pairs().eq(ours.pairs()), "{name}");
    }
}
