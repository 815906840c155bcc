//! A topic of the embedded stream: its log, and the syncer that it shares with the others.

use std::sync::{Arc, Weak};
use std::time::Duration;

use message::Time;

use super::log::{Log, Scope};
use super::syncer::Syncer;
use crate::{
    AppendError, Health, Partition, ReadError, ReadLimit, Record, StoredRecord, Subscription,
    Watermarks,
};

/// A topic of the embedded stream.
pub(super) struct EmbeddedPartition {
    log: Arc<Log>,
    /// The stream owns the syncer; a topic that outlives it is closed.
    syncer: Weak<Syncer>,
}

impl EmbeddedPartition {
    pub(super) fn new(log: Arc<Log>, syncer: &Arc<Syncer>) -> Self {
        Self { log, syncer: Arc::downgrade(syncer) }
    }

    pub(super) fn close(&self) {
        self.log.close();
    }
}

impl Partition for EmbeddedPartition {
    fn topic(&self) -> &str {
        &self.log.topic
    }

    fn append(&self, batch: &[Record]) -> Result<u64, AppendError> {
        let appended = self.log.append(batch)?;
        if !self.log.readers_wait_for_sync() {
            self.log.progress.advance(appended.first + batch.len() as u64);
        }
        if let (Some(due), Some(syncer)) = (appended.due, self.syncer.upgrade()) {
            syncer.schedule(&self.log, due);
        }
        Ok(appended.first)
    }

    fn watermarks(&self) -> Watermarks {
        self.log.watermarks()
    }

    fn readable_end(&self) -> u64 {
        self.log.progress.readable_end()
    }

    fn read(&self, from: u64, limit: ReadLimit) -> Result<Vec<StoredRecord>, ReadError> {
        self.log.read(from, limit)
    }

    fn wait(&self, beyond: u64, timeout: Duration) -> u64 {
        self.log.progress.wait(beyond, timeout)
    }

    fn subscribe(&self, waker: Arc<dyn Fn(u64) + Send + Sync>) -> Subscription {
        self.log.progress.subscribe(waker)
    }

    fn offset_at(&self, time: Time) -> Result<u64, ReadError> {
        self.log.offset_at(time)
    }

    fn commit(&self, reader: &str, offset: u64) -> Result<(), AppendError> {
        self.log.change_readers(|readers, end| readers.commit(reader, offset.min(end)))
    }

    fn committed(&self, reader: &str) -> Option<u64> {
        self.log.readers().committed(reader)
    }

    fn reset(&self, reader: &str, offset: u64) -> Result<(), AppendError> {
        self.log.change_readers(|readers, end| readers.reset(reader, offset.min(end)))
    }

    fn forget(&self, reader: &str) -> Result<(), AppendError> {
        self.log.change_readers(|readers, _| readers.forget(reader))
    }

    fn readers(&self) -> Vec<(String, u64)> {
        self.log.readers().to_vec()
    }

    fn retain(&self, now: Time) -> Result<u64, AppendError> {
        self.log.retain(now)
    }

    fn health(&self) -> Health {
        self.log.health()
    }

    fn size_bytes(&self) -> u64 {
        self.log.size_bytes()
    }

    fn sync(&self) -> Result<(), AppendError> {
        self.log.sync(Scope::Everything)
    }
}
