//! `retire`: a model leaves the folder. Its file is kept in the endpoint's history.

use catalog::{ENDPOINT_FILE, EndpointConfig, edit};
use message::{ModelName, Role};

use super::plan::{Content, FileChange, Plan, Refusal, Source, named};
use super::scene::Scene;

pub(super) fn plan(scene: &Scene, model: ModelName) -> Result<Plan, Refusal> {
    let config = &scene.spec.config;
    let file = scene.spec.models.get(&model).ok_or(Refusal::NoModel)?;
    let mut plan = Plan::new("retire", Some(model.clone()));
    if let Some(before) = &scene.config {
        let after = edit::retire(&scene.config_path(), before, &model)?;
        plan.files.push(FileChange::text(ENDPOINT_FILE, Some(before.clone()), Some(after)));
    }
    let before = Content::Component {
        revision: file.revision,
        size_bytes: file.size_bytes,
        source: Source::InPlace,
    };
    plan.files.push(FileChange::component(&model, Some(before), None));
    let manifest = format!("{model}.toml");
    plan.files.push(FileChange::text(&manifest, scene.text(&manifest)?, None));
    plan.from = named(&model, Some(file.revision));
    match config.roles.of(&model) {
        Some(role @ (Role::Champion | Role::Fallback)) => plan.object(format!("it is the {role}")),
        _ if is_last(config, &model) => plan.object("no other model could answer"),
        _ => {}
    }
    Ok(plan)
}

/// Whether a model is the only one with a place from which it may answer.
fn is_last(config: &EndpointConfig, model: &ModelName) -> bool {
    let places = config.places();
    !places.is_empty() && places.iter().all(|place| place.model == *model)
}
