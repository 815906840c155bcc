//! Records and their headers.
//!
//! Headers are kept as the bytes in which they are stored, and taken apart only when asked for:
//! most readers want one of them or none.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use message::Time;

/// One entry of a stream. `Clone` copies no bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// When it was made.
    pub time: Time,
    /// What it is about: what a split into partitions goes by.
    pub key: Option<Bytes>,
    /// What is said about it.
    pub headers: Headers,
    /// What it says.
    pub value: Bytes,
}

impl Record {
    /// A record without key and headers.
    pub fn new(time: Time, value: impl Into<Bytes>) -> Self {
        Self { time, key: None, headers: Headers::new(), value: value.into() }
    }

    /// The bytes of key, headers and value together.
    pub fn size_bytes(&self) -> u64 {
        let key = self.key.as_ref().map_or(0, Bytes::len);
        (key + self.headers.encoded().len() + self.value.len()) as u64
    }
}

/// A record with the place that the stream gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its number in the partition, from 0. Where the stream is shared there are gaps between numbers:
    /// where transactions end, and where records were given up.
    pub offset: u64,
    /// The record.
    pub record: Record,
}

/// Named values in order; a name may come twice. `Clone` copies no bytes.
///
/// Each is stored as the length of the name (`u32`, little-endian), the length of the value (the
/// same), the name and the value.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Headers(Bytes);

impl Headers {
    /// No headers.
    pub const fn new() -> Self {
        Self(Bytes::new())
    }

    /// These headers in this order, in one allocation.
    pub fn of<const N: usize>(headers: [(&str, &[u8]); N]) -> Self {
        let bytes = headers.iter().map(|(name, value)| encoded_bytes(name, value)).sum();
        let mut encoded = Vec::with_capacity(bytes);
        headers.into_iter().for_each(|(name, value)| put(&mut encoded, name, value));
        Self(Bytes::from(encoded))
    }

    /// These headers and one more. Copies nothing if nobody shares them.
    #[must_use]
    pub fn with(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        let mut encoded = BytesMut::from(self.0);
        encoded.reserve(encoded_bytes(name, value));
        put(&mut encoded, name, value);
        Self(encoded.freeze())
    }

    /// The value of the first header of this name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter().find_map(|(found, value)| (found == name).then_some(value))
    }

    /// The value of the first header of this name, if it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.get(name)?).ok()
    }

    /// Every header in order. Bytes that are no headers end the iteration.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let (name, value, left) = split(rest)?;
            rest = left;
            Some((name, value))
        })
    }

    /// Whether there is no header.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn encoded(&self) -> &Bytes {
        &self.0
    }

    pub(crate) fn from_encoded(encoded: Bytes) -> Self {
        Self(encoded)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        headers.into_iter().fold(Self::new(), |all, (name, value)| all.with(name.as_ref(), value))
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.iter().map(|(name, value)| (name, String::from_utf8_lossy(value)));
        f.debug_map().entries(shown).finish()
    }
}

fn encoded_bytes(name: &str, value: &[u8]) -> usize {
    8 + name.len() + value.len()
}

pub(crate) fn put(encoded: &mut impl BufMut, name: &str, value: &[u8]) {
    encoded.put_u32_le(length(name.as_bytes()));
    encoded.put_u32_le(length(value));
    encoded.put_slice(name.as_bytes());
    encoded.put_slice(value);
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("invariant: a header is smaller than 4 GiB")
}

fn split(bytes: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let (name_length, rest) = bytes.split_first_chunk()?;
    let (value_length, rest) = rest.split_first_chunk()?;
    let (name, rest) = rest.split_at_checked(u32::from_le_bytes(*name_length) as usize)?;
    let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*value_length) as usize)?;
    Some((std::str::from_utf8(name).ok()?, value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_back_in_order_and_may_repeat() {
        let headers = Headers::new().with("id", "7").with("", b"").with("id", [0xff, 0]);
        let found: Vec<_> = headers.iter().collect();
        assert_eq!(found, [("id", &b"7"[..]), ("", b""), ("id", &[0xff, 0])]);
        assert_eq!(headers.get("id"), Some(&b"7"[..]));
        assert_eq!(headers.get("no"), None);
        assert_eq!([headers.text("id"), headers.text("no")], [Some("7"), None]);
        assert_eq!(Headers::new().with("id", [0xff]).text("id"), None);
        assert_eq!(found.into_iter().collect::<Headers>(), headers);
        assert_eq!(Headers::of([("id", b"7"), ("", b""), ("id", &[0xff, 0])]), headers);
    }

    #[test]
    fn adding_to_shared_headers_leaves_the_others_alone() {
        let first = Headers::new().with("a", "1");
        let second = first.clone().with("b", "2");
        assert_eq!((first.iter().count(), second.iter().count()), (1, 2));
    }

    #[test]
    fn bytes_that_are_no_headers_end_the_iteration() {
        let good = Headers::new().with("a", "1");
        for cut in 0..good.encoded().len() {
            assert_eq!(Headers::from_encoded(good.encoded().slice(..cut)).iter().count(), 0);
        }
        let wild = Headers::from_encoded(Bytes::from_static(&[0xff; 40]));
        assert_eq!(wild.iter().count(), 0);
    }
}
