//! The host as the front sees it: questions in, documents out.

mod extensions;
mod topics;
mod view;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use front::{
    Answered, Appended, Call, Caller, Change, Declined, IndexEntry, InferError, Look, Metadata,
    ModelStatistics, NotFound, Readiness, RepositoryChange, ServerMetadata, TopicRecord,
};
use message::oip::{Encoding, InferRequest, InferResponse, encode_response};
use message::record::HostAddress;
use message::{Outcome, Parameter, Time};
use sandbox::lanes::Worker;
use sandbox::{Known, TensorType};
use tokio::sync::oneshot;

use self::view::View;
use crate::clock;
use crate::drivers::supervisor::Order;
use crate::endpoint::{self, Ask, Endpoint, Event, PartReport, Records, Reply, Unanswered};
use crate::envelope::{self, Incoming, ReturnTo};
use crate::host::Shared;
use crate::live::{Identity, Live};
use crate::operations;
use crate::routed::Routed;
use crate::stage::State;

/// When a refused caller may come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// What callers are told whose requests the stream cannot be given.
const AWAY: InferError = InferError::StreamAway { retry_after: RETRY_AFTER };
/// Why a paused endpoint turns callers away.
const PAUSED: &str = "the endpoint is paused";
/// How many of the known names an error lists.
const KNOWN_NAMES: usize = 50;
/// The extensions of the protocol that there are.
const EXTENSIONS: [&str; 4] =
    ["schedule_policy", "binary_tensor_data", "statistics", "model_repository"];

impl front::Host for Shared {
    async fn infer(&self, caller: &Caller, name: &str, call: Call) -> Result<Answered, InferError> {
        let endpoint = self.known_endpoint(caller, name)?;
        let live = open(&endpoint)?;
        let view = View::new(&call.document, call.wants_tensors, &live.outputs)?;
        let address = match &self.replies {
            Some(replies) => Some(replies.address().ok_or(AWAY)?),
            None => None,
        };
        let ask = ask_of(caller, &live, call, address)?;
        drop(live);
        let (reply, answer) = Reply::new(view.takes_value());
        let call = Box::new(endpoint::Call { ask, reply });
        if endpoint.inbox.offer(Event::Call(call)).is_err() {
            return Err(InferError::Busy { retry_after: RETRY_AFTER });
        }
        match answer.await {
            Ok(Ok(answered)) if answered.is_error => {
                Err(InferError::NothingCame { json: answered.document })
            }
            Ok(Ok(answered)) => view.of(answered.document, answered.response),
            Ok(Err(unanswered)) => Err(error_of(unanswered)),
            // The driver has ended, and with it the endpoint.
            Err(_) => Err(InferError::ShuttingDown),
        }
    }

    async fn infer_model(
        &self,
        caller: &Caller,
        name: &str,
        model: &str,
        call: Call,
    ) -> Result<Answered, InferError> {
        let endpoint = self.known_endpoint(caller, name)?;
        let live = open(&endpoint)?;
        if let Some(routed) = live.routed(model) {
            let worker = self.recall(&endpoint, routed).await?;
            let outputs = &worker.model().description().outputs;
            let view = View::new(&call.document, call.wants_tensors, outputs)?;
            let request = Arc::new(ask_of(caller, &live, call, None)?.request);
            let answered = alone(&endpoint, &routed.identity, &worker, request).await?;
            return view.of(answered.json, answered.response);
        }
        let Some(member) = live.member(model) else {
            return Err(unavailable(&endpoint, model));
        };
        let outputs = &member.model.description().outputs;
        let view = View::new(&call.document, call.wants_tensors, outputs)?;
        let request = ask_of(caller, &live, call, None)?.request;
        let answered =
            alone(&endpoint, &member.identity, &member.worker, Arc::new(request)).await?;
        view.of(answered.json, answered.response)
    }

