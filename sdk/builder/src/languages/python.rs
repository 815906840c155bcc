//! Models in Python.

use std::path::Path;

use super::{Compiled, Manifest, Sign, Support, manifest_sign, source_sign};
use crate::build::{Job, unsupported};
use crate::templates::Template;
use crate::toolchain::Tool;
use crate::toolchain::pins::COMPONENTIZE_PY;
use crate::{BuildError, ProjectError, Sbom};

/// What the builder knows of Python.
pub(super) struct Python;

impl Support for Python {
    fn sign(&self, folder: &Path) -> Option<Sign> {
        manifest_sign(folder, &["pyproject.toml"]).or_else(|| source_sign(folder, &[".py"]))
    }

    fn manifest(&self, _folder: &Path) -> Result<Manifest, ProjectError> {
        Ok(Manifest::default())
    }

    fn tools(&self) -> &'static [Tool] {
        &[COMPONENTIZE_PY]
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
