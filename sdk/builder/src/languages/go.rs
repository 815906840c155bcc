//! Models in Go.

use std::path::Path;

use super::{Compiled, Manifest, Sign, Support, manifest_sign};
use crate::build::{Job, unsupported};
use crate::templates::Template;
use crate::toolchain::Tool;
use crate::toolchain::pins::GO;
use crate::{BuildError, ProjectError, Sbom};

/// What the builder knows of Go.
pub(super) struct Go;

impl Support for Go {
    fn sign(&self, folder: &Path) -> Option<Sign> {
        manifest_sign(folder, &["go.mod"])
    }

    fn manifest(&self, _folder: &Path) -> Result<Manifest, ProjectError> {
        Ok(Manifest::default())
    }

    fn tools(&self) -> &'static [Tool] {
        &[GO]
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