    async fn append(
        &self,
        caller: &Caller,
        name: &str,
        records: Vec<Bytes>,
    ) -> Result<Appended, InferError> {
        let endpoint = self.known_endpoint(caller, name)?;
        let received = clock::now();
        let live = open(&endpoint)?;
        let is_shared = self.is_shared();
        let ask = |body| ask_of_record(caller, &live, body, received, is_shared);
        let asks: Result<_, InferError> = records.into_iter().map(ask).collect();
        append(&endpoint, asks?).await.map_err(error_of)
    }

    async fn append_to_topic(
        &self,
        caller: &Caller,
        topic: &str,
        partition: Option<u32>,
        records: Vec<TopicRecord>,
    ) -> Result<Appended, InferError> {
        self.write_to_topic(caller, topic, partition, records).await
    }

    fn endpoints(&self, caller: &Caller) -> Vec<String> {
        self.visible_names(caller, usize::MAX)
    }

    fn metadata(
        &self,
        caller: &Caller,
        name: &str,
        model: Option<&str>,
    ) -> Result<Metadata, NotFound> {
        let endpoint = self.visible_endpoint(caller, name)?;
        let live = endpoint.live.load();
        match model {
            None => {
                let inputs: Vec<TensorType> = live.inputs.tensors().cloned().collect();
                Ok(metadata_of(name, &live, &inputs, &live.outputs))
            }
            Some(model) => match live.member(model) {
                Some(member) => {
                    let description = member.model.description();
                    Ok(metadata_of(name, &live, &description.inputs, &description.outputs))
                }
                None => match live.routed(model) {
                    Some(routed) => Ok(routed_metadata(name, &live, routed)),
                    None => Err(NotFound::Model { known: names_of(&endpoint) }),
                },
            },
        }
    }

    fn ready(
        &self,
        caller: &Caller,
        name: Option<&str>,
        model: Option<&str>,
    ) -> Result<Readiness, NotFound> {
        let Some(name) = name else { return Ok(self.readiness(caller)) };
        let endpoint = self.visible_endpoint(caller, name)?;
        match model {
            None => Ok(endpoint_readiness(&endpoint)),
            Some(model) => model_readiness(&endpoint, model),
        }
    }

    fn statistics(
        &self,
        caller: &Caller,
        name: Option<&str>,
        model: Option<&str>,
    ) -> Result<Vec<ModelStatistics>, NotFound> {
        self.statistics_of(caller, name, model)
    }

    fn repository(&self, caller: &Caller) -> Vec<IndexEntry> {
        self.index(caller)
    }

    fn change_repository(
        &self,
        caller: &Caller,
        name: &str,
        model: Option<&str>,
        change: RepositoryChange,
    ) -> Result<(), InferError> {
        extensions::change(self, caller, name, model, change)
    }

    fn live(&self) -> bool {
        true
    }

    fn server(&self) -> ServerMetadata {
        ServerMetadata {
            name: "understudy".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            extensions: EXTENSIONS.map(str::to_owned).into(),
        }
    }

    fn responded(&self, status: hyper::StatusCode) {
        self.meter.count_response(status.as_u16());
    }
}

impl front::Admin for Shared {
    fn metrics(&self, caller: &Caller) -> String {
        self.meter.text(self, caller)
    }

    fn status(&self, caller: &Caller, all: bool) -> serde_json::Value {
        crate::status::of(self, caller, all)
    }

    fn live(&self) -> bool {
        true
    }

    fn ready(&self, caller: &Caller) -> Readiness {
        self.readiness(caller)
    }

    fn look(&self, caller: &Caller, look: Look) -> Result<serde_json::Value, Declined> {
        operations::look(self, caller, look)
    }

    fn change(&self, caller: &Caller, change: Change) -> Result<serde_json::Value, Declined> {
        operations::change(self, caller, change)
    }
}

