//! The headers of records: their names, and what is in them.
//!
//! Unknown headers are nobody's mistake: producers and brokers add their own. Of headers with the
//! same name the last one counts, as Kafka's clients have it.

use thiserror::Error;

use crate::Time;
use crate::oip::Encoding;

/// The id of the request. On a request without it, the document's `id` is the id.
pub const ID: &str = "id";
/// Where the answer goes, besides the answers topic.
pub const RETURN_TO: &str = "return-to";
/// When the answer is due, in microseconds since 1970.
pub const DEADLINE_US: &str = "deadline-us";
/// When the request was made, in microseconds since 1970.
pub const TIME_US: &str = "time-us";
/// The trace that the request belongs to, as W3C Trace Context writes it.
pub const TRACEPARENT: &str = "traceparent";
/// The tenant of who asked.
pub const TENANT: &str = "tenant";
/// The model of a score, or the model whose score became the answer.
pub const MODEL: &str = "model";
/// The revision of that model, in short.
pub const REVISION: &str = "revision";
/// Why the answer is what it is.
pub const REASON: &str = "reason";
/// Stands on an answer that says that nothing came.
pub const ERROR: &str = "error";
/// How the bytes of a request are to be read: [`PROTOBUF`], [`BINARY`], or else as JSON.
pub const CONTENT_TYPE: &str = "content-type";
/// The length of the JSON document that binary tensors stand behind.
pub const INFERENCE_HEADER_CONTENT_LENGTH: &str = "inference-header-content-length";
/// The offset of the request that a score or an answer belongs to.
pub const REQUEST_OFFSET: &str = "request-offset";
/// The topic and partition of the request that an answer belongs to, as `flights/requests/3`.
pub const REQUEST_SOURCE: &str = "request-source";
/// When whoever answered took over the partition of the request: the offset of the [`FENCE`] that was
/// written then, in the same partition as the answer.
pub const EPOCH: &str = "epoch";
/// Stands on a record among the answers that is none: from there on, those who owned this
/// [`REQUEST_SOURCE`] before answer in vain.
pub const FENCE: &str = "fence";
/// The process that a caller waits in.
pub const HOST: &str = "host";
/// The endpoint that an answer is from, on an answer that was returned to another topic.
pub const ENDPOINT: &str = "endpoint";
/// The topic that a request was read from.
pub const SOURCE_TOPIC: &str = "source-topic";
/// The partition of the topic that a request was read from, where the topic has several.
pub const SOURCE_PARTITION: &str = "source-partition";
/// The offset of the record that a request was read from.
pub const SOURCE_OFFSET: &str = "source-offset";
/// The class of reasons for which a record is a dead letter.
pub const REASON_CLASS: &str = "reason-class";
/// The number of bytes of a dead letter that was too large to be kept.
pub const DROPPED_BYTES: &str = "dropped-bytes";
/// What a [`RETURN_TO`] begins with that names a topic.
pub const TOPIC_PREFIX: &str = "topic:";
/// What a [`RETURN_TO`] begins with that names a process in which a caller waits, as
/// `host:<partition of the replies>/<process>`.
pub const HOST_PREFIX: &str = "host:";

/// The content type of a `ModelInferRequest` of protobuf.
pub const PROTOBUF: &str = "application/x-protobuf";
/// The content type of a JSON document with tensors in binary behind it.
pub const BINARY: &str = "application/octet-stream";

/// The known headers of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Headers<'a> {
    /// [`ID`]
    pub id: Option<&'a str>,
    /// [`RETURN_TO`]
    pub return_to: Option<&'a str>,
    /// [`DEADLINE_US`]
    pub deadline: Option<Time>,
    /// [`TIME_US`]
    pub time: Option<Time>,
    /// [`TRACEPARENT`]
    pub traceparent: Option<&'a str>,
    /// [`TENANT`]
    pub tenant: Option<&'a str>,
    /// [`MODEL`]
    pub model: Option<&'a str>,
    /// [`REVISION`]
    pub revision: Option<&'a str>,
    /// [`REASON`]
    pub reason: Option<&'a str>,
    /// [`REQUEST_OFFSET`]
    pub request_offset: Option<u64>,
    /// [`CONTENT_TYPE`]. Any bytes will do: only two of its values mean something to us.
    pub content_type: Option<&'a [u8]>,
    /// [`INFERENCE_HEADER_CONTENT_LENGTH`]
    pub inference_header_content_length: Option<u64>,
}

/// Why a header cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// Because it is not UTF-8.
    #[error("header `{name}`: found bytes that are not UTF-8, expected a text")]
    NotText {
        /// The name of the header.
        name: &'static str,
    },
    /// Because it is not a number.
    #[error("header `{name}`: found `{found}`, expected a whole number in decimal digits")]
    NotNumber {
        /// The name of the header.
        name: &'static str,
        /// The beginning of what it holds.
        found: String,
    },
}

