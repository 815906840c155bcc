//! Sources: which files of a project in C or C++ are compiled, and where headers are looked for.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use include_dir::Dir;

use crate::BuildError;
use crate::build::file;

/// Where the library is in a project that brings it along, as those of `understudy new` do.
const VENDORED: &str = "vendor/understudy/understudy.h";

/// The files of the library, for projects that do not bring it along.
const LIBRARY: [(&str, &str); 3] = [
    ("understudy.h", include_str!("../../../../c/understudy.h")),
    ("understudy.c", include_str!("../../../../c/understudy.c")),
    ("understudy.hpp", include_str!("../../../../cpp/understudy.hpp")),
];

/// The sources of one project, in an order that does not depend on the folder that it lies in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sources {
    /// Files whose names end in one of the endings that were asked for, relative to the project or absolute.
    files: Vec<PathBuf>,
    /// Folders with headers.
    include: Vec<PathBuf>,
}

impl Sources {
    /// Finds the sources of a project: below `src/`, or beside each other where there is no such folder, and below
    /// `vendor/`. A library that the project does not have is written into `work`.
    pub(crate) fn find(project: &Path, work: &Path, endings: &[&str]) -> Result<Self, BuildError> {
        let mut sources = Self::default();
        if project.join("src").is_dir() {
            sources.add(project, Path::new("src"), true, endings)?;
            sources.include.push("src".into());
        } else {
            sources.add(project, Path::new(""), false, endings)?;
            sources.include.push(".".into());
        }
        if project.join("include").is_dir() {
            sources.include.push("include".into());
        }
        if project.join("vendor").is_dir() {
            sources.add(project, Path::new("vendor"), true, endings)?;
            for folder in entries(&project.join("vendor"))? {
                if folder.is_dir() {
                    sources.include.extend(folder.strip_prefix(project).map(PathBuf::from));
                }
            }
        }
        if !project.join(VENDORED).is_file() {
            for (name, text) in LIBRARY {
                let path = work.join(name);
                fs::write(&path, text).map_err(|why| file(&path, why))?;
                if endings.iter().any(|ending| name.ends_with(ending)) {
                    sources.files.push(path);
                }
            }
            sources.include.push(work.to_owned());
        }
        Ok(sources)
    }

    /// The files with this ending.
    pub(crate) fn with_ending(&self, endings: &[&str]) -> Vec<&Path> {
        let fits = |path: &&PathBuf| {
            let name = path.to_string_lossy();
            endings.iter().any(|ending| name.ends_with(ending))
        };
        self.files.iter().filter(fits).map(PathBuf::as_path).collect()
    }

    /// Arguments that say where headers are.
    pub(crate) fn include_flags(&self) -> impl Iterator<Item = OsString> {
        self.include.iter().map(|folder| {
            let mut flag = OsString::from("-I");
            flag.push(folder);
            flag
        })
    }

    fn add(
        &mut self,
        project: &Path,
        folder: &Path,
        with_inner: bool,
        endings: &[&str],
    ) -> Result<(), BuildError> {
        for path in entries(&project.join(folder))? {
            let Ok(relative) = path.strip_prefix(project) else { continue };
            let name = relative.to_string_lossy();
            if path.is_dir() {
                if with_inner {
                    self.add(project, relative, true, endings)?;
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                self.files.push(relative.to_owned());
            }
        }
        Ok(())
    }
}

/// Writes the files of a library into a folder.
pub(crate) fn write_library(library: &Dir<'_>, folder: &Path) -> Result<(), BuildError> {
    for source in library.files() {
        let path = folder.join(source.path());
        fs::write(&path, source.contents()).map_err(|why| file(&path, why))?;
    }
    Ok(())
}

/// What is in a folder, in the order of the names.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let read = fs::read_dir(folder).and_then(|entries| {
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
    });
    let mut paths = read.map_err(|why| file(folder, why))?;
    paths.sort_unstable();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(files: &[&str]) -> Sources {
        let folder = tempfile::tempdir().unwrap();
        let work = folder.path().join("work");
        let project = folder.path().join("project");
        fs::create_dir(&work).unwrap();
        for name in files {
            let path = project.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let mut sources = Sources::find(&project, &work, &[".c"]).unwrap();
        for path in sources.files.iter_mut().chain(&mut sources.include) {
            if let Ok(inner) = path.strip_prefix(&work) {
                *path = Path::new("WORK").join(inner);
            }
        }
        sources
    }

    fn check(files: &[&str], expected: &[&str], include: &[&str]) {
        let found = find(files);
        assert_eq!(found.files, expected.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(found.include, include.iter().map(PathBuf::from).collect::<Vec<_>>());
    }

    #[test]
    fn sources_are_those_of_src_and_vendor_but_no_tests() {
        check(
            &[
                "src/model.c",
                "src/a/b.c",
                "src/a.h",
                "tests/model_test.c",
                "include/model.h",
                "vendor/understudy/understudy.h",
                "vendor/understudy/understudy.c",
            ],
            &["src/a/b.c", "src/model.c", "vendor/understudy/understudy.c"],
            &["src", "include", "vendor/understudy"],
        );
    }

    #[test]
    fn a_project_without_the_library_gets_it() {
        check(&["model.c", "inner/other.c"], &["model.c", "WORK/understudy.c"], &[".", "WORK/"]);
    }
}
