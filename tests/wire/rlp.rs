//! Every RLP vector gives its value or its error, and what is canonical encodes back to the same bytes.

use p2pprobe::codec::rlp::{self, Item};
use p2pprobe::codec::{DecodeError, Reader};

use crate::checks;
use crate::vectors::{Vector, hex, load};

fn vectors() -> Vec<Vector> {
    load("rlp.txt", 73)
}

/// One item with all that is in it, as the vectors write it. Vectors are not deep, so this may recurse.
fn value(r: &mut Reader<'_>) -> Result<String, DecodeError> {
    match rlp::item(r, "item")? {
        Item::String(mut payload) if payload.is_empty() => {
            payload.all();
            Ok("''".to_owned())
        }
        Item::String(mut payload) => Ok(hex(payload.all())),
        Item::List(mut payload) => {
            let mut items = Vec::new();
            while !payload.is_empty() {
                items.push(value(&mut payload)?);
            }
            Ok(format!("[{}]", items.join(" ")))
        }
    }
}

/// Reads as the vector wants it, and nothing may be left.
fn read(bytes: &[u8], reading: Option<&str>) -> Result<String, DecodeError> {
    let mut r = Reader::new(bytes);
    let found = match reading {
        None => value(&mut r)?,
        Some("item") => format!("{:?}", rlp::item(&mut r, "item")?),
        Some("u64") => rlp::u64(&mut r, "u64")?.to_string(),
        Some("u16") => rlp::u16(&mut r, "u16")?.to_string(),
        Some("list") => {
            let mut list = rlp::list(&mut r, "list")?;
            while !list.is_empty() {
                rlp::item(&mut list, "element")?;
            }
            "[]".to_owned()
        }
        Some("pair") => {
            let mut list = rlp::list(&mut r, "pair")?;
            let pair = [rlp::u64(&mut list, "first")?, rlp::u64(&mut list, "second")?];
            list.end("pair")?;
            format!("{pair:?}")
        }
        Some(other) => panic!("no such reading: {other}"),
    };
    r.end("input")?;
    Ok(found)
}

#[test]
fn values() {
    for vector in vectors() {
        let found = match read(&vector.hex("rlp"), vector.get("as")) {
            Ok(found) => vec![("value", found)],
            Err(e) => vec![("error", format!("{}: {:?}", e.offset, e.fault))],
        };
        assert_eq!(found, vector.expected(&["source", "note", "rlp", "as"]), "{}", vector.name);
    }
}

/// The RLP of a value as the vectors write it.
fn encode(value: &str) -> Vec<u8> {
    let Some(inner) = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        let bytes = if value == "''" { Vec::new() } else { crate::vectors::unhex(value) };
        return rlp::encode_bytes(&bytes);
    };
    let (mut items, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in inner.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            ' ' if depth == 0 => {
                items.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if !inner.is_empty() {
        items.push(&inner[start..]);
    }
    let mut out = rlp::RlpStream::new_list(items.len());
    for item in items {
        out.append_raw(&encode(item), 1);
    }
    out.out().to_vec()
}

#[test]
fn canonical_values_encode_to_the_same_bytes() {
    let mut seen = 0;
    for vector in vectors().iter().filter(|v| v.get("value").is_some() && v.get("as").is_none()) {
        assert_eq!(hex(&encode(vector.text("value"))), vector.text("rlp"), "{}", vector.name);
        seen += 1;
    }
    assert_eq!(seen, 27);
}

#[test]
fn mutations() {
    for vector in vectors() {
        let bytes = vector.hex("rlp");
        for cut in 0..bytes.len() {
            checks::rlp(&bytes[..cut]);
            // A cut item is never a whole one.
            assert!(read(&bytes[..cut], None).is_err(), "{} cut at {cut}", vector.name);
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                checks::rlp(&flipped);
            }
        }
    }
}

/// As many lists in each other as a datagram holds: read without recursion.
#[test]
fn deep_nesting() {
    let mut bytes = Vec::new();
    for _ in 0..1180 {
        bytes = checks::list_of(&bytes);
    }
    let mut r = Reader::new(&bytes);
    let mut depth = 0;
    while !r.is_empty() {
        r = rlp::list(&mut r, "list").expect("a list");
        depth += 1;
    }
    assert_eq!(depth, 1180);
    checks::rlp(&bytes);
}
