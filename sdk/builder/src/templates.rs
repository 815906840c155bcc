//! Templates: what `understudy new` writes.
//!
//! A template is a folder of `sdk/`, which works where it lies and is tested there. Its model is called `my-model`, and
//! that word, in its three spellings, becomes the name of the new one. The library of the language comes along, since no
//! registry has it.

use std::fs;
use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry};

use crate::{Language, languages};

/// How long the name of a model may be.
const NAME_LETTERS_MAX: usize = 64;
/// Names that some language needs for itself.
const TAKEN: [&str; 12] = [
    "build",
    "con",
    "core",
    "internal",
    "main",
    "model",
    "nul",
    "std",
    "target",
    "test",
    "understudy",
    "vendor",
];
/// Folders with the library of a language, which nobody is to change.
const LIBRARIES: [&str; 3] = ["third_party", "understudy_model", "vendor"];
/// Folders that tools leave in a template when somebody works on it there.
const LEFT_BY_TOOLS: [&str; 7] =
    ["target", "node_modules", "__pycache__", ".zig-cache", "zig-out", ".venv", "build"];

/// What a new project of a language is made of.
pub(crate) struct Template {
    /// Folders and files, each with its place in the project.
    pub(crate) parts: Vec<Part>,
    /// Texts that read otherwise in a project: of every file, before the name of the model is put in.
    pub(crate) replaced: &'static [(&'static str, &'static str)],
}

/// One part of a [`Template`].
pub(crate) enum Part {
    /// A folder, whose contents go into a folder of the project; `""` is the project itself.
    Folder(&'static str, &'static Dir<'static>),
    /// A file, with its path in the project.
    File(&'static str, &'static str),
}

/// Why a name cannot be that of a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Because of its letters.
    #[error(
        "a model cannot be called `{0}`, expected small letters, digits and single `-` between them, a letter first, \
         and at most {NAME_LETTERS_MAX}"
    )]
    Letters(String),
    /// Because it means something else.
    #[error(
        "a model cannot be called `{0}`, since that word means something to tools; expected another name"
    )]
    Taken(String),
}

/// Why a project was not written.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// Because of its name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Because its folder is there already.
    #[error("{0} is there already, expected a name that is free")]
    Exists(PathBuf),
    /// Because there is no template for its language.
    #[error("there is no template for {} yet, expected one of: {}", .0.title(), languages::templated())]
    NoTemplate(Language),
    /// Because a file cannot be written.
    #[error("cannot write {path}: {why}")]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
}

/// A project that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its folder.
    pub folder: PathBuf,
    /// Its files, relative to the folder, in order; those of the library are not among them.
    pub files: Vec<PathBuf>,
}

/// Says whether a model can have this name in every language.
///
/// # Errors
///
/// Where it cannot.
pub fn check_name(name: &str) -> Result<(), NameError> {
    let is_plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    let letters = name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name.chars().all(is_plain)
        && !name.ends_with('-')
        && !name.contains("--")
        && name.len() <= NAME_LETTERS_MAX;
    if !letters {
        return Err(NameError::Letters(name.to_owned()));
    }
    let is_taken =
        TAKEN.contains(&name) || Language::ALL.iter().any(|language| language.word() == name);
    if is_taken { Err(NameError::Taken(name.to_owned())) } else { Ok(()) }
}

/// Writes a new project into the folder `name` of `parent`.
///
/// It appears whole or not at all.
///
/// # Errors
///
/// Where the name cannot be or is taken, or the folder cannot be written.
pub fn write_project(parent: &Path, language: Language, name: &str) -> Result<Written, NewError> {
    check_name(name)?;
    let folder = parent.join(name);
    if folder.symlink_metadata().is_ok() {
        return Err(NewError::Exists(folder));
    }
    let template = languages::support(language).template().ok_or(NewError::NoTemplate(language))?;
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        |why| NewError::Unwritable { path, why }
    };
    let partial =
        tempfile::Builder::new().prefix(".new-").tempdir_in(parent).map_err(unwritable(parent))?;
    let inner = partial.path().join(name);
    let mut files = Vec::new();
    for (path, bytes) in template.files(name) {
        let whole = inner.join(&path);
        let above = whole.parent().unwrap_or(&inner);
        fs::create_dir_all(above).map_err(unwritable(above))?;
        fs::write(&whole, bytes).map_err(unwritable(&whole))?;
        files.push(path);
    }
    fs::rename(&inner, &folder).map_err(unwritable(&folder))?;
    files.retain(|path| !LIBRARIES.iter().any(|library| path.starts_with(library)));
    files.sort_unstable();
    Ok(Written { folder, files })
}

