//! What an endpoint would be with other files, before anybody writes them.
//!
//! It is the same reading as a scan's, but nothing is taken from the version before: a file that a
//! scan would refuse is a problem here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use message::{ModelName, Revision};

use crate::catalog::{EndpointSpec, ModelFile};
use crate::document::{Document, KeyPath};
use crate::endpoint::EndpointConfig;
use crate::manifest::ModelManifest;
use crate::problem::{Problem, did_you_mean, one_of};
use crate::scanner::Defaults;

/// The name of an endpoint's configuration in its folder.
pub const ENDPOINT_FILE: &str = "endpoint.toml";

/// Changes to the files of an endpoint that nobody has made yet. What is not in it stays.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The text of `endpoint.toml`; `Some(None)` where it is to go.
    pub config: Option<Option<String>>,
    /// The texts of manifests; `None` where one is to go.
    pub manifests: BTreeMap<ModelName, Option<String>>,
    /// The artefacts, each with its size in bytes; `None` where one is to go.
    pub artefacts: BTreeMap<ModelName, Option<(Revision, u64)>>,
}

impl EndpointSpec {
    /// What this endpoint, whose files lie in `folder`, would be with the changes of a draft.
    ///
    /// # Errors
    /// The problem for which a scan would not take a file of the draft.
    pub fn with(&self, folder: &Path, draft: &Draft, defaults: &Defaults) -> Result<Self, Problem> {
        let mut models = self.models.clone();
        for (name, artefact) in &draft.artefacts {
            match artefact {
                None => {
                    models.remove(name);
                }
                Some((revision, size_bytes)) => {
                    let path = folder.join(format!("{name}.wasm"));
                    let manifest = models.get(name).map(|model| model.manifest.clone());
                    let manifest = manifest.unwrap_or_else(|| defaults.model_manifest());
                    let (target, revision, size_bytes) = (path.clone(), *revision, *size_bytes);
                    let model = ModelFile { path, revision, size_bytes, manifest, target };
                    models.insert(name.clone(), model);
                }
            }
        }
        for (name, text) in &draft.manifests {
            let manifest = manifest(&folder.join(format!("{name}.toml")), text, defaults)?;
            if let Some(model) = models.get_mut(name) {
                model.manifest = manifest;
            }
        }
        let file = folder.join(ENDPOINT_FILE);
        let (config, digest) = match &draft.config {
            None => (self.config.clone(), self.digest),
            Some(None) => (defaults.endpoint_config(), None),
            Some(Some(text)) => {
                (config(&file, text, defaults)?, Some(crate::file::digest(text.as_bytes())))
            }
        };
        check_names(&file, &config, draft, &models)?;
        let coming = BTreeSet::new();
        Ok(Self { name: self.name.clone(), config, digest, models, coming })
    }
}

fn config(file: &Path, text: &str, defaults: &Defaults) -> Result<EndpointConfig, Problem> {
    let mut document = Document::parse(file, text)?;
    defaults.beneath_endpoint(&mut document);
    EndpointConfig::read(&document)
}

fn manifest(
    file: &Path,
    text: &Option<String>,
    defaults: &Defaults,
) -> Result<ModelManifest, Problem> {
    let Some(text) = text else { return Ok(defaults.model_manifest()) };
    let mut document = Document::parse(file, text)?;
    defaults.beneath_manifest(&mut document);
    document.read()
}

