//! Replies: always whole, always with a content type.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::Value;

use crate::gate::Pass;
use crate::guard::Entry;

/// A response.
pub type Reply = Response<ReplyBody>;

/// The body of a response. It keeps the place of its call until the connection has taken it.
#[derive(Debug, Default)]
pub struct ReplyBody {
    bytes: Bytes,
    _place: Option<Pass>,
    entry: Entry,
}

impl ReplyBody {
    /// Keeps the caller's place, until the connection has taken the body.
    pub(crate) fn keep(&mut self, entry: Entry) {
        self.entry = entry;
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = std::mem::take(&mut self.bytes);
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.len() as u64)
    }
}

/// A reply of JSON that is encoded already; `place` is held until it is sent.
pub(crate) fn encoded(status: StatusCode, json: Bytes, place: Option<Pass>) -> Reply {
    typed(status, HeaderValue::from_static("application/json"), json, place)
}

/// A reply of JSON.
pub(crate) fn json(status: StatusCode, value: &Value) -> Reply {
    encoded(status, Bytes::from(value.to_string()), None)
}

/// A reply of text.
pub(crate) fn text(content_type: &'static str, text: String) -> Reply {
    typed(StatusCode::OK, HeaderValue::from_static(content_type), Bytes::from(text), None)
}

fn typed(status: StatusCode, kind: HeaderValue, bytes: Bytes, place: Option<Pass>) -> Reply {
    let mut reply = Response::new(ReplyBody { bytes, _place: place, entry: Entry::default() });
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, kind);
    reply
}
