//! A segment: one file with a header and frames, and what is known about it.
//!
//! The header, every number little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `UNDERLOG` |
//! | 8..12 | the version of the format, 1 |
//! | 12..16 | the marker of its frames, random and not 0 |
//! | 16..24 | the offset of its first frame, which is also its name |
//! | 24..32 | the time of the last record before it, in us |
//! | 32..40 | the first offset that was not known to be synced when the segment was made |
//! | 40..44 | CRC-32C of all before |

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use message::Time;
use parking_lot::Mutex;

use super::frame::{checksum, u32_at, u64_at};
use super::storage::{self, Access, LogFile, Storage};
use crate::OpenError;

pub(super) const HEADER_BYTES: usize = 44;
const VERSION: u32 = 1;
const MAGIC: &[u8; 8] = b"UNDERLOG";
const SUFFIX: &str = ".log";

/// Frames this far apart are in the index. A search reads at most this much beyond what it needs.
pub(super) const INDEX_STEP_BYTES: u64 = 64 << 10;

/// What a segment says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) marker: u32,
    pub(super) base: u64,
    /// The time of the last record before the segment.
    pub(super) time_before: Time,
    /// The first offset that was not known to be synced when the segment was made.
    pub(super) durable: u64,
}

/// Why bytes are no header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoHeader {
    /// Because they are not what was written, or not all of it.
    Bad,
    /// Because they are of another version of the format.
    Version(u32),
}

impl Header {
    fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.marker.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.base.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.time_before.as_us().to_le_bytes());
        bytes[32..40].copy_from_slice(&self.durable.to_le_bytes());
        let checksum = checksum(&bytes[..40]);
        bytes[40..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8], base: u64) -> Result<Self, NoHeader> {
        let bytes: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(NoHeader::Bad)?;
        // Another version may have its checksum elsewhere.
        if &bytes[..8] == MAGIC && u32_at(bytes, 8) > VERSION {
            return Err(NoHeader::Version(u32_at(bytes, 8)));
        }
        let header = Self {
            marker: u32_at(bytes, 12),
            base: u64_at(bytes, 16),
            time_before: Time::from_us(u64_at(bytes, 24)),
            durable: u64_at(bytes, 32),
        };
        if header.encode() != *bytes || header.base != base || header.marker == 0 {
            return Err(NoHeader::Bad);
        }
        Ok(header)
    }
}

/// The file of the segment that begins at an offset.
pub(super) fn file_name(base: u64) -> String {
    format!("{base:020}{SUFFIX}")
}

/// The offset at which the segment of this name begins, if it is the name of one.
pub(super) fn parse_file_name(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    let all_digits = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().ok()).flatten()
}

/// A segment that is read, and if it is the last one, written.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) base: u64,
    /// `None` where the header is damaged, and with it every frame.
    pub(super) header: Option<Header>,
    /// The bytes that frames may lie in.
    length: AtomicU64,
    /// The file, as long as it may be written or synced. Segments at rest hold no descriptor.
    held: Mutex<Option<Arc<dyn LogFile>>>,
    /// Where frames lie; `None` until somebody searches a segment that was there at the start.
    index: Mutex<Option<Index>>,
    /// Whether damage in it was told of already.
    alarmed: AtomicBool,
}

impl Segment {
    /// Makes the file of a new segment. It gets its name when its header is written, so a segment
    /// that could not be made leaves no trace.
    pub(super) fn create(
        storage: &dyn Storage,
        directory: &Path,
        header: Header,
    ) -> io::Result<Self> {
        let path = directory.join(file_name(header.base));
        let file = storage::replace(storage, &path, &header.encode(), false)?;
        Ok(Self {
            path,
            base: header.base,
            header: Some(header),
            length: AtomicU64::new(HEADER_BYTES as u64),
            held: Mutex::new(Some(file)),
            index: Mutex::new(Some(Index::default())),
            alarmed: AtomicBool::new(false),
        })
    }

    /// Looks at a segment that is there.
    pub(super) fn open(
        storage: &dyn Storage,
        directory: &Path,
        base: u64,
    ) -> Result<Self, OpenError> {
        let path = directory.join(file_name(base));
        let io = |source| OpenError::io(&path, source);
        let file = storage.open(&path, Access::Read).map_err(io)?;
        let mut bytes = [0; HEADER_BYTES];
        let read = file.read_at(0, &mut bytes).map_err(io)?;
        let length = file.len().map_err(io)?;
        let header = match Header::decode(&bytes[..read], base) {
            Ok(header) => Some(header),
            Err(NoHeader::Bad) => None,
            Err(NoHeader::Version(found)) => {
                return Err(OpenError::Version { file: path, found, expected: VERSION });
            }
        };
        Ok(Self {
            path,
            base,
            header,
            length: AtomicU64::new(length),
            held: Mutex::new(None),
            index: Mutex::new(None),
            alarmed: AtomicBool::new(false),
        })
    }

