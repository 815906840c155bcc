//! The routes of the Open Inference Protocol.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::EXPECT;
use hyper::http::request::Parts;
use hyper::{Request, StatusCode};
use message::Time;
use message::oip::{BinaryOutputs, Encoding, decode_request_as, encode_binary_response};
use serde_json::{Value, json};

use crate::body;
use crate::caller::Caller;
use crate::gate::{Gate, Pass};
use crate::guard::{Guard, Peer};
use crate::headers;
use crate::host::{Call, Host, Metadata, Readiness, TensorMetadata};
use crate::limits::FrontLimits;
use crate::openapi::{self, About, Listener, openapi};
use crate::problem::Problem;
use crate::reply::{self, Reply};
use crate::routes::grpc::GrpcRoutes;
use crate::routes::{Routes, check_method};
use crate::target::{Ask, Target};

/// The type of a body that is a document.
pub(super) const DOCUMENT: &[&str] = &["application/json"];
/// The types of a body with tensors behind its document.
const BINARY: &[&str] = &["application/octet-stream", "application/json"];
const RECORDS: &[&str] = &["application/x-ndjson", "application/jsonl", "application/json-lines"];

/// Replies to callers of the protocol.
///
/// `Clone` gives another handle: the calls of all clones count towards the same limits.
#[derive(Debug)]
pub struct PublicRoutes<H>(Arc<Shared<H>>);

/// What the routes of the protocol share, over REST and over gRPC.
#[derive(Debug)]
pub(super) struct Shared<H> {
    pub(super) host: Arc<H>,
    pub(super) limits: FrontLimits,
    calls: Gate,
    pub(super) memory: Gate,
    pub(super) guard: Guard,
}

impl<H: Host> PublicRoutes<H> {
    /// The routes that ask `host` for whom `guard` lets in, and keep to `limits`.
    pub fn new(host: Arc<H>, limits: FrontLimits, guard: Guard) -> Self {
        let calls = Gate::new(limits.calls_open_max);
        let memory = Gate::new(limits.bodies_bytes_max);
        Self(Arc::new(Shared { host, limits, calls, memory, guard }))
    }

    /// The same over gRPC; the calls of both count towards the same limits.
    pub fn grpc(&self) -> GrpcRoutes<H> {
        GrpcRoutes::new(Arc::clone(&self.0))
    }

    /// How many calls are open.
    pub fn open_calls(&self) -> usize {
        self.0.calls.inside()
    }

    /// How many bytes of bodies the open calls hold.
    pub fn bodies_bytes(&self) -> usize {
        self.0.memory.inside()
    }
}

impl<H> Clone for PublicRoutes<H> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<H: Host> Routes for PublicRoutes<H> {
    async fn reply(&self, request: Request<Incoming>, peer: &Peer) -> Reply {
        let (head, body) = request.into_parts();
        let reply = self.0.route(head, body, peer).await.unwrap_or_else(Problem::into_reply);
        self.0.host.responded(reply.status());
        reply
    }
}

impl<H: Host> Shared<H> {
    async fn route(&self, head: Parts, body: Incoming, peer: &Peer) -> Result<Reply, Problem> {
        let target = Target::parse(head.uri.path());
        if let Ok(Target::Live | Target::Ready) = target {
            return self.health(target?, &head, peer);
        }
        let caller = &self.guard.identify(&head.headers, peer)?;
        let target = target?;
        check_method(&head.method, target.allow())?;
        let entry = self.guard.admit(caller, &head.headers, target.act())?;
        let mut reply = self.answer(caller, target, &head, body).await?;
        reply.body_mut().keep(entry);
        Ok(reply)
    }