/// Finds the first name without a model, as a scan would.
fn check_names(
    file: &PathBuf,
    config: &EndpointConfig,
    draft: &Draft,
    models: &BTreeMap<ModelName, ModelFile>,
) -> Result<(), Problem> {
    let mut known: Vec<&str> = models.keys().map(ModelName::as_str).collect();
    known.extend(config.external.keys().map(ModelName::as_str));
    let document = match &draft.config {
        Some(Some(text)) => Document::parse(file, text)?,
        _ => Document::empty(),
    };
    let mentions = config.mentions(&document);
    if let Some(name) = config.external.keys().find(|name| models.contains_key(*name)) {
        let path = KeyPath::new("external").key(name.as_str());
        let found = format!("{:?}, of which there is a file in the folder", name.as_str());
        return Err(document.problem_at(&path, found).expected("another name"));
    }
    let is_there = |name: &ModelName| known.contains(&name.as_str());
    let Some((path, name)) = mentions.iter().find(|(_, name)| !is_there(name)) else {
        return Ok(());
    };
    let found = format!("{:?}", name.as_str());
    let mut problem = match &draft.config {
        Some(Some(_)) => document.problem_at(path, found),
        _ => Problem { key: Some(path.to_string().into()), ..Problem::new(file, found) },
    };
    problem = problem.expected(one_of(&known));
    problem.note = did_you_mean(name.as_str(), &known).map(Into::into);
    Err(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> EndpointSpec {
        let nothing = EndpointSpec {
            name: "e".into(),
            config: EndpointConfig::default(),
            digest: None,
            models: BTreeMap::new(),
            coming: BTreeSet::new(),
        };
        let artefact = |digit: u8| Some((Revision::from_digest([digit; 32]), 9));
        let draft = Draft {
            artefacts: BTreeMap::from([("a".into(), artefact(1)), ("b".into(), artefact(2))]),
            ..Draft::default()
        };
        nothing.with(Path::new("m/e"), &draft, &Defaults::default()).unwrap()
    }

    fn with(draft: &Draft) -> Result<EndpointSpec, String> {
        let with = spec().with(Path::new("m/e"), draft, &Defaults::default());
        with.map_err(|problem| problem.to_string())
    }

    fn config(text: &str) -> Draft {
        Draft { config: Some(Some(text.to_owned())), ..Draft::default() }
    }

    #[test]
    fn a_draft_is_read_as_a_scan_would_read_it() {
        let with_champion = with(&config("[roles]\nchampion = 'a'\n")).unwrap();
        assert_eq!(with_champion.config.roles.champion, Some("a".into()));
        assert_eq!(with_champion.models, spec().models);
        let nobody = with(&config("[roles]\n\nchampion = 'c'\n")).unwrap_err();
        let expected = "m/e/endpoint.toml:3: roles.champion: found \"c\", expected one of \"a\", \"b\"; \
                        did you mean \"a\"?";
        assert_eq!(nobody, expected);
        let wrong = with(&config("[roles]\nchampions = 'a'\n")).unwrap_err();
        assert!(wrong.starts_with("m/e/endpoint.toml:2: roles.champions: found an unknown key"));
    }

    #[test]
    fn a_model_that_is_named_cannot_go() {
        let named = with(&config("[roles]\nchampion = 'a'\n")).unwrap();
        let gone = Draft { artefacts: BTreeMap::from([("a".into(), None)]), ..Draft::default() };
        let refused = named.with(Path::new("m/e"), &gone, &Defaults::default()).unwrap_err();
        let expected = "m/e/endpoint.toml: roles.champion: found \"a\", expected \"b\"";
        assert!(refused.to_string().starts_with(expected), "{refused}");
        assert_eq!(with(&gone).unwrap().models.len(), 1);
    }

    #[test]
    fn an_external_model_needs_no_file_and_must_have_none() {
        let text = "roles = { champion = 'torch' }\n[external.torch]\n";
        let outside = with(&config(text)).unwrap();
        assert_eq!(outside.config.roles.champion, Some("torch".into()));
        let both = with(&config("[external.a]\n")).unwrap_err();
        let expected = "m/e/endpoint.toml:1: external.a: found \"a\", of which there is a file in the \
                        folder, expected another name";
        assert_eq!(both, expected);
    }

    #[test]
    fn a_manifest_comes_and_goes() {
        let manifest = |text: Option<&str>| Draft {
            manifests: BTreeMap::from([("a".into(), text.map(str::to_owned))]),
            ..Draft::default()
        };
        let paused = with(&manifest(Some("paused = true"))).unwrap();
        assert!(paused.models["a"].manifest.paused && !paused.models["b"].manifest.paused);
        let back = paused.with(Path::new("m/e"), &manifest(None), &Defaults::default()).unwrap();
        assert_eq!(back, spec());
        let wrong = with(&manifest(Some("pause = true"))).unwrap_err();
        assert!(wrong.starts_with("m/e/a.toml:1: pause: found an unknown key"), "{wrong}");
    }
}
