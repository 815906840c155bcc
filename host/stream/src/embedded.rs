//! The backend that keeps its records in a local directory, on an append-only log of our own.
//!
//! # On the disk
//!
//! ```text
//! DATA/lock                                     who works here
//! DATA/flights/requests/00000000000000000000.log    a segment, named after its first offset
//! DATA/flights/requests/00000000000000081920.log    the next one
//! DATA/flights/requests/commits                     what the readers have done
//! ```
//!
//! A segment is a header (`segment`) and frames (`frame`), one a record, nothing between them, and in
//! the last segment zeros behind them as room for more. Only the last segment is written. Everything else that is known of a segment (where a record lies, how
//! many there are) is derived from the frames and kept in memory: there is no index file that could
//! be wrong. A sealed segment is read for that purpose when somebody first searches in it.
//!
//! # What is promised
//!
//! - A batch is written with one system call and is in the log wholly or, if the call fails, not at all.
//! - A segment is synced before anything in a later one is acknowledged, and so is the directory.
//! - After a crash, the records are those that were appended, from the first to some last one, without
//!   gaps. What was synced is among them. `recovery` says how a torn tail is told from damage.
//! - Damage to what was synced is told of: once in the log of the host, and to every reader that
//!   comes to it. Nothing is ever skipped silently or cut off.
//! - After a failed fsync nothing is acknowledged any more until the topic is opened anew, and then all
//!   that is in doubt is written to the disk once more.
//! - Every read checks the checksums of what it returns.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::{AppendError, OpenError, Partition, Stream, TopicOptions, topic};
use follower::Follower;
use lock::Lock;
use log::Log;
use partition::EmbeddedPartition;
use storage::{RealStorage, Storage};
use syncer::Syncer;

mod buffers;
mod chain;
mod checkpoint;
#[cfg(test)]
mod conformance_test;
#[cfg(test)]
mod crash_test;
#[cfg(test)]
mod damage_test;
mod follower;
mod frame;
mod fuzzing;
mod lock;
mod log;
mod partition;
mod recovery;
mod scan;
mod segment;
mod storage;
mod syncer;
mod verify;

#[doc(hidden)]
pub use fuzzing::check_segment;
pub use verify::{DamageReport, SegmentReport, TopicReport, verify};

/// A stream in a local directory, which is locked as long as the stream is open.
///
/// Dropping it closes its topics: what their policies want synced is synced, and who still holds a
/// topic can read from it but not append.
pub struct EmbeddedStream {
    root: PathBuf,
    storage: Arc<dyn Storage>,
    topics: Mutex<BTreeMap<String, Arc<EmbeddedPartition>>>,
    syncer: Arc<Syncer>,
    _lock: Option<Lock>,
}

/// The streams of a local directory, to read only, also while a host works there.
pub struct ReadOnlyStream {
    root: PathBuf,
    storage: Arc<dyn Storage>,
}

impl EmbeddedStream {
    /// Opens a data directory, and makes it where there is none.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, OpenError> {
        let directory = directory.as_ref();
        let io = |source| OpenError::io(directory, source);
        std::fs::create_dir_all(directory).map_err(io)?;
        let root = directory.canonicalize().map_err(io)?;
        let lock = Lock::take(&root)?;
        for above in root.ancestors().skip(1) {
            // Records must not be lost with a new directory that they lie in. What this process may
            // not open it has not made.
            let _ = RealStorage.sync_directory(above);
        }
        Self::open_with(Arc::new(RealStorage), &root, Some(lock))
    }

    /// Opens a data directory to read only. Nothing in it is changed, and it need not be free.
    pub fn open_read_only(directory: impl AsRef<Path>) -> Result<ReadOnlyStream, OpenError> {
        let root = directory.as_ref().to_owned();
        let stream = ReadOnlyStream { root, storage: Arc::new(RealStorage) };
        stream.topics()?;
        Ok(stream)
    }

    fn open_with(
        storage: Arc<dyn Storage>,
        root: &Path,
        lock: Option<Lock>,
    ) -> Result<Self, OpenError> {
        let syncer = Syncer::start().map_err(|source| OpenError::io(root, source))?;
        Ok(Self {
            root: root.to_owned(),
            storage,
            topics: Mutex::default(),
            syncer: Arc::new(syncer),
            _lock: lock,
        })
    }

    fn open_topic(
        &self,
        topic: &str,
        options: &TopicOptions,
    ) -> Result<EmbeddedPartition, OpenError> {
        let directory = self.root.join(topic);
        let made = self.storage.create_directory(&self.root, &directory);
        made.map_err(|source| OpenError::io(&directory, source))?;
        let log = Log::open(Arc::clone(&self.storage), topic, directory, options.clone())?;
        Ok(EmbeddedPartition::new(Arc::new(log), &self.syncer))
    }
}

impl Stream for EmbeddedStream {
    fn open(&self, topic: &str, options: &TopicOptions) -> Result<Arc<dyn Partition>, OpenError> {
        topic::check(topic)?;
        options.check()?;
        let mut topics = self.topics.lock();
        if let Some(partition) = topics.get(topic) {
            return Ok(Arc::clone(partition) as Arc<dyn Partition>);
        }
        let partition = Arc::new(self.open_topic(topic, options)?);
        topics.insert(topic.to_owned(), Arc::clone(&partition));
        Ok(partition)
    }

    fn topics(&self) -> Result<Vec<String>, OpenError> {
        topic_names(&*self.storage, &self.root)
    }

    fn sync(&self) -> Result<(), AppendError> {
        let topics: Vec<_> = self.topics.lock().values().cloned().collect();
        topics.iter().try_for_each(|partition| partition.sync())
    }
}

impl Drop for EmbeddedStream {
    fn drop(&mut self) {
        self.topics.get_mut().values().for_each(|partition| partition.close());
    }
}

impl Stream for ReadOnlyStream {
    fn open(&self, topic: &str, _: &TopicOptions) -> Result<Arc<dyn Partition>, OpenError> {
        topic::check(topic)?;
        let directory = self.root.join(topic);
        Ok(Arc::new(Follower::open(Arc::clone(&self.storage), topic, directory)?))
    }

    fn topics(&self) -> Result<Vec<String>, OpenError> {
        topic_names(&*self.storage, &self.root)
    }

    fn sync(&self) -> Result<(), AppendError> {
        Ok(())
    }
}

/// Every directory below `root` that holds segments, as the name of its topic, in order.
fn topic_names(storage: &dyn Storage, root: &Path) -> Result<Vec<String>, OpenError> {
    let mut names = Vec::new();
    let mut open = vec![String::new()];
    while let Some(name) = open.pop() {
        let directory = root.join(&name);
        let entries =
            storage.list(&directory).map_err(|source| OpenError::io(directory, source))?;
        let is_segment = |name: &str| segment::parse_file_name(name).is_some();
        if entries.iter().any(|entry| !entry.is_directory && is_segment(&entry.name)) {
            names.push(name.clone());
        }
        let below = entries.into_iter().filter(|entry| entry.is_directory).map(|entry| entry.name);
        open.extend(below.map(|below| match name.as_str() {
            "" => below,
            above => format!("{above}/{below}"),
        }));
    }
    names.retain(|name| topic::check(name).is_ok());
    names.sort_unstable();
    Ok(names)
}
