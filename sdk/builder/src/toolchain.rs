//! Toolchains: the tools of a language, found on the machine or in the user's cache, or installed into that.
//!
//! Every tool is pinned: to a version, and where it comes from a registry to the digests of its files. Nothing is
//! installed while something is built; a build says which command does it.

mod install;
mod machine;
pub(crate) mod pins;
mod rust;
mod tool;

use std::path::{Path, PathBuf};
use std::process::Command;

pub use install::InstallError;
pub(crate) use tool::{Machine, Source, Tool};

use crate::languages::support;
use crate::{Language, Progress, command};

/// Where tools are looked for, and installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    cache: PathBuf,
}

/// The tools of one language, all of them there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tools(Vec<Located>);

/// A tool that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Its name.
    pub name: &'static str,
    /// Its version, as it says itself or as it was pinned.
    pub version: String,
    /// The file: a program, or a script for one.
    pub path: PathBuf,
}

/// What there is of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolState {
    /// Its name.
    pub name: &'static str,
    /// The version that is wanted, in words.
    pub wanted: String,
    /// The tool, or what is there instead.
    pub located: Result<Located, String>,
}

/// Because a tool is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "models in {} need {tool}: {why}; this installs it: understudy toolchain install {language}",
    .language.title()
)]
pub struct Missing {
    /// The language that needs it.
    pub language: Language,
    /// Its name.
    pub tool: &'static str,
    /// What was found instead, and what was expected.
    pub why: String,
}

impl Toolchain {
    /// The toolchain that keeps its tools in this folder.
    pub fn in_cache(cache: impl Into<PathBuf>) -> Self {
        Self { cache: cache.into() }
    }

    /// The toolchain of the user: in `UNDERSTUDY_CACHE`, or `understudy` in `XDG_CACHE_HOME` or in `.cache` at home.
    ///
    /// Nothing where none of these is set.
    pub fn of_user() -> Option<Self> {
        let set =
            |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let caches = || set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
        let cache = set("UNDERSTUDY_CACHE").or_else(|| Some(caches()?.join("understudy")))?;
        Some(Self::in_cache(std::path::absolute(&cache).unwrap_or(cache)))
    }

    /// The folder of the cache.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// Finds the tools of a language, and installs nothing.
    ///
    /// # Errors
    ///
    /// Where one is missing.
    pub fn locate(&self, language: Language) -> Result<Tools, Missing> {
        let tools = support(language).tools().iter();
        let located = tools.map(|tool| {
            tool.locate(&self.cache).map_err(|why| Missing { language, tool: tool.name, why })
        });
        Ok(Tools(located.collect::<Result<_, _>>()?))
    }

    /// Installs what is missing of the tools of a language into the cache.
    ///
    /// Two that install the same wait for each other.
    ///
    /// # Errors
    ///
    /// Where no registry has a tool, or the registry's own tool fails.
    pub fn install(
        &self,
        language: Language,
        progress: &mut dyn Progress,
    ) -> Result<Tools, InstallError> {
        let mut located = Vec::new();
        for tool in support(language).tools() {
            located.push(match tool.locate(&self.cache) {
                Ok(there) => there,
                Err(_) => install::install(tool, &self.cache, progress)?,
            });
        }
        Ok(Tools(located))
    }

    /// What there is of each tool of a language.
    pub fn state(&self, language: Language) -> Vec<ToolState> {
        let tools = support(language).tools().iter();
        let state = tools.map(|tool| ToolState {
            name: tool.name,
            wanted: tool.wanted(),
            located: tool.locate(&self.cache),
        });
        state.collect()
    }

    /// The folder for what the compilers of a language like to find again.
    pub(crate) fn kept(&self, language: Language) -> PathBuf {
        self.cache.join("build").join(language.word())
    }
}

impl Tools {
    /// Each tool.
    pub fn iter(&self) -> impl Iterator<Item = &Located> {
        self.0.iter()
    }

    /// The file of a tool that the language named among its own.
    pub(crate) fn path(&self, name: &str) -> &Path {
        let found = self.0.iter().find(|tool| tool.name == name);
        found.map_or_else(|| Path::new("tool-that-was-not-named"), |tool| &tool.path)
    }

    /// A command that runs a tool without the caller's settings for other builds.
    pub(crate) fn command(&self, name: &str) -> Command {
        command::clean(self.path(name))
    }

    /// The name and version of each tool.
    pub(crate) fn versions(&self) -> Vec<String> {
        self.0.iter().map(|tool| format!("{} {}", tool.name, tool.version)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_is_named_with_the_one_command_that_installs_it() {
        let cache = tempfile::tempdir().unwrap();
        let missing = Toolchain::in_cache(cache.path()).locate(Language::Python).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "models in Python need componentize-py: version 0.25.1 is not in the cache; this installs it: \
             understudy toolchain install python"
        );
    }

    #[test]
    fn what_is_there_of_each_tool_is_known_for_every_language() {
        let cache = tempfile::tempdir().unwrap();
        let toolchain = Toolchain::in_cache(cache.path());
        for language in Language::ALL {
            let state = toolchain.state(language);
            assert!(!state.is_empty(), "{language}");
            assert!(state.iter().all(|tool| !tool.wanted.is_empty()), "{language}");
        }
    }
}
