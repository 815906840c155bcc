//! What the units of configuration files take and refuse.

use super::*;

#[test]
fn durations_and_sizes_name_their_unit() {
    let us = |text| Span::parse(text).map(|duration| duration.as_micros());
    assert_eq!(us("500us"), Some(500));
    assert_eq!(us("30ms"), Some(30_000));
    assert_eq!(us("2 s"), Some(2_000_000));
    assert_eq!(us("5min"), Some(300_000_000));
    assert_eq!(us("7d"), Some(7 * 86_400_000_000));
    assert_eq!(Size::parse("64MiB"), Some(64 << 20));
    assert_eq!(Size::parse("512B"), Some(512));
    assert_eq!(Share::parse("0%"), Some(0.0));
    assert_eq!(Share::parse("0.5 %"), Some(0.005));
    assert_eq!(Share::parse("100%"), Some(1.0));
}

#[test]
fn what_has_no_unit_or_no_meaning_is_refused() {
    for text in ["", "30", "ms", "-1ms", "1.5s", "30 m", "0ms", "99999999999999999999d", "30ms "] {
        assert_eq!(Span::parse(text), None, "{text}");
    }
    for text in ["64", "64MB", "MiB", "0B", "99999999TiB", "64 mib"] {
        assert_eq!(Size::parse(text), None, "{text}");
    }
    for text in ["", "%", "1", "-1%", "101%", "1e1%", "NaN%", "1  %", "."] {
        assert_eq!(Share::parse(text), None, "{text}");
    }
}

#[test]
fn a_point_in_time_has_an_offset() {
    let us = |text| Instant::parse(text).map(Time::as_us);
    assert_eq!(us("1970-01-01T00:00:00Z"), Some(0));
    assert_eq!(us("2000-02-29T12:30:00.25Z"), Some(951_827_400_250_000));
    assert_eq!(us("2000-02-29T14:30:00+02:00"), Some(951_827_400_000_000));
    assert_eq!(us("2026-11-21 00:00:00Z"), Some(1_795_219_200_000_000));
    for text in ["", "2026-11-21", "12:30:00", "2026-11-21T00:00:00", "1969-12-31T23:59:59Z"] {
        assert_eq!(us(text), None, "{text}");
    }
}

#[test]
fn a_date_reads_back_as_it_was_written() {
    for days in (0..80_000).step_by(13) {
        let time = Time::from_us((days * 86_400 + days % 86_400) * 1_000_000);
        assert_eq!(Instant::parse(&date_of(time)), Some(time), "{}", date_of(time));
    }
}

#[test]
fn a_name_fits_a_path_and_a_url() {
    for text in ["gbdt", "logit-2013q1", "a.b_c", "9"] {
        assert!(is_name(text), "{text}");
    }
    let long = "a".repeat(101);
    for text in ["", ".gbdt", "a/b", "a b", "gbdt (1)", "ü", &long] {
        assert!(!is_name(text), "{text}");
    }
}
