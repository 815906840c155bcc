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

const KEPT: usize = 32;

static FREE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A buffer of so many bytes or more, with anything in it.
pub(super) fn take(bytes: usize) -> Vec<u8> {
    if !(SMALL_BYTES..=BUFFER_BYTES).contains(&bytes) {
        return vec![0; bytes];
    }
    FREE.lock().pop().unwrap_or_else(|| vec![0; BUFFER_BYTES])
}

/// Shares the first bytes of a buffer; when the last share is dropped, it can be taken again.
pub(super) fn share(mut buffer: Vec<u8>, length: usize) -> Bytes {
    if buffer.len() == BUFFER_BYTES {
        return Bytes::from_owner(Lent { buffer, length });
    }
    buffer.truncate(length);
    Bytes::from(buffer)
}

/// A buffer that comes back.
struct Lent {
    buffer: Vec<u8>,
    length: usize,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut free = FREE.lock();
        if free.len() < KEPT {
            free.push(std::mem::take(&mut self.buffer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_lives_as_long_as_anything_in_it() {
        for bytes in [10, SMALL_BYTES, BUFFER_BYTES, 2 * BUFFER_BYTES] {
            let mut buffer = take(bytes);
            buffer.fill(7);
            let all = share(buffer, bytes - 1);
            assert_eq!(all.len(), bytes - 1);
            let part = all.slice(3..9);
            drop(all);
            // Whoever takes a buffer now gets another one.
            take(bytes).fill(9);
            assert_eq!(part, [7; 6][..]);
        }
    }
}
