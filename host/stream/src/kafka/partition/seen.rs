//! The partition as everybody else sees it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use message::Time;
use rdkafka::error::RDKafkaErrorCode as Code;

use super::{KafkaPartition, OVERHEAD_BYTES, STUCK_AFTER};
use crate::kafka::config::{Keeper, Profile};
use crate::kafka::cursor::{Cursor, State};
use crate::kafka::trouble::Class;
use crate::kafka::wire::earliest_timestamp;
use crate::{
    AppendError, Health, Partition, ReadError, ReadLimit, Record, Retention, StoredRecord,
    Subscription, Watermarks,
};

/// How long a read waits before it asks whether there is anything to wait for.
const ASK_AFTER: Duration = Duration::from_secs(1);

/// What Kafka needs beside the bytes of a record, by rule of thumb.
const BATCH_BYTES: u64 = 128;

impl KafkaPartition {
    fn bytes_for(&self, records: u64) -> u64 {
        let size = self.size.lock();
        let each = size.bytes.div_ceil(size.records.max(1)).max(OVERHEAD_BYTES);
        records.saturating_mul(each)
    }

    fn is_closed(&self) -> bool {
        self.cluster.is_closed.load(Ordering::Acquire)
    }

    fn open(&self) -> Result<(), AppendError> {
        if self.is_closed() { Err(AppendError::Closed) } else { Ok(()) }
    }

    /// Asks for the marks, and takes note of them. Returns the end that can be read to.
    fn look(&self) -> Result<u64, Code> {
        let (start, end) = self.cluster.asker.extent(&self.kafka_topic, self.number)?;
        self.set_start(start);
        self.set_end(end);
        Ok(end)
    }

    fn unreadable(&self, code: Code) -> ReadError {
        ReadError::Away { reason: format!("{self}: {}", self.away(code)) }
    }

    /// Refuses an offset that is not there, as far as is known.
    fn check(&self, from: u64) -> Result<(), ReadError> {
        let (start, end) = (self.start.load(Ordering::Acquire), self.progress.readable_end());
        if (start..=end).contains(&from) {
            return Ok(());
        }
        Err(ReadError::OutOfRange { found: from, start, end })
    }

    /// Has the reader read from an offset on.
    fn order(&self, cursor: &mut Cursor, from: u64) {
        cursor.order(from);
        self.cluster.reader.open(&self.me, from);
    }

    /// Has records read ahead from an offset on, if they are not.
    fn follow(&self, from: u64) {
        self.times.lock().read = Some(Instant::now());
        let mut cursor = self.cursor.lock();
        if !cursor.covers(from) {
            self.order(&mut cursor, from);
        }
    }

    /// Records from an offset on, as soon as there are any; none if everything before `end` was seen.
    fn await_records(
        &self,
        from: u64,
        end: u64,
        limit: ReadLimit,
    ) -> Result<(u64, Vec<StoredRecord>), ReadError> {
        let delivery = &self.cluster.config.delivery;
        let give_up = Instant::now() + delivery.answer_timeout;
        let mut cursor = self.cursor.lock();
        loop {
            if !cursor.covers(from) {
                self.order(&mut cursor, from);
            }
            let records = cursor.take(from, limit, delivery.read_ahead_bytes / 4);
            let begin = cursor.begin();
            self.go_on(&mut cursor);
            if !records.is_empty() || cursor.position() >= end {
                return Ok((begin, records));
            }
            if self.came.wait_for(&mut cursor, ASK_AFTER).timed_out() {
                let position = cursor.position();
                drop(cursor);
                let end = self.look().map_err(|code| self.unreadable(code))?;
                // What was written behind somebody's open transaction cannot be read yet.
                if position >= end {
                    return Ok((from, Vec::new()));
                }
                if Instant::now() > give_up {
                    return Err(self.unreadable(Code::OperationTimedOut));
                }
                cursor = self.cursor.lock();
            }
        }
    }

    /// Reads on where it was stopped, if there is room again.
    fn go_on(&self, cursor: &mut Cursor) {
        let half = self.cluster.config.delivery.read_ahead_bytes / 2;
        if cursor.state == State::Full && cursor.unread_bytes() <= half {
            cursor.state = State::Ordered;
            self.cluster.reader.open(&self.me, cursor.position());
        }
    }

