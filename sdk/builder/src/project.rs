//! Projects: a folder with the ordinary files of its language, and what those say of the model.
//!
//! `model.toml` says what they cannot. Where both say something, `model.toml` is right.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::languages::{self, Sign};
use crate::{Language, Metadata, UnknownLanguage};

/// The name of the file that says what those of the language cannot.
pub(crate) const MODEL_TOML: &str = "model.toml";

/// A folder that a model can be built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    folder: PathBuf,
    language: Language,
    name: String,
    main: Option<PathBuf>,
    metadata: Metadata,
}

/// Why a folder is no project.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// Because a file or folder cannot be read.
    #[error("cannot read {path}: {why}")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// Because a file does not have the form that it should have.
    #[error("{path}: {why}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Because `model.toml` names a language that there is none of.
    #[error("{path}: {why}")]
    Language {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: UnknownLanguage,
    },
    /// Because nothing says which language it is in.
    #[error(
        "{folder} has no file that says which language the model is in, expected one of {}; or say it in \
         {MODEL_TOML}, as in `language = \"c\"`",
        languages::signs()
    )]
    NoLanguage {
        /// The folder.
        folder: PathBuf,
    },
    /// Because several languages could be meant.
    #[error(
        "{folder} could be in several languages ({found}), expected one; say which in {MODEL_TOML}, as in \
         `language = \"{first}\"`"
    )]
    Ambiguous {
        /// The folder.
        folder: PathBuf,
        /// The languages, each with the file that speaks for it.
        found: String,
        /// One of them.
        first: Language,
    },
    /// Because the name cannot be that of a file.
    #[error(
        "{folder}: the model is called `{name}`, expected letters, digits, `-`, `_` and `.` only"
    )]
    Name {
        /// The folder.
        folder: PathBuf,
        /// The name.
        name: String,
    },
}

/// What `model.toml` may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelToml {
    name: Option<String>,
    version: Option<String>,
    authors: Option<Authors>,
    description: Option<String>,
    license: Option<String>,
    source: Option<String>,
    homepage: Option<String>,
    language: Option<String>,
    main: Option<PathBuf>,
}

/// One author, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Authors {
    One(String),
    Many(Vec<String>),
}

impl Project {
    /// Reads what a folder says of its model.
    ///
    /// # Errors
    ///
    /// Where it says nothing, or something that cannot be.
    pub fn find(folder: &Path) -> Result<Self, ProjectError> {
        let unreadable = |why| ProjectError::Unreadable { path: folder.to_owned(), why };
        let folder = folder.canonicalize().map_err(unreadable)?;
        if !folder.is_dir() {
            return Err(unreadable(std::io::ErrorKind::NotADirectory.into()));
        }
        let said = read_model_toml(&folder)?;
        let language = match &said.language {
            Some(word) => word
                .parse()
                .map_err(|why| ProjectError::Language { path: folder.join(MODEL_TOML), why })?,
            None => language_of(&folder)?,
        };
        let manifest = languages::support(language).manifest(&folder)?;
        let name = said.name.or(manifest.name).unwrap_or_else(|| name_of(&folder));
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(is_plain) {
            return Err(ProjectError::Name { folder, name });
        }
        let authors = said.authors.map(|authors| match authors {
            Authors::One(author) => author,
            Authors::Many(authors) => authors.join(", "),
        });
        let metadata = Metadata {
            name: Some(name.clone()),
            version: said.version.or(manifest.version),
            authors: authors.or(manifest.authors),
            description: said.description.or(manifest.description),
            licenses: said.license.or(manifest.license),
            source: said.source.or(manifest.source),
            homepage: said.homepage.or(manifest.homepage),
            revision: None,
        };
        Ok(Self { folder, language, name, main: said.main.or(manifest.main), metadata })
    }

    /// The folder, as an absolute path.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The name of the model: of `model.toml`, else of the language's own file, else of the folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The main source file, where one is named; relative to the folder.
    pub fn main(&self) -> Option<&Path> {
        self.main.as_deref()
    }

    /// What the component will say about itself, but for the revision of its source.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The samples of the model, which need not be there.
    pub fn samples(&self) -> PathBuf {
        self.folder.join("samples.jsonl")
    }
}

fn read_model_toml(folder: &Path) -> Result<ModelToml, ProjectError> {
    let path = folder.join(MODEL_TOML);
    match read(&path)? {
        None => Ok(ModelToml::default()),
        Some(text) => toml::from_str(&text).map_err(|error| malformed(&path, error)),
    }
}

