//! Counters of one family, looked up once each and only when they first count.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::OnceLock;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

/// Counters by index: of a reason, a class, a status.
///
/// Most models never fault in most ways; a counter that never counts is not there to be scraped.
#[derive(Debug)]
pub(super) struct Slots<L> {
    family: Family<L, Counter>,
    slots: Box<[OnceLock<Counter>]>,
}

impl<L: Clone + Hash + Eq + Debug> Slots<L> {
    /// Room for `count` counters of `family`.
    pub(super) fn new(family: Family<L, Counter>, count: usize) -> Self {
        Self { family, slots: (0..count).map(|_| OnceLock::new()).collect() }
    }

    /// Adds to a counter, which has these labels.
    pub(super) fn add(&self, index: usize, count: u64, labels: impl FnOnce() -> L) {
        if count > 0 {
            let counter = || self.family.get_or_create_owned(&labels());
            self.slots[index].get_or_init(counter).inc_by(count);
        }
    }

    /// What a counter has counted.
    pub(super) fn get(&self, index: usize) -> u64 {
        self.slots[index].get().map_or(0, Counter::get)
    }

    /// What all counters have counted.
    pub(super) fn sum(&self) -> u64 {
        (0..self.slots.len()).map(|index| self.get(index)).sum()
    }
}