impl<'a> Headers<'a> {
    /// Reads the known ones among `pairs` of names and values.
    pub fn read(pairs: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Self, HeaderError> {
        let mut headers = Self::default();
        for (name, value) in pairs {
            match name {
                ID => headers.id = Some(text(ID, value)?),
                RETURN_TO => headers.return_to = Some(text(RETURN_TO, value)?),
                DEADLINE_US => headers.deadline = Some(time(DEADLINE_US, value)?),
                TIME_US => headers.time = Some(time(TIME_US, value)?),
                TRACEPARENT => headers.traceparent = Some(text(TRACEPARENT, value)?),
                TENANT => headers.tenant = Some(text(TENANT, value)?),
                MODEL => headers.model = Some(text(MODEL, value)?),
                REVISION => headers.revision = Some(text(REVISION, value)?),
                REASON => headers.reason = Some(text(REASON, value)?),
                REQUEST_OFFSET => headers.request_offset = Some(number(REQUEST_OFFSET, value)?),
                CONTENT_TYPE => headers.content_type = Some(value),
                INFERENCE_HEADER_CONTENT_LENGTH => {
                    let length = number(INFERENCE_HEADER_CONTENT_LENGTH, value)?;
                    headers.inference_header_content_length = Some(length);
                }
                _ => {}
            }
        }
        Ok(headers)
    }

    /// How the value of the record is to be read. Types that mean nothing to us are taken for JSON,
    /// since producers and brokers put their own there.
    pub fn encoding(&self) -> Encoding {
        let essence = self.content_type.unwrap_or_default().split(|&byte| byte == b';').next();
        let essence = essence.unwrap_or_default().trim_ascii();
        let document_bytes = self.inference_header_content_length;
        if essence.eq_ignore_ascii_case(PROTOBUF.as_bytes()) {
            Encoding::Protobuf
        } else if let Some(bytes) = document_bytes
            && essence.eq_ignore_ascii_case(BINARY.as_bytes())
        {
            Encoding::Binary { document_bytes: usize::try_from(bytes).unwrap_or(usize::MAX) }
        } else {
            Encoding::Json
        }
    }
}

fn text<'a>(name: &'static str, value: &'a [u8]) -> Result<&'a str, HeaderError> {
    str::from_utf8(value).map_err(|_| HeaderError::NotText { name })
}

fn time(name: &'static str, value: &[u8]) -> Result<Time, HeaderError> {
    number(name, value).map(Time::from_us)
}

fn number(name: &'static str, value: &[u8]) -> Result<u64, HeaderError> {
    let digits = text(name, value)?;
    let number = digits.parse().ok().filter(|_| !digits.starts_with('+'));
    number.ok_or_else(|| HeaderError::NotNumber { name, found: crate::oip::excerpt(digits) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_headers_are_read_and_the_others_left_alone() {
        let pairs: [(&str, &[u8]); 7] = [
            ("content-type", b"application/json"),
            (ID, b"r-1"),
            (TENANT, b"acme"),
            (TIME_US, b"12"),
            (DEADLINE_US, b"34"),
            (REQUEST_OFFSET, b"18446744073709551615"),
            ("broker", b"\xff"),
        ];
        let headers = Headers::read(pairs).unwrap();
        let expected = Headers {
            id: Some("r-1"),
            tenant: Some("acme"),
            time: Some(Time::from_us(12)),
            deadline: Some(Time::from_us(34)),
            request_offset: Some(u64::MAX),
            content_type: Some(b"application/json"),
            ..Headers::default()
        };
        assert_eq!(headers, expected);
    }

    #[test]
    fn the_content_type_says_how_to_read_the_value_and_strange_ones_mean_json() {
        let check = |content_type: &[u8], length: &[u8], expected| {
            let pairs = [(CONTENT_TYPE, content_type), (INFERENCE_HEADER_CONTENT_LENGTH, length)];
            assert_eq!(Headers::read(pairs).unwrap().encoding(), expected);
        };
        check(b"application/x-protobuf", b"0", Encoding::Protobuf);
        check(b"Application/X-Protobuf; a=b", b"0", Encoding::Protobuf);
        check(b"application/octet-stream", b"17", Encoding::Binary { document_bytes: 17 });
        check(b"application/json", b"17", Encoding::Json);
        check(b"\xff", b"17", Encoding::Json);
        assert_eq!(Headers::default().encoding(), Encoding::Json);
    }

    #[test]
    fn of_headers_with_the_same_name_the_last_one_counts() {
        let pairs: [(&str, &[u8]); 2] = [(ID, b"one"), (ID, b"two")];
        assert_eq!(Headers::read(pairs).unwrap().id, Some("two"));
    }

    #[test]
    fn a_header_that_cannot_be_read_is_named() {
        let check = |name, value: &[u8], expected: &str| {
            assert_eq!(Headers::read([(name, value)]).unwrap_err().to_string(), expected);
        };
        check(ID, b"\xff", "header `id`: found bytes that are not UTF-8, expected a text");
        for found in ["", "-1", "+1", "1.5", "18446744073709551616", "soon"] {
            let expected = format!(
                "header `deadline-us`: found `{found}`, expected a whole number in decimal digits"
            );
            check(DEADLINE_US, found.as_bytes(), &expected);
        }
    }
}
