//! Topics that several processes share, and which of them owns which partition.
//!
//! A [`Member`] of a group owns some partitions of the group's topics for the time being. What it owns
//! changes by what it is told through a [`Listener`]; what it writes for a partition that it has lost
//! can be kept from counting by [`Member::transact`], which nobody but the owner can complete.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{ReadError, ReadLimit, Record, StoredRecord};

/// One partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The name of the topic.
    pub topic: Arc<str>,
    /// Which of its partitions, from 0.
    pub partition: u32,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}

/// A group that a process joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOptions {
    /// The name of the group: its members share the partitions.
    pub name: String,
    /// The topics whose partitions are shared. Each has to be there.
    pub topics: Vec<String>,
}

/// What a member is told. By a thread of the stream: whoever hears it must be quick and must not panic.
pub type Listener = Arc<dyn Fn(GroupEvent) + Send + Sync>;

/// What happens to a member.
#[derive(Debug)]
pub enum GroupEvent {
    /// It owns these from now on. Reading begins at the commit, or at the start where there is none.
    Gained(Vec<Source>),
    /// It is to give these up: whoever hears it ends what is under way, commits, and drops the
    /// [`Release`]; only then do others get them.
    Revoked(Vec<Source>, Release),
    /// It owns these no more, and others may own them already.
    Lost(Vec<Source>),
    /// More of this can be taken than before.
    Readable(Source),
}

/// Holds up the handing over of partitions until it is dropped, or until the group can wait no longer.
pub struct Release(Option<Box<dyn FnOnce() + Send>>);

impl Release {
    /// Calls `released` when this is dropped.
    pub fn new(released: impl FnOnce() + Send + 'static) -> Self {
        Self(Some(Box::new(released)))
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        if let Some(released) = self.0.take() {
            released();
        }
    }
}

impl fmt::Debug for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Release")
    }
}

/// How far a partition is done, and a few words of whoever committed it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Commit {
    /// The lowest offset that is not done.
    pub offset: u64,
    /// What the next owner should know beside it.
    pub note: String,
}

/// Records for one partition of a topic.
#[derive(Debug, Clone)]
pub struct Output {
    /// Where they go. Need not be a topic of the group.
    pub to: Source,
    /// What goes there.
    pub records: Vec<Record>,
}

/// One process among those that share some topics. Dropping it leaves the group, on a thread of its own.
///
/// Every method may be called from any thread at any time.
pub trait Member: Send + Sync {
    /// Takes the next records of a partition that it owns, in order, without waiting; none where there
    /// is nothing yet. What is taken is not handed out again until the partition is gained anew or
    /// [rewound](Self::rewind). [`GroupEvent::Readable`] comes after it has returned none.
    fn take(&self, source: &Source, limit: ReadLimit) -> Result<Vec<StoredRecord>, ReadError>;

    /// Has the next [`take`](Self::take) of a partition begin at this offset.
    fn rewind(&self, source: &Source, offset: u64) -> Result<(), ReadError>;

    /// Which gain of a partition this is: another number each time that it is gained anew. None while it
    /// is not owned.
    fn tenure(&self, source: &Source) -> Option<u64>;

    /// The first offset that is kept of a partition, and the one behind its last record, as far as is
    /// known without asking anybody.
    fn extent(&self, source: &Source) -> (u64, u64);

    /// Notes how far a partition is done. Does not wait; a later commit makes up for one that is lost,
    /// and one for a partition that is not owned any more changes nothing.
    fn commit(&self, source: &Source, commit: &Commit);

    /// The last commit of each of these, whoever made it; waits for the answer.
    fn committed(
        &self,
        sources: &[Source],
        timeout: Duration,
    ) -> Result<Vec<Option<Commit>>, TransactError>;

    /// Waits until the commits so far are made, or given up.
    fn flush_commits(&self, timeout: Duration) -> Result<(), TransactError>;

    /// Writes these records and makes these commits, all of it or nothing, and nothing unless this
    /// process still owns the partitions that are committed. Returns the offset of the first record
    /// of each output. Waits until it is done; one call at a time, others wait for their turn.
    fn transact(
        &self,
        outputs: &[Output],
        commits: &[(Source, Commit)],
    ) -> Result<Vec<u64>, TransactError>;

    /// The same, and nothing unless `holds` says yes: it is asked when it is settled as which member of
    /// the group this is done, and before anything is written. Whoever made the records for an earlier
    /// [tenure](Self::tenure) of a partition finds out by it.
    fn transact_while(
        &self,
        outputs: &[Output],
        commits: &[(Source, Commit)],
        holds: &dyn Fn() -> bool,
    ) -> Result<Vec<u64>, TransactError>;
}

/// Why a transaction, or the question for commits, came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransactError {
    /// Because the partitions belong to somebody else by now. Not to be tried again.
    #[error("the partitions belong to another member of the group: {reason}")]
    NotOwned {
        /// What the group said.
        reason: String,
    },
    /// Because it was not to be had at the moment. May be tried again.
    #[error("the stream could not do it now: {reason}")]
    NotNow {
        /// What went wrong.
        reason: String,
    },
    /// Because a record, or the whole, can never be written like this.
    #[error("the stream refuses the records: {reason}")]
    Refused {
        /// What is wrong.
        reason: String,
    },
}
