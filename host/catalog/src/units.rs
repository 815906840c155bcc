//! Durations, sizes, names and counts as they are written in files: `"30ms"`, `"64MiB"`, `"gbdt"`.
//!
//! Each is a type without values, which names what it reads; the configuration holds the plain
//! `Duration` or number. A bare number is refused: it would not say its unit.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::time::Duration;

use message::{ModelName, Time};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, SeqAccess, Unexpected, Visitor};
use toml::value::{Datetime, Offset};

use crate::document::DATE;

/// The longest name of an endpoint, a tenant or a model, in bytes.
const NAME_LIMIT_BYTES: usize = 100;

/// Something that is written as text and means a value.
pub(crate) trait Text {
    type Value;
    /// Completes "expected …".
    const EXPECTED: &'static str;
    const NAME: &'static str;
    const PATTERN: &'static str;
    fn parse(text: &str) -> Option<Self::Value>;
}

/// Reads a text that must be there.
pub(crate) fn text<'de, T: Text, D: Deserializer<'de>>(from: D) -> Result<T::Value, D::Error> {
    from.deserialize_str(TextVisitor::<T>(PhantomData))
}

/// Reads a text that may be left out; to be used with `#[serde(default)]`.
pub(crate) fn optional<'de, T: Text, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<T::Value>, D::Error> {
    text::<T, D>(from).map(Some)
}

/// Reads an array of texts.
pub(crate) fn list<'de, T: Text, D: Deserializer<'de>>(from: D) -> Result<Vec<T::Value>, D::Error> {
    from.deserialize_seq(ListVisitor::<T>(PhantomData))
}

/// Reads a number of things, at least one.
pub(crate) fn count<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    from.deserialize_u64(CountVisitor)
}

/// Reads a number of things that may be left out; to be used with `#[serde(default)]`.
pub(crate) fn optional_count<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<usize>, D::Error> {
    count(from).map(Some)
}

/// Reads a weight, which may be 0.
pub(crate) fn weight<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    from.deserialize_f64(WeightVisitor { zero: true })
}

/// Reads a weight above 0.
pub(crate) fn positive_weight<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    from.deserialize_f64(WeightVisitor { zero: false })
}

/// Reads a point in time.
pub(crate) fn instant<'de, D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
    from.deserialize_newtype_struct(DATE, TextVisitor::<Instant>(PhantomData))
}

/// The least weight above 0. It keeps the quotients of weights far from the ends of the numbers.
pub(crate) const LEAST_WEIGHT: f64 = 1e-6;
/// The largest weight.
pub(crate) const LARGEST_WEIGHT: f64 = 1e9;

/// A point in time, with its offset from UTC.
pub(crate) struct Instant;

impl Text for Instant {
    type Value = Time;
    const EXPECTED: &'static str =
        "a point in time since 1970 with its offset such as 2026-11-21T00:00:00Z";
    const NAME: &'static str = "Instant";
    const PATTERN: &'static str = "";

    fn parse(text: &str) -> Option<Time> {
        let Datetime { date, time, offset } = text.parse().ok()?;
        let (date, time) = (date?, time?);
        let offset_minutes = match offset? {
            Offset::Z => 0,
            Offset::Custom { minutes } => i64::from(minutes),
        };
        let days = days_since_1970(date.year.into(), date.month.into(), date.day.into());
        let minutes = days * 1440 + i64::from(time.hour) * 60 + i64::from(time.minute);
        let seconds = (minutes - offset_minutes) * 60 + i64::from(time.second.unwrap_or(0));
        let us = seconds * 1_000_000 + i64::from(time.nanosecond.unwrap_or(0) / 1000);
        u64::try_from(us).ok().map(Time::from_us)
    }
}

