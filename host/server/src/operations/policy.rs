//! `policy`: who answers, shown and replaced as text.

use std::collections::BTreeSet;

use catalog::{ENDPOINT_FILE, EndpointConfig, edit};
use front::Declined;
use serde_json::{Value, json};

use super::plan::{FileChange, Plan, Refusal};
use super::scene::Scene;

/// The part of the endpoint's file that says who answers.
pub(super) fn show(scene: &Scene) -> Result<Value, Declined> {
    let text = scene.config.as_deref().unwrap_or_default();
    let policy = edit::policy_of(&scene.config_path(), text)
        .map_err(|error| Declined::Conflict { document: json!({ "error": error.to_string() }) })?;
    Ok(json!({
        "endpoint": scene.endpoint.name.as_str(),
        "policy": policy,
        "file": scene.config,
        "awaits": scene.endpoint.standing.heard().awaited.iter().map(ToString::to_string)
            .collect::<Vec<_>>(),
    }))
}

pub(super) fn plan(scene: &Scene, text: &str) -> Result<Plan, Refusal> {
    let before = scene.config.clone();
    let file = scene.config_path();
    let after = edit::set_policy(&file, before.as_deref().unwrap_or_default(), text)?;
    let mut plan = Plan::new("policy-set", None);
    let config = &scene.spec.config;
    if let Ok(wanted) = EndpointConfig::parse(&file, &after) {
        let gone = config.routes.len().saturating_sub(wanted.routes.len());
        if gone > 0 {
            plan.warn(format!("{gone} of {} routes are gone", config.routes.len()));
        }
        let answers = |config: &EndpointConfig| -> BTreeSet<_> {
            config.places().into_iter().map(|place| place.model).collect()
        };
        for model in answers(config).difference(&answers(&wanted)) {
            plan.warn(format!("{model} no longer answers"));
        }
        for model in answers(&wanted).difference(&answers(config)) {
            if scene.member(model).is_none() {
                plan.warn(format!("{model} is not live: the policy waits for it"));
            }
        }
    }
    Ok(plan.file(FileChange::text(ENDPOINT_FILE, before, Some(after))))
}
