//! How things are measured: two at a time, in turns, and the median of the turns.
//!
//! The machine is never the same for long. Two things that take turns meet the same machine, and a
//! median forgets the turns in which it did something else.

use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};

/// The values of two things that took turns.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    ours: Vec<f64>,
    reference: Vec<f64>,
}

impl Turns {
    /// Adds the values of one round.
    pub(crate) fn push(&mut self, ours: f64, reference: f64) {
        self.ours.push(ours);
        self.reference.push(reference);
    }

    /// The median of the first.
    pub(crate) fn ours(&self) -> f64 {
        median(&self.ours)
    }

    /// The median of the other.
    pub(crate) fn reference(&self) -> f64 {
        median(&self.reference)
    }
}

/// The value in the middle.
///
/// # Panics
///
/// Where there is none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    } else {
        sorted[middle]
    }
}

/// How many a second that is.
pub(crate) fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// How long something takes.
pub(crate) fn time(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed())
}

/// The time that the processor has spent on this thread.
pub(crate) fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Latencies, by the nanosecond and with three digits.
#[derive(Debug, Clone)]
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Self {
        Self(Histogram::new(3).expect("invariant: three digits are allowed"))
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        let latency_ns = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.0.record(latency_ns).expect("invariant: the histogram grows with its values");
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.0 += &other.0;
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    pub(crate) fn quantile_us(&self, quantile: f64) -> f64 {
        self.0.value_at_quantile(quantile) as f64 / 1e3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_or_between_two() {
        assert_eq!(median(&[3.0, 1.0, 100.0]), 3.0);
        assert_eq!(median(&[4.0, 1.0, 3.0, 100.0]), 3.5);
    }

    #[test]
    fn latencies_add_up() {
        let (mut all, mut more) = (Latencies::new(), Latencies::new());
        (1..=98).for_each(|us| all.record(Duration::from_micros(us)));
        (0..2).for_each(|_| more.record(Duration::from_millis(1)));
        all.add(&more);
        assert_eq!(all.count(), 100);
        assert!((all.quantile_us(0.5) - 50.0).abs() < 0.1);
        assert!((all.quantile_us(0.99) - 1000.0).abs() < 1.0);
    }
}
