//! The packages of a project in Zig, from its `build.zig.zon` and those of the packages that are there.
//!
//! A package that is fetched is pinned by its hash, which begins with its name and its version since Zig 0.14. What it needs itself is
//! listed where zig has unpacked it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::BUILD_ZIG_ZON;
use super::zon::Zon;
use crate::Package;

/// How many packages are listed at most.
const PACKAGES_MAX: usize = 1000;

/// All packages that a project names, and those that they name. `unpacked` are the folders in which zig keeps what it fetched, by
/// hash.
pub(super) fn packages(project: &Path, unpacked: &[PathBuf]) -> Vec<Package> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut open = vec![project.to_owned()];
    while let Some(folder) = open.pop() {
        if found.len() >= PACKAGES_MAX || !seen.insert(folder.clone()) {
            continue;
        }
        let Some(zon) = manifest(&folder) else { continue };
        let Some(dependencies) = zon.field("dependencies") else { continue };
        for (name, dependency) in dependencies.fields() {
            match (dependency.text("path"), dependency.text("hash")) {
                (Some(path), _) => {
                    // One name for each folder, so that packages that name each other have an end.
                    let inside = folder.join(path);
                    let inside = inside.canonicalize().unwrap_or(inside);
                    found.push(local(name, &inside));
                    open.push(inside);
                }
                (None, Some(hash)) => {
                    found.push(fetched(name, hash));
                    open.extend(unpacked.iter().map(|all| all.join(hash)));
                }
                (None, None) => found.push(Package::new(name, "", "zig")),
            }
        }
    }
    found
}

fn manifest(folder: &Path) -> Option<Zon> {
    Zon::read(&std::fs::read_to_string(folder.join(BUILD_ZIG_ZON)).ok()?)
}

/// A package in a folder, by what it says of itself.
fn local(name: &str, folder: &Path) -> Package {
    let zon = manifest(folder);
    let said = |field| zon.as_ref().and_then(|zon| zon.text(field));
    Package::new(said("name").unwrap_or(name), said("version").unwrap_or_default(), "local")
}

/// A package that zig fetches, as `known_folders-0.7.1-Fy-PJkfRAAAVdptXWXBspIIC7EkVgLgWozU5zIk5Zgcy`.
fn fetched(name: &str, hash: &str) -> Package {
    // The last part may have dashes of its own, and has always as many letters.
    const DIGEST_LETTERS: usize = 44;
    let said = hash.len().checked_sub(DIGEST_LETTERS + 1).and_then(|at| hash.get(..at));
    let (name, version) = said.and_then(|said| said.split_once('-')).unwrap_or((name, ""));
    Package { hash: Some(hash.to_owned()), ..Package::new(name, version, "zig") }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const HASH: &str = "known_folders-0.7.1-Fy-PJkfRAAAVdptXWXBspIIC7EkVgLgWozU5zIk5Zgcy";
    const OLD: &str = "122058a3f1c6c4c1e5d3b0b5f4a97d7f5d1e2f3a4b5c6d7e8f90a1b2c3d4e5f60718";

    #[test]
    fn packages_are_those_in_folders_and_those_that_are_fetched() {
        let folder = tempfile::tempdir().unwrap();
        let zon = |at: &str, text: &str| {
            let at = folder.path().join(at);
            fs::create_dir_all(&at).unwrap();
            fs::write(at.join(BUILD_ZIG_ZON), text).unwrap();
        };
        zon(
            "model",
            &format!(
                ".{{ .name = .late, .version = \"0.1.0\", .dependencies = .{{ .understudy = .{{ .path = \"../library\" }}, \
                 .folders = .{{ .url = \"https://example.org/f.tar.gz\", .hash = \"{HASH}\" }}, \
                 .before = .{{ .url = \"https://example.org/b.tar.gz\", .hash = \"{OLD}\" }} }} }}"
            ),
        );
        zon(
            "library",
            ".{ .name = .understudy, .version = \"0.1.0\", .dependencies = .{ .me = .{ .path = \"../library\" } } }",
        );
        zon(
            &format!("p/{HASH}"),
            ".{ .name = .known_folders, .version = \"0.7.1\", .dependencies = .{ .deep = .{ .path = \"deep\" } } }",
        );
        let found = packages(&folder.path().join("model"), &[folder.path().join("p")]);
        let mut found: Vec<_> = found
            .iter()
            .map(|it| {
                format!(
                    "{} {} {} {}",
                    it.name,
                    it.version,
                    it.source,
                    it.hash.as_deref().unwrap_or("-")
                )
            })
            .collect();
        found.sort();
        found.dedup();
        assert_eq!(
            found,
            [
                format!("before 0.0.0 zig {OLD}"),
                "deep 0.0.0 local -".to_owned(),
                format!("known_folders 0.7.1 zig {HASH}"),
                "understudy 0.1.0 local -".to_owned(),
            ]
        );
    }
}
