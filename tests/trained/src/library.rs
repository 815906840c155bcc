//! What the libraries trained: made once, and kept.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use sha2::{Digest as _, Sha256};

/// The folders of the models of a library, in the order of their names. They are trained where they are not there yet.
///
/// # Panics
///
/// Where they can't be trained.
pub fn trained(library: &str) -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = cache().join("trained").join(format!("{library}-{}", digest(here, library)));
    if !kept.join("complete").exists() {
        train(&here.join(library).join("train.py"), &kept);
    }
    let entries = fs::read_dir(&kept).expect("what was kept can be read");
    let mut folders: Vec<_> = entries
        .map(|entry| entry.expect("what was kept can be read").path())
        .filter(|path| path.join("golden.json").exists())
        .collect();
    folders.sort();
    folders
}

fn train(script: &Path, kept: &Path) {
    let parent = kept.parent().expect("a folder of the cache");
    fs::create_dir_all(parent).expect("the cache can be written");
    let partial = tempfile::tempdir_in(parent).expect("the cache can be written");
    println!("training with {}, once", script.display());
    let done = Command::new(python())
        .arg(script)
        .arg(partial.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONHASHSEED", "0")
        .output()
        .expect("python runs");
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{} failed:\n{errors}", script.display());
    fs::write(partial.path().join("complete"), "").expect("the cache can be written");
    // Whoever trained the same in the meantime trained the same.
    if fs::rename(partial.path(), kept).is_err() {
        assert!(kept.join("complete").exists(), "{} cannot be written", kept.display());
    }
}

/// The Python that has the libraries: `UNDERSTUDY_TRAINED_PYTHON`, or one that is installed for it.
///
/// # Panics
///
/// Where it can't be installed.
pub fn python() -> PathBuf {
    if let Some(python) = env::var_os("UNDERSTUDY_TRAINED_PYTHON") {
        return python.into();
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = Command::new(here.join("../interop/venv.sh"))
        .arg("../trained/requirements.txt")
        .output()
        .expect("a shell");
    let errors = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "no environment for Python:\n{errors}");
    Path::new(String::from_utf8_lossy(&made.stdout).trim()).join("bin/python")
}

/// Where things are kept that are the same another time.
pub(crate) fn cache() -> PathBuf {
    let named = |name, below: &str| Some(Path::new(&env::var_os(name)?).join(below));
    named("UNDERSTUDY_CACHE", "")
        .or_else(|| named("XDG_CACHE_HOME", "understudy"))
        .or_else(|| named("HOME", ".cache/understudy"))
        .expect("there is a folder for caches")
}

/// The digest of what the models depend on: the scripts, what they share, what is installed, and what exports for them.
fn digest(here: &Path, library: &str) -> String {
    let exporter = here.join("../../sdk/sklearn");
    let mut files = vec![here.join("requirements.txt")];
    files.extend(scripts(here));
    files.extend(scripts(&here.join(library)));
    if ["sklearn", "speed"].contains(&library) {
        files.extend(scripts(&exporter));
        files.extend(scripts(&exporter.join("understudy_sklearn")));
    }
    let mut digest = Sha256::new();
    for file in files {
        digest.update(fs::read(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display())));
    }
    digest.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn scripts(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|it| it == "py"))
        .collect();
    found.sort();
    found
}
