//! Every frame and stream gives the messages and errors that its vector says, and encodes back to the same bytes.

use p2pprobe::bitcoin::frame::{self, checksum};
use p2pprobe::bitcoin::{Command, Frame, FrameError, Magic, Message, NotAMagic};

use super::{MAINNET, framed, read_all, streams};
use crate::vectors::{hex, load};

/// What came, as the vectors write it.
fn text(given: &Result<Frame, FrameError>) -> String {
    match given {
        Ok(frame) => message_text(frame),
        Err(FrameError::Magic { found }) => format!("Magic {}", hex(found)),
        Err(FrameError::Oversized { length }) => format!("Oversized {length}"),
        Err(FrameError::Command { found }) => format!("Command {}", hex(found)),
        Err(FrameError::Checksum { command, claimed, computed }) => {
            format!("Checksum {command} claimed {} computed {}", hex(claimed), hex(computed))
        }
    }
}

fn message_text(frame: &Frame) -> String {
    match Message::decode(frame) {
        Ok(message) => {
            let name = message.command();
            assert_eq!(name, frame.command);
            match message {
                Message::Ping(nonce) | Message::Pong(nonce) => {
                    format!("{name} {}", hex(&nonce.to_le_bytes()))
                }
                Message::Other { payload, .. } => format!("{name} {} bytes", payload.len()),
                _ => name.to_string(),
            }
        }
        Err(e) => format!("error {} @ {}: {:?}", e.field, e.offset, e.fault),
    }
}

#[test]
fn values() {
    let mut frames = 0;
    for (vector, magic, bytes) in streams() {
        let (given, left) = read_all(magic, &bytes);
        frames += given.iter().filter(|given| given.is_ok()).count();
        let mut found: Vec<_> = given.iter().map(|given| ("got", text(given))).collect();
        let ended = given.last().is_some_and(|last| last.as_ref().is_err_and(FrameError::is_final));
        if left > 0 && !ended {
            found.push(("left", left.to_string()));
        }
        let inputs = &["source", "note", "bytes", "command", "payload", "expects"];
        assert_eq!(found, vector.expected(inputs), "{}", vector.name);
    }
    assert_eq!(frames, FRAMES);
}

/// Frames in all the vectors.
const FRAMES: usize = 127;

/// Frames and messages: what a reader took comes out again, byte for byte.
#[test]
fn encoded_to_the_same_bytes() {
    let (mut streams_seen, mut shorter) = (0, Vec::new());
    for (vector, magic, bytes) in streams() {
        let (given, left) = read_all(magic, &bytes);
        let Ok(frames) = given.into_iter().collect::<Result<Vec<_>, _>>() else { continue };
        let mut out = Vec::new();
        for frame in &frames {
            assert_eq!((frame.magic, frame.length as usize), (magic, frame.payload.len()));
            frame::encode(frame.magic, frame.command, &frame.payload, &mut out);
            let Ok(message) = Message::decode(frame) else { continue };
            let (mut again, mut same) = (b"kept".to_vec(), b"kept".to_vec());
            message.encode(magic, &mut again);
            frame::encode(magic, frame.command, &frame.payload, &mut same);
            if again != same {
                shorter.push((vector.name.clone(), frame.payload.len() + 28 - again.len()));
            }
        }
        assert_eq!(hex(&out), hex(&bytes[..bytes.len() - left]), "{}", vector.name);
        streams_seen += 1;
    }
    assert_eq!(streams_seen, 65);
    // The byte that Bitcoin SV adds to its version.
    assert_eq!(shorter, [("live-v1-bsv1013-mainnet-rx".to_owned(), 1)]);
}

/// Extra bytes after a nonce are skipped, and messages without a payload may have one.
#[test]
fn bytes_too_many_are_skipped() {
    let decode = |command, payload: &[u8]| {
        let (length, payload) = (payload.len() as u32, payload.to_vec());
        let frame = Frame { magic: MAINNET, command, length, payload };
        Message::decode(&frame).expect("a message")
    };
    assert_eq!(decode(Command::PING, b"\x01\0\0\0\0\0\0\x02\xff"), Message::Ping(0x02 << 56 | 1));
    assert_eq!(decode(Command::PONG, b"\x01\0\0\0\0\0\0\x02\xff"), Message::Pong(0x02 << 56 | 1));
    for message in [Message::Verack, Message::WtxidRelay, Message::SendAddrV2] {
        assert_eq!(decode(message.command(), b"more"), message);
    }
}

#[test]
fn commands() {
    let of = |bytes: &[u8; 12]| Command::from_bytes(*bytes).map(|command| command.to_string());
    for good in ["version", "x", "a b", "abcdefghijkl", "~", " "] {
        let mut bytes = [0; 12];
        bytes[..good.len()].copy_from_slice(good.as_bytes());
        assert_eq!(of(&bytes).as_deref(), Ok(good));
        let command = Command::named(good).expect("good");
        assert_eq!((command.to_bytes(), command.as_str()), (bytes, good));
    }
    for bad in [
        b"\0\0\0\0\0\0\0\0\0\0\0\0",
        b"\0ping\0\0\0\0\0\0\0",
        b"pi\0ng\0\0\0\0\0\0\0",
        b"ping\0\0\0\0\0\0\0\x01",
        b"\x1bping\0\0\0\0\0\0\0",
        b"ping\x7f\0\0\0\0\0\0\0",
        b"ping\x80\0\0\0\0\0\0\0",
    ] {
        assert!(of(bad).is_err(), "{bad:?}");
    }
    for bad in ["", "abcdefghijklm", "pi\0ng", "ping\0", "\0", "é", "a\n"] {
        assert!(Command::named(bad).is_err(), "{bad:?}");
    }
    assert_eq!(format!("{:>8}|{:?}", Command::PING, Command::PING), "    ping|Command(\"ping\")");
}

#[test]
fn magics_are_written_as_on_the_wire() {
    assert_eq!(MAINNET.to_string(), "f9beb4d9");
    assert_eq!(Magic([0, 1, 2, 3]).to_string(), "00010203");
    assert_eq!("F9beB4d9".parse(), Ok(MAINNET));
    for (bad, why) in [
        ("", NotAMagic::Length(0)),
        ("f9beb4d", NotAMagic::Length(7)),
        ("f9beb4d900", NotAMagic::Length(10)),
        ("0xf9beb4", NotAMagic::Prefix),
        ("0Xf9beb4d9", NotAMagic::Prefix),
        ("f9beb4dg", NotAMagic::Digit('g')),
        ("f9 be b4", NotAMagic::Digit(' ')),
        ("f9beb4dé", NotAMagic::Digit('é')),
    ] {
        assert_eq!(bad.parse::<Magic>(), Err(why), "{bad}");
    }
}

#[test]
fn signets_have_the_magic_of_their_challenge() {
    for vector in load("bitcoin-signet.txt", 2) {
        let magic = Magic::of_signet(&vector.hex("challenge"));
        assert_eq!(magic.to_string(), vector.text("magic"), "{}", vector.name);
    }
}

/// The checksum covers the payload alone, whatever the network and the command.
#[test]
fn the_checksum_covers_the_payload_alone() {
    assert_eq!(hex(&checksum(b"")), "5df6e0e2");
    let frame = framed(Command::VERACK, b"");
    assert_eq!(hex(&frame), "f9beb4d976657261636b000000000000000000005df6e0e2");
}
