//! Room for frames that are not written yet: zeros behind the last frame.
//!
//! The file system takes large aligned pieces for much less than the small odd ones that batches are,
//! and a sync need not write a new length each time. Zeros are no frames, so the end of the frames is
//! where nothing but zeros follows.

use std::io;

use super::Writer;
use crate::embedded::storage::LogFile;

const LEAST_BYTES: u64 = 4 << 10;
const MOST_BYTES: u64 = 256 << 10;

static ZEROS: [u8; MOST_BYTES as usize] = [0; MOST_BYTES as usize];

impl Writer {
    /// Makes room for `bytes` more behind the last frame, if there is none.
    pub(super) fn make_room(&mut self, file: &dyn LogFile, bytes: u64) {
        let end = self.position + bytes;
        // A large write is a large piece itself. On a full disk the frames may just fit.
        if end <= self.room_end || bytes >= MOST_BYTES || self.full {
            return;
        }
        let target = room_end(end);
        let length = (target - self.room_end.max(self.position)) as usize;
        let from = self.room_end.max(self.position);
        // Where there is no room the write itself will tell.
        if write_zeros(file, from, length).is_ok() {
            self.room_end = target;
        }
    }
}

fn write_zeros(file: &dyn LogFile, from: u64, length: usize) -> io::Result<()> {
    let pieces = (0..length).step_by(ZEROS.len());
    pieces.into_iter().try_for_each(|done| {
        let piece = &ZEROS[..ZEROS.len().min(length - done)];
        file.write_at(from + done as u64, piece)
    })
}

/// Where room for frames up to `end` ends: small files have little room, large ones more.
fn room_end(end: u64) -> u64 {
    end.next_multiple_of(end.next_power_of_two().clamp(LEAST_BYTES, MOST_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_grows_with_the_file_up_to_a_limit() {
        let kib = |kib: u64| kib << 10;
        let expected =
            [(1, 4), (4, 4), (5, 8), (9, 16), (100, 128), (256, 256), (257, 512), (900, 1024)];
        for (end, room) in expected {
            assert_eq!(room_end(kib(end)), kib(room), "{end} KiB");
        }
    }
}
