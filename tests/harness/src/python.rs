//! Programs with clients that others have written: those of `tests/interop`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A program of `tests/interop`, to be run by the Python that has the packages of those clients.
///
/// # Panics
///
/// Where that Python cannot be had.
pub fn program(name: &str) -> Command {
    let mut command = Command::new(python());
    command.arg(folder().join(name)).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Where those programs are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../interop")
}

fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let made = Command::new(folder().join("venv.sh")).output().expect("a shell");
        let errors = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "no environment for Python:\n{errors}");
        let venv = String::from_utf8(made.stdout).expect("a path");
        Path::new(venv.trim()).join("bin/python")
    })
}
