//! From a problem to the status that ends a call.

use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tonic::Code;

use crate::host::InferError;
use crate::problem::Problem;
use crate::reply::{self, Reply};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const RETRY_PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

/// What a message of a status has to be escaped for.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');
/// The most of a message that is sent: clients take only so much of trailers.
const MESSAGE_BYTES_MAX: usize = 1_024;

/// What ends a call that went well.
pub(super) fn ok() -> HeaderMap {
    HeaderMap::from_iter([(GRPC_STATUS, HeaderValue::from_static("0"))])
}

/// The reply that tells the caller of a problem.
pub(super) fn refused(problem: &Problem) -> Reply {
    reply::status_alone(trailers(problem))
}

/// What ends a call that went wrong.
pub(super) fn trailers(problem: &Problem) -> HeaderMap {
    let mut message = message_of(problem);
    message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
    let message = utf8_percent_encode(&message, ESCAPED).to_string();
    let mut trailers = HeaderMap::new();
    trailers.insert(GRPC_STATUS, HeaderValue::from(code(problem) as i32));
    if let Ok(message) = HeaderValue::from_str(&message) {
        trailers.insert(GRPC_MESSAGE, message);
    }
    if let Some(after) = problem.retry_after() {
        let ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        trailers.insert(RETRY_PUSHBACK, HeaderValue::from(ms));
    }
    trailers
}

/// What is wrong, in words.
pub(super) fn message_of(problem: &Problem) -> String {
    let document = match problem {
        Problem::Infer(InferError::NothingCame { json }) => serde_json::from_slice(json).ok(),
        _ => None,
    };
    let said = document
        .and_then(|document: serde_json::Value| document["error"].as_str().map(str::to_owned));
    said.unwrap_or_else(|| problem.to_string())
}

/// The code of a problem: mostly that of its HTTP status. Where too much waits at once, clients are
/// told that a resource is used up, so that they do not take another server for it blindly.
fn code(problem: &Problem) -> Code {
    match problem {
        Problem::TooManyCalls | Problem::TooManyBytes | Problem::Infer(InferError::Busy { .. }) => {
            Code::ResourceExhausted
        }
        // Clients take `Unavailable` for a request that was never accepted, and send it again.
        Problem::Infer(InferError::NoAnswer) => Code::DeadlineExceeded,
        problem => match problem.status() {
            StatusCode::UNAUTHORIZED => Code::Unauthenticated,
            StatusCode::FORBIDDEN => Code::PermissionDenied,
            StatusCode::NOT_FOUND => Code::NotFound,
            StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::NOT_IMPLEMENTED => Code::Unimplemented,
            StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => Code::DeadlineExceeded,
            StatusCode::CONFLICT => Code::FailedPrecondition,
            StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::INSUFFICIENT_STORAGE => Code::ResourceExhausted,
            StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
            status if status.is_client_error() => Code::InvalidArgument,
            _ => Code::Internal,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;

    fn check(problem: Problem, code: &str, message: &str) {
        let reply = refused(&problem);
        assert_eq!(reply.status(), StatusCode::OK);
        assert_eq!(reply.headers()[GRPC_STATUS], code, "{problem}");
        assert_eq!(reply.headers()[GRPC_MESSAGE], message);
    }

    #[test]
    fn each_problem_has_its_code_and_its_words() {
        let invalid = InferError::Invalid { message: "x: found 50 %, expected ü\n".to_owned() };
        check(Problem::Infer(invalid), "3", "x: found 50 %25, expected %C3%BC%0A");
        let json = Bytes::from_static(br#"{"error":"no model had answered"}"#);
        check(Problem::Infer(InferError::NothingCame { json }), "4", "no model had answered");
        let conflict = InferError::Conflict { message: "it answers".to_owned() };
        check(Problem::Infer(conflict), "9", "it answers");
        check(Problem::TooManyCalls, "8", "too many open calls");
        check(Problem::BodyTooLarge { limit: 5 }, "8", "the body is larger than 5 bytes");
        check(Problem::Infer(InferError::ShuttingDown), "14", "the server is about to stop");
        check(Problem::Infer(InferError::Internal), "13", "the server failed; its log says how");
        let known = vec!["e".to_owned()];
        let unknown = Problem::UnknownEndpoint { endpoint: "x".to_owned(), known };
        check(unknown, "5", "there is no endpoint `x`; known: e");
    }

    #[test]
    fn who_has_to_wait_is_told_how_long() {
        let retry_after = Duration::from_millis(1_500);
        let trailers = trailers(&Problem::Infer(InferError::Busy { retry_after }));
        assert_eq!(trailers[RETRY_PUSHBACK], "1500");
        assert_eq!(trailers[GRPC_STATUS], "8");
    }
}
