//! One record as bytes: the frame.
//!
//! Every number is little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 0..4 | CRC-32C of all that follows |
//! | 4..8 | the marker of the segment, a random number that is not 0 |
//! | 8..12 | the length of the payload |
//! | 12..16 | how many offsets before this one were not known to be synced when it was written |
//! | 16..24 | the offset |
//! | 24.. | the payload: time in us (8), length of the key plus 1 or 0 without key (4), length of the headers (4), key, headers, value |
//!
//! What would surprise is the marker in the place of a constant. A frame of another segment, an old
//! frame in a reused block or bytes that a client chose to look like a frame are none here, so the
//! search for the next frame behind a damaged one can neither be misled nor slowed down.

use bytes::Bytes;
use crc_fast::CrcAlgorithm::Crc32Iscsi;
use message::Time;

use crate::{Headers, Record};

const HEADER_BYTES: usize = 24;
const PAYLOAD_HEADER_BYTES: usize = 16;

/// What a frame has beside the bytes of its record.
pub(super) const FRAME_OVERHEAD_BYTES: usize = HEADER_BYTES + PAYLOAD_HEADER_BYTES;

/// What a frame says beside its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: u64,
    /// The first offset that was not known to be synced when the frame was written. Whatever lies
    /// below it was on the disk by then, so if it is not there now, it was damaged.
    pub(super) durable: u64,
}

/// A frame that was found in order, within the bytes it was decoded from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) place: Place,
    pub(super) time: Time,
    /// The bytes of the whole frame.
    pub(super) length: usize,
    key_length: Option<usize>,
    headers_length: usize,
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoFrame {
    /// Because the frame needs this many bytes and there are fewer.
    Short { needed: usize },
    /// Because they are not what was written.
    Bad,
}

/// Appends the frame of a record to a buffer.
pub(super) fn encode(buffer: &mut Vec<u8>, marker: u32, place: Place, time: Time, record: &Record) {
    let start = buffer.len();
    let key = record.key.as_deref();
    let headers = record.headers.encoded();
    let payload = PAYLOAD_HEADER_BYTES + record.size_bytes() as usize;
    let unsynced = u32::try_from(place.offset - place.durable).unwrap_or(u32::MAX);
    let mut fixed = [0; FRAME_OVERHEAD_BYTES];
    fixed[4..8].copy_from_slice(&marker.to_le_bytes());
    fixed[8..12].copy_from_slice(&length_u32(payload).to_le_bytes());
    fixed[12..16].copy_from_slice(&unsynced.to_le_bytes());
    fixed[16..24].copy_from_slice(&place.offset.to_le_bytes());
    fixed[24..32].copy_from_slice(&time.as_us().to_le_bytes());
    let key_length = key.map_or(0, |key| length_u32(key.len()) + 1);
    fixed[32..36].copy_from_slice(&key_length.to_le_bytes());
    fixed[36..40].copy_from_slice(&length_u32(headers.len()).to_le_bytes());
    buffer.reserve(HEADER_BYTES + payload);
    buffer.extend_from_slice(&fixed);
    buffer.extend_from_slice(key.unwrap_or_default());
    buffer.extend_from_slice(headers);
    buffer.extend_from_slice(&record.value);
    let checksum = checksum(&buffer[start + 4..]);
    buffer[start..start + 4].copy_from_slice(&checksum.to_le_bytes());
}

/// Checks that bytes begin with a frame of a segment. Bytes behind it do not matter.
#[inline]
pub(super) fn decode(bytes: &[u8], marker: u32) -> Result<Frame, NoFrame> {
    let fixed: &[u8; FRAME_OVERHEAD_BYTES] = match bytes.first_chunk() {
        Some(fixed) => fixed,
        None if could_begin(bytes, marker) => {
            return Err(NoFrame::Short { needed: FRAME_OVERHEAD_BYTES });
        }
        None => return Err(NoFrame::Bad),
    };
    let length = HEADER_BYTES + u32_at(fixed, 8) as usize;
    if !could_begin(bytes, marker) || length < FRAME_OVERHEAD_BYTES {
        return Err(NoFrame::Bad);
    }
    let frame = bytes.get(..length).ok_or(NoFrame::Short { needed: length })?;
    if checksum(&frame[4..]) != u32_at(fixed, 0) {
        return Err(NoFrame::Bad);
    }
    let offset = u64_at(fixed, 16);
    let durable = offset.saturating_sub(u64::from(u32_at(fixed, 12)));
    let key_length = (u32_at(fixed, 32) as usize).checked_sub(1);
    let headers_length = u32_at(fixed, 36) as usize;
    if FRAME_OVERHEAD_BYTES + key_length.unwrap_or(0) + headers_length > length {
        return Err(NoFrame::Bad);
    }
    let (place, time) = (Place { offset, durable }, Time::from_us(u64_at(fixed, 24)));
    Ok(Frame { place, time, length, key_length, headers_length })
}