/// The language that the files of a folder speak for.
fn language_of(folder: &Path) -> Result<Language, ProjectError> {
    let signs = Language::ALL
        .into_iter()
        .filter_map(|language| Some((language, languages::support(language).sign(folder)?)));
    let mut signs: Vec<_> = signs.collect();
    // A C file beside Cargo.toml belongs to the Rust project.
    if signs.iter().any(|(_, sign)| matches!(sign, Sign::Manifest(_))) {
        signs.retain(|(_, sign)| matches!(sign, Sign::Manifest(_)));
    }
    // A program in C++ may have files in C.
    if signs.iter().any(|(language, _)| *language == Language::Cpp) {
        signs.retain(|(language, _)| *language != Language::C);
    }
    match signs.as_slice() {
        [] => Err(ProjectError::NoLanguage { folder: folder.to_owned() }),
        [(language, _)] => Ok(*language),
        [(first, _), ..] => {
            let shown =
                |(language, sign): &(Language, Sign)| format!("{sign} for {}", language.title());
            Err(ProjectError::Ambiguous {
                folder: folder.to_owned(),
                found: signs.iter().map(shown).collect::<Vec<_>>().join(", "),
                first: *first,
            })
        }
    }
}

fn name_of(folder: &Path) -> String {
    folder.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned())
}

/// The text of a file, or nothing where there is none.
pub(crate) fn read(path: &Path) -> Result<Option<String>, ProjectError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(ProjectError::Unreadable { path: path.to_owned(), why }),
    }
}

/// Says that a file does not have its form.
pub(crate) fn malformed(path: &Path, why: impl std::fmt::Display) -> ProjectError {
    ProjectError::Malformed { path: path.to_owned(), why: why.to_string().trim_end().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::Builder::new().prefix("late-").tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn language(files: &[(&str, &str)]) -> Language {
        Project::find(folder(files).path()).unwrap().language()
    }

    fn refused(files: &[(&str, &str)]) -> String {
        Project::find(folder(files).path()).unwrap_err().to_string()
    }

    #[test]
    fn the_language_is_known_from_the_files() {
        let cargo = ("Cargo.toml", "[package]\nname = \"late\"\n");
        let package = ("package.json", "{\"name\": \"late\", \"version\": \"1.0.0\"}");
        for (files, expected) in [
            (&[cargo][..], Language::Rust),
            (&[("src/model.c", "")], Language::C),
            (&[("model.cpp", ""), ("table.c", "")], Language::Cpp),
            (&[("go.mod", "module late\n")], Language::Go),
            (&[package], Language::JavaScript),
            (&[package, ("tsconfig.json", "{}")], Language::TypeScript),
            (&[package, ("asconfig.json", "{}")], Language::AssemblyScript),
            // What helps to train a model does not say what it is written in.
            (&[cargo, ("train.py", ""), ("src/table.c", "")], Language::Rust),
            (&[("model.toml", "language = \"C++\"\n"), ("model.c", "")], Language::Cpp),
        ] {
            assert_eq!(language(files), expected, "{files:?}");
        }
    }

    #[test]
    fn model_toml_is_right_where_both_say_something() {
        let cargo = "[package]\nname = \"late\"\nversion = \"1.0.0\"\nlicense = \"MIT\"\n";
        let said =
            "name = \"later\"\nauthors = [\"Ada\", \"Bob\"]\nsource = \"https://example.org\"\n";
        let folder = folder(&[("Cargo.toml", cargo), ("model.toml", said)]);
        let project = Project::find(folder.path()).unwrap();
        assert_eq!(project.name(), "later");
        let metadata = project.metadata();
        assert_eq!(metadata.version.as_deref(), Some("1.0.0"));
        assert_eq!(metadata.authors.as_deref(), Some("Ada, Bob"));
        assert_eq!(metadata.licenses.as_deref(), Some("MIT"));
    }

    #[test]
    fn a_folder_without_a_language_is_told_what_was_looked_for() {
        let why = refused(&[("notes.txt", "")]);
        assert!(why.contains("has no file that says which language the model is in"), "{why}");
        assert!(why.contains("Cargo.toml"), "{why}");
    }

    #[test]
    fn a_folder_in_two_languages_is_refused_with_the_files_that_say_so() {
        let why = refused(&[("Cargo.toml", ""), ("go.mod", "module late\n")]);
        assert!(why.contains("(Cargo.toml for Rust, go.mod for Go), expected one"), "{why}");
    }

    #[test]
    fn what_model_toml_may_not_say_is_refused_by_its_name() {
        let why = refused(&[("model.toml", "nmae = \"late\"\n")]);
        assert!(why.contains("model.toml") && why.contains("nmae"), "{why}");
        let why = refused(&[("model.toml", "language = \"cobol\"\n")]);
        assert!(why.contains("`cobol` is no language of models"), "{why}");
        let why = refused(&[("model.toml", "name = \"../late\"\n"), ("model.c", "")]);
        assert!(why.contains("the model is called `../late`"), "{why}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let why = Project::find(Path::new("/no/such/folder")).unwrap_err().to_string();
        assert!(why.starts_with("cannot read /no/such/folder: "), "{why}");
    }
}
