//! What the builder knows of each language: one file a language, all of one shape.

mod assemblyscript;
mod c;
mod cpp;
mod go;
mod javascript;
mod python;
mod rust;
mod typescript;
mod zig;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::build::Job;
use crate::language::words;
use crate::templates::Template;
use crate::toolchain::Tool;
use crate::{BuildError, Language, Package, ProjectError, Sbom};

/// A language, to the builder.
pub(crate) trait Support: Sync {
    /// The file that says that a folder is in this language, if there is one.
    fn sign(&self, folder: &Path) -> Option<Sign>;

    /// What the language's own files say of the model.
    fn manifest(&self, folder: &Path) -> Result<Manifest, ProjectError>;

    /// The tools that a build needs.
    fn tools(&self) -> &'static [Tool];

    /// Compiles a project.
    fn compile(&self, job: &mut Job<'_>) -> Result<Compiled, BuildError>;

    /// The packages that a project is built from, if its language locks them.
    fn sbom(&self, job: &mut Job<'_>) -> Result<Option<Sbom>, BuildError>;

    /// What `understudy new` writes.
    fn template(&self) -> Option<Template>;
}

/// What the library is called in a bill of materials where its language has no registry.
const LIBRARY_NAME: &str = "understudy";

/// The project, as it stands in a bill of materials.
fn of_project(job: &Job<'_>) -> Package {
    let version = job.project.metadata().version.as_deref();
    Package::new(job.project.name(), version.unwrap_or("0.0.0"), "local")
}

/// The library, which this builder brings along.
fn library() -> Package {
    Package::new(LIBRARY_NAME, env!("CARGO_PKG_VERSION"), "local")
}

/// Why a folder seems to be in a language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sign {
    /// A file by which the language's own tools know a project.
    Manifest(String),
    /// A source file, which counts only where there is no manifest of any language.
    Source(String),
}

/// What a compiler gave.
#[derive(Debug)]
pub(crate) enum Compiled {
    /// A core module; the world is written into it if it does not name one.
    Module(Vec<u8>),
    /// A component.
    Component(Vec<u8>),
}

/// What a language's own files say of the model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// Its name.
    pub(crate) name: Option<String>,
    /// Its version.
    pub(crate) version: Option<String>,
    /// The people who made it.
    pub(crate) authors: Option<String>,
    /// What it is, in a sentence.
    pub(crate) description: Option<String>,
    /// Its licences, as an SPDX expression.
    pub(crate) license: Option<String>,
    /// The URL of its source.
    pub(crate) source: Option<String>,
    /// The URL of its documentation.
    pub(crate) homepage: Option<String>,
    /// Its main source file, relative to the folder.
    pub(crate) main: Option<PathBuf>,
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Manifest(file) | Self::Source(file)) = self;
        f.write_str(file)
    }
}

/// What the builder knows of a language.
pub(crate) fn support(language: Language) -> &'static dyn Support {
    match language {
        Language::Rust => &rust::Rust,
        Language::C => &c::C,
        Language::Cpp => &cpp::Cpp,
        Language::Zig => &zig::Zig,
        Language::Go => &go::Go,
        Language::Python => &python::Python,
        Language::JavaScript => &javascript::JavaScript,
        Language::TypeScript => &typescript::TypeScript,
        Language::AssemblyScript => &assemblyscript::AssemblyScript,
    }
}

/// The files by which a project is known, for a sentence.
pub(crate) fn signs() -> &'static str {
    "Cargo.toml, go.mod, build.zig, asconfig.json, tsconfig.json, package.json, pyproject.toml, or a source file in C, \
     C++ or Python"
}

/// The languages that there is a template for, for a sentence.
pub(crate) fn templated() -> String {
    words(Language::ALL.into_iter().filter(|language| support(*language).template().is_some()))
}

/// The first of these files that a folder has, as the sign of a manifest.
pub(crate) fn manifest_sign(folder: &Path, names: &[&str]) -> Option<Sign> {
    let found = names.iter().find(|name| folder.join(name).is_file())?;
    Some(Sign::Manifest((*found).to_owned()))
}

/// The first file in a folder, or in its `src`, whose name ends so.
pub(crate) fn source_sign(folder: &Path, endings: &[&str]) -> Option<Sign> {
    let is_source = |name: &String| endings.iter().any(|ending| name.ends_with(ending));
    let names_in = |inner: &str| {
        let entries = std::fs::read_dir(folder.join(inner)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        names.into_iter().find(is_source).map(|name| format!("{inner}{name}"))
    };
    ["", "src/"].into_iter().find_map(names_in).map(Sign::Source)
}
