//! One endpoint from the facts about its files and from what it was before.
//!
//! Pure: what cannot be had now is taken from the version before, and what is wrong is said.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use message::{EndpointName, ModelName, Revision};

use super::files::{Artefact, EndpointFile, Fact};
use super::look::ENDPOINT_FILE;
use crate::catalog::{EndpointSpec, ModelFile};
use crate::document::KeyPath;
use crate::endpoint::{EndpointConfig, ModelPattern, RouteKind};
use crate::manifest::ModelManifest;
use crate::problem::{Problem, did_you_mean, one_of};

/// What is known of one endpoint.
pub(super) struct Facts<'a> {
    pub(super) name: &'a EndpointName,
    /// Its folder, for people.
    pub(super) folder: &'a Path,
    /// Its files by name.
    pub(super) files: BTreeMap<String, Fact>,
    /// Its last good version.
    pub(super) previous: Option<&'a EndpointSpec>,
    /// What it is where no file says anything.
    pub(super) config: &'a EndpointConfig,
    pub(super) manifest: &'a ModelManifest,
}

/// Makes the endpoint, or nothing where it never had a good version: neither a configuration nor a
/// model. Adds to `problems`.
pub(super) fn assemble(facts: &Facts<'_>, problems: &mut Vec<Problem>) -> Option<EndpointSpec> {
    let (mut models, gone) = models(facts, problems);
    let (config, digest) = config(facts, &models, &gone, problems)?;
    models.retain(|name, model| {
        let is_external = config.external.contains_key(name);
        if is_external {
            let problem = Problem::new(&model.path, "the file of a model that is external");
            let expected = format!("another name, or no [external.{name}] in {ENDPOINT_FILE}");
            problems.push(problem.expected(expected).note("the file is left alone"));
        }
        !is_external
    });
    let configured = !matches!(facts.file(ENDPOINT_FILE), Fact::Absent);
    if facts.previous.is_none() && models.is_empty() && !configured {
        return None;
    }
    let named = config.model_names();
    for (name, model) in gone {
        // Who wants a model to go stops naming it. Until then a file that is missing is doubt.
        if named.contains(&name) && !config.external.contains_key(&name) {
            let problem = Problem::new(&model.path, "no file")
                .expected(format!("the model that {ENDPOINT_FILE} names"));
            problems.push(problem.note("the revision that was there stays"));
            models.insert(name, model);
        }
    }
    let coming = facts.model_names().into_iter().filter(|name| facts.is_coming(name));
    let coming = coming.filter(|name| !models.contains_key(name)).collect();
    Some(EndpointSpec { name: facts.name.clone(), config, digest, models, coming })
}

type Models = BTreeMap<ModelName, ModelFile>;

/// The models that are there, and those whose file is gone.
fn models(facts: &Facts<'_>, problems: &mut Vec<Problem>) -> (Models, Models) {
    let (mut models, mut gone) = (Models::new(), Models::new());
    for name in facts.model_names() {
        let previous = facts.previous.and_then(|spec| spec.models.get(&name)).cloned();
        let file_name = format!("{name}.wasm");
        if file_name == "endpoint.wasm" {
            let problem = Problem::new(facts.folder.join(file_name), "a model named \"endpoint\"");
            problems.push(problem.expected(format!("another name, as {ENDPOINT_FILE} is taken")));
            continue;
        }
        let now = match facts.file(&file_name) {
            Fact::Model(artefact) => model(facts, &name, artefact, previous.as_ref(), problems),
            Fact::Unusable(problem) => {
                problems.push(problem.clone());
                None
            }
            Fact::Absent => {
                gone.extend(previous.map(|previous| (name.clone(), previous)));
                orphan(facts, &name, problems);
                continue;
            }
            _ => None,
        };
        models.extend(now.or(previous).map(|model| (name, model)));
    }
    (models, gone)
}

/// A model from its artefact; nothing while it is not known what the model may do.
fn model(
    facts: &Facts<'_>,
    name: &ModelName,
    artefact: &Artefact,
    previous: Option<&ModelFile>,
    problems: &mut Vec<Problem>,
) -> Option<ModelFile> {
    let previous = || previous.map(|model| model.manifest.clone());
    let manifest = match facts.file(&format!("{name}.toml")) {
        Fact::Manifest(manifest) => Some((**manifest).clone()),
        Fact::Absent => Some(facts.manifest.clone()),
        Fact::Unusable(problem) => {
            problems.push(problem.clone());
            previous()
        }
        _ => previous(),
    };
    Some(ModelFile {
        path: facts.folder.join(format!("{name}.wasm")),
        revision: artefact.revision,
        size_bytes: artefact.size_bytes,
        manifest: manifest?,
        target: artefact.target.clone(),
    })
}

fn orphan(facts: &Facts<'_>, name: &ModelName, problems: &mut Vec<Problem>) {
    let file_name = format!("{name}.toml");
    if matches!(facts.file(&file_name), Fact::Manifest(_) | Fact::Unusable(_)) {
        let problem = Problem::new(facts.folder.join(file_name), "a manifest by itself");
        problems.push(problem.expected(format!("\"{name}.wasm\" beside it")).warning());
    }
}

