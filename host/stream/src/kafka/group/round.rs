//! The records of one transaction on their way to the brokers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use parking_lot::{Condvar, Mutex};
use rdkafka::types::RDKafkaErrorCode;

/// The records of one transaction on their way.
pub(super) struct Round {
    left: AtomicUsize,
    failed: Mutex<Option<RDKafkaErrorCode>>,
    settled: Condvar,
}

/// One portion of a transaction on its way.
pub(super) struct Ticket {
    round: Arc<Round>,
    /// The lowest offset that one of its records got.
    first: AtomicU64,
}

impl Round {
    /// So many records.
    pub(super) fn of(records: usize) -> Arc<Self> {
        Arc::new(Self { left: records.into(), failed: Mutex::new(None), settled: Condvar::new() })
    }

    pub(super) fn tickets(self: &Arc<Self>, count: usize) -> Vec<Arc<Ticket>> {
        let ticket = || Ticket { round: Arc::clone(self), first: AtomicU64::new(u64::MAX) };
        (0..count).map(|_| Arc::new(ticket())).collect()
    }

    fn settle(&self, failed: Option<RDKafkaErrorCode>) {
        let mut first_failure = self.failed.lock();
        *first_failure = first_failure.or(failed);
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 || failed.is_some() {
            self.settled.notify_all();
        }
    }

    /// Waits until all are written or one of them failed; nothing is returned where that takes too long.
    pub(super) fn wait(&self, give_up: Instant) -> Option<Result<(), RDKafkaErrorCode>> {
        let mut failed = self.failed.lock();
        while self.left.load(Ordering::Acquire) > 0 && failed.is_none() {
            if self.settled.wait_until(&mut failed, give_up).timed_out() {
                return None;
            }
        }
        Some(failed.map_or(Ok(()), Err))
    }
}

impl Ticket {
    /// One record of the portion has got this offset.
    pub(super) fn written(&self, offset: i64) {
        let offset = u64::try_from(offset).unwrap_or(u64::MAX);
        self.first.fetch_min(offset, Ordering::AcqRel);
        self.round.settle(None);
    }

    /// One record of the portion is not there.
    pub(super) fn failed(&self, code: RDKafkaErrorCode) {
        self.round.settle(Some(code));
    }

    /// The lowest offset of the portion.
    pub(super) fn first(&self) -> u64 {
        self.first.load(Ordering::Acquire)
    }
}
