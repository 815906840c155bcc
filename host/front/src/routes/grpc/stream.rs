//! A stream of questions, each answered when its answer is there.

use std::sync::Arc;

use bytes::Bytes;
use hyper::body::{Frame, Incoming};
use hyper::http::request::Parts;
use message::oip::{InferResponse, decode_protobuf_request, encode_protobuf_response_into};
use prost::encoding::{WireType, encode_key, encode_varint};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::body;
use crate::connection::Stopping;
use crate::gate::Pass;
use crate::guard::{Act, Peer};
use crate::headers;
use crate::host::{Host, InferError};
use crate::problem::Problem;
use crate::reply::{self, Reply};
use crate::routes::grpc::Question;
use crate::routes::grpc::frames::{Messages, framed};
use crate::routes::grpc::status::{message_of, ok, trailers};
use crate::routes::public::{Shared, now};

/// How many questions of one stream may be open. Further ones wait, and with them the caller.
const OPEN_MAX: usize = 64;

/// The reply that is the answers to a stream of questions. Each question shows the token of the
/// stream anew: one that is taken back while the stream is open is of no use any more.
pub(super) fn reply<H: Host>(
    shared: Arc<Shared<H>>,
    peer: Peer,
    head: Parts,
    body: Incoming,
) -> Reply {
    let (sender, frames) = mpsc::channel(1);
    let mut task = JoinSet::new();
    task.spawn(async move {
        let ended = run(&shared, peer, head, body, &sender).await;
        let trailers = ended.map_or_else(|problem| trailers(&problem), |()| ok());
        // Nobody listens where the caller has gone.
        let _gone = sender.send(Frame::trailers(trailers)).await;
    });
    reply::stream(frames, task)
}

async fn run<H: Host>(
    shared: &Arc<Shared<H>>,
    peer: Peer,
    head: Parts,
    body: Incoming,
    sender: &mpsc::Sender<Frame<Bytes>>,
) -> Result<(), Problem> {
    let mut stopping = Stopping::of(&head.extensions);
    let mut is_stopping = false;
    let from = Arc::new((head.headers, peer));
    let mut messages = Messages::new(body, &shared.memory, shared.limits.body_bytes_max)?;
    let mut open = JoinSet::new();
    let mut has_ended = false;
    loop {
        tokio::select! {
            Some(answer) = open.join_next() => {
                let answer = answer.map_err(|_| Problem::Infer(InferError::Internal))?;
                if sender.send(Frame::data(answer)).await.is_err() {
                    return Ok(());
                }
            }
            message = messages.next(), if !has_ended && open.len() < OPEN_MAX => match message? {
                None => has_ended = true,
                Some((message, share)) => {
                    let (shared, from) = (Arc::clone(shared), Arc::clone(&from));
                    open.spawn(async move {
                        answer(&shared, &from.0, &from.1, message, share).await
                    });
                }
            },
            () = stopping.begun(), if !has_ended => (has_ended, is_stopping) = (true, true),
            else => break,
        }
    }
    // What had been asked has its answers, and whoever would ask on has to go elsewhere.
    if is_stopping { Err(Problem::Infer(InferError::ShuttingDown)) } else { Ok(()) }
}

/// The answer to one question, or why there is none, as a message in its frame.
async fn answer<H: Host>(
    shared: &Shared<H>,
    head: &hyper::HeaderMap,
    peer: &Peer,
    message: Bytes,
    _share: Pass,
) -> Bytes {
    let received = now();
    let request = body::decode(message.clone(), decode_protobuf_request).await;
    let id = request.as_ref().ok().and_then(|request| request.request.id.clone());
    let answered = async {
        let caller = &shared.guard.identify(head, peer)?;
        let _place = shared.place()?;
        let _entry = shared.guard.admit(caller, head, Act::Infer)?;
        let traceparent = headers::traceparent(head);
        let request = request?;
        let (idempotency_key, timeout) = (None, None);
        let question = Question { request, message, idempotency_key, traceparent, timeout };
        let answered = shared.ask(caller, question, received).await?;
        answered.response.ok_or(Problem::Infer(InferError::Internal))
    };
    let (error, response) = match answered.await {
        Ok(response) => (None, response),
        Err(problem) => {
            shared.host.responded(problem.status());
            let response = InferResponse { id, ..InferResponse::default() };
            (Some(message_of(&problem)), Arc::new(response))
        }
    };
    framed(|out| stream_response(error.as_deref(), &response, out))
}

/// Writes a `ModelStreamInferResponse`.
fn stream_response(error: Option<&str>, response: &InferResponse, out: &mut Vec<u8>) {
    if let Some(error) = error {
        prost::encoding::string::encode(1, &error.to_owned(), out);
    }
    let mut inner = Vec::new();
    encode_protobuf_response_into(response, &mut inner);
    encode_key(2, WireType::LengthDelimited, out);
    encode_varint(inner.len() as u64, out);
    out.extend_from_slice(&inner);
}
