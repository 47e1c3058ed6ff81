//! What the Bitcoin targets check.

use p2pprobe::bitcoin::frame::{self, HEADER_SIZE, MAX_PAYLOAD};
use p2pprobe::bitcoin::opening::KEPT;
use p2pprobe::bitcoin::version::{MAX_USER_AGENT, MIN_SIZE};
use p2pprobe::bitcoin::{
    Frame, FrameError, FrameReader, LooksLike, Magic, Message, Opening, Version,
};
use p2pprobe::codec::Reader;

/// A reader with this keeps all of each payload.
const ALL: usize = MAX_PAYLOAD as usize;

const MAINNET: Magic = Magic([0xf9, 0xbe, 0xb4, 0xd9]);

/// Target `bitcoin_frame`: the bytes are a stream of mainnet's frames, and one of the network that they begin with;
/// it gives the same however it is cut, and the same with less of each payload where less is kept.
pub fn frames(bytes: &[u8]) {
    let own = bytes.first_chunk().map_or(MAINNET, |magic| Magic(*magic));
    for magic in [MAINNET, own] {
        let whole = read(ALL, magic, [bytes]);
        // A size for the pieces that hangs on the input, and a cut in it.
        let size = 1 + usize::from(bytes.last().copied().unwrap_or(0)) % 61;
        assert_eq!(read(ALL, magic, bytes.chunks(size)), whole);
        let (a, b) = bytes.split_at(bytes.len() * size / 62);
        assert_eq!(read(ALL, magic, [a, b]), whole);
        let mut parts = whole.clone();
        parts.iter_mut().flatten().for_each(|frame| frame.payload.truncate(size));
        assert_eq!(read(size, magic, [a, b]), parts);
        for frame in whole.iter().flatten() {
            message(frame);
        }
    }
    match Opening::of(bytes, &[MAINNET]) {
        Opening::Bitcoin(magic) => assert_eq!(magic, own),
        Opening::Other(LooksLike::Unknown) => {}
        Opening::Other(_) => assert!(bytes.len() >= 3),
    }
}

/// All that a reader gives. Each frame, and each error that is not final, is as long as it says; memory follows what
/// came, up to what is kept.
fn read<'a>(
    keep: usize,
    magic: Magic,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Result<Frame, FrameError>> {
    let mut reader = FrameReader::new(magic, keep);
    let mut given: Vec<Result<Frame, FrameError>> = Vec::new();
    let mut received = 0;
    for mut piece in pieces {
        received += piece.len();
        loop {
            // What is there of the next frame, and of those behind it.
            let before = reader.pending() + piece.len();
            let result = reader.next_frame(&mut piece);
            let after = reader.pending() + piece.len();
            assert!(reader.reserved() <= HEADER_SIZE + keep.min(2 * received));
            match result {
                Ok(None) => {
                    assert!(piece.is_empty() && after == before);
                    break;
                }
                Ok(Some(frame)) => {
                    assert_eq!(before - after, HEADER_SIZE + frame.length as usize);
                    assert_eq!(frame.payload.len(), keep.min(frame.length as usize));
                    assert_eq!(reader.pending(), 0);
                    given.push(Ok(frame));
                }
                Err(e) if e.is_final() => {
                    // Its first bytes may have become more.
                    given.pop_if(|last| last.as_ref().is_err_and(FrameError::is_final));
                    if let FrameError::Magic { found } = &e {
                        assert!((1..=KEPT).contains(&found.len()));
                    }
                    assert!(piece.is_empty());
                    given.push(Err(e));
                    break;
                }
                Err(e) => {
                    assert!(before - after >= HEADER_SIZE && reader.pending() == 0);
                    given.push(Err(e));
                }
            }
        }
    }
    assert_eq!(reader.received(), received as u64);
    given
}

/// A frame is the same when it is sent on, and so is what it says.
fn message(taken: &Frame) {
    assert!(taken.payload.len() <= MAX_PAYLOAD as usize);
    let mut out = Vec::new();
    frame::encode(taken.magic, taken.command, &taken.payload, &mut out);
    assert_eq!(read(ALL, taken.magic, [&out[..]]), [Ok(taken.clone())]);
    let Ok(decoded) = Message::decode(taken) else { return };
    assert_eq!(decoded.command(), taken.command);
    let payload = decoded.encode_payload();
    let again = Frame { length: payload.len() as u32, payload, ..*taken };
    let mut decoded = decoded;
    if let Message::Version(version) = &mut decoded {
        version.extra = 0;
    }
    assert_eq!(Message::decode(&again), Ok(decoded));
}

/// Target `bitcoin_version`: the bytes are a version's payload.
pub fn version(bytes: &[u8]) {
    let mut r = Reader::new(bytes);
    let decoded = match Version::decode(&mut r) {
        Ok(decoded) => decoded,
        Err(e) => return assert!(e.offset <= bytes.len()),
    };
    assert!(r.is_empty() && bytes.len() >= MIN_SIZE);
    let user_agent = decoded.user_agent.as_deref().unwrap_or_default();
    assert!(user_agent.len() as u64 <= MAX_USER_AGENT);
    let mut out = Vec::new();
    decoded.encode(&mut out);
    let known = bytes.len() - decoded.extra;
    assert_eq!(out.len(), known);
    // Any byte but 0 means relay; 1 is written.
    let canonical = known - usize::from(decoded.relay == Some(true));
    assert_eq!(out[..canonical], bytes[..canonical]);
    let again = Version::decode(&mut Reader::new(&out));
    assert_eq!(again, Ok(Version { extra: 0, ..decoded.clone() }));
    // Whatever the clocks say.
    let offset = decoded.clock_offset_s(u64::MAX).max(decoded.clock_offset_s(0));
    assert_eq!(offset, decoded.timestamp);
}