impl JsonSchema for Instant {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Self::NAME.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// A point in time as TOML has it, to the second.
pub(crate) fn date_of(time: Time) -> String {
    let seconds = time.as_us() / 1_000_000;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (mut year, mut left) = (1970_u64, days);
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    while left >= 365 + u64::from(is_leap(year)) {
        left -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    let day = left + 1;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Days of the Gregorian calendar since the first of January 1970.
///
/// Counts years from March, so that a leap day is the last of its year.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    const DAYS_BEFORE_1970: i64 = 719_468;
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    365 * year + leap_days + day_of_year - DAYS_BEFORE_1970
}

/// A length of time.
pub(crate) struct Span;

impl Text for Span {
    type Value = Duration;
    const EXPECTED: &'static str =
        "a duration such as \"500us\", \"30ms\", \"2s\", \"5min\", \"1h\" or \"7d\"";
    const NAME: &'static str = "Duration";
    const PATTERN: &'static str = "^[0-9]+ ?(us|ms|s|min|h|d)$";

    fn parse(text: &str) -> Option<Duration> {
        let (number, unit) = number_and_unit(text)?;
        let unit_us = match unit {
            "us" => 1,
            "ms" => 1_000,
            "s" => 1_000_000,
            "min" => 60_000_000,
            "h" => 3_600_000_000,
            "d" => 86_400_000_000,
            _ => return None,
        };
        number.checked_mul(unit_us).filter(|us| *us > 0).map(Duration::from_micros)
    }
}

/// A number of bytes.
pub(crate) struct Size;

impl Text for Size {
    type Value = u64;
    const EXPECTED: &'static str = "a size such as \"512B\", \"64KiB\", \"64MiB\" or \"1GiB\"";
    const NAME: &'static str = "Size";
    const PATTERN: &'static str = "^[0-9]+ ?(B|KiB|MiB|GiB|TiB)$";

    fn parse(text: &str) -> Option<u64> {
        let (number, unit) = number_and_unit(text)?;
        let shift = match unit {
            "B" => 0,
            "KiB" => 10,
            "MiB" => 20,
            "GiB" => 30,
            "TiB" => 40,
            _ => return None,
        };
        number.checked_mul(1 << shift).filter(|bytes| *bytes > 0)
    }
}

/// The name of a token or a tenant.
pub(crate) struct Label;

impl Text for Label {
    type Value = String;
    const EXPECTED: &'static str = Name::EXPECTED;
    const NAME: &'static str = "Label";
    const PATTERN: &'static str = Name::PATTERN;

    fn parse(text: &str) -> Option<String> {
        is_name(text).then(|| text.to_owned())
    }
}

/// A SHA-256.
pub(crate) struct Digest;

impl Text for Digest {
    type Value = [u8; 32];
    const EXPECTED: &'static str = "\"sha256:\" and 64 hexadecimal digits";
    const NAME: &'static str = "Digest";
    const PATTERN: &'static str = "^sha256:[0-9a-fA-F]{64}$";

    fn parse(text: &str) -> Option<[u8; 32]> {
        let digits = text.strip_prefix("sha256:").filter(|digits| digits.len() == 64)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
        let mut digest = [0; 32];
        for (byte, pair) in digest.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(digest)
    }
}

/// A share of a whole, from 0 to 1.
pub(crate) struct Share;

impl Text for Share {
    type Value = f64;
    const EXPECTED: &'static str = "a share from \"0%\" to \"100%\", such as \"0.1%\"";
    const NAME: &'static str = "Share";
    const PATTERN: &'static str = "^[0-9]+(\\.[0-9]+)? ?%$";

    fn parse(text: &str) -> Option<f64> {
        let number = text.strip_suffix('%')?;
        let number = number.strip_suffix(' ').unwrap_or(number);
        let plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
        let percent: f64 = number.bytes().all(plain).then(|| number.parse().ok())??;
        (percent <= 100.0).then_some(percent / 100.0)
    }
}

/// The name of a model.
pub(crate) struct Name;

impl Text for Name {
    type Value = ModelName;
    const EXPECTED: &'static str = "letters, digits, \".\", \"_\" and \"-\", at most 100, \
                                    not starting with \".\"";
    const NAME: &'static str = "ModelName";
    const PATTERN: &'static str = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$";

    fn parse(text: &str) -> Option<ModelName> {
        is_name(text).then(|| ModelName::from(text))
    }
}

/// An address to listen on.
pub(crate) struct Address;

impl Text for Address {
    type Value = SocketAddr;
    const EXPECTED: &'static str =
        "an address and a port such as \"127.0.0.1:8000\" or \"[::]:8000\"";
    const NAME: &'static str = "Address";
    const PATTERN: &'static str = "^.+:[0-9]+$";

    fn parse(text: &str) -> Option<SocketAddr> {
        text.parse().ok()
    }
}

/// Whether a text can name an endpoint, a tenant or a model: in a path, a URL and a metric alike.
pub fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !text.is_empty()
        && text.len() <= NAME_LIMIT_BYTES
        && !text.starts_with('.')
        && text.bytes().all(allowed)
}

macro_rules! text_schema {
    ($($text:ty),*) => {$(
        impl schemars::JsonSchema for $text {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                <Self as $crate::units::Text>::NAME.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let pattern = <Self as $crate::units::Text>::PATTERN;
                schemars::json_schema!({ "type": "string", "pattern": pattern })
            }
        }
    )*};
}

pub(crate) use text_schema;

text_schema!(Span, Size, Share, Name, Label, Digest, Address);

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit.strip_prefix(' ').unwrap_or(unit)))
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: Text> Visitor<'_> for TextVisitor<T> {
    type Value = T::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T::Value, E> {
        T::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Text> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array, each {}", T::EXPECTED)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Element::<T>(value)) = elements.next_element()? {
            values.push(value);
        }
        Ok(values)
    }
}

struct Element<T: Text>(T::Value);

impl<'de, T: Text> de::Deserialize<'de> for Element<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        text::<T, D>(from).map(Self)
    }
}

struct CountVisitor;

impl Visitor<'_> for CountVisitor {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 1 to 1000000000")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<usize, E> {
        usize::try_from(number)
            .ok()
            .filter(|count| (1..=1_000_000_000).contains(count))
            .ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }
}

struct WeightVisitor {
    zero: bool,
}

impl Visitor<'_> for WeightVisitor {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.zero { "0 or a number" } else { "a number" })?;
        f.write_str(" from 0.000001 to 1000000000")
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<f64, E> {
        let fits = (LEAST_WEIGHT..=LARGEST_WEIGHT).contains(&number);
        if fits || (self.zero && number == 0.0) {
            // Adding turns -0.0 into 0.0.
            Ok(number + 0.0)
        } else {
            Err(E::invalid_value(Unexpected::Float(number), &self))
        }
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<f64, E> {
        let found = E::invalid_value(Unexpected::Signed(number), &self);
        self.visit_f64::<E>(number as f64).map_err(|_| found)
    }
}

#[cfg(test)]
mod tests;
