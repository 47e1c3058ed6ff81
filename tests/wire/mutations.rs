//! Every packet and record, cut at every length and with every byte flipped: an error, and behind a
//! repaired hash or signature an error or an honest value; never a panic.

use p2pprobe::codec::Fault;
use p2pprobe::codec::key::Signature;
use p2pprobe::discv4::{Packet, Record};

use super::packet::{TYPE_AT, packets};
use super::{checks, enr};

/// Offset of the signature in a packet.
const SIGNATURE_AT: usize = 32;

/// Each single bit of a byte.
const BITS: &[u8] = &[1, 2, 4, 8, 16, 32, 64, 128];
/// One bit, and all: where each flip costs the check of a signature.
const FEW: &[u8] = &[1, 0xff];

/// Calls with every copy of `bytes` that has one byte flipped by one of `masks`, and where.
fn each_flip(bytes: &[u8], masks: &[u8], mut call: impl FnMut(usize, &[u8])) {
    let mut flipped = bytes.to_vec();
    for at in 0..bytes.len() {
        for mask in masks {
            flipped[at] = bytes[at] ^ mask;
            call(at, &flipped);
        }
        flipped[at] = bytes[at];
    }
}

#[test]
fn packets_cut() {
    for (vector, bytes) in packets() {
        checks::packet(&bytes);
        for len in 0..bytes.len() {
            checks::packet(&bytes[..len]);
            let e = Packet::decode(&bytes[..len]).expect_err(&vector.name);
            match e.fault {
                Fault::Truncated { .. } => assert!(len <= TYPE_AT, "{} cut at {len}", vector.name),
                Fault::Hash => assert!(len > TYPE_AT, "{} cut at {len}", vector.name),
                other => panic!("{} cut at {len}: {other:?}", vector.name),
            }
        }
    }
}

#[test]
fn packets_flipped() {
    for (vector, bytes) in packets().into_iter().filter(|(_, bytes)| bytes.len() > TYPE_AT) {
        if Packet::decode(&bytes).is_err_and(|e| e.fault == Fault::Hash) {
            continue; // One flip of its hash makes it right.
        }
        each_flip(&bytes, BITS, |at, flipped| {
            let e = Packet::decode(flipped).expect_err(&vector.name);
            assert_eq!((e.offset, e.fault), (0, Fault::Hash), "{} flipped at {at}", vector.name);
        });
    }
}

/// With the hash made right again, cuts and flips of `type ‖ data` reach the decoders of the messages.
#[test]
fn payloads_cut_and_flipped() {
    for (_, bytes) in packets().into_iter().filter(|(_, bytes)| bytes.len() > TYPE_AT) {
        let payload = &bytes[TYPE_AT..];
        for len in 0..payload.len() {
            checks::payload(&payload[..len]);
        }
        each_flip(payload, BITS, |_, flipped| checks::payload(flipped));
    }
}

/// The same through a whole packet, signed anew: the faults are those of the message, never of the
/// frame, and the signer is ours.
#[test]
fn payloads_signed_anew() {
    let key = checks::key();
    for (vector, bytes) in packets().into_iter().filter(|(_, bytes)| bytes.len() > TYPE_AT) {
        let mut payload = bytes[TYPE_AT..].to_vec();
        for at in 0..payload.len() {
            payload[at] ^= 0xff;
            let packet = checks::frame(&payload);
            match Packet::decode(&packet) {
                Ok(packet) => assert!(packet.signed_by(key.public()), "{}", vector.name),
                Err(e) => {
                    assert!(e.offset >= TYPE_AT, "{} flipped at {at}: {e}", vector.name);
                    // A record inside has a signature of its own.
                    let inside = e.field == "record.signature";
                    assert!(inside || e.fault != Fault::Signature, "{}: {e}", vector.name);
                    assert_ne!(e.fault, Fault::Hash, "{}", vector.name);
                }
            }
            payload[at] ^= 0xff;
        }
    }
}

