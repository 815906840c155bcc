//! The checkpoint of a topic: one small file with the commits of its readers.
//!
//! It is replaced as a whole each time. Losing it loses no record: readers read again what they
//! have read. Every number is little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `UNDERCKP` |
//! | 8..12 | the version of the format, 1 |
//! | 12..16 | how many readers |
//! | 16..24 | the first offset that was not known to be synced |
//! | 24.. | per reader its commit (8), the length of its name (4), its name |
//! | the last 4 | CRC-32C of all before |

use std::io;
use std::path::{Path, PathBuf};

use super::frame::{checksum, u32_at, u64_at};
use super::storage::{self, Storage};
use crate::readers::Readers;

const NAME: &str = "commits";
const MAGIC: &[u8; 8] = b"UNDERCKP";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 24;

/// What is known of a topic beside its records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Checkpoint {
    /// An offset below which everything was synced when the checkpoint was written.
    pub(super) durable: u64,
    pub(super) readers: Readers,
}

/// Where the checkpoint of a topic lies.
pub(super) fn path(directory: &Path) -> PathBuf {
    directory.join(NAME)
}

impl Checkpoint {
    /// Reads the checkpoint of a topic; an empty one if there is none that is whole.
    pub(super) fn load(storage: &dyn Storage, directory: &Path) -> io::Result<Self> {
        let path = path(directory);
        let bytes = match storage.read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            bytes => bytes?,
        };
        Ok(Self::decode(&bytes).unwrap_or_else(|| {
            tracing::warn!(file = %path.display(), "found a damaged file of commits, readers begin anew");
            Self::default()
        }))
    }

    pub(super) fn store(
        &self,
        storage: &dyn Storage,
        directory: &Path,
        durable: bool,
    ) -> io::Result<()> {
        storage::replace(storage, &path(directory), &self.encode(), durable).map(drop)
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&(self.readers.iter().count() as u32).to_le_bytes());
        bytes.extend_from_slice(&self.durable.to_le_bytes());
        for (reader, offset) in self.readers.iter() {
            bytes.extend_from_slice(&offset.to_le_bytes());
            bytes.extend_from_slice(&(reader.len() as u32).to_le_bytes());
            bytes.extend_from_slice(reader.as_bytes());
        }
        bytes.extend_from_slice(&checksum(&bytes).to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (content, found) = bytes.split_last_chunk()?;
        let whole =
            content.len() >= HEADER_BYTES && checksum(content) == u32::from_le_bytes(*found);
        if !whole || &content[..8] != MAGIC || u32_at(content, 8) != VERSION {
            return None;
        }
        let mut readers = Readers::default();
        let mut rest = &content[HEADER_BYTES..];
        for _ in 0..u32_at(content, 12) {
            let (offset, after) = rest.split_first_chunk()?;
            let (length, after) = after.split_first_chunk()?;
            let (name, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            readers.reset(std::str::from_utf8(name).ok()?, u64::from_le_bytes(*offset));
            rest = after;
        }
        Some(Self { durable: u64_at(content, 16), readers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Checkpoint {
        let mut readers = Readers::default();
        readers.commit("driver", 17);
        readers.commit("", u64::MAX);
        Checkpoint { durable: 20, readers }
    }

    #[test]
    fn a_checkpoint_is_read_as_it_was_written() {
        assert_eq!(Checkpoint::decode(&example().encode()), Some(example()));
        let empty = Checkpoint::default();
        assert_eq!(Checkpoint::decode(&empty.encode()), Some(empty));
    }

    #[test]
    fn a_damaged_checkpoint_is_none() {
        let good = example().encode();
        for cut in 0..good.len() {
            assert_eq!(Checkpoint::decode(&good[..cut]), None);
        }
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Checkpoint::decode(&bad), None, "bit {bit}");
        }
    }
}
