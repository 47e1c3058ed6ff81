//! Each function of the RLP reader with each fault that it gives, and where.

use super::*;

/// The value or the offset and the fault; nothing is left of the input, or `left` bytes.
fn run<'a, T>(
    bytes: &'a [u8],
    read: impl Fn(&mut Reader<'a>, &'static str) -> Result<T, DecodeError>,
) -> Result<(T, usize), (usize, Fault)> {
    let mut r = Reader::new(bytes);
    match read(&mut r, "name") {
        Ok(value) => Ok((value, r.len())),
        Err(e) => {
            assert_eq!(e.field, "name");
            Err((e.offset, e.fault))
        }
    }
}

fn truncated<T>(missing: u64) -> Result<T, (usize, Fault)> {
    Err((0, Fault::Truncated { missing }))
}

fn not_canonical<T>() -> Result<T, (usize, Fault)> {
    Err((0, Fault::NotCanonical))
}

#[test]
fn headers_of_every_form() {
    // The first byte and the length of length and payload that it stands for.
    for first in 0..=255u8 {
        let short = |base| usize::from(first - base);
        let (is_list, header, payload) = match first {
            0x00..=0x7f => (false, 0, 1),
            0x80..=0xb7 => (false, 1, short(0x80)),
            0xb8..=0xbf => (false, 1 + short(0xb7), 56),
            0xc0..=0xf7 => (true, 1, short(0xc0)),
            0xf8..=0xff => (true, 1 + short(0xf7), 56),
        };
        let mut bytes = vec![first];
        // Only a length of one byte may be 56; more of them say 2^8, 2^16 and so on.
        bytes.extend([1, 0, 0, 0, 0, 0, 0, 0].iter().take(header.max(1) - 1));
        if header == 2 {
            bytes[1] = 56;
        }
        bytes.resize(header + payload + 3, 0xee);
        if header == 0 {
            bytes[0] = first;
        }
        let found = run(&bytes, item);
        if header > 2 {
            let length = 1u128 << (8 * (header - 2));
            let left = (bytes.len() - header) as u128;
            assert_eq!(found.err(), truncated::<()>((length - left) as u64).err(), "{first:02x}");
            continue;
        }
        let (found, left) = found.unwrap_or_else(|e| panic!("{first:02x}: {e:?}"));
        let (list, found) = match found {
            Item::String(payload) => (false, payload),
            Item::List(payload) => (true, payload),
        };
        assert_eq!((list, found.offset(), found.len(), left), (is_list, header, payload, 3));
    }
}

#[test]
fn long_forms_are_read() {
    for len in [56, 255, 256, 1024, 65535, 65536] {
        let payload = vec![0xaa; len];
        let encoded = encode_bytes(&payload);
        let (string, left) = run(&encoded, string).expect("canonical");
        assert_eq!((string, left), (payload.as_slice(), 0));
        // A list of so many strings of one byte each, below 0x80.
        let mut out = RlpStream::new_list(len);
        for _ in 0..len {
            out.append(&5u8);
        }
        let encoded = out.out();
        let (found, left) = run(&encoded, list).expect("canonical");
        assert_eq!((found.len(), left), (len, 0));
    }
}

#[test]
fn items_cut() {
    assert_eq!(run(b"", item).err(), truncated::<()>(1).err());
    for (bytes, missing) in [
        (&b"\x81"[..], 1),
        (b"\x83ab", 1),
        (b"\xb7", 55),
        (b"\xb8", 1),
        (b"\xb9\x01", 1),
        (b"\xbf", 8),
        (b"\xb8\x38a", 55),
        (b"\xc1", 1),
        (b"\xf7", 55),
        (b"\xf8", 1),
        (b"\xff\x01", 7),
        (b"\xf8\x38abc", 53),
        (b"\xbf\xff\xff\xff\xff\xff\xff\xff\xff", u64::MAX),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", u64::MAX - 1),
    ] {
        assert_eq!(run(bytes, item).err(), truncated::<()>(missing).err(), "{bytes:02x?}");
        assert_eq!(run(bytes, raw).err(), truncated::<()>(missing).err(), "{bytes:02x?}");
    }
}

#[test]
fn an_item_may_not_reach_out_of_its_list() {
    // The input goes on, the list does not.
    let mut r = Reader::new(b"\xc2\x83abc");
    let mut inner = list(&mut r, "list").expect("a list of two bytes");
    let e = string(&mut inner, "inner").expect_err("three bytes in one");
    assert_eq!((e.field, e.offset, e.fault), ("inner", 1, Fault::Truncated { missing: 2 }));
}

