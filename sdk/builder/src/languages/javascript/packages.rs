//! What npm knows of a project: `package.json`, `package-lock.json`, and the folder `node_modules`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::build::{Job, file};
use crate::languages::Manifest;
use crate::project::{malformed, read};
use crate::toolchain::pins::NODE;
use crate::{BuildError, Package, ProjectError, Sbom, command};

/// The file by which npm knows a project.
pub(in crate::languages) const PACKAGE_JSON: &str = "package.json";
const LOCK: &str = "package-lock.json";
/// What npm writes of that which it installed.
const INSTALLED: &str = "node_modules/.package-lock.json";
const MODULES: &str = "node_modules/";

/// The part of a lock file that is about packages: by their folders, the project's own being `""`.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
struct Lock {
    #[serde(default)]
    packages: BTreeMap<String, Locked>,
}

/// One package of a [`Lock`].
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
struct Locked {
    version: Option<String>,
    integrity: Option<String>,
    #[serde(default)]
    link: bool,
    #[serde(default)]
    dev: bool,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    dependencies: BTreeMap<String, String>,
}

/// What `package.json` says of the model.
pub(super) fn manifest(folder: &Path) -> Result<Manifest, ProjectError> {
    let said: Value = json(&folder.join(PACKAGE_JSON))?.unwrap_or_default();
    let text = |key: &str| said[key].as_str().map(str::to_owned);
    let person =
        |person: &Value| person.as_str().or_else(|| person["name"].as_str()).map(str::to_owned);
    let mut authors: Vec<_> = person(&said["author"]).into_iter().collect();
    authors.extend(said["contributors"].as_array().into_iter().flatten().filter_map(person));
    let source =
        text("repository").or_else(|| said["repository"]["url"].as_str().map(str::to_owned));
    Ok(Manifest {
        // A scope is not part of a file's name.
        name: text("name").map(|name| name.rsplit('/').next().unwrap_or(&name).to_owned()),
        version: text("version"),
        authors: (!authors.is_empty()).then(|| authors.join(", ")),
        description: text("description"),
        license: text("license"),
        source: source
            .map(|url| url.trim_start_matches("git+").to_owned())
            .filter(|url| url.contains("://")),
        homepage: text("homepage"),
        main: text("module").or_else(|| text("main")).map(PathBuf::from),
    })
}

/// Has the packages that the model depends on in `node_modules`, in the versions of the lock file.
pub(in crate::languages) fn install(job: &mut Job<'_>) -> Result<(), BuildError> {
    let folder = job.project.folder().to_owned();
    let said: Value = json(&folder.join(PACKAGE_JSON))?.unwrap_or_default();
    if said["dependencies"].as_object().is_none_or(serde_json::Map::is_empty) {
        return Ok(());
    }
    let path = folder.join(LOCK);
    let Some(lock) = json::<Lock>(&path)? else {
        let why = format!(
            "{PACKAGE_JSON} has dependencies and nothing says in which versions; `npm install` does, once"
        );
        return Err(file(&path, why));
    };
    if lock.is_installed(&json::<Lock>(&folder.join(INSTALLED))?.unwrap_or_default()) {
        return Ok(());
    }
    job.step("installing packages with npm");
    let beside = job.tools.path(NODE.name).with_file_name("npm");
    let mut npm = command::clean(if beside.is_file() { beside } else { "npm".into() });
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]);
    npm.current_dir(&folder);
    job.run(npm)
}

/// The packages of the lock file that are in the component; the project alone where there is none.
pub(super) fn sbom(job: &Job<'_>) -> Result<Option<Sbom>, BuildError> {
    let project = job.project;
    let version = project.metadata().version.clone().unwrap_or_default();
    let root = Package { root: true, ..Package::new(project.name(), version, "local") };
    let lock = json::<Lock>(&project.folder().join(LOCK))?.unwrap_or_default();
    Ok(Some(lock.sbom(root)))
}

impl Lock {
    /// Whether everything that a model needs is installed as this says.
    fn is_installed(&self, installed: &Self) -> bool {
        self.needed().all(|(path, locked)| {
            let found = installed.packages.get(path);
            found.map_or(locked.optional, |found| {
                found.version == locked.version && found.integrity == locked.integrity
            })
        })
    }

