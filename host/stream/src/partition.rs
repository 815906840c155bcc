//! The two traits that every backend implements.

use std::sync::Arc;
use std::time::Duration;

use message::Time;

use crate::{
    AppendError, OpenError, ReadError, ReadLimit, Record, StoredRecord, Subscription, TopicOptions,
};

/// A set of topics.
pub trait Stream: Send + Sync {
    /// Opens a topic of one partition, and makes it where there is none.
    ///
    /// A topic that is open already is handed out again, with the options it was first opened with.
    fn open(&self, topic: &str, options: &TopicOptions) -> Result<Arc<dyn Partition>, OpenError>;

    /// Names every topic there is, in alphabetical order.
    fn topics(&self) -> Result<Vec<String>, OpenError>;

    /// Brings everything that is appended to the disk, whatever the policies say.
    fn sync(&self) -> Result<(), AppendError>;
}

/// An ordered sequence of records, each with an offset one larger than the one before it.
///
/// Every method may be called from any thread at any time.
pub trait Partition: Send + Sync {
    /// The name of the topic.
    fn topic(&self) -> &str;

    /// Appends all of a batch or nothing, and returns the offset of its first record.
    ///
    /// On return the records are with the operating system, never only in this process. Whoever
    /// needs more waits until [`readable_end`](Self::readable_end) is past them. A record whose time
    /// lies before that of the record before it gets the time of that one.
    fn append(&self, batch: &[Record]) -> Result<u64, AppendError>;

    /// Tells where the partition begins, how far it is synced, and where it ends.
    fn watermarks(&self) -> Watermarks;

    /// The offset up to which readers may read: what is synced under
    /// [`Fsync::Each`](crate::Fsync::Each), everything otherwise.
    fn readable_end(&self) -> u64;

    /// Reads records from an offset on, never past [`readable_end`](Self::readable_end); none where
    /// there is nothing yet.
    ///
    /// Records that were read together share one allocation, which lives as long as any of them:
    /// keep a copy of what is to be kept for long.
    fn read(&self, from: u64, limit: ReadLimit) -> Result<Vec<StoredRecord>, ReadError>;

    /// Blocks until [`readable_end`](Self::readable_end) is larger than `beyond`, the timeout has
    /// passed or the writer has failed, and returns it.
    fn wait(&self, beyond: u64, timeout: Duration) -> u64;

    /// Has `waker` called with the new [`readable_end`](Self::readable_end) each time after it has
    /// advanced, and once with the old one when the writer has failed.
    ///
    /// It is called by whichever thread made the advance, so it must be quick and must not panic;
    /// calls of several threads may overtake each other. Subscribe first, then look.
    fn subscribe(&self, waker: Arc<dyn Fn(u64) + Send + Sync>) -> Subscription;

    /// Finds the first offset whose record's time is `time` or later; the readable end if there is none.
    fn offset_at(&self, time: Time) -> Result<u64, ReadError>;

    /// Notes that a reader has done everything below `offset`, and registers the reader: retention
    /// waits for it from now on. A commit that is lower than the one before it changes nothing.
    ///
    /// It is written at once, so the rate of commits is the caller's business. A commit beyond
    /// [`readable_end`](Self::readable_end) is lowered to it.
    fn commit(&self, reader: &str, offset: u64) -> Result<(), AppendError>;

    /// The last commit of a reader.
    fn committed(&self, reader: &str) -> Option<u64>;

    /// Sets the commit of a reader, also backwards.
    fn reset(&self, reader: &str, offset: u64) -> Result<(), AppendError>;

    /// Forgets a reader, so that retention no longer waits for it.
    fn forget(&self, reader: &str) -> Result<(), AppendError>;

    /// Names the registered readers with their commits.
    fn readers(&self) -> Vec<(String, u64)>;

    /// Applies the retention of the topic, and returns the first offset that is kept.
    fn retain(&self, now: Time) -> Result<u64, AppendError>;

    /// Tells how the partition is, the worst first.
    fn health(&self) -> Health;

    /// How much the records take where they are stored.
    fn size_bytes(&self) -> u64;

    /// Brings everything that is appended to the disk, whatever the policy says.
    fn sync(&self) -> Result<(), AppendError>;
}

/// The three marks of a partition; `start <= durable <= end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermarks {
    /// The first offset that is kept.
    pub start: u64,
    /// The first offset that is not known to be on the disk. For a memory topic, its end.
    pub durable: u64,
    /// The first offset that is not written: the next record gets it.
    pub end: u64,
}

/// How a partition is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Because nothing is wrong.
    Ready,
    /// Because some records on the disk were found damaged. Appending goes on.
    Damaged {
        /// In how many segments.
        segments: usize,
    },
    /// Because the last append found no space.
    Full,
    /// Because the writer is poisoned; see [`AppendError::Poisoned`].
    Poisoned {
        /// What failed.
        reason: String,
    },
    /// Because the stream is closed.
    Closed,
}