    pub(super) fn length(&self) -> u64 {
        self.length.load(Ordering::Acquire)
    }

    pub(super) fn set_length(&self, length: u64) {
        self.length.store(length, Ordering::Release);
    }

    /// The file for reading: the one that is held, or one that is opened for the purpose.
    pub(super) fn file(&self, storage: &dyn Storage) -> io::Result<Arc<dyn LogFile>> {
        self.held().map_or_else(|| storage.open(&self.path, Access::Read), Ok)
    }

    /// The file, if it is held.
    pub(super) fn held(&self) -> Option<Arc<dyn LogFile>> {
        self.held.lock().clone()
    }

    /// Holds the file, to write it.
    pub(super) fn hold(&self, storage: &dyn Storage) -> io::Result<Arc<dyn LogFile>> {
        let mut held = self.held.lock();
        if let Some(file) = &*held {
            return Ok(Arc::clone(file));
        }
        Ok(Arc::clone(held.insert(storage.open(&self.path, Access::Write)?)))
    }

    /// Lets the file go: nothing will be written or synced any more.
    pub(super) fn release(&self) {
        self.held.lock().take();
    }

    /// Notes where frames lie that are new.
    pub(super) fn note(&self, entries: &[IndexEntry]) {
        if let Some(index) = &mut *self.index.lock() {
            entries.iter().for_each(|&entry| index.note(entry));
        }
    }

    pub(super) fn set_index(&self, index: Index) {
        *self.index.lock() = Some(index);
    }

    /// Searches the index; `None` if there is none yet.
    pub(super) fn search<T>(&self, search: impl FnOnce(&Index) -> T) -> Option<T> {
        self.index.lock().as_ref().map(search)
    }

    /// Whether this is the first time that somebody asks.
    pub(super) fn alarm_once(&self) -> bool {
        !self.alarmed.swap(true, Ordering::Relaxed)
    }

    pub(super) fn is_alarmed(&self) -> bool {
        self.alarmed.load(Ordering::Relaxed)
    }
}

/// Where some frames of a segment lie. It is only ever derived from the frames, and kept in memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    entries: Vec<IndexEntry>,
}

/// Where one frame lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IndexEntry {
    pub(super) offset: u64,
    pub(super) time: Time,
    pub(super) position: u64,
}

impl Index {
    pub(super) fn note(&mut self, entry: IndexEntry) {
        let last = self.entries.last().map_or(0, |last| last.position);
        if entry.position >= last + INDEX_STEP_BYTES {
            self.entries.push(entry);
        }
    }

    /// The last frame noted that is not behind an offset.
    pub(super) fn before_offset(&self, offset: u64) -> Option<IndexEntry> {
        self.last_where(|entry| entry.offset <= offset)
    }

    /// The last frame noted that is older than a time.
    pub(super) fn before_time(&self, time: Time) -> Option<IndexEntry> {
        self.last_where(|entry| entry.time < time)
    }

    fn last_where(&self, holds: impl Fn(&IndexEntry) -> bool) -> Option<IndexEntry> {
        let count = self.entries.partition_point(holds);
        count.checked_sub(1).map(|last| self.entries[last])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header = Header { marker: 7, base: 3, time_before: Time::from_us(9), durable: 2 };

    #[test]
    fn a_header_is_read_as_it_was_written_and_not_otherwise() {
        let good = HEADER.encode();
        assert_eq!(Header::decode(&good, 3), Ok(HEADER));
        assert_eq!(Header::decode(&good, 4), Err(NoHeader::Bad));
        for cut in 0..HEADER_BYTES {
            assert_eq!(Header::decode(&good[..cut], 3), Err(NoHeader::Bad));
        }
        for bit in 0..HEADER_BYTES * 8 {
            let mut bad = good;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::decode(&bad, 3).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_later_version_is_named() {
        let mut later = HEADER.encode();
        later[8] = 2;
        assert_eq!(Header::decode(&later, 3), Err(NoHeader::Version(2)));
    }

    #[test]
    fn only_names_of_segments_are_parsed() {
        assert_eq!(parse_file_name(&file_name(u64::MAX)), Some(u64::MAX));
        for name in ["1.log", "00000000000000000001.tmp", "+0000000000000000001.log", "commits"] {
            assert_eq!(parse_file_name(name), None);
        }
    }
}
