//! The wire format of protobuf: fields, and what they hold.

use super::super::error::{DecodeError, excerpt};
use super::super::reader::Result;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A whole number.
    Varint(u64),
    /// Eight bytes.
    Fixed64([u8; 8]),
    /// A text, bytes, a message, or elements without tags between them.
    Bytes(&'a [u8]),
    /// Four bytes.
    Fixed32([u8; 4]),
}

/// A message that is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wire<'a>(pub(super) &'a [u8]);

impl<'a> Wire<'a> {
    /// Reads the next field: its number and what it holds.
    pub(super) fn next(&mut self) -> Result<Option<(u32, Value<'a>)>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        // Tags have 32 bits; whoever cuts longer ones off reads another field than whoever does not.
        let number = u32::try_from(tag).map(|tag| tag >> 3).ok().filter(|&number| number > 0);
        let number = number.ok_or_else(|| broken(format!("the tag {tag}"), "that of a field"))?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(self.fixed()?),
            2 => {
                let length = self.varint()?;
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed32(self.fixed()?),
            other => return Err(broken(format!("wire type {other}"), "0, 1, 2 or 5")),
        };
        Ok(Some((number, value)))
    }

    /// Reads a whole number.
    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for (index, &byte) in self.0.iter().enumerate().take(10) {
            let bits = u64::from(byte & 0x7f);
            if index == 9 && bits > 1 {
                break;
            }
            value |= bits << (7 * index);
            if byte < 0x80 {
                self.0 = &self.0[index + 1..];
                return Ok(value);
            }
        }
        Err(broken("a number that does not end".to_owned(), "at most 64 bits"))
    }

    /// Takes so many bytes.
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let Some((taken, rest)) = self.0.split_at_checked(length) else {
            let found = format!("{} bytes", self.0.len());
            return Err(broken(found, &format!("{length} by the length of the field")));
        };
        self.0 = rest;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.take(N)?;
        Ok(bytes.try_into().expect("invariant: that many were taken"))
    }
}

impl<'a> Value<'a> {
    /// The bytes of a field that is bytes or a message.
    pub(super) fn bytes(self) -> Result<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            other => Err(other.unexpected("bytes")),
        }
    }

    /// The text of a field that is one.
    pub(super) fn text(self) -> Result<&'a str> {
        let bytes = self.bytes()?;
        str::from_utf8(bytes).map_err(|_| {
            let found = format!("`{}`", excerpt(&String::from_utf8_lossy(bytes)));
            broken(found, "UTF-8")
        })
    }

    /// The number of a field that is one.
    pub(super) fn varint(self) -> Result<u64> {
        match self {
            Self::Varint(value) => Ok(value),
            other => Err(other.unexpected("a whole number")),
        }
    }

    /// Something else than `expected`.
    #[cold]
    pub(super) fn unexpected(self, expected: &str) -> Box<DecodeError> {
        let found = match self {
            Self::Varint(_) => "a whole number",
            Self::Fixed64(_) => "eight bytes",
            Self::Bytes(_) => "bytes",
            Self::Fixed32(_) => "four bytes",
        };
        broken(found.to_owned(), expected)
    }
}

#[cold]
fn broken(found: String, expected: &str) -> Box<DecodeError> {
    DecodeError::here(found, expected)
}

/// Writes a whole number.
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Writes a field that is a whole number.
pub(super) fn put_number(out: &mut Vec<u8>, field: u32, value: u64) {
    put_varint(out, u64::from(field) << 3);
    put_varint(out, value);
}

/// Begins a field of so many bytes, which are to be written next.
pub(super) fn put_length(out: &mut Vec<u8>, field: u32, length: usize) {
    put_varint(out, u64::from(field) << 3 | 2);
    put_varint(out, length as u64);
}

/// Writes a field of bytes, also where there are none.
pub(super) fn put_bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    put_length(out, field, bytes.len());
    out.extend_from_slice(bytes);
}

/// Writes a text, unless it is empty, which says the same.
pub(super) fn put_text(out: &mut Vec<u8>, field: u32, text: &str) {
    if !text.is_empty() {
        put_bytes(out, field, text.as_bytes());
    }
}

/// Writes a field that is a message.
pub(super) fn put_message(out: &mut Vec<u8>, field: u32, write: impl FnOnce(&mut Vec<u8>)) {
    put_varint(out, u64::from(field) << 3 | 2);
    let start = out.len();
    write(out);
    let length = out.len() - start;
    // The length goes before what it is the length of, which is known only now.
    let mut encoded = Vec::with_capacity(10);
    put_varint(&mut encoded, length as u64);
    out.splice(start..start, encoded);
}
