//! Several models whose predictions become one.

use std::time::Duration;

use message::ModelName;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Preferred;
use crate::units::{self, Name};

/// Several models whose predictions become one.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    /// The models, in the order that settles ties.
    pub members: Vec<Weighted>,
    /// How their predictions become one.
    pub combine: Combine,
    /// So many predictions are enough; at least one, at most all.
    pub quorum: usize,
    /// How long after the request all of them are waited for. From then on a quorum is enough.
    /// Without it: until the deadline.
    pub until: Option<Duration>,
    /// What may answer when the quorum was not reached, best first.
    pub below: Vec<Preferred>,
}

/// A model of an ensemble.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Weighted {
    /// The model.
    #[serde(deserialize_with = "units::text::<Name, _>")]
    #[schemars(with = "Name")]
    pub model: ModelName,
    /// What its prediction counts, against the other members'. For the weighted kinds only. Default
    /// 1.
    #[serde(default = "one", deserialize_with = "units::positive_weight")]
    #[schemars(range(min = units::LEAST_WEIGHT, max = units::LARGEST_WEIGHT))]
    pub weight: f64,
}

/// How predictions become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Combine {
    /// By the mean of each element.
    Mean,
    /// By the mean of each element, each member's with its weight.
    WeightedMean,
    /// By the median of each element.
    Median,
    /// By the value that most members gave, for each element.
    Majority,
    /// By the value whose members weigh most together, for each element.
    WeightedVote,
}

impl Combine {
    /// The name in a file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::WeightedMean => "weighted-mean",
            Self::Median => "median",
            Self::Majority => "majority",
            Self::WeightedVote => "weighted-vote",
        }
    }

    /// Whether the weights of the members mean anything.
    pub const fn is_weighted(self) -> bool {
        matches!(self, Self::WeightedMean | Self::WeightedVote)
    }
}

const fn one() -> f64 {
    1.0
}
