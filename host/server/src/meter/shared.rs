//! What is counted of an endpoint whose stream others share.

use std::sync::atomic::{AtomicU64, Ordering};

use monitor::SharingMetrics;
use parking_lot::Mutex;
use serde_json::{Value, json};

/// Counts for the partitions of one endpoint.
pub(crate) struct SharedMeter {
    metrics: SharingMetrics,
    gained: AtomicU64,
    revoked: AtomicU64,
    lost: AtomicU64,
    dropped: AtomicU64,
    fences: AtomicU64,
    void: AtomicU64,
    owned: Mutex<Vec<OwnedPartition>>,
}

/// A partition that is this host's, as it was lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnedPartition {
    /// The topic and the number.
    pub(crate) source: String,
    /// The lowest offset that is not done.
    pub(crate) committed: u64,
    /// The offset behind its last record.
    pub(crate) end: u64,
    /// Under which epoch it is answered.
    pub(crate) epoch: u64,
    /// How many requests wait for their answers, or for those to be kept.
    pub(crate) open: usize,
}

impl OwnedPartition {
    /// How many records are not done.
    pub(crate) const fn lag(&self) -> u64 {
        self.end.saturating_sub(self.committed)
    }
}

impl SharedMeter {
    pub(super) fn new(metrics: SharingMetrics) -> Self {
        let (gained, revoked, lost) = Default::default();
        let (dropped, fences, void, owned) = Default::default();
        Self { metrics, gained, revoked, lost, dropped, fences, void, owned }
    }

    /// Counts partitions that became this host's.
    pub(crate) fn count_gained(&self, count: u64) {
        self.metrics.changed("gained", count);
        self.gained.fetch_add(count, Ordering::Relaxed);
    }

    /// Counts partitions that were handed over.
    pub(crate) fn count_revoked(&self, count: u64) {
        self.metrics.changed("revoked", count);
        self.revoked.fetch_add(count, Ordering::Relaxed);
    }

    /// Counts partitions that were lost without a word.
    pub(crate) fn count_lost(&self, count: u64) {
        self.metrics.changed("lost", count);
        self.lost.fetch_add(count, Ordering::Relaxed);
    }

    /// Counts mailboxes that were given up with their partitions.
    pub(crate) fn count_dropped(&self, count: u64) {
        self.metrics.dropped(count);
        self.dropped.fetch_add(count, Ordering::Relaxed);
    }

    /// Counts fences that were written.
    pub(crate) fn count_fences(&self, count: u64) {
        self.metrics.changed("fenced", count);
        self.fences.fetch_add(count, Ordering::Relaxed);
    }

    /// Counts answers that were found and do not count.
    pub(crate) fn count_void(&self, count: u64) {
        self.metrics.void(count);
        self.void.fetch_add(count, Ordering::Relaxed);
    }

    /// Takes note of what is this host's.
    pub(crate) fn set_owned(&self, owned: Vec<OwnedPartition>) {
        let mut known = self.owned.lock();
        let before = known.iter().map(|it| &*it.source);
        self.metrics.set_owned(before, owned.iter().map(|it| (&*it.source, it.lag())));
        *known = owned;
    }

    /// What is this host's.
    pub(crate) fn owned(&self) -> Vec<OwnedPartition> {
        self.owned.lock().clone()
    }

    /// What happened, each with its word.
    pub(crate) fn counts(&self) -> [(&'static str, u64); 6] {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        [
            ("gained", count(&self.gained)),
            ("revoked", count(&self.revoked)),
            ("lost", count(&self.lost)),
            ("mailboxes_dropped", count(&self.dropped)),
            ("fences", count(&self.fences)),
            ("void_answers", count(&self.void)),
        ]
    }

    /// Everything, for people.
    pub(crate) fn report(&self) -> Value {
        let owned = self.owned().into_iter().map(|owned| {
            json!({
                "partition": owned.source,
                "committed": owned.committed,
                "end": owned.end,
                "lag": owned.lag(),
                "epoch": owned.epoch,
                "open": owned.open,
            })
        });
        let owned: Vec<_> = owned.collect();
        let mut report = json!({ "owned": owned });
        for (name, count) in self.counts() {
            report[name] = json!(count);
        }
        report
    }
}
