//! A bucket of tokens: so many requests a second on average, and some more at once.
//!
//! Time is an argument. A bucket never makes anybody wait: it says how long a wait would be.

use std::time::Duration;

/// A bucket that fills by itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bucket {
    per_second: f64,
    burst: f64,
    level: f64,
    at: Duration,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(per_second: u32, burst: u32) -> Self {
        let burst = f64::from(burst);
        Self { per_second: f64::from(per_second), burst, level: burst, at: Duration::ZERO }
    }

    /// Takes `count` out, all or nothing; `now` is the time since some fixed point.
    ///
    /// # Errors
    /// With the time until there would be enough, if nobody else comes.
    pub(super) fn take(&mut self, now: Duration, count: usize) -> Result<(), Duration> {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.level = (self.level + passed * self.per_second).min(self.burst);
        let short = count as f64 - self.level;
        if short > 0.0 {
            return Err(Duration::from_secs_f64((short / self.per_second).min(3_600.0)));
        }
        self.level -= count as f64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_full_bucket_gives_its_burst_and_then_what_flows_in() {
        let mut bucket = Bucket::new(10, 3);
        assert_eq!(bucket.take(ms(0), 3), Ok(()));
        assert_eq!(bucket.take(ms(0), 1), Err(ms(100)));
        assert_eq!(bucket.take(ms(50), 1), Err(ms(50)));
        assert_eq!(bucket.take(ms(100), 1), Ok(()));
        assert_eq!(bucket.take(ms(100), 1), Err(ms(100)));
    }

    #[test]
    fn a_bucket_never_holds_more_than_its_burst() {
        let mut bucket = Bucket::new(1_000, 2);
        assert_eq!(bucket.take(ms(3_600_000), 3), Err(ms(1)));
        assert_eq!(bucket.take(ms(3_600_000), 2), Ok(()));
        assert!(bucket.take(ms(3_600_000), 1).is_err());
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let mut bucket = Bucket::new(1, 1);
        assert_eq!(bucket.take(ms(5_000), 1), Ok(()));
        assert_eq!(bucket.take(ms(1_000), 1), Err(ms(1_000)));
        assert_eq!(bucket.take(ms(6_000), 1), Ok(()));
    }

    #[test]
    fn over_any_time_no_more_comes_out_than_the_rate_and_one_burst() {
        let mut bucket = Bucket::new(50, 7);
        let (mut now, mut taken, mut state) = (0_u64, 0_u64, 1_u64);
        while now < 60_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
            now += state >> 60;
            let count = (state >> 40) % 4;
            if bucket.take(ms(now), usize::try_from(count).unwrap()).is_ok() {
                taken += count;
            }
            assert!(taken as f64 <= 7.0 + 50.0 * now as f64 / 1e3 + 1e-6, "at {now} ms: {taken}");
        }
        assert!(taken > 2_900, "{taken} of 3,000 were let through");
    }
}
