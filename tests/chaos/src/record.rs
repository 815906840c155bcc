//! Records as the check looks at them.

use std::fmt;

/// A record of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// In which partition it is.
    pub partition: u32,
    /// Where it is there.
    pub offset: u64,
    /// When it was made, in ms since 1970.
    pub time_ms: i64,
    /// Its key, if any.
    pub key: Option<Vec<u8>>,
    /// Its headers in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// What it says.
    pub value: Vec<u8>,
}

/// Where a record of a request is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The topic, by the name that hosts have for it.
    pub topic: String,
    /// The partition of the topic.
    pub partition: u32,
    /// The offset in the partition.
    pub offset: u64,
}

impl Record {
    /// The last header of this name, where it is a text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().rev().find(|(found, _)| found == name);
        found.and_then(|(_, value)| str::from_utf8(value).ok())
    }

    /// The last header of this name, where it is a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.header(name)?.parse().ok()
    }

    /// The headers as the readers of hosts take them.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// The value as a text, for people.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.value).into_owned()
    }
}

impl Place {
    /// The place that headers name: a topic, of which `topics/` may have been left out, and where there.
    pub fn named(topic: &str, partition: u32, offset: u64) -> Self {
        Self { topic: bare(topic).to_owned(), partition, offset }
    }

    /// The partition as headers name it, such as `flights/requests/3`.
    pub fn source(&self) -> String {
        format!("{}/{}", self.topic, self.partition)
    }
}

/// The name of a topic without what hosts put before the name of one that is no endpoint's.
pub(crate) fn bare(topic: &str) -> &str {
    topic.strip_prefix("topics/").unwrap_or(topic)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{}", self.topic, self.partition, self.offset)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value)));
        let headers = headers.collect::<Vec<_>>().join(" ");
        let key = self.key.as_ref().map(|key| String::from_utf8_lossy(key).into_owned());
        let (partition, offset, time_ms, text) =
            (self.partition, self.offset, self.time_ms, self.text());
        write!(f, "{time_ms} {partition}@{offset} key={key:?} [{headers}] {text}")
    }
}