impl Template {
    /// The files of a project of this name, each with its path.
    fn files(&self, name: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        for part in &self.parts {
            match part {
                Part::Folder(into, folder) => self.add(Path::new(into), folder, name, &mut files),
                Part::File(path, text) => {
                    files.push((
                        PathBuf::from(renamed(path, name)),
                        self.written(text.as_bytes(), name),
                    ));
                }
            }
        }
        files
    }

    fn add(&self, into: &Path, folder: &Dir<'_>, name: &str, files: &mut Vec<(PathBuf, Vec<u8>)>) {
        for entry in folder.entries() {
            let Some(file_name) = entry.path().file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            match entry {
                DirEntry::Dir(_) if LEFT_BY_TOOLS.contains(&file_name) => {}
                DirEntry::Dir(inner) => {
                    self.add(&into.join(renamed(file_name, name)), inner, name, files);
                }
                DirEntry::File(file) => {
                    files.push((
                        into.join(renamed(file_name, name)),
                        self.written(file.contents(), name),
                    ));
                }
            }
        }
    }

    /// The bytes of a file in a project of this name.
    fn written(&self, bytes: &[u8], name: &str) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(bytes) else { return bytes.to_vec() };
        let mut text = text.to_owned();
        for (from, to) in self.replaced {
            text = text.replace(from, to);
        }
        renamed(&text, name).into_bytes()
    }
}

/// A text with the name of the model for `my-model`, in each spelling.
fn renamed(text: &str, name: &str) -> String {
    let capitalised = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    };
    let pascal: String = name.split('-').map(capitalised).collect();
    text.replace("my-model", name)
        .replace("my_model", &name.replace('-', "_"))
        .replace("MyModel", &pascal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_in_every_language() {
        for good in ["a", "late-flights", "gbdt2"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in
            ["", "2nd", "-a", "a-", "a--b", "A", "a_b", "a b", "../a", "a/b", "é", &"a".repeat(65)]
        {
            assert_eq!(check_name(bad), Err(NameError::Letters(bad.to_owned())));
        }
        for taken in ["test", "rust", "std"] {
            assert_eq!(check_name(taken), Err(NameError::Taken(taken.to_owned())));
        }
    }

    #[test]
    fn the_name_is_put_in_in_each_spelling() {
        let text = "struct MyModel; // my-model, in my_model.rs";
        assert_eq!(
            renamed(text, "late-flights"),
            "struct LateFlights; // late-flights, in late_flights.rs"
        );
    }

    #[test]
    fn every_language_with_a_template_gives_a_project_of_that_name() {
        let parent = tempfile::tempdir().unwrap();
        let with_template = Language::ALL
            .into_iter()
            .filter(|language| languages::support(*language).template().is_some());
        for language in with_template {
            let name = format!("late-{language}");
            let written = write_project(parent.path(), language, &name).unwrap();
            let project = crate::Project::find(&written.folder).unwrap();
            assert_eq!(project.language(), language);
            assert_eq!(project.name(), name);
            assert!(project.metadata().version.is_some(), "{language}");
            for file in ["README.md", "samples.jsonl", ".gitignore"] {
                assert!(written.files.contains(&PathBuf::from(file)), "{language}: {file}");
            }
            for file in &written.files {
                let Ok(text) = fs::read_to_string(written.folder.join(file)) else { continue };
                for left in ["my-model", "my_model", "MyModel"] {
                    assert!(
                        !text.contains(left),
                        "{language}: {left} is left in {}",
                        file.display()
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_there_stays_there() {
        let parent = tempfile::tempdir().unwrap();
        fs::create_dir(parent.path().join("late")).unwrap();
        let why = write_project(parent.path(), Language::Rust, "late").unwrap_err().to_string();
        assert!(why.ends_with("late is there already, expected a name that is free"), "{why}");
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1, "nothing is left behind");
    }
}
