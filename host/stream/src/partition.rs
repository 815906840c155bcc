//! The two traits that every backend implements.

use std::sync::Arc;
use std::time::Duration;

use message::Time;

use crate::{
    AppendError, GroupOptions, Listener, Member, OpenError, ReadError, ReadLimit, Record,
    StoredRecord, Subscription, TopicOptions,
};

/// A set of topics.
pub trait Stream: Send + Sync {
    /// Opens a topic of one partition, and makes it where there is none.
    ///
    /// A topic that is open already is handed out again, with the options it was first opened with.
    fn open(&self, topic: &str, options: &TopicOptions) -> Result<Arc<dyn Partition>, OpenError>;

    /// Opens one partition of a topic, and makes the topic where there is none.
    ///
    /// Partition 0 is what [`open`](Self::open) opens.
    fn open_partition(
        &self,
        topic: &str,
        partition: u32,
        options: &TopicOptions,
    ) -> Result<Arc<dyn Partition>, OpenError> {
        if partition > 0 {
            let found = u64::from(partition);
            return Err(OpenError::Option { option: "partition", found, expected: "0" });
        }
        self.open(topic, options)
    }

    /// How many partitions a topic has; it is made where there is none.
    fn partitions(&self, topic: &str, options: &TopicOptions) -> Result<u32, OpenError> {
        self.open(topic, options).map(|_| 1)
    }

    /// Whether other processes read and write the same topics. If so, what a partition holds is known
    /// by reading it, and who reads it is settled in a group.
    fn is_shared(&self) -> bool {
        false
    }

    /// Becomes a member of a group. Only where the stream [is shared](Self::is_shared).
    fn join(&self, group: &GroupOptions, listener: Listener) -> Result<Arc<dyn Member>, OpenError> {
        drop(listener);
        Err(OpenError::NotShared { group: group.name.clone() })
    }

    /// Names every topic there is, in alphabetical order.
    fn topics(&self) -> Result<Vec<String>, OpenError>;

    /// Brings everything that is appended to the disk, whatever the policies say.
    fn sync(&self) -> Result<(), AppendError>;
}

/// An ordered sequence of records, each with an offset larger than the one before it: by one, where
/// the stream is not shared.
///
/// Every method may be called from any thread at any time.
pub trait Partition: Send + Sync {
    /// The name of the topic.
    fn topic(&self) -> &str;

    /// Its number among the partitions of the topic.
    fn number(&self) -> u32 {
        0
    }

    /// Appends all of a batch or nothing, and returns the offset of its first record.
    ///
    /// On return the records are with the operating system, never only in this process. Whoever
    /// needs more waits until [`readable_end`](Self::readable_end) is past them. A record whose time
    /// lies before that of the record before it gets the time of that one.
    ///
    /// Where the stream is shared it waits until the records are where they are kept, for some seconds
    /// at most. Then one record of a batch can be refused by itself, and the record before is the one
    /// that this process appended before.
    fn append(&self, batch: &[Record]) -> Result<u64, AppendError>;

    /// Hands a batch in and does not wait for anybody. Returns its ticket: the batch has the tickets
    /// from there on, one for each record, and the next batch those behind it.
    ///
    /// Records become readable in the order of their tickets. Where [`append`](Self::append) waits for
    /// nobody either, a ticket is an offset.
    fn submit(&self, batch: &[Record]) -> Result<u64, AppendError> {
        self.append(batch)
    }

    /// The ticket up to which every record that was [submitted](Self::submit) is readable, or has
    /// failed. [`subscribe`](Self::subscribe) tells of its advance too.
    fn settled(&self) -> u64 {
        self.readable_end()
    }

    /// The offset that the record of a settled ticket got, as long as it is remembered: for the last
    /// 65 536 at least. None for one that has failed.
    fn offset_of(&self, ticket: u64) -> Option<u64> {
        Some(ticket)
    }

    /// The tickets that are settled because their records failed, and why; each is told once. None
    /// of them is in the topic.
    fn take_failed(&self) -> Vec<(u64, AppendError)> {
        Vec::new()
    }

    /// Tells where the partition begins, how far it is synced, and where it ends.
    ///
    /// Waits for nobody: where the stream is shared, this is what was seen last.
    fn watermarks(&self) -> Watermarks;

    /// The offset up to which readers may read: what is synced under
    /// [`Fsync::Each`](crate::Fsync::Each), everything otherwise.
    fn readable_end(&self) -> u64;

    /// Reads records from an offset on, never past [`readable_end`](Self::readable_end); none where
    /// there is nothing yet: no records found means that there are none from there to the end that was
    /// known when it was asked. Where the stream is shared it waits for records that have to be there,
    /// and may return some from beyond that end.
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
    /// calls of several threads may overtake each other. One advance may be told of in parts or more
    /// than once, and several as one. Subscribe first, then look.
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

    /// Names the registered readers with their commits; where the stream is shared, those of which this
    /// process has heard.
    fn readers(&self) -> Vec<(String, u64)>;

    /// Applies the retention of the topic, if that is not left to others, and returns the first offset
    /// that is kept.
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
    /// Because whoever keeps the records cannot be reached, or does not do what it is asked. It is
    /// tried on and on.
    Away {
        /// What went wrong last.
        reason: String,
    },
    /// Because the writer is poisoned; see [`AppendError::Poisoned`].
    Poisoned {
        /// What failed.
        reason: String,
    },
    /// Because the stream is closed.
    Closed,
}
