//! The languages that models are written in.

use std::fmt;
use std::str::FromStr;

/// A language that a model can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// Rust.
    Rust,
    /// C.
    C,
    /// C++.
    Cpp,
    /// Zig.
    Zig,
    /// Go.
    Go,
    /// Python.
    Python,
    /// JavaScript.
    JavaScript,
    /// TypeScript.
    TypeScript,
    /// AssemblyScript.
    AssemblyScript,
}

/// Because no language has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no language of models, expected one of: {}", words(Language::ALL))]
pub struct UnknownLanguage {
    /// The name.
    pub found: String,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 9] = [
        Self::Rust,
        Self::C,
        Self::Cpp,
        Self::Zig,
        Self::Go,
        Self::Python,
        Self::JavaScript,
        Self::TypeScript,
        Self::AssemblyScript,
    ];

    /// The word for it on the command line and in `model.toml`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::C => "c",
            Self::Cpp => "cpp",
            Self::Zig => "zig",
            Self::Go => "go",
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::TypeScript => "typescript",
            Self::AssemblyScript => "assemblyscript",
        }
    }

    /// Its name in a sentence.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::C => "C",
            Self::Cpp => "C++",
            Self::Zig => "Zig",
            Self::Go => "Go",
            Self::Python => "Python",
            Self::JavaScript => "JavaScript",
            Self::TypeScript => "TypeScript",
            Self::AssemblyScript => "AssemblyScript",
        }
    }

    /// Whether the same sources and the same tools always give the same bytes. Python and JavaScript put a snapshot of
    /// a running interpreter into the component, which differs each time.
    pub const fn is_reproducible(self) -> bool {
        !matches!(self, Self::Python | Self::JavaScript | Self::TypeScript)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    /// Takes the word of a language, or what people abbreviate it to.
    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        let lower = text.to_lowercase();
        let word = match lower.as_str() {
            "rs" => "rust",
            "c++" | "cxx" | "cc" => "cpp",
            "golang" => "go",
            "py" => "python",
            "js" => "javascript",
            "ts" => "typescript",
            "as" => "assemblyscript",
            word => word,
        };
        let found = Self::ALL.into_iter().find(|language| language.word() == word);
        found.ok_or_else(|| UnknownLanguage { found: text.to_owned() })
    }
}

/// The words of languages, for a sentence.
pub(crate) fn words(languages: impl IntoIterator<Item = Language>) -> String {
    languages.into_iter().map(Language::word).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_known_by_its_word_and_by_what_people_call_it() {
        for language in Language::ALL {
            assert_eq!(language.word().parse(), Ok(language));
            assert_eq!(language.title().parse(), Ok(language));
        }
        assert_eq!("JS".parse(), Ok(Language::JavaScript));
    }

    #[test]
    fn an_unknown_language_is_refused_with_those_that_there_are() {
        assert_eq!(
            "cobol".parse::<Language>().unwrap_err().to_string(),
            "`cobol` is no language of models, expected one of: rust, c, cpp, zig, go, python, javascript, \
             typescript, assemblyscript"
        );
    }
}
