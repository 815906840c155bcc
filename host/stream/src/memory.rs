//! The backend that keeps its records in memory and forgets them with the process.
//!
//! It knows no disk, so every policy is the same to it: a record is readable when it is appended.
//! What is a full disk to others is its limit to this one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use message::Time;
use parking_lot::{Mutex, RwLock};

use crate::progress::Progress;
use crate::readers::Readers;
use crate::{
    AppendError, Health, OpenError, Partition, ReadError, ReadLimit, Record, Retention,
    StoredRecord, Stream, Subscription, TopicOptions, Watermarks, topic,
};

/// What a record costs beside its bytes, by rule of thumb.
const RECORD_OVERHEAD_BYTES: u64 = 160;

const TOPIC_LIMIT_BYTES: u64 = 256 << 20;

/// A stream in memory. Dropping it closes its topics.
pub struct MemoryStream {
    topic_limit_bytes: u64,
    topics: Mutex<BTreeMap<String, Arc<MemoryPartition>>>,
}

impl MemoryStream {
    /// A stream whose topics take 256 MiB each at most.
    pub fn new() -> Self {
        Self::with_topic_limit_bytes(TOPIC_LIMIT_BYTES)
    }

    /// A stream whose topics take this much each at most, overhead included. Beyond it appends are
    /// refused as [`AppendError::Full`].
    pub fn with_topic_limit_bytes(topic_limit_bytes: u64) -> Self {
        Self { topic_limit_bytes, topics: Mutex::default() }
    }
}

impl Default for MemoryStream {
    fn default() -> Self {
        Self::new()
    }
}

impl Stream for MemoryStream {
    fn open(&self, topic: &str, options: &TopicOptions) -> Result<Arc<dyn Partition>, OpenError> {
        topic::check(topic)?;
        options.check()?;
        let mut topics = self.topics.lock();
        let limit_bytes = self.topic_limit_bytes;
        let partition = topics
            .entry(topic.to_owned())
            .or_insert_with(|| Arc::new(MemoryPartition::new(topic, options.clone(), limit_bytes)));
        Ok(Arc::clone(partition) as Arc<dyn Partition>)
    }

    fn topics(&self) -> Result<Vec<String>, OpenError> {
        Ok(self.topics.lock().keys().cloned().collect())
    }

    fn sync(&self) -> Result<(), AppendError> {
        Ok(())
    }
}

impl Drop for MemoryStream {
    fn drop(&mut self) {
        for partition in self.topics.get_mut().values() {
            partition.closed.store(true, Ordering::Release);
            partition.progress.alarm();
        }
    }
}

struct MemoryPartition {
    topic: String,
    options: TopicOptions,
    limit_bytes: u64,
    kept: RwLock<Kept>,
    readers: Mutex<Readers>,
    progress: Arc<Progress>,
    full: AtomicBool,
    closed: AtomicBool,
}

/// The records that are not forgotten yet.
#[derive(Default)]
struct Kept {
    start: u64,
    records: VecDeque<Record>,
    bytes: u64,
    last_time: Time,
}

impl Kept {
    fn end(&self) -> u64 {
        self.start + self.records.len() as u64
    }

    /// Whether the oldest record may go, given the lowest commit.
    fn may_forget(&self, retention: &Retention, now: Time, lowest: Option<u64>) -> bool {
        let Some(oldest) = self.records.front() else { return false };
        let over = |limit: Option<u64>| limit.is_some_and(|limit| self.bytes > limit);
        let expired = retention.age.is_some_and(|age| now.since(oldest.time) > age);
        let awaited = lowest.is_some_and(|lowest| lowest <= self.start);
        over(retention.hard_bytes) || (!awaited && (expired || over(retention.bytes)))
    }

    fn forget_oldest(&mut self) {
        if let Some(record) = self.records.pop_front() {
            self.bytes -= cost(&record);
            self.start += 1;
        }
    }
}

fn cost(record: &Record) -> u64 {
    record.size_bytes() + RECORD_OVERHEAD_BYTES
}

