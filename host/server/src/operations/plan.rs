//! A change that is worked out and not made: which files, what speaks against it, what follows.

use std::fmt;
use std::path::PathBuf;

use bytes::Bytes;
use catalog::write;
use catalog::{Defaults, Draft, ENDPOINT_FILE, EndpointSpec};
use message::{ModelName, Revision};
use serde_json::{Value, json};

use super::scene::Scene;

/// A change that is worked out.
pub(super) struct Plan {
    /// The word for it in the history.
    pub(super) event: &'static str,
    /// The model that it is about.
    pub(super) model: Option<ModelName>,
    /// The files, in no particular order.
    pub(super) files: Vec<FileChange>,
    /// Why it should not be made. Whoever forces it has it made nevertheless.
    pub(super) objections: Vec<String>,
    /// What else the operator should know.
    pub(super) warnings: Vec<String>,
    /// What was, for the record: a model and its revision.
    pub(super) from: Value,
    /// What will be.
    pub(super) to: Value,
    /// The change in the history that this one undoes.
    pub(super) undoes: Option<u64>,
    /// What the endpoint will be.
    pub(super) would_be: Option<EndpointSpec>,
}

/// A file before and after.
#[derive(Clone)]
pub(super) struct FileChange {
    /// Its name in the folder of the endpoint.
    pub(super) name: String,
    pub(super) before: Option<Content>,
    pub(super) after: Option<Content>,
}

/// What a file holds.
#[derive(Clone)]
pub(super) enum Content {
    /// A configuration.
    Text(String),
    /// A component.
    Component {
        revision: Revision,
        size_bytes: u64,
        /// Where its bytes are.
        source: Source,
    },
}

/// Where the bytes of a component are.
#[derive(Clone)]
pub(super) enum Source {
    /// In the file itself.
    InPlace,
    /// With the change.
    Uploaded(Bytes),
    /// In a file that was kept.
    Kept(PathBuf),
}

/// Why a change is not even worked out.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Because what was sent, or what would come of it, is of no use.
    Invalid(String),
    /// Because of how things are, and no force would help.
    Impossible(String),
    /// Because the host failed.
    Failed(String),
    /// Because there is no such model.
    NoModel,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(message) | Self::Impossible(message) | Self::Failed(message) => {
                f.write_str(message)
            }
            Self::NoModel => f.write_str("there is no such model"),
        }
    }
}

impl From<catalog::edit::EditError> for Refusal {
    fn from(error: catalog::edit::EditError) -> Self {
        match error {
            catalog::edit::EditError::ByHand { .. } => Self::Impossible(error.to_string()),
            error => Self::Invalid(error.to_string()),
        }
    }
}

impl Content {
    /// The digest of the bytes.
    pub(super) fn digest(&self) -> Revision {
        match self {
            Self::Text(text) => write::revision(text.as_bytes()),
            Self::Component { revision, .. } => *revision,
        }
    }

    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Component { .. } => None,
        }
    }
}

impl FileChange {
    /// A configuration file before and after.
    pub(super) fn text(name: &str, before: Option<String>, after: Option<String>) -> Self {
        let name = name.to_owned();
        Self { name, before: before.map(Content::Text), after: after.map(Content::Text) }
    }

    /// The file of a model.
    pub(super) fn component(
        model: &ModelName,
        before: Option<Content>,
        after: Option<Content>,
    ) -> Self {
        Self { name: format!("{model}.wasm"), before, after }
    }

    /// Whether anything is different.
    pub(super) fn is_change(&self) -> bool {
        self.before.as_ref().map(Content::digest) != self.after.as_ref().map(Content::digest)
    }

    /// The file as the reply and the record have it.
    pub(super) fn document(&self) -> Value {
        let digest = |content: &Option<Content>| {
            content.as_ref().map(|content| content.digest().to_string())
        };
        let text =
            |content: &Option<Content>| content.as_ref().and_then(Content::text).map(str::to_owned);
        json!({
            "path": self.name,
            "before_digest": digest(&self.before),
            "after_digest": digest(&self.after),
            "before": text(&self.before),
            "after": text(&self.after),
        })
    }

    /// When it is written among the others. A model never runs without the manifest that comes with
    /// it, and no configuration ever names a model whose file is not there.
    pub(super) fn turn(&self) -> u8 {
        let is_component = self.name.ends_with(".wasm");
        let is_config = self.name == ENDPOINT_FILE;
        match (is_config, is_component, self.after.is_some()) {
            (false, false, true) => 0,
            (false, true, true) => 1,
            (true, _, _) => 2,
            (false, true, false) => 3,
            (false, false, false) => 4,
        }
    }
}

impl Plan {
    /// A change without a file so far.
    pub(super) fn new(event: &'static str, model: Option<ModelName>) -> Self {
        Self {
            event,
            model,
            files: Vec::new(),
            objections: Vec::new(),
            warnings: Vec::new(),
            from: Value::Null,
            to: Value::Null,
            undoes: None,
            would_be: None,
        }
    }

    /// Adds a file.
    pub(super) fn file(mut self, file: FileChange) -> Self {
        self.files.push(file);
        self
    }

    /// Adds a reason against it.
    pub(super) fn object(&mut self, reason: impl Into<String>) {
        self.objections.push(reason.into());
    }

    /// Adds a warning.
    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    /// Reads the files as they would be, with the parser that will read them when they are written.
    pub(super) fn checked(mut self, scene: &Scene, defaults: &Defaults) -> Result<Self, Refusal> {
        self.files.retain(FileChange::is_change);
        self.files.sort_by_key(FileChange::turn);
        let draft = self.draft();
        let would_be = scene.spec.with(&scene.folder, &draft, defaults);
        let would_be = would_be.map_err(|problem| Refusal::Invalid(problem.to_string()))?;
        self.would_be = Some(would_be);
        Ok(self)
    }

    fn draft(&self) -> Draft {
        let mut draft = Draft::default();
        for file in &self.files {
            let text = file.after.as_ref().and_then(Content::text).map(str::to_owned);
            if file.name == ENDPOINT_FILE {
                draft.config = Some(text);
            } else if let Some(model) = file.name.strip_suffix(".toml") {
                draft.manifests.insert(model.into(), text);
            } else if let Some(model) = file.name.strip_suffix(".wasm") {
                let artefact = match &file.after {
                    Some(Content::Component { revision, size_bytes, .. }) => {
                        Some((*revision, *size_bytes))
                    }
                    _ => None,
                };
                draft.artefacts.insert(model.into(), artefact);
            }
        }
        draft
    }
}

/// A model and its revision, for the record.
pub(super) fn named(model: &ModelName, revision: Option<Revision>) -> Value {
    json!({
        "model": model.as_str(),
        "revision": revision.map(|revision| revision.to_string()),
    })
}