    async fn answer(
        &self,
        caller: &Caller,
        target: Target<'_>,
        head: &Parts,
        body: Incoming,
    ) -> Result<Reply, Problem> {
        match target {
            Target::Endpoint { endpoint, model, ask: Ask::Infer } => {
                self.infer(caller, &endpoint, model.as_deref(), head, body).await
            }
            Target::Endpoint { endpoint, ask: Ask::Append, .. } => {
                self.append(caller, &endpoint, head, body).await
            }
            Target::Endpoint { endpoint, model, ask: Ask::Ready } => {
                self.ready(caller, &endpoint, model.as_deref())
            }
            Target::Endpoint { endpoint, model, ask: Ask::Metadata } => {
                self.metadata(caller, &endpoint, model.as_deref())
            }
            Target::Endpoint { endpoint, model, ask: Ask::Statistics } => {
                self.statistics(caller, Some(&endpoint), model.as_deref())
            }
            Target::Endpoint { endpoint, model, ask: Ask::Load } => {
                self.load(caller, (&endpoint, model.as_deref()), head, body).await
            }
            Target::Endpoint { endpoint, model, ask: Ask::Unload } => {
                self.unload(caller, (&endpoint, model.as_deref()), head, body).await
            }
            Target::Topic { topic } => self.append_to_topic(caller, &topic, head, body).await,
            Target::Statistics => self.statistics(caller, None, None),
            Target::Index => self.index(caller, head, body).await,
            Target::Endpoints => Ok(self.endpoints(caller)),
            Target::OpenApi => Ok(self.openapi(caller)),
            Target::Server => Ok(self.server()),
            Target::Live => Ok(live(self.host.live())),
            Target::Ready => self.server_ready(Some(caller)),
        }
    }

    /// What even strangers may ask.
    fn health(&self, target: Target<'_>, head: &Parts, peer: &Peer) -> Result<Reply, Problem> {
        check_method(&head.method, target.allow())?;
        match target {
            Target::Ready => self.server_ready(self.guard.recognise(&head.headers, peer).as_ref()),
            _ => Ok(live(self.host.live())),
        }
    }

    async fn infer(
        &self,
        caller: &Caller,
        endpoint: &str,
        model: Option<&str>,
        head: &Parts,
        body: Incoming,
    ) -> Result<Reply, Problem> {
        let received = now();
        let place = self.place()?;
        let encoding = headers::encoding(&head.headers)?;
        let accepted = if encoding == Encoding::Json { DOCUMENT } else { BINARY };
        headers::check_body(&head.headers, accepted)?;
        let idempotency_key = headers::idempotency_key(&head.headers)?;
        let return_to = headers::return_to(&head.headers)?;
        let traceparent = headers::traceparent(&head.headers);
        let whole = self.receive(head, body).await?;
        let decode = move |bytes: &[u8]| decode_request_as(bytes, encoding);
        let document = body::decode(whole.bytes.clone(), decode).await?;
        let binary = BinaryOutputs::of(&document);
        let call = Call {
            document,
            body: whole.bytes.clone(),
            encoding,
            wants_tensors: !binary.is_empty(),
            timeout: None,
            idempotency_key,
            return_to,
            traceparent,
            received,
        };
        let answered = match model {
            None => self.host.infer(caller, endpoint, call).await,
            Some(model) => self.host.infer_model(caller, endpoint, model, call).await,
        };
        let answered = answered.map_err(|error| Problem::from_infer(error, endpoint, model))?;
        match &answered.response {
            Some(response) if !binary.is_empty() => {
                let document = encode_binary_response(response, |name| binary.contains(name));
                let (name, value) = headers::document_length(document.document_bytes);
                let mut reply = reply::binary(Bytes::from(document.bytes), place);
                reply.headers_mut().insert(name, value);
                Ok(reply)
            }
            _ => Ok(reply::encoded(StatusCode::OK, answered.json, Some(place))),
        }
    }

    async fn append(
        &self,
        caller: &Caller,
        endpoint: &str,
        head: &Parts,
        body: Incoming,
    ) -> Result<Reply, Problem> {
        let _place = self.place()?;
        headers::check_body(&head.headers, RECORDS)?;
        let whole = self.receive(head, body).await?;
        let records = body::decode_lines(whole.bytes.clone()).await?;
        self.guard.admit_all(caller, records.len())?;
        let appended = self.host.append(caller, endpoint, records).await;
        let appended = appended.map_err(|error| Problem::from_infer(error, endpoint, None))?;
        Ok(reply::appended(&appended))
    }

    pub(super) fn place(&self) -> Result<Pass, Problem> {
        self.calls.enter(1).ok_or(Problem::TooManyCalls)
    }