    fn needed(&self) -> impl Iterator<Item = (&String, &Locked)> {
        self.packages.iter().filter(|(path, locked)| path.contains(MODULES) && !locked.dev)
    }

    fn sbom(&self, root: Package) -> Sbom {
        let paths: Vec<&String> = self.needed().map(|(path, _)| path).collect();
        let place =
            |path: &str| paths.iter().position(|found| *found == path).map(|place| place + 1);
        let needs = |path: &str, locked: &Locked| {
            locked
                .dependencies
                .keys()
                .filter_map(|name| place(&self.resolved(path, name)?))
                .collect()
        };
        let mut packages = vec![root];
        packages.extend(self.needed().map(|(path, locked)| {
            let name = path.rsplit(MODULES).next().unwrap_or(path);
            let source = if locked.link { "local" } else { "npm" };
            Package {
                dependencies: needs(path, locked),
                ..Package::new(name, locked.version.clone().unwrap_or_default(), source)
            }
        }));
        packages[0].dependencies =
            self.packages.get("").map(|locked| needs("", locked)).unwrap_or_default();
        Sbom { packages }.sorted()
    }

    /// The folder of a package as node finds it from another: in its own `node_modules`, or in those above.
    fn resolved(&self, from: &str, name: &str) -> Option<String> {
        let mut above = from;
        loop {
            let slash = if above.is_empty() { "" } else { "/" };
            let path = format!("{above}{slash}{MODULES}{name}");
            if self.packages.contains_key(&path) {
                return Some(path);
            }
            if above.is_empty() {
                return None;
            }
            above = above.rfind(MODULES).map_or("", |at| above[..at].trim_end_matches('/'));
        }
    }
}

fn json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Option<T>, ProjectError> {
    let Some(text) = read(path)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|error| malformed(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCKED: &str = r#"{"packages": {
        "": {"dependencies": {"a": "^1.0.0", "b": "1.0.0"}},
        "node_modules/a": {"version": "1.2.0", "integrity": "sha512-a", "dependencies": {"b": "^2.0.0"}},
        "node_modules/a/node_modules/b": {"version": "2.0.0", "integrity": "sha512-b2"},
        "node_modules/@s/b": {"version": "1.0.0", "integrity": "sha512-s", "dev": true},
        "node_modules/b": {"version": "1.0.0", "integrity": "sha512-b1"}}}"#;

    fn lock() -> Lock {
        serde_json::from_str(LOCKED).unwrap()
    }

    #[test]
    fn package_json_says_who_made_what() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"name": "@late/flights", "version": "1.0.0", "author": {"name": "Ada"}, "license": "MIT",
            "repository": {"url": "git+https://example.org/late.git"}, "main": "late.js"}"#;
        std::fs::write(folder.path().join(PACKAGE_JSON), text).unwrap();
        let said = manifest(folder.path()).unwrap();
        assert_eq!(said.name.as_deref(), Some("flights"));
        assert_eq!(said.authors.as_deref(), Some("Ada"));
        assert_eq!(said.source.as_deref(), Some("https://example.org/late.git"));
        assert_eq!(said.main, Some("late.js".into()));
    }

    #[test]
    fn a_bill_has_each_package_with_the_version_that_node_would_find() {
        let sbom = lock().sbom(Package { root: true, ..Package::new("late", "1.0.0", "local") });
        let shown: Vec<_> = sbom
            .packages
            .iter()
            .map(|package| {
                (package.name.as_str(), package.version.as_str(), package.dependencies.clone())
            })
            .collect();
        let expected: [(&str, &str, Vec<usize>); 4] = [
            ("a", "1.2.0", vec![2]),
            ("b", "1.0.0", vec![]),
            ("b", "2.0.0", vec![]),
            ("late", "1.0.0", vec![0, 1]),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_is_installed_in_another_version_is_installed_again() {
        assert!(lock().is_installed(&lock()));
        assert!(!lock().is_installed(&Lock::default()));
        let mut other = lock();
        other.packages.get_mut("node_modules/b").unwrap().version = Some("1.0.1".into());
        assert!(!lock().is_installed(&other));
        let mut without_dev = lock();
        without_dev.packages.remove("node_modules/@s/b");
        assert!(lock().is_installed(&without_dev));
    }
}
