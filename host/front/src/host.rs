//! What the front asks of the host: a trait that `server` implements.
//!
//! Everything that can go wrong behind the front is a variant of [`InferError`], so that the table
//! from cause to HTTP status stands in one place, in `problem.rs`.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use message::oip::{Encoding, InferRequest, InferResponse};
use message::{Datatype, Fault, Refusal, Time};

use crate::caller::Caller;
use crate::extensions::{IndexEntry, ModelStatistics, RepositoryChange};
use crate::guard::Act;

/// Answers what the front is asked.
///
/// Where a caller does not [see](Caller::sees) an endpoint, that endpoint is unknown: the error is
/// the one for a name that does not exist, and the names that it lists are those that the caller
/// sees. Whether the caller may ask at all has been settled before.
///
/// A caller who hangs up drops the future of the call: whatever was accepted until then stays
/// accepted, and its answer goes to the stream alone.
pub trait Host: Send + Sync + 'static {
    /// Asks an endpoint; its rendezvous answers.
    fn infer(
        &self,
        caller: &Caller,
        endpoint: &str,
        call: Call,
    ) -> impl Future<Output = Result<Answered, InferError>> + Send;

    /// Asks one model of an endpoint. What it says is never an official answer.
    fn infer_model(
        &self,
        caller: &Caller,
        endpoint: &str,
        model: &str,
        call: Call,
    ) -> impl Future<Output = Result<Answered, InferError>> + Send;

    /// Appends requests, each a valid document, to the stream of an endpoint: all or none of them.
    fn append(
        &self,
        caller: &Caller,
        endpoint: &str,
        records: Vec<Bytes>,
    ) -> impl Future<Output = Result<Appended, InferError>> + Send;

    /// Appends records to a topic that belongs to no endpoint: to this partition, or else each to that of
    /// its key, and those without one to all in turns. Each partition gets all or none of its records. Where
    /// the caller sees no such topic, it is an unknown endpoint that is reported, with the topics it sees.
    fn append_to_topic(
        &self,
        caller: &Caller,
        topic: &str,
        partition: Option<u32>,
        records: Vec<TopicRecord>,
    ) -> impl Future<Output = Result<Appended, InferError>> + Send {
        let _ = (caller, topic, partition, records);
        std::future::ready(Err(InferError::UnknownEndpoint { known: Vec::new() }))
    }

    /// Lists the names of the endpoints that the caller sees.
    fn endpoints(&self, caller: &Caller) -> Vec<String>;

    /// Describes an endpoint, or one model of it.
    fn metadata(
        &self,
        caller: &Caller,
        endpoint: &str,
        model: Option<&str>,
    ) -> Result<Metadata, NotFound>;

    /// Says whether the host, an endpoint of it, or one model of that can answer now.
    fn ready(
        &self,
        caller: &Caller,
        endpoint: Option<&str>,
        model: Option<&str>,
    ) -> Result<Readiness, NotFound>;

    /// Says what the models that the caller sees have done: all of them, those of an endpoint, or one.
    fn statistics(
        &self,
        caller: &Caller,
        endpoint: Option<&str>,
        model: Option<&str>,
    ) -> Result<Vec<ModelStatistics>, NotFound>;

    /// Lists the models that the caller sees, loaded or not.
    fn repository(&self, caller: &Caller) -> Vec<IndexEntry>;

    /// Has a model loaded or unloaded, or all models of an endpoint. Writes files, and may wait for
    /// them to be read: never run between calls.
    fn change_repository(
        &self,
        caller: &Caller,
        endpoint: &str,
        model: Option<&str>,
        change: RepositoryChange,
    ) -> Result<(), InferError>;

    /// Says whether the host works at all; where it does not, it wants to be restarted.
    fn live(&self) -> bool;

    /// Describes the server.
    fn server(&self) -> ServerMetadata;

    /// Takes note of the status of a response. Called once for each; has no effect on it.
    fn responded(&self, status: StatusCode) {
        let _ = status;
    }
}

/// One call, decoded and within every limit.
#[derive(Debug, Clone)]
pub struct Call {
    /// What the caller asks.
    pub document: InferRequest,
    /// The request as it was received, byte for byte. `Clone` costs one atomic increment.
    pub body: Bytes,
    /// How `body` is encoded.
    pub encoding: Encoding,
    /// Whether [`Answered::response`] is wanted.
    pub wants_tensors: bool,
    /// How long the caller waits. It can only shorten the time that an answer has.
    pub timeout: Option<Duration>,
    /// The key by which the caller marks repetitions: the header `idempotency-key`.
    pub idempotency_key: Option<String>,
    /// The topic that the answer is to go to as well, if the endpoint allows it: the header
    /// `return-to`.
    pub return_to: Option<String>,
    /// The caller's trace, in the form of W3C Trace Context.
    pub traceparent: Option<String>,
    /// When the head of the call had been read.
    pub received: Time,
}

