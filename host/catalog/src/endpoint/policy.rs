//! How the answer is chosen, as the file says it; the choosing itself is the rendezvous'.
//!
//! A policy is a tree: a split has arms, and what an arm does is again a policy. Models stand at its
//! leaves only. The default answer belongs to the whole endpoint, whatever branch was taken.

mod ensemble;
mod keys;
mod split;

use std::collections::BTreeMap;
use std::time::Duration;

use message::ModelName;
use schemars::JsonSchema;
use serde::Deserialize;

use super::DefaultValue;
use crate::units::{self, Name, Span};

pub(super) use ensemble::{COMBINES, is_weighted};
pub use ensemble::{Ensemble, Weighted};
pub(super) use keys::{Choice, PolicyKeys};
pub use split::{Arm, Ramp, Split};

/// How deep policies may stand in each other. The one of `[policy]` or of a route is at depth 1.
pub const POLICY_DEPTH_LIMIT: usize = 4;
/// How many arms the splits of an endpoint may have together.
pub const ARM_LIMIT: usize = 1024;
/// How many models an order or an ensemble may name.
pub const MODELS_LIMIT: usize = 256;

/// `[policy]`: how the answer of an endpoint is chosen, and what it is when nothing came.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(from = "PolicyKeys")]
#[schemars(with = "PolicyKeys")]
pub struct EndpointPolicy {
    /// How it is chosen for a request that no route takes.
    pub choice: PolicyConfig,
    /// The outputs that are answered when no model's came by the deadline, whichever arm or route a
    /// request took. Without them the caller is told that nothing came.
    pub default: Option<BTreeMap<String, DefaultValue>>,
}

/// How the answer of a request is chosen.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(from = "PolicyKeys")]
#[schemars(with = "PolicyKeys")]
pub enum PolicyConfig {
    /// When models are preferred in an order, each for some time.
    Preference(Preference),
    /// When each request goes to one of several arms.
    Split(Split),
    /// When the predictions of several models are made into one.
    Ensemble(Ensemble),
}

/// Models in the order in which they are liked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preference {
    /// The order, best first. Empty: the champion, then the fallback.
    pub order: Vec<Preferred>,
}

/// A model in an order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Preferred {
    /// The model.
    #[serde(deserialize_with = "units::text::<Name, _>")]
    #[schemars(with = "Name")]
    pub model: ModelName,
    /// How long after the request it is waited for before a model further down may answer. Without
    /// it: until the deadline.
    #[serde(default, deserialize_with = "units::optional::<Span, _>")]
    #[schemars(with = "Option<Span>")]
    pub until: Option<Duration>,
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self::Preference(Preference::default())
    }
}

impl PolicyConfig {
    /// An order of one model, which is waited for until the deadline.
    pub fn model(model: ModelName) -> Self {
        Self::Preference(Preference { order: vec![Preferred { model, until: None }] })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::endpoint::EndpointConfig;
    use message::{Combine, Time};

    fn parse(text: &str) -> PolicyConfig {
        EndpointConfig::parse(Path::new("p"), text).unwrap().policy.choice
    }

    fn preferred(model: &str) -> Preferred {
        Preferred { model: model.into(), until: None }
    }

    #[test]
    fn a_split_has_arms_that_are_policies() {
        let policy = parse(
            r#"
            [policy]
            kind = "split"
            seed = "spring"
            shadow = false
            [[policy.arm]]
            weight = 90
            model = "gbdt"
            [[policy.arm]]
            name = "treatment"
            weight = 10.5
            ramp = { to = 50, starts = 2026-11-21T00:00:00Z, over = "7d" }
            policy = { kind = "ensemble", combine = "weighted-mean", members = [
                { model = "a", weight = 2 }, { model = "b" },
            ], until = "30ms", below = [{ model = "logit" }] }
            "#,
        );
        let ensemble = Ensemble {
            members: vec![
                Weighted { model: "a".into(), weight: 2.0 },
                Weighted { model: "b".into(), weight: 1.0 },
            ],
            combine: Combine::WeightedMean,
            quorum: 2,
            until: Some(Duration::from_millis(30)),
            below: vec![preferred("logit")],
        };
        let ramp = Ramp {
            to: 50.0,
            starts: Time::from_us(1_795_219_200_000_000),
            over: Duration::from_secs(7 * 86_400),
        };
        let control = Arm {
            name: "gbdt".to_owned(),
            weight: 90.0,
            ramp: None,
            policy: PolicyConfig::model("gbdt".into()),
        };
        let treatment = Arm {
            name: "treatment".to_owned(),
            weight: 10.5,
            ramp: Some(ramp),
            policy: PolicyConfig::Ensemble(ensemble),
        };
        let arms = vec![control, treatment];
        let expected = Split { seed: Some("spring".to_owned()), shadow: false, arms };
        assert_eq!(policy, PolicyConfig::Split(expected));
    }

    #[test]
    fn an_ensemble_wants_more_than_half_unless_told() {
        let quorum = |members: &str| {
            let policy = format!("policy = {{ kind = 'ensemble', combine = 'mean', {members} }}");
            let PolicyConfig::Ensemble(ensemble) = parse(&policy) else { panic!("an ensemble") };
            ensemble.quorum
        };
        assert_eq!(quorum("members = [{ model = 'a' }]"), 1);
        assert_eq!(quorum("members = [{ model = 'a' }, { model = 'b' }]"), 2);
        assert_eq!(quorum("members = [{ model = 'a' }, { model = 'b' }, { model = 'c' }]"), 2);
        assert_eq!(quorum("members = [{ model = 'a' }, { model = 'b' }], quorum = 1"), 1);
    }

    #[test]
    fn an_arm_may_follow_the_champion() {
        let policy = parse(
            "policy = { kind = 'split', arm = [{ name = 'now', weight = 1, policy = {} }] }\n\
             roles = { champion = 'a' }",
        );
        let PolicyConfig::Split(split) = policy else { panic!("a split") };
        assert_eq!(split.arms[0].policy, PolicyConfig::default());
        assert!(split.shadow);
    }
}
