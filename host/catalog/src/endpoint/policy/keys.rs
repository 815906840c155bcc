//! The keys of a policy, as they stand in a file.
//!
//! One table has the keys of every kind: an enum with a tag would be read through a buffer that
//! forgets where they stand. Which of them belong to which kind, `rules` says.

use std::collections::BTreeMap;
use std::time::Duration;

use message::{Combine, ModelName};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{self, Unexpected};

use super::ensemble::CombineForms;
use super::split::ArmKeys;
use super::{Arm, EndpointPolicy, Ensemble, PolicyConfig, Preference, Preferred, Split, Weighted};
use crate::endpoint::default_value::{DefaultForms, DefaultValue};
use crate::units::{self, Span};

/// The keys of a policy.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::endpoint) struct PolicyKeys {
    /// The kind of policy. Default `preference`.
    #[serde(default)]
    kind: PolicyKind,
    /// Of a preference: the models in the order in which they are liked, best first. Without it:
    /// the champion, then the fallback.
    #[serde(default)]
    order: Vec<Preferred>,
    /// Of a split: what makes it choose differently from other splits. Default: the name of the
    /// endpoint.
    #[serde(default)]
    seed: Option<String>,
    /// Of a split: whether the models of the other arms score a request too. Default true.
    #[serde(default)]
    shadow: Option<bool>,
    /// Of a split: its arms.
    #[serde(default, rename = "arm")]
    #[schemars(with = "Vec<ArmKeys>")]
    arms: Vec<Arm>,
    /// Of an ensemble: how the predictions become one.
    #[serde(default, deserialize_with = "super::ensemble::combine")]
    #[schemars(with = "Option<CombineForms>")]
    combine: Option<Combine>,
    /// Of an ensemble: its models, in the order that settles ties.
    #[serde(default)]
    members: Vec<Weighted>,
    /// Of an ensemble: so many predictions are enough. Default: more than half of the members.
    #[serde(default, deserialize_with = "units::optional_count")]
    #[schemars(range(min = 1))]
    quorum: Option<usize>,
    /// Of an ensemble: how long after the request all members are waited for; from then on a quorum
    /// is enough. Default: until the deadline.
    #[serde(default, deserialize_with = "units::optional::<Span, _>")]
    #[schemars(with = "Option<Span>")]
    until: Option<Duration>,
    /// Of an ensemble: what may answer when the quorum was not reached, best first.
    #[serde(default)]
    below: Vec<Preferred>,
    /// In `[policy]` only: the outputs that are answered when no model's came by the deadline, by
    /// name. Without them the caller is told that nothing came.
    #[serde(default)]
    #[schemars(with = "Option<BTreeMap<String, DefaultForms>>")]
    default: Option<BTreeMap<String, DefaultValue>>,
}

/// The kinds of policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum PolicyKind {
    /// When models are preferred in an order, each for some time.
    #[default]
    Preference,
    /// When each request goes to one of several arms.
    Split,
    /// When the predictions of several models are made into one.
    Ensemble,
}

impl From<PolicyKeys> for EndpointPolicy {
    fn from(mut keys: PolicyKeys) -> Self {
        let default = keys.default.take();
        Self { choice: keys.into(), default }
    }
}

impl From<PolicyKeys> for PolicyConfig {
    fn from(keys: PolicyKeys) -> Self {
        match keys.kind {
            PolicyKind::Preference => Self::Preference(Preference { order: keys.order }),
            PolicyKind::Split => Self::Split(Split {
                seed: keys.seed,
                shadow: keys.shadow.unwrap_or(true),
                arms: keys.arms,
            }),
            PolicyKind::Ensemble => Self::Ensemble(Ensemble {
                quorum: keys.quorum.unwrap_or(keys.members.len() / 2 + 1),
                members: keys.members,
                // `rules` refuses an ensemble without it.
                combine: keys.combine.unwrap_or(Combine::Mean),
                until: keys.until,
                below: keys.below,
            }),
        }
    }
}

/// The three ways in which an arm or a route says how the answer is chosen.
pub(in crate::endpoint) struct Choice {
    pub(in crate::endpoint) model: Option<ModelName>,
    pub(in crate::endpoint) order: Option<Vec<Preferred>>,
    pub(in crate::endpoint) policy: Option<Box<PolicyConfig>>,
}

impl Choice {
    /// The one that was used.
    pub(in crate::endpoint) fn one<E: de::Error>(self) -> Result<PolicyConfig, E> {
        const EXPECTED: &&str = &"exactly one of \"model\", \"order\", \"policy\"";
        match (self.model, self.order, self.policy) {
            (Some(model), None, None) => Ok(PolicyConfig::model(model)),
            (None, Some(order), None) if order.is_empty() => {
                Err(E::invalid_value(Unexpected::Other("an order of no models"), EXPECTED))
            }
            (None, Some(order), None) => Ok(PolicyConfig::Preference(Preference { order })),
            (None, None, Some(policy)) => Ok(*policy),
            (None, None, None) => {
                Err(E::invalid_value(Unexpected::Other("nothing that answers"), EXPECTED))
            }
            _ => Err(E::invalid_value(Unexpected::Other("several of them"), EXPECTED)),
        }
    }
}
