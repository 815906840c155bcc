//! An answer: the one official result of a request, and the reason for it.

use std::fmt;
use std::time::Duration;

use crate::{ModelName, Prediction, RequestId, Revision, Tensor, Time};

/// The one official result of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The request.
    pub request: RequestId,
    /// The id that the caller gave, to be echoed.
    pub caller_id: Option<String>,
    /// What was chosen.
    pub chosen: Chosen,
    /// Why.
    pub reason: Reason,
    /// When it was decided.
    pub time: Time,
    /// From the request to the decision.
    pub latency: Duration,
}

/// What became the answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Chosen {
    /// A model's prediction.
    Score {
        /// The model.
        model: ModelName,
        /// The artefact that ran.
        revision: Revision,
        /// What it predicted.
        prediction: Prediction,
    },
    /// The default of the policy.
    Default(Vec<Tensor>),
    /// Nothing: the caller is told so.
    Nothing,
}

/// Why an answer is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Because the model that the policy likes best answered in its time.
    Preferred,
    /// Because the models before it in the order were not in time.
    PreferredWasSlow,
    /// Because the models before it in the order refused, faulted or were not asked.
    PreferredFailed,
    /// Because nothing had come when the answer was due.
    NothingCame,
    /// Because every model that could have answered refused or faulted.
    EveryModelFailed,
    /// Because no model of the policy was live.
    NoLiveModel,
    /// Because the request was past its deadline when the host read it.
    Expired,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::Preferred,
        Self::PreferredWasSlow,
        Self::PreferredFailed,
        Self::NothingCame,
        Self::EveryModelFailed,
        Self::NoLiveModel,
        Self::Expired,
    ];

    /// The name in records and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Preferred => "preferred",
            Self::PreferredWasSlow => "preferred-was-slow",
            Self::PreferredFailed => "preferred-failed",
            Self::NothingCame => "nothing-came",
            Self::EveryModelFailed => "every-model-failed",
            Self::NoLiveModel => "no-live-model",
            Self::Expired => "expired",
        }
    }

    /// The reason of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