    /// Takes a place for a batch among what waits for the brokers.
    fn reserve(&self, records: &[Record]) -> Result<(), AppendError> {
        // What is compressed may fit after all, so of that the brokers judge.
        let is_plain = self.cluster.config.profile == Profile::LowLatency;
        let batch = self.batch_limit_bytes.filter(|_| is_plain).unwrap_or(u64::MAX);
        let limit = self.options.record_limit_bytes.min(batch.saturating_sub(BATCH_BYTES));
        if let Some(found) = records.iter().map(Record::size_bytes).find(|&size| size > limit) {
            self.cluster.board.failed_records.fetch_add(1, Ordering::Relaxed);
            return Err(AppendError::TooLarge { found, limit });
        }
        let (board, delivery) = (&self.cluster.board, &self.cluster.config.delivery);
        let bytes = records.iter().map(|record| record.size_bytes() + OVERHEAD_BYTES).sum::<u64>();
        let records = records.len() as u64;
        let before = board.waiting_bytes.fetch_add(bytes, Ordering::AcqRel);
        let records_before = board.waiting_records.fetch_add(records, Ordering::AcqRel);
        let fits = before.saturating_add(bytes) <= delivery.waiting_bytes
            && records_before.saturating_add(records) <= delivery.waiting_records;
        // A batch beyond the limit goes through alone.
        if fits || before == 0 {
            return Ok(());
        }
        board.waiting_bytes.fetch_sub(bytes, Ordering::AcqRel);
        board.waiting_records.fetch_sub(records, Ordering::AcqRel);
        Err(AppendError::Busy { unsynced: before, limit: delivery.waiting_bytes })
    }

    /// The first offset that has to be kept, where the host is the keeper.
    fn keep_from(&self, now: Time) -> Result<u64, ReadError> {
        let Retention { age, bytes, hard_bytes } = self.options.retention;
        let (start, end) = (self.start.load(Ordering::Acquire), self.readable_end());
        let within = |limit: Option<u64>| {
            let limit = limit.filter(|&limit| self.bytes_for(end - start) > limit)?;
            Some(end - limit / self.bytes_for(1).max(1))
        };
        let young = match age {
            Some(age) if now.as_us() > age.as_micros() as u64 => {
                Some(self.offset_at(Time::from_us(now.as_us() - age.as_micros() as u64))?)
            }
            _ => None,
        };
        let awaited = self.readers.lock().lowest().unwrap_or(end);
        let wanted = young.max(within(bytes)).unwrap_or(start).min(awaited);
        Ok(wanted.max(within(hard_bytes).unwrap_or(start)).clamp(start, end))
    }
}

impl Partition for KafkaPartition {
    fn topic(&self) -> &str {
        &self.topic
    }

    fn number(&self) -> u32 {
        self.number
    }

    fn append(&self, batch: &[Record]) -> Result<u64, AppendError> {
        let first = self.submit(batch)?;
        let behind = first + batch.len() as u64;
        let Some(last) = behind.checked_sub(1).filter(|_| !batch.is_empty()) else {
            return Ok(self.progress.readable_end());
        };
        self.settled.wait(last, self.cluster.config.delivery.append_timeout);
        let mut ledger = self.ledger.lock();
        if let Some(error) = ledger.take_failure(first..behind) {
            return Err(error);
        }
        if ledger.settled() > last
            && let Some(offset) = ledger.offset_of(first)
        {
            return Ok(offset);
        }
        drop(ledger);
        self.open()?;
        Err(AppendError::Away { reason: format!("{self}: {}", self.away(Code::OperationTimedOut)) })
    }

    fn submit(&self, batch: &[Record]) -> Result<u64, AppendError> {
        self.open()?;
        self.reserve(batch)?;
        let mut ledger = self.ledger.lock();
        let (first, may_send) = (ledger.next(), ledger.may_send());
        for record in batch {
            ledger.take_in(record);
            self.weigh(record.size_bytes());
        }
        if may_send {
            self.send(&mut ledger, first);
        }
        Ok(first)
    }

    fn settled(&self) -> u64 {
        self.settled.readable_end()
    }

    fn offset_of(&self, ticket: u64) -> Option<u64> {
        self.ledger.lock().offset_of(ticket)
    }

    fn take_failed(&self) -> Vec<(u64, AppendError)> {
        self.ledger.lock().take_failed()
    }

    fn watermarks(&self) -> Watermarks {
        let end = self.progress.readable_end();
        Watermarks { start: self.start.load(Ordering::Acquire).min(end), durable: end, end }
    }

    fn readable_end(&self) -> u64 {
        self.progress.readable_end()
    }

    fn read(&self, from: u64, limit: ReadLimit) -> Result<Vec<StoredRecord>, ReadError> {
        if self.check(from).is_err() {
            // Others write too: what was seen last may be old.
            self.look().map_err(|code| self.unreadable(code))?;
            self.check(from)?;
        }
        let end = self.progress.readable_end();
        self.follow(from);
        if from == end {
            return Ok(Vec::new());
        }
        let (begin, records) = self.await_records(from, end, limit)?;
        // A gap where reading began may be what was forgotten meanwhile.
        if begin == from && records.first().is_some_and(|first| first.offset > from) {
            self.look().map_err(|code| self.unreadable(code))?;
            self.check(from)?;
        }
        Ok(records)
    }

