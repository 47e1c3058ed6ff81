//! CompactSize: the known ones by value, and what is not in its shortest form, cut, or above a limit.

use p2pprobe::codec::hash::{Sha256d, sha256d};
use p2pprobe::codec::{DecodeError, Fault, Reader, compact_size};

use crate::vectors::{hex, load};

fn read(bytes: &[u8], limit: u64) -> Result<u64, DecodeError> {
    compact_size::read(&mut Reader::new(bytes), "n", limit)
}

fn written(value: u64) -> Vec<u8> {
    let mut out = b"kept".to_vec();
    compact_size::write(value, &mut out);
    assert_eq!(out[..4], *b"kept");
    out.split_off(4)
}

/// Mistake 13: a length that is not in its shortest form is taken.
#[test]
fn values() {
    for vector in load("bitcoin-compact-size.txt", 28) {
        let bytes = vector.hex("bytes");
        let found = match read(&bytes, u64::MAX) {
            Ok(value) => {
                assert_eq!(hex(&written(value)), hex(&bytes), "{}", vector.name);
                ("value", value.to_string())
            }
            Err(e) => ("error", format!("{}: {:?}", e.offset, e.fault)),
        };
        assert_eq!(vec![found], vector.expected(&["source", "note", "bytes"]), "{}", vector.name);
    }
}

/// At each border of a width: the value comes back, one byte less is too little, one byte more stays, and a limit of
/// one less refuses it before anything behind it is looked at.
#[test]
fn borders() {
    for (value, width) in [
        (0, 1),
        (0xfc, 1),
        (0xfd, 3),
        (0xffff, 3),
        (0x1_0000, 5),
        (0xffff_ffff, 5),
        (0x1_0000_0000, 9),
        (u64::MAX, 9),
    ] {
        let mut bytes = written(value);
        assert_eq!(bytes.len(), width, "{value:#x}");
        for len in 0..width {
            let missing = (if len == 0 { 1 } else { width - len }) as u64;
            let e = read(&bytes[..len], u64::MAX).expect_err("cut");
            assert_eq!((e.offset, e.fault), (0, Fault::Truncated { missing }), "{value:#x}");
        }
        bytes.push(7);
        let mut r = Reader::new(&bytes);
        assert_eq!(compact_size::read(&mut r, "n", value), Ok(value));
        assert_eq!((r.offset(), r.len()), (width, 1), "{value:#x}");
        if let Some(limit) = value.checked_sub(1) {
            let mut r = Reader::new(&bytes);
            let e = compact_size::read(&mut r, "n", limit).expect_err("above the limit");
            assert_eq!(e.fault, Fault::OverLimit { limit, claimed: value });
            assert_eq!((e.field, e.offset, r.offset()), ("n", 0, 0), "nothing is taken");
        }
    }
}

#[test]
fn every_longer_form_is_refused() {
    let forms = |value: u64| {
        [(0xfd_u8, 2_usize, 0xfd), (0xfe, 4, 1 << 16), (0xff, 8, 1 << 32)]
            .into_iter()
            .filter(move |(_, _, least)| value < *least)
            .map(move |(first, width, _)| [&[first], &value.to_le_bytes()[..width]].concat())
    };
    let mut seen = 0;
    for value in [0, 1, 0xfc, 0xfd, 0xffff, 0x1_0000, 0xffff_ffff] {
        for bytes in forms(value) {
            let e = read(&bytes, u64::MAX).expect_err("long form");
            assert_eq!((e.offset, e.fault), (0, Fault::NotCanonical), "{}", hex(&bytes));
            seen += 1;
        }
    }
    assert_eq!(seen, 3 * 3 + 2 * 2 + 2);
}

#[test]
fn strings_of_a_claimed_length() {
    let string = |bytes: &[u8], limit| {
        compact_size::bytes(&mut Reader::new(bytes), "s", limit).map(<[u8]>::to_vec)
    };
    assert_eq!(string(b"\x03abcd", 3), Ok(b"abc".to_vec()));
    assert_eq!(string(b"\0", 0), Ok(Vec::new()));
    let cut = DecodeError { field: "s", offset: 1, fault: Fault::Truncated { missing: 1 } };
    assert_eq!(string(b"\x03ab", 3), Err(cut));
    // A claim of 2^64 − 1 bytes costs nothing, even where nothing limits it.
    let missing = u64::MAX;
    let e = string(&[0xff; 9], u64::MAX).expect_err("not there");
    assert_eq!((e.offset, e.fault), (9, Fault::Truncated { missing }));
}

/// The integers of fixed width beside it.
#[test]
fn integers() {
    let bytes: Vec<u8> = (0xf1..=0xff).chain(0..=0x10).collect();
    let mut r = Reader::new(&bytes);
    assert_eq!(r.be_u16("port"), Ok(0xf1f2), "a port has its big end first");
    assert_eq!(r.le_u32("u32"), Ok(0xf6f5_f4f3));
    assert_eq!(r.le_i32("i32"), Ok(0xfaf9_f8f7_u32 as i32));
    assert_eq!(r.le_i64("i64"), Ok(0x0201_00ff_fefd_fcfb));
    assert_eq!(r.le_u64("u64"), Ok(0x0a09_0807_0605_0403));
    assert_eq!(r.offset(), 26);
    let missing = Fault::Truncated { missing: 2 };
    assert_eq!(r.le_u64("u64"), Err(DecodeError { field: "u64", offset: 26, fault: missing }));
}

/// Known hashes: of nothing (every empty payload's checksum is from it), and of "hello" (Bitcoin wiki,
/// "Protocol documentation").
#[test]
fn double_sha256() {
    assert_eq!(hex(&sha256d(&[])[..4]), "5df6e0e2");
    let hello = "9595c9df90075148eb06860365df33584b75bff782a510c6cd4883a419833d50";
    assert_eq!(hex(&sha256d(&[b"hello"])), hello);
    assert_eq!(hex(&sha256d(&[b"he", b"", b"llo"])), hello);
    assert_eq!(sha256d(&[]), Sha256d::default().finish());
    // Over several blocks of 64 bytes, in pieces of every size.
    let bytes: Vec<u8> = (0..200).collect();
    for size in 1..=200 {
        let mut hash = Sha256d::default();
        bytes.chunks(size).for_each(|piece| hash.update(piece));
        assert_eq!(hash.finish(), sha256d(&[&bytes]), "in pieces of {size}");
    }
}
