//! The conformance models as components: built when they are not in the cache.
//!
//! A component is kept under the digest of all that it is made of: the library and the model of its language, the builder, the
//! contract, and the versions of the tools. So a second run has nothing to build.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use builder::{Language, Progress, Project, Toolchain};
use sha2::{Digest, Sha256};

/// The root of this repository.
///
/// # Panics
///
/// Where it is not there any more.
pub fn repository() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the folder of this repository")
}

/// The toolchain of the user.
///
/// # Panics
///
/// Where nothing says where the user's cache is.
pub fn toolchain() -> Toolchain {
    Toolchain::of_user().expect("a cache: set UNDERSTUDY_CACHE or HOME")
}

/// The folder of these tests in the user's cache.
///
/// # Panics
///
/// Where it cannot be made.
pub fn cache() -> PathBuf {
    let folder = toolchain().cache().join("sdk-tests");
    fs::create_dir_all(&folder).expect("a folder in the cache");
    folder
}

/// The folder of the library of a language, in `sdk`.
fn library(language: Language) -> &'static str {
    match language {
        // One library serves both.
        Language::TypeScript => Language::JavaScript.word(),
        language => language.word(),
    }
}

/// The project of the conformance model in a language.
pub fn conformance(language: Language) -> PathBuf {
    let folder = match language {
        Language::TypeScript => "conformance-typescript",
        _ => "conformance",
    };
    repository().join("sdk").join(library(language)).join(folder)
}

/// The conformance model in a language. Installs the tools and builds it, where it is not in the cache.
///
/// # Panics
///
/// Where that does not succeed.
pub fn component(language: Language) -> Vec<u8> {
    let lock = File::create(cache().join(format!("{language}.lock"))).expect("a file to lock");
    lock.lock().expect("a lock");
    let kept = cache().join(format!("{language}-{}.wasm", digest(language, &[])));
    if let Ok(component) = fs::read(&kept) {
        return component;
    }
    let component = build(&conformance(language), &toolchain());
    let partial = kept.with_extension("partial");
    fs::write(&partial, &component).expect("a file in the cache");
    fs::rename(&partial, &kept).expect("a file in the cache");
    component
}

/// Builds a project.
///
/// # Panics
///
/// Where it does not succeed.
pub fn build(folder: &Path, toolchain: &Toolchain) -> Vec<u8> {
    let project = Project::find(folder).unwrap_or_else(|error| panic!("{error}"));
    let built = builder::build(&project, toolchain, &mut Loud(project.language()));
    built.unwrap_or_else(|error| panic!("{}: {error}", folder.display())).component
}

/// A file that is there where this was proven of a language, with the same sources and the same tools. Installs these.
pub fn proof(what: &str, language: Language) -> PathBuf {
    proof_with(what, language, &[])
}

/// A [`proof`] for which the sources in some folders count, too.
pub fn proof_with(what: &str, language: Language, folders: &[&str]) -> PathBuf {
    cache().join(format!("{language}-{}.{what}", digest(language, folders)))
}

/// The digest of all that a component is made of, and of some folders. Installs the tools of its language.
fn digest(language: Language, folders: &[&str]) -> String {
    let tools = toolchain().install(language, &mut Loud(language));
    let tools = tools.unwrap_or_else(|error| panic!("{language}: {error}"));
    let mut digest = Sha256::new();
    for tool in tools.iter() {
        digest.update(format!("{} {}\n", tool.name, tool.version));
    }
    let library = format!("sdk/{}", library(language));
    let folders = [&[&*library, "sdk/builder", "sdk/toolchain", "wit"], folders].concat();
    add_sources(&mut digest, &folders);
    format!("{:x}", digest.finalize())
}

/// Adds every file below these folders that git knows or would take, with its name.
fn add_sources(digest: &mut Sha256, folders: &[&str]) {
    let root = repository();
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z", "--"])
        .args(folders)
        .current_dir(&root)
        .output()
        .expect("git");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).expect("names in utf-8");
    let mut names: Vec<_> = listed.split_terminator('\0').collect();
    names.sort_unstable();
    for name in names {
        // One that was deleted and is still in the index.
        let Ok(bytes) = fs::read(root.join(name)) else { continue };
        digest.update(format!("{name} {}\n", bytes.len()));
        digest.update(bytes);
    }
}

/// Tells on standard error, which is shown where a test fails.
#[derive(Debug)]
pub struct Loud(pub Language);

impl Progress for Loud {
    fn step(&mut self, what: &str) {
        eprintln!("{}: {what}", self.0);
    }

    fn line(&mut self, line: &str) {
        eprintln!("{}: {line}", self.0);
    }
}