    pub(super) async fn receive(
        &self,
        head: &Parts,
        body: Incoming,
    ) -> Result<body::Received, Problem> {
        // Who expects to be asked on has not sent anything yet, and reading would ask.
        let discard = !head.headers.contains_key(EXPECT);
        body::receive(body, &self.limits, &self.memory, discard).await
    }

    fn metadata(
        &self,
        caller: &Caller,
        endpoint: &str,
        model: Option<&str>,
    ) -> Result<Reply, Problem> {
        let metadata = self.host.metadata(caller, endpoint, model);
        let metadata = metadata.map_err(|error| Problem::from_not_found(error, endpoint, model))?;
        Ok(reply::json(StatusCode::OK, &describe(metadata)))
    }

    fn ready(
        &self,
        caller: &Caller,
        endpoint: &str,
        model: Option<&str>,
    ) -> Result<Reply, Problem> {
        let readiness = self.host.ready(caller, Some(endpoint), model);
        let readiness =
            readiness.map_err(|error| Problem::from_not_found(error, endpoint, model))?;
        Ok(ready(json!({ "name": model.unwrap_or(endpoint) }), readiness))
    }

    fn server_ready(&self, caller: Option<&Caller>) -> Result<Reply, Problem> {
        let readiness = self.host.ready(caller.unwrap_or(&Caller::local()), None, None);
        let readiness = readiness.map_err(|error| Problem::from_not_found(error, "", None))?;
        Ok(ready(json!({ "live": self.host.live() }), readiness.shown_to(caller)))
    }

    fn endpoints(&self, caller: &Caller) -> Reply {
        let endpoints = self.host.endpoints(caller).into_iter().map(|name| json!({ "name": name }));
        reply::json(StatusCode::OK, &json!({ "models": endpoints.collect::<Vec<_>>() }))
    }

    fn openapi(&self, caller: &Caller) -> Reply {
        let example = openapi::of_host(&*self.host, caller);
        let about = About { needs_token: self.guard.is_locked(), example };
        let version = self.host.server().version;
        reply::json(StatusCode::OK, &openapi(Listener::Public, &version, &about))
    }

    fn server(&self) -> Reply {
        let server = self.host.server();
        let (name, version, extensions) = (server.name, server.version, server.extensions);
        let document = json!({ "name": name, "version": version, "extensions": extensions });
        reply::json(StatusCode::OK, &document)
    }
}

/// The reply that says whether a server works at all.
pub(crate) fn live(live: bool) -> Reply {
    if live {
        return reply::json(StatusCode::OK, &json!({ "live": true }));
    }
    let document = json!({ "live": false, "error": "the server does not work any more" });
    reply::json(StatusCode::SERVICE_UNAVAILABLE, &document)
}

/// The reply that says whether something can answer, beside what `document` says already.
pub(crate) fn ready(mut document: Value, readiness: Readiness) -> Reply {
    match readiness {
        Readiness::Ready => {
            document["ready"] = json!(true);
            reply::json(StatusCode::OK, &document)
        }
        Readiness::NotReady(reason) => {
            document["ready"] = json!(false);
            document["error"] = json!(reason);
            reply::json(StatusCode::SERVICE_UNAVAILABLE, &document)
        }
    }
}

fn describe(metadata: Metadata) -> Value {
    let tensors =
        |tensors: Vec<TensorMetadata>| tensors.into_iter().map(describe_tensor).collect::<Vec<_>>();
    let mut document = json!({
        "name": metadata.name,
        "platform": metadata.platform,
        "inputs": tensors(metadata.inputs),
        "outputs": tensors(metadata.outputs),
    });
    if !metadata.versions.is_empty() {
        document["versions"] = json!(metadata.versions);
    }
    for (name, value) in metadata.properties {
        document["properties"][name] = json!(value);
    }
    document
}

fn describe_tensor(tensor: TensorMetadata) -> Value {
    let length = |length: Option<u32>| length.map_or(-1, i64::from);
    let shape: Vec<_> = tensor.shape.into_iter().map(length).collect();
    json!({ "name": tensor.name, "datatype": tensor.datatype.wire_name(), "shape": shape })
}

/// The time.
pub(super) fn now() -> Time {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Time::EPOCH + since_epoch.unwrap_or_default()
}
