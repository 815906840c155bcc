//! What a model depends on: `requirements.txt`, installed by pip, and only what is plain Python.

use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

use crate::build::{Job, file};
use crate::command::{self, CommandError};
use crate::toolchain::pins::COMPONENTIZE_PY;
use crate::{BuildError, Package, Sbom};

const REQUIREMENTS: &str = "requirements.txt";
/// The Python in the component, whose wheels pip is to take.
const PYTHON: &str = "3.14";
/// Popular packages with native code, for a hint that comes before pip is asked.
const NATIVE: [&str; 12] = [
    "catboost",
    "lightgbm",
    "numpy",
    "onnxruntime",
    "pandas",
    "polars",
    "pyarrow",
    "scipy",
    "sklearn",
    "tensorflow",
    "torch",
    "xgboost",
];

/// Whether a module is known to have native code.
pub(super) fn is_native(module: &str) -> bool {
    NATIVE.contains(&module)
}

/// The interpreter that came with the tool, which has pip.
pub(super) fn python(job: &Job<'_>) -> Command {
    command::clean(job.tools.path(COMPONENTIZE_PY.name).with_file_name("python"))
}

/// The folder with the packages that the model depends on, if it does on any. Equal requirements are installed once.
pub(super) fn installed(job: &mut Job<'_>) -> Result<Option<PathBuf>, BuildError> {
    let Some(folder) = folder(job)? else { return Ok(None) };
    if folder.is_dir() {
        return Ok(Some(folder));
    }
    job.step("installing packages with pip");
    let above = folder.parent().unwrap_or(&folder);
    let partial = tempfile::tempdir_in(above).map_err(|why| file(above, why))?;
    let inner = partial.path().join("packages");
    let mut pip = python(job);
    pip.current_dir(job.project.folder());
    pip.args([
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar",
        "off",
    ]);
    pip.args([
        "--only-binary",
        ":all:",
        "--platform",
        "any",
        "--implementation",
        "py",
        "--abi",
        "none",
    ]);
    pip.args(["--python-version", PYTHON, "--no-compile", "-r", REQUIREMENTS, "--target"])
        .arg(&inner);
    job.run(pip).map_err(explained)?;
    std::fs::create_dir_all(&inner).map_err(|why| file(&inner, why))?;
    match std::fs::rename(&inner, &folder) {
        Err(why) if !folder.is_dir() => Err(file(&folder, why)),
        _ => Ok(Some(folder)),
    }
}

/// The packages that were installed; the project alone where there are none.
pub(super) fn sbom(job: &mut Job<'_>) -> Result<Option<Sbom>, BuildError> {
    let project = job.project;
    let version = project.metadata().version.clone().unwrap_or_default();
    let packages = match installed(job)? {
        Some(folder) => packages_in(&folder)?,
        None => Vec::new(),
    };
    Ok(Some(Sbom::flat(Package::new(project.name(), version, "local"), packages)))
}

/// Where the packages of the project are kept: under the digest of what it requires, or for one build where the digest of the text
/// does not say all.
fn folder(job: &Job<'_>) -> Result<Option<PathBuf>, BuildError> {
    let Some(text) = job.text(REQUIREMENTS)? else { return Ok(None) };
    let is_empty = text.lines().all(|line| line.trim().is_empty() || line.trim().starts_with('#'));
    if is_empty {
        return Ok(None);
    }
    if names_other_files(&text) {
        return Ok(Some(job.work().join("packages")));
    }
    let digest = Sha256::new().chain_update(PYTHON).chain_update(&text).finalize();
    let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Ok(Some(job.kept().join(format!("packages-{digest}"))))
}

/// Whether a file of requirements names other files, which change without it: `-r base.txt`, `./wheels/late.whl`.
fn names_other_files(text: &str) -> bool {
    let is_option = |word: &str| {
        let long = ["--requirement", "--constraint", "--editable", "--find-links"];
        ["-r", "-c", "-e", "-f"].iter().chain(&long).any(|option| word.starts_with(option))
    };
    let lines = text.lines().map(|line| line.split(" #").next().unwrap_or(line).trim());
    lines.filter(|line| !line.starts_with('#')).any(|line| {
        is_option(line)
            || line.contains("file:")
            || line.starts_with(['.', '/', '~'])
            || line.split([' ', ';']).next().is_some_and(|name| name.contains(['/', '\\']))
    })
}

/// The packages in a folder, as pip leaves word of them.
fn packages_in(folder: &Path) -> Result<Vec<Package>, BuildError> {
    let entries = std::fs::read_dir(folder).map_err(|why| file(folder, why))?.flatten();
    let mut packages = Vec::new();
    for path in entries.map(|entry| entry.path()) {
        if path.extension().is_none_or(|ending| ending != "dist-info") {
            continue;
        }
        let metadata = path.join("METADATA");
        let text = std::fs::read_to_string(&metadata).map_err(|why| file(&metadata, why))?;
        let value = |key: &str| {
            let lines = text.lines().take_while(|line| !line.is_empty());
            lines
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| *name == key)
                .map(|(_, value)| value)
        };
        if let (Some(name), Some(version)) = (value("Name"), value("Version")) {
            packages.push(Package::new(name, version, "pypi"));
        }
    }
    Ok(packages)
}

/// Says why a package was not found: most often since its wheels have native code.
fn explained(error: BuildError) -> BuildError {
    let BuildError::Tool(CommandError::Failed { output, .. }) = &error else { return error };
    let Some(wanted) = output
        .lines()
        .rev()
        .find_map(|line| line.split_once("No matching distribution found for "))
    else {
        return error;
    };
    let wanted = wanted.1.trim();
    BuildError::Source(format!(
        "{REQUIREMENTS}: `{wanted}` has no wheel of plain Python for {PYTHON}, expected one (`…-py3-none-any.whl`): native \
         code does not run in WebAssembly. If it is a library for training, `understudy pack` may take what it trained; \
         otherwise look for another version or package:\n{output}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_with_native_code_is_named() {
        let output = "ERROR: Could not find a version that satisfies the requirement numpy (from versions: none)\n\
             ERROR: No matching distribution found for numpy==2.5.2";
        let why = explained(BuildError::Tool(CommandError::Failed {
            command: "pip".into(),
            status: "1".into(),
            output: output.into(),
        }));
        let why = why.to_string();
        assert!(
            why.starts_with("requirements.txt: `numpy==2.5.2` has no wheel of plain Python"),
            "{why}"
        );
    }

    #[test]
    fn packages_are_kept_only_where_the_text_says_all() {
        for text in [
            "six==1.17.0",
            "# -r base.txt\nsix>=1 # ./six",
            "six @ https://example.org/six.whl",
            "--pre\nsix",
        ] {
            assert!(!names_other_files(text), "{text}");
        }
        for text in [
            "-r base.txt",
            "six\n  -cbounds.txt",
            "--requirement=a",
            "./six",
            "wheels/six.whl",
            "six @ file:///six",
        ] {
            assert!(names_other_files(text), "{text}");
        }
    }

    #[test]
    fn packages_are_read_from_what_pip_leaves() {
        let folder = tempfile::tempdir().unwrap();
        let info = folder.path().join("six-1.17.0.dist-info");
        std::fs::create_dir(&info).unwrap();
        std::fs::write(
            info.join("METADATA"),
            "Metadata-Version: 2.1\nName: six\nVersion: 1.17.0\n\nName: x\n",
        )
        .unwrap();
        assert_eq!(packages_in(folder.path()).unwrap(), [Package::new("six", "1.17.0", "pypi")]);
    }
}
