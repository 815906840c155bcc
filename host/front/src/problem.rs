//! Everything that the front answers with an error, and the status of each.
//!
//! This is the one table from cause to status. Messages name what was found and what was expected;
//! none holds a path of the machine or the text of an inner error.

use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{ALLOW, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use message::oip::DecodeError;
use serde_json::json;

use crate::guard::Denied;
use crate::host::{InferError, NotFound};
use crate::reply::{self, Reply};

/// What whoever asked is told when the stream brought no answer.
const NO_ANSWER: &str = "the stream did not bring the answer in time; the request may have been \
    accepted, and its answer is then on the answers topic: with the header idempotency-key it can \
    be asked for again";

/// Why a call gets an error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// Because the path is none of ours.
    #[error(
        "`{}` is not a path of this server, expected one that GET /v2/models leads to",
        shorten(path)
    )]
    UnknownPath {
        /// The path, undecoded.
        path: String,
    },
    /// Because the path is none of the admin listener.
    #[error(
        "`{}` is not a path of this listener, expected /metrics, /status, /v2/health/live, /v2/health/ready or one below /admin/endpoints",
        shorten(path)
    )]
    UnknownAdminPath {
        /// The path, undecoded.
        path: String,
    },
    /// Because there is no such method of gRPC.
    #[error(
        "`{}` is not a method of this server, expected one that reflection lists",
        shorten(path)
    )]
    UnknownMethod {
        /// The path that names it.
        path: String,
    },
    /// Because there is no such topic.
    #[error("there is no topic `{}`, known are {}", shorten(topic), list(known))]
    UnknownTopic {
        /// The topic that was asked for.
        topic: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Because the path holds a percent-encoded byte sequence that is not text.
    #[error("the path is not UTF-8 where it is percent-encoded")]
    PathNotUtf8,
    /// Because the query has a name that means nothing here.
    #[error("query: found `{}`, expected {}", shorten(found), alternatives(known))]
    QueryName {
        /// The name.
        found: String,
        /// Those that mean something.
        known: &'static [&'static str],
    },
    /// Because a name of the query has a value that it cannot have.
    #[error("query: {name}: found `{}`, expected {expected}", shorten(found))]
    QueryValue {
        /// The name.
        name: String,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// Because the body is to be text and is none.
    #[error("the body: found bytes that are not UTF-8, expected TOML")]
    NotText,
    /// Because there is no policy in the body.
    #[error("found an empty body, expected the TOML of a policy; a comment alone stands for none")]
    NoPolicy,
    /// Because a change is of no use.
    #[error("{message}")]
    Change {
        /// What is wrong with it.
        message: String,
    },
    /// Because the path is for other methods.
    #[error("found the method {found}, expected {allow}")]
    Method {
        /// The method of the call.
        found: String,
        /// Those that the path has.
        allow: &'static str,
    },
    /// Because the body is of a type that the path does not take.
    #[error("content-type: found `{}`, expected {expected}", shorten(found))]
    ContentType {
        /// What the header says.
        found: String,
        /// What it may say.
        expected: &'static str,
    },
    /// Because the body is compressed.
    #[error("content-encoding: found `{}`, expected a body that is not encoded", shorten(found))]
    ContentEncoding {
        /// What the header says.
        found: String,
    },
    /// Because a message of gRPC is compressed.
    #[error("grpc-encoding: found a compressed message, expected one that is not")]
    Compressed,
    /// Because a header has a value that it cannot have.
    #[error("{name}: expected {expected}")]
    Header {
        /// The header.
        name: &'static str,
        /// What it may hold.
        expected: &'static str,
    },
    /// Because the body is larger than bodies may be.
    #[error("the body is larger than {limit} bytes")]
    BodyTooLarge {
        /// What is allowed.
        limit: usize,
    },
    /// Because the body did not arrive in its time.
    #[error("the body did not arrive within {} ms", limit.as_millis())]
    BodyTooSlow {
        /// What is allowed.
        limit: Duration,
    },
    /// Because the body broke off or its framing is wrong.
    #[error("the body ended early or its framing is broken")]
    BodyBroken,
    /// Because the document is not a request.
    #[error("{0}")]
    Document(DecodeError),
    /// Because a line of a body of records is not a request.
    #[error("line {line}: {error}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// Because a body of records holds none.
    #[error("found no record, expected one request a line")]
    NoRecords,
    /// Because too many calls are open.
    #[error("too many open calls")]
    TooManyCalls,
    /// Because the bodies of the open calls take all the memory that they may.
    #[error("the bodies of the open calls are too large together")]
    TooManyBytes,
    /// Because the caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Because there is no such endpoint, as far as the caller sees.
    #[error("there is no endpoint `{}`; {}", shorten(endpoint), list(known))]
    UnknownEndpoint {
        /// The name that was asked for.
        endpoint: String,
        /// Those that the caller sees.
        known: Vec<String>,
    },
    /// Because the endpoint has no such model.
    #[error("endpoint `{}` has no model `{}`; {}", shorten(endpoint), shorten(model), list(known))]
    UnknownModel {
        /// The endpoint.
        endpoint: String,
        /// The name that was asked for.
        model: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// Because the host could not answer.
    #[error("{}", describe(.0))]
    Infer(InferError),
}

impl Problem {
    /// The problem that an error of the host is, asked for these names.
    pub(crate) fn from_infer(error: InferError, endpoint: &str, model: Option<&str>) -> Self {
        match error {
            InferError::UnknownEndpoint { known } => {
                Self::from_not_found(NotFound::Endpoint { known }, endpoint, model)
            }
            InferError::UnknownModel { known } => {
                Self::from_not_found(NotFound::Model { known }, endpoint, model)
            }
            error => Self::Infer(error),
        }
    }

    /// The problem that a failed look-up is, asked for these names.
    pub(crate) fn from_not_found(error: NotFound, endpoint: &str, model: Option<&str>) -> Self {
        let endpoint = endpoint.to_owned();
        match error {
            NotFound::Endpoint { known } => Self::UnknownEndpoint { endpoint, known },
            NotFound::Model { known } => {
                Self::UnknownModel { endpoint, model: model.unwrap_or_default().to_owned(), known }
            }
        }
    }

    /// The reply that tells the caller.
    pub(crate) fn into_reply(self) -> Reply {
        let status = self.status();
        if let Self::Infer(InferError::NothingCame { json }) = self {
            return reply::encoded(status, json, None);
        }
        let mut reply = reply::json(status, &json!({ "error": self.to_string() }));
        let headers = reply.headers_mut();
        if let Self::Method { allow, .. } = self {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(retry_after) = self.retry_after() {
            headers.insert(
                RETRY_AFTER,
                HeaderValue::from(retry_after.as_secs_f64().ceil().max(1.0) as u64),
            );
        }
        reply
    }

    /// The status that stands for it.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::UnknownPath { .. }
            | Self::UnknownAdminPath { .. }
            | Self::UnknownEndpoint { .. }
            | Self::UnknownTopic { .. }
            | Self::UnknownModel { .. } => StatusCode::NOT_FOUND,
            Self::Method { .. } | Self::UnknownMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::ContentType { .. } | Self::ContentEncoding { .. } | Self::Compressed => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::Change { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::PathNotUtf8
            | Self::QueryName { .. }
            | Self::QueryValue { .. }
            | Self::NotText
            | Self::NoPolicy
            | Self::Header { .. }
            | Self::BodyBroken
            | Self::Document(_)
            | Self::Line { .. }
            | Self::NoRecords => StatusCode::BAD_REQUEST,
            Self::Denied(denied) => denied_status(denied),
            Self::TooManyCalls | Self::TooManyBytes => StatusCode::SERVICE_UNAVAILABLE,
            Self::Infer(error) => infer_status(error),
        }
    }

    /// When a new attempt makes sense, if ever.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Infer(
                InferError::Busy { retry_after } | InferError::StreamAway { retry_after },
            ) => Some(*retry_after),
            Self::Denied(denied) => denied.retry_after(),
            Self::TooManyCalls
            | Self::TooManyBytes
            | Self::Infer(InferError::ShuttingDown | InferError::NotReady { .. }) => {
                Some(Duration::from_secs(1))
            }
            _ => None,
        }
    }
}

