//! What must hold within policies and routes.
//!
//! A policy is read from one table that has the keys of every kind, so the keys of another kind are
//! found here, where the file still knows where they stand.

use message::{ModelName, Time};

use crate::document::{Document, KeyPath};
use crate::endpoint::policy::{
    ARM_LIMIT, COMBINES, Ensemble, MODELS_LIMIT, POLICY_DEPTH_LIMIT, PolicyConfig, Preferred,
    Split, is_weighted,
};
use crate::endpoint::route::{ROUTE_LIMIT, RouteKind};
use crate::endpoint::{EndpointConfig, ModelPattern};
use crate::problem::{Problem, one_of};

/// The keys of each kind of policy.
const KEYS: [(&str, &[&str]); 3] = [
    ("preference", &["order"]),
    ("split", &["seed", "shadow", "arm"]),
    ("ensemble", &["combine", "members", "quorum", "until", "below"]),
];

/// A model that the file names, and the key that holds the name.
pub(super) struct Named<'a> {
    pub(super) path: KeyPath,
    pub(super) model: &'a ModelName,
}

/// Finds the first thing that is wrong with the policies and routes.
pub(super) fn check(config: &EndpointConfig, document: &Document) -> Result<(), Problem> {
    let mut arms = 0;
    let path = KeyPath::new("policy");
    let keys = document.keys_at(&path).filter(|key| *key != "default");
    own_keys(&config.policy.choice, &path, keys, document)?;
    check_policy(&config.policy.choice, &path, 1, document, &mut arms)?;
    if config.routes.len() > ROUTE_LIMIT {
        let found = format!("{} routes", config.routes.len());
        let problem = document.problem_at(&KeyPath::new("route"), found);
        return Err(problem.expected(format!("at most {ROUTE_LIMIT}")));
    }
    for (index, route) in config.routes.iter().enumerate() {
        let path = KeyPath::new("route").index(index);
        if let Some(name) = &route.name
            && config.routes[..index].iter().any(|above| above.name.as_ref() == Some(name))
        {
            let problem = document.problem_at(&path.key("name"), format!("{name:?} a second time"));
            return Err(problem.expected("another name for each route"));
        }
        match &route.kind {
            RouteKind::Policy(policy) => nested(policy, &path, 1, document, &mut arms)?,
            RouteKind::Each { models, order, .. } => {
                count_models(order.len(), &path.clone().key("order"), document)?;
                apart(models, config, order, &path, document)?;
            }
        }
    }
    Ok(())
}

/// The models that a file names, list by list; no list may name one twice.
pub(super) fn lists<'a>(config: &'a EndpointConfig, document: &Document) -> Vec<Vec<Named<'a>>> {
    let mut lists = Vec::new();
    collect(&config.policy.choice, &KeyPath::new("policy"), document, &mut lists);
    for (index, route) in config.routes.iter().enumerate() {
        let path = KeyPath::new("route").index(index);
        match &route.kind {
            RouteKind::Policy(policy) => collect_nested(policy, &path, document, &mut lists),
            RouteKind::Each { order, .. } => lists.push(named(order, &path.key("order"))),
        }
    }
    lists
}

fn collect<'a>(
    policy: &'a PolicyConfig,
    path: &KeyPath,
    document: &Document,
    lists: &mut Vec<Vec<Named<'a>>>,
) {
    match policy {
        PolicyConfig::Preference(preference) => {
            lists.push(named(&preference.order, &path.clone().key("order")));
        }
        PolicyConfig::Split(split) => {
            for (index, arm) in split.arms.iter().enumerate() {
                let path = path.clone().key("arm").index(index);
                collect_nested(&arm.policy, &path, document, lists);
            }
        }
        PolicyConfig::Ensemble(ensemble) => {
            let members = path.clone().key("members");
            let member = |(index, member): (usize, &'a crate::endpoint::Weighted)| Named {
                path: members.clone().index(index).key("model"),
                model: &member.model,
            };
            let members = ensemble.members.iter().enumerate().map(member).collect();
            lists.push(members);
            lists.push(named(&ensemble.below, &path.clone().key("below")));
        }
    }
}

