//! Models in Go: a package `main`, compiled by go for WASI as a library.
//!
//! The library allocates for the host by itself, so a project needs no flag for the linker. What WASI it imports is the
//! runtime's, and the adapter answers it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use include_dir::{Dir, include_dir};
use serde::Deserialize;

use super::{Compiled, Manifest, Sign, Support, manifest_sign};
use crate::build::Job;
use crate::project::read;
use crate::templates::{Part, Template};
use crate::toolchain::Tool;
use crate::toolchain::pins::GO;
use crate::{BuildError, Package, ProjectError, Sbom};

static TEMPLATE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../go/template");
static LIBRARY: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../go/understudy");

const GO_MOD: &str = "go.mod";

/// What the builder knows of Go.
pub(super) struct Go;

impl Support for Go {
    fn sign(&self, folder: &Path) -> Option<Sign> {
        manifest_sign(folder, &[GO_MOD])
    }

    fn manifest(&self, folder: &Path) -> Result<Manifest, ProjectError> {
        let text = read(&folder.join(GO_MOD))?.unwrap_or_default();
        Ok(Manifest { name: name_of(&text), ..Manifest::default() })
    }

    fn tools(&self) -> &'static [Tool] {
        &[GO]
    }

    fn compile(&self, job: &mut Job<'_>) -> Result<Compiled, BuildError> {
        job.step("compiling with go (a first time takes a minute, for Go's own library)");
        let module = job.work().join("module.wasm");
        let mut go = go(job);
        // Whatever says something of this machine is left out.
        go.args(["build", "-buildmode=c-shared", "-ldflags=-s -w -buildid="]);
        go.arg("-o").arg(&module).arg(package(job));
        job.run(go)?;
        job.read(&module).map(Compiled::Module)
    }

    fn sbom(&self, job: &mut Job<'_>) -> Result<Option<Sbom>, BuildError> {
        let mut list = go(job);
        list.args(["list", "-deps", "-json=Module"]).arg(package(job));
        let listed = job.output(list)?;
        let unreadable = |why| BuildError::Source(format!("`go list` cannot be read: {why}"));
        let modules = modules(&listed).map_err(unreadable)?;
        let mut version = go(job);
        version.args(["env", "GOVERSION"]);
        let version = job.output(version)?;
        let version = version.trim().trim_start_matches("go");
        Ok(Some(sbom(
            job.project.name(),
            job.project.metadata().version.as_deref(),
            modules,
            version,
        )))
    }

    fn template(&self) -> Option<Template> {
        Some(Template {
            parts: vec![
                Part::Folder("", &TEMPLATE),
                Part::Folder("third_party/understudy/understudy", &LIBRARY),
                Part::File("third_party/understudy/go.mod", include_str!("../../../go/go.mod")),
            ],
            replaced: &[("sdk/go => ../", "sdk/go => ./third_party/understudy")],
        })
    }
}

/// The compiler, as for every model. `GOFLAGS` is said so that what `go env -w` has kept does not get in.
fn go(job: &Job<'_>) -> Command {
    let mut go = job.command(GO.name);
    go.env("GOOS", "wasip1").env("GOARCH", "wasm");
    go.env("GOFLAGS", "-trimpath -buildvcs=false").env("GOWORK", "off").env("GOTOOLCHAIN", "local");
    go.env("GOCACHE", job.kept().join("cache"));
    go
}

/// The package to build: where the main source file is.
fn package(job: &Job<'_>) -> String {
    let folder = job.project.main().and_then(Path::parent);
    folder.map_or_else(|| ".".to_owned(), |folder| format!("./{}", folder.display()))
}

/// The name of a module: the last part of its path that is no version.
fn name_of(go_mod: &str) -> Option<String> {
    let path = go_mod.lines().find_map(|line| line.trim().strip_prefix("module "))?;
    let path = path.split("//").next()?.trim().trim_matches('"');
    let is_version =
        |part: &&str| part.strip_prefix('v').is_some_and(|it| it.parse::<u32>().is_ok());
    path.rsplit('/').find(|part| !is_version(part)).map(str::to_owned)
}

/// A package, as `go list` tells of it. Those of the standard library have no module.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Listed {
    module: Option<Module>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Module {
    path: String,
    version: String,
    main: bool,
    replace: Option<Box<Self>>,
}

/// The modules of the packages that `go list` has listed, one object behind the other.
fn modules(listed: &str) -> Result<BTreeSet<Module>, serde_json::Error> {
    let packages = serde_json::Deserializer::from_str(listed).into_iter::<Listed>();
    packages.filter_map(|package| package.map(|it| it.module).transpose()).collect()
}

fn sbom(name: &str, version: Option<&str>, modules: BTreeSet<Module>, go: &str) -> Sbom {
    let project = Package::new(name, version.unwrap_or("0.0.0"), "local");
    let others =
        modules.into_iter().filter(|module| !module.main).map(|module| match module.replace {
            // A folder has no version.
            Some(folder) if folder.version.is_empty() => {
                Package::new(module.path, module.version, "local")
            }
            Some(other) => Package::new(other.path, other.version, "go"),
            None => Package::new(module.path, module.version, "go"),
        });
    let library = Package::new("stdlib", go, "go");
    Sbom::flat(project, std::iter::once(library).chain(others).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_called_as_its_module() {
        assert_eq!(name_of("module my-model\n\ngo 1.24\n").as_deref(), Some("my-model"));
        let path = "// Deprecated\nmodule \"example.org/models/gbdt/v2\" // for flights\n";
        assert_eq!(name_of(path).as_deref(), Some("gbdt"));
        assert_eq!(name_of("go 1.24\n"), None);
    }

    #[test]
    fn every_module_is_in_the_bill_and_so_is_the_library_of_the_language() {
        let listed = r#"{}
            {"Module": {"Path": "my-model", "Main": true, "GoVersion": "1.24"}}
            {"Module": {"Path": "example.org/a", "Version": "v1.2.0"}}
            {"Module": {"Path": "example.org/a", "Version": "v1.2.0"}}
            {"Module": {"Path": "example.org/b", "Version": "v1.0.0", "Replace": {"Path": "../b"}}}
            {"Module": {"Path": "example.org/c", "Version": "v1.0.0", "Replace": {"Path": "example.org/d", "Version": "v3.0.0"}}}"#;
        let bill = sbom("my-model", Some("0.1.0"), modules(listed).unwrap(), "1.26.8");
        let packages =
            bill.packages.iter().map(|it| format!("{} {} {}", it.name, it.version, it.source));
        assert_eq!(
            packages.collect::<Vec<_>>(),
            [
                "example.org/a 1.2.0 go",
                "example.org/b 1.0.0 local",
                "example.org/d 3.0.0 go",
                "my-model 0.1.0 local",
                "stdlib 1.26.8 go",
            ]
        );
    }
}
