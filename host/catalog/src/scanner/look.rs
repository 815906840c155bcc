//! One look at the folder: which endpoints there are, and the state of each of their files.
//!
//! Nothing is opened here. Links are followed as long as they stay inside the folder, which is how
//! whole versions of it are swapped (`..data`).

use std::collections::BTreeMap;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use message::EndpointName;

use crate::file::{self, Signature};
use crate::problem::Problem;
use crate::units::{Name, Text, is_name};

/// The name of an endpoint's configuration in its folder.
pub(super) const ENDPOINT_FILE: &str = "endpoint.toml";

/// What one look saw.
#[derive(Debug, Default)]
pub(super) struct Sight {
    /// The files of each endpoint by name: components, manifests, the configuration.
    pub(super) endpoints: BTreeMap<EndpointName, BTreeMap<String, Seen>>,
    /// Folders in which no endpoint can be seen, by their way from the top.
    pub(super) hollow: BTreeMap<PathBuf, Hollow>,
    /// The folders whose changes matter, each with its device and inode.
    pub(super) folders: BTreeMap<PathBuf, (u64, u64)>,
    pub(super) problems: Vec<Problem>,
}

/// Why no endpoint can be seen in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hollow {
    /// Because nothing in it is one.
    Empty,
    /// Because it cannot be listed.
    Unreadable(String),
}

/// A file as it was seen.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Seen {
    /// When it is a regular file, perhaps by way of a link.
    File {
        /// The file itself.
        target: PathBuf,
        signature: Signature,
    },
    /// When it is something else; says what.
    Odd(String),
}

/// Looks at the folder `dir`.
pub(super) fn look(dir: &Path) -> Sight {
    let mut look = Look { dir, top: PathBuf::new(), sight: Sight::default() };
    match dir.canonicalize() {
        Ok(top) => {
            look.top = top;
            look.walk();
        }
        Err(error) => look.unreadable(Path::new(""), format!("no folder ({error})")),
    }
    if look.sight.endpoints.is_empty() {
        look.sight.hollow.entry(PathBuf::new()).or_insert(Hollow::Empty);
    }
    look.sight
}

struct Look<'a> {
    dir: &'a Path,
    /// The folder without links, to which links must lead.
    top: PathBuf,
    sight: Sight,
}

#[derive(Default)]
struct Folder {
    files: BTreeMap<String, Seen>,
    folders: Vec<String>,
}

impl Folder {
    fn is_configured(&self) -> bool {
        self.files.contains_key(ENDPOINT_FILE)
    }

    fn is_endpoint(&self) -> bool {
        self.is_configured() || self.files.keys().any(|name| name.ends_with(".wasm"))
    }
}