/// Collects from an arm or a route, which says in one of three ways what it does.
fn collect_nested<'a>(
    policy: &'a PolicyConfig,
    path: &KeyPath,
    document: &Document,
    lists: &mut Vec<Vec<Named<'a>>>,
) {
    let model = path.clone().key("model");
    match policy {
        PolicyConfig::Preference(preference) if document.has(&model) => {
            let name =
                |preferred: &'a Preferred| Named { path: model.clone(), model: &preferred.model };
            lists.push(preference.order.iter().map(name).collect());
        }
        PolicyConfig::Preference(_) if document.has(&path.clone().key("order")) => {
            collect(policy, path, document, lists);
        }
        _ => collect(policy, &path.clone().key("policy"), document, lists),
    }
}

fn named<'a>(order: &'a [Preferred], path: &KeyPath) -> Vec<Named<'a>> {
    let order = order.iter().enumerate();
    order
        .map(|(index, preferred)| Named {
            path: path.clone().index(index).key("model"),
            model: &preferred.model,
        })
        .collect()
}

/// Checks what an arm or a route does. A model or an order by itself is no policy in a policy.
fn nested(
    policy: &PolicyConfig,
    path: &KeyPath,
    depth: usize,
    document: &Document,
    arms: &mut usize,
) -> Result<(), Problem> {
    let inner = path.clone().key("policy");
    if !document.has(&inner) {
        return check_policy(policy, path, depth, document, arms);
    }
    if depth > POLICY_DEPTH_LIMIT {
        let problem = document.problem_at(&inner, format!("a policy at depth {depth}"));
        return Err(problem.expected(format!("at most {POLICY_DEPTH_LIMIT} in each other")));
    }
    if document.has(&inner.clone().key("default")) {
        let problem = document.problem_at(&inner.key("default"), "a default of its own");
        return Err(problem.expected("the one of [policy], which holds for every arm and route"));
    }
    own_keys(policy, &inner, document.keys_at(&inner), document)?;
    check_policy(policy, &inner, depth, document, arms)
}

/// Refuses the keys of other kinds of policy.
fn own_keys<'a>(
    policy: &PolicyConfig,
    path: &KeyPath,
    mut keys: impl Iterator<Item = &'a str>,
    document: &Document,
) -> Result<(), Problem> {
    let (kind, own) = KEYS[match policy {
        PolicyConfig::Preference(_) => 0,
        PolicyConfig::Split(_) => 1,
        PolicyConfig::Ensemble(_) => 2,
    }];
    let Some(other) = keys.find(|key| *key != "kind" && !own.contains(key)) else { return Ok(()) };
    let of =
        KEYS.iter().find(|(_, keys)| keys.contains(&other)).map_or("another", |(kind, _)| kind);
    let problem = document.problem_at(&path.clone().key(other), format!("a key of kind {of:?}"));
    let expected = format!("the keys of kind {kind:?}: {}", one_of(own));
    let problem = problem.expected(expected);
    Err(match document.has(&path.clone().key("kind")) {
        true => problem,
        false => problem.note(format!("did you mean kind = {of:?}?")),
    })
}

fn check_policy(
    policy: &PolicyConfig,
    path: &KeyPath,
    depth: usize,
    document: &Document,
    arms: &mut usize,
) -> Result<(), Problem> {
    match policy {
        PolicyConfig::Preference(preference) => {
            count_models(preference.order.len(), &path.clone().key("order"), document)
        }
        PolicyConfig::Split(split) => check_split(split, path, depth, document, arms),
        PolicyConfig::Ensemble(ensemble) => check_ensemble(ensemble, path, document),
    }
}

fn check_split(
    split: &Split,
    path: &KeyPath,
    depth: usize,
    document: &Document,
    arms: &mut usize,
) -> Result<(), Problem> {
    let all = path.clone().key("arm");
    *arms += split.arms.len();
    if split.arms.is_empty() || *arms > ARM_LIMIT {
        let found = if split.arms.is_empty() { "no arm" } else { "one arm more" };
        let expected = format!("at least one arm in a split, and at most {ARM_LIMIT} in all");
        return Err(document.problem_at(&all, found).expected(expected));
    }
    for (index, arm) in split.arms.iter().enumerate() {
        let path = all.clone().index(index);
        if split.arms[..index].iter().any(|above| above.name == arm.name) {
            let problem =
                document.problem_at(&path.key("name"), format!("{:?} a second time", arm.name));
            return Err(problem.expected("another name for each arm of a split"));
        }
        nested(&arm.policy, &path, depth + 1, document, arms)?;
    }
    weights_last(split, &all, document)
}

