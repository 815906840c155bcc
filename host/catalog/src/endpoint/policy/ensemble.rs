//! Several models whose predictions become one.

use std::fmt;
use std::time::Duration;

use message::{Combine, ModelName};
use schemars::JsonSchema;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

use super::Preferred;
use crate::problem::one_of;
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

/// The ways to combine, in a file.
pub(in crate::endpoint) const COMBINES: [&str; 5] =
    ["mean", "weighted-mean", "median", "majority", "weighted-vote"];

/// Whether the weights of the members mean anything.
pub(in crate::endpoint) const fn is_weighted(combine: Combine) -> bool {
    matches!(combine, Combine::WeightedMean | Combine::WeightedVote)
}

/// Reads how predictions become one; to be used with `#[serde(default)]`.
pub(super) fn combine<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Combine>, D::Error> {
    from.deserialize_str(CombineVisitor).map(Some)
}

struct CombineVisitor;

impl Visitor<'_> for CombineVisitor {
    type Value = Combine;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_of(&COMBINES))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Combine, E> {
        Combine::from_name(name).ok_or_else(|| E::unknown_variant(name, &COMBINES))
    }
}

/// How predictions become one.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Combine")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum CombineForms {
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

const fn one() -> f64 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_combine_has_a_name_in_files() {
        assert_eq!(Combine::ALL.map(Combine::name), COMBINES);
    }
}