const fn denied_status(denied: &Denied) -> StatusCode {
    match denied {
        Denied::Unknown { .. } => StatusCode::UNAUTHORIZED,
        Denied::Scope { .. } | Denied::Browser => StatusCode::FORBIDDEN,
        Denied::Burst { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Denied::Rate { .. } | Denied::Concurrency { .. } => StatusCode::TOO_MANY_REQUESTS,
    }
}

const fn infer_status(error: &InferError) -> StatusCode {
    match error {
        InferError::UnknownEndpoint { .. } | InferError::UnknownModel { .. } => {
            StatusCode::NOT_FOUND
        }
        InferError::Invalid { .. } | InferError::Refused(_) => StatusCode::BAD_REQUEST,
        InferError::Busy { .. }
        | InferError::NotReady { .. }
        | InferError::StreamPoisoned
        | InferError::StreamAway { .. }
        | InferError::NoAnswer
        | InferError::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        InferError::StreamFull => StatusCode::INSUFFICIENT_STORAGE,
        InferError::Conflict { .. } => StatusCode::CONFLICT,
        InferError::NothingCame { .. } => StatusCode::GATEWAY_TIMEOUT,
        InferError::Faulted(_) | InferError::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn describe(error: &InferError) -> String {
    match error {
        InferError::UnknownEndpoint { known } | InferError::UnknownModel { known } => list(known),
        InferError::Invalid { message } => message.clone(),
        InferError::Busy { .. } => "too many requests wait already".to_owned(),
        InferError::NotReady { reason } => format!("not ready: {reason}"),
        InferError::StreamFull => "there is no room to record the request".to_owned(),
        InferError::StreamPoisoned => "requests cannot be recorded at the moment".to_owned(),
        InferError::StreamAway { .. } => {
            "the stream cannot be reached at the moment; the request was not accepted".to_owned()
        }
        InferError::NoAnswer => NO_ANSWER.to_owned(),
        InferError::NothingCame { .. } => "no answer came by the deadline".to_owned(),
        InferError::Refused(refusal) => {
            format!("the model refused ({}): {}", refusal.kind(), refusal.message())
        }
        InferError::Faulted(fault) => {
            format!("the model broke ({}): {}", fault.class, fault.message)
        }
        InferError::Conflict { message } => message.clone(),
        InferError::ShuttingDown => "the server is about to stop".to_owned(),
        InferError::Internal => "the server failed; its log says how".to_owned(),
    }
}

/// Names of which one is expected.
fn alternatives(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [only] => (*only).to_owned(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}

/// The names that are known, at most twenty of them.
fn list(known: &[String]) -> String {
    const SHOWN_MAX: usize = 20;
    match known.len() {
        0 => "there is none".to_owned(),
        count if count <= SHOWN_MAX => format!("known: {}", known.join(", ")),
        count => format!("known: {} and {} more", known[..SHOWN_MAX].join(", "), count - SHOWN_MAX),
    }
}

/// The beginning of a text of the caller.
fn shorten(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 60;
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_and_long_lists_are_cut() {
        let known: Vec<_> = (0..25).map(|number| format!("e{number}")).collect();
        let endpoint = "ü".repeat(100);
        let message = Problem::UnknownEndpoint { endpoint, known }.to_string();
        assert!(
            message
                .starts_with(&format!("there is no endpoint `{}…`; known: e0, e1", "ü".repeat(60)))
        );
        assert!(message.ends_with("e19 and 5 more"));
        assert_eq!(list(&[]), "there is none");
    }

    #[test]
    fn a_wait_of_less_than_a_second_is_rounded_up() {
        let busy = InferError::Busy { retry_after: Duration::from_millis(10) };
        let reply = Problem::Infer(busy).into_reply();
        assert_eq!(reply.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(reply.headers()[RETRY_AFTER], "1");
    }
}
