//! A histogram of durations without a lock.
//!
//! The one of the client library takes a lock for each observation; lanes of several threads observe
//! the same model. Here an observation is two additions. A scrape may see one of them before the
//! other, which a monotonic sum forgives.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// The upper bounds of the buckets, in microseconds: from a tiny model to a hopeless wait.
const BOUNDS_US: [u64; 20] = [
    5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000,
    500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000,
];

/// Durations by size. `Clone` gives another handle of the same one.
#[derive(Debug, Clone, Default)]
pub(super) struct Durations(Arc<Cells>);

#[derive(Debug, Default)]
struct Cells {
    /// One for each bound, and one for what is longer.
    counts: [AtomicU64; BOUNDS_US.len() + 1],
    sum_ns: AtomicU64,
}

impl Durations {
    /// Counts a duration.
    pub(super) fn observe(&self, duration: Duration) {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.partition_point(|&bound_us| bound_us * 1_000 < ns);
        self.0.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.0.sum_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// The sum of all durations so far.
    pub(super) fn sum(&self) -> Duration {
        Duration::from_nanos(self.0.sum_ns.load(Ordering::Relaxed))
    }
}

impl EncodeMetric for Durations {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let bounds = BOUNDS_US.iter().map(|&us| us as f64 / 1e6).chain([f64::INFINITY]);
        let counts = self.0.counts.iter().map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<_> = bounds.zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(self.sum().as_secs_f64(), count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

impl TypedMetric for Durations {
    const TYPE: MetricType = MetricType::Histogram;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_lands_below_its_bound() {
        let durations = Durations::default();
        let us = [0, 5, 6, 10_000_000, 10_000_001];
        us.into_iter().for_each(|us| durations.observe(Duration::from_micros(us)));
        let counts: Vec<_> =
            durations.0.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        assert_eq!(counts.len(), 21);
        assert_eq!((counts[0], counts[1], counts[19], counts[20]), (2, 1, 1, 1));
        assert_eq!(durations.sum(), Duration::from_micros(20_000_012));
    }
}
