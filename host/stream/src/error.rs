//! What can go wrong: one enum per operation.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a stream or a topic could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Because another host works in the data directory.
    #[error("the data directory {} is held by {owner}", directory.display())]
    Locked {
        /// The data directory.
        directory: PathBuf,
        /// Who holds it.
        owner: Owner,
    },
    /// Because the name of the topic is none.
    #[error("found topic name `{found}`, expected {expected}")]
    Topic {
        /// The name.
        found: String,
        /// What a name looks like.
        expected: &'static str,
    },
    /// Because an option makes no sense.
    #[error("found {option} = {found}, expected {expected}")]
    Option {
        /// The name of the option.
        option: &'static str,
        /// What it is.
        found: u64,
        /// What it may be.
        expected: &'static str,
    },
    /// Because there is no such topic, and the stream was opened to read only.
    #[error("found no topic `{found}`")]
    UnknownTopic {
        /// The name.
        found: String,
    },
    /// Because a file is of another version of the format.
    #[error("found format version {found} in {}, expected {expected}", file.display())]
    Version {
        /// The file.
        file: PathBuf,
        /// Its version.
        found: u32,
        /// The version that this host reads and writes.
        expected: u32,
    },
    /// Because nobody shares this stream, so there are no groups in it.
    #[error("found no group `{group}` to join: the stream is not shared")]
    NotShared {
        /// The name of the group.
        group: String,
    },
    /// Because the cluster that keeps the topics cannot be reached. It may be tried again.
    #[error("could not reach {servers}: {reason}")]
    Away {
        /// Whom it was tried to reach.
        servers: String,
        /// What went wrong.
        reason: String,
    },
    /// Because the cluster that keeps the topics refused, or is not as it has to be.
    #[error("{what}: {reason}")]
    Refused {
        /// What was wanted of it, such as "topic `flights.requests`".
        what: String,
        /// What it said or how it is, and what was expected.
        reason: String,
    },
    /// Because the operating system refused.
    #[error("could not open {}: {source}", path.display())]
    Io {
        /// What was opened, read or written.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl OpenError {
    pub(crate) fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }
}

/// The process that holds a data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// Its process id, where it has written it.
    pub pid: Option<u32>,
    /// How long it has held the directory.
    pub held_for: Option<Duration>,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "process {pid}")?,
            None => write!(f, "a process that has not said which")?,
        }
        match self.held_for {
            Some(held_for) => write!(f, ", for {} s", held_for.as_secs()),
            None => Ok(()),
        }
    }
}

/// Why records were not appended, commits not written, or the disk not reached.
///
/// After any of these but [`Away`](Self::Away) nothing of the batch is in the topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Because the disk is full. Appends work again when space returns.
    #[error("found no space for the records")]
    Full,
    /// Because a write or an fsync failed in a way that cannot be undone. Every later append fails
    /// the same way, and nothing is acknowledged any more; the topic has to be opened anew.
    #[error("the writer is poisoned: {reason}")]
    Poisoned {
        /// What failed.
        reason: String,
    },
    /// Because a record is larger than a record may be.
    #[error("found a record of {found} bytes, expected at most {limit}")]
    TooLarge {
        /// Its size.
        found: u64,
        /// [`TopicOptions::record_limit_bytes`](crate::TopicOptions::record_limit_bytes).
        limit: u64,
    },
    /// Because the disk does not keep up. Appends work again when some of it is synced.
    #[error("found {unsynced} bytes that are not synced, expected at most {limit}")]
    Busy {
        /// How much is appended and not synced.
        unsynced: u64,
        /// [`TopicOptions::unsynced_limit_bytes`](crate::TopicOptions::unsynced_limit_bytes).
        limit: u64,
    },
    /// Because whoever keeps the records did not take them in time. It is not known whether they are in
    /// the topic.
    #[error("the records were not taken in time: {reason}")]
    Away {
        /// What went wrong.
        reason: String,
    },
    /// Because whoever keeps the records refused them for good.
    #[error("the records were refused: {reason}")]
    Refused {
        /// What it said.
        reason: String,
    },
    /// Because the commits could not be written; the log itself is well.
    #[error("could not write {}: {reason}", file.display())]
    Checkpoint {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// Because the stream was opened to read only.
    #[error("the stream was opened to read only")]
    ReadOnly,
    /// Because the stream is closed.
    #[error("the stream is closed")]
    Closed,
}

/// Why records could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Because the offset was never written, or is forgotten already.
    #[error("found offset {found}, expected one of {start} to {end}")]
    OutOfRange {
        /// The offset asked for.
        found: u64,
        /// The first offset that is kept.
        start: u64,
        /// The first offset that is not written.
        end: u64,
    },
    /// Because what was acknowledged at this offset is damaged on the disk. Nothing is ever skipped
    /// silently: to go on behind the damage, read from `next`.
    #[error("{} is damaged at byte {position}: offsets {offset} to {next} are lost", file.display())]
    Corrupt {
        /// The segment.
        file: PathBuf,
        /// The byte of the segment where the damage begins.
        position: u64,
        /// The first offset that is lost.
        offset: u64,
        /// The first offset behind it that is not.
        next: u64,
    },
    /// Because whoever keeps the records cannot be reached. It may be tried again.
    #[error("could not read: {reason}")]
    Away {
        /// What went wrong.
        reason: String,
    },
    /// Because the partition belongs to another member of the group.
    #[error(
        "found a partition that belongs to another member of the group, expected one of our own"
    )]
    NotOwned,
    /// Because the operating system refused.
    #[error("could not read {}: {source}", file.display())]
    Io {
        /// The segment.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}
