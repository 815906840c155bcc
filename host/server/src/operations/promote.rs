//! `promote`: a model becomes champion, and takes the former champion's place in the order.

use std::time::Duration;

use catalog::{Decoy, ENDPOINT_FILE, PolicyConfig, edit};
use message::{ModelName, Role};
use serde_json::Value;

use super::plan::{FileChange, Plan, Refusal, named};
use super::scene::Scene;
use crate::clock;
use crate::stage::State;

/// A fault speaks against a promotion for so long.
const LATELY: Duration = Duration::from_secs(60);

pub(super) fn plan(scene: &Scene, model: ModelName, force: bool) -> Result<Plan, Refusal> {
    let config = &scene.spec.config;
    let before = scene.config.clone().unwrap_or_default();
    let file = scene.config_path();
    let has_order = matches!(config.policy.choice, PolicyConfig::Preference(_));
    let after = if has_order {
        edit::promote(&file, &before, &model)?
    } else {
        edit::promote_in_roles(&file, &before, &model)?
    };
    let revision = |model: &ModelName| scene.part(model).map(|part| part.revision);
    let mut plan = Plan::new("promote", Some(model.clone())).file(FileChange::text(
        ENDPOINT_FILE,
        scene.config.clone(),
        Some(after),
    ));
    let former = config.roles.champion.as_ref();
    plan.from = former.map_or(Value::Null, |former| named(former, revision(former)));
    plan.to = named(&model, revision(&model));
    if former == Some(&model) && is_first(config, &model) {
        plan.files.clear();
        plan.warn(format!("{model} is the champion already"));
        return Ok(plan);
    }
    plan.objections = objections(scene, &model);
    if !has_order {
        plan.object(
            "the policy is no order: who answers is said by its arms and members, so only the role \
             would change; use `policy set` for the rest",
        );
        if force {
            plan.warn("only the role changes: the arms and members of the policy stay as they are");
        }
    }
    if config.roles.of(&model) == Some(Role::Fallback) {
        plan.warn(format!("{model} was the fallback: the endpoint has none from now on"));
    }
    Ok(plan)
}

/// Whether nothing would change in the policy.
fn is_first(config: &catalog::EndpointConfig, model: &ModelName) -> bool {
    match &config.policy.choice {
        PolicyConfig::Preference(preference) => {
            preference.order.first().is_none_or(|first| first.model == *model)
        }
        PolicyConfig::Split(_) | PolicyConfig::Ensemble(_) => true,
    }
}

/// Why a model should not answer now.
fn objections(scene: &Scene, model: &ModelName) -> Vec<String> {
    let mut objections = Vec::new();
    let external = scene.live.externals.get(model);
    if external.is_some_and(|external| external.last_score().is_none()) {
        objections.push("it is external, and has not written a score yet".to_owned());
    }
    if matches!(&scene.spec.config.roles.decoy, Decoy::Model(decoy) if decoy == model) {
        objections.push("it is the decoy, which is asked nothing".to_owned());
    }
    let part = scene.part(model);
    match part {
        None => objections.push("it is not live: the host has not looked at it yet".to_owned()),
        Some(part) if part.state == State::External => {}
        Some(part) if part.state != State::Live => {
            objections.push(format!("it is not live: {}", part.state));
        }
        Some(part) => {
            // What runs is live, and yet not what the folder holds: the newer file was refused.
            objections.extend(part.note.iter().map(|note| format!("its newer file: {note}")));
        }
    }
    let Some(member) = scene.member(model) else { return objections };
    let record = &member.identity.record;
    if member.identity.warmed == 0 && record.scored() == 0 {
        objections.push(
            "it was never warmed: no request was there to warm it on, and it has scored none"
                .to_owned(),
        );
    }
    let ago = record.faulted().map(|faulted| clock::now().since(faulted));
    if let Some(ago) = ago.filter(|ago| *ago < LATELY) {
        objections.push(format!("it faulted {} s ago", ago.as_secs()));
    }
    objections
}