#[test]
fn items_not_in_their_shortest_form() {
    for bytes in [&b"\x81\x00"[..], b"\x81\x7f", b"\xb8\x37", b"\xb9\x00\x38", b"\xf8\x37"] {
        let mut bytes = bytes.to_vec();
        bytes.resize(100, 0);
        assert_eq!(run(&bytes, item).err(), not_canonical::<()>().err(), "{bytes:02x?}");
    }
    // That the form is wrong is seen before the end of the input.
    assert_eq!(run(b"\xb8\x37", item).err(), not_canonical::<()>().err());
    assert_eq!(run(b"\x81\x80", string), Ok((&b"\x80"[..], 0)));
}

#[test]
fn one_kind_where_the_other_is_needed() {
    assert_eq!(run(b"\x05", list).err(), Some((0, Fault::NotAList)));
    assert_eq!(run(b"\xc0", string), Err((0, Fault::NotAString)));
    assert_eq!(run(b"\xc0", array::<0>), Err((0, Fault::NotAString)));
    assert_eq!(run(b"\xc0", u64), Err((0, Fault::NotAString)));
    assert_eq!(run(b"\xc1\x01", u16), Err((0, Fault::NotAString)));
    assert_eq!(run(b"\x80", list).err(), Some((0, Fault::NotAList)));
}

#[test]
fn arrays_have_their_length() {
    assert_eq!(run(b"\x83abc", array::<3>), Ok((*b"abc", 0)));
    assert_eq!(run(b"\x80\x01", array::<0>), Ok(([], 1)));
    assert_eq!(run(b"\x05", array::<1>), Ok(([5], 0)));
    let length = |expected, found| Some((0, Fault::Length { expected, found }));
    assert_eq!(run(b"\x83abc", array::<4>).err(), length(4, 3));
    assert_eq!(run(b"\x83abc", array::<2>).err(), length(2, 3));
    assert_eq!(run(b"\x83ab", array::<3>), truncated(1));
}

#[test]
fn integers() {
    assert_eq!(run(b"\x80", u64), Ok((0, 0)));
    assert_eq!(run(b"\x7f", u64), Ok((0x7f, 0)));
    assert_eq!(run(b"\x81\x80", u64), Ok((0x80, 0)));
    assert_eq!(run(b"\x88\xff\xff\xff\xff\xff\xff\xff\xff", u64), Ok((u64::MAX, 0)));
    assert_eq!(run(b"\x82\xff\xff", u16), Ok((u16::MAX, 0)));
    assert_eq!(run(b"\x00", u64), not_canonical());
    assert_eq!(run(b"\x82\x00\x01", u64), not_canonical());
    assert_eq!(run(b"\x82\x00\x01", u16), not_canonical());
    let over = |limit, claimed| Some((0, Fault::OverLimit { limit, claimed }));
    assert_eq!(run(b"\x89123456789", u64).err(), over(8, 9));
    assert_eq!(run(b"\x83\x01\x00\x00", u16).err(), over(2, 3));
    assert_eq!(run(b"\x82\x01", u64), truncated(1));
}

#[test]
fn raw_items_stand_as_they_are() {
    assert_eq!(run(b"\x83abc\x01", raw), Ok((&b"\x83abc"[..], 1)));
    assert_eq!(run(b"\xc3\x81\x00\x01", raw), Ok((&b"\xc3\x81\x00\x01"[..], 0)));
    assert_eq!(run(b"\x81\x01", raw), not_canonical());
}

#[test]
fn what_is_no_integer_is_skipped() {
    assert_eq!(run(b"", lenient_u64), Ok((None, 0)));
    assert_eq!(run(b"\x05\x06", lenient_u64), Ok((Some(5), 1)));
    assert_eq!(run(b"\xc2\x01\x02\x06", lenient_u64), Ok((None, 1)));
    assert_eq!(run(b"\x88\0\0\0\0\0\0\0\x03", lenient_u64), Ok((None, 0)));
    assert_eq!(run(b"\x89123456789", lenient_u64), Ok((None, 0)));
    assert_eq!(run(b"\x82\x01", lenient_u64), truncated(1));
    assert_eq!(run(b"\x81\x01", lenient_u64), not_canonical());
}

#[test]
fn bytes_are_encoded_in_their_shortest_form() {
    assert_eq!(encode_bytes(b""), b"\x80");
    assert_eq!(encode_bytes(b"\x00"), b"\x00");
    assert_eq!(encode_bytes(b"\x7f"), b"\x7f");
    assert_eq!(encode_bytes(b"\x80"), b"\x81\x80");
    assert_eq!(encode_bytes(&[1; 55])[..2], [0xb7, 1]);
    assert_eq!(encode_bytes(&[1; 56])[..3], [0xb8, 56, 1]);
    assert_eq!(encode_bytes(&[1; 256])[..4], [0xb9, 1, 0, 1]);
}