impl MemoryPartition {
    fn new(topic: &str, options: TopicOptions, limit_bytes: u64) -> Self {
        Self {
            topic: topic.to_owned(),
            options,
            limit_bytes,
            kept: RwLock::default(),
            readers: Mutex::default(),
            progress: Arc::default(),
            full: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    fn open(&self) -> Result<(), AppendError> {
        if self.closed.load(Ordering::Acquire) { Err(AppendError::Closed) } else { Ok(()) }
    }

    /// The bytes that the batch takes, if it may and can be taken.
    fn admit(&self, batch: &[Record], kept: &Kept) -> Result<u64, AppendError> {
        let limit = self.options.record_limit_bytes;
        if let Some(found) = batch.iter().map(Record::size_bytes).find(|&size| size > limit) {
            return Err(AppendError::TooLarge { found, limit });
        }
        let bytes = batch.iter().map(cost).sum();
        let full = kept.bytes.saturating_add(bytes) > self.limit_bytes;
        self.full.store(full, Ordering::Release);
        if full { Err(AppendError::Full) } else { Ok(bytes) }
    }
}

impl Partition for MemoryPartition {
    fn topic(&self) -> &str {
        &self.topic
    }

    fn append(&self, batch: &[Record]) -> Result<u64, AppendError> {
        self.open()?;
        let mut kept = self.kept.write();
        let (first, bytes) = (kept.end(), self.admit(batch, &kept)?);
        kept.bytes += bytes;
        for record in batch {
            kept.last_time = kept.last_time.max(record.time);
            let time = kept.last_time;
            kept.records.push_back(Record { time, ..record.clone() });
        }
        let end = kept.end();
        drop(kept);
        self.progress.advance(end);
        Ok(first)
    }

    fn watermarks(&self) -> Watermarks {
        let kept = self.kept.read();
        Watermarks { start: kept.start, durable: kept.end(), end: kept.end() }
    }

    fn readable_end(&self) -> u64 {
        self.progress.readable_end()
    }

    fn read(&self, from: u64, limit: ReadLimit) -> Result<Vec<StoredRecord>, ReadError> {
        let kept = self.kept.read();
        if from < kept.start || from > kept.end() {
            return Err(ReadError::OutOfRange { found: from, start: kept.start, end: kept.end() });
        }
        let wanted = kept.records.range((from - kept.start) as usize..).take(limit.records.max(1));
        let mut bytes = 0;
        let records = wanted.zip(from..).take_while(|(record, offset)| {
            bytes += cost(record);
            *offset == from || bytes <= limit.bytes as u64
        });
        Ok(records
            .map(|(record, offset)| StoredRecord { offset, record: record.clone() })
            .collect())
    }

    fn wait(&self, beyond: u64, timeout: Duration) -> u64 {
        self.progress.wait(beyond, timeout)
    }

    fn subscribe(&self, waker: Arc<dyn Fn(u64) + Send + Sync>) -> Subscription {
        self.progress.subscribe(waker)
    }

    fn offset_at(&self, time: Time) -> Result<u64, ReadError> {
        let kept = self.kept.read();
        Ok(kept.start + kept.records.partition_point(|record| record.time < time) as u64)
    }

    fn commit(&self, reader: &str, offset: u64) -> Result<(), AppendError> {
        self.open()?;
        self.readers.lock().commit(reader, offset.min(self.readable_end()));
        Ok(())
    }

    fn committed(&self, reader: &str) -> Option<u64> {
        self.readers.lock().committed(reader)
    }

    fn reset(&self, reader: &str, offset: u64) -> Result<(), AppendError> {
        self.open()?;
        self.readers.lock().reset(reader, offset.min(self.readable_end()));
        Ok(())
    }

    fn forget(&self, reader: &str) -> Result<(), AppendError> {
        self.open()?;
        self.readers.lock().forget(reader);
        Ok(())
    }

    fn readers(&self) -> Vec<(String, u64)> {
        self.readers.lock().to_vec()
    }

    fn retain(&self, now: Time) -> Result<u64, AppendError> {
        self.open()?;
        let lowest = self.readers.lock().lowest();
        let mut kept = self.kept.write();
        while kept.may_forget(&self.options.retention, now, lowest) {
            kept.forget_oldest();
        }
        Ok(kept.start)
    }

    fn health(&self) -> Health {
        match (self.closed.load(Ordering::Acquire), self.full.load(Ordering::Acquire)) {
            (true, _) => Health::Closed,
            (false, true) => Health::Full,
            (false, false) => Health::Ready,
        }
    }

    fn size_bytes(&self) -> u64 {
        self.kept.read().bytes
    }

    fn sync(&self) -> Result<(), AppendError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{self, Backend, Bounded};

    struct Memory(Option<MemoryStream>);

    impl Backend for Memory {
        fn stream(&self) -> &dyn Stream {
            self.0.as_ref().unwrap()
        }

        fn close(&mut self) {
            self.0 = None;
        }
    }

    impl Bounded for Memory {
        fn fill(&self, partition: &dyn Partition) {
            conformance::append_until_full(partition);
        }

        fn make_space(&self, partition: &dyn Partition) {
            partition.retain(Time::EPOCH).unwrap();
        }
    }

    fn memory() -> Memory {
        Memory(Some(MemoryStream::with_topic_limit_bytes(4 << 20)))
    }

    conformance::conformance_tests!(memory);
    conformance::tests! { memory, crate::conformance::faults, {
        a_full_disk_refuses_the_whole_batch_until_there_is_space,
    }}
}
