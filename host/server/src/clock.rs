//! The one place where the host reads the wall clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use message::Time;

/// The time now.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_us(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

/// The moment at which `time` will be, as seen at `now`: what a wait can be bounded by.
pub(crate) fn moment_of(time: Time, now: Time) -> Instant {
    Instant::now() + time.since(now)
}

/// A time as people read it, in UTC: `2013-01-01 05:15:00.000`.
///
/// The civil date is worked out as in Howard Hinnant's "chrono-compatible low-level date
/// algorithms", `civil_from_days`.
pub(crate) fn shown(time: Time) -> String {
    let (seconds, milliseconds) = (time.as_us() / 1_000_000, time.as_us() / 1_000 % 1_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    let second = second % 60;
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{milliseconds:03}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_dates() {
        let check = |us, expected: &str| assert_eq!(shown(Time::from_us(us)), expected);
        check(0, "1970-01-01 00:00:00.000");
        check(951_782_400_123_456, "2000-02-29 00:00:00.123");
        check(1_357_017_300_000_000, "2013-01-01 05:15:00.000");
        check(1_388_534_399_999_999, "2013-12-31 23:59:59.999");
    }
}
