//! Models in C.

use std::path::Path;

use super::{Compiled, Manifest, Sign, Support, source_sign};
use crate::build::{Job, unsupported};
use crate::templates::Template;
use crate::toolchain::Tool;
use crate::toolchain::pins::ZIG;
use crate::{BuildError, ProjectError, Sbom};

/// What the builder knows of C.
pub(super) struct C;

impl Support for C {
    fn sign(&self, folder: &Path) -> Option<Sign> {
        source_sign(folder, &[".c"])
    }

    fn manifest(&self, _folder: &Path) -> Result<Manifest, ProjectError> {
        Ok(Manifest::default())
    }

    fn tools(&self) -> &'static [Tool] {
        &[ZIG]
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
