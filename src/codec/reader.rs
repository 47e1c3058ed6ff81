//! The one place that slices bytes.

use std::fmt;

/// Why some bytes are not the value that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The input ends before the value does; `missing` bytes more were needed.
    Truncated {
        /// Bytes that the value needs beyond the end of the input.
        missing: u64,
    },
    /// The value ended and bytes were left over.
    Trailing {
        /// Bytes left over.
        extra: usize,
    },
    /// A length that the input claims is above what is allowed.
    OverLimit {
        /// The most that is allowed.
        limit: u64,
        /// What was claimed.
        claimed: u64,
    },
    /// The value is not in its shortest form (RLP: long form of a short length, leading zero).
    NotCanonical,
    /// An RLP string was needed where a list stands.
    NotAString,
    /// An RLP list was needed where a string stands.
    NotAList,
    /// A string of another length was needed.
    Length {
        /// Bytes needed.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// The packet's hash is not the hash of its content.
    Hash,
    /// The signature is not that of the named key, or is one that no key can have made: recovery id above
    /// 3, r or s zero or not below the group order, or r not the coordinate of a curve point.
    Signature,
    /// 64 or 33 bytes that are not a point on secp256k1.
    NotOnCurve,
    /// Keys that are not in ascending order, or one that stands twice (EIP-778).
    Unsorted,
    /// A key that a record must have is not there.
    Missing,
    /// An identity scheme other than "v4" (EIP-778).
    Scheme,
    /// Other bytes than those that begin every message of the network.
    Magic,
    /// A code that names no known message.
    UnknownType {
        /// The code.
        code: u8,
    },
}

/// A [`Fault`], the field in which it was found, and its offset from the start of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The field, in the specification's words.
    pub field: &'static str,
    /// Bytes from the start of the whole input.
    pub offset: usize,
    /// What is wrong there.
    pub fault: Fault,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Fault::Truncated { missing: 1 } => f.write_str("the input ends 1 byte too early"),
            Fault::Truncated { missing } => write!(f, "the input ends {missing} bytes too early"),
            Fault::Trailing { extra } => write!(f, "{extra} bytes too many"),
            Fault::OverLimit { limit, claimed } => {
                write!(f, "length {claimed}, at most {limit} allowed")
            }
            Fault::NotCanonical => f.write_str("not in its shortest form"),
            Fault::NotAString => f.write_str("a list where a string is needed"),
            Fault::NotAList => f.write_str("a string where a list is needed"),
            Fault::Length { expected, found } => {
                write!(f, "{found} bytes where {expected} are needed")
            }
            Fault::Hash => f.write_str("does not match the content"),
            Fault::Signature => f.write_str("not a valid signature"),
            Fault::NotOnCurve => f.write_str("not a point on secp256k1"),
            Fault::Unsorted => f.write_str("keys out of order, or one of them twice"),
            Fault::Missing => f.write_str("missing"),
            Fault::Scheme => f.write_str("identity scheme other than \"v4\""),
            Fault::Magic => f.write_str("not the magic of the network"),
            Fault::UnknownType { code } => write!(f, "unknown packet type {code}"),
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DecodeError { field, offset, fault } = self;
        write!(f, "{field} at byte {offset}: {fault}")
    }
}

impl std::error::Error for DecodeError {}

