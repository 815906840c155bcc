//! An answer: the one official result of a request, and the reason for it.

use std::fmt;
use std::sync::Arc;
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
    /// By which course of the policy it was chosen.
    pub selection: Selection,
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
    /// What several predictions amount to together.
    Ensemble {
        /// How they were combined.
        combine: Combine,
        /// The models whose predictions are in it with the artefacts that ran, in the order of the
        /// file.
        members: Vec<(ModelName, Revision)>,
        /// What they amount to.
        outputs: Vec<Tensor>,
    },
    /// The default of the policy.
    Default(Vec<Tensor>),
    /// Nothing: the caller is told so.
    Nothing,
}

/// The course of a policy that a request took, and how likely that was.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// The share of the keys that take this course, from 0 to 1: the product over the splits on its
    /// way of the arm's weight by the sum of weights, at the time of the request. 1 without splits.
    pub propensity: f64,
    /// The route and the arms on its way, as in `route[0]/treatment`; empty where there is none of
    /// either.
    pub course: Arc<str>,
}

impl Default for Selection {
    /// The one course that a policy without routes and splits has.
    fn default() -> Self {
        Self { propensity: 1.0, course: Arc::from("") }
    }
}

/// How the predictions of an ensemble become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Combine {
    /// By the mean of each element.
    Mean,
    /// By the mean of each element, with the members' weights.
    WeightedMean,
    /// By the middle one of each element.
    Median,
    /// By the value of each element that most members give.
    Majority,
    /// By the value of each element that the members with most weight give.
    WeightedVote,
}

impl Combine {
    /// Every way.
    pub const ALL: [Self; 5] =
        [Self::Mean, Self::WeightedMean, Self::Median, Self::Majority, Self::WeightedVote];

    /// The name in files and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::WeightedMean => "weighted-mean",
            Self::Median => "median",
            Self::Majority => "majority",
            Self::WeightedVote => "weighted-vote",
        }
    }

    /// The way of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|combine| combine.name() == name)
    }
}

impl fmt::Display for Combine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
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
    /// Because the predictions of the ensemble that was chosen do not fit each other.
    NotCombinable,
    /// Because the answer was too large for the topic that keeps answers, or refused by it.
    NotKept,
    /// Because no model of the policy was live.
    NoLiveModel,
    /// Because the request was past its deadline when the host read it.
    Expired,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::Preferred,
        Self::PreferredWasSlow,
        Self::PreferredFailed,
        Self::NothingCame,
        Self::EveryModelFailed,
        Self::NotCombinable,
        Self::NotKept,
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
            Self::NotCombinable => "not-combinable",
            Self::NotKept => "not-kept",
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
