//! How the records of an endpoint are kept.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::units::{self, Size, Span, Text};

/// How the records of an endpoint are kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StreamConfig {
    /// When records are on the disk for certain: `none` (when the system likes), `each` (before
    /// anything is acknowledged), or how often, such as `100ms`. Default `100ms`.
    #[schemars(with = "String")]
    pub fsync: Fsync,
    /// The size of a file before the next is begun. Default `64MiB`.
    #[serde(rename = "segment", deserialize_with = "units::text::<Size, _>")]
    #[schemars(with = "Size")]
    pub segment_bytes: u64,
    /// What may be written and not yet on the disk before writers have to wait. Default `64MiB`.
    #[serde(rename = "unsynced_limit", deserialize_with = "units::text::<Size, _>")]
    #[schemars(with = "Size")]
    pub unsynced_limit_bytes: u64,
    /// The largest record. Default `16MiB`.
    #[serde(rename = "record_limit", deserialize_with = "units::text::<Size, _>")]
    #[schemars(with = "Size")]
    pub record_limit_bytes: u64,
    /// What is thrown away.
    pub retention: Retention,
}

/// What records are thrown away.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Records older than this go. Default `7d`.
    #[serde(deserialize_with = "units::optional::<Span, _>")]
    #[schemars(with = "Option<Span>")]
    pub age: Option<Duration>,
    /// The oldest records go when a topic is larger than this. Default `4GiB`.
    #[serde(rename = "size", deserialize_with = "units::optional::<Size, _>")]
    #[schemars(with = "Option<Size>")]
    pub size_bytes: Option<u64>,
    /// The same, and without regard for readers that have not come so far. Default `8GiB`.
    #[serde(rename = "hard_size", deserialize_with = "units::optional::<Size, _>")]
    #[schemars(with = "Option<Size>")]
    pub hard_size_bytes: Option<u64>,
}

/// When records are on the disk for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fsync {
    /// When the operating system likes.
    None,
    /// When this time has passed since the last.
    Interval(Duration),
    /// When they are acknowledged.
    Each,
}

impl Default for StreamConfig {
    fn default() -> Self {
        Self {
            fsync: Fsync::Interval(Duration::from_millis(100)),
            segment_bytes: 64 << 20,
            unsynced_limit_bytes: 64 << 20,
            record_limit_bytes: 16 << 20,
            retention: Retention::default(),
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            age: Some(Duration::from_secs(7 * 86_400)),
            size_bytes: Some(4 << 30),
            hard_size_bytes: Some(8 << 30),
        }
    }
}

impl<'de> Deserialize<'de> for Fsync {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(FsyncVisitor)
    }
}

struct FsyncVisitor;

impl Visitor<'_> for FsyncVisitor {
    type Value = Fsync;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"none\", \"each\" or a duration such as \"100ms\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Fsync, E> {
        match text {
            "none" => Ok(Fsync::None),
            "each" => Ok(Fsync::Each),
            text => Span::parse(text)
                .map(Fsync::Interval)
                .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::document::Document;

    #[test]
    fn fsync_is_a_word_or_an_interval() {
        let fsync = |text: &str| {
            let document = Document::parse(Path::new("s"), text).unwrap();
            document.read::<StreamConfig>().map(|config| config.fsync)
        };
        assert_eq!(fsync("fsync = 'none'"), Ok(Fsync::None));
        assert_eq!(fsync("fsync = 'each'"), Ok(Fsync::Each));
        assert_eq!(fsync("fsync = '1s'"), Ok(Fsync::Interval(Duration::from_secs(1))));
        assert_eq!(
            fsync("fsync = 'always'").unwrap_err().to_string(),
            "s:1: fsync: found \"always\", expected \"none\", \"each\" or a duration such as \
             \"100ms\""
        );
    }
}
