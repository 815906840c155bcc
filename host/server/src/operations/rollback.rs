//! `rollback`: the last change is undone, or a model gets its former artefact back.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use catalog::{ENDPOINT_FILE, write};
use message::{ModelName, Revision};
use serde_json::Value;

use super::event::{Past, look_back};
use super::plan::{Content, FileChange, Plan, Refusal, Source, named};
use super::scene::{HISTORY, Scene};

/// What an `endpoint.toml` that was not there is left as: no scan believes that one is gone.
const NOTHING_CONFIGURED: &str = "# Everything is as by default.\n";

/// Undoes the latest change that an operator made and that is not undone yet.
pub(super) fn undo(scene: &Scene, force: bool) -> Result<Plan, Refusal> {
    let mut undone = BTreeSet::new();
    let mut found = None;
    look_back(&scene.endpoint, |past| {
        undone.extend(past.value["undoes"].as_u64());
        undone.extend(past.value["of"].as_u64());
        let is_change = past.value["files"].is_array() && past.value["undoes"].is_null();
        if !is_change || undone.contains(&past.offset) {
            return false;
        }
        let plan = plan_of(scene, &past);
        // One that was recorded, and then the host was killed, was never made.
        if matches!(&plan, Ok((_, Made::No))) {
            return false;
        }
        found = Some(plan);
        true
    })
    .map_err(Refusal::Failed)?;
    let Some(found) = found else {
        return Err(Refusal::Impossible(
            "there is nothing to undo: the history holds no change that an operator made through \
             the host and that is not undone yet"
                .to_owned(),
        ));
    };
    let (mut plan, made) = found?;
    if let Made::Overwritten(files) = made {
        plan.object(format!(
            "{} changed since, by somebody else: what they did would be lost",
            files.join(" and ")
        ));
        if force {
            plan.warn("what was changed by hand since is lost");
        }
    }
    Ok(plan)
}

/// Whether the folder shows that a change was made.
enum Made {
    Yes,
    No,
    /// These files hold something else by now.
    Overwritten(Vec<String>),
}

fn plan_of(scene: &Scene, past: &Past) -> Result<(Plan, Made), Refusal> {
    let event = &past.value;
    let model = event["model"].as_str().map(ModelName::from);
    let mut plan = Plan::new("rollback", model);
    plan.undoes = Some(past.offset);
    (plan.from, plan.to) = (event["to"].clone(), event["from"].clone());
    let (mut as_after, mut as_before, mut other) = (0, 0, Vec::new());
    let files = event["files"].as_array().map(Vec::as_slice).unwrap_or_default();
    for file in files {
        let name = file["path"].as_str().unwrap_or_default();
        let now = now(scene, name)?;
        let digest = now.as_ref().map(|now| now.digest().to_string());
        if digest.as_deref() == file["after_digest"].as_str() {
            as_after += 1;
        } else if digest.as_deref() == file["before_digest"].as_str() {
            as_before += 1;
        } else {
            other.push(name.to_owned());
        }
        plan.files.push(FileChange {
            name: name.to_owned(),
            before: now,
            after: former(scene, file)?,
        });
    }
    let made = match (as_after, as_before, other.is_empty()) {
        (_, _, false) => Made::Overwritten(other),
        (0, 1.., true) => Made::No,
        _ => Made::Yes,
    };
    let what = event["event"].as_str().unwrap_or("a change");
    let who = event["who"].as_str().unwrap_or("somebody");
    plan.warn(format!("this undoes the {what} by {who}"));
    Ok((plan, made))
}

/// What a file of the endpoint holds now.
fn now(scene: &Scene, name: &str) -> Result<Option<Content>, Refusal> {
    if !name.ends_with(".wasm") {
        return Ok(scene.text(name)?.map(Content::Text));
    }
    let bytes = write::read(&scene.path(name));
    let bytes = bytes.map_err(|error| Refusal::Failed(error.to_string()))?;
    Ok(bytes.map(|bytes| Content::Component {
        revision: write::revision(&bytes),
        size_bytes: bytes.len() as u64,
        source: Source::InPlace,
    }))
}

/// What a file of a recorded change held before.
fn former(scene: &Scene, file: &Value) -> Result<Option<Content>, Refusal> {
    let name = file["path"].as_str().unwrap_or_default();
    let Some(digest) = file["before_digest"].as_str() else {
        let text = (name == ENDPOINT_FILE).then(|| NOTHING_CONFIGURED.to_owned());
        return Ok(text.map(Content::Text));
    };
    if let Some(text) = file["before"].as_str() {
        return Ok(Some(Content::Text(text.to_owned())));
    }
    let model = name.strip_suffix(".wasm").unwrap_or(name);
    let path = kept_path(scene, &model.into(), digest);
    let gone = || {
        Refusal::Impossible(format!(
            "the artefact {} of {model} is not kept any more",
            digest.get(..12).unwrap_or(digest)
        ))
    };
    let bytes = write::read(&path).ok().flatten().ok_or_else(gone)?;
    let revision = write::revision(&bytes);
    if revision.to_string() != digest {
        return Err(gone());
    }
    Ok(Some(component(revision, bytes.len(), path)))
}

/// Puts the artefact back that a model had before, or the model itself if it was retired.
pub(super) fn model(scene: &Scene, model: &ModelName) -> Result<Plan, Refusal> {
    if !catalog::is_name(model.as_str()) {
        return Err(Refusal::NoModel);
    }
    let current = scene.spec.models.get(model);
    let kept = kept(scene, model, current.map(|file| file.revision));
    let Some((path, bytes)) = kept else {
        return Err(match current {
            None => Refusal::NoModel,
            Some(_) => Refusal::Impossible(format!(
                "no other artefact of {model} is kept: only what `stage`, `rollback` and `retire` \
                 replace is"
            )),
        });
    };
    let revision = write::revision(&bytes);
    let before = current.map(|file| Content::Component {
        revision: file.revision,
        size_bytes: file.size_bytes,
        source: Source::InPlace,
    });
    let after = component(revision, bytes.len(), path.clone());
    let mut plan = Plan::new("rollback", Some(model.clone())).file(FileChange::component(
        model,
        before,
        Some(after),
    ));
    plan.from = current.map_or(Value::Null, |file| named(model, Some(file.revision)));
    plan.to = named(model, Some(revision));
    let manifest = path.with_extension("toml");
    if current.is_none()
        && let Some(text) = write::read(&manifest).ok().flatten()
        && let Ok(text) = String::from_utf8(text)
    {
        let name = format!("{model}.toml");
        plan.files.push(FileChange::text(&name, scene.text(&name)?, Some(text)));
    }
    Ok(plan)
}

/// The artefact that was replaced last, of those that are kept and are not the current one.
fn kept(scene: &Scene, model: &ModelName, current: Option<Revision>) -> Option<(PathBuf, Vec<u8>)> {
    let folder = scene.path(HISTORY).join(model.as_str());
    let mut files: Vec<(SystemTime, PathBuf)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "wasm"))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    files.into_iter().rev().find_map(|(_, path)| {
        let bytes = write::read(&path).ok().flatten()?;
        (Some(write::revision(&bytes)) != current).then_some((path, bytes))
    })
}

fn kept_path(scene: &Scene, model: &ModelName, digest: &str) -> PathBuf {
    scene.path(HISTORY).join(model.as_str()).join(format!("{digest}.wasm"))
}

fn component(revision: Revision, size: usize, path: PathBuf) -> Content {
    Content::Component { revision, size_bytes: size as u64, source: Source::Kept(path) }
}