/// Finds the next place where a frame of this segment could begin.
pub(super) fn find_marker(bytes: &[u8], marker: u32) -> Option<usize> {
    let marker = marker.to_le_bytes();
    bytes.get(4..)?.windows(4).position(|window| window == marker)
}

fn could_begin(bytes: &[u8], marker: u32) -> bool {
    bytes.get(4..8).is_none_or(|found| found == marker.to_le_bytes())
}

impl Frame {
    /// The record, sharing the memory of `bytes`, where the frame begins at `start`.
    #[inline]
    pub(super) fn record(&self, bytes: &Bytes, start: usize) -> Record {
        let key_start = start + FRAME_OVERHEAD_BYTES;
        let headers_start = key_start + self.key_length.unwrap_or(0);
        let value_start = headers_start + self.headers_length;
        // `slice` makes an empty range independent of the shared memory.
        Record {
            time: self.time,
            key: self.key_length.map(|_| bytes.slice(key_start..headers_start)),
            headers: Headers::from_encoded(bytes.slice(headers_start..value_start)),
            value: bytes.slice(value_start..start + self.length),
        }
    }
}

#[inline]
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    // The algorithm is of 32 bits; the library returns every one as 64.
    crc_fast::checksum(Crc32Iscsi, bytes) as u32
}

fn length_u32(length: usize) -> u32 {
    u32::try_from(length).expect("invariant: a record is smaller than its limit of at most 1 GiB")
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("invariant: four bytes"))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("invariant: eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKER: u32 = 0xfeed_beef;

    fn encoded(record: &Record) -> Vec<u8> {
        let mut buffer = Vec::new();
        encode(&mut buffer, MARKER, Place { offset: 9, durable: 7 }, record.time, record);
        buffer
    }

    fn full() -> Record {
        Record {
            key: Some(Bytes::from_static(b"key")),
            headers: Headers::new().with("id", "1"),
            ..Record::new(Time::from_us(5), &b"value"[..])
        }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let bare = Record::new(Time::NEVER, Bytes::new());
        let empty_key = Record { key: Some(Bytes::new()), ..bare.clone() };
        for record in [full(), bare, empty_key] {
            let bytes = Bytes::from(encoded(&record));
            let frame = decode(&bytes, MARKER).unwrap();
            assert_eq!(frame.place, Place { offset: 9, durable: 7 });
            assert_eq!(frame.length, bytes.len());
            assert_eq!(frame.record(&bytes, 0), record);
        }
    }

    #[test]
    fn no_changed_bit_goes_unseen() {
        let good = encoded(&full());
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&bad, MARKER).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_cut_frame_says_what_it_needs() {
        let good = encoded(&full());
        for cut in 0..good.len() {
            let needed = if cut < FRAME_OVERHEAD_BYTES { FRAME_OVERHEAD_BYTES } else { good.len() };
            assert_eq!(decode(&good[..cut], MARKER), Err(NoFrame::Short { needed }));
        }
    }

    #[test]
    fn zeros_and_frames_of_other_segments_are_none() {
        assert_eq!(decode(&[0; 4096], MARKER), Err(NoFrame::Bad));
        assert_eq!(decode(&encoded(&full()), MARKER + 1), Err(NoFrame::Bad));
    }

    #[test]
    fn the_checksum_is_crc_32c() {
        assert_eq!(checksum(b"123456789"), 0xe306_9283);
    }
}
