//! Models in Rust: a crate of type `cdylib`, compiled by cargo for wasm32-unknown-unknown.

mod metadata;

use std::fs::File;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use serde_json::Value;

use super::{Compiled, Manifest, Sign, Support, manifest_sign};
use crate::build::{Job, file};
use crate::component::CONTRACT;
use crate::project::{malformed, read};
use crate::templates::{Part, Template};
use crate::toolchain::Tool;
use crate::toolchain::pins::RUST;
use crate::{BuildError, ProjectError, Sbom};

static TEMPLATE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../rust/template");
static LIBRARY: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../rust/src");

const CARGO_TOML: &str = "Cargo.toml";
const TARGET_DIR: &str = "CARGO_TARGET_DIR";

/// What the builder knows of Rust.
pub(super) struct Rust;

impl Support for Rust {
    fn sign(&self, folder: &Path) -> Option<Sign> {
        manifest_sign(folder, &[CARGO_TOML])
    }

    fn manifest(&self, folder: &Path) -> Result<Manifest, ProjectError> {
        let path = folder.join(CARGO_TOML);
        let Some(own) = table(&path)? else { return Ok(Manifest::default()) };
        let inherited = || {
            folder.ancestors().skip(1).find_map(|above| {
                let above = table(&above.join(CARGO_TOML)).ok()??;
                Some(above.get("workspace")?.get("package")?.clone())
            })
        };
        let own = own.get("package").cloned().unwrap_or(toml::Value::Boolean(false));
        let value = |key: &str| match own.get(key)? {
            toml::Value::Table(elsewhere) if elsewhere.contains_key("workspace") => {
                inherited()?.get(key).cloned()
            }
            value => Some(value.clone()),
        };
        let text = |key| value(key).and_then(|value| value.as_str().map(str::to_owned));
        let authors = value("authors").and_then(|authors| {
            let authors: Vec<_> =
                authors.as_array()?.iter().filter_map(toml::Value::as_str).collect();
            (!authors.is_empty()).then(|| authors.join(", "))
        });
        Ok(Manifest {
            name: text("name"),
            version: text("version"),
            authors,
            description: text("description"),
            license: text("license"),
            source: text("repository"),
            homepage: text("homepage").or_else(|| text("documentation")),
            main: None,
        })
    }

    fn tools(&self) -> &'static [Tool] {
        &[RUST]
    }

    fn compile(&self, job: &mut Job<'_>) -> Result<Compiled, BuildError> {
        // Projects share what they compile of the same crates. Cargo would let nobody in beside it anyway.
        let lock = job.kept().join("lock");
        let _lock = File::create(&lock).and_then(|file| file.lock().map(|()| file));
        let _lock = _lock.map_err(|why| file(&lock, why))?;
        job.step("compiling with cargo");
        let mut cargo = job.command(RUST.name);
        set_up(&mut cargo, job);
        cargo.args(["build", "--release", "--message-format", "json-render-diagnostics"]);
        let messages = job.output(cargo)?;
        let manifest = job.project.folder().join(CARGO_TOML);
        let module = module_of(&messages, &manifest).ok_or_else(|| {
            file(&manifest, "found no library of the type that becomes a component, expected `crate-type = [\"cdylib\"]` under `[lib]`")
        })?;
        job.read(&module).map(Compiled::Module)
    }

    fn sbom(&self, job: &mut Job<'_>) -> Result<Option<Sbom>, BuildError> {
        let mut cargo = job.command(RUST.name);
        set_up(&mut cargo, job);
        cargo.args(["metadata", "--format-version", "1"]);
        let said = job.output(cargo)?;
        let sbom = metadata::sbom(&said)
            .map_err(|why| BuildError::Source(format!("`cargo metadata` cannot be read: {why}")))?;
        Ok(Some(sbom))
    }

    fn template(&self) -> Option<Template> {
        Some(Template {
            parts: vec![
                Part::Folder("", &TEMPLATE),
                Part::Folder("vendor/understudy/src", &LIBRARY),
                Part::File("vendor/understudy/Cargo.toml", include_str!("rust/vendored.toml")),
                Part::File("vendor/understudy/README.md", include_str!("../../../rust/README.md")),
                Part::File("vendor/understudy/wit/model.wit", CONTRACT),
            ],
            replaced: &[
                (
                    "understudy-model = { path = \"..\" }",
                    "understudy-model = { path = \"vendor/understudy\" }",
                ),
                ("../../wit/understudy-model-0.1.0", "wit"),
            ],
        })
    }
}

