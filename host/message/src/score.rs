//! A score: what one model said to one request, with what it cost.
//!
//! What a guest does wrong is data here, never an error of the host.

use std::fmt;
use std::time::Duration;

use crate::{ModelName, RequestId, Revision, Tensor, Time};

/// What came of one model for one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The request.
    pub request: RequestId,
    /// The model that was asked.
    pub model: ModelName,
    /// The artefact that ran.
    pub revision: Revision,
    /// What it said.
    pub outcome: Outcome,
    /// When the outcome was there.
    pub time: Time,
    /// From the offer to the outcome, waiting in the model's queue included.
    pub latency: Duration,
    /// The CPU time of the call, shared evenly over the requests of its batch.
    pub cpu: Duration,
}

/// The three ways in which a model's turn can end.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It answered.
    Prediction(Prediction),
    /// It politely said no.
    Refusal(Refusal),
    /// It broke.
    Fault(Fault),
}

/// What a model's `predict` returned.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The outputs.
    pub outputs: Vec<Tensor>,
    /// Remarks for people.
    pub notes: Vec<(String, String)>,
}

/// A model's polite no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Because the request makes no sense to this model.
    InvalidInput(String),
    /// Because the model would rather not answer.
    Abstain(String),
    /// Because the model tried and could not.
    Failed(String),
}

impl Refusal {
    /// The kind, as records and metrics name it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::InvalidInput(_) => "invalid-input",
            Self::Abstain(_) => "abstain",
            Self::Failed(_) => "failed",
        }
    }

    /// The refusal of this kind.
    pub fn from_kind(kind: &str, message: String) -> Option<Self> {
        match kind {
            "invalid-input" => Some(Self::InvalidInput(message)),
            "abstain" => Some(Self::Abstain(message)),
            "failed" => Some(Self::Failed(message)),
            _ => None,
        }
    }

    /// What the model said about it.
    pub fn message(&self) -> &str {
        match self {
            Self::InvalidInput(message) | Self::Abstain(message) | Self::Failed(message) => message,
        }
    }
}

/// A broken model call: what class of break it was, and one line about it for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The class, for metrics and policies.
    pub class: FaultClass,
    /// What happened, for people. Never holds data of a request.
    pub message: String,
}

/// How a model can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultClass {
    /// Because it used up its budget of CPU time.
    Cpu,
    /// Because it was still running at the wall backstop.
    Wall,
    /// Because it recursed too deeply.
    Stack,
    /// Because it panicked or aborted.
    Panic,
    /// Because it reached outside of its memory or its tables.
    Memory,
    /// Because it divided by zero, overflowed or converted what has no conversion.
    Arithmetic,
    /// Because it asked for more memory, tables or instances than it may have.
    Limit,
    /// Because it returned pointers, tags or texts that are none.
    Abi,
    /// Because what it returned was larger than a result may be.
    ResultSize,
    /// Because its outputs are not what its description promised.
    Contract,
    /// Because the host could not run it; the model is not to blame.
    Host,
}

impl FaultClass {
    /// Every class.
    pub const ALL: [Self; 11] = [
        Self::Cpu,
        Self::Wall,
        Self::Stack,
        Self::Panic,
        Self::Memory,
        Self::Arithmetic,
        Self::Limit,
        Self::Abi,
        Self::ResultSize,
        Self::Contract,
        Self::Host,
    ];

    /// The name in records and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Wall => "wall",
            Self::Stack => "stack",
            Self::Panic => "panic",
            Self::Memory => "memory",
            Self::Arithmetic => "arithmetic",
            Self::Limit => "limit",
            Self::Abi => "abi",
            Self::ResultSize => "result-size",
            Self::Contract => "contract",
            Self::Host => "host",
        }
    }

    /// The class of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

impl fmt::Display for FaultClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
