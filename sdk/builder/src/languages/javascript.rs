//! Models in JavaScript, and how those in TypeScript become one: bundled by esbuild, run by QuickJS.
//!
//! A guest of QuickJS takes elements as bytes, see [`bytes`]; the library of the language makes typed arrays of them.

mod packages;

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::{Compiled, Manifest, Sign, Support, manifest_sign};
use crate::build::{Job, file};
use crate::command::CommandError;
use crate::templates::{Part, Template};
use crate::toolchain::Tool;
use crate::toolchain::pins::{COMPONENTIZE_QJS, ESBUILD, NODE};
use crate::{BuildError, ProjectError, Sbom, bytes};

pub(super) use packages::{PACKAGE_JSON, install};

static TEMPLATE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../javascript/template");
static LIBRARY: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../javascript/src");

const ENVIRONMENT: &str = include_str!("javascript/environment.js");
const MAINS: [&str; 4] = ["model.js", "src/model.js", "index.js", "src/index.js"];

/// What the builder knows of JavaScript.
pub(super) struct JavaScript;

impl Support for JavaScript {
    fn sign(&self, folder: &Path) -> Option<Sign> {
        let other = manifest_sign(folder, &["asconfig.json", "tsconfig.json"]);
        if other.is_some() { None } else { manifest_sign(folder, &[PACKAGE_JSON]) }
    }

    fn manifest(&self, folder: &Path) -> Result<Manifest, ProjectError> {
        packages::manifest(folder)
    }

    fn tools(&self) -> &'static [Tool] {
        &[NODE, ESBUILD, COMPONENTIZE_QJS]
    }

    fn compile(&self, job: &mut Job<'_>) -> Result<Compiled, BuildError> {
        let main = main(job, &MAINS)?;
        install(job)?;
        component(job, &main)
    }

    fn sbom(&self, job: &mut Job<'_>) -> Result<Option<Sbom>, BuildError> {
        packages::sbom(job)
    }

    fn template(&self) -> Option<Template> {
        let mut parts = library();
        parts.push(Part::Folder("", &TEMPLATE));
        Some(Template {
            parts,
            replaced: &[("../src/index.js", "./vendor/understudy/src/index.js")],
        })
    }
}

/// The library, as it lies in a project.
pub(super) fn library() -> Vec<Part> {
    vec![
        Part::Folder("vendor/understudy/src", &LIBRARY),
        Part::File(
            "vendor/understudy/package.json",
            include_str!("../../../javascript/package.json"),
        ),
        Part::File("vendor/understudy/README.md", include_str!("../../../javascript/README.md")),
    ]
}

/// The main module of a project: the one that is named, or the first of the usual ones.
pub(super) fn main(job: &Job<'_>, usual: &[&str]) -> Result<PathBuf, BuildError> {
    let folder = job.project.folder();
    if let Some(named) = job.project.main() {
        let path = folder.join(named);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(file(&path, "there is no such file, expected the main module of the model"))
        };
    }
    let found = usual.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| {
        let expected = usual.join(", ");
        file(folder, format!("found no main module, expected one of {expected}, or its name as `main` in {PACKAGE_JSON} or model.toml"))
    })
}

/// Makes the component of a main module.
pub(super) fn component(job: &mut Job<'_>, main: &Path) -> Result<Compiled, BuildError> {
    let bundle = bundle(job, main)?;
    let wit = write(job, "contract.wit", bytes::WIT)?;
    let guest = job.work().join("guest.wasm");
    job.step("making the component with componentize-qjs");
    let mut componentize = script(job, COMPONENTIZE_QJS.name);
    componentize.current_dir(job.work()).arg("--wit").arg(wit).arg("--js").arg(bundle);
    componentize.args(["-n", bytes::WORLD, "--stub-wasi", "--sync", "-o"]).arg(&guest);
    job.run(componentize)?;
    let component = bytes::with_shim(&job.read(&guest)?);
    component.map(Compiled::Component).map_err(|why| BuildError::Invalid(why.to_string()))
}

/// Puts the modules of the model, its packages, and what stands around them into one.
fn bundle(job: &mut Job<'_>, main: &Path) -> Result<PathBuf, BuildError> {
    write(job, "environment.js", ENVIRONMENT)?;
    let quoted = serde_json::Value::from(main.to_string_lossy()).to_string();
    let name = main.strip_prefix(job.project.folder()).unwrap_or(main).display();
    let refusal = serde_json::Value::from(format!(
        "{name} has no model as its default export, expected `export default defineModel({{…}})`"
    ));
    let entry = format!(
        "import \"./environment.js\";\nimport * as main from {quoted};\nconst model = main.default;\n\
         if (typeof model?.predictor?.predict !== \"function\") throw new TypeError({refusal});\n\
         export const predictor = model.predictor;\n"
    );
    let entry = write(job, "entry.js", &entry)?;
    let bundle = job.work().join("bundle.js");
    job.step("bundling with esbuild");
    let mut esbuild = script(job, ESBUILD.name);
    esbuild.arg(entry).arg(format!("--outfile={}", bundle.display()));
    esbuild.args([
        "--bundle",
        "--format=esm",
        "--platform=neutral",
        "--target=es2023",
        "--charset=utf8",
    ]);
    esbuild.args(["--main-fields=module,main", "--conditions=module", "--loader:.txt=text"]);
    esbuild.args(["--define:process.env.NODE_ENV=\"production\"", "--define:global=globalThis"]);
    esbuild.args(["--log-level=warning", "--color=false"]);
    job.run(esbuild).map_err(explained)?;
    Ok(bundle)
}

/// Says what a model lacks, where a package wants it: the tool's own advice is for programs of node.
fn explained(mut error: BuildError) -> BuildError {
    let BuildError::Tool(CommandError::Failed { output, .. }) = &mut error else { return error };
    // Behind it stands where in itself the script that runs the tool was then.
    if let Some(end) = output.find("\nnode:child_process") {
        output.truncate(output[..end].trim_end().len());
    }
    if !output.contains("built into node") && !output.contains(".node\" files") {
        return error;
    }
    BuildError::Source(format!(
        "a module wants what only node has, and a model has no files, no network and no native code; expected plain \
         JavaScript:\n{output}"
    ))
}

/// A tool that is a script for node.
pub(super) fn script(job: &Job<'_>, tool: &str) -> std::process::Command {
    let mut node = job.command(NODE.name);
    node.arg(job.tools.path(tool)).env("RUST_BACKTRACE", "0");
    node
}

fn write(job: &Job<'_>, name: &str, text: &str) -> Result<PathBuf, BuildError> {
    let path = job.work().join(name);
    std::fs::write(&path, text).map_err(|why| file(&path, why))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_of_node_is_refused_with_what_a_model_lacks() {
        let failed = |output: &str| {
            BuildError::Tool(CommandError::Failed {
                command: "esbuild".into(),
                status: "exit status: 1".into(),
                output: output.into(),
            })
        };
        let fs = "Could not resolve \"fs\"\n  The package \"fs\" wasn't found on the file system but is built into node.";
        assert!(explained(failed(fs)).to_string().starts_with("a module wants what only node has"));
        let script = "Could not resolve \"./weights.js\"\n\nnode:child_process:930\n    throw err;";
        let other = explained(failed(script)).to_string();
        assert!(other.starts_with("`esbuild` failed"), "{other}");
        assert!(other.ends_with("./weights.js\""), "{other}");
    }
}