/// The configuration and the digest of its file: those of the file if it is good, else the ones
/// before.
fn config(
    facts: &Facts<'_>,
    models: &Models,
    gone: &Models,
    problems: &mut Vec<Problem>,
) -> Option<(EndpointConfig, Option<Revision>)> {
    let previous = facts.previous.map(|spec| (spec.config.clone(), spec.digest));
    match facts.file(ENDPOINT_FILE) {
        Fact::Endpoint(file) => match accept(facts, file, models, gone) {
            Accepted::Yes => {
                problems.extend(remarks(file, models));
                Some((file.config.clone(), Some(file.digest)))
            }
            Accepted::NotYet => previous,
            Accepted::No(problem) => {
                problems.push(*problem);
                previous
            }
        },
        Fact::Unusable(problem) => {
            problems.push(problem.clone());
            previous
        }
        Fact::Absent => match previous {
            Some(previous) if previous.0 != *facts.config => {
                let problem = Problem::new(facts.folder.join(ENDPOINT_FILE), "no file");
                let problem = problem.expected("the configuration of the endpoint");
                problems.push(problem.note("the one that was there stays"));
                Some(previous)
            }
            _ => Some((facts.config.clone(), None)),
        },
        _ => previous,
    }
}

enum Accepted {
    Yes,
    /// When a model that it names is still being copied, and another configuration holds so long.
    NotYet,
    No(Box<Problem>),
}

fn accept(facts: &Facts<'_>, file: &Arc<EndpointFile>, models: &Models, gone: &Models) -> Accepted {
    let emptied = facts.previous.is_some_and(|previous| previous.config != file.config);
    if file.document.is_empty() && emptied {
        // Whoever truncates a file and then runs out of disk did not mean the defaults.
        let path = facts.folder.join(ENDPOINT_FILE);
        let problem = Problem::new(path, "an empty file").expected("a key, or at least a comment");
        return Accepted::No(Box::new(problem.note("the configuration that was there stays")));
    }
    let mut known: Vec<&str> = models.keys().chain(gone.keys()).map(ModelName::as_str).collect();
    known.extend(file.config.external.keys().map(ModelName::as_str));
    known.sort_unstable();
    let mentions = file.config.mentions(&file.document);
    let mut missing =
        mentions.iter().filter(|(_, name)| !known.contains(&name.as_str())).peekable();
    if missing.peek().is_none() {
        return Accepted::Yes;
    }
    match missing.find(|(_, name)| !facts.may_come(name)) {
        // Nothing would be won by waiting: without this configuration there is no endpoint at all.
        None if facts.previous.is_none() => Accepted::Yes,
        None => Accepted::NotYet,
        Some((path, name)) => {
            let found = format!("{:?}", name.as_str());
            let mut problem = file.document.problem_at(path, found).expected(one_of(&known));
            problem.note = did_you_mean(name.as_str(), &known).map(Into::into);
            Accepted::No(Box::new(problem))
        }
    }
}

/// What is right in a configuration and yet will not do what it says: routes to models of which
/// there is none.
fn remarks<'a>(file: &'a EndpointFile, models: &'a Models) -> impl Iterator<Item = Problem> {
    let patterns = file.config.routes.iter().enumerate().filter_map(|(index, route)| {
        let RouteKind::Each { models, .. } = &route.kind else { return None };
        Some((index, models))
    });
    let is_idle = move |pattern: &ModelPattern| {
        let mut known = models.keys().chain(file.config.external.keys());
        !known.any(|model| pattern.matches(model))
    };
    patterns.filter(move |(_, pattern)| is_idle(pattern)).map(|(index, pattern)| {
        let path = KeyPath::new("route").index(index).key("models");
        let problem = file.document.problem_at(&path, format!("\"{pattern}\""));
        problem.expected("a model of such a name").note("the route takes no request").warning()
    })
}

impl Facts<'_> {
    fn file(&self, name: &str) -> &Fact {
        self.files.get(name).unwrap_or(&Fact::Absent)
    }

    /// Whether a model that is not known has a file that may yet be good.
    ///
    /// Where nothing runs, a file that is there and of no use is enough: it must not take the other
    /// models of the endpoint with it. Where something runs, that is better than the new.
    fn may_come(&self, name: &ModelName) -> bool {
        let artefact = self.file(&format!("{name}.wasm"));
        let manifest = self.file(&format!("{name}.toml"));
        let of_no_use = [artefact, manifest].iter().any(|it| matches!(it, Fact::Unusable(_)));
        !matches!(artefact, Fact::Absent) && (self.previous.is_none() || !of_no_use)
    }

    /// Whether the artefact or the manifest of a model may be another one in a moment, and neither is
    /// of no use.
    fn is_coming(&self, name: &ModelName) -> bool {
        let files = [self.file(&format!("{name}.wasm")), self.file(&format!("{name}.toml"))];
        let is_unsettled = |fact: &&Fact| matches!(fact, Fact::Unsettled);
        let is_known = !files.iter().any(|fact| matches!(fact, Fact::Unusable(_)));
        is_known && files.iter().any(is_unsettled)
    }

    /// The models that there are, were, or would be by their manifests.
    fn model_names(&self) -> BTreeSet<ModelName> {
        let stem = |name: &String| {
            let manifest = || name.strip_suffix(".toml").filter(|_| name != ENDPOINT_FILE);
            name.strip_suffix(".wasm").or_else(manifest).map(ModelName::from)
        };
        let previous = self.previous.into_iter().flat_map(|spec| spec.models.keys().cloned());
        self.files.keys().filter_map(stem).chain(previous).collect()
    }
}
