//! Replies, always with a content type: whole ones of REST, and those of gRPC, which end in trailers.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::gate::Pass;
use crate::guard::Entry;
use crate::host::{Appended, AppendedPart};

/// A response.
pub type Reply = Response<ReplyBody>;

/// The body of a response. It keeps the place of its call until the connection has taken it.
#[derive(Debug, Default)]
pub struct ReplyBody {
    content: Content,
    _place: Option<Pass>,
    entry: Entry,
}

impl ReplyBody {
    /// Keeps the caller's place, until the connection has taken the body.
    pub(crate) fn keep(&mut self, entry: Entry) {
        self.entry = entry;
    }
}

/// What is still to be sent.
#[derive(Default)]
enum Content {
    #[default]
    Nothing,
    Whole(Bytes),
    Message(Bytes, HeaderMap),
    Trailers(HeaderMap),
    Stream(Stream),
    Foreign(tonic::body::Body),
}

/// Frames as they come, and the task that makes them: it ends with the body.
struct Stream {
    frames: mpsc::Receiver<Frame<Bytes>>,
    _task: JoinSet<()>,
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Whole(_) => "Whole",
            Self::Message(..) => "Message",
            Self::Trailers(_) => "Trailers",
            Self::Stream(_) => "Stream",
            Self::Foreign(_) => "Foreign",
        })
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = match std::mem::take(&mut self.content) {
            Content::Nothing => None,
            Content::Whole(bytes) => (!bytes.is_empty()).then(|| Frame::data(bytes)),
            Content::Message(bytes, trailers) => {
                self.content = Content::Trailers(trailers);
                Some(Frame::data(bytes))
            }
            Content::Trailers(trailers) => Some(Frame::trailers(trailers)),
            Content::Stream(mut stream) => {
                let polled = stream.frames.poll_recv(context);
                self.content = Content::Stream(stream);
                ready!(polled)
            }
            Content::Foreign(mut body) => {
                let polled = Pin::new(&mut body).poll_frame(context);
                self.content = Content::Foreign(body);
                // An error of such a body is a status that has no place any more.
                ready!(polled).and_then(Result::ok)
            }
        };
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Nothing => true,
            Content::Whole(bytes) => bytes.is_empty(),
            Content::Foreign(body) => body.is_end_stream(),
            Content::Message(..) | Content::Trailers(_) | Content::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Nothing => SizeHint::with_exact(0),
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            // gRPC tells no lengths ahead.
            _ => SizeHint::default(),
        }
    }
}

/// A reply of JSON that is encoded already; `place` is held until it is sent.
pub(crate) fn encoded(status: StatusCode, json: Bytes, place: Option<Pass>) -> Reply {
    whole(status, HeaderValue::from_static("application/json"), json, place)
}

/// A reply of JSON.
pub(crate) fn json(status: StatusCode, value: &Value) -> Reply {
    encoded(status, Bytes::from(value.to_string()), None)
}

/// A reply that says where appended records lie.
pub(crate) fn appended(appended: &Appended) -> Reply {
    let part = |part: &AppendedPart| {
        let AppendedPart { partition, first_offset, count } = part;
        json!({ "partition": partition, "first_offset": first_offset, "count": count })
    };
    let document = json!({
        "first_offset": appended.parts.first().map_or(0, |part| part.first_offset),
        "count": appended.count,
        "partitions": appended.parts.iter().map(part).collect::<Vec<_>>(),
    });
    json(StatusCode::OK, &document)
}

/// A reply of text.
pub(crate) fn text(content_type: &'static str, text: String) -> Reply {
    whole(StatusCode::OK, HeaderValue::from_static(content_type), Bytes::from(text), None)
}

/// A reply of bytes; `place` is held until it is sent.
pub(crate) fn binary(bytes: Bytes, place: Pass) -> Reply {
    let kind = HeaderValue::from_static("application/octet-stream");
    whole(StatusCode::OK, kind, bytes, Some(place))
}

/// A reply of gRPC: one message, and what ends it.
pub(crate) fn message(framed: Bytes, trailers: HeaderMap, place: Option<Pass>) -> Reply {
    grpc(Content::Message(framed, trailers), place)
}

/// A reply of gRPC without a message: its status is among the headers.
pub(crate) fn status_alone(trailers: HeaderMap) -> Reply {
    let mut reply = grpc(Content::Nothing, None);
    reply.headers_mut().extend(trailers);
    reply
}

/// A reply of gRPC whose frames `task` makes, the trailers as the last of them.
pub(crate) fn stream(frames: mpsc::Receiver<Frame<Bytes>>, task: JoinSet<()>) -> Reply {
    grpc(Content::Stream(Stream { frames, _task: task }), None)
}

/// A reply that a service of tonic made.
pub(crate) fn foreign(response: Response<tonic::body::Body>) -> Reply {
    response.map(|body| ReplyBody { content: Content::Foreign(body), ..ReplyBody::default() })
}

fn grpc(content: Content, place: Option<Pass>) -> Reply {
    typed(StatusCode::OK, HeaderValue::from_static("application/grpc"), content, place)
}

fn whole(status: StatusCode, kind: HeaderValue, bytes: Bytes, place: Option<Pass>) -> Reply {
    typed(status, kind, Content::Whole(bytes), place)
}

fn typed(status: StatusCode, kind: HeaderValue, content: Content, place: Option<Pass>) -> Reply {
    let mut reply = Response::new(ReplyBody { content, _place: place, entry: Entry::default() });
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, kind);
    reply
}
