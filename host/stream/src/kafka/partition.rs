//! One partition of a topic on the cluster: what was handed in for it, and what is read of it.
//!
//! Handing in, and asking how it stands, wait for nobody. Reading waits where there has to be a record
//! that has not come yet, so that no records found always means that there are none.

mod seen;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};
use rdkafka::error::RDKafkaErrorCode as Code;

use super::Cluster;
use super::asker::number;
use super::cursor::{Cursor, State};
use super::ledger::{Change, Ledger, OVERHEAD_BYTES};
use super::trouble::Class;
use crate::progress::Progress;
use crate::readers::Readers;
use crate::{AppendError, Record, StoredRecord, TopicOptions};

/// How long a topic may be missing before records for it are refused.
const MISSING_FOR: Duration = Duration::from_secs(30);

/// How long records may wait for the brokers before the partition counts as away.
const STUCK_AFTER: Duration = Duration::from_secs(5);

/// How long records that were read ahead wait for somebody to read them.
const LEFT_AFTER: Duration = Duration::from_secs(10);

/// One partition of a topic on the cluster.
pub(crate) struct KafkaPartition {
    me: Weak<Self>,
    cluster: Arc<Cluster>,
    topic: String,
    kafka_topic: String,
    number: u32,
    slot: usize,
    options: TopicOptions,
    batch_limit_bytes: Option<u64>,
    ledger: Mutex<Ledger>,
    /// The tickets that are settled, for those who wait in `append`.
    settled: Progress,
    progress: Arc<Progress>,
    start: AtomicU64,
    is_due: AtomicBool,
    cursor: Mutex<Cursor>,
    came: Condvar,
    times: Mutex<Times>,
    /// Whether one of the times may say that something is wrong.
    is_troubled: AtomicBool,
    readers: Mutex<Readers>,
    size: Mutex<Size>,
}

/// When something was so last.
#[derive(Default)]
struct Times {
    /// Since when the topic has not been there.
    missing: Option<Instant>,
    /// Since when what is handed in has not come on.
    stuck: Option<Instant>,
    /// When somebody has read.
    read: Option<Instant>,
}

/// What the records seen so far take, so that it can be said what all of them take.
#[derive(Default)]
struct Size {
    records: u64,
    bytes: u64,
}

/// What a partition is made of.
pub(crate) struct Outline<'a> {
    pub(crate) topic: &'a str,
    pub(crate) number: u32,
    pub(crate) options: &'a TopicOptions,
    pub(crate) batch_limit_bytes: Option<u64>,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Outline<'_> {
    pub(crate) fn is_of(&self, partition: &KafkaPartition) -> bool {
        partition.number == self.number && partition.topic == self.topic
    }
}

