//! A sliding window over calls and the bad ones among them.
//!
//! It counts in ten buckets, so that its memory does not grow with the rate of requests. The oldest
//! tenth is forgotten at once, which is as exact as any rule that reads it needs.

use std::time::Duration;

use message::Time;

const BUCKETS: usize = 10;

/// How many there were, and how many of them were bad.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) all: u64,
    pub(crate) bad: u64,
}

impl Counts {
    /// The share of the bad ones, from 0 to 1; 0 where there was none at all.
    pub(crate) fn bad_share(self) -> f64 {
        self.bad as f64 / self.all.max(1) as f64
    }
}

/// Counts over the last `length`.
#[derive(Debug)]
pub(crate) struct Window {
    bucket: Duration,
    /// The newest comes first.
    buckets: [Counts; BUCKETS],
    newest_start: Time,
}

impl Window {
    pub(crate) fn new(length: Duration) -> Self {
        Self {
            bucket: (length / BUCKETS as u32).max(Duration::from_micros(1)),
            buckets: [Counts::default(); BUCKETS],
            newest_start: Time::EPOCH,
        }
    }

    pub(crate) fn add(&mut self, now: Time, all: u64, bad: u64) {
        self.turn_to(now);
        self.buckets[0].all += all;
        self.buckets[0].bad += bad;
    }

    /// What has been counted in the window that ends `now`.
    pub(crate) fn counts(&mut self, now: Time) -> Counts {
        self.turn_to(now);
        self.buckets.iter().fold(Counts::default(), |sum, bucket| Counts {
            all: sum.all + bucket.all,
            bad: sum.bad + bucket.bad,
        })
    }

    /// Whether something was counted in every tenth of the window.
    pub(crate) fn is_busy(&self) -> bool {
        self.buckets.iter().all(|bucket| bucket.all > 0)
    }

    pub(crate) fn clear(&mut self) {
        self.buckets = [Counts::default(); BUCKETS];
    }

    fn turn_to(&mut self, now: Time) {
        let passed = now.since(self.newest_start).as_micros() / self.bucket.as_micros();
        let Some(passed) = u32::try_from(passed).ok().filter(|&passed| passed < BUCKETS as u32)
        else {
            self.clear();
            self.newest_start = now;
            return;
        };
        self.buckets.rotate_right(passed as usize);
        self.buckets[..passed as usize].fill(Counts::default());
        self.newest_start = self.newest_start + self.bucket * passed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_us(1_000_000_000) + Duration::from_secs(seconds)
    }

    fn check(steps: &[(u64, u64, u64)], now: u64, expected: (u64, u64)) {
        let mut window = Window::new(Duration::from_secs(10));
        for &(second, all, bad) in steps {
            window.add(at(second), all, bad);
        }
        let counts = window.counts(at(now));
        assert_eq!((counts.all, counts.bad), expected, "{steps:?} at {now}");
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        check(&[(0, 5, 1), (9, 2, 2)], 9, (7, 3));
        check(&[(0, 5, 1), (9, 2, 2)], 10, (2, 2));
        check(&[(0, 5, 1), (9, 2, 2)], 19, (0, 0));
        check(&[(0, 5, 1)], 1_000_000, (0, 0));
    }

    #[test]
    fn a_clock_that_is_put_back_loses_nothing() {
        check(&[(5, 5, 1), (2, 1, 1)], 3, (6, 2));
    }

    #[test]
    fn the_share_of_nothing_is_none() {
        assert_eq!(Counts::default().bad_share(), 0.0);
        assert_eq!(Counts { all: 4, bad: 3 }.bad_share(), 0.75);
    }
}
