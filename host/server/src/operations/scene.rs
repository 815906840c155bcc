//! What an endpoint is at the moment of a change: its files, and what the host made of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use catalog::write;
use catalog::{ENDPOINT_FILE, EndpointSpec};
use front::{Declined, NotFound};
use message::ModelName;
use serde_json::json;

use super::plan::Refusal;
use crate::endpoint::{Endpoint, PartReport};
use crate::host::Shared;
use crate::live::{Live, LiveMember};

/// The folder in an endpoint's folder that keeps what was replaced. No scan looks into it.
pub(super) const HISTORY: &str = ".history";

/// One endpoint, read for a change.
pub(super) struct Scene {
    pub(super) endpoint: Arc<Endpoint>,
    /// The folder of all endpoints.
    pub(super) top: PathBuf,
    /// The folder of this one.
    pub(super) folder: PathBuf,
    /// What the host took of the folder.
    pub(super) spec: Arc<EndpointSpec>,
    /// The text of `endpoint.toml` as it is now.
    pub(super) config: Option<String>,
    pub(super) parts: Arc<Vec<PartReport>>,
    pub(super) live: Arc<Live>,
}

impl Scene {
    /// Reads the files of an endpoint.
    pub(super) fn read(shared: &Shared, endpoint: Arc<Endpoint>) -> Result<Self, Declined> {
        let top = shared.models_dir.clone();
        let folder = top.join(endpoint.name.as_str());
        let config = text(&top, &folder.join(ENDPOINT_FILE))
            .map_err(|refusal| Declined::Failed { message: refusal.to_string() })?;
        Ok(Self {
            top,
            config,
            folder,
            spec: endpoint.standing.heard().spec,
            parts: endpoint.parts.load_full(),
            live: endpoint.live.load_full(),
            endpoint,
        })
    }

    /// The text of a configuration file of the folder; nothing where there is none.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        text(&self.top, &self.folder.join(name))
    }

    /// The path of a file of the endpoint.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The path of `endpoint.toml`, as problems call it.
    pub(super) fn config_path(&self) -> PathBuf {
        self.folder.join(ENDPOINT_FILE)
    }

    /// A model of the folder, or one that is external.
    pub(super) fn anybody(&self, name: &str) -> Result<ModelName, Declined> {
        let external = self.spec.config.external.get_key_value(name);
        external.map_or_else(|| self.model(name), |(name, _)| Ok(name.clone()))
    }

    /// A model of the folder.
    pub(super) fn model(&self, name: &str) -> Result<ModelName, Declined> {
        if self.spec.config.external.contains_key(name) {
            let error = format!(
                "{name} is external and has no file: edit [external.{name}] of {ENDPOINT_FILE}"
            );
            return Err(Declined::Conflict {
                document: json!({ "error": error, "outcome": "refused" }),
            });
        }
        let known = self.spec.models.get_key_value(name).map(|(name, _)| name.clone());
        known.ok_or_else(|| Declined::NotFound(NotFound::Model { known: self.model_names() }))
    }

    /// Every model of the folder.
    pub(super) fn model_names(&self) -> Vec<String> {
        self.spec.models.keys().map(ToString::to_string).collect()
    }

    /// Where a model stands.
    pub(super) fn part(&self, model: &ModelName) -> Option<&PartReport> {
        self.parts.iter().find(|part| part.model == *model)
    }

    /// What runs of a model, if it is asked.
    pub(super) fn member(&self, model: &ModelName) -> Option<&LiveMember> {
        self.live.member(model.as_str())
    }

    /// The places of each model in the policy and the routes, in words.
    pub(super) fn places(spec: &EndpointSpec) -> BTreeMap<ModelName, Vec<String>> {
        let mut places: BTreeMap<ModelName, Vec<String>> = BTreeMap::new();
        for place in spec.config.places() {
            places.entry(place.model).or_default().push(place.place);
        }
        places
    }
}

fn text(top: &Path, path: &Path) -> Result<Option<String>, Refusal> {
    // A link can be looked at, and a change of what it leads to be shown. Only writing is refused.
    // One that leads out of the folder is not followed, as a scan does not.
    let inside = |target: &PathBuf| top.canonicalize().is_ok_and(|top| target.starts_with(top));
    let target = if path.is_symlink() { path.canonicalize().ok().filter(inside) } else { None };
    let bytes = write::read(target.as_deref().unwrap_or(path));
    let bytes = bytes.map_err(|error| Refusal::Failed(error.to_string()))?;
    bytes
        .map(|bytes| {
            String::from_utf8(bytes).map_err(|_| {
                Refusal::Invalid(format!("{}: found bytes that are not UTF-8", path.display()))
            })
        })
        .transpose()
}
