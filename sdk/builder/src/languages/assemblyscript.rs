//! Models in AssemblyScript.

use std::path::Path;

use super::{Compiled, Manifest, Sign, Support, manifest_sign};
use crate::build::{Job, unsupported};
use crate::templates::Template;
use crate::toolchain::Tool;
use crate::toolchain::pins::{ASSEMBLYSCRIPT, NODE};
use crate::{BuildError, ProjectError, Sbom};

/// What the builder knows of AssemblyScript.
pub(super) struct AssemblyScript;

impl Support for AssemblyScript {
    fn sign(&self, folder: &Path) -> Option<Sign> {
        manifest_sign(folder, &["asconfig.json"])
    }

    fn manifest(&self, _folder: &Path) -> Result<Manifest, ProjectError> {
        Ok(Manifest::default())
    }

    fn tools(&self) -> &'static [Tool] {
        &[NODE, ASSEMBLYSCRIPT]
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
