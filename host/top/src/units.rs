//! Numbers as people read them: few digits, a unit, and the same width for what stands in a column.

/// A count with its thousands apart: `1,204`.
pub(crate) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A rate per second: `0`, `0.25`, `7.5`, `1,204`. What is not known is a dash.
pub(crate) fn rate(rate: f64) -> String {
    match rate {
        rate if !rate.is_finite() => "–".to_owned(),
        rate if rate < 0.005 => "0".to_owned(),
        rate if rate < 0.995 => format!("{rate:.2}"),
        rate if rate < 9.95 => format!("{rate:.1}"),
        rate => count(rate.round() as u64),
    }
}

/// Microseconds as milliseconds, with two digits behind the point so that points stand in line.
pub(crate) fn millis(us: Option<u64>) -> String {
    us.map_or_else(|| "–".to_owned(), |us| format!("{:.2}", us as f64 / 1e3))
}

/// Milliseconds that are not exact: `0.42`, `7.3`, `50`.
pub(crate) fn short_millis(ms: f64) -> String {
    match ms {
        ms if !ms.is_finite() => "–".to_owned(),
        ms if ms < 1.0 => format!("{ms:.2}"),
        ms if ms < 10.0 => format!("{ms:.1}"),
        ms => count(ms.round() as u64),
    }
}

/// A share of one: `92.1%`. What is there but small does not look like nothing.
pub(crate) fn percent(share: f64) -> String {
    match share {
        share if !share.is_finite() => "–".to_owned(),
        share if share <= 0.0 => "0%".to_owned(),
        share if share < 0.001 => "<0.1%".to_owned(),
        share => format!("{:.1}%", share * 100.0),
    }
}

/// Bytes in the unit that suits: `812 KiB`, `12.4 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(unit > 1 && size < 99.95);
    format!("{size:.digits$} {}", UNITS[unit])
}

/// A time that has passed: `8 s`, `2 min`, `3 h`, `12 d`.
pub(crate) fn age(seconds: f64) -> String {
    match seconds.max(0.0) {
        seconds if seconds < 100.0 => format!("{seconds:.0} s"),
        seconds if seconds < 6_000.0 => format!("{:.0} min", seconds / 60.0),
        seconds if seconds < 172_800.0 => format!("{:.0} h", seconds / 3_600.0),
        seconds => format!("{:.0} d", seconds / 86_400.0),
    }
}

/// A moment in UTC: `11-21 17:05:09`. The year goes without saying.
pub(crate) fn moment(time_us: u64) -> String {
    let seconds = time_us / 1_000_000;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days are counted in years that begin with March, of which only the last can be longer
    // (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    let shifted = days + 719_468;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let counts = [0, 999, 1_000, 1_234_567].map(count);
        assert_eq!(counts, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn a_rate_has_the_digits_that_matter() {
        let rates = [0.0, 0.25, 0.999, 7.52, 9.97, 1_203.6, f64::NAN].map(rate);
        assert_eq!(rates, ["0", "0.25", "1.0", "7.5", "10", "1,204", "–"]);
    }

    #[test]
    fn times_are_in_milliseconds() {
        assert_eq!([Some(410), Some(50_000), None].map(millis), ["0.41", "50.00", "–"]);
        assert_eq!([0.423, 7.31, 1_250.0].map(short_millis), ["0.42", "7.3", "1,250"]);
    }

    #[test]
    fn a_small_share_is_not_nothing() {
        assert_eq!([0.0, 0.0004, 0.921, 1.0].map(percent), ["0%", "<0.1%", "92.1%", "100.0%"]);
    }

    #[test]
    fn bytes_have_the_unit_that_suits() {
        let sizes = [0, 812 << 10, 13 << 20, 400 << 20, 3 << 40].map(bytes);
        assert_eq!(sizes, ["0 B", "812 KiB", "13.0 MiB", "400 MiB", "3.0 TiB"]);
    }

    #[test]
    fn a_moment_is_a_date_and_a_time() {
        // 2024-02-29 12:34:56, 1970-01-01, and 2026-12-31 23:59:59 in UTC.
        let moments = [1_709_210_096, 0, 1_798_761_599].map(|seconds| moment(seconds * 1_000_000));
        assert_eq!(moments, ["02-29 12:34:56", "01-01 00:00:00", "12-31 23:59:59"]);
    }

    #[test]
    fn an_age_has_one_unit() {
        assert_eq!([8.2, 150.0, 7_200.0, 1e6].map(age), ["8 s", "2 min", "2 h", "12 d"]);
    }
}