    fn wait(&self, beyond: u64, timeout: Duration) -> u64 {
        let end = self.progress.readable_end();
        if end > beyond {
            return end;
        }
        if !self.is_closed() {
            self.follow(end);
        }
        self.progress.wait(beyond, timeout)
    }

    fn subscribe(&self, waker: Arc<dyn Fn(u64) + Send + Sync>) -> Subscription {
        self.progress.subscribe(waker)
    }

    fn offset_at(&self, time: Time) -> Result<u64, ReadError> {
        let asker = &self.cluster.asker;
        let found = asker.offset_at(&self.kafka_topic, self.number, earliest_timestamp(time));
        let end = self.look().map_err(|code| self.unreadable(code))?;
        let Some(mut from) = found.map_err(|code| self.unreadable(code))? else { return Ok(end) };
        // The brokers know milliseconds only.
        loop {
            let records = self.read(from, ReadLimit::default())?;
            if let Some(found) = records.iter().find(|stored| stored.record.time >= time) {
                return Ok(found.offset);
            }
            match records.last() {
                Some(last) => from = last.offset + 1,
                None => return Ok(end),
            }
        }
    }

    fn commit(&self, reader: &str, offset: u64) -> Result<(), AppendError> {
        self.open()?;
        let offset = offset.min(self.readable_end());
        if self.committed(reader).is_some_and(|committed| committed >= offset) {
            return Ok(());
        }
        self.reset(reader, offset)
    }

    fn committed(&self, reader: &str) -> Option<u64> {
        if let Some(committed) = self.readers.lock().committed(reader) {
            return Some(committed);
        }
        let commits = &self.cluster.commits;
        let found = commits.committed(&self.cluster, &self.topic, self.number, reader);
        match found {
            Ok(committed) => {
                let offset = committed?;
                self.readers.lock().reset(reader, offset);
                Some(offset)
            }
            Err(reason) => {
                tracing::warn!(
                    topic = self.kafka_topic,
                    reader,
                    reason,
                    "could not ask for a commit"
                );
                None
            }
        }
    }

    fn reset(&self, reader: &str, offset: u64) -> Result<(), AppendError> {
        self.open()?;
        let offset = offset.min(self.readable_end());
        let commits = &self.cluster.commits;
        commits
            .commit(&self.cluster, &self.topic, self.number, reader, offset)
            .map_err(|reason| AppendError::Away { reason })?;
        self.readers.lock().reset(reader, offset);
        Ok(())
    }

    fn forget(&self, reader: &str) -> Result<(), AppendError> {
        self.open()?;
        let commits = &self.cluster.commits;
        commits
            .forget(&self.cluster, &self.topic, reader)
            .map_err(|reason| AppendError::Away { reason })?;
        self.readers.lock().forget(reader);
        Ok(())
    }

    /// Those that this process has heard of.
    fn readers(&self) -> Vec<(String, u64)> {
        self.readers.lock().to_vec()
    }

    fn retain(&self, now: Time) -> Result<u64, AppendError> {
        self.open()?;
        let start = self.start.load(Ordering::Acquire);
        if self.cluster.config.topics.keeper == Keeper::Brokers {
            return Ok(start);
        }
        let away = |reason: String| AppendError::Away { reason };
        let keep_from = self.keep_from(now).map_err(|error| away(error.to_string()))?;
        if keep_from > start {
            let deleted =
                self.cluster.asker.delete_below(&self.kafka_topic, self.number, keep_from);
            deleted.map_err(|code| away(format!("{self}: {}", self.away(code))))?;
            self.set_start(keep_from);
        }
        Ok(keep_from.max(start))
    }

    fn health(&self) -> Health {
        if self.is_closed() {
            return Health::Closed;
        }
        let times = self.times.lock();
        let (is_missing, stuck) = (times.missing.is_some(), times.stuck);
        drop(times);
        let board = &self.cluster.board;
        if is_missing {
            let reason = board.reason(Class::Topic);
            return Health::Away { reason: reason.unwrap_or_else(|| format!("{self} is missing")) };
        }
        if let Some(reason) = board.cut_off() {
            return Health::Away { reason };
        }
        match stuck.map(|since| since.elapsed()) {
            Some(waited) if waited > STUCK_AFTER => {
                let obstacle = board.obstacle().unwrap_or_else(|| "no broker took them".to_owned());
                let reason = format!("records have waited for {} s: {obstacle}", waited.as_secs());
                Health::Away { reason }
            }
            _ => Health::Ready,
        }
    }

    fn size_bytes(&self) -> u64 {
        let marks = self.watermarks();
        self.bytes_for(marks.end - marks.start)
    }

    fn sync(&self) -> Result<(), AppendError> {
        self.wait_until_settled(self.cluster.config.delivery.append_timeout);
        self.is_synced()
    }
}
