//! The Open Inference Protocol over gRPC, with the services for health and for reflection.
//!
//! Calls of one message are framed by hand and not by tonic: bodies keep to the same limits as
//! those of REST, share their memory with them, and reach the stream as the bytes that came.

mod frames;
mod health;
mod messages;
mod method;
mod reflection;
mod status;
mod stream;

use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;
use hyper::{Request, StatusCode};
use message::oip::{
    Encoding, ProtobufRequest, decode_protobuf_request, encode_protobuf_response_into,
};
use prost::Message;

use crate::body;
use crate::caller::Caller;
use crate::extensions::RepositoryChange;
use crate::guard::{Act, Entry, Peer};
use crate::headers;
use crate::host::{Answered, Call, Host, InferError, Readiness};
use crate::problem::Problem;
use crate::reply::{self, Reply};
use crate::routes::Routes;
use crate::routes::extensions::wrong;
use crate::routes::grpc::frames::{framed, unframed};
use crate::routes::grpc::messages as wire;
use crate::routes::grpc::method::Method;
use crate::routes::grpc::reflection::Reflection;
use crate::routes::grpc::status::{ok, refused};
use crate::routes::public::{Shared, now};

/// Replies to callers of the protocol over gRPC.
///
/// `Clone` gives another handle: the calls of all clones count towards the same limits, and so do
/// those of the REST routes that it was made of.
#[derive(Debug)]
pub struct GrpcRoutes<H> {
    shared: Arc<Shared<H>>,
    reflection: Reflection,
}

impl<H: Host> GrpcRoutes<H> {
    pub(super) fn new(shared: Arc<Shared<H>>) -> Self {
        Self { shared, reflection: Reflection::new() }
    }
}

impl<H> Clone for GrpcRoutes<H> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), reflection: self.reflection.clone() }
    }
}

impl<H: Host> Routes for GrpcRoutes<H> {
    async fn reply(&self, request: Request<Incoming>, peer: &Peer) -> Reply {
        let (status, reply) = match self.route(request, peer).await {
            Ok(reply) => (StatusCode::OK, reply),
            // Whoever does not even speak gRPC could not read its statuses.
            Err(problem @ Problem::ContentType { .. }) => (problem.status(), problem.into_reply()),
            Err(problem) => (problem.status(), refused(&problem)),
        };
        self.shared.host.responded(status);
        reply
    }
}

impl<H: Host> GrpcRoutes<H> {
    async fn route(&self, request: Request<Incoming>, peer: &Peer) -> Result<Reply, Problem> {
        check_type(&request)?;
        let shared = &self.shared;
        let method = Method::parse(request.uri().path())?;
        if method.act() == Act::Health {
            let (head, body) = request.into_parts();
            let caller = shared.guard.recognise(&head.headers, peer);
            return shared.strangers(method, caller.as_ref(), &head, body).await;
        }
        let caller = shared.guard.identify(request.headers(), peer)?;
        match method {
            Method::Reflection(version) => {
                let _entry = shared.guard.admit(&caller, request.headers(), method.act())?;
                Ok(self.reflection.reply(version, request).await)
            }
            Method::ModelStreamInfer => {
                let (head, body) = request.into_parts();
                Ok(stream::reply(Arc::clone(shared), peer.clone(), head, body))
            }
            Method::HealthWatch => {
                let (head, body) = request.into_parts();
                let entry = shared.guard.admit(&caller, &head.headers, method.act())?;
                let asked = shared.message(&head, body).await?;
                health::watch(Arc::clone(shared), caller, entry, &head, &asked)
            }
            _ => {
                let (head, body) = request.into_parts();
                let entry = shared.guard.admit(&caller, &head.headers, method.act())?;
                shared.unary(&caller, method, &head, body, entry).await
            }
        }
    }
}

fn check_type(request: &Request<Incoming>) -> Result<(), Problem> {
    let found = request.headers().get(CONTENT_TYPE);
    let text = found.and_then(|found| found.to_str().ok()).unwrap_or_default();
    if matches!(text, "application/grpc" | "application/grpc+proto") {
        return Ok(());
    }
    let found = text.to_owned();
    Err(Problem::ContentType { found, expected: "application/grpc" })
}

impl<H: Host> Shared<H> {
    /// What even strangers may ask.
    async fn strangers(
        &self,
        method: Method,
        caller: Option<&Caller>,
        head: &Parts,
        body: Incoming,
    ) -> Result<Reply, Problem> {
        let message = self.message(head, body).await?;
        match method {
            Method::ServerLive => {
                Ok(encoded(&wire::ServerLiveResponse { live: self.host.live() }, Entry::default()))
            }
            Method::ServerReady => {
                let local = Caller::local();
                let readiness = self.host.ready(caller.unwrap_or(&local), None, None);
                let ready = readiness == Ok(Readiness::Ready);
                Ok(encoded(&wire::ServerReadyResponse { ready }, Entry::default()))
            }
            _ => self.health_check(caller, &message),
        }
    }

    /// The one message of a call.
    async fn message(&self, head: &Parts, body: Incoming) -> Result<Bytes, Problem> {
        unframed(&self.receive(head, body).await?.bytes)
    }

