//! Bitcoin's variable-length integer (Core `serialize.h`, `ReadCompactSize`): one byte below 0xfd, else
//! 0xfd, 0xfe or 0xff and two, four or eight bytes, little end first.

use super::{DecodeError, Fault, Reader};

/// Takes the next CompactSize, which may be `limit` at the most: nobody reserves memory before knowing that.
///
/// # Errors
/// At its first byte, and nothing is taken then: [`Fault::Truncated`], [`Fault::NotCanonical`] where a
/// shorter form exists (Core: "non-canonical ReadCompactSize()"), [`Fault::OverLimit`].
pub fn read(r: &mut Reader<'_>, field: &'static str, limit: u64) -> Result<u64, DecodeError> {
    let start = *r;
    let mut ahead = *r;
    let at_start = |e: DecodeError| start.error(field, e.fault);
    let (value, least) = match ahead.byte(field)? {
        short @ 0..=0xfc => (u64::from(short), 0),
        0xfd => {
            (ahead.array(field).map(|b| u64::from(u16::from_le_bytes(b))).map_err(at_start)?, 0xfd)
        }
        0xfe => (ahead.le_u32(field).map(u64::from).map_err(at_start)?, 1 << 16),
        0xff => (ahead.le_u64(field).map_err(at_start)?, 1 << 32),
    };
    if value < least {
        return Err(start.error(field, Fault::NotCanonical));
    }
    if value > limit {
        return Err(start.error(field, Fault::OverLimit { limit, claimed: value }));
    }
    *r = ahead;
    Ok(value)
}

/// Takes a CompactSize and as many bytes (Core `LIMITED_STRING`).
///
/// # Errors
/// Those of [`read`], and [`Fault::Truncated`] at the first of the bytes.
pub fn bytes<'a>(
    r: &mut Reader<'a>,
    field: &'static str,
    limit: u64,
) -> Result<&'a [u8], DecodeError> {
    let length = read(r, field, limit)?;
    // What is not there is not there, however a usize is made.
    r.take(field, usize::try_from(length).unwrap_or(usize::MAX))
}

/// Appends the shortest form of `value`.
pub fn write(value: u64, out: &mut Vec<u8>) {
    match value {
        0..=0xfc => out.push(value as u8),
        0xfd..=0xffff => {
            out.push(0xfd);
            out.extend_from_slice(&(value as u16).to_le_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(0xfe);
            out.extend_from_slice(&(value as u32).to_le_bytes());
        }
        _ => {
            out.push(0xff);
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}