impl Shared {
    /// The endpoint with this name, if the caller sees it. Looked up either way, so that the time
    /// that it takes tells nothing.
    pub(crate) fn visible_endpoint(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<Arc<Endpoint>, NotFound> {
        let visible = self.endpoint(name).filter(|_| caller.sees(name));
        visible.ok_or_else(|| NotFound::Endpoint { known: self.visible_names(caller, KNOWN_NAMES) })
    }

    /// The names of the endpoints that the caller sees, at most so many.
    pub(crate) fn visible_names(&self, caller: &Caller, count: usize) -> Vec<String> {
        let endpoints = self.endpoints.load();
        let visible = endpoints.keys().filter(|name| caller.sees(name.as_str()));
        visible.take(count).map(ToString::to_string).collect()
    }

    fn known_endpoint(&self, caller: &Caller, name: &str) -> Result<Arc<Endpoint>, InferError> {
        if caller.sees(name) && self.waiting.load().contains_key(name) {
            return Err(InferError::NotReady { reason: "its topics are not open yet".into() });
        }
        self.visible_endpoint(caller, name).map_err(|not_found| match not_found {
            NotFound::Endpoint { known } => InferError::UnknownEndpoint { known },
            NotFound::Model { known } => InferError::UnknownModel { known },
        })
    }

    fn readiness(&self, caller: &Caller) -> Readiness {
        if let Some(obstacle) = self.storage.obstacle() {
            // Which brokers there are is no tenant's business.
            let away = || "the stream is away".to_owned();
            return Readiness::NotReady(caller.tenant.as_ref().map_or(obstacle, |_| away()));
        }
        let endpoints = self.endpoints.load();
        let mut visible = endpoints.values().filter(|it| caller.sees(it.name.as_str())).peekable();
        let waiting = self.waiting.load();
        if let Some((name, why)) = waiting.iter().find(|(name, _)| caller.sees(name.as_str())) {
            // What the brokers say is no tenant's business.
            let why = if caller.tenant.is_none() { why } else { "its topics are not open yet" };
            return Readiness::NotReady(format!("{name}: {why}"));
        }
        if visible.peek().is_none() {
            return Readiness::NotReady("there is no endpoint".into());
        }
        let waiting = visible.find_map(|endpoint| match endpoint_readiness(endpoint) {
            Readiness::Ready => None,
            Readiness::NotReady(reason) => Some(format!("{}: {reason}", endpoint.name)),
        });
        waiting.map_or(Readiness::Ready, Readiness::NotReady)
    }
}

impl Shared {
    /// Has a routed model loaded, where it is not in memory.
    async fn recall(
        &self,
        endpoint: &Endpoint,
        routed: &Routed,
    ) -> Result<Arc<Worker>, InferError> {
        let (visitor, worker) = oneshot::channel();
        let name = endpoint.name.clone();
        self.orders.push(Order::Visit(name, routed.incarnation(), visitor));
        // An error means that the host is stopping.
        let worker = worker.await.map_err(|_| InferError::ShuttingDown)?;
        worker.map_err(|reason| InferError::NotReady { reason })
    }
}

/// Appends requests to an endpoint's stream, and returns when all of them are kept.
pub(crate) async fn append(endpoint: &Endpoint, asks: Vec<Ask>) -> Result<Appended, Unanswered> {
    let (reply, appended) = oneshot::channel();
    let count = asks.len();
    let records = Records { asks: asks.into(), first_offset: None, count, reply };
    if endpoint.inbox.offer(Event::Records(records)).is_err() {
        return Err(Unanswered::Busy);
    }
    appended.await.unwrap_or(Err(Unanswered::Stopping))
}

/// Makes a request of one record that somebody hands in.
pub(crate) fn ask_of_record(
    caller: &Caller,
    live: &Live,
    body: Bytes,
    received: Time,
    is_shared: bool,
) -> Result<Ask, InferError> {
    let document = message::oip::decode_request(&body).map_err(invalid)?;
    let goes_by_id = is_shared && document.id.is_some();
    let return_to = ReturnTo::Topic;
    let incoming = Incoming {
        document,
        body,
        encoding: Encoding::Json,
        timeout: None,
        id: None,
        goes_by_id,
        return_to,
        received,
        traceparent: None,
        tenant: caller.tenant.as_deref(),
    };
    envelope::ask(live, incoming).map_err(invalid)
}

/// What the endpoint is now, unless an operator has paused it.
fn open(endpoint: &Endpoint) -> Result<Arc<Live>, InferError> {
    let live = endpoint.live.load_full();
    if live.paused {
        return Err(InferError::NotReady { reason: PAUSED.into() });
    }
    Ok(live)
}

/// Makes a request of a call; `address` is where its caller waits, where several hosts share the
/// stream.
fn ask_of(
    caller: &Caller,
    live: &Live,
    call: Call,
    address: Option<HostAddress<'_>>,
) -> Result<Ask, InferError> {
    let Call { document, body, encoding, timeout, idempotency_key, .. } = call;
    let Call { traceparent, received, return_to: call_return_to, .. } = call;
    check_inputs(live, &document)?;
    let made_up;
    let (id, return_to) = match &idempotency_key {
        Some(key) => (key.as_str(), ReturnTo::RepeatableCall),
        None => {
            made_up = crate::ids::fresh(received).to_string();
            (made_up.as_str(), ReturnTo::Call)
        }
    };
    let return_to = match call_return_to {
        Some(topic) => named(live, topic)?,
        None => return_to,
    };
    let goes_by_id = address.is_some() && idempotency_key.is_some();
    let return_to = match address {
        Some(address) => return_to.on_host(address),
        None => return_to,
    };
    let traceparent = traceparent.as_deref();
    let id = Some(id);
    let tenant = caller.tenant.as_deref();
    let incoming = Incoming {
        document,
        body,
        encoding,
        timeout,
        id,
        goes_by_id,
        return_to,
        received,
        traceparent,
        tenant,
    };
    envelope::ask(live, incoming).map_err(invalid)
}

/// The return address that a call names, if the endpoint allows it.
fn named(live: &Live, topic: String) -> Result<ReturnTo, InferError> {
    if live.flow.may_return_to(&topic) {
        return Ok(ReturnTo::Named(topic));
    }
    let allowed = &live.flow.return_to;
    Err(invalid(format!(
        "return-to: found topic {topic:?}, expected one of {allowed:?}, as `flow.return_to` says"
    )))
}

fn check_inputs(live: &Live, document: &InferRequest) -> Result<(), InferError> {
    live.inputs.check(&document.inputs).map_err(invalid)
}

/// Asks one model. What it says is recorded nowhere.
async fn alone(
    endpoint: &Endpoint,
    identity: &Identity,
    worker: &Worker,
    request: Arc<message::Request>,
) -> Result<Answered, InferError> {
    let (reply, said) = oneshot::channel();
    let replaced = || InferError::NotReady { reason: "the model is being replaced".into() };
    worker
        .run_alone(Arc::clone(&request), move |alone| {
            // Nobody listens where the caller has gone.
            let _gone = reply.send(alone);
        })
        .map_err(|_| replaced())?;
    let alone = said.await.map_err(|_| replaced())?;
    let prediction = match alone.outcome {
        Outcome::Prediction(prediction) => prediction,
        Outcome::Refusal(refusal) => return Err(InferError::Refused(refusal)),
        Outcome::Fault(fault) => return Err(InferError::Faulted(fault)),
    };
    let us = |duration: Duration| Parameter::Int(i64::try_from(duration.as_micros()).unwrap_or(0));
    let Identity { model, revision, .. } = identity;
    let response = InferResponse {
        model_name: endpoint.name.to_string(),
        model_version: Some(format!("{model}@{}", revision.short())),
        id: Some(request.caller_id.clone().unwrap_or_else(|| request.id.to_string())),
        parameters: [("wall_us", us(alone.wall)), ("cpu_us", us(alone.cpu))]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        outputs: prediction.outputs,
    };
    let json = Bytes::from(encode_response(&response));
    Ok(Answered { json, response: Some(Arc::new(response)) })
}

fn invalid(error: impl ToString) -> InferError {
    InferError::Invalid { message: error.to_string() }
}

fn error_of(unanswered: Unanswered) -> InferError {
    match unanswered {
        Unanswered::Busy => InferError::Busy { retry_after: RETRY_AFTER },
        Unanswered::StreamFull => InferError::StreamFull,
        Unanswered::StreamBroken => InferError::StreamPoisoned,
        Unanswered::StreamAway => AWAY,
        Unanswered::NoAnswer => InferError::NoAnswer,
        Unanswered::TooLarge { .. } | Unanswered::Unfit { .. } => invalid(unanswered),
        Unanswered::Stopping => InferError::ShuttingDown,
    }
}

fn names_of(endpoint: &Endpoint) -> Vec<String> {
    endpoint.parts.load().iter().map(|part| part.model.to_string()).take(KNOWN_NAMES).collect()
}

fn unavailable(endpoint: &Endpoint, model: &str) -> InferError {
    let parts = endpoint.parts.load();
    match parts.iter().find(|part| part.model.as_str() == model) {
        Some(part) if part.external.is_some() => {
            InferError::NotReady { reason: "it is external, and cannot be asked by itself".into() }
        }
        Some(part) => InferError::NotReady { reason: part.state_now().to_string() },
        None => InferError::UnknownModel { known: names_of(endpoint) },
    }
}

fn endpoint_readiness(endpoint: &Endpoint) -> Readiness {
    let live = endpoint.live.load();
    let can_answer = live.members.iter().any(|member| member.lane == sandbox::Lane::Live);
    if live.paused {
        return Readiness::NotReady(PAUSED.into());
    }
    if !live.settled {
        return Readiness::NotReady("its models are loading".into());
    }
    let is_outside = |part: &PartReport| {
        let position = live.roster.position(part.model.as_str());
        part.state == State::External && position.is_some_and(|it| live.roster.can_answer(it))
    };
    // What is cold is there when it is wanted.
    let can_answer = can_answer || endpoint.parts.load().iter().any(is_outside);
    if can_answer || !live.routed.is_empty() || live.default.is_some() {
        Readiness::Ready
    } else {
        Readiness::NotReady("no model that may answer is live, and there is no default".into())
    }
}

fn model_readiness(endpoint: &Endpoint, model: &str) -> Result<Readiness, NotFound> {
    let parts = endpoint.parts.load();
    match parts.iter().find(|part| part.model.as_str() == model) {
        None => Err(NotFound::Model { known: names_of(endpoint) }),
        Some(part) => match part.state_now() {
            // Asking a cold model is what loads it, so nobody may wait until it is warm.
            State::Live | State::Cold | State::Demoted(_) | State::External => Ok(Readiness::Ready),
            State::Loading if part.routed.is_some() => Ok(Readiness::Ready),
            state => Ok(Readiness::NotReady(state.to_string())),
        },
    }
}

/// Of a model that nobody has looked at yet, nothing is known.
fn routed_metadata(name: &str, live: &Live, routed: &Routed) -> Metadata {
    match routed.known().map(Known::description) {
        Some(description) => metadata_of(name, live, &description.inputs, &description.outputs),
        None => metadata_of(name, live, &[], &[]),
    }
}

fn metadata_of(name: &str, live: &Live, inputs: &[TensorType], outputs: &[TensorType]) -> Metadata {
    let forms = |tensors: &[TensorType]| {
        tensors
            .iter()
            .map(|tensor| front::TensorMetadata {
                name: tensor.name.clone(),
                datatype: tensor.datatype,
                shape: tensor.shape.clone(),
            })
            .collect()
    };
    Metadata {
        name: name.to_owned(),
        versions: live.members.iter().map(|member| member.identity.model.to_string()).collect(),
        platform: "understudy_wasm".into(),
        inputs: forms(inputs),
        outputs: forms(outputs),
        properties: Vec::new(),
    }
}
