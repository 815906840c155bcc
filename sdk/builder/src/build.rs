//! Builds: from a project and its tools to a component that the host takes.

mod finish;
mod revision;

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::command::{self, CommandError, Output};
use crate::component::CONTRACT;
use crate::languages::support;
use crate::{
    ComponentizeError, MetadataError, Missing, Progress, Project, ProjectError, Sbom, Toolchain,
    Tools,
};

/// A component, and what it was built from.
#[derive(Debug)]
pub struct Built {
    /// The component.
    pub component: Vec<u8>,
    /// What it was built from, where the language locks its packages.
    pub sbom: Option<Sbom>,
    /// The commit that it was built from, where the folder is under git.
    pub revision: Option<String>,
    /// The tools that built it, with their versions.
    pub tools: Vec<String>,
}

/// Why a project was not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Because the folder is no project, or a file of it is malformed.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// Because a tool is not there.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// Because a tool failed; what it wrote is in it.
    #[error(transparent)]
    Tool(#[from] CommandError),
    /// Because a file that a build needs or leaves is not there.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what was expected.
        why: String,
    },
    /// Because the language's own rules are not kept.
    #[error("{0}")]
    Source(String),
    /// Because the module does not become a component.
    #[error(transparent)]
    Component(#[from] ComponentizeError),
    /// Because it asks the host for something, and a model is given nothing.
    #[error("the model asks its host for {}, expected no import: {hint}", .imports.join(", "))]
    Imports {
        /// What it asks for, by name.
        imports: Vec<String>,
        /// Where that usually comes from.
        hint: &'static str,
    },
    /// Because it does not do what a model does.
    #[error("the component does not export `{expected}`, found: {}", .found.join(", "))]
    Exports {
        /// The interface of a model.
        expected: &'static str,
        /// What it exports.
        found: Vec<String>,
    },
    /// Because what came out is no valid component.
    #[error("the component is not valid: {0}")]
    Invalid(String),
    /// Because the metadata is not well-formed.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

/// One build of one project, as its language sees it.
pub(crate) struct Job<'a> {
    pub(crate) project: &'a Project,
    pub(crate) tools: Tools,
    progress: &'a mut dyn Progress,
    work: TempDir,
    kept: PathBuf,
}

/// Builds the component of a project.
///
/// # Errors
///
/// Where a tool is missing or fails, or what comes out is no model.
pub fn build(
    project: &Project,
    toolchain: &Toolchain,
    progress: &mut dyn Progress,
) -> Result<Built, BuildError> {
    let language = project.language();
    let tools = toolchain.locate(language)?;
    let kept = toolchain.kept(language);
    std::fs::create_dir_all(&kept).map_err(|why| file(&kept, why))?;
    let work = tempfile::Builder::new().prefix("understudy-build-").tempdir();
    let work = work.map_err(|why| file(&std::env::temp_dir(), why))?;
    let mut job = Job { project, tools, progress, work, kept };
    let compiled = support(language).compile(&mut job)?;
    let sbom = support(language).sbom(&mut job)?;
    job.progress.step("making the component");
    let revision = revision::of(project.folder());
    let component = finish::component(compiled, project, sbom.as_ref(), revision.as_deref())?;
    Ok(Built { component, sbom, revision, tools: job.tools.versions() })
}

impl Job<'_> {
    /// A folder of this build alone, which is gone after it.
    pub(crate) fn work(&self) -> &Path {
        self.work.path()
    }

    /// A folder of this language in the user's cache, for what a compiler likes to find again.
    pub(crate) fn kept(&self) -> &Path {
        &self.kept
    }

    /// Tells that a step begins.
    pub(crate) fn step(&mut self, what: &str) {
        self.progress.step(what);
    }

    /// One of the tools of the language, to run in the folder of the project, without the caller's settings.
    pub(crate) fn command(&self, tool: &str) -> Command {
        let mut command = self.tools.command(tool);
        command.current_dir(self.project.folder());
        command
    }

    /// Runs a command to its end, and shows what it writes.
    ///
    /// # Errors
    ///
    /// Where it fails, with everything that it wrote.
    pub(crate) fn run(&mut self, command: Command) -> Result<(), BuildError> {
        command::run(command, Output::Shown, self.progress)?;
        Ok(())
    }

    /// Runs a command to its end and gives its standard output, which is for us and is not shown.
    ///
    /// # Errors
    ///
    /// Where it fails, with everything else that it wrote.
    pub(crate) fn output(&mut self, command: Command) -> Result<String, BuildError> {
        Ok(command::run(command, Output::Kept, self.progress)?)
    }

    /// A folder with the contract as a WIT package, for tools that want one.
    pub(crate) fn contract(&self) -> Result<PathBuf, BuildError> {
        let folder = self.work().join("wit");
        let path = folder.join("model.wit");
        std::fs::create_dir_all(&folder).map_err(|why| file(&folder, why))?;
        std::fs::write(&path, CONTRACT).map_err(|why| file(&path, why))?;
        Ok(folder)
    }

    /// The bytes of a file that a tool has left.
    pub(crate) fn read(&self, path: &Path) -> Result<Vec<u8>, BuildError> {
        std::fs::read(path).map_err(|why| file(path, why))
    }

    /// The text of a file of the project, or nothing where there is none.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, BuildError> {
        Ok(crate::project::read(&self.project.folder().join(name))?)
    }
}

/// Says what is wrong with a file.
pub(crate) fn file(path: &Path, why: impl std::fmt::Display) -> BuildError {
    BuildError::File { path: path.to_owned(), why: why.to_string() }
}
