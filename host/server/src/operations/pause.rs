//! `pause` and `resume`: a key in a model's manifest, or in `endpoint.toml`.

use catalog::{ENDPOINT_FILE, edit};
use message::ModelName;
use sandbox::Lane;

use super::plan::{FileChange, Plan, Refusal, named};
use super::scene::Scene;

pub(super) fn plan(scene: &Scene, model: Option<ModelName>, paused: bool) -> Result<Plan, Refusal> {
    let event = if paused { "pause" } else { "resume" };
    match model {
        None => {
            let before = scene.config.clone();
            let text = before.clone().unwrap_or_default();
            let mut after = edit::set_paused(&scene.config_path(), &text, paused)?;
            if after.trim().is_empty() && before.is_some() {
                // No scan takes an empty file for a configuration.
                "paused = false\n".clone_into(&mut after);
            }
            let after = (before.is_some() || paused).then_some(after);
            Ok(Plan::new(event, None).file(FileChange::text(ENDPOINT_FILE, before, after)))
        }
        Some(model) => of_model(scene, model, event, paused),
    }
}

fn of_model(
    scene: &Scene,
    model: ModelName,
    event: &'static str,
    paused: bool,
) -> Result<Plan, Refusal> {
    let name = format!("{model}.toml");
    let before = scene.text(&name)?;
    let after =
        edit::set_paused(&scene.path(&name), before.as_deref().unwrap_or_default(), paused)?;
    let after = (!after.trim().is_empty()).then_some(after);
    let mut plan = Plan::new(event, Some(model.clone()));
    plan.to = named(&model, scene.spec.models.get(&model).map(|file| file.revision));
    let others = scene.live.members.iter().filter(|it| it.identity.model != model);
    let others = others.filter(|it| it.lane == Lane::Live).count();
    let answers = scene.spec.config.places().iter().any(|place| place.model == model);
    if paused && answers && others == 0 {
        plan.object("no other model that may answer is live");
    } else if paused && answers {
        plan.warn(format!("{model} no longer answers: those after it in the policy do"));
    }
    Ok(plan.file(FileChange::text(&name, before, after)))
}
