//! The same frames come out however the stream is cut into pieces.

use p2pprobe::bitcoin::frame::HEADER_SIZE;
use p2pprobe::bitcoin::{Command, FrameError, FrameReader};

use super::{ALL, MAINNET, drain, framed, header, read, read_all, stream, streams};

/// Mistake 3: a read that gives less than was asked for is taken for the whole.
#[test]
fn cut_at_every_boundary() {
    for (vector, magic, bytes) in streams() {
        let whole = read_all(magic, &bytes);
        for at in 0..=bytes.len() {
            let (a, b) = bytes.split_at(at);
            assert_eq!(read(magic, [a, b]), whole, "{} cut at {at}", vector.name);
        }
    }
}

#[test]
fn in_pieces_of_every_size() {
    for (vector, magic, bytes) in streams() {
        let whole = read_all(magic, &bytes);
        for size in 1..=64 {
            assert_eq!(read(magic, bytes.chunks(size)), whole, "{} by {size}", vector.name);
        }
        let with_nothing_between = bytes.chunks(1).flat_map(|byte| [&[][..], byte]);
        assert_eq!(read(magic, with_nothing_between), whole, "{}", vector.name);
    }
}

/// Every frame of every vector in one piece, on one network.
#[test]
fn many_frames_in_one_piece() {
    let (mut frames, mut bytes) = (Vec::new(), Vec::new());
    for (_, magic, stream) in streams() {
        for frame in read_all(magic, &stream).0.into_iter().flatten() {
            bytes.extend(framed(frame.command, &frame.payload));
            frames.push(Ok(p2pprobe::bitcoin::Frame { magic: MAINNET, ..frame }));
        }
    }
    assert_eq!(read_all(MAINNET, &bytes), (frames.clone(), 0));
    assert_eq!(read(MAINNET, bytes.chunks(7)), (frames, 0));
}

/// A bad frame between good ones costs itself and no other.
#[test]
fn a_dropped_frame_loses_no_other() {
    let ping = framed(Command::PING, &[7; 8]);
    let mut bad_checksum = ping.clone();
    bad_checksum[20] ^= 1;
    let mut bad_command = ping.clone();
    bad_command[6] = 0;
    let bytes = [&ping[..], &bad_checksum, &bad_command, &bad_checksum, &ping].concat();
    let found = *b"pi\0g\0\0\0\0\0\0\0\0";
    for size in [1, 5, 31, 32, 33, 1000] {
        let (given, left) = read(MAINNET, bytes.chunks(size));
        assert_eq!((given.len(), left), (5, 0));
        assert!(given[0].is_ok() && given[0] == given[4]);
        assert!(matches!(given[1], Err(FrameError::Checksum { command: Command::PING, .. })));
        assert_eq!(given[2], Err(FrameError::Command { found }));
        assert_eq!(given[1], given[3]);
    }
}

/// The magic is told from one byte on, and what is shown grows to 24 bytes and no further.
#[test]
fn a_foreign_magic_is_told_at_once() {
    let (_, other) = stream("verack-litecoin");
    let bytes = [&other[..], &other].concat();
    let mut reader = FrameReader::new(MAINNET, ALL);
    assert_eq!(reader.next_frame(&mut &[][..]), Ok(None), "nothing yet is no error");
    for (n, mut piece) in bytes.chunks(1).enumerate() {
        let found = bytes[..(n + 1).min(HEADER_SIZE)].to_vec();
        // Again without any more, too.
        for _ in 0..2 {
            let e = FrameError::Magic { found: found.clone() };
            assert_eq!(reader.next_frame(&mut piece), Err(e));
            assert!(piece.is_empty());
        }
    }
    assert_eq!((reader.pending(), reader.received()), (HEADER_SIZE, 48));
    // The next bytes may be the right magic: nobody scans for it.
    let good = framed(Command::VERACK, b"");
    assert!(reader.next_frame(&mut &good[..]).is_err_and(|e| e.is_final()));
}

/// Bytes that differ only late are told when they differ.
#[test]
fn a_magic_that_begins_alike_is_waited_for() {
    let mut reader = FrameReader::new(MAINNET, ALL);
    // Namecoin's begins as Bitcoin's does.
    for byte in [0xf9, 0xbe, 0xb4] {
        assert_eq!(reader.next_frame(&mut &[byte][..]), Ok(None));
    }
    let found = vec![0xf9, 0xbe, 0xb4, 0xfe];
    assert_eq!(reader.next_frame(&mut &[0xfe][..]), Err(FrameError::Magic { found }));
}

/// The same in the middle of a stream: what came before is given, what is shown begins where it goes wrong.
#[test]
fn a_stream_that_goes_wrong_later() {
    let good = framed(Command::VERACK, b"");
    let bytes = [&good[..], &good, b"HTTP/1.1 400 Bad Request\r\n\r\n"].concat();
    let (given, left) = read_all(MAINNET, &bytes);
    assert!(given[0].is_ok() && given[1].is_ok());
    assert_eq!(given[2], Err(FrameError::Magic { found: b"HTTP/1.1 400 Bad Request".to_vec() }));
    assert_eq!((given.len(), left), (3, HEADER_SIZE));
}

/// A length above the limit is told by the last byte of the header, and told again.
#[test]
fn an_oversized_length_is_told_from_the_header() {
    let bytes = header(b"ping\0\0\0\0\0\0\0\0", 4_000_001, [0; 4]);
    let mut reader = FrameReader::new(MAINNET, ALL);
    assert_eq!(reader.next_frame(&mut &bytes[..23]), Ok(None));
    for more in [&bytes[23..], &[0; 100], &[], &[0; 200]] {
        let e = FrameError::Oversized { length: 4_000_001 };
        assert_eq!(reader.next_frame(&mut &more[..]), Err(e));
    }
    assert_eq!((reader.pending(), reader.received()), (HEADER_SIZE, 324));
}

/// One call consumes one frame; what stands behind it stays with the caller.
#[test]
fn frames_are_taken_one_by_one() {
    let frame = framed(Command::PING, &[1; 8]);
    let bytes = [&frame[..], &frame, &frame[..10]].concat();
    let mut reader = FrameReader::new(MAINNET, ALL);
    let mut left = &bytes[..];
    for (behind, received) in [(42, 32), (10, 64)] {
        assert!(reader.next_frame(&mut left).expect("no error").is_some());
        assert_eq!((left.len(), reader.pending(), reader.received()), (behind, 0, received));
    }
    assert_eq!(reader.next_frame(&mut left), Ok(None));
    assert_eq!((left.len(), reader.pending(), reader.received()), (0, 10, 74));
    let mut given = Vec::new();
    drain(&mut reader, &frame[10..], &mut given);
    assert_eq!((given.len(), reader.pending(), reader.received()), (1, 0, 96));
}
