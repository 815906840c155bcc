//! What an operator can choose about a topic, and a reader about a read.

use std::time::Duration;

use crate::OpenError;

/// How a topic keeps its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicOptions {
    /// When records are brought to the disk.
    pub fsync: Fsync,
    /// The size at which a segment is sealed and the next one begun.
    pub segment_bytes: u64,
    /// When records may be forgotten.
    pub retention: Retention,
    /// How much may be appended and not yet synced before appends are refused as
    /// [`Busy`](crate::AppendError::Busy). Has no meaning under [`Fsync::None`].
    pub unsynced_limit_bytes: u64,
    /// How large a record may be: key, headers and value together.
    pub record_limit_bytes: u64,
}

impl Default for TopicOptions {
    fn default() -> Self {
        Self {
            fsync: Fsync::Interval(Duration::from_millis(100)),
            segment_bytes: 64 << 20,
            retention: Retention::default(),
            unsynced_limit_bytes: 64 << 20,
            record_limit_bytes: 16 << 20,
        }
    }
}

impl TopicOptions {
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        if (1..=RECORD_LIMIT_MAX).contains(&self.record_limit_bytes) {
            return Ok(());
        }
        Err(OpenError::Option {
            option: "record_limit_bytes",
            found: self.record_limit_bytes,
            expected: "1 to 1073741824",
        })
    }
}

/// What fits into a frame of the embedded log with room to spare.
const RECORD_LIMIT_MAX: u64 = 1 << 30;

/// When records are brought to the disk.
///
/// Under every policy a returned append survives the death of the process, because the records are
/// with the operating system by then. The policies differ in what survives the death of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fsync {
    /// When the operating system likes. Only sealed segments are synced, in the background.
    None,
    /// When this long has passed since the first record that is not synced, or when half of
    /// [`TopicOptions::unsynced_limit_bytes`] is reached, whichever comes first.
    Interval(Duration),
    /// Before anybody sees them: readers and waiters get to know of a record after it is synced.
    Each,
}

/// When records may be forgotten. Whole segments go, oldest first, never the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// When they are older than this.
    pub age: Option<Duration>,
    /// When the topic is larger than this.
    pub bytes: Option<u64>,
    /// When the topic is larger than this, even if a registered reader has not read them yet.
    pub hard_bytes: Option<u64>,
}

/// How much one read returns at most. A read that finds anything returns at least one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimit {
    /// How many records.
    pub records: usize,
    /// How many bytes, as they are stored.
    pub bytes: usize,
}

impl Default for ReadLimit {
    fn default() -> Self {
        Self { records: 4096, bytes: 1 << 20 }
    }
}
