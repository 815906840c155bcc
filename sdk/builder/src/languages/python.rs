//! Models in Python: a snapshot of CPython, taken when the model and its packages are imported.
//!
//! No file is there when the model is called. So what its functions import is imported before the snapshot, and a package
//! with native code is refused when it is installed: there is none for WebAssembly.

mod requirements;

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::{Compiled, Manifest, Sign, Support, manifest_sign, source_sign};
use crate::build::{Job, file};
use crate::command::CommandError;
use crate::project::{malformed, read};
use crate::templates::{Part, Template};
use crate::toolchain::Tool;
use crate::toolchain::pins::COMPONENTIZE_PY;
use crate::{BuildError, ProjectError, Sbom};

static TEMPLATE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../python/template");
static LIBRARY: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../python/understudy_model");

const PYPROJECT: &str = "pyproject.toml";
const LIBRARY_NAME: &str = "understudy_model";
/// The module that the component is made of. The world has another name, as it must.
const APP: &str = "understudy_app";
const LATE_IMPORTS: &str = include_str!("python/late_imports.py");
const MAINS: [&str; 4] = ["model.py", "src/model.py", "main.py", "src/main.py"];

/// What the builder knows of Python.
pub(super) struct Python;

impl Support for Python {
    fn sign(&self, folder: &Path) -> Option<Sign> {
        manifest_sign(folder, &[PYPROJECT]).or_else(|| source_sign(folder, &[".py"]))
    }

    fn manifest(&self, folder: &Path) -> Result<Manifest, ProjectError> {
        let path = folder.join(PYPROJECT);
        let Some(text) = read(&path)? else { return Ok(Manifest::default()) };
        let table: toml::Table = text.parse().map_err(|error| malformed(&path, error))?;
        Ok(manifest(table.get("project").unwrap_or(&toml::Value::Boolean(false))))
    }

    fn tools(&self) -> &'static [Tool] {
        &[COMPONENTIZE_PY]
    }

    fn compile(&self, job: &mut Job<'_>) -> Result<Compiled, BuildError> {
        let (root, module) = main(job)?;
        let packages = requirements::installed(job)?;
        let library = library(job)?;
        let app = job.work().join("app");
        let late = late_imports(job, &root, packages.as_deref())?;
        let text = format!(
            "import understudy_model.component as component\nimport {module}\n\
             Predictor = component.predictor({})\n",
            late.trim()
        );
        write(&app.join(format!("{APP}.py")), text.as_bytes())?;
        let out = job.work().join("model.wasm");
        job.step("making the component with componentize-py");
        let mut componentize = job.command(COMPONENTIZE_PY.name);
        componentize.current_dir(job.work()).env("RUST_BACKTRACE", "0");
        componentize.arg("-q").arg("-d").arg(job.contract()?).args(["-w", "model", "componentize"]);
        for folder in [&app, &root].into_iter().chain(&packages).chain([&library]) {
            componentize.arg("-p").arg(folder);
        }
        componentize.args(["--stub-wasi", APP, "-o"]).arg(&out);
        job.run(componentize).map_err(|error| explained(error, &module))?;
        job.read(&out).map(Compiled::Component)
    }

    fn sbom(&self, job: &mut Job<'_>) -> Result<Option<Sbom>, BuildError> {
        requirements::sbom(job)
    }

    fn template(&self) -> Option<Template> {
        Some(Template {
            parts: vec![Part::Folder("", &TEMPLATE), Part::Folder(LIBRARY_NAME, &LIBRARY)],
            replaced: &[],
        })
    }
}

fn manifest(project: &toml::Value) -> Manifest {
    let text = |key: &str| project.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    let url = |names: &[&str]| {
        let urls = project.get("urls")?.as_table()?;
        let found = urls.iter().find(|(name, _)| names.contains(&name.to_lowercase().as_str()));
        found.and_then(|(_, url)| url.as_str()).map(str::to_owned)
    };
    let authors = project.get("authors").and_then(toml::Value::as_array).map(|authors| {
        let names = authors
            .iter()
            .filter_map(|author| author.get("name").or(author.get("email"))?.as_str());
        names.collect::<Vec<_>>().join(", ")
    });
    let license = project
        .get("license")
        .and_then(|license| license.get("text"))
        .and_then(toml::Value::as_str);
    Manifest {
        name: text("name"),
        version: text("version"),
        authors: authors.filter(|authors| !authors.is_empty()),
        description: text("description"),
        license: text("license").or_else(|| license.map(str::to_owned)),
        source: url(&["source", "repository", "source code"]),
        homepage: url(&["homepage", "documentation"]),
        main: None,
    }
}

