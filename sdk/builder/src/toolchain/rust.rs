//! Rust: found or installed by the scripts of `sdk/toolchain`, which the builder carries along.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use super::{InstallError, Located};
use crate::Progress;
use crate::command::{self, Output};
use crate::progress::Silent;

/// The scripts, with their names in one folder.
const SCRIPTS: [(&str, &str); 4] = [
    ("cargo-wasm", include_str!("../../../toolchain/cargo-wasm")),
    ("packages.sh", include_str!("../../../toolchain/packages.sh")),
    ("rust.sh", include_str!("../../../toolchain/rust.sh")),
    ("rustc-anywhere", include_str!("../../../toolchain/rustc-anywhere")),
];
/// The variable with which the scripts install nothing.
const INSTALL: &str = "UNDERSTUDY_INSTALL";

/// Finds Rust, and says what is there instead.
pub(super) fn locate(name: &'static str, cache: &Path) -> Result<Located, String> {
    let scripts =
        scripts(cache).map_err(|(path, why)| format!("cannot write {}: {why}", path.display()))?;
    let mut script = script(&scripts, "rust.sh", cache);
    script.env(INSTALL, "no");
    let said = command::run(script, Output::Kept, &mut Silent).map_err(|_| {
        "found no Rust with the standard library of wasm32-unknown-unknown, expected that of rustup or Debian"
            .to_owned()
    })?;
    Ok(located(name, &scripts, &said))
}

/// Installs the standard library for WebAssembly: with rustup, or from Debian's packages.
pub(super) fn install(
    name: &'static str,
    cache: &Path,
    progress: &mut dyn Progress,
) -> Result<Located, InstallError> {
    progress.step("looking for Rust with the standard library of wasm32-unknown-unknown");
    let scripts =
        scripts(cache).map_err(|(path, why)| InstallError::Unwritable { tool: name, path, why })?;
    let said = command::run(script(&scripts, "rust.sh", cache), Output::Kept, progress)
        .map_err(|why| InstallError::Command { tool: name, why })?;
    Ok(located(name, &scripts, &said))
}

/// A script, with the cache that it works in.
fn script(scripts: &Path, name: &str, cache: &Path) -> Command {
    let mut script = command::clean(scripts.join(name));
    script.env("UNDERSTUDY_CACHE", cache);
    script
}

/// What the script says at its end is `rust.sh: ROUTE (rustc 1.2.3 …)`.
fn located(name: &'static str, scripts: &Path, said: &str) -> Located {
    let last = said.lines().last().unwrap_or_default();
    let version = last.split_once("(rustc ").map_or("of unknown version", |(_, rest)| rest);
    let version = version.split(' ').next().unwrap_or(version).to_owned();
    Located { name, version, path: scripts.join("cargo-wasm") }
}

/// Writes the scripts, into a folder of their own for each state of theirs.
fn scripts(cache: &Path) -> Result<PathBuf, (PathBuf, std::io::Error)> {
    let mut digest = Sha256::new();
    for (name, text) in SCRIPTS {
        digest.update(name);
        digest.update(text);
    }
    let digest: String =
        digest.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let above = cache.join("tools");
    let folder = above.join(format!("rust-scripts-{digest}"));
    if folder.is_dir() {
        return Ok(folder);
    }
    let write = || {
        fs::create_dir_all(&above)?;
        let partial = tempfile::Builder::new().prefix(".rust-scripts-").tempdir_in(&above)?;
        for (name, text) in SCRIPTS {
            let path = partial.path().join(name);
            fs::write(&path, text)?;
            make_executable(&path)?;
        }
        fs::rename(partial.path(), &folder)
    };
    match write() {
        // Another build was quicker, with the same scripts.
        Err(_) if folder.is_dir() => Ok(folder),
        Err(why) => Err((folder, why)),
        Ok(()) => Ok(folder),
    }
}

#[cfg(unix)]
fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_what_the_script_says_last() {
        let said = "rust.sh: asking\nrust.sh: present (rustc 1.95.0 (59807616e 2026-04-14))\n";
        assert_eq!(located("rust", Path::new("/scripts"), said).version, "1.95.0");
    }

    #[test]
    fn the_scripts_are_written_once_and_can_be_run() {
        let cache = tempfile::tempdir().unwrap();
        let folder = scripts(cache.path()).unwrap();
        assert_eq!(scripts(cache.path()).unwrap(), folder);
        let script = folder.join("rustc-anywhere");
        let mut echo = Command::new(script);
        assert_eq!(echo.args(["echo", "it runs"]).output().unwrap().stdout, b"it runs\n");
    }
}
