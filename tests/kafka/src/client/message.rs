//! A record of Kafka as tests look at it.

use rdkafka::message::{BorrowedMessage, Header, Headers as _, OwnedHeaders};
use rdkafka::{Message as _, Timestamp};

/// A record, read or to be written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// Where it is, or is to go; where none is named, the key decides.
    pub partition: Option<i32>,
    /// Where it is in its partition; -1 before it is written.
    pub offset: i64,
    /// Its time in ms, where it has one.
    pub time_ms: Option<i64>,
    /// The key, if any.
    pub key: Option<Vec<u8>>,
    /// The value, if any.
    pub value: Option<Vec<u8>>,
    /// The headers in order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Message {
    /// A record to write with this value.
    pub fn new(value: impl Into<Vec<u8>>) -> Self {
        Self { value: Some(value.into()), offset: -1, ..Self::default() }
    }

    /// The same with a key.
    #[must_use]
    pub fn key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The same for this partition.
    #[must_use]
    pub const fn to(mut self, partition: i32) -> Self {
        self.partition = Some(partition);
        self
    }

    /// The same with one header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), Some(value.into())));
        self
    }

    /// The value as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.value.as_deref().unwrap_or_default()).into_owned()
    }

    /// The first header of this name as text.
    pub fn header_text(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|(found, _)| found == name)?;
        Some(String::from_utf8_lossy(found.1.as_deref().unwrap_or_default()).into_owned())
    }

    pub(super) fn read(message: &BorrowedMessage<'_>) -> Self {
        let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
        let time = match message.timestamp() {
            Timestamp::NotAvailable => None,
            Timestamp::CreateTime(time_ms) | Timestamp::LogAppendTime(time_ms) => Some(time_ms),
        };
        Self {
            partition: Some(message.partition()),
            offset: message.offset(),
            time_ms: time,
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: headers
                .map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
                .collect(),
        }
    }

    pub(super) fn native_headers(&self) -> OwnedHeaders {
        self.headers.iter().fold(OwnedHeaders::new(), |headers, (name, value)| {
            headers.insert(Header { key: name, value: value.as_ref() })
        })
    }
}
