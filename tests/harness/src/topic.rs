//! The topics of a host, read as files: while it runs, and after it has ended.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use stream::{EmbeddedStream, ReadLimit, StoredRecord, Stream as _, TopicOptions};

const READ_LIMIT: ReadLimit = ReadLimit { records: 4096, bytes: 16 << 20 };

/// A record of a topic.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its number in the topic.
    pub offset: u64,
    /// When it was made, in microseconds since 1970.
    pub time_us: u64,
    /// Its headers.
    pub headers: BTreeMap<String, String>,
    /// What it says, as JSON; a text where it is none.
    pub value: Value,
    /// What it says, byte for byte.
    pub bytes: Vec<u8>,
}

impl Record {
    /// The header `id`.
    ///
    /// # Panics
    ///
    /// Where there is none.
    pub fn id(&self) -> &str {
        self.headers.get("id").unwrap_or_else(|| panic!("no id in {self:?}"))
    }
}

/// Reads all that a topic of an endpoint holds. A topic that is not there holds nothing.
///
/// # Panics
///
/// Where it cannot be read.
pub fn read_topic(data: &Path, endpoint: &str, topic: &str) -> Vec<Record> {
    read_topic_from(data, endpoint, topic, 0)
}

/// Reads what a topic of an endpoint holds from an offset on.
///
/// # Panics
///
/// Where it cannot be read.
pub fn read_topic_from(data: &Path, endpoint: &str, topic: &str, from: u64) -> Vec<Record> {
    let stream = match EmbeddedStream::open_read_only(data.join("stream")) {
        Ok(stream) => stream,
        Err(error) => panic!("the stream of {}: {error}", data.display()),
    };
    let name = format!("{endpoint}/{topic}");
    if !stream.topics().expect("a list of topics").contains(&name) {
        return Vec::new();
    }
    let partition = stream.open(&name, &TopicOptions::default()).expect("a topic");
    let mut next = partition.watermarks().start.max(from);
    let mut records = Vec::new();
    loop {
        let read = partition.read(next, READ_LIMIT).expect("records");
        let Some(last) = read.last() else { return records };
        next = last.offset + 1;
        records.extend(read.iter().map(record));
    }
}

fn record(stored: &StoredRecord) -> Record {
    let record = &stored.record;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Record {
        offset: stored.offset,
        time_us: record.time.as_us(),
        headers: record
            .headers
            .iter()
            .map(|(name, value)| (name.to_owned(), text(value)))
            .collect(),
        bytes: record.value.to_vec(),
        value: serde_json::from_slice(&record.value)
            .unwrap_or_else(|_| Value::String(text(&record.value))),
    }
}
