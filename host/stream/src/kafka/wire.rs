//! Our records as Kafka's messages, and back.
//!
//! Kafka's times are milliseconds and ours are microseconds, so a header says what is between them,
//! and is taken away again. A message without a value has an empty one here, and so has a header.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::{BufMut, BytesMut};
use message::Time;
use rdkafka::message::{BorrowedMessage, Header, Headers as _, Message, OwnedHeaders};
use rdkafka::producer::BaseRecord;
use rdkafka::util::IntoOpaque;

use crate::{Headers, Record, StoredRecord};

/// The header that says how many microseconds a time is away from Kafka's timestamp. Always the last.
const REST_US: &str = "+us";

/// A record on its way to a partition.
pub(crate) fn outgoing<'a, D: IntoOpaque>(
    topic: &'a str,
    partition: i32,
    record: &'a Record,
    opaque: D,
) -> BaseRecord<'a, [u8], [u8], D> {
    let (timestamp, rest_us) = stamp(record.time);
    BaseRecord {
        topic,
        partition: Some(partition),
        payload: Some(&record.value[..]),
        key: record.key.as_deref(),
        timestamp: Some(timestamp),
        headers: headers(&record.headers, rest_us),
        delivery_opaque: opaque,
    }
}

fn headers(headers: &Headers, rest_us: i64) -> Option<OwnedHeaders> {
    if headers.is_empty() && rest_us == 0 {
        return None;
    }
    let add = |all: OwnedHeaders, key, value| all.insert(Header { key, value: Some(value) });
    let count = headers.iter().count() + 1;
    let all = OwnedHeaders::new_with_capacity(count);
    let all = headers.iter().fold(all, |all, (name, value)| add(all, name, value));
    Some(if rest_us == 0 { all } else { add(all, REST_US, rest_us.to_string().as_bytes()) })
}

/// Kafka's timestamp of a time, and how far the time is from it. To librdkafka 0 is now.
fn stamp(time: Time) -> (i64, i64) {
    let timestamp = (time.as_us() / 1000).max(1);
    let rest_us = time.as_us().wrapping_sub(timestamp.wrapping_mul(1000));
    (timestamp as i64, rest_us as i64)
}

/// The earliest timestamp that a record of this time or later can have.
pub(crate) fn earliest_timestamp(time: Time) -> i64 {
    stamp(time).0
}

/// A message as a record.
pub(crate) fn incoming(message: &BorrowedMessage<'_>) -> StoredRecord {
    let (key, value) = (message.key(), message.payload().unwrap_or_default());
    let key_bytes = key.map_or(0, <[u8]>::len);
    let mut bytes = BytesMut::with_capacity(key_bytes + value.len() + HEADERS_BYTES);
    bytes.put_slice(value);
    bytes.put_slice(key.unwrap_or_default());
    let rest_us = put_headers(message, &mut bytes);
    let mut bytes = bytes.freeze();
    let value = bytes.split_to(value.len());
    let key = key.map(|key| bytes.split_to(key.len()));
    let time = time_of(message, rest_us);
    let record = Record { time, key, headers: Headers::from_encoded(bytes), value };
    StoredRecord { offset: offset_of(message), record }
}

pub(crate) fn offset_of(message: &BorrowedMessage<'_>) -> u64 {
    u64::try_from(message.offset()).unwrap_or(0)
}

/// The time of a message, of which the headers say this much.
pub(crate) fn time_of(message: &BorrowedMessage<'_>, rest_us: i64) -> Time {
    let timestamp = message.timestamp().to_millis().and_then(|ms| u64::try_from(ms).ok());
    Time::from_us(timestamp.unwrap_or(0).saturating_mul(1000).wrapping_add_signed(rest_us))
}

/// What headers take, by rule of thumb.
const HEADERS_BYTES: usize = 256;

/// Puts the headers behind what there is, and returns what [`REST_US`] says.
pub(crate) fn put_headers(message: &BorrowedMessage<'_>, bytes: &mut BytesMut) -> i64 {
    let Some(headers) = message.headers() else { return 0 };
    let begin = bytes.len();
    // The names of headers are bytes to Kafka, and rdkafka panics at those that are no UTF-8. Anybody
    // can write such a message, so it must not end the thread that reads it.
    let read = catch_unwind(AssertUnwindSafe(|| {
        let mut rest_us = 0;
        for index in 0..headers.count() {
            let Some(header) = headers.try_get(index) else { continue };
            let value = header.value.unwrap_or_default();
            if header.key == REST_US
                && index + 1 == headers.count()
                && let Some(found) = rest_of(value)
            {
                rest_us = found;
            } else {
                crate::record::put(bytes, header.key, value);
            }
        }
        rest_us
    }));
    read.unwrap_or_else(|_| {
        tracing::warn!(
            topic = message.topic(),
            partition = message.partition(),
            offset = message.offset(),
            "found headers whose names are no text, left them out"
        );
        bytes.truncate(begin);
        0
    })
}

fn rest_of(value: &[u8]) -> Option<i64> {
    str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_time_is_a_timestamp_and_what_is_away_from_it() {
        let check = |us: u64, expected| {
            let (timestamp, rest_us) = stamp(Time::from_us(us));
            assert_eq!((timestamp, rest_us), expected);
            assert_eq!((timestamp as u64).wrapping_mul(1000).wrapping_add_signed(rest_us), us);
        };
        check(0, (1, -1000));
        check(999, (1, -1));
        check(1000, (1, 0));
        check(1_700_000_000_123_456, (1_700_000_000_123, 456));
        check(u64::MAX, (18_446_744_073_709_551, 615));
    }

    #[test]
    fn headers_are_there_when_there_is_something_to_say() {
        assert!(headers(&Headers::new(), 0).is_none());
        let all = headers(&Headers::new().with("id", "7"), 5).unwrap();
        let found: Vec<_> = all.iter().map(|header| (header.key, header.value)).collect();
        assert_eq!(found, [("id", Some(&b"7"[..])), ("+us", Some(b"5"))]);
    }
}
