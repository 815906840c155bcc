//! `stage`: a component is put into the folder. What it replaces is kept.

use bytes::Bytes;
use catalog::write;
use message::ModelName;
use serde_json::Value;

use super::plan::{Content, FileChange, Plan, Refusal, Source, named};
use super::scene::Scene;
use crate::drivers::loader;
use crate::host::Shared;
use crate::stage::limits_of;

pub(super) fn plan(
    shared: &Shared,
    scene: &Scene,
    name: &str,
    wasm: &Bytes,
) -> Result<Plan, Refusal> {
    let is_taken = name == "endpoint";
    if !catalog::is_name(name) || name.starts_with('.') || is_taken {
        return Err(Refusal::Invalid(format!(
            "the name of a model: found {name:?}, expected letters, digits, `.`, `_` and `-`, and \
             not \"endpoint\""
        )));
    }
    let model = ModelName::from(name);
    let former = scene.spec.models.get(&model);
    let manifest = former.map(|file| file.manifest.clone());
    let manifest = manifest.unwrap_or_else(|| shared.scan.defaults.model_manifest());
    let schema = scene.spec.config.schema.as_ref();
    let limits = limits_of(&manifest);
    // It is compiled here, so that a component which would be refused never gets into the folder;
    // the loader finds it compiled.
    loader::examine(&shared.runtime, wasm, &limits, &manifest.grants, schema)
        .map_err(|reason| Refusal::Invalid(format!("{name}: {reason}")))?;
    let revision = write::revision(wasm);
    let before = former.map(|file| Content::Component {
        revision: file.revision,
        size_bytes: file.size_bytes,
        source: Source::InPlace,
    });
    let after = Content::Component {
        revision,
        size_bytes: wasm.len() as u64,
        source: Source::Uploaded(wasm.clone()),
    };
    let mut plan = Plan::new("stage", Some(model.clone())).file(FileChange::component(
        &model,
        before,
        Some(after),
    ));
    plan.from = former.map_or(Value::Null, |file| named(&model, Some(file.revision)));
    plan.to = named(&model, Some(revision));
    let role = scene.spec.config.roles.of(&model);
    let answers = scene.spec.config.places().iter().any(|place| place.model == model);
    match role {
        Some(role) => plan.warn(format!("{name} is the {role}: its new revision takes its place")),
        None if answers => plan.warn(format!("{name} answers: so will its new revision")),
        None => {}
    }
    Ok(plan)
}
