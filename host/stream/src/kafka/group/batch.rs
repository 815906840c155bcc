//! Records copied out of the client that fetched them, many into one allocation.

use bytes::{Bytes, BytesMut};
use message::Time;
use rdkafka::message::{BorrowedMessage, Message};

use crate::kafka::wire;
use crate::{Headers, Record, StoredRecord};

/// Records on the way from a client to whoever takes them.
#[derive(Default)]
pub(super) struct Batch {
    bytes: BytesMut,
    parts: Vec<Part>,
}

/// Where a record lies: its headers, its key and its value, one behind the other.
struct Part {
    offset: u64,
    time: Time,
    headers: usize,
    key: Option<usize>,
    value: usize,
}

impl Batch {
    pub(super) fn records(&self) -> usize {
        self.parts.len()
    }

    pub(super) fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn push(&mut self, message: &BorrowedMessage<'_>) {
        let before = self.bytes.len();
        let rest_us = wire::put_headers(message, &mut self.bytes);
        let headers = self.bytes.len() - before;
        let key = message.key();
        let value = message.payload().unwrap_or_default();
        self.bytes.extend_from_slice(key.unwrap_or_default());
        self.bytes.extend_from_slice(value);
        self.parts.push(Part {
            offset: wire::offset_of(message),
            time: wire::time_of(message, rest_us),
            headers,
            key: key.map(<[u8]>::len),
            value: value.len(),
        });
    }

    pub(super) fn finish(self) -> Vec<StoredRecord> {
        let mut bytes = self.bytes.freeze();
        self.parts.into_iter().map(|part| part.split_from(&mut bytes)).collect()
    }
}

impl Part {
    fn split_from(self, bytes: &mut Bytes) -> StoredRecord {
        let headers = Headers::from_encoded(bytes.split_to(self.headers));
        let key = self.key.map(|length| bytes.split_to(length));
        let value = bytes.split_to(self.value);
        StoredRecord {
            offset: self.offset,
            record: Record { time: self.time, key, headers, value },
        }
    }
}

pub(super) fn size_bytes(message: &BorrowedMessage<'_>) -> usize {
    message.key_len() + message.payload_len()
}
