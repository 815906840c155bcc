//! What a tool is, where it comes from, and how it is found.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{Located, machine, rust};

/// One tool that a language needs.
#[derive(Debug)]
pub(crate) struct Tool {
    /// What it is called in messages and by [`Job::command`](crate::build::Job::command).
    pub(crate) name: &'static str,
    /// Where it comes from.
    pub(crate) source: Source,
}

/// Where a tool comes from.
#[derive(Debug)]
pub(crate) enum Source {
    /// A wheel of PyPI, in a virtual environment of its own.
    PyPi {
        /// Its version.
        version: &'static str,
        /// What pip is to install, with the digests of the files: the text of a file of requirements.
        requirements: &'static str,
        /// The program: `bin/…`, or `site-packages/…` for what lies beside the modules.
        program: &'static str,
    },
    /// A package of npm, in a folder of its own.
    Npm {
        /// Its version.
        version: &'static str,
        /// The text of a package.json that depends on it.
        package: &'static str,
        /// The text of the package-lock.json, which has the digests of the files.
        lock: &'static str,
        /// The script for node, below `node_modules`.
        program: &'static str,
    },
    /// A program that people have installed themselves.
    Machine(Machine),
    /// Rust with a standard library for WebAssembly, as the scripts of `sdk/toolchain` find or install it.
    Rust,
}

/// A program that people have installed themselves.
#[derive(Debug)]
pub(crate) struct Machine {
    /// The name of the program.
    pub(crate) program: &'static str,
    /// What makes it say its version.
    pub(crate) arguments: &'static [&'static str],
    /// The oldest version that will do: major and minor.
    pub(crate) at_least: (u32, u32),
    /// Where it comes from if it is not there: a wheel, say.
    pub(crate) otherwise: &'static Source,
}

/// The file that says that an installation is whole.
pub(super) const COMPLETE: &str = "complete";

impl Tool {
    /// Finds the tool, or says what is there instead.
    pub(super) fn locate(&self, cache: &Path) -> Result<Located, String> {
        self.source.locate(self.name, cache)
    }

    /// The version that is wanted, for people.
    pub(super) fn wanted(&self) -> String {
        match &self.source {
            Source::PyPi { version, .. } | Source::Npm { version, .. } => (*version).to_owned(),
            Source::Machine(machine) => {
                format!("{}.{} or later", machine.at_least.0, machine.at_least.1)
            }
            Source::Rust => "any, with wasm32-unknown-unknown".to_owned(),
        }
    }
}

impl Source {
    pub(super) fn locate(&self, name: &'static str, cache: &Path) -> Result<Located, String> {
        match self {
            Self::Rust => rust::locate(name, cache),
            Self::Machine(machine) => machine::locate(name, machine)
                .or_else(|why| machine.otherwise.locate(name, cache).map_err(|_| why)),
            Self::PyPi { version, .. } | Self::Npm { version, .. } => {
                let folder = self.folder(name, cache);
                let program =
                    folder.join(COMPLETE).is_file().then(|| self.program(&folder)).flatten();
                let path =
                    program.ok_or_else(|| format!("version {version} is not in the cache"))?;
                Ok(Located { name, version: (*version).to_owned(), path })
            }
        }
    }

    /// The folder of an installation: another one for each version and each list of digests.
    pub(super) fn folder(&self, name: &str, cache: &Path) -> PathBuf {
        let (version, pinned) = match self {
            Self::PyPi { version, requirements, .. } => (*version, *requirements),
            Self::Npm { version, lock, .. } => (*version, *lock),
            Self::Machine(_) | Self::Rust => ("any", ""),
        };
        let digest = Sha256::digest(pinned);
        let digest: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        cache.join("tools").join(format!("{name}-{version}-{digest}"))
    }

    /// The program of an installation, if it is there.
    pub(super) fn program(&self, folder: &Path) -> Option<PathBuf> {
        let path = match self {
            Self::PyPi { program, .. } => match program.strip_prefix("site-packages/") {
                Some(inner) => site_packages(folder)?.join(inner),
                None => folder.join(program),
            },
            Self::Npm { program, .. } => folder.join("node_modules").join(program),
            Self::Machine(_) | Self::Rust => return None,
        };
        // What a virtual environment was made from may be gone.
        let whole = !matches!(self, Self::PyPi { .. }) || folder.join("bin/python").exists();
        (whole && path.is_file()).then_some(path)
    }
}

/// The folder of the modules in a virtual environment, whose name has the version of Python in it.
fn site_packages(environment: &Path) -> Option<PathBuf> {
    let versions = std::fs::read_dir(environment.join("lib")).ok()?.flatten();
    let mut folders = versions.map(|version| version.path().join("site-packages"));
    folders.find(|folder| folder.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHEEL: Source = Source::PyPi {
        version: "1.2.3",
        requirements: "a==1.2.3 --hash=sha256:00",
        program: "site-packages/a/run",
    };

    fn write(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }

    #[test]
    fn an_installation_is_found_when_it_is_whole() {
        let cache = tempfile::tempdir().unwrap();
        let folder = WHEEL.folder("a", cache.path());
        let program = folder.join("lib/python3.99/site-packages/a/run");
        assert_eq!(
            WHEEL.locate("a", cache.path()),
            Err("version 1.2.3 is not in the cache".to_owned())
        );
        write(&program);
        write(&folder.join("bin/python"));
        assert!(WHEEL.locate("a", cache.path()).is_err(), "the installation did not end");
        write(&folder.join(COMPLETE));
        let located = WHEEL.locate("a", cache.path()).unwrap();
        assert_eq!(located, Located { name: "a", version: "1.2.3".into(), path: program });
    }

    #[test]
    fn other_digests_are_another_installation() {
        let other = Source::PyPi { version: "1.2.3", requirements: "", program: "bin/a" };
        let cache = Path::new("/cache");
        assert_ne!(WHEEL.folder("a", cache), other.folder("a", cache));
    }
}
