//! What is counted of an endpoint that is fed by a topic.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use monitor::FlowMetrics;
use parking_lot::Mutex;
use serde_json::{Value, json};

/// Counts for the flow of one endpoint.
pub(crate) struct FlowMeter {
    metrics: FlowMetrics,
    next_offset: AtomicU64,
    lag: AtomicU64,
    returned: AtomicU64,
    dead_letters: Mutex<BTreeMap<&'static str, u64>>,
    /// Why nothing is read, if so.
    problem: Mutex<Option<String>>,
}

impl FlowMeter {
    pub(super) fn new(metrics: FlowMetrics) -> Self {
        Self {
            metrics,
            next_offset: AtomicU64::new(0),
            lag: AtomicU64::new(0),
            returned: AtomicU64::new(0),
            dead_letters: Mutex::default(),
            problem: Mutex::default(),
        }
    }

    /// Takes note of the next record that will be read, and of where the source ends.
    pub(crate) fn set_position(&self, next: u64, end: u64) {
        let lag = end.saturating_sub(next);
        self.next_offset.store(next, Ordering::Relaxed);
        self.lag.store(lag, Ordering::Relaxed);
        self.metrics.set_lag(lag);
    }

    /// Counts a record that is no request.
    pub(crate) fn count_dead_letter(&self, class: &'static str) {
        self.metrics.buried(class);
        *self.dead_letters.lock().entry(class).or_default() += 1;
    }

    /// Counts answers that were written to other topics.
    pub(crate) fn count_returned(&self, count: u64) {
        self.metrics.returned(count);
        self.returned.fetch_add(count, Ordering::Relaxed);
    }

    /// Takes note of why nothing is read, or that all is well. Returns whether that is news.
    pub(crate) fn set_problem(&self, problem: Option<String>) -> bool {
        let mut known = self.problem.lock();
        let is_news = *known != problem;
        *known = problem;
        is_news
    }

    /// Everything, for people.
    pub(crate) fn report(&self, source: Option<&str>) -> Value {
        json!({
            "source": source,
            "next_offset": self.next_offset.load(Ordering::Relaxed),
            "lag": self.lag.load(Ordering::Relaxed),
            "returned": self.returned.load(Ordering::Relaxed),
            "dead_letters": *self.dead_letters.lock(),
            "problem": *self.problem.lock(),
        })
    }
}
