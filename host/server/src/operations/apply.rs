//! Making a change: checked, recorded, written, and waited for.
//!
//! It is recorded before it is written. Whoever is killed in between leaves a record of a change
//! that was not made, which the files show; the other way round there would be changes of which
//! nobody knows.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use catalog::EndpointSpec;
use catalog::write::{self, WriteError};
use front::{Caller, Declined, Terms};
use serde_json::{Value, json};

use super::event::{self, Author};
use super::plan::{Content, FileChange, Plan, Source};
use super::report;
use super::scene::{HISTORY, Scene};
use crate::clock;
use crate::stage::State;
use crate::standing::Heard;

/// How long the operator waits for the host to take a change up.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many replaced artefacts of a model are kept.
const KEPT: usize = 5;

/// Makes a change, or says what it would do.
pub(super) fn apply(
    scene: &Scene,
    caller: &Caller,
    terms: &Terms,
    mut plan: Plan,
) -> Result<Value, Declined> {
    let would_be = plan.would_be.take().expect("invariant: only checked plans are applied");
    let read_only = plan.files.iter().find_map(|file| unwritable(scene, file).err());
    let objected = !plan.objections.is_empty() && !terms.force;
    let refusal = match &read_only {
        _ if plan.files.is_empty() => None,
        Some(error) => Some(error.to_string()),
        None if objected => Some(refusal_of(&plan)),
        None => None,
    };
    let mut document = document_of(scene, &plan, &would_be, terms);
    if plan.files.is_empty() {
        document["outcome"] = json!("nothing to change");
        return Ok(document);
    }
    if let Some(refusal) = refusal {
        document["outcome"] = json!("refused");
        document["error"] = json!(refusal);
        // Whoever only asks is told what would be refused, and that is an answer.
        return if terms.dry_run { Ok(document) } else { Err(Declined::Conflict { document }) };
    }
    if terms.dry_run {
        document["outcome"] = json!("dry run");
        return Ok(document);
    }
    let would_be = Arc::new(would_be);
    let standing = &scene.endpoint.standing;
    standing.expect(Some(Arc::clone(&would_be)));
    let made = make(scene, caller, terms, &plan);
    let offset = match made {
        Ok(offset) => offset,
        Err(error) => {
            standing.expect(None);
            document["outcome"] = json!("failed");
            document["error"] = json!(error);
            return Err(Declined::Conflict { document });
        }
    };
    document["offset"] = json!(offset);
    tracing::info!(
        endpoint = %scene.endpoint.name, event = plan.event, who = %caller.name,
        model = plan.model.as_ref().map(ToString::to_string), "an operator changed the folder"
    );
    // What is not taken up yet is still expected, and no change by somebody else when it is.
    if wait(scene, &plan, &would_be, &mut document) {
        standing.expect(None);
    }
    Ok(document)
}

fn refusal_of(plan: &Plan) -> String {
    let model = plan.model.as_ref().map(|model| format!(" {model}")).unwrap_or_default();
    format!(
        "refused to {}{model}: {}; force does it anyway",
        plan.event,
        plan.objections.join("; ")
    )
}

fn document_of(scene: &Scene, plan: &Plan, would_be: &EndpointSpec, terms: &Terms) -> Value {
    json!({
        "endpoint": scene.endpoint.name.as_str(),
        "event": plan.event,
        "model": plan.model.as_ref().map(ToString::to_string),
        "dry_run": terms.dry_run,
        "files": plan.files.iter().map(FileChange::document).collect::<Vec<_>>(),
        "roster": report::roster(scene, would_be),
        "warnings": plan.warnings,
        "objections": plan.objections,
        "undoes": plan.undoes,
    })
}

/// Finds out whether a file can be written, and whether it is still what the plan was made for.
fn unwritable(scene: &Scene, file: &FileChange) -> Result<(), WriteError> {
    let path = scene.path(&file.name);
    write::check_writable(&scene.top, &path)?;
    if write::revision_of(&path)? != file.before.as_ref().map(Content::digest) {
        return Err(WriteError::Changed { path });
    }
    Ok(())
}

/// Records the change and writes its files. Where one cannot be written, those before it are put
/// back.
fn make(scene: &Scene, caller: &Caller, terms: &Terms, plan: &Plan) -> Result<u64, String> {
    for file in &plan.files {
        keep_former(scene, file, &plan.files).map_err(|error| error.to_string())?;
    }
    let author =
        Author { who: &caller.name, claimed: terms.claimed.as_deref(), why: terms.why.as_deref() };
    let now = clock::now();
    let event = event::of(now, &scene.endpoint, &author, plan);
    scene.endpoint.meter.metrics.roster_changed(plan.event);
    let offset = event::keep(now, &scene.endpoint, &event)
        .map_err(|error| format!("the change cannot be recorded, so it is not made: {error}"))?;
    for (index, file) in plan.files.iter().enumerate() {
        let (before, after) = (&file.before, &file.after);
        if let Err(error) = put(scene, file, before.as_ref(), after.as_ref()) {
            for written in plan.files[..index].iter().rev() {
                let (before, after) = (written.after.as_ref(), written.before.as_ref());
                if let Err(error) = put(scene, written, before, after) {
                    tracing::error!(%error, "half of a change cannot be taken back");
                }
            }
            let reason = error.to_string();
            let failure = event::failure(clock::now(), &scene.endpoint, offset, &reason);
            if let Err(error) = event::keep(clock::now(), &scene.endpoint, &failure) {
                tracing::error!(error, "an event cannot be kept");
            }
            return Err(reason);
        }
    }
    Ok(offset)
}

