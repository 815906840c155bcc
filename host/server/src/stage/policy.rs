//! From the policy of a file to that of the rendezvous.

use std::time::Duration;

use catalog::{EndpointSpec, ModelPattern, PolicyConfig, RouteKind};
use message::{ModelName, Role};
use rendezvous::{Arm, Branch, Ensemble, Member, Policy, Preference, Ramp, Route, Split, Target};

/// The policy of an endpoint, for a roster of these members.
pub(super) fn policy_of(spec: &EndpointSpec, members: &[Member]) -> Policy {
    let config = &spec.config;
    let routes = config.routes.iter().map(|route| Route {
        name: route.name.clone(),
        target: match &route.kind {
            RouteKind::Policy(policy) => Target::Branch(branch_of(policy)),
            RouteKind::Each { models, until, order, .. } => each_of(members, models, *until, order),
        },
    });
    Policy {
        seed: spec.name.to_string(),
        routes: routes.collect(),
        main: branch_of(&config.policy.choice),
        default: config.policy.default.is_some(),
    }
}

fn branch_of(policy: &PolicyConfig) -> Branch {
    match policy {
        PolicyConfig::Preference(preference) => order_of(&preference.order).into(),
        PolicyConfig::Split(split) => split_of(split).into(),
        PolicyConfig::Ensemble(ensemble) => ensemble_of(ensemble).into(),
    }
}

fn order_of(order: &[catalog::Preferred]) -> Preference {
    order.iter().fold(Preference::default(), then)
}

fn then(order: Preference, preferred: &catalog::Preferred) -> Preference {
    order.then(preferred.model.clone(), preferred.until)
}

fn split_of(split: &catalog::Split) -> Split {
    let arm = |arm: &catalog::Arm| Arm {
        name: arm.name.clone(),
        weight: arm.weight,
        ramp: arm.ramp.map(|ramp| Ramp { to: ramp.to, starts: ramp.starts, over: ramp.over }),
        branch: branch_of(&arm.policy),
    };
    let arms = split.arms.iter().map(arm).collect();
    Split { seed: split.seed.clone(), shadow: split.shadow, arms }
}

fn ensemble_of(ensemble: &catalog::Ensemble) -> Preference {
    let member = |it: &catalog::Weighted| (it.model.clone(), it.weight);
    let together = Ensemble {
        members: ensemble.members.iter().map(member).collect(),
        combine: ensemble.combine,
        quorum: ensemble.quorum,
    };
    ensemble.below.iter().fold(Preference::default().then(together, ensemble.until), then)
}

fn each_of(
    members: &[Member],
    pattern: &ModelPattern,
    until: Option<Duration>,
    order: &[catalog::Preferred],
) -> Target {
    let matching = members
        .iter()
        .filter(|member| member.role != Some(Role::Decoy) && pattern.matches(&member.name))
        .map(|member| member.name.clone());
    let models: Vec<ModelName> = matching.collect();
    Target::Each { models, until, then: order_of(order) }
}
