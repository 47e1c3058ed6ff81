//! Integers of a fixed width, as Bitcoin writes them: little end first, but for ports.

use super::{DecodeError, Reader};

impl Reader<'_> {
    /// The next two bytes as a number, big end first.
    ///
    /// # Errors
    /// [`Fault::Truncated`](super::Fault::Truncated), as for all of these.
    pub fn be_u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.array(field).map(u16::from_be_bytes)
    }

    /// The next four bytes as a number, little end first.
    ///
    /// # Errors
    /// [`Fault::Truncated`](super::Fault::Truncated).
    pub fn le_u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_le_bytes)
    }

    /// The next four bytes as a number with a sign, little end first.
    ///
    /// # Errors
    /// [`Fault::Truncated`](super::Fault::Truncated).
    pub fn le_i32(&mut self, field: &'static str) -> Result<i32, DecodeError> {
        self.array(field).map(i32::from_le_bytes)
    }

    /// The next eight bytes as a number, little end first.
    ///
    /// # Errors
    /// [`Fault::Truncated`](super::Fault::Truncated).
    pub fn le_u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.array(field).map(u64::from_le_bytes)
    }

    /// The next eight bytes as a number with a sign, little end first.
    ///
    /// # Errors
    /// [`Fault::Truncated`](super::Fault::Truncated).
    pub fn le_i64(&mut self, field: &'static str) -> Result<i64, DecodeError> {
        self.array(field).map(i64::from_le_bytes)
    }
}
