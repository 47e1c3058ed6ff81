//! Every frame, stream and version message, cut at every length and with every bit flipped: an error or an honest
//! value, never a panic.

use p2pprobe::bitcoin::FrameError;
use p2pprobe::bitcoin::frame::HEADER_SIZE;
use p2pprobe::codec::Fault;

use super::versions::decode;
use super::{read_all, streams, version_payloads};
use crate::checks;

/// Calls with every copy of `bytes` that has one bit flipped, and where.
fn each_flip(bytes: &[u8], mut call: impl FnMut(usize, &[u8])) {
    let mut flipped = bytes.to_vec();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            flipped[at] = bytes[at] ^ 1 << bit;
            call(at, &flipped);
        }
        flipped[at] = bytes[at];
    }
}

/// What is cut gives the beginning of what the whole gives: nothing is invented, nothing is given twice.
#[test]
fn streams_cut() {
    for (vector, magic, bytes) in streams() {
        let (whole, _) = read_all(magic, &bytes);
        for len in 0..bytes.len() {
            let (given, left) = read_all(magic, &bytes[..len]);
            checks::bitcoin::frames(&bytes[..len]);
            // A foreign magic is told with fewer of its bytes.
            let told = matches!(given.last(), Some(Err(FrameError::Magic { .. })));
            let same = given.len() - usize::from(told);
            assert_eq!(given[..same], whole[..same], "{} cut at {len}", vector.name);
            if vector.get("left").is_none() && !told {
                let taken = given.iter().flatten().map(|f| HEADER_SIZE + f.payload.len());
                assert!(taken.sum::<usize>() + left <= len, "{} cut at {len}", vector.name);
            }
        }
    }
}

/// Which part of a lone frame was flipped says what becomes of it: the checksum covers the payload alone.
#[test]
fn frames_flipped() {
    let mut seen = 0;
    for (vector, magic, bytes) in streams() {
        let (whole, _) = read_all(magic, &bytes);
        let [Ok(frame)] = &whole[..] else { continue };
        seen += 1;
        each_flip(&bytes, |at, flipped| {
            let (given, left) = read_all(magic, flipped);
            let as_it_should = match (at, given.first()) {
                (0..4, Some(Err(FrameError::Magic { found }))) => flipped.starts_with(found),
                (4..16, Some(Err(FrameError::Command { found }))) => flipped[4..16] == *found,
                (4..16, Some(Ok(other))) => {
                    other.command != frame.command && other.payload == frame.payload
                }
                (16..20, None) => left == bytes.len(),
                (16..20, Some(Err(FrameError::Oversized { .. } | FrameError::Checksum { .. }))) => {
                    true
                }
                (20.., Some(Err(FrameError::Checksum { command, .. }))) => {
                    *command == frame.command && given.len() == 1
                }
                _ => false,
            };
            assert!(as_it_should, "{} flipped at {at}: {given:?}", vector.name);
        });
    }
    assert_eq!(seen, 48);
}

/// One bit of each byte: each flip reads all of a stream, in several ways.
#[test]
fn streams_flipped() {
    for (_, _, bytes) in streams() {
        let mut flipped = bytes.clone();
        for at in 0..bytes.len() {
            flipped[at] ^= 1 << (at % 8);
            checks::bitcoin::frames(&flipped);
            flipped[at] = bytes[at];
        }
    }
}

#[test]
fn versions_cut() {
    for (vector, payload) in version_payloads() {
        for len in 0..payload.len() {
            checks::bitcoin::version(&payload[..len]);
            let Err(e) = decode(&payload[..len]) else { continue };
            if vector.get("error").is_none() {
                assert!(matches!(e.fault, Fault::Truncated { .. }), "{}: {e}", vector.name);
            }
        }
    }
}

#[test]
fn versions_flipped() {
    for (vector, payload) in version_payloads() {
        let whole = decode(&payload);
        each_flip(&payload, |at, flipped| {
            checks::bitcoin::version(flipped);
            // Only the length of the user agent can be wrong; all else is another value.
            match decode(flipped) {
                Ok(version) => {
                    let relay = at + 1 == payload.len() || version.extra > 0;
                    assert!(whole.as_ref() != Ok(&version) || relay, "{} at {at}", vector.name);
                }
                Err(e) => assert!(e.offset >= 80, "{} flipped at {at}: {e}", vector.name),
            }
        });
    }
}
