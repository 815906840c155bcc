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
    /// Its version, in the form of semantic versions, which the section asks for.
    pub version: String,
    /// Where it comes from: `crates.io`, `go`, `npm`, `pypi`, `zig`, `git`, `registry` for any other, or `local`.
    pub source: String,
    /// What pins its content, where the language has that in the place of a version. Other readers of the section pass over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
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
    ///
    /// A version of another form, as Go's and Python's are, becomes the semantic version that is nearest to it.
    pub fn new(name: impl Into<String>, version: impl AsRef<str>, source: &str) -> Self {
        Self {
            name: name.into(),
            version: semantic(version.as_ref()),
            source: source.to_owned(),
            hash: None,
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

/// The semantic version that is nearest to a version: `v1.2.3` is 1.2.3, `2.0` is 2.0.0, `1.0rc1` is 1.0.0-rc1, and what has
/// no place in one, as in `1.2.3.4` and `1.0.post1`, stands behind a `+`.
fn semantic(version: &str) -> String {
    let version = version.trim().trim_start_matches(['v', '=']);
    if semver::Version::parse(version).is_ok() {
        return version.to_owned();
    }
    let is_release = |letter: char| letter.is_ascii_digit() || letter == '.';
    let end = version.find(|letter| !is_release(letter)).unwrap_or(version.len());
    let (release, rest) = version.split_at(end);
    let numbers: Vec<u64> = release.split('.').filter_map(|number| number.parse().ok()).collect();
    let number = |place: usize| numbers.get(place).copied().unwrap_or(0);
    let mut semantic = format!("{}.{}.{}", number(0), number(1), number(2));
    let plain = |text: &str| -> String {
        let letters =
            text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' });
        letters.collect::<String>().trim_matches('-').to_owned()
    };
    let rest = plain(rest);
    let is_before = ["a", "b", "c", "rc", "dev", "alpha", "beta", "pre"]
        .iter()
        .any(|word| rest.starts_with(word));
    let mut behind: Vec<String> = numbers.iter().skip(3).map(u64::to_string).collect();
    match rest.is_empty() {
        true => {}
        false if is_before => semantic += &format!("-{rest}"),
        false => behind.push(rest),
    }
    if !behind.is_empty() {
        semantic += &format!("+{}", behind.join("."));
    }
    semantic
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
                Package {
                    hash: Some("zeta-1.0.0-x".into()),
                    ..Package::new("zeta", "1.0.0", "npm")
                },
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
             {\"name\":\"zeta\",\"version\":\"1.0.0\",\"source\":\"npm\",\"hash\":\"zeta-1.0.0-x\"}]}"
        );
    }

    #[test]
    fn versions_of_every_language_are_semantic_ones_in_the_section() {
        for (found, expected) in [
            ("1.2.3", "1.2.3"),
            ("1.0.0-beta.2+5", "1.0.0-beta.2+5"),
            ("v0.0.0-20210101000000-abcdef123456", "0.0.0-20210101000000-abcdef123456"),
            ("v2.0.0+incompatible", "2.0.0+incompatible"),
            ("2.0", "2.0.0"),
            ("2024.01.05", "2024.1.5"),
            ("1.0rc1", "1.0.0-rc1"),
            ("1.2.3.4", "1.2.3+4"),
            ("1.0.post1", "1.0.0+post1"),
            ("", "0.0.0"),
        ] {
            assert_eq!(semantic(found), expected);
            assert!(semver::Version::parse(expected).is_ok(), "{expected}");
        }
    }

    #[test]
    fn other_readers_of_the_section_understand_it() {
        let with = with_section(EMPTY, SBOM_SECTION, &some().to_section());
        let payload = wasm_metadata::Payload::from_binary(&with).unwrap();
        let read = payload.metadata().dependencies.as_ref().unwrap().version_info();
        assert_eq!(read.packages.len(), 3);
        assert!(read.packages[1].root);
    }

    #[test]
    fn a_section_that_holds_something_else_is_refused() {
        let with = with_section(EMPTY, SBOM_SECTION, b"packages");
        let why = read_sbom(&with).unwrap_err().to_string();
        assert!(why.starts_with("the section `.dep-v0` is no bill of materials: "), "{why}");
    }
}
