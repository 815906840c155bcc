//! What the extensions of the protocol ask of the host: statistics, and the repository of models.
//!
//! The protocol's model is an endpoint here, and its version a model of that endpoint.

use std::time::Duration;

use bytes::Bytes;
use message::Time;

/// What a model has done so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelStatistics {
    /// Its endpoint.
    pub endpoint: String,
    /// The model.
    pub model: String,
    /// When it was last asked.
    pub last_inference: Option<Time>,
    /// How many requests it has scored, refusals and faults included.
    pub inferences: u64,
    /// How many calls of the guest that took.
    pub executions: u64,
    /// Predictions, from the offer until they were there.
    pub success: Tally,
    /// Refusals and faults, the same.
    pub fail: Tally,
    /// The wait for a place in a lane.
    pub queue: Tally,
    /// The calls of the guest.
    pub compute_infer: Tally,
    /// The calls of the guest by how many requests they brought.
    pub batches: Vec<BatchStatistics>,
    /// What it takes of the memory.
    pub memory: Vec<MemoryUsage>,
}

/// How often something happened, and how long it took altogether.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How often.
    pub count: u64,
    /// How long.
    pub time: Duration,
}

/// The calls of a guest that brought so many requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchStatistics {
    /// How many requests.
    pub size: u64,
    /// The calls.
    pub compute_infer: Tally,
}

/// What a model takes of one sort of memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryUsage {
    /// Which sort.
    pub kind: String,
    /// How much, in bytes.
    pub bytes: u64,
}

/// A model of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// Its endpoint.
    pub endpoint: String,
    /// The model.
    pub model: String,
    /// Where it stands.
    pub state: IndexState,
    /// Why it stands there; empty where it is ready.
    pub reason: String,
}

/// Where a model of the repository stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexState {
    /// Because it can be asked.
    Ready,
    /// Because it is being compiled and warmed.
    Loading,
    /// Because it was refused, rests, or was paused.
    Unavailable,
}

impl IndexState {
    /// The word of the protocol.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::Loading => "LOADING",
            Self::Unavailable => "UNAVAILABLE",
        }
    }
}

/// What a caller wants of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepositoryChange {
    /// To ask what was paused again; with a component, to have that as the model first.
    Load {
        /// The component.
        component: Option<Bytes>,
    },
    /// To ask it no more.
    Unload,
}
