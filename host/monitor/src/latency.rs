//! Quantiles of the latencies of the last few seconds.
//!
//! A ring of histograms, one for each slice of time: the oldest is cleared and reused, so that a
//! quiet night does not hide a slow morning. Values are exact to two digits.

use std::time::Duration;

use hdrhistogram::Histogram;
use message::Time;

/// What is longer counts as this long.
const LONGEST_US: u64 = 100_000_000;
const SIGNIFICANT_DIGITS: u8 = 2;

/// The latencies of the last few seconds, in bounded memory: at most 12 KiB for each slice.
#[derive(Debug, Clone)]
pub struct Latency {
    slices: Vec<Slice>,
    slice_us: u64,
}

#[derive(Debug, Clone)]
struct Slice {
    /// Which slice of time it is, counted from 1970.
    number: u64,
    latencies_us: Histogram<u32>,
}

/// How the latencies are distributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quantiles {
    /// How many there were.
    pub count: u64,
    /// Half of them were no longer.
    pub latency_us_p50: u64,
    /// Ninety-nine of a hundred were no longer.
    pub latency_us_p99: u64,
    /// None was longer.
    pub latency_us_max: u64,
}

impl Latency {
    /// No latencies yet; they will be kept for `slices` times the length of a slice.
    pub fn new(slice: Duration, slices: usize) -> Self {
        let latencies_us =
            Histogram::new(SIGNIFICANT_DIGITS).expect("invariant: two digits are allowed");
        let slice_us = u64::try_from(slice.as_micros()).unwrap_or(u64::MAX).max(1);
        Self { slices: vec![Slice { number: 0, latencies_us }; slices.max(1)], slice_us }
    }

    /// Takes note of a latency, at the time when it was known.
    pub fn record(&mut self, now: Time, latency: Duration) {
        let number = now.as_us() / self.slice_us;
        let index = (number % self.slices.len() as u64) as usize;
        let slice = &mut self.slices[index];
        if slice.number != number {
            slice.number = number;
            slice.latencies_us.reset();
        }
        let latency_us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        let recorded = slice.latencies_us.record(latency_us.clamp(1, LONGEST_US));
        recorded.expect("invariant: a histogram that resizes takes all");
    }

    /// The distribution of what is recent at a time.
    pub fn quantiles(&self, now: Time) -> Quantiles {
        let newest = now.as_us() / self.slice_us;
        let length = self.slices.len() as u64;
        let recent = |slice: &&Slice| slice.number <= newest && newest - slice.number < length;
        let mut all: Histogram<u32> =
            Histogram::new(SIGNIFICANT_DIGITS).expect("invariant: two digits are allowed");
        for slice in self.slices.iter().filter(recent) {
            all.add(&slice.latencies_us).expect("invariant: a histogram that resizes takes all");
        }
        Quantiles {
            count: all.len(),
            latency_us_p50: all.value_at_quantile(0.5),
            latency_us_p99: all.value_at_quantile(0.99),
            latency_us_max: all.max(),
        }
    }
}

impl Default for Latency {
    /// Ten seconds, in slices of two.
    fn default() -> Self {
        Self::new(Duration::from_secs(2), 5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_us(1_700_000_000_000_000 + seconds * 1_000_000)
    }

    #[test]
    fn quantiles_are_exact_to_two_digits() {
        let mut latency = Latency::default();
        for us in 1..=10_000 {
            latency.record(at(0), Duration::from_micros(us));
        }
        let quantiles = latency.quantiles(at(0));
        assert_eq!(quantiles.count, 10_000);
        assert!(quantiles.latency_us_p50.abs_diff(5_000) <= 50, "{quantiles:?}");
        assert!(quantiles.latency_us_p99.abs_diff(9_900) <= 99, "{quantiles:?}");
        assert!(quantiles.latency_us_max.abs_diff(10_000) <= 100, "{quantiles:?}");
    }

    #[test]
    fn what_is_old_is_forgotten_slice_by_slice() {
        let mut latency = Latency::default();
        for second in 0..10 {
            latency.record(at(second), Duration::from_millis(1));
        }
        assert_eq!(latency.quantiles(at(9)).count, 10);
        assert_eq!(latency.quantiles(at(10)).count, 8);
        assert_eq!(latency.quantiles(at(17)).count, 2);
        assert_eq!(latency.quantiles(at(1_000)), Quantiles::default());
        latency.record(at(1_000), Duration::from_millis(1));
        assert_eq!(latency.quantiles(at(1_000)).count, 1);
    }

    #[test]
    fn a_clock_that_jumps_back_forgets_what_is_ahead() {
        let mut latency = Latency::default();
        latency.record(at(100), Duration::from_millis(1));
        assert_eq!(latency.quantiles(at(50)).count, 0);
        latency.record(at(50), Duration::from_millis(1));
        assert_eq!(latency.quantiles(at(50)).count, 1);
    }

    #[test]
    fn memory_stays_within_its_bound() {
        let mut latency = Latency::default();
        for us in [0, 1, 1_000, u64::MAX] {
            latency.record(at(0), Duration::from_micros(us));
        }
        let slice = &latency.slices.iter().find(|slice| !slice.latencies_us.is_empty()).unwrap();
        assert!(slice.latencies_us.distinct_values() * size_of::<u32>() <= 12 << 10);
        assert!(latency.quantiles(at(0)).latency_us_max.abs_diff(LONGEST_US) <= LONGEST_US / 100);
    }
}