/// A changed signature over the same content is refused, or is another key's.
#[test]
fn signatures_flipped() {
    for (vector, bytes) in packets() {
        let Ok(packet) = Packet::decode(&bytes) else { continue };
        let Ok(signer) = packet.signer() else { continue };
        let signature = packet.signature.to_bytes();
        for at in 0..signature.len() {
            let mut flipped = signature;
            flipped[at] ^= 1 << (at % 8);
            let repaired = checks::frame_with(&flipped, &bytes[TYPE_AT..]);
            match Packet::decode(&repaired) {
                Ok(packet) => assert_ne!(packet.signer(), Ok(signer), "{} at {at}", vector.name),
                Err(e) => {
                    assert_eq!((e.offset, e.fault), (SIGNATURE_AT, Fault::Signature), "{e}");
                }
            }
        }
    }
}

/// The borders of what a signature can be.
#[test]
fn signatures_at_the_borders() {
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    let order: [u8; 32] = crate::vectors::unhex(order).try_into().expect("32 bytes");
    let mut below = order;
    below[31] -= 1;
    let one = { std::array::from_fn(|i| u8::from(i == 31)) };
    for (r, s, v, ok) in [
        (one, one, 0, true),
        (one, one, 3, true),
        (one, one, 4, false),
        (one, one, 255, false),
        ([0; 32], one, 0, false),
        (one, [0; 32], 0, false),
        (below, below, 0, true),
        (order, one, 0, false),
        (one, order, 0, false),
        ([0xff; 32], one, 0, false),
    ] {
        let mut rs = [0; 64];
        rs[..32].copy_from_slice(&r);
        rs[32..].copy_from_slice(&s);
        let signature = Signature { rs, v };
        assert_eq!(signature.check().is_ok(), ok, "{signature:?}");
        // Never a panic, whatever comes out.
        let recovered = signature.recover(&[1; 32]);
        assert!(ok || recovered == Err(Fault::Signature), "{signature:?}");
        assert!(signature.recover(&[0; 32]).is_err() || ok);
    }
}

#[test]
fn records_cut_and_flipped() {
    for vector in enr::vectors() {
        if vector.get("rlp").is_none() {
            continue;
        }
        let bytes = vector.hex("rlp");
        // What has a byte too many is the example when it is cut.
        let short = usize::from(vector.name == "sigp-rlp-extra-byte");
        for len in 0..bytes.len() - short {
            let e = enr::decode(&bytes[..len]).expect_err(&vector.name);
            if vector.get("error").is_none() {
                assert!(matches!(e.fault, Fault::Truncated { .. }), "{}: {e}", vector.name);
            }
        }
        each_flip(&bytes, FEW, |at, flipped| {
            assert!(enr::decode(flipped).is_err(), "{} flipped at {at}", vector.name);
        });
    }
}

#[test]
fn record_texts_cut_and_flipped() {
    for vector in enr::vectors() {
        let Some(text) = vector.get("text") else { continue };
        for len in 0..text.len() {
            // What the padded one is without its padding is the example.
            let whole = len + 1 == text.len() && vector.name == "sigp-padded";
            assert_eq!(Record::parse(&text[..len]).is_ok(), whole, "{} cut at {len}", vector.name);
            checks::record_text(&text.as_bytes()[..len]);
        }
        for at in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] ^= 1 << (at % 7);
            checks::record_text(&bytes);
            let flipped = String::from_utf8(bytes).expect("ASCII");
            // One flip may undo the one that made the vector wrong.
            let valid = Record::parse(&flipped).is_ok();
            assert!(!valid || vector.get("error").is_some(), "{} flipped at {at}", vector.name);
        }
    }
}

/// Content flipped and signed anew reaches what is behind the signature.
#[test]
fn records_signed_anew() {
    let pairs: &[(&str, &[u8])] = &[
        ("eth", b"\xc7\xc6\x84\x07\xc9\x46\x2e\x80"),
        ("ip", b"\x84\x7f\x00\x00\x01"),
        ("ip6", b"\x90\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"),
        ("tcp", b"\x82\x76\x5f"),
        ("udp", b"\x82\x76\x5f"),
        ("udp6", b"\x01"),
    ];
    let record = Record::sign(&checks::key(), 300, pairs).expect("short");
    // List header 2 bytes, signature 66; then the content.
    let bytes = record.encode();
    let content = &bytes[68..];
    assert_eq!(checks::sign_record(content), bytes);
    for len in 0..content.len() {
        checks::record(&content[..len]);
    }
    each_flip(content, FEW, |_, flipped| checks::record(flipped));
}
