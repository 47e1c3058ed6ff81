//! Bitcoin's frames and messages.

mod compact_size;
mod frames;
mod judge;
mod kept;
mod limits;
mod mistakes;
mod mutations;
mod openings;
mod services;
mod streams;
mod versions;

use p2pprobe::bitcoin::frame::{self, HEADER_SIZE, MAX_PAYLOAD};
use p2pprobe::bitcoin::{Command, Frame, FrameError, FrameReader, Magic};

use crate::vectors::{Vector, load};

/// A reader with this keeps all of each payload.
const ALL: usize = MAX_PAYLOAD as usize;

/// Mainnet.
const MAINNET: Magic = Magic([0xf9, 0xbe, 0xb4, 0xd9]);

/// What a reader gives of a stream: frames and errors in order, and how many bytes are left of one not ended.
type Given = (Vec<Result<Frame, FrameError>>, usize);

/// A vector of `bitcoin-frame.txt`, the magic to be expected, and the bytes.
fn streams() -> Vec<(Vector, Magic, Vec<u8>)> {
    let stream = |vector: Vector| {
        let bytes = match vector.get("command") {
            Some(name) => {
                let command = Command::named(name).expect("a command");
                framed(command, &vector.hex("payload"))
            }
            None => vector.hex("bytes"),
        };
        let magic = match vector.get("expects") {
            Some(magic) => magic.parse().expect("a magic"),
            None => Magic(bytes[..4].try_into().expect("four bytes")),
        };
        (vector, magic, bytes)
    };
    load("bitcoin-frame.txt", 74).into_iter().map(stream).collect()
}

fn stream(name: &str) -> (Magic, Vec<u8>) {
    let found = streams().into_iter().find(|(vector, ..)| vector.name == name);
    let (_, magic, bytes) = found.expect(name);
    (magic, bytes)
}

/// A vector of `bitcoin-version.txt`, and the payload.
fn version_payloads() -> Vec<(Vector, Vec<u8>)> {
    let vectors = load("bitcoin-version.txt", 31);
    vectors.into_iter().map(|vector| (vector.hex("payload"), vector)).map(|(b, v)| (v, b)).collect()
}

fn version_payload(name: &str) -> Vec<u8> {
    let found = version_payloads().into_iter().find(|(vector, _)| vector.name == name);
    found.expect(name).1
}

/// A mainnet frame.
fn framed(command: Command, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    frame::encode(MAINNET, command, payload, &mut out);
    out
}

/// A header that claims what it likes.
fn header(command: &[u8; 12], length: u32, checksum: [u8; 4]) -> Vec<u8> {
    let header = [&MAINNET.0[..], command, &length.to_le_bytes(), &checksum].concat();
    assert_eq!(header.len(), HEADER_SIZE);
    header
}

/// All that the reader gives of this piece; it consumes all of it.
fn drain(reader: &mut FrameReader, piece: &[u8], into: &mut Vec<Result<Frame, FrameError>>) {
    let mut left = piece;
    loop {
        match reader.next_frame(&mut left) {
            Ok(None) => return assert!(left.is_empty()),
            Ok(Some(frame)) => into.push(Ok(frame)),
            Err(e) if e.is_final() => {
                // It stays the last word, with more bytes perhaps.
                match into.last_mut() {
                    Some(Err(last)) if last.is_final() => *last = e,
                    _ => into.push(Err(e)),
                }
                return assert!(left.is_empty());
            }
            Err(e) => into.push(Err(e)),
        }
    }
}

/// What a reader gives of these pieces.
fn read<'a>(magic: Magic, pieces: impl IntoIterator<Item = &'a [u8]>) -> Given {
    read_keeping(ALL, magic, pieces)
}

/// The same of a reader that keeps so many bytes of each payload; it holds no more of them at any time.
fn read_keeping<'a>(
    keep: usize,
    magic: Magic,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Given {
    let mut reader = FrameReader::new(magic, keep);
    let (mut given, mut received) = (Vec::new(), 0);
    for piece in pieces {
        received += piece.len();
        drain(&mut reader, piece, &mut given);
        assert!(reader.reserved() <= HEADER_SIZE + keep.min(2 * received));
    }
    assert_eq!(reader.received(), received as u64);
    (given, reader.pending())
}

/// What a reader gives of bytes that come at once.
fn read_all(magic: Magic, bytes: &[u8]) -> Given {
    read(magic, [bytes])
}