/// The folder that the main module is imported from, and its name there.
fn main(job: &Job<'_>) -> Result<(PathBuf, String), BuildError> {
    let folder = job.project.folder();
    let path = match job.project.main() {
        Some(named) => Some(folder.join(named)),
        None => MAINS.iter().map(|name| folder.join(name)).find(|path| path.is_file()),
    };
    let Some(path) = path else {
        let expected = MAINS.join(", ");
        return Err(file(
            folder,
            format!(
                "found no main module, expected one of {expected}, or its name as `main` in model.toml"
            ),
        ));
    };
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_module = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    if !path.is_file() || !is_module {
        return Err(file(
            &path,
            "expected a module of Python: a file that is there, with a name of letters, digits and `_`",
        ));
    }
    let mut root = path.parent().unwrap_or(folder).to_owned();
    let mut module = name;
    while root != folder && root.join("__init__.py").is_file() {
        let package =
            root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        module = format!("{package}.{module}");
        root.pop();
    }
    Ok((root, module))
}

/// A folder with the library, for a project that does not have it.
fn library(job: &Job<'_>) -> Result<PathBuf, BuildError> {
    let folder = job.work().join("library");
    for entry in LIBRARY.files() {
        write(&folder.join(LIBRARY_NAME).join(entry.path()), entry.contents())?;
    }
    Ok(folder)
}

/// The imports in functions of the model and its packages, as a literal of Python.
fn late_imports(
    job: &mut Job<'_>,
    root: &Path,
    packages: Option<&Path>,
) -> Result<String, BuildError> {
    let script = job.work().join("late_imports.py");
    write(&script, LATE_IMPORTS.as_bytes())?;
    let mut python = requirements::python(job);
    python.arg("-I").arg(script).arg(root).arg("--").args(packages);
    job.output(python)
}

/// Says what to do where a module is not there that has native code.
fn explained(error: BuildError, module: &str) -> BuildError {
    let BuildError::Tool(CommandError::Failed { output, .. }) = &error else { return error };
    // What Python says comes twice, and the tool's own words around it say nothing of the model.
    let told = output
        .split("\nCaused by:")
        .next()
        .unwrap_or(output)
        .trim_start_matches("AssertionError: ")
        .trim();
    let missing =
        told.rsplit_once("No module named '").and_then(|(_, rest)| rest.split('\'').next());
    let hint = missing.map(|name| {
        let name = name.split('.').next().unwrap_or(name);
        match requirements::is_native(name) {
            true => format!("\n`{name}` has native code, which there is none of for WebAssembly; `understudy pack` takes many trained models instead"),
            false => format!("\n`{name}` is no module of the project, expected it there, or its package in requirements.txt"),
        }
    });
    BuildError::Source(format!(
        "the module `{module}` was not imported:\n{told}{}",
        hint.unwrap_or_default()
    ))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    let above = path.parent().unwrap_or(path);
    std::fs::create_dir_all(above).map_err(|why| file(above, why))?;
    std::fs::write(path, bytes).map_err(|why| file(path, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pyproject_says_who_made_what() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[project]\nname = \"late\"\nversion = \"1.0.0\"\nauthors = [{name = \"Ada\"}, {email = \"b@example.org\"}]\n\
             license = {text = \"MIT\"}\n[project.urls]\nRepository = \"https://example.org\"\n";
        std::fs::write(folder.path().join(PYPROJECT), text).unwrap();
        let said = Python.manifest(folder.path()).unwrap();
        assert_eq!(said.name.as_deref(), Some("late"));
        assert_eq!(said.authors.as_deref(), Some("Ada, b@example.org"));
        assert_eq!(said.license.as_deref(), Some("MIT"));
        assert_eq!(said.source.as_deref(), Some("https://example.org"));
    }

    #[test]
    fn a_module_with_native_code_is_named_with_what_to_do_instead() {
        let failed = |name: &str| {
            let output = format!(
                "AssertionError: \nTraceback\nModuleNotFoundError: No module named '{name}'\n\nCaused by:\n  x"
            );
            BuildError::Tool(CommandError::Failed {
                command: "c".into(),
                status: "1".into(),
                output,
            })
        };
        let why = explained(failed("numpy.linalg"), "model").to_string();
        assert!(why.contains("`numpy` has native code") && !why.contains("Caused by"), "{why}");
        let why = explained(failed("weights"), "model").to_string();
        assert!(why.ends_with("or its package in requirements.txt"), "{why}");
    }
}
