//! Installations: from a registry into the user's cache, by the registry's own tool.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::tool::{COMPLETE, Source, Tool};
use super::{Located, machine, pins, rust};
use crate::Progress;
use crate::command::{self, CommandError, Output};

/// Why a tool was not installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Because no registry has it.
    #[error("{tool} cannot be installed from here ({why}): {by_hand}")]
    ByHand {
        /// The tool.
        tool: &'static str,
        /// What was found.
        why: String,
        /// What there is to do.
        by_hand: String,
    },
    /// Because the tool of the registry failed; what it wrote is in it.
    #[error("{tool} was not installed: {why}")]
    Command {
        /// The tool.
        tool: &'static str,
        /// What failed.
        why: CommandError,
    },
    /// Because a file cannot be written.
    #[error("{tool} was not installed: cannot write {path}: {why}")]
    Unwritable {
        /// The tool.
        tool: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// Because the package does not have what is expected of it.
    #[error("{tool} was not installed: the package has no {expected}")]
    Hollow {
        /// The tool.
        tool: &'static str,
        /// The program that was expected.
        expected: &'static str,
    },
}

const PYTHON_BY_HAND: &str =
    "install Python 3.9 or later with its module venv (on Debian: apt-get install python3-venv)";
const NPM_BY_HAND: &str =
    "install Node.js 20 or later with npm (https://nodejs.org, or your system's packages)";

/// Installs a tool into the cache.
pub(super) fn install(
    tool: &Tool,
    cache: &Path,
    progress: &mut dyn Progress,
) -> Result<Located, InstallError> {
    install_source(tool.name, &tool.source, cache, progress)
}

fn install_source(
    name: &'static str,
    source: &Source,
    cache: &Path,
    progress: &mut dyn Progress,
) -> Result<Located, InstallError> {
    if let Source::Machine(machine) = source {
        return install_source(name, machine.otherwise, cache, progress);
    }
    if let Source::Rust = source {
        return rust::install(name, cache, progress);
    }
    let folder = source.folder(name, cache);
    let above = folder.parent().unwrap_or(cache);
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |why| InstallError::Unwritable { tool: name, path, why }
    };
    fs::create_dir_all(above).map_err(unwritable(above))?;
    let mut lock = folder.as_os_str().to_owned();
    lock.push(".lock");
    let lock = PathBuf::from(lock);
    let lock = File::create(&lock)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(unwritable(&lock))?;
    // Somebody else may have done it meanwhile.
    if let Ok(there) = source.locate(name, cache) {
        return Ok(there);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(unwritable(&folder))?;
    }
    fs::create_dir_all(&folder).map_err(unwritable(&folder))?;
    let expected = match source {
        Source::PyPi { version, requirements, program } => {
            progress
                .step(&format!("installing {name} {version} from PyPI into {}", folder.display()));
            from_pypi(name, &folder, requirements, progress)?;
            program
        }
        Source::Npm { version, package, lock, program } => {
            progress
                .step(&format!("installing {name} {version} from npm into {}", folder.display()));
            from_npm(name, cache, &folder, (package, lock), progress)?;
            program
        }
        Source::Machine(_) | Source::Rust => "",
    };
    let complete = folder.join(COMPLETE);
    fs::write(&complete, "").map_err(unwritable(&complete))?;
    drop(lock);
    source.locate(name, cache).map_err(|_| InstallError::Hollow { tool: name, expected })
}

/// Makes a virtual environment, since systems keep their own Python to themselves.
fn from_pypi(
    tool: &'static str,
    folder: &Path,
    requirements: &str,
    progress: &mut dyn Progress,
) -> Result<(), InstallError> {
    let failed = |why| InstallError::Command { tool, why };
    let by_hand = |why: String| InstallError::ByHand { tool, why, by_hand: PYTHON_BY_HAND.into() };
    let Some(python) = machine::in_search_path("python3") else {
        return Err(by_hand("`python3` is not in the search path".into()));
    };
    let mut venv = command::clean(python);
    venv.args(["-m", "venv"]).arg(folder);
    command::run(venv, Output::Shown, progress).map_err(|why| by_hand(why.to_string()))?;
    let listed = folder.join("requirements.txt");
    fs::write(&listed, requirements).map_err(|why| InstallError::Unwritable {
        tool,
        path: listed.clone(),
        why,
    })?;
    let mut pip = command::clean(folder.join("bin/python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar",
        "off",
    ]);
    pip.args(["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r"]).arg(&listed);
    command::run(pip, Output::Shown, progress).map_err(failed)?;
    Ok(())
}

fn from_npm(
    tool: &'static str,
    cache: &Path,
    folder: &Path,
    (package, lock): (&str, &str),
    progress: &mut dyn Progress,
) -> Result<(), InstallError> {
    // Node.js from PyPI has its npm beside it.
    let node = pins::NODE.locate(cache).ok();
    let beside = node.map(|node| node.path.with_file_name("npm")).filter(|npm| npm.exists());
    let Some(npm) = beside.or_else(|| machine::in_search_path("npm")) else {
        let why = "`npm` is not in the search path".into();
        return Err(InstallError::ByHand { tool, why, by_hand: NPM_BY_HAND.into() });
    };
    for (name, text) in [("package.json", package), ("package-lock.json", lock)] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|why| InstallError::Unwritable { tool, path, why })?;
    }
    let mut npm = command::clean(npm);
    npm.args([
        "install",
        "--no-save",
        "--ignore-scripts",
        "--include=optional",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
    ])
    .current_dir(folder);
    command::run(npm, Output::Shown, progress)
        .map_err(|why| InstallError::Command { tool, why })?;
    Ok(())
}