impl Look<'_> {
    fn walk(&mut self) {
        let Some(top) = self.list(Path::new("")) else { return };
        self.strays(Path::new(""), &top);
        for name in &top.folders {
            self.endpoint_or_tenant(Path::new(name));
        }
    }

    fn endpoint_or_tenant(&mut self, relative: &Path) {
        let Some(folder) = self.list(relative) else { return };
        if folder.is_configured() {
            return self.endpoint(relative, folder);
        }
        let mut children = Vec::new();
        for name in &folder.folders {
            let relative = relative.join(name);
            match self.list(&relative) {
                Some(child) if child.is_endpoint() => children.push((relative, child)),
                Some(_) => self.empty(&relative),
                None => {}
            }
        }
        // A component that was dropped beside endpoints must not make one endpoint of them all.
        if children.is_empty() && folder.is_endpoint() {
            self.endpoint(relative, folder);
        } else if children.is_empty() {
            self.empty(relative);
        } else {
            self.strays(relative, &folder);
            children.into_iter().for_each(|(relative, child)| self.endpoint(&relative, child));
        }
    }

    fn endpoint(&mut self, relative: &Path, folder: Folder) {
        if let Some(name) = relative.to_str() {
            self.sight.endpoints.insert(name.into(), folder.files);
        }
    }

    fn strays(&mut self, relative: &Path, folder: &Folder) {
        let stray = |name: &&String| name.ends_with(".wasm") || *name == ENDPOINT_FILE;
        for name in folder.files.keys().filter(stray) {
            let problem = Problem::new(self.dir.join(relative).join(name), "a file by itself");
            self.sight.problems.push(problem.expected("it in the folder of an endpoint"));
        }
    }

    fn empty(&mut self, relative: &Path) {
        self.sight.hollow.insert(relative.to_owned(), Hollow::Empty);
    }

    fn unreadable(&mut self, relative: &Path, found: String) {
        self.sight.hollow.insert(relative.to_owned(), Hollow::Unreadable(found));
    }

    /// Lists what may be of interest in a folder. `None`: it cannot be listed, which is noted.
    fn list(&mut self, relative: &Path) -> Option<Folder> {
        match self.try_list(relative) {
            Ok(folder) => Some(folder),
            Err(error) => {
                self.unreadable(relative, format!("a folder that cannot be listed ({error})"));
                None
            }
        }
    }

    fn try_list(&mut self, relative: &Path) -> io::Result<Folder> {
        let path = self.dir.join(relative);
        let metadata = fs::metadata(&path)?;
        self.sight.folders.insert(relative.to_owned(), (metadata.dev(), metadata.ino()));
        let mut folder = Folder::default();
        for entry in fs::read_dir(&path)? {
            let entry = entry?;
            // What is hidden is not finished, or not ours: `.gbdt.wasm.x7Kq2w`, `..data`, `.git`.
            match entry.file_name().to_str() {
                Some(name) if name.starts_with('.') => {}
                Some(name) => self.entry(relative, name, &entry, &mut folder),
                None => self.misnamed(&entry.path()),
            }
        }
        Ok(folder)
    }

    fn entry(&mut self, relative: &Path, name: &str, entry: &DirEntry, folder: &mut Folder) {
        let path = entry.path();
        let of_interest = name.ends_with(".wasm") || name.ends_with(".toml");
        let found = match entry.metadata() {
            Ok(metadata) if metadata.is_symlink() => self.follow(&path),
            Ok(metadata) => Ok((path.clone(), metadata)),
            // It is gone again.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => Err(format!("no way to tell what it is ({error})")),
        };
        match found {
            Ok((_, metadata)) if metadata.is_dir() && !of_interest => {
                if is_name(name) {
                    folder.folders.push(name.to_owned());
                } else {
                    self.misnamed(&path);
                }
            }
            Err(found) if !of_interest => self.unreadable(&relative.join(name), found),
            _ if !of_interest => {}
            _ if !is_name(name) => self.misnamed(&path),
            Ok((target, metadata)) => {
                folder.files.insert(name.to_owned(), Seen::new(target, &metadata));
            }
            Err(found) => {
                folder.files.insert(name.to_owned(), Seen::Odd(found));
            }
        }
    }

    /// Follows a link to where it ends, which must be inside the folder and not above itself.
    fn follow(&self, path: &Path) -> Result<(PathBuf, Metadata), String> {
        let target = path.canonicalize().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "a link that leads nowhere".to_owned(),
            _ => format!("a link that cannot be followed ({error})"),
        })?;
        let above = path.parent().and_then(|parent| parent.canonicalize().ok());
        if !target.starts_with(&self.top) {
            Err("a link that leads out of the folder".to_owned())
        } else if above.is_some_and(|above| above.starts_with(&target)) {
            Err("a link that leads back to a folder above it".to_owned())
        } else {
            let metadata = fs::metadata(&target)
                .map_err(|error| format!("a link that cannot be followed ({error})"))?;
            Ok((target, metadata))
        }
    }

    /// Notes a name that cannot be used, if what bears it was meant for us.
    fn misnamed(&mut self, path: &Path) {
        let extension = |path: &Path| {
            path.extension().is_some_and(|extension| extension == "wasm" || extension == "toml")
        };
        let holds_ours = || {
            let entries = fs::read_dir(path).into_iter().flatten().flatten();
            entries.map(|entry| entry.path()).any(|path| extension(&path))
        };
        if extension(path) || holds_ours() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let problem = Problem::new(path, format!("the name {name:?}"));
            self.sight.problems.push(problem.expected(Name::EXPECTED));
        }
    }
}

impl Seen {
    fn new(target: PathBuf, metadata: &Metadata) -> Self {
        if metadata.is_file() {
            Self::File { target, signature: Signature::of(metadata) }
        } else {
            Self::Odd(file::kind(metadata).to_owned())
        }
    }
}
