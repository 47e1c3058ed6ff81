//! What simple handshake scripts get wrong in their codec, numbered as in the list of known mistakes. A program that
//! makes the mistake fails here.

use p2pprobe::bitcoin::frame::HEADER_SIZE;
use p2pprobe::bitcoin::{Command, FrameError, Message, NetAddr, Version};
use p2pprobe::codec::{Fault, Reader, compact_size};

use super::versions::decode;
use super::{MAINNET, framed, header, read, read_all, stream, version_payload};

/// 3: a read that gives less than was asked for is taken for the whole. Here the magic, the command and the length
/// come in two reads each.
#[test]
fn mistake_3_short_reads() {
    let (magic, bytes) = stream("live-v1-core311-regtest-rx");
    let whole = read_all(magic, &bytes);
    assert_eq!(whole.0.len(), 9);
    for at in [2, 9, 18, 22] {
        let (first, rest) = bytes.split_at(at);
        assert_eq!(read(magic, [first, rest]), whole);
    }
    assert_eq!(read(magic, bytes.chunks(1)), whole);
}

/// 4: after a bad magic, to scan for the next good one.
#[test]
fn mistake_4_scanning_for_a_magic() {
    let good = framed(Command::VERACK, b"");
    let (given, _) = read_all(MAINNET, &[b"\xff", &good[..]].concat());
    let found = [b"\xff", &good[..HEADER_SIZE - 1]].concat();
    assert_eq!(given, [Err(FrameError::Magic { found })]);
}

/// 4: no cap on the length, so that a header alone reserves 4 GB.
#[test]
fn mistake_4_no_length_cap() {
    let bytes = header(b"version\0\0\0\0\0", u32::MAX, [0; 4]);
    let (given, _) = read_all(MAINNET, &bytes);
    assert_eq!(given, [Err(FrameError::Oversized { length: u32::MAX })]);
}

/// 4: a checksum that is wrong ends the program.
#[test]
fn mistake_4_a_bad_checksum_is_the_end() {
    let (_, bad) = stream("frame-bad-checksum");
    let (given, left) = read_all(MAINNET, &[&bad[..], &framed(Command::VERACK, b"")].concat());
    assert!(matches!(given[0], Err(FrameError::Checksum { command: Command::PING, .. })));
    assert_eq!(given[1].as_ref().map(|frame| frame.command), Ok(Command::VERACK));
    assert_eq!((given.len(), left), (2, 0));
}

/// 5: NULs are deleted wherever they stand, so that `pi\0ng` is a ping.
#[test]
fn mistake_5_interior_nuls() {
    let (_, bytes) = stream("frame-bad-type-nul-inside");
    let found = *b"pi\0ng\0\0\0\0\0\0\0";
    assert_eq!(read_all(MAINNET, &bytes), (vec![Err(FrameError::Command { found })], 0));
}

/// 6: the relay byte is read whether it is there or not.
#[test]
fn mistake_6_relay_is_optional() {
    let version = decode(&version_payload("wiki-60002-satoshi-0-7-2")).expect("has no relay byte");
    assert_eq!((version.relay, version.start_height), (None, Some(212_672)));
    // The same where the protocol would have one.
    let version = decode(&version_payload("synth-after-height")).expect("has no relay byte");
    assert_eq!((version.protocol, version.relay), (70_015, None));
}

/// 6: a time of 0 is taken for none, and left out when encoding.
#[test]
fn mistake_6_time_0_is_a_time() {
    let mut payload = version_payload("synth-full-relay0");
    payload[12..20].fill(0);
    let version = decode(&payload).expect("decodes");
    assert_eq!(version.timestamp, 0);
    assert_eq!(Message::Version(version).encode_payload(), payload);
}

/// 13: a length that is not in its shortest form is taken.
#[test]
fn mistake_13_lengths_that_are_not_canonical() {
    for bytes in [&b"\xfd\xfc\0"[..], b"\xfe\xff\xff\0\0", b"\xff\xff\xff\xff\xff\0\0\0\0"] {
        let e = compact_size::read(&mut Reader::new(bytes), "n", u64::MAX).expect_err("long form");
        assert_eq!(e.fault, Fault::NotCanonical);
    }
    let payload = version_payload("synth-full-relay0");
    let long = [&payload[..80], b"\xfd\x05\0", &payload[81..]].concat();
    let e = decode(&long).expect_err("a user agent's length in long form");
    assert_eq!((e.field, e.offset, e.fault), ("version.user_agent", 80, Fault::NotCanonical));
}

/// 14: the port has its little end first.
#[test]
fn mistake_14_ports_have_their_big_end_first() {
    let version = decode(&version_payload("payload-devdocs-70002-satoshi-0-9-3")).expect("decodes");
    assert_eq!(version.addr_recv.port, 8333);
    let addr_recv = NetAddr { port: 0x0102, ..version.addr_recv };
    let payload = Message::Version(Version { addr_recv, ..version }).encode_payload();
    assert_eq!(payload[44..46], [1, 2]);
}

/// 14: a nonce that does not fit in 64 bits. The largest does, and is not a number with a sign.
#[test]
fn mistake_14_every_nonce_fits() {
    let (given, _) = read_all(MAINNET, &framed(Command::PING, &[0xff; 8]));
    let message = Message::decode(given[0].as_ref().expect("a frame"));
    assert_eq!(message, Ok(Message::Ping(u64::MAX)));
}
