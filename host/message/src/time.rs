//! Points in time, made by hand: `std::time::Instant` cannot be, and the core has no clock.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A point in time, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(u64);

impl Time {
    /// The beginning of 1970.
    pub const EPOCH: Self = Self(0);
    /// Later than any other time.
    pub const NEVER: Self = Self(u64::MAX);

    /// The time that is `us` microseconds after the beginning of 1970.
    pub const fn from_us(us: u64) -> Self {
        Self(us)
    }

    /// Microseconds since the beginning of 1970.
    pub const fn as_us(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was, or nothing at all if it lies ahead.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(us))
    }
}

impl Sub<Duration> for Time {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(us))
    }
}
