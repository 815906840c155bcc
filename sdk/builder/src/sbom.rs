//! The bill of materials: which packages a component was built from.
//!
//! It is written in the form of cargo-auditable, which the scanners of vulnerabilities read in native binaries and in
//! WebAssembly alike: JSON, compressed with zlib, in the custom section `.dep-v0`.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::{Deserialize, Serialize};

use crate::samples::section;

/// The name of the custom section.
pub const SBOM_SECTION: &str = ".dep-v0";
/// The most that a section may hold when it is unpacked, in bytes.
const UNPACKED_BYTES_MAX: u64 = 64 << 20;

/// Everything that a component was built from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sbom {
    /// The packages, by name and version; the project itself among them.
    pub packages: Vec<Package>,
}

/// One package of an [`Sbom`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its name in its registry.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it comes from: `crates.io`, `go`, `npm`, `pypi`, `git`, `registry` for any other, or `local`.
    pub source: String,
    /// Whether it is in the component or only helped to build it.
    #[serde(default, skip_serializing_if = "Kind::is_runtime")]
    pub kind: Kind,
    /// The packages that it needs, as their places in the list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<usize>,
    /// Whether it is the project.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub root: bool,
}

/// What a package is needed for.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It is in the component.
    #[default]
    Runtime,
    /// It ran while the component was built.
    Build,
}

/// Why a bill of materials was not read.
#[derive(Debug, thiserror::Error)]
pub enum SbomError {
    /// Because the bytes are no component.
    #[error("not a component: {0}")]
    NotComponent(String),
    /// Because the section does not hold one.
    #[error("the section `{SBOM_SECTION}` is no bill of materials: {0}")]
    Malformed(String),
}

impl Kind {
    fn is_runtime(&self) -> bool {
        *self == Self::Runtime
    }
}

impl Package {
    /// A package without dependencies, which is in the component.
    pub fn new(name: impl Into<String>, version: impl Into<String>, source: &str) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            source: source.to_owned(),
            kind: Kind::Runtime,
            dependencies: Vec::new(),
            root: false,
        }
    }
}

impl Sbom {
    /// The project and the packages that its lock file lists, where that does not say who needs whom: the project needs
    /// them all.
    pub fn flat(project: Package, packages: Vec<Package>) -> Self {
        let mut project = Package { root: true, ..project };
        project.dependencies = (1..=packages.len()).collect();
        let mut all = vec![project];
        all.extend(packages);
        Self { packages: all }.sorted()
    }

    /// The same packages, by name, version and source, each once; so that equal sets give equal bytes.
    #[must_use]
    pub fn sorted(self) -> Self {
        let key = |package: &Package| {
            (package.name.clone(), package.version.clone(), package.source.clone())
        };
        let mut merged: BTreeMap<_, Package> = BTreeMap::new();
        for package in &self.packages {
            let entry = merged
                .entry(key(package))
                .or_insert_with(|| Package { dependencies: Vec::new(), ..package.clone() });
            entry.kind = entry.kind.min(package.kind);
            entry.root |= package.root;
        }
        let place: BTreeMap<_, usize> =
            merged.keys().enumerate().map(|(place, key)| (key.clone(), place)).collect();
        for package in &self.packages {
            let needs = package.dependencies.iter().filter_map(|at| self.packages.get(*at));
            let needs: Vec<usize> = needs.map(|needed| place[&key(needed)]).collect();
            if let Some(entry) = merged.get_mut(&key(package)) {
                entry.dependencies.extend(needs);
                entry.dependencies.sort_unstable();
                entry.dependencies.dedup();
            }
        }
        Self { packages: merged.into_values().collect() }
    }

    /// The bytes of the section.
    pub(crate) fn to_section(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self)
            .expect("invariant: names, numbers and lists have a form in json");
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::new(9));
        packed.write_all(&json).expect("invariant: a vector takes all bytes");
        packed.finish().expect("invariant: a vector takes all bytes")
    }
}

/// The bill of materials of a component, if it has one.
///
/// # Errors
///
/// Where the bytes are no component, or the section does not hold what it should.
pub fn read_sbom(component: &[u8]) -> Result<Option<Sbom>, SbomError> {
    let Some(packed) = section(component, SBOM_SECTION).map_err(SbomError::NotComponent)? else {
        return Ok(None);
    };
    let mut json = Vec::new();
    ZlibDecoder::new(packed.as_slice())
        .take(UNPACKED_BYTES_MAX)
        .read_to_end(&mut json)
        .map_err(|error| SbomError::Malformed(error.to_string()))?;
    serde_json::from_slice(&json).map(Some).map_err(|error| SbomError::Malformed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::with_section;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn some() -> Sbom {
        Sbom::flat(
            Package::new("my-model", "0.1.0", "local"),
            vec![
                Package::new("zeta", "1.0.0", "npm"),
                Package { kind: Kind::Build, ..Package::new("alpha", "2.0.0", "npm") },
                Package::new("alpha", "2.0.0", "npm"),
            ],
        )
    }

    #[test]
    fn packages_are_sorted_and_each_is_there_once() {
        let names: Vec<_> = some().packages.iter().map(|package| package.name.clone()).collect();
        assert_eq!(names, ["alpha", "my-model", "zeta"]);
        assert_eq!(some().packages[0].kind, Kind::Runtime);
        assert_eq!(some().packages[1].dependencies, [0, 2]);
        assert!(some().packages[1].root);
    }

    #[test]
    fn a_bill_is_read_back_as_it_was_written() {
        assert_eq!(read_sbom(EMPTY).unwrap(), None);
        let with = with_section(EMPTY, SBOM_SECTION, &some().to_section());
        assert_eq!(read_sbom(&with).unwrap(), Some(some()));
    }

    #[test]
    fn the_json_is_that_of_cargo_auditable() {
        let json = serde_json::to_string(&some()).unwrap();
        assert_eq!(
            json,
            "{\"packages\":[{\"name\":\"alpha\",\"version\":\"2.0.0\",\"source\":\"npm\"},\
             {\"name\":\"my-model\",\"version\":\"0.1.0\",\"source\":\"local\",\"dependencies\":[0,2],\"root\":true},\
             {\"name\":\"zeta\",\"version\":\"1.0.0\",\"source\":\"npm\"}]}"
        );
    }

    #[test]
    fn a_section_that_holds_something_else_is_refused() {
        let with = with_section(EMPTY, SBOM_SECTION, b"packages");
        let why = read_sbom(&with).unwrap_err().to_string();
        assert!(why.starts_with("the section `.dep-v0` is no bill of materials: "), "{why}");
    }
}
