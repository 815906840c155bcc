//! One topic on the disk: its segments, its writer and its readers' commits.
//!
//! There is no thread here. Whoever appends is told when a sync is due, and who syncs is told to.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use message::Time;
use parking_lot::Mutex;

use super::chain::Chain;
use super::checkpoint::{self, Checkpoint};
use super::recovery::{Recovered, recover};
use super::segment::Segment;
use super::storage::{Storage, is_full};
use crate::progress::Progress;
use crate::readers::Readers;
use crate::{
    AppendError, Fsync, Health, OpenError, ReadError, ReadLimit, StoredRecord, TopicOptions,
    Watermarks,
};

mod append;
mod retain;
mod space;
mod sync;

pub(super) use sync::{Due, Scope};

/// One topic on the disk.
pub(super) struct Log {
    pub(super) topic: String,
    pub(super) progress: Arc<Progress>,
    directory: PathBuf,
    options: TopicOptions,
    storage: Arc<dyn Storage>,
    chain: Chain,
    writer: Mutex<Writer>,
    /// Held during a sync, so that there is one at a time.
    syncing: Mutex<()>,
    end: AtomicU64,
    durable: AtomicU64,
    readers: Mutex<Readers>,
}

/// What it takes to append.
struct Writer {
    state: State,
    active: Arc<Segment>,
    /// Where the next frame goes in the active segment.
    position: u64,
    /// Up to where there are zeros behind it.
    room_end: u64,
    next_offset: u64,
    last_time: Time,
    /// Sealed segments that are not synced, oldest first.
    sealed: Vec<Arc<Segment>>,
    /// Whether the names of some of them are not synced.
    directory_changed: bool,
    /// Bytes of frames that were ever written, those below the active segment, and those synced.
    written_bytes: u64,
    sealed_bytes: u64,
    synced_bytes: u64,
    /// The sync that is on its way.
    due: Option<Due>,
    /// Whether the last append found no space.
    full: bool,
    /// The frames of one append; kept for its memory.
    buffer: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Open,
    Poisoned(String),
    Closed,
}

impl Writer {
    /// Whether there is no frame in the active segment.
    fn is_empty(&self) -> bool {
        self.next_offset == self.active.base
    }

    fn check_open(&self) -> Result<(), AppendError> {
        match &self.state {
            State::Open => Ok(()),
            State::Poisoned(reason) => Err(AppendError::Poisoned { reason: reason.clone() }),
            State::Closed => Err(AppendError::Closed),
        }
    }
}

impl Log {
    /// Opens a topic and recovers it if need be. Its directory is there.
    pub(super) fn open(
        storage: Arc<dyn Storage>,
        topic: &str,
        directory: PathBuf,
        options: TopicOptions,
    ) -> Result<Self, OpenError> {
        let io = |source| OpenError::io(checkpoint::path(&directory), source);
        let mut checkpoint = Checkpoint::load(&*storage, &directory).map_err(io)?;
        let prove = options.fsync != Fsync::None;
        let recovered = recover(&*storage, &directory, &checkpoint, prove)?;
        for reader in checkpoint.readers.lower_to(recovered.end) {
            tracing::warn!(topic, reader, end = recovered.end, "found a commit beyond the end");
        }
        let Recovered { segments, unsynced, room_end, end, durable, last_time } = recovered;
        let active = Arc::clone(segments.last().expect("invariant: there is always a segment"));
        let writer = Writer {
            state: State::Open,
            position: active.length(),
            room_end,
            active,
            next_offset: end,
            last_time,
            sealed: unsynced,
            directory_changed: false,
            written_bytes: 0,
            sealed_bytes: 0,
            synced_bytes: 0,
            due: None,
            full: false,
            buffer: Vec::new(),
        };
        Ok(Self {
            topic: topic.to_owned(),
            progress: Arc::new(Progress::starting_at(end)),
            directory,
            options,
            chain: Chain::new(Arc::clone(&storage), segments),
            storage,
            writer: Mutex::new(writer),
            syncing: Mutex::new(()),
            end: AtomicU64::new(end),
            durable: AtomicU64::new(durable),
            readers: Mutex::new(checkpoint.readers),
        })
    }

    pub(super) fn watermarks(&self) -> Watermarks {
        // In this order, no mark can overtake the one that bounds it.
        let start = self.chain.start();
        let durable = self.durable.load(Ordering::Acquire);
        Watermarks { start, durable, end: self.end.load(Ordering::Acquire) }
    }

    pub(super) fn read(&self, from: u64, limit: ReadLimit) -> Result<Vec<StoredRecord>, ReadError> {
        let readable_end = self.progress.readable_end();
        let Watermarks { start, end, .. } = self.watermarks();
        if from < start || from > end {
            return Err(ReadError::OutOfRange { found: from, start, end });
        }
        self.chain.read(from, readable_end, limit)
    }

    pub(super) fn offset_at(&self, time: Time) -> Result<u64, ReadError> {
        self.chain.offset_at(time, self.progress.readable_end())
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.chain.size_bytes()
    }

    pub(super) fn health(&self) -> Health {
        let writer = self.writer.lock();
        match &writer.state {
            State::Closed => Health::Closed,
            State::Poisoned(reason) => Health::Poisoned { reason: reason.clone() },
            State::Open if writer.full => Health::Full,
            State::Open => match self.chain.damaged() {
                0 => Health::Ready,
                segments => Health::Damaged { segments },
            },
        }
    }

    pub(super) fn readers(&self) -> Readers {
        self.readers.lock().clone()
    }

    /// Changes the commits and writes them, if the change was one.
    pub(super) fn change_readers(
        &self,
        change: impl FnOnce(&mut Readers, u64) -> bool,
    ) -> Result<(), AppendError> {
        if self.writer.lock().state == State::Closed {
            return Err(AppendError::Closed);
        }
        let mut readers = self.readers.lock();
        let mut changed = readers.clone();
        if change(&mut changed, self.progress.readable_end()) {
            self.store_checkpoint(&changed)?;
            *readers = changed;
        }
        Ok(())
    }

    fn store_checkpoint(&self, readers: &Readers) -> Result<(), AppendError> {
        let durable = self.durable.load(Ordering::Acquire);
        let checkpoint = Checkpoint { durable, readers: readers.clone() };
        let synced = self.options.fsync != Fsync::None;
        checkpoint.store(&*self.storage, &self.directory, synced).map_err(|error| {
            if is_full(&error) {
                return AppendError::Full;
            }
            let file = checkpoint::path(&self.directory);
            AppendError::Checkpoint { file, reason: error.to_string() }
        })
    }

    /// Refuses appends from now on, after a last sync where the policy has any.
    pub(super) fn close(&self) {
        self.cut_off_room(&mut self.writer.lock());
        if self.options.fsync != Fsync::None && self.sync(Scope::Everything).is_ok() {
            // Losing this costs a reader some repetition, which it must be able to bear anyway.
            if let Err(error) = self.store_checkpoint(&self.readers.lock()) {
                tracing::warn!(topic = self.topic, %error, "could not write the last checkpoint");
            }
        }
        self.writer.lock().state = State::Closed;
        self.progress.alarm();
    }

    fn poison(&self, writer: &mut Writer, reason: String) -> AppendError {
        if writer.state == State::Open {
            tracing::error!(topic = self.topic, reason, "poisoned a writer");
            writer.state = State::Poisoned(reason.clone());
        }
        AppendError::Poisoned { reason }
    }
}
