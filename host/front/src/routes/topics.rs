//! Records for topics that belong to no endpoint: what is in them is nobody's business here.

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;

use crate::caller::Caller;
use crate::headers;
use crate::host::{Host, InferError, TopicRecord};
use crate::problem::Problem;
use crate::query::{Query, invalid};
use crate::reply::{self, Reply};
use crate::routes::public::Shared;

const LINES: &[&str] = &[
    "application/x-ndjson",
    "application/jsonl",
    "application/json-lines",
    "application/json",
    "text/plain",
    RAW,
];
/// The whole body is one record.
const RAW: &str = "application/octet-stream";
/// The key of all records of a call.
const KEY: &str = "key";
/// What stands in each line between its key and its record.
const KEY_SEPARATOR: &str = "key_separator";
/// The partition that gets all records of a call, whatever their keys.
const PARTITION: &str = "partition";

impl<H: Host> Shared<H> {
    /// Appends the lines of a body to a topic, or the whole body as one record.
    pub(super) async fn append_to_topic(
        &self,
        caller: &Caller,
        topic: &str,
        head: &Parts,
        body: Incoming,
    ) -> Result<Reply, Problem> {
        let _place = self.place()?;
        headers::check_body(&head.headers, LINES)?;
        let record_headers = headers::of_record(&head.headers)?;
        let is_raw =
            head.headers.get(CONTENT_TYPE).is_some_and(|it| it.as_bytes() == RAW.as_bytes());
        let whither = Whither::parse(head.uri.query().unwrap_or_default(), is_raw)?;
        let whole = self.receive(head, body).await?;
        let values = if is_raw { vec![whole.bytes.clone()] } else { lines(&whole.bytes) };
        if values.is_empty() {
            return Err(Problem::NoRecords);
        }
        self.guard.admit_all(caller, values.len())?;
        let record = |value| {
            let (key, value) = whither.split(value)?;
            Ok(TopicRecord { key, headers: record_headers.clone(), value })
        };
        let records: Result<Vec<_>, Problem> = values.into_iter().map(record).collect();
        let appended = self.host.append_to_topic(caller, topic, whither.partition, records?).await;
        let appended = appended.map_err(|error| match error {
            InferError::UnknownEndpoint { known } => {
                Problem::UnknownTopic { topic: topic.to_owned(), known }
            }
            error => Problem::Infer(error),
        })?;
        Ok(reply::appended(&appended))
    }
}

/// What the query says about where records go.
#[derive(Debug, Default, PartialEq, Eq)]
struct Whither {
    partition: Option<u32>,
    key: Option<Bytes>,
    separator: Option<String>,
}

impl Whither {
    fn parse(query: &str, is_raw: bool) -> Result<Self, Problem> {
        let query = Query::parse(query)?;
        query.allow(&[KEY, KEY_SEPARATOR, PARTITION], true)?;
        let partition = query.get(PARTITION).map(|text| {
            let number = text.parse().ok().filter(|_| text.bytes().all(|it| it.is_ascii_digit()));
            number.ok_or_else(|| invalid(PARTITION, text, "the number of a partition, from 0"))
        });
        let key = query.get(KEY).map(|key| Bytes::copy_from_slice(key.as_bytes()));
        let separator = query.get(KEY_SEPARATOR).map(str::to_owned);
        match &separator {
            Some(found) if found.is_empty() || found.contains(['\r', '\n']) => {
                Err(invalid(KEY_SEPARATOR, found, "what stands between key and record of a line"))
            }
            Some(found) if key.is_some() => Err(invalid(KEY_SEPARATOR, found, "it or `key`")),
            Some(found) if is_raw => {
                Err(invalid(KEY_SEPARATOR, found, "lines, and no bytes as a whole"))
            }
            _ => Ok(Self { partition: partition.transpose()?, key, separator }),
        }
    }

    /// The key of a record and what is left of it.
    fn split(&self, line: Bytes) -> Result<(Option<Bytes>, Bytes), Problem> {
        let Some(separator) = self.separator.as_ref().map(String::as_bytes) else {
            return Ok((self.key.clone(), line));
        };
        let place = line.windows(separator.len()).position(|found| found == separator);
        let place = place.ok_or_else(|| {
            let found = String::from_utf8_lossy(&line);
            invalid(KEY_SEPARATOR, &found, "it in every line, behind the key")
        })?;
        Ok((Some(line.slice(..place)), line.slice(place + separator.len()..)))
    }
}

/// The lines that are not empty, each without its end.
fn lines(bytes: &Bytes) -> Vec<Bytes> {
    let line = |line: &[u8]| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        (!line.is_empty()).then(|| bytes.slice_ref(line))
    };
    bytes.split(|&byte| byte == b'\n').filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_records_whatever_they_say() {
        let body = Bytes::from_static(b"{}\r\n\n not json \n\xff\n");
        assert_eq!(lines(&body), [&b"{}"[..], b" not json ", b"\xff"]);
    }

    #[test]
    fn the_query_says_where_records_go() {
        let check = |query, partition, key: Option<&'static str>, separator: Option<&str>| {
            let (key, separator) = (key.map(Bytes::from), separator.map(str::to_owned));
            let expected = Whither { partition, key, separator };
            assert_eq!(Whither::parse(query, false).unwrap(), expected, "{query}");
        };
        check("", None, None, None);
        check("partition=3", Some(3), None, None);
        check("key=a%20b&partition=0", Some(0), Some("a b"), None);
        check("key=", None, Some(""), None);
        check("key_separator=%09", None, None, Some("\t"));
    }

    #[test]
    fn a_query_that_says_nothing_clear_is_refused() {
        let check = |query, is_raw| {
            let refused = Whither::parse(query, is_raw).unwrap_err().to_string();
            assert!(refused.starts_with("query: "), "{query}: {refused}");
        };
        check("partition=-1", false);
        check("partition=%2B1", false);
        check("partition=x", false);
        check("partition=4294967296", false);
        check("key=a&key=b", false);
        check("key=a&key_separator=b", false);
        check("key_separator=", false);
        check("key_separator=%0A", false);
        check("key_separator=x", true);
        check("keys=a", false);
    }

    #[test]
    fn a_line_is_split_where_the_separator_stands_first() {
        let whither = Whither::parse("key_separator=::", false).unwrap();
        let split = |line: &'static str| whither.split(Bytes::from(line));
        let (key, value) = split("HA::{\"a::b\": 1}").unwrap();
        assert_eq!((key.as_deref(), &value[..]), (Some(&b"HA"[..]), &b"{\"a::b\": 1}"[..]));
        let (key, value) = split("::").unwrap();
        assert_eq!((key.as_deref(), &value[..]), (Some(&b""[..]), &b""[..]));
        assert!(split("HA:{}").is_err());
    }
}
