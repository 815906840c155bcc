//! What is counted of calls on a stream that several hosts share.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

use super::families::Families;
use super::labels::{ByLabels, EndpointLabels};
use super::saturate;

/// The metrics of the calls of one endpoint. `Clone` gives other handles of the same counters.
#[derive(Debug, Clone)]
pub struct CallMetrics {
    waiting: Gauge,
    answered_here: Counter,
    answered_elsewhere: Counter,
    unanswered: Counter,
    replies_sent: Counter,
    replies_unsent: Counter,
    replies_read: Counter,
    replies_unclaimed: Counter,
}

impl CallMetrics {
    pub(super) fn new(families: &Families, endpoint: &str) -> Self {
        let labels = EndpointLabels { endpoint: endpoint.to_owned() };
        let answered = |by| {
            let labels = ByLabels { endpoint: endpoint.to_owned(), by };
            families.answered_calls.get_or_create_owned(&labels)
        };
        Self {
            waiting: families.waiting_calls.get_or_create_owned(&labels),
            answered_here: answered("this_host"),
            answered_elsewhere: answered("another_host"),
            unanswered: families.unanswered_calls.get_or_create_owned(&labels),
            replies_sent: families.replies_sent.get_or_create_owned(&labels),
            replies_unsent: families.replies_unsent.get_or_create_owned(&labels),
            replies_read: families.replies_read.get_or_create_owned(&labels),
            replies_unclaimed: families.replies_unclaimed.get_or_create_owned(&labels),
        }
    }

    /// Takes note of how many callers wait for what is on the stream.
    pub fn set_waiting(&self, count: usize) {
        self.waiting.set(saturate(count));
    }

    /// Counts callers whose answers this host gave.
    pub fn answered_here(&self, count: u64) {
        self.answered_here.inc_by(count);
    }

    /// Counts callers whose answers another host gave.
    pub fn answered_elsewhere(&self, count: u64) {
        self.answered_elsewhere.inc_by(count);
    }

    /// Counts callers whom nobody brought an answer.
    pub fn unanswered(&self, count: u64) {
        self.unanswered.inc_by(count);
    }

    /// Counts answers that were sent to callers of other hosts.
    pub fn replies_sent(&self, count: u64) {
        self.replies_sent.inc_by(count);
    }

    /// Counts answers that could not be sent to callers of other hosts.
    pub fn replies_unsent(&self, count: u64) {
        self.replies_unsent.inc_by(count);
    }

    /// Counts answers that other hosts sent to callers of this one.
    pub fn replies_read(&self, count: u64) {
        self.replies_read.inc_by(count);
    }

    /// Counts answers of other hosts for which nobody waited any more.
    pub fn replies_unclaimed(&self, count: u64) {
        self.replies_unclaimed.inc_by(count);
    }

    /// Everything that was counted.
    pub fn totals(&self) -> CallTotals {
        CallTotals {
            waiting: u64::try_from(self.waiting.get()).unwrap_or(0),
            answered_here: self.answered_here.get(),
            answered_elsewhere: self.answered_elsewhere.get(),
            unanswered: self.unanswered.get(),
            replies_sent: self.replies_sent.get(),
            replies_unsent: self.replies_unsent.get(),
            replies_read: self.replies_read.get(),
            replies_unclaimed: self.replies_unclaimed.get(),
        }
    }
}

/// What was counted of the calls of one endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallTotals {
    /// Callers who wait now.
    pub waiting: u64,
    /// Callers whose answers this host gave.
    pub answered_here: u64,
    /// Callers whose answers another host gave.
    pub answered_elsewhere: u64,
    /// Callers whom nobody brought an answer.
    pub unanswered: u64,
    /// Answers that were sent to callers of other hosts.
    pub replies_sent: u64,
    /// Answers that could not be sent to them.
    pub replies_unsent: u64,
    /// Answers that other hosts sent to callers of this one.
    pub replies_read: u64,
    /// Answers of other hosts for which nobody waited any more.
    pub replies_unclaimed: u64,
}
