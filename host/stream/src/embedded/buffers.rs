//! Memory for reading, used again and again.
//!
//! A fresh buffer costs more than what is read into it: the system has to find and clear its pages.
//! So a buffer that nobody looks into any more is kept for the next read, by all topics together.

use bytes::Bytes;
use parking_lot::Mutex;

/// The size of a buffer that is kept. More does not fit the caches of a core.
pub(super) const BUFFER_BYTES: usize = 128 << 10;

/// Reads smaller than this get a buffer of their own size, so that few records never hold much.
const SMALL_BYTES: usize = 32 << 10;

/// Where the system copies to should begin with a cache line: half of the time is lost otherwise.
const ALIGNMENT_BYTES: usize = 64;

const KEPT: usize = 32;

static FREE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// Memory that is read into.
pub(super) struct Buffer {
    memory: Vec<u8>,
    /// The bytes of it that are meant.
    start: usize,
    end: usize,
    /// Whether it is of the size that is kept.
    comes_back: bool,
}

impl Buffer {
    /// A buffer of so many bytes, with anything in them.
    pub(super) fn take(bytes: usize) -> Self {
        if !(SMALL_BYTES..=BUFFER_BYTES).contains(&bytes) {
            return Self { memory: vec![0; bytes], start: 0, end: bytes, comes_back: false };
        }
        let kept = FREE.lock().pop();
        let memory = kept.unwrap_or_else(|| vec![0; BUFFER_BYTES + ALIGNMENT_BYTES]);
        let start = memory.as_ptr().align_offset(ALIGNMENT_BYTES).min(ALIGNMENT_BYTES);
        Self { memory, start, end: start + bytes, comes_back: true }
    }

    /// The bytes, to be read into.
    pub(super) fn bytes(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.end]
    }

    /// Shares the first bytes; when the last share is dropped, the memory can be taken again.
    pub(super) fn share(mut self, length: usize) -> Bytes {
        self.end = self.start + length;
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.memory[self.start..self.end]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if !self.comes_back {
            return;
        }
        let mut free = FREE.lock();
        if free.len() < KEPT {
            free.push(std::mem::take(&mut self.memory));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_lives_as_long_as_anything_in_it() {
        for bytes in [10, SMALL_BYTES, BUFFER_BYTES, 2 * BUFFER_BYTES] {
            let mut buffer = Buffer::take(bytes);
            assert_eq!(buffer.bytes().len(), bytes);
            buffer.bytes().fill(7);
            let all = buffer.share(bytes - 1);
            assert_eq!(all.len(), bytes - 1);
            let part = all.slice(3..9);
            drop(all);
            // Whoever takes a buffer now gets another one.
            Buffer::take(bytes).bytes().fill(9);
            assert_eq!(part, [7; 6][..]);
        }
    }
}
