//! One partition that this member owns: what was fetched of it and is not taken yet.
//!
//! What was fetched waits in a queue of the client library, which bounds it, and is copied out when it
//! is taken: there is no thread between the network and whoever takes. A wake-up that the library loses
//! is made up for by [`Owned::look`].

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::error::KafkaResult;
use rdkafka::message::BorrowedMessage;

use super::batch::{self, Batch};
use super::context::GroupContext;
use crate::kafka::wire;
use crate::{ReadLimit, Source, StoredRecord};

pub(super) type Queue = PartitionQueue<GroupContext>;

/// What is owned of one partition, from one gain to the next loss.
pub(super) struct Owned {
    pub(super) source: Source,
    /// Which gain this is, counted over the life of the member.
    pub(super) tenure: u64,
    /// Whether it is to be given up, so that nothing more is taken.
    leaving: AtomicBool,
    /// Whether the last look found nothing, so that whoever takes is to be told of what comes.
    hungry: AtomicBool,
    start: AtomicU64,
    end: AtomicU64,
    cursor: Mutex<Cursor>,
}

#[derive(Default)]
struct Cursor {
    queue: Option<Queue>,
    /// What was copied out and not taken.
    stash: VecDeque<StoredRecord>,
    /// One behind the last record that was taken.
    next: Option<u64>,
    /// Where taking is to begin, until the client has moved there.
    seeking: Option<u64>,
}

impl Owned {
    /// A partition without a queue: `tell` is called whenever there is more to take after there was
    /// nothing, by threads of the client library that hold its locks.
    pub(super) fn new(source: Source, tenure: u64) -> Self {
        Self {
            source,
            tenure,
            leaving: AtomicBool::new(false),
            hungry: AtomicBool::new(true),
            start: AtomicU64::new(0),
            end: AtomicU64::new(0),
            cursor: Mutex::default(),
        }
    }

    pub(super) fn attach(
        self: &Arc<Self>,
        mut queue: Queue,
        tell: impl Fn(&Self) + Send + Sync + 'static,
    ) {
        // What is left from an earlier tenure is dropped by the library as it is polled.
        let owned = Arc::downgrade(self);
        queue.set_nonempty_callback(move || {
            if let Some(owned) = owned.upgrade()
                && owned.hungry.swap(false, Ordering::SeqCst)
            {
                tell(&owned);
            }
        });
        self.cursor.lock().queue = Some(queue);
    }

    /// Ends it: nothing is taken any more, and the client can be dropped when the queue is.
    pub(super) fn detach(&self) -> Option<Queue> {
        self.leave();
        std::mem::take(&mut *self.cursor.lock()).queue
    }

    /// From now on nothing is taken.
    pub(super) fn leave(&self) {
        self.leaving.store(true, Ordering::SeqCst);
    }

    pub(super) fn take(&self, limit: ReadLimit) -> Vec<StoredRecord> {
        let mut cursor = self.cursor.lock();
        if self.leaving.load(Ordering::SeqCst) || cursor.seeking.is_some() {
            self.hungry.store(true, Ordering::SeqCst);
            return Vec::new();
        }
        if !cursor.stash.is_empty() {
            return cursor.take_stash(limit);
        }
        let taken = cursor.take_queue(limit, &self.hungry);
        if let Some(last) = taken.last() {
            cursor.next = Some(last.offset + 1);
            self.end.fetch_max(last.offset + 1, Ordering::Relaxed);
        }
        taken
    }

    /// Whether there is something to take for somebody who is waiting for it.
    pub(super) fn look(&self) -> bool {
        if !self.hungry.load(Ordering::SeqCst) {
            return false;
        }
        let Some(mut cursor) = self.cursor.try_lock() else { return false };
        if cursor.stash.is_empty() && cursor.seeking.is_none() {
            let found = cursor.queue.as_ref().and_then(|queue| queue.poll(Duration::ZERO));
            let copy = found.and_then(Result::ok).map(|message| wire::incoming(&message));
            cursor.stash.extend(copy);
        }
        !cursor.stash.is_empty() && self.hungry.swap(false, Ordering::SeqCst)
    }

    /// Keeps a record that came by another way than the queue, which is before all that is in it.
    pub(super) fn stash(&self, message: &BorrowedMessage<'_>) {
        self.cursor.lock().stash.push_back(wire::incoming(message));
    }

    pub(super) fn rewind(&self, offset: u64) {
        let mut cursor = self.cursor.lock();
        if cursor.next != Some(offset) || !cursor.stash.is_empty() {
            cursor.seeking = Some(offset);
        }
    }

    pub(super) fn seeking(&self) -> Option<u64> {
        self.cursor.lock().seeking
    }

    /// The client has moved to this offset. What it fetched from elsewhere never comes.
    pub(super) fn sought(&self, offset: u64) -> bool {
        let mut cursor = self.cursor.lock();
        if cursor.seeking != Some(offset) {
            return false;
        }
        cursor.seeking = None;
        cursor.stash.clear();
        cursor.next = Some(offset);
        self.hungry.swap(false, Ordering::SeqCst)
    }

    pub(super) fn extent(&self) -> (u64, u64) {
        (self.start.load(Ordering::Relaxed), self.end.load(Ordering::Relaxed))
    }

    /// Notes what the client has seen of the partition's ends.
    pub(super) fn note_extent(&self, start: i64, end: i64) {
        if let (Ok(start), Ok(end)) = (u64::try_from(start), u64::try_from(end)) {
            self.start.fetch_max(start, Ordering::Relaxed);
            self.end.fetch_max(end, Ordering::Relaxed);
        }
    }
}

impl Cursor {
    fn take_stash(&mut self, limit: ReadLimit) -> Vec<StoredRecord> {
        let mut bytes = 0;
        let mut fits = 0;
        for stored in self.stash.iter().take(limit.records.max(1)) {
            bytes += stored.record.size_bytes() as usize;
            if fits > 0 && bytes > limit.bytes {
                break;
            }
            fits += 1;
        }
        let taken: Vec<_> = self.stash.drain(..fits).collect();
        self.next = taken.last().map(|last| last.offset + 1);
        taken
    }

    fn take_queue(&mut self, limit: ReadLimit, hungry: &AtomicBool) -> Vec<StoredRecord> {
        let Some(queue) = &self.queue else { return Vec::new() };
        let mut batch = Batch::default();
        while batch.records() < limit.records.max(1) {
            let Some(found) = poll(queue, hungry) else { break };
            // An error is told to the context too, which says so; the client goes on by itself.
            let Ok(message) = found else { continue };
            let fits = batch.size_bytes() + batch::size_bytes(&message) <= limit.bytes;
            if batch.records() > 0 && !fits {
                self.stash.push_back(wire::incoming(&message));
                break;
            }
            batch.push(&message);
        }
        batch.finish()
    }
}

/// Hunger is told before the last look, so that what comes between the two is not missed.
fn poll<'a>(queue: &'a Queue, hungry: &AtomicBool) -> Option<KafkaResult<BorrowedMessage<'a>>> {
    if let Some(found) = queue.poll(Duration::ZERO) {
        return Some(found);
    }
    hungry.store(true, Ordering::SeqCst);
    let found = queue.poll(Duration::ZERO)?;
    hungry.store(false, Ordering::SeqCst);
    Some(found)
}
