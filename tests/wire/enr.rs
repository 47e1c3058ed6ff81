//! Every record gives the values, or the error, that its vector says, and encodes back to itself.

use std::net::SocketAddr;

use data_encoding::BASE64URL_NOPAD;
use p2pprobe::codec::Reader;
use p2pprobe::codec::key::NodeKey;
use p2pprobe::discv4::Record;
use p2pprobe::discv4::enr::TextError;

use super::packet::error_text;
use crate::vectors::{Vector, hex, load};

/// The vectors of records.
pub fn vectors() -> Vec<Vector> {
    load("enr.txt", 30)
}

/// Reads a vector, from its text if it has one.
pub fn read(vector: &Vector) -> Result<Record, String> {
    match vector.get("text") {
        Some(text) => Record::parse(text).map_err(|e| match e {
            TextError::Record(e) => error_text(e),
            other => format!("{other:?}"),
        }),
        None => decode(&vector.hex("rlp")).map_err(error_text),
    }
}

/// Decodes a record with nothing after it.
pub fn decode(bytes: &[u8]) -> Result<Record, p2pprobe::codec::DecodeError> {
    let mut r = Reader::new(bytes);
    let record = Record::decode(&mut r)?;
    r.end("record")?;
    Ok(record)
}

/// An endpoint as the vectors write it.
pub fn endpoint_text((udp, tcp): (SocketAddr, u16)) -> String {
    format!("{} {} {tcp}", udp.ip(), udp.port())
}

/// A record as the vectors write it.
fn record_text(record: &Record) -> Vec<(&'static str, String)> {
    let mut text = vec![
        ("seq", record.seq().to_string()),
        ("key", hex(&record.key().to_compressed())),
        ("node-id", record.key().node_id().to_string()),
    ];
    let pair = |(key, value): (&[u8], &[u8])| {
        ("pair", format!("{} {}", String::from_utf8_lossy(key), hex(value)))
    };
    text.extend(record.pairs().map(pair));
    text.extend(record.endpoint_v4().map(|endpoint| ("v4", endpoint_text(endpoint))));
    text.extend(record.endpoint_v6().map(|endpoint| ("v6", endpoint_text(endpoint))));
    text
}

const INPUTS: &[&str] = &["source", "note", "text", "rlp", "enr-crate", "why"];

#[test]
fn values() {
    for vector in vectors() {
        let found = match read(&vector) {
            Ok(record) => record_text(&record),
            Err(error) => vec![("error", error)],
        };
        assert_eq!(found, vector.expected(INPUTS), "{}", vector.name);
        if vector.get("text").is_none() {
            let text = format!("enr:{}", BASE64URL_NOPAD.encode(&vector.hex("rlp")));
            let e = Record::parse(&text).expect_err(&vector.name);
            let e = match e {
                TextError::Record(e) => error_text(e),
                other => panic!("{}: {other:?}", vector.name),
            };
            assert_eq!(e, vector.text("error"), "{} as text", vector.name);
        }
    }
}

#[test]
fn valid_records_encode_to_the_same_bytes_and_text() {
    let mut seen = 0;
    for vector in vectors().iter().filter(|vector| vector.get("error").is_none()) {
        let record = read(vector).expect(&vector.name);
        assert_eq!(hex(&record.encode()), vector.text("rlp"), "{}", vector.name);
        assert_eq!(record.to_string(), vector.text("text"), "{}", vector.name);
        assert_eq!(decode(&vector.hex("rlp")).as_ref(), Ok(&record), "{}", vector.name);
        for (key, value) in record.pairs() {
            let key = std::str::from_utf8(key).expect("ASCII in the vectors");
            assert_eq!(record.get(key), Some(value), "{} {key}", vector.name);
        }
        assert_eq!(record.get("none"), None);
        seen += 1;
    }
    assert_eq!(seen, 9);
}

/// The example of EIP-778 comes out of its own content and key, byte for byte.
#[test]
fn the_example_is_signed_to_the_same_bytes() {
    let vectors = vectors();
    let example = vectors.iter().find(|v| v.name == "eip778-example").expect("the example");
    let keys = load("keys.txt", 10);
    let key = keys.iter().find(|v| v.name == "eip8-eip778-key-b").expect("its key");
    let key = NodeKey::new(key.array("private"), [0; 32]).expect("a key");
    let pairs: &[(&str, &[u8])] = &[("udp", b"\x82\x76\x5f"), ("ip", b"\x84\x7f\x00\x00\x01")];
    let record = Record::sign(&key, 1, pairs).expect("short enough");
    assert_eq!(record.to_string(), example.text("text"));
    assert_eq!(hex(&record.encode()), example.text("rlp"));
}
