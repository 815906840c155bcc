//! Models in TypeScript: checked by tsc, and then what those in JavaScript are.

use std::path::Path;

use include_dir::{Dir, include_dir};

use super::javascript::{self, JavaScript};
use super::{Compiled, Manifest, Sign, Support, manifest_sign};
use crate::build::Job;
use crate::templates::{Part, Template};
use crate::toolchain::Tool;
use crate::toolchain::pins::{COMPONENTIZE_QJS, ESBUILD, NODE, TYPESCRIPT};
use crate::{BuildError, ProjectError, Sbom};

static TEMPLATE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../javascript/template-typescript");

const TSCONFIG: &str = "tsconfig.json";
const MAINS: [&str; 4] = ["src/model.ts", "model.ts", "src/index.ts", "index.ts"];

/// What the builder knows of TypeScript.
pub(super) struct TypeScript;

impl Support for TypeScript {
    fn sign(&self, folder: &Path) -> Option<Sign> {
        let other = manifest_sign(folder, &["asconfig.json"]);
        if other.is_some() { None } else { manifest_sign(folder, &[TSCONFIG]) }
    }

    fn manifest(&self, folder: &Path) -> Result<Manifest, ProjectError> {
        let manifest = JavaScript.manifest(folder)?;
        // What is compiled to JavaScript is for other users of a package.
        let main =
            manifest.main.filter(|main| main.extension().is_some_and(|ending| ending == "ts"));
        Ok(Manifest { main, ..manifest })
    }

    fn tools(&self) -> &'static [Tool] {
        &[NODE, TYPESCRIPT, ESBUILD, COMPONENTIZE_QJS]
    }

    fn compile(&self, job: &mut Job<'_>) -> Result<Compiled, BuildError> {
        let main = javascript::main(job, &MAINS)?;
        javascript::install(job)?;
        job.step("checking types with tsc");
        let mut tsc = javascript::script(job, TYPESCRIPT.name);
        tsc.args(["--noEmit", "--pretty", "false", "--project", TSCONFIG]);
        job.run(tsc)?;
        javascript::component(job, &main)
    }

    fn sbom(&self, job: &mut Job<'_>) -> Result<Option<Sbom>, BuildError> {
        JavaScript.sbom(job)
    }

    fn template(&self) -> Option<Template> {
        let mut parts = javascript::library();
        parts.push(Part::Folder("", &TEMPLATE));
        Some(Template {
            parts,
            replaced: &[("../../src/index.js", "../vendor/understudy/src/index.js")],
        })
    }
}
