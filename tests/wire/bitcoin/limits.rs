//! Each limit, at it and one past it; and memory, which follows what came and never what was claimed.

use p2pprobe::bitcoin::frame::{HEADER_SIZE, MAX_PAYLOAD};
use p2pprobe::bitcoin::version::{MAX_USER_AGENT, MIN_SIZE};
use p2pprobe::bitcoin::{Command, FrameError, FrameReader, Version};
use p2pprobe::codec::{DecodeError, Fault, Reader};

use super::{ALL, MAINNET, framed, header, read_all, version_payload};

#[test]
fn payloads_of_4_000_000_bytes() {
    assert_eq!(MAX_PAYLOAD, 4_000_000);
    let payload = vec![0x5a; MAX_PAYLOAD as usize];
    let bytes = framed(Command::named("block").expect("a name"), &payload);
    let mut reader = FrameReader::new(MAINNET, ALL);
    let mut given = None;
    for mut piece in bytes.chunks(64 * 1024) {
        assert_eq!(given, None);
        given = reader.next_frame(&mut piece).expect("no error");
    }
    assert!(given.expect("the whole frame").payload == payload);
    assert_eq!(reader.reserved(), HEADER_SIZE, "nothing of it stays");
}

/// Mistake 4: no cap on the length.
#[test]
fn longer_ones_are_refused_by_their_header() {
    for length in [4_000_001, 1 << 31, u32::MAX] {
        let mut bytes = header(b"version\0\0\0\0\0", length, [0; 4]);
        bytes.extend([0; 1000]);
        let (given, left) = read_all(MAINNET, &bytes);
        assert_eq!((given, left), (vec![Err(FrameError::Oversized { length })], HEADER_SIZE));
    }
}

/// A thousand bytes of a frame that claims 4 MB take a few thousand bytes of memory.
#[test]
fn memory_follows_what_came() {
    let mut reader = FrameReader::new(MAINNET, ALL);
    let claim = header(b"version\0\0\0\0\0", MAX_PAYLOAD, [0; 4]);
    assert_eq!(reader.next_frame(&mut &claim[..]), Ok(None));
    assert_eq!(reader.reserved(), HEADER_SIZE);
    for came in (1000..100_000).step_by(1000) {
        assert_eq!(reader.next_frame(&mut &[0; 1000][..]), Ok(None));
        assert_eq!(reader.pending(), HEADER_SIZE + came);
        assert!(reader.reserved() <= HEADER_SIZE + 2 * came, "{} for {came}", reader.reserved());
    }
}

/// A reader that found an error that is final holds 24 bytes, whatever still comes.
#[test]
fn memory_after_the_end() {
    for first in [&[0xaa; 1][..], &header(b"version\0\0\0\0\0", MAX_PAYLOAD + 1, [0; 4])] {
        let mut reader = FrameReader::new(MAINNET, ALL);
        assert!(reader.next_frame(&mut &first[..]).is_err());
        for _ in 0..100 {
            let mut more = &[0xaa; 100_000][..];
            assert!(reader.next_frame(&mut more).is_err());
            assert!(more.is_empty());
            assert_eq!((reader.pending(), reader.reserved()), (HEADER_SIZE, HEADER_SIZE));
        }
    }
}

/// Many small frames leave no memory behind.
#[test]
fn memory_of_many_frames() {
    let many = framed(Command::PING, &[1; 8]).repeat(500);
    let mut reader = FrameReader::new(MAINNET, ALL);
    for _ in 0..20 {
        let mut given = Vec::new();
        super::drain(&mut reader, &many[..15_990], &mut given);
        assert_eq!(given.len(), 499);
        assert!(reader.reserved() <= HEADER_SIZE + 8, "{}", reader.reserved());
        assert!(reader.next_frame(&mut &many[15_990..]).expect("no error").is_some());
        assert_eq!(reader.reserved(), HEADER_SIZE);
    }
}

/// A version with a user agent of this length, and as much of it as is there.
fn with_user_agent(length: &[u8], there: usize) -> Vec<u8> {
    let head = version_payload("synth-after-nonce");
    [&head[..], length, &vec![b'u'; there], &[9, 0, 0, 0, 1]].concat()
}

#[test]
fn user_agents_of_256_bytes() {
    assert_eq!(MAX_USER_AGENT, 256);
    let decode = |bytes: &[u8]| Version::decode(&mut Reader::new(bytes));
    let version = decode(&with_user_agent(b"\xfd\x00\x01", 256)).expect("at the limit");
    assert_eq!(version.user_agent, Some(vec![b'u'; 256]));
    assert_eq!((version.start_height, version.relay), (Some(9), Some(true)));
    let huge = [0xff; 9];
    let claims: [(&[u8], u64); 3] =
        [(b"\xfd\x01\x01", 257), (b"\xfe\xff\xff\xff\xff", u32::MAX.into()), (&huge, u64::MAX)];
    for (length, claimed) in claims {
        // The limit, and not what is missing: it is looked at first.
        for there in [0, 257] {
            let fault = Fault::OverLimit { limit: 256, claimed };
            let e = DecodeError { field: "version.user_agent", offset: 80, fault };
            assert_eq!(decode(&with_user_agent(length, there)), Err(e));
        }
    }
}

#[test]
fn versions_of_46_bytes() {
    assert_eq!(MIN_SIZE, 46);
    let payload = version_payload("synth-after-addr-recv");
    assert_eq!(payload.len(), MIN_SIZE);
    let e = Version::decode(&mut Reader::new(&payload[..MIN_SIZE - 1])).expect_err("too short");
    let fault = Fault::Truncated { missing: 1 };
    assert_eq!(e, DecodeError { field: "version.addr_recv.port", offset: 44, fault });
}
