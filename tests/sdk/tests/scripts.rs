//! Do the libraries of the script languages pass their own tests, and can models in these use packages?

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use builder::{BuildError, Language, Project, read_sbom};
use message::{Contents, Request};
use sandbox::{ModelLimits, Runtime, RuntimeConfig};
use sdk_tests::{Loud, proof, repository, rows, toolchain};

/// A test runner of a language, in a folder of this repository or a project.
fn check(program: &Path, arguments: &[&str], folder: &Path) {
    let out = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let said = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{}:\n{said}", folder.display());
}

fn node() -> PathBuf {
    let tools = toolchain().install(Language::JavaScript, &mut Loud(Language::JavaScript));
    let tools = tools.unwrap_or_else(|error| panic!("{error}"));
    tools.iter().find(|tool| tool.name == "node").expect("node").path.clone()
}

fn new_project(parent: &Path, language: Language) -> PathBuf {
    builder::write_project(parent, language, "late-flights").expect("a new project").folder
}

#[test]
fn the_library_for_python_and_a_new_project_pass_their_tests() {
    let python = ["-m", "unittest"];
    check("python3".as_ref(), &python, &repository().join("sdk/python"));
    let parent = tempfile::tempdir().unwrap();
    check("python3".as_ref(), &python, &new_project(parent.path(), Language::Python));
}

#[test]
fn the_library_for_javascript_and_a_new_project_pass_their_tests() {
    // A folder means one thing to node 20 and another to node 22.
    let tests = ["--test", "half.test.js", "model.test.js", "tensor.test.js"];
    check(&node(), &tests, &repository().join("sdk/javascript/test"));
    let parent = tempfile::tempdir().unwrap();
    check(&node(), &["--test"], &new_project(parent.path(), Language::JavaScript));
}

#[test]
fn a_model_in_python_can_use_a_package_that_is_plain_python() {
    let model = r#"
from understudy_model import FP64, TEXT, Prediction, model

@model(inputs={"x": FP64[1]}, outputs={"y": TEXT[1]})
def predict(request):
    # Imported when it is built, since there is no file when it is called.
    from humanize import intcomma

    return Prediction().text("y", intcomma(int(request.input("x").scalar())))
"#;
    let files = [("model.py", model), ("requirements.txt", "humanize==4.17.0\n")];
    check_package(Language::Python, &files, "90,000", ("humanize", "4.17.0"));
}

#[test]
fn a_package_with_native_code_is_refused_by_name_before_a_component_is_made() {
    let parent = tempfile::tempdir().unwrap();
    let files = [("requirements.txt", "numpy==2.5.2\n")];
    let why = build(parent.path(), &files, Language::Python).unwrap_err().to_string();
    assert!(why.contains("`numpy==2.5.2` has no wheel of plain Python"), "{why}");
}

#[test]
fn a_model_in_javascript_can_use_a_package_that_is_plain_javascript() {
    let model = r#"
import ms from "ms";
import { defineModel, tensor } from "./vendor/understudy/src/index.js";

export default defineModel({
  inputs: { x: tensor("fp64", [1]) },
  outputs: { y: tensor("text", [1]) },
  predict: (request) => ({ y: ms(request.input("x").scalar()) }),
});
"#;
    let manifest = r#"{"name": "late", "version": "0.1.0", "main": "model.js", "dependencies": {"ms": "2.1.3"}}"#;
    let lock = r#"{"name": "late", "version": "0.1.0", "lockfileVersion": 3, "requires": true, "packages": {
        "": {"name": "late", "version": "0.1.0", "dependencies": {"ms": "2.1.3"}},
        "node_modules/ms": {"version": "2.1.3", "license": "MIT", "integrity":
            "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA=="}}}"#;
    let files = [("model.js", model), ("package.json", manifest), ("package-lock.json", lock)];
    check_package(Language::JavaScript, &files, "2m", ("ms", "2.1.3"));
}

/// Builds a project whose model answers with what a package makes of 90,000, and asks it.
fn check_package(
    language: Language,
    files: &[(&str, &str)],
    expected: &str,
    package: (&str, &str),
) {
    let proof = proof("packages", language);
    if proof.exists() {
        return;
    }
    let parent = tempfile::tempdir().expect("a temporary folder");
    let component = build(parent.path(), files, language).unwrap_or_else(|error| panic!("{error}"));
    let packages =
        read_sbom(&component).expect("a component").expect("a bill of materials").packages;
    let is_listed = packages.iter().any(|it| (it.name.as_str(), it.version.as_str()) == package);
    assert!(is_listed, "{packages:?}");
    let limits = ModelLimits { start_budget: Duration::from_secs(20), ..ModelLimits::default() };
    let runtime = Runtime::new(RuntimeConfig::default()).expect("a sandbox");
    let model = runtime.load(&component, &limits).expect("a model");
    let mut session = model.session().expect("an instance");
    let results = session.predict(&[&request()]).results.expect("no fault");
    let prediction = results[0].as_ref().expect("no refusal");
    assert_eq!(prediction.outputs[0].contents, Contents::Texts(vec![expected.to_owned()]));
    fs::write(proof, "").expect("a file in the cache");
}

fn request() -> Request {
    let mut input = rows().remove(0).request.inputs.remove(0);
    input.name = "x".into();
    input.shape = vec![1];
    input.contents = Contents::F64s(vec![90_000.0]);
    Request { inputs: vec![input], ..rows().remove(0).request }
}

/// Builds a new project with these files in it.
fn build(parent: &Path, files: &[(&str, &str)], language: Language) -> Result<Vec<u8>, BuildError> {
    let folder = new_project(parent, language);
    for (name, text) in files {
        fs::write(folder.join(name), text).expect("a file of the project");
    }
    let tools = toolchain();
    tools.install(language, &mut Loud(language)).unwrap_or_else(|error| panic!("{error}"));
    builder::build(&Project::find(&folder)?, &tools, &mut Loud(language))
        .map(|built| built.component)
}
