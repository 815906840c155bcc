//! Models in JavaScript.

use std::path::Path;

use super::{Compiled, Manifest, Sign, Support, manifest_sign};
use crate::build::{Job, unsupported};
use crate::templates::Template;
use crate::toolchain::Tool;
use crate::toolchain::pins::{COMPONENTIZE_QJS, NODE};
use crate::{BuildError, ProjectError, Sbom};

/// What the builder knows of JavaScript.
pub(super) struct JavaScript;

impl Support for JavaScript {
    fn sign(&self, folder: &Path) -> Option<Sign> {
        let other = manifest_sign(folder, &["asconfig.json", "tsconfig.json"]);
        if other.is_some() { None } else { manifest_sign(folder, &["package.json"]) }
    }

    fn manifest(&self, _folder: &Path) -> Result<Manifest, ProjectError> {
        Ok(Manifest::default())
    }

    fn tools(&self) -> &'static [Tool] {
        &[NODE, COMPONENTIZE_QJS]
    }

    fn compile(&self, job: &mut Job<'_>) -> Result<Compiled, BuildError> {
        Err(unsupported(job.language()))
    }

    fn sbom(&self, _job: &mut Job<'_>) -> Result<Option<Sbom>, BuildError> {
        Ok(None)
    }

    fn template(&self) -> Option<Template> {
        None
    }
}
