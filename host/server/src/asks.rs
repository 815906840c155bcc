//! The host as the front sees it: questions in, documents out.

mod alone;
mod extensions;
mod incoming;
mod metadata;
mod readiness;
mod topics;
mod view;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use front::{
    Answered, Appended, Call, Caller, Change, Declined, IndexEntry, InferError, Look, Metadata,
    ModelStatistics, NotFound, Readiness, RepositoryChange, ServerMetadata, TopicRecord,
};
use sandbox::TensorType;

use self::alone::alone;
use self::incoming::ask_of;
pub(crate) use self::incoming::{append, ask_of_record};
use self::metadata::{metadata_of, routed_metadata};
use self::readiness::{endpoint_readiness, model_readiness, unavailable};
use self::view::View;
use crate::clock;
use crate::endpoint::{self, Endpoint, Event, Reply, Unanswered};
use crate::host::Shared;
use crate::live::Live;
use crate::operations;

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
}

/// What the endpoint is now, unless an operator has paused it.
fn open(endpoint: &Endpoint) -> Result<Arc<Live>, InferError> {
    let live = endpoint.live.load_full();
    if live.paused {
        return Err(InferError::NotReady { reason: PAUSED.into() });
    }
    Ok(live)
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