/// Tells the scripts where the project is, and cargo where to keep what it compiles.
fn set_up(cargo: &mut std::process::Command, job: &Job<'_>) {
    cargo.env("UNDERSTUDY_PROJECT", job.project.folder());
    if std::env::var_os(TARGET_DIR).is_none() {
        cargo.env(TARGET_DIR, job.kept().join("target"));
    }
}

/// The module among cargo's messages that was made of the package with this manifest.
fn module_of(messages: &str, manifest: &Path) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut modules = messages.filter_map(|message| {
        let is_ours = message["reason"] == "compiler-artifact"
            && message["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest);
        let files = message["filenames"].as_array().filter(|_| is_ours)?;
        let modules = files.iter().filter_map(Value::as_str).find(|file| file.ends_with(".wasm"));
        modules.map(PathBuf::from)
    });
    modules.next()
}

fn table(path: &Path) -> Result<Option<toml::Table>, ProjectError> {
    let Some(text) = read(path)? else { return Ok(None) };
    text.parse().map(Some).map_err(|error| malformed(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(text: &str) -> Manifest {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("models/late");
        std::fs::create_dir_all(&inner).unwrap();
        let above = "[workspace.package]\nversion = \"2.0.0\"\n";
        std::fs::write(folder.path().join(CARGO_TOML), above).unwrap();
        std::fs::write(inner.join(CARGO_TOML), text).unwrap();
        Rust.manifest(&inner).unwrap()
    }

    #[test]
    fn cargo_toml_says_who_made_what() {
        let said = manifest(
            "[package]\nname = \"late\"\nversion = \"1.0.0\"\nauthors = [\"Ada\", \"Bob\"]\n\
             description = \"Delays\"\nlicense = \"MIT\"\nrepository = \"https://example.org\"\n",
        );
        assert_eq!(said.name.as_deref(), Some("late"));
        assert_eq!(said.version.as_deref(), Some("1.0.0"));
        assert_eq!(said.authors.as_deref(), Some("Ada, Bob"));
        assert_eq!(said.source.as_deref(), Some("https://example.org"));
    }

    #[test]
    fn what_a_workspace_says_is_inherited() {
        let said = manifest("[package]\nname = \"late\"\nversion.workspace = true\n");
        assert_eq!(said.version.as_deref(), Some("2.0.0"));
    }

    #[test]
    fn the_library_in_a_project_needs_what_the_library_needs() {
        let needs = |text: &str, key: &[&str]| {
            let table: toml::Table = text.parse().unwrap();
            let mut value = &toml::Value::Table(table);
            for key in key {
                value = &value[*key];
            }
            value.clone()
        };
        let vendored = include_str!("rust/vendored.toml");
        let library = include_str!("../../../rust/Cargo.toml");
        let workspace = include_str!("../../../../Cargo.toml");
        let own = needs(library, &["dependencies"]);
        let there = needs(vendored, &["dependencies"]);
        assert_eq!(own.as_table().unwrap().len(), there.as_table().unwrap().len());
        for name in own.as_table().unwrap().keys() {
            assert_eq!(
                there[name.as_str()],
                needs(workspace, &["workspace", "dependencies", name])
            );
        }
        let version = needs(workspace, &["workspace", "package", "version"]);
        assert_eq!(needs(vendored, &["package", "version"]), version);
    }

    #[test]
    fn the_module_is_that_of_the_project_and_not_of_a_dependency() {
        let messages = "{\"reason\":\"compiler-artifact\",\"manifest_path\":\"/else/Cargo.toml\",\"filenames\":[\"/t/else.wasm\"]}\n\
             {\"reason\":\"compiler-artifact\",\"manifest_path\":\"/late/Cargo.toml\",\"filenames\":[\"/t/late.wasm\"]}\n\
             {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(module_of(messages, Path::new("/late/Cargo.toml")), Some("/t/late.wasm".into()));
        assert_eq!(module_of(messages, Path::new("/other/Cargo.toml")), None);
    }
}
