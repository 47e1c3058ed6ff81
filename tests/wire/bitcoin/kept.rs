//! Readers that keep a part of each payload: the same frames, told by fewer bytes, in bounded memory.

use p2pprobe::bitcoin::frame::{HEADER_SIZE, MAX_PAYLOAD, checksum};
use p2pprobe::bitcoin::version::MAX_SIZE;
use p2pprobe::bitcoin::{Command, Frame, FrameError, FrameReader, Magic, Message};
use p2pprobe::codec::{DecodeError, Fault};

use super::{ALL, Given, MAINNET, framed, read_all, read_keeping, streams, version_payload};

/// What is given by a reader that keeps so many bytes, made from what one gives that keeps all.
fn cut((mut given, left): Given, keep: usize) -> Given {
    given.iter_mut().flatten().for_each(|frame| frame.payload.truncate(keep));
    (given, left)
}

/// Every stream, cut in two at every byte, for a `keep` of nothing, below, at and above the usual lengths.
#[test]
fn the_same_frames_cut_at_every_boundary() {
    for (vector, magic, bytes) in streams() {
        let whole = read_all(magic, &bytes);
        for keep in [0, 1, 7, 8, 9, 100, MAX_SIZE] {
            let expected = cut(whole.clone(), keep);
            for at in 0..=bytes.len() {
                let (a, b) = bytes.split_at(at);
                let found = read_keeping(keep, magic, [a, b]);
                assert_eq!(found, expected, "{} keeps {keep}, cut at {at}", vector.name);
            }
            assert_eq!(read_keeping(keep, magic, bytes.chunks(1)), expected, "{}", vector.name);
        }
    }
}

/// The longest frame in pieces takes no more memory than its header and what is kept, and its checksum is that of
/// all of it: right, wrong in the header, and wrong by the last bit of the payload.
#[test]
fn memory_is_bounded() {
    let payload: Vec<u8> = (0..MAX_PAYLOAD).map(|n| (n % 251) as u8).collect();
    let command = Command::named("block").expect("a name");
    let right = framed(command, &payload);
    let claimed = checksum(&payload);
    let in_header = [&right[..20], &[!claimed[0]], &right[21..]].concat();
    let in_payload = [&right[..right.len() - 1], &[right[right.len() - 1] ^ 1]].concat();
    for (keep, size) in [(0, 64 * 1024), (1_000, 1_460), (1_000, 64 * 1024), (1_000, ALL)] {
        let read = |bytes: &[u8]| {
            let mut reader = FrameReader::new(MAINNET, keep);
            let mut given = Ok(None);
            for mut piece in bytes.chunks(size) {
                assert_eq!(given, Ok(None));
                given = reader.next_frame(&mut piece);
                assert!(reader.reserved() <= HEADER_SIZE + keep, "{} held", reader.reserved());
                assert!(piece.is_empty());
            }
            given
        };
        let kept = payload[..keep].to_vec();
        let frame = Frame { magic: MAINNET, command, length: MAX_PAYLOAD, payload: kept };
        assert_eq!(read(&right), Ok(Some(frame)));
        let wrong = [!claimed[0], claimed[1], claimed[2], claimed[3]];
        let e = FrameError::Checksum { command, claimed: wrong, computed: claimed };
        assert_eq!(read(&in_header), Err(e));
        let computed = checksum(&in_payload[HEADER_SIZE..]);
        assert_eq!(read(&in_payload), Err(FrameError::Checksum { command, claimed, computed }));
    }
}

/// What is kept of one frame does not hang on the frames before it.
#[test]
fn each_frame_has_its_own_part() {
    let command = Command::named("inv").expect("a name");
    let payloads = [vec![1; 300], vec![], vec![2; 9], vec![3; 10], vec![4; 11], vec![5; 1]];
    let bytes: Vec<u8> = payloads.iter().flat_map(|payload| framed(command, payload)).collect();
    let (given, _) = read_keeping(10, MAINNET, [&bytes[..]]);
    let expected = payloads.map(|payload| {
        let length = payload.len() as u32;
        let payload = payload.into_iter().take(10).collect();
        Ok(Frame { magic: MAINNET, command, length, payload })
    });
    assert_eq!(given, expected);
}

fn decode(magic: Magic, keep: usize, bytes: &[u8]) -> Result<Message, DecodeError> {
    let (given, _) = read_keeping(keep, magic, [bytes]);
    Message::decode(given[0].as_ref().expect("a frame"))
}

/// A version with the longest user agent, and 50,000 bytes behind it: enough is kept of it for every field, and all
/// the bytes behind are counted.
#[test]
fn the_longest_version_needs_max_size() {
    assert_eq!(MAX_SIZE, 344);
    let head = version_payload("synth-after-nonce");
    let known = [&head[..], b"\xfd\x00\x01", &[b'u'; 256], &[9, 0, 0, 0, 1]].concat();
    assert_eq!(known.len(), MAX_SIZE);
    for extra in [0, 1, 50_000] {
        let bytes = framed(Command::VERSION, &[&known[..], &vec![7; extra]].concat());
        let whole = decode(MAINNET, ALL, &bytes);
        let Ok(Message::Version(version)) = &whole else { panic!("{whole:?}") };
        assert_eq!((version.extra, version.relay), (extra, Some(true)));
        for keep in [MAX_SIZE, MAX_SIZE + 1, 1024] {
            assert_eq!(decode(MAINNET, keep, &bytes), whole, "keeps {keep}");
        }
        for keep in [0, 46, 80, MAX_SIZE - 1] {
            let fault = Fault::Truncated { missing: (MAX_SIZE - keep) as u64 };
            let e = DecodeError { field: "version", offset: keep, fault };
            assert_eq!(decode(MAINNET, keep, &bytes), Err(e), "a part is not taken for the whole");
        }
    }
}

/// Short versions need no more than they have, and part of one is not taken for one that ends early.
#[test]
fn shorter_versions_need_their_length() {
    let payload = version_payload("synth-full-relay0");
    let bytes = framed(Command::VERSION, &payload);
    let whole = decode(MAINNET, ALL, &bytes);
    assert_eq!(decode(MAINNET, payload.len(), &bytes), whole);
    for keep in 0..payload.len() {
        let e = decode(MAINNET, keep, &bytes).expect_err("a part");
        assert_eq!((e.field, e.offset), ("version", keep));
    }
}

#[test]
fn a_long_ping_is_a_ping() {
    for length in [8, 9, 100_000] {
        let bytes = framed(Command::PING, &vec![1; length]);
        let ping = Message::Ping(0x0101_0101_0101_0101);
        assert_eq!(decode(MAINNET, 8, &bytes), Ok(ping));
        let fault = Fault::Truncated { missing: 1 };
        let e = DecodeError { field: "ping.nonce", offset: 0, fault };
        assert_eq!(decode(MAINNET, 7, &bytes), Err(e));
    }
}
