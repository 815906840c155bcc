//! Several arms, of which each request takes one.

use std::time::Duration;

use message::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::{Choice, PolicyConfig};
use crate::units::{self, Instant, Name, Span};

/// Several arms, of which each request takes one, by its key.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// What makes this split choose differently from others. Without it: the name of the endpoint.
    pub seed: Option<String>,
    /// Whether the models of the other arms score the request too.
    pub shadow: bool,
    /// The arms; at least one of them has a weight at any time.
    pub arms: Vec<Arm>,
}

/// One arm of a split.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// Its name, unique in the split, by which the hash and the answers know it.
    pub name: String,
    /// How many requests take it, against the weights of the other arms; 0 for none.
    pub weight: f64,
    /// How the weight changes.
    pub ramp: Option<Ramp>,
    /// How the answer of a request is chosen that takes it.
    pub policy: PolicyConfig,
}

/// A weight that changes evenly from one value to another.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// The weight at the end.
    #[serde(deserialize_with = "units::weight")]
    #[schemars(range(min = 0.0, max = units::LARGEST_WEIGHT))]
    pub to: f64,
    /// When it starts to change.
    #[serde(deserialize_with = "units::instant")]
    #[schemars(with = "Instant")]
    pub starts: Time,
    /// How long it changes.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub over: Duration,
}

impl Arm {
    /// The weight at a time: `weight` until the ramp starts, `to` once it is over, and in between
    /// on the straight line from one to the other.
    pub fn weight_at(&self, time: Time) -> f64 {
        let Some(ramp) = self.ramp else { return self.weight };
        let passed = time.since(ramp.starts).as_secs_f64() / ramp.over.as_secs_f64();
        let passed = passed.min(1.0);
        self.weight * (1.0 - passed) + ramp.to * passed
    }
}

/// The keys of an arm.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Arm")]
pub(super) struct ArmKeys {
    /// Its name, unique in the split. It is part of the hash, so another name moves requests.
    /// Default: its model, or the first of its order.
    #[serde(default, deserialize_with = "units::optional::<Name, _>")]
    #[schemars(with = "Option<Name>")]
    name: Option<message::ModelName>,
    /// How many requests take it, against the weights of the other arms; 0 for none.
    #[serde(deserialize_with = "units::weight")]
    #[schemars(range(min = 0.0, max = units::LARGEST_WEIGHT))]
    weight: f64,
    /// How the weight changes.
    #[serde(default)]
    ramp: Option<Ramp>,
    /// The model that answers; short for an `order` of this one.
    #[serde(default, deserialize_with = "units::optional::<Name, _>")]
    #[schemars(with = "Option<Name>")]
    model: Option<message::ModelName>,
    /// The models in the order in which they are liked, best first.
    #[serde(default)]
    order: Option<Vec<super::Preferred>>,
    /// A policy of any kind, instead.
    #[serde(default)]
    policy: Option<Box<PolicyConfig>>,
}

impl<'de> Deserialize<'de> for Arm {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let ArmKeys { name, weight, ramp, model, order, policy } = ArmKeys::deserialize(from)?;
        let first = order.as_ref().and_then(|order| order.first());
        let name = name.or_else(|| model.clone().or_else(|| Some(first?.model.clone())));
        let policy = Choice { model, order, policy }.one()?;
        let name = name.ok_or_else(|| serde::de::Error::missing_field("name"))?;
        Ok(Self { name: name.as_str().to_owned(), weight, ramp, policy })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_is_a_straight_line() {
        let starts = Time::from_us(1_000_000);
        let ramp = Ramp { to: 50.0, starts, over: Duration::from_secs(4) };
        let policy = PolicyConfig::default();
        let arm = Arm { name: "a".to_owned(), weight: 10.0, ramp: Some(ramp), policy };
        let at = |seconds: u64| arm.weight_at(Time::from_us(seconds * 1_000_000));
        assert_eq!([at(0), at(1), at(2), at(3), at(5), at(99)], [10., 10., 20., 30., 50., 50.]);
    }
}
