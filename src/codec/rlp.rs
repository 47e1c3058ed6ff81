//! Strict RLP reading on top of [`Reader`], and a writer.
//!
//! The `rlp` crate encodes; its decoder takes cut and non-canonical input without a word, so every item
//! is read here (Ethereum Yellow Paper, appendix B): shortest form only, inside its list, inside the
//! input. Nothing recurses and nothing is allocated by a claimed length.

pub use rlp::RlpStream;

use super::{DecodeError, Fault, Reader};

/// One RLP item: its kind and a reader of its payload.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// A byte string.
    String(Reader<'a>),
    /// A list; the reader holds its items back to back.
    List(Reader<'a>),
}

/// The longest length of a length. Four bytes already exceed every packet that can exist here; eight is
/// what the encoding allows.
const MAX_LENGTH_OF_LENGTH: u8 = 8;

/// Takes the next item.
///
/// # Errors
/// [`Fault::Truncated`] where the item reaches beyond its list or the input, [`Fault::NotCanonical`]
/// where it is not in its shortest form; both at the item's first byte.
pub fn item<'a>(r: &mut Reader<'a>, field: &'static str) -> Result<Item<'a>, DecodeError> {
    let start = *r;
    let Some(first) = r.peek() else {
        return Err(r.error(field, Fault::Truncated { missing: 1 }));
    };
    let at_start = |e: DecodeError| start.error(field, e.fault);
    match first {
        0x00..=0x7f => r.sub(field, 1).map(Item::String),
        0x80..=0xb7 => {
            r.byte(field)?;
            let payload = r.sub(field, usize::from(first - 0x80)).map_err(at_start)?;
            // A single byte below 0x80 is its own encoding.
            if payload.len() == 1 && payload.peek() < Some(0x80) {
                return Err(start.error(field, Fault::NotCanonical));
            }
            Ok(Item::String(payload))
        }
        0xb8..=0xbf => long_payload(r, start, field, first - 0xb7).map(Item::String),
        0xc0..=0xf7 => {
            r.byte(field)?;
            r.sub(field, usize::from(first - 0xc0)).map(Item::List).map_err(at_start)
        }
        0xf8..=0xff => long_payload(r, start, field, first - 0xf7).map(Item::List),
    }
}

fn long_payload<'a>(
    r: &mut Reader<'a>,
    start: Reader<'a>,
    field: &'static str,
    length_of_length: u8,
) -> Result<Reader<'a>, DecodeError> {
    debug_assert!((1..=MAX_LENGTH_OF_LENGTH).contains(&length_of_length));
    r.byte(field)?;
    let bytes =
        r.take(field, usize::from(length_of_length)).map_err(|e| start.error(field, e.fault))?;
    let length = bytes.iter().fold(0u64, |length, byte| length << 8 | u64::from(*byte));
    // Short lengths have the short form, and a length has no leading zero.
    if bytes.first() == Some(&0) || length <= 55 {
        return Err(start.error(field, Fault::NotCanonical));
    }
    if length > r.len() as u64 {
        let missing = length - r.len() as u64;
        return Err(start.error(field, Fault::Truncated { missing }));
    }
    // Not above r.len(), so it fits in a usize.
    r.sub(field, length as usize)
}

/// Takes the next item, which must be a list.
///
/// # Errors
/// [`Fault::NotAList`], and those of [`item`].
pub fn list<'a>(r: &mut Reader<'a>, field: &'static str) -> Result<Reader<'a>, DecodeError> {
    let start = *r;
    match item(r, field)? {
        Item::List(payload) => Ok(payload),
        Item::String(_) => Err(start.error(field, Fault::NotAList)),
    }
}

/// Takes the next item, which must be a byte string.
///
/// # Errors
/// [`Fault::NotAString`], and those of [`item`].
pub fn string<'a>(r: &mut Reader<'a>, field: &'static str) -> Result<&'a [u8], DecodeError> {
    let start = *r;
    match item(r, field)? {
        Item::String(mut payload) => Ok(payload.all()),
        Item::List(_) => Err(start.error(field, Fault::NotAString)),
    }
}

/// Takes the next item, which must be a byte string of exactly `N` bytes.
///
/// # Errors
/// [`Fault::Length`], and those of [`string`].
pub fn array<const N: usize>(
    r: &mut Reader<'_>,
    field: &'static str,
) -> Result<[u8; N], DecodeError> {
    let start = *r;
    let bytes = string(r, field)?;
    bytes
        .try_into()
        .map_err(|_| start.error(field, Fault::Length { expected: N, found: bytes.len() }))
}

/// Takes the next item as an unsigned integer of at most 64 bits: big-endian, no leading zero, 0 is the
/// empty string.
///
/// # Errors
/// [`Fault::NotCanonical`] for a leading zero, [`Fault::OverLimit`] above eight bytes, and those of
/// [`string`].
pub fn u64(r: &mut Reader<'_>, field: &'static str) -> Result<u64, DecodeError> {
    unsigned(r, field, size_of::<u64>())
}

/// Takes the next item as an unsigned integer of at most 16 bits, such as a port.
///
/// # Errors
/// As [`u64()`], with a limit of two bytes.
pub fn u16(r: &mut Reader<'_>, field: &'static str) -> Result<u16, DecodeError> {
    unsigned(r, field, size_of::<u16>()).map(|value| value as u16)
}

fn unsigned(r: &mut Reader<'_>, field: &'static str, size: usize) -> Result<u64, DecodeError> {
    let start = *r;
    let bytes = string(r, field)?;
    if bytes.first() == Some(&0) {
        return Err(start.error(field, Fault::NotCanonical));
    }
    if bytes.len() > size {
        let (limit, claimed) = (size as u64, bytes.len() as u64);
        return Err(start.error(field, Fault::OverLimit { limit, claimed }));
    }
    Ok(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

/// Takes the next item whole, header and payload as they stand.
///
/// # Errors
/// Those of [`item`]. What is inside a list is not looked at.
pub fn raw<'a>(r: &mut Reader<'a>, field: &'static str) -> Result<&'a [u8], DecodeError> {
    let mut start = *r;
    item(r, field)?;
    start.take(field, r.offset() - start.offset())
}

/// Takes the next item as an unsigned integer if it is one; if it is a list, padded, or too long, takes
/// it all the same and gives `None`. Gives `None` at the end of the list, too.
///
/// For the `enr-seq` of EIP-868: it took the place of what EIP-8 had called an extra element of any
/// kind, so a peer may send anything there.
///
/// # Errors
/// Those of [`item`]: an item that reaches out of its list is never tolerated.
pub fn lenient_u64(r: &mut Reader<'_>, field: &'static str) -> Result<Option<u64>, DecodeError> {
    if r.is_empty() {
        return Ok(None);
    }
    let mut probe = *r;
    item(r, field)?;
    Ok(u64(&mut probe, field).ok())
}

/// The RLP of one byte string.
pub fn encode_bytes(bytes: &[u8]) -> Vec<u8> {
    rlp::encode(&bytes).to_vec()
}

#[cfg(test)]
mod tests;