/// An answer to a call.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The response document, encoded.
    pub json: Bytes,
    /// The same as a value, where the call [wants](Call::wants_tensors) it.
    pub response: Option<Arc<InferResponse>>,
}

/// A record for a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicRecord {
    /// What decides about its partition.
    pub key: Option<Bytes>,
    /// What is said about it.
    pub headers: Vec<(String, Bytes)>,
    /// What it says, byte for byte.
    pub value: Bytes,
}

/// Where appended requests lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// How many they are.
    pub count: u64,
    /// The partitions that they are in, in the order in which each got its first.
    pub parts: Vec<AppendedPart>,
}

/// What one partition got of some appended requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppendedPart {
    /// Which partition.
    pub partition: u32,
    /// The offset of the first that it got. Where others write there too, theirs may lie between.
    pub first_offset: u64,
    /// How many it got.
    pub count: u64,
}

impl Appended {
    /// Requests that lie one behind the other in partition 0.
    pub fn together(first_offset: u64, count: u64) -> Self {
        Self { count, parts: vec![AppendedPart { partition: 0, first_offset, count }] }
    }
}

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq)]
pub enum InferError {
    /// Because there is no such endpoint, as far as the caller sees.
    UnknownEndpoint {
        /// Those that the caller sees.
        known: Vec<String>,
    },
    /// Because the endpoint has no such model.
    UnknownModel {
        /// Those that it has.
        known: Vec<String>,
    },
    /// Because the request is not what the endpoint takes.
    Invalid {
        /// What is wrong, with the path into the document, found and expected.
        message: String,
    },
    /// Because too many requests wait already.
    Busy {
        /// When a new attempt makes sense.
        retry_after: Duration,
    },
    /// Because the model is there and cannot answer yet, or no more.
    NotReady {
        /// Why.
        reason: String,
    },
    /// Because there is no room to record the request.
    StreamFull,
    /// Because requests cannot be recorded until an operator has looked at the stream.
    StreamPoisoned,
    /// Because whoever keeps the stream cannot be reached, so that the request was not recorded.
    StreamAway {
        /// When a new attempt makes sense.
        retry_after: Duration,
    },
    /// Because the request was recorded, or may have been, and nobody brought its answer in time.
    NoAnswer,
    /// Because nothing had come by the deadline and the policy has no default.
    NothingCame {
        /// The answer document, which says so.
        json: Bytes,
    },
    /// Because the one model that was asked refused.
    Refused(Refusal),
    /// Because the one model that was asked broke.
    Faulted(Fault),
    /// Because of how things are; nothing was changed.
    Conflict {
        /// What is in the way.
        message: String,
    },
    /// Because the host is about to stop.
    ShuttingDown,
    /// Because the host failed in a way that it did not foresee. It has logged how.
    Internal,
}

/// Why an endpoint or a model of it cannot be described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotFound {
    /// Because there is no such endpoint, as far as the caller sees.
    Endpoint {
        /// Those that the caller sees.
        known: Vec<String>,
    },
    /// Because the endpoint has no such model.
    Model {
        /// Those that it has.
        known: Vec<String>,
    },
}

/// What an endpoint or a model of it takes and gives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// The name that was asked for.
    pub name: String,
    /// The models of an endpoint, as `versions/{model}` names them.
    pub versions: Vec<String>,
    /// What runs it, as `project_format`.
    pub platform: String,
    /// The tensors that it takes.
    pub inputs: Vec<TensorMetadata>,
    /// The tensors that it gives.
    pub outputs: Vec<TensorMetadata>,
    /// Whatever else is worth knowing, by name: a revision, a role.
    pub properties: Vec<(String, String)>,
}

/// The form of one tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorMetadata {
    /// Its name.
    pub name: String,
    /// The type of its elements.
    pub datatype: Datatype,
    /// The length of each dimension, `None` where it varies.
    pub shape: Vec<Option<u32>>,
}

/// Whether something can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// When it can.
    Ready,
    /// When it cannot, with the reason.
    NotReady(String),
}

impl Readiness {
    /// The same, with the reason only for those who may see what happens.
    pub(crate) fn shown_to(self, caller: Option<&Caller>) -> Self {
        let sees = caller.is_some_and(|caller| caller.scopes.any_of(Act::Observe.needs()));
        match self {
            Self::NotReady(_) if !sees => Self::NotReady("not ready".to_owned()),
            readiness => readiness,
        }
    }
}

/// What the server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerMetadata {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The extensions of the protocol that it has.
    pub extensions: Vec<String>,
}