    async fn unary(
        &self,
        caller: &Caller,
        method: Method,
        head: &Parts,
        body: Incoming,
        entry: Entry,
    ) -> Result<Reply, Problem> {
        let received = now();
        let place = self.place()?;
        let timeout = headers::grpc_timeout(&head.headers)?;
        let whole = self.receive(head, body).await?;
        let message = unframed(&whole.bytes)?;
        if method == Method::ModelInfer {
            let idempotency_key = headers::idempotency_key(&head.headers)?;
            let traceparent = headers::traceparent(&head.headers);
            let request = body::decode(message.clone(), decode_protobuf_request).await?;
            let question = Question { request, message, idempotency_key, traceparent, timeout };
            let answered = self.ask(caller, question, received).await?;
            let response = answered.response.ok_or(Problem::Infer(InferError::Internal))?;
            let bytes = framed(|out| encode_protobuf_response_into(&response, out));
            let mut reply = reply::message(bytes, ok(), Some(place));
            reply.body_mut().keep(entry);
            return Ok(reply);
        }
        self.describe(caller, method, message, entry).await
    }

    /// Asks an endpoint, or one model of it.
    async fn ask(
        &self,
        caller: &Caller,
        question: Question,
        received: message::Time,
    ) -> Result<Answered, Problem> {
        let Question { request, message, idempotency_key, traceparent, timeout } = question;
        let ProtobufRequest { model_name: endpoint, model_version, request: document } = request;
        let call = Call {
            document,
            body: message,
            encoding: Encoding::Protobuf,
            wants_tensors: true,
            timeout,
            idempotency_key,
            return_to: None,
            traceparent,
            received,
        };
        let model = (!model_version.is_empty()).then_some(&*model_version);
        let answered = match model {
            None => self.host.infer(caller, &endpoint, call).await,
            Some(model) => self.host.infer_model(caller, &endpoint, model, call).await,
        };
        answered.map_err(|error| Problem::from_infer(error, &endpoint, model))
    }

    async fn describe(
        &self,
        caller: &Caller,
        method: Method,
        message: Bytes,
        entry: Entry,
    ) -> Result<Reply, Problem> {
        match method {
            Method::ServerMetadata => {
                let server = self.host.server();
                Ok(encoded(&wire::ServerMetadataResponse::from(server), entry))
            }
            Method::ModelReady => {
                let wire::Model { name, version } = decoded(&message)?;
                let model = (!version.is_empty()).then_some(&*version);
                let readiness = self.host.ready(caller, Some(&name), model);
                let readiness =
                    readiness.map_err(|error| Problem::from_not_found(error, &name, model))?;
                let ready = readiness == Readiness::Ready;
                Ok(encoded(&wire::ModelReadyResponse { ready }, entry))
            }
            Method::ModelMetadata => {
                let wire::Model { name, version } = decoded(&message)?;
                let model = (!version.is_empty()).then_some(&*version);
                let metadata = self.host.metadata(caller, &name, model);
                let metadata =
                    metadata.map_err(|error| Problem::from_not_found(error, &name, model))?;
                Ok(encoded(&wire::ModelMetadataResponse::from(metadata), entry))
            }
            Method::ModelStatistics => {
                let wire::Model { name, version } = decoded(&message)?;
                let given = |text: String| (!text.is_empty()).then_some(text);
                let (endpoint, model) = (given(name), given(version));
                let statistics =
                    self.statistics_of(caller, endpoint.as_deref(), model.as_deref())?;
                Ok(encoded(&wire::ModelStatisticsResponse::from(statistics), entry))
            }
            Method::RepositoryIndex => {
                let wire::RepositoryIndexRequest { ready, .. } = decoded(&message)?;
                let entries = self.repository(caller, ready);
                Ok(encoded(&wire::RepositoryIndexResponse::from(entries), entry))
            }
            method => self.repository_change(caller, method, &message, entry).await,
        }
    }

    async fn repository_change(
        &self,
        caller: &Caller,
        method: Method,
        message: &Bytes,
        entry: Entry,
    ) -> Result<Reply, Problem> {
        let request: wire::RepositoryChangeRequest = decoded(message)?;
        let change = if method == Method::RepositoryModelLoad {
            RepositoryChange::Load { component: request.component()? }
        } else {
            RepositoryChange::Unload
        };
        let (endpoint, model) = (request.endpoint(), request.version());
        self.repository_changed(caller, endpoint, model, change).await?;
        let done = wire::RepositoryChangeResponse { name: endpoint.to_owned(), done: true };
        Ok(encoded(&done, entry))
    }
}

/// A question that has come over gRPC.
struct Question {
    request: ProtobufRequest,
    /// The request as it came.
    message: Bytes,
    idempotency_key: Option<String>,
    traceparent: Option<String>,
    timeout: Option<std::time::Duration>,
}

/// The reply that is this message.
fn encoded(message: &impl Message, entry: Entry) -> Reply {
    let bytes = framed(|out| out.extend_from_slice(&message.encode_to_vec()));
    let mut reply = reply::message(bytes, ok(), None);
    reply.body_mut().keep(entry);
    reply
}

fn decoded<M: Message + Default>(message: &Bytes) -> Result<M, Problem> {
    M::decode(message.clone()).map_err(|error| {
        wrong("document", &format!("no such message ({error})"), "that of the method")
    })
}