/// Refuses a split that has no arm to choose at some time.
///
/// The weights change on straight lines, so between two turns their sum is 0 only if it is 0 at
/// both.
fn weights_last(split: &Split, path: &KeyPath, document: &Document) -> Result<(), Problem> {
    let ramps = split.arms.iter().filter_map(|arm| arm.ramp);
    let turns = ramps.flat_map(|ramp| [ramp.starts, ramp.starts + ramp.over]);
    for time in std::iter::once(Time::EPOCH).chain(turns) {
        let sum: f64 = split.arms.iter().map(|arm| arm.weight_at(time)).sum();
        if sum <= 0.0 {
            let when = match time {
                Time::EPOCH => String::new(),
                time => format!(" {} s after the beginning of 1970", time.as_us() / 1_000_000),
            };
            let problem = document.problem_at(path, format!("weights that are all 0{when}"));
            return Err(problem.expected("an arm with a weight above 0 at any time"));
        }
    }
    Ok(())
}

fn check_ensemble(ensemble: &Ensemble, path: &KeyPath, document: &Document) -> Result<(), Problem> {
    let members = path.clone().key("members");
    let count = ensemble.members.len();
    if count == 0 {
        let problem = document.problem_at(&members, "no members");
        return Err(problem.expected("at least one"));
    }
    if !document.has(&path.clone().key("combine")) {
        let problem = document.problem_at(path, "no key \"combine\"");
        return Err(problem.expected(one_of(&COMBINES)));
    }
    count_models(count, &members, document)?;
    count_models(ensemble.below.len(), &path.clone().key("below"), document)?;
    if ensemble.quorum > count {
        let problem = document.problem_at(&path.clone().key("quorum"), ensemble.quorum.to_string());
        return Err(problem.expected(format!("a whole number from 1 to {count}, the members")));
    }
    let weight = |index| members.clone().index(index).key("weight");
    let weighted = (0..count).map(weight).find(|path| document.has(path));
    match weighted {
        Some(path) if !is_weighted(ensemble.combine) => {
            let problem = document.problem_at(&path, "a weight");
            let combine = ensemble.combine.name();
            Err(problem.expected(format!("none, as combine = {combine:?} has no use for it")))
        }
        _ => Ok(()),
    }
}

fn count_models(count: usize, path: &KeyPath, document: &Document) -> Result<(), Problem> {
    if count <= MODELS_LIMIT {
        return Ok(());
    }
    let problem = document.problem_at(path, format!("{count} models"));
    Err(problem.expected(format!("at most {MODELS_LIMIT}")))
}

/// Refuses a pattern that finds the decoy, or a model that stands in the order after it.
fn apart(
    models: &ModelPattern,
    config: &EndpointConfig,
    order: &[Preferred],
    path: &KeyPath,
    document: &Document,
) -> Result<(), Problem> {
    let mentions = config.roles.mentions();
    let decoy = mentions
        .iter()
        .find(|(_, role, name)| *role == message::Role::Decoy && models.matches(name));
    if let Some((_, _, name)) = decoy {
        let found = format!("\"{models}\", which finds the decoy {:?}", name.as_str());
        let problem = document.problem_at(&path.clone().key("models"), found);
        return Err(problem.expected("models that may answer"));
    }
    match order.iter().position(|preferred| models.matches(&preferred.model)) {
        None => Ok(()),
        Some(index) => {
            let found = format!("{:?}, which \"{models}\" finds too", order[index].model.as_str());
            let path = path.clone().key("order").index(index).key("model");
            Err(document.problem_at(&path, found).expected("each model once"))
        }
    }
}

#[cfg(test)]
mod tests;