/// Makes a file what `after` says, if it is still `before`.
fn put(
    scene: &Scene,
    file: &FileChange,
    before: Option<&Content>,
    after: Option<&Content>,
) -> Result<(), WriteError> {
    let path = scene.path(&file.name);
    let before = before.map(Content::digest);
    match after {
        None => write::remove(&path, before),
        Some(Content::Text(text)) => write::write(&path, text.as_bytes(), before),
        Some(Content::Component { source: Source::Uploaded(bytes), .. }) => {
            write::write(&path, bytes, before)
        }
        Some(Content::Component { source: Source::Kept(kept), .. }) => copy(kept, &path, before),
        // It was there before, so it is where what is replaced is kept.
        Some(Content::Component { revision, source: Source::InPlace, .. }) => {
            copy(&kept_path(scene, &file.name, &revision.to_string()), &path, before)
        }
    }
}

fn copy(from: &Path, to: &Path, before: Option<message::Revision>) -> Result<(), WriteError> {
    let bytes = write::read(from)?.ok_or_else(|| WriteError::Changed { path: from.to_owned() })?;
    write::write(to, &bytes, before)
}

/// Keeps what a change takes out of the folder: a component, and the manifest that goes with it.
fn keep_former(scene: &Scene, file: &FileChange, all: &[FileChange]) -> Result<(), WriteError> {
    let Some(Content::Component { revision, .. }) = &file.before else { return Ok(()) };
    let kept = kept_path(scene, &file.name, &revision.to_string());
    write::keep(&scene.path(&file.name), &kept)?;
    // What was kept earlier and is replaced again is the latest now.
    let touched = fs::File::options().append(true).open(&kept);
    let _as_it_was = touched.and_then(|file| file.set_modified(SystemTime::now()));
    let manifest = file.name.replace(".wasm", ".toml");
    let text = all.iter().find(|it| it.name == manifest && it.after.is_none());
    if let Some(Content::Text(text)) = text.and_then(|it| it.before.as_ref()) {
        let kept = kept.with_extension("toml");
        write::write(&kept, text.as_bytes(), write::revision_of(&kept)?)?;
    }
    prune(kept.parent().unwrap_or(&kept));
    Ok(())
}

fn kept_path(scene: &Scene, name: &str, digest: &str) -> std::path::PathBuf {
    let model = name.strip_suffix(".wasm").unwrap_or(name);
    scene.path(HISTORY).join(model).join(format!("{digest}.wasm"))
}

/// Removes the oldest of what is kept of a model.
fn prune(folder: &Path) {
    let mut kept: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "wasm"))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    kept.sort();
    for (_, path) in kept.iter().rev().skip(KEPT) {
        let _gone = (fs::remove_file(path), fs::remove_file(path.with_extension("toml")));
    }
}

/// Waits until the host has taken the change up, and says how far it has come. Returns whether it
/// has.
fn wait(scene: &Scene, plan: &Plan, would_be: &EndpointSpec, document: &mut Value) -> bool {
    let until = Instant::now() + PATIENCE;
    let standing = &scene.endpoint.standing;
    let is_taken_up = |heard: &Heard| {
        is_heard(plan, would_be, &heard.spec)
            && heard.awaited.is_empty()
            && is_loaded(scene, plan, would_be)
    };
    let taken_up = standing.wait(until, is_taken_up);
    if taken_up {
        document["outcome"] = json!("taken up");
    } else {
        let awaited = standing.heard().awaited;
        document["outcome"] = json!("written");
        document["waits_for"] = json!(awaited.iter().map(ToString::to_string).collect::<Vec<_>>());
    }
    let Some(model) = &plan.model else { return taken_up };
    let parts = scene.endpoint.parts.load();
    let part = parts.iter().find(|part| part.model == *model);
    document["state"] = json!(part.map(|part| part.state.name()));
    document["note"] = json!(part.and_then(|part| match &part.state {
        State::Refused(reason) => Some(reason.clone()),
        _ => part.note.clone(),
    }));
    taken_up
}

/// Whether the host has seen the files of the change.
fn is_heard(plan: &Plan, would_be: &EndpointSpec, heard: &EndpointSpec) -> bool {
    plan.files.iter().all(|file| {
        if file.name == catalog::ENDPOINT_FILE {
            return heard.digest == would_be.digest;
        }
        let (stem, is_component) = match file.name.strip_suffix(".wasm") {
            Some(stem) => (stem, true),
            None => (file.name.trim_end_matches(".toml"), false),
        };
        match (heard.models.get(stem), would_be.models.get(stem)) {
            (Some(heard), Some(wanted)) if is_component => heard.revision == wanted.revision,
            (Some(heard), Some(wanted)) => heard.manifest == wanted.manifest,
            (heard, wanted) => heard.is_none() == wanted.is_none(),
        }
    })
}

/// Whether the components of the change are loaded, or refused.
fn is_loaded(scene: &Scene, plan: &Plan, would_be: &EndpointSpec) -> bool {
    let parts = scene.endpoint.parts.load();
    let models = plan.files.iter().filter_map(|file| file.name.strip_suffix(".wasm"));
    models.filter_map(|model| would_be.models.get_key_value(model)).all(|(model, file)| {
        let part = parts.iter().find(|part| part.model == *model);
        part.is_some_and(|part| match &part.state {
            State::Loading => false,
            State::Refused(_) => true,
            _ => {
                let refused = part.note.as_ref().is_some_and(|note| note.contains("refused"));
                part.revision == file.revision || refused
            }
        })
    })
}