/// A cursor over bytes that gives them out by name and cannot panic.
///
/// A reader of a part of the input ([`Reader::sub`]) keeps counting offsets from the start of the whole.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    left: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { left: bytes, offset: 0 }
    }

    /// Offset of the next byte from the start of the whole input.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Number of bytes not yet taken.
    pub fn len(&self) -> usize {
        self.left.len()
    }

    /// True when every byte was taken.
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// The next byte, without taking it.
    pub fn peek(&self) -> Option<u8> {
        self.left.first().copied()
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// [`Fault::Truncated`]; nothing is taken then.
    pub fn take(&mut self, field: &'static str, len: usize) -> Result<&'a [u8], DecodeError> {
        let Some((taken, left)) = self.left.split_at_checked(len) else {
            let missing = (len - self.left.len()) as u64;
            return Err(self.error(field, Fault::Truncated { missing }));
        };
        self.left = left;
        self.offset += len;
        Ok(taken)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// [`Fault::Truncated`].
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(field, N)?);
        Ok(array)
    }

    /// The next byte.
    ///
    /// # Errors
    /// [`Fault::Truncated`].
    pub fn byte(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    /// A reader of the next `len` bytes alone, which are taken from this one.
    ///
    /// # Errors
    /// [`Fault::Truncated`].
    pub fn sub(&mut self, field: &'static str, len: usize) -> Result<Reader<'a>, DecodeError> {
        let offset = self.offset;
        self.take(field, len).map(|left| Reader { left, offset })
    }

    /// All that is left.
    pub fn all(&mut self) -> &'a [u8] {
        let all = self.left;
        self.offset += all.len();
        self.left = &[];
        all
    }

    /// Makes sure that nothing is left.
    ///
    /// # Errors
    /// [`Fault::Trailing`].
    pub fn end(&self, field: &'static str) -> Result<(), DecodeError> {
        match self.len() {
            0 => Ok(()),
            extra => Err(self.error(field, Fault::Trailing { extra })),
        }
    }

    /// An error at the present offset.
    pub fn error(&self, field: &'static str, fault: Fault) -> DecodeError {
        DecodeError { field, offset: self.offset, fault }
    }
}

#[cfg(test)]
mod tests {
    //! What the reader gives out, and each error with its field and offset.

    use super::*;

    fn error<T>(field: &'static str, offset: usize, fault: Fault) -> Result<T, DecodeError> {
        Err(DecodeError { field, offset, fault })
    }

    #[test]
    fn takes_in_order() {
        let mut r = Reader::new(b"abcdefgh");
        assert_eq!((r.offset(), r.len(), r.is_empty(), r.peek()), (0, 8, false, Some(b'a')));
        assert_eq!(r.byte("one"), Ok(b'a'));
        assert_eq!(r.take("none", 0), Ok(&b""[..]));
        assert_eq!(r.take("two", 2), Ok(&b"bc"[..]));
        assert_eq!(r.array("three"), Ok(*b"def"));
        assert_eq!((r.offset(), r.len(), r.peek()), (6, 2, Some(b'g')));
        assert_eq!(r.end("rest"), error("rest", 6, Fault::Trailing { extra: 2 }));
        assert_eq!(r.all(), b"gh");
        assert_eq!((r.offset(), r.len(), r.is_empty(), r.peek()), (8, 0, true, None));
        assert_eq!(r.end("rest"), Ok(()));
        assert_eq!(r.all(), b"");
    }

    #[test]
    fn takes_nothing_where_too_little_is_left() {
        let mut r = Reader::new(b"abc");
        assert_eq!(r.byte("a"), Ok(b'a'));
        let missing = |missing| Fault::Truncated { missing };
        assert_eq!(r.take("long", 5), error("long", 1, missing(3)));
        assert_eq!(r.take("huge", usize::MAX), error("huge", 1, missing(u64::MAX - 2)));
        assert_eq!(r.array::<3>("array"), error("array", 1, missing(1)));
        assert_eq!(r.sub("sub", 3).err(), error::<()>("sub", 1, missing(1)).err());
        assert_eq!((r.offset(), r.len()), (1, 2));
        assert_eq!(r.take("rest", 2), Ok(&b"bc"[..]));
        assert_eq!(r.byte("end"), error("end", 3, missing(1)));
    }

    #[test]
    fn parts_count_from_the_start_of_the_whole() {
        let mut r = Reader::new(b"abcdef");
        assert_eq!(r.byte("a"), Ok(b'a'));
        let mut part = r.sub("part", 3).expect("is there");
        assert_eq!((r.offset(), r.len()), (4, 2));
        assert_eq!((part.offset(), part.len()), (1, 3));
        assert_eq!(part.take("bc", 2), Ok(&b"bc"[..]));
        let missing = Fault::Truncated { missing: 1 };
        assert_eq!(part.take("de", 2), error("de", 3, missing), "stops at its own end");
        assert_eq!(part.error("d", Fault::Missing).offset, 3);
        assert_eq!(part.all(), b"d");
        assert_eq!(r.all(), b"ef");
    }

    #[test]
    fn every_fault_is_said_in_words() {
        for (fault, words) in [
            (Fault::Truncated { missing: 2 }, "the input ends 2 bytes too early"),
            (Fault::Trailing { extra: 2 }, "2 bytes too many"),
            (Fault::OverLimit { limit: 2, claimed: 3 }, "length 3, at most 2 allowed"),
            (Fault::NotCanonical, "not in its shortest form"),
            (Fault::NotAString, "a list where a string is needed"),
            (Fault::NotAList, "a string where a list is needed"),
            (Fault::Length { expected: 4, found: 3 }, "3 bytes where 4 are needed"),
            (Fault::Hash, "does not match the content"),
            (Fault::Signature, "not a valid signature"),
            (Fault::NotOnCurve, "not a point on secp256k1"),
            (Fault::Unsorted, "keys out of order, or one of them twice"),
            (Fault::Missing, "missing"),
            (Fault::Scheme, "identity scheme other than \"v4\""),
            (Fault::Magic, "not the magic of the network"),
            (Fault::UnknownType { code: 7 }, "unknown packet type 7"),
        ] {
            let e = DecodeError { field: "ping.to", offset: 9, fault };
            assert_eq!(e.to_string(), format!("ping.to at byte 9: {words}"));
        }
    }
}
