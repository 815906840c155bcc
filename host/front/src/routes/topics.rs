//! Records for topics that belong to no endpoint: what is in them is nobody's business here.

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;

use crate::caller::Caller;
use crate::headers;
use crate::host::{Host, InferError, TopicRecord};
use crate::problem::Problem;
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
        let whole = self.receive(head, body).await?;
        let values = if is_raw { vec![whole.bytes.clone()] } else { lines(&whole.bytes) };
        if values.is_empty() {
            return Err(Problem::NoRecords);
        }
        self.guard.admit_all(caller, values.len())?;
        let record = |value| TopicRecord { headers: record_headers.clone(), value };
        let records = values.into_iter().map(record).collect();
        let appended = self.host.append_to_topic(caller, topic, records).await;
        let appended = appended.map_err(|error| match error {
            InferError::UnknownEndpoint { known } => {
                Problem::UnknownTopic { topic: topic.to_owned(), known }
            }
            error => Problem::Infer(error),
        })?;
        Ok(reply::appended(&appended))
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
}
