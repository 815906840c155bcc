//! What the fuzzer calls: a segment whose frames are any bytes at all.

use std::io::{self, ErrorKind};

use bytes::Bytes;

use super::frame::{self, FRAME_OVERHEAD_BYTES};
use super::scan::{Found, Scan};
use super::storage::LogFile;
use crate::Headers;

const MARKER: u32 = 0x0102_0304;

/// Reads bytes as the frames of a segment, and checks that whatever they are, the offsets go up, a
/// record is what was written there, and there is an end.
///
/// An odd first byte has the checksums made right, so that the rest of a frame is tried as well.
pub fn check_segment(bytes: &[u8]) {
    let Some((&mode, frames)) = bytes.split_first() else { return };
    let mut frames = frames.to_vec();
    if mode % 2 == 1 {
        make_whole(&mut frames);
    }
    let file = Frames(Bytes::from(frames));
    let mut scan = Scan::new(&file, MARKER, file.0.len() as u64, (0, 0));
    let mut due = 0;
    loop {
        let position = scan.position() as usize;
        match scan.peek().expect("memory can be read") {
            Found::Frame(found) => {
                assert_eq!(found.place.offset, due);
                let record = scan.record(&found);
                let rewritten: Headers = record.headers.iter().collect();
                assert!(rewritten.encoded().len() <= record.headers.encoded().len());
                let mut written = Vec::new();
                frame::encode(&mut written, MARKER, found.place, found.time, &record);
                // The unsynced offsets may be more than there are, which is written as all of them.
                assert_eq!(written[24..], file.0[position + 24..position + found.length]);
                scan.pass(&found);
                due += 1;
            }
            Found::Damage(damage) => {
                assert_eq!((damage.position, damage.offset), (position as u64, due));
                assert!(damage.next.is_none_or(|next| next > due));
                due = scan.offset();
            }
            Found::End => return assert!(file.0[position..].iter().all(|&byte| byte == 0)),
        }
    }
}

/// Makes frames of bytes one after the other: their markers, offsets and checksums.
fn make_whole(bytes: &mut [u8]) {
    let mut rest = bytes;
    let mut offset = 0_u64;
    while rest.len() >= FRAME_OVERHEAD_BYTES {
        let length = 24 + frame::u32_at(rest, 8) as usize % 4096;
        let length = length.clamp(FRAME_OVERHEAD_BYTES, rest.len());
        let (frame, behind) = rest.split_at_mut(length);
        frame[4..8].copy_from_slice(&MARKER.to_le_bytes());
        frame[8..12].copy_from_slice(&(length as u32 - 24).to_le_bytes());
        frame[16..24].copy_from_slice(&offset.to_le_bytes());
        let checksum = frame::checksum(&frame[4..]);
        frame[..4].copy_from_slice(&checksum.to_le_bytes());
        offset += 1;
        rest = behind;
    }
}

/// A file that is only read.
#[derive(Debug)]
struct Frames(Bytes);

impl LogFile for Frames {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn read_at(&self, position: u64, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.0.get(position as usize..).unwrap_or_default();
        let length = bytes.len().min(into.len());
        into[..length].copy_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn write_at(&self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    fn sync(&self) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn no_bytes_confuse_the_reader_of_segments() {
        for seed in 0..3000 {
            let mut random = Random::new(seed);
            let length = random.below(600) as usize;
            let mut bytes = random.bytes(length);
            check_segment(&bytes);
            // Small lengths make whole frames with parts that fit.
            bytes.iter_mut().for_each(|byte| *byte %= 4);
            check_segment(&bytes);
        }
    }
}