impl KafkaPartition {
    pub(crate) fn new(cluster: &Arc<Cluster>, slot: usize, outline: &Outline<'_>) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            cluster: Arc::clone(cluster),
            topic: outline.topic.to_owned(),
            kafka_topic: cluster.names.topic(outline.topic),
            number: outline.number,
            slot,
            options: outline.options.clone(),
            batch_limit_bytes: outline.batch_limit_bytes,
            ledger: Mutex::default(),
            settled: Progress::default(),
            progress: Arc::new(Progress::starting_at(outline.end)),
            start: AtomicU64::new(outline.start),
            is_due: AtomicBool::new(false),
            cursor: Mutex::default(),
            came: Condvar::new(),
            times: Mutex::default(),
            is_troubled: AtomicBool::new(false),
            readers: Mutex::default(),
            size: Mutex::default(),
        })
    }

    pub(crate) fn kafka_topic(&self) -> &str {
        &self.kafka_topic
    }

    pub(crate) fn kafka_number(&self) -> i32 {
        number(self.number)
    }

    pub(crate) fn slot(&self) -> usize {
        self.slot
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock()
    }

    // What the writer has to say.

    /// A record is in the topic.
    pub(crate) fn delivered(&self, ticket: impl FnOnce(u64) -> u64, offset: u64) {
        let mut ledger = self.ledger.lock();
        let ticket = ticket(ledger.settled());
        let change = ledger.delivered(ticket, offset);
        let settled = ledger.settled();
        self.go_on_one_by_one(&mut ledger);
        drop(ledger);
        self.is_well();
        self.cluster.board.delivered_records.fetch_add(1, Ordering::Relaxed);
        self.progress.advance_quietly(offset + 1);
        self.after(change, settled);
    }

    /// A record is not in the topic, or not known to be.
    pub(crate) fn not_delivered(&self, ticket: impl FnOnce(u64) -> u64, code: Code) {
        let is_refusal = match Class::of(code) {
            Class::Record | Class::Rights => true,
            Class::Topic => self.is_missing_for_long(code),
            Class::Other => !is_passing(code),
            _ => false,
        };
        let mut ledger = self.ledger.lock();
        let ticket = ticket(ledger.settled());
        if !is_refusal {
            ledger.send_again(ticket);
            return;
        }
        if is_too_large(code) && ledger.was_too_large(ticket) {
            self.go_on_one_by_one(&mut ledger);
            return;
        }
        let Some(found) = ledger.record(ticket).map(Record::size_bytes) else { return };
        let error = self.refusal(code, found);
        let reason = format!("topic `{}`: {error}", self.kafka_topic);
        let change = ledger.failed(ticket, error);
        let settled = ledger.settled();
        self.go_on_one_by_one(&mut ledger);
        drop(ledger);
        self.cluster.board.failed_records.fetch_add(1, Ordering::Relaxed);
        self.cluster.board.note(Class::of(code), &reason);
        self.after(change, settled);
    }

    fn refusal(&self, code: Code, found: u64) -> AppendError {
        match self.batch_limit_bytes {
            Some(limit) if is_too_large(code) && found > limit => {
                AppendError::TooLarge { found, limit }
            }
            _ => AppendError::Refused { reason: code.to_string() },
        }
    }

    /// The topic is there, and what is handed in comes on.
    fn is_well(&self) {
        if self.is_troubled.swap(false, Ordering::AcqRel) {
            let mut times = self.times.lock();
            (times.missing, times.stuck) = (None, None);
        }
    }

    /// Whether the topic has been missing for so long that nobody seems to make it again.
    fn is_missing_for_long(&self, code: Code) -> bool {
        let reason = format!("topic `{}`: {code}", self.kafka_topic);
        self.cluster.board.note(Class::Topic, &reason);
        let missing = self.times.lock().missing.get_or_insert_with(Instant::now).elapsed();
        self.is_troubled.store(true, Ordering::Release);
        missing > MISSING_FOR
    }

    fn after(&self, change: Change, settled: u64) {
        if change.records > 0 {
            let board = &self.cluster.board;
            board.waiting_records.fetch_sub(change.records, Ordering::Relaxed);
            board.waiting_bytes.fetch_sub(change.bytes, Ordering::Relaxed);
        }
        if change.is_advance {
            self.settled.advance_quietly(settled);
        }
        self.tell();
    }

    /// Sends once more what has to be, if nothing is on its way any more. Returns how long something
    /// has waited for the brokers, if that is long.
    pub(crate) fn send_again(&self) -> Option<Duration> {
        let mut ledger = self.ledger.lock();
        if ledger.may_send_again() {
            self.send(&mut ledger, 0);
        }
        let is_idle = ledger.is_idle();
        drop(ledger);
        let mut times = self.times.lock();
        if is_idle {
            times.stuck = None;
            return None;
        }
        self.is_troubled.store(true, Ordering::Release);
        let waited = times.stuck.get_or_insert_with(Instant::now).elapsed();
        (waited > STUCK_AFTER).then_some(waited)
    }

    /// Sends the next of those that go out by themselves, as soon as the one before is settled.
    fn go_on_one_by_one(&self, ledger: &mut Ledger) {
        if ledger.at_once() == 1 && ledger.may_send_again() {
            self.send(ledger, 0);
        }
    }

    fn send(&self, ledger: &mut Ledger, from: u64) {
        for (ticket, error) in self.cluster.writer.send(self, ledger, from) {
            let change = ledger.failed(ticket, error);
            self.cluster.board.failed_records.fetch_add(1, Ordering::Relaxed);
            self.after(change, ledger.settled());
        }
    }

    // What the reader has to say.

    /// Takes in a record that was read. Returns whether that is enough for now.
    pub(crate) fn take_in(&self, stored: StoredRecord) -> bool {
        let (end, bytes) = (stored.offset + 1, stored.record.size_bytes());
        let mut cursor = self.cursor.lock();
        if !cursor.push(stored) {
            return false;
        }
        let is_full = cursor.unread_bytes() > self.cluster.config.delivery.read_ahead_bytes;
        if is_full {
            cursor.state = State::Full;
        }
        drop(cursor);
        self.came.notify_all();
        self.weigh(bytes);
        self.progress.advance_quietly(end);
        is_full
    }

    /// Takes note that there is nothing unseen before this offset.
    pub(crate) fn pass(&self, position: u64) {
        if self.cursor.lock().pass(position) {
            self.came.notify_all();
            self.progress.advance_quietly(position);
            self.tell();
        }
    }

    pub(crate) fn reading_begins(&self, from: u64) {
        self.cursor.lock().open(from);
    }

    pub(crate) fn stop_reading(&self) {
        self.cursor.lock().state = State::Closed;
        self.came.notify_all();
    }

    /// Whether there has to be more than what has come.
    pub(crate) fn lacks_records(&self) -> bool {
        let cursor = self.cursor.lock();
        cursor.state == State::Open && cursor.position() < self.progress.readable_end()
    }

    /// Whether nobody reads what was read ahead. If so it is let go.
    pub(crate) fn is_left(&self) -> bool {
        let read = self.times.lock().read;
        let mut cursor = self.cursor.lock();
        let is_left = cursor.has_unread() && read.is_none_or(|read| read.elapsed() > LEFT_AFTER);
        if is_left {
            cursor.order(0);
            cursor.state = State::Closed;
        }
        is_left
    }

    // What the tender has to say.

    /// Whether somebody beside the stream itself has a hand on it.
    pub(crate) fn is_used(&self) -> bool {
        self.me.strong_count() > 2
    }

    pub(crate) fn set_end(&self, end: u64) {
        self.times.lock().missing = None;
        if end > self.progress.readable_end() {
            self.progress.advance_quietly(end);
            self.tell();
        }
    }

    pub(crate) fn set_start(&self, start: u64) {
        self.start.fetch_max(start, Ordering::AcqRel);
    }

    pub(crate) fn not_found(&self, code: Code) {
        self.is_missing_for_long(code);
    }

    // Telling.

    /// Has the subscribers told of what is new.
    pub(crate) fn tell(&self) {
        if let Some(me) = self.me.upgrade() {
            self.cluster.teller.tell(&me);
        }
    }

    /// Whether it is due already; from now on it is.
    pub(crate) fn is_due(&self) -> bool {
        self.is_due.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn tell_now(&self) {
        self.is_due.store(false, Ordering::Release);
        self.progress.wake();
    }

    /// Waits until everything that is handed in is settled, no longer than this.
    pub(crate) fn wait_until_settled(&self, timeout: Duration) {
        let next = self.ledger.lock().next();
        if let Some(last) = next.checked_sub(1) {
            self.settled.wait(last, timeout);
        }
    }

    /// Refuses if something is not settled.
    pub(crate) fn is_synced(&self) -> Result<(), AppendError> {
        if self.ledger.lock().is_idle() {
            return Ok(());
        }
        Err(AppendError::Away { reason: format!("{self}: {}", self.away(Code::OperationTimedOut)) })
    }

    /// How many records no broker has taken.
    pub(crate) fn left_over(&self) -> u64 {
        let ledger = self.ledger.lock();
        ledger.next() - ledger.settled()
    }

    fn away(&self, code: Code) -> String {
        self.cluster.board.obstacle().unwrap_or_else(|| code.to_string())
    }

    /// Takes note of what a record takes.
    fn weigh(&self, bytes: u64) {
        let mut size = self.size.lock();
        (size.records, size.bytes) = (size.records + 1, size.bytes + bytes + OVERHEAD_BYTES);
    }

    /// Has everybody look who waits, because the stream is closed.
    pub(crate) fn close(&self) {
        self.settled.alarm();
        self.progress.alarm();
    }
}

fn is_too_large(code: Code) -> bool {
    matches!(code, Code::MessageSizeTooLarge | Code::MessageBatchTooLarge)
}

/// Whether an error is nothing that the record or its topic is to blame for.
fn is_passing(code: Code) -> bool {
    matches!(
        code,
        Code::PurgeQueue
            | Code::PurgeInflight
            | Code::Retry
            | Code::QueueFull
            | Code::InvalidDifferentRecord
            | Code::OutOfOrderSequenceNumber
            | Code::UnknownProducerId
            | Code::InvalidProducerIdMapping
            | Code::DestroyBroker
            | Code::BrokerDestroy
            | Code::ThrottlingQuotaExceeded
    )
}

impl fmt::Display for KafkaPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "partition {} of topic `{}`", self.number, self.kafka_topic)
    }
}
