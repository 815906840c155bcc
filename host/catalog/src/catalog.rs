//! The catalog: what the folder says, at one moment, all of it good.
//!
//! A catalog is a value. Two of them are compared by [`diff`](crate::diff()), and what follows from
//! the difference is up to others.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use message::{EndpointName, ModelName, Revision};
use thiserror::Error;

use crate::endpoint::EndpointConfig;
use crate::file::{self, OpenError};
use crate::manifest::ModelManifest;
use crate::problem::Problem;

/// What the folder says at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalog {
    /// The endpoints, each in its last good version.
    pub endpoints: BTreeMap<EndpointName, Arc<EndpointSpec>>,
    /// What is wrong in the folder now, by file and line.
    pub problems: Vec<Problem>,
}

/// One endpoint as the folder says it.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointSpec {
    /// Its name.
    pub name: EndpointName,
    /// Its configuration.
    pub config: EndpointConfig,
    /// What the bytes of the file were that the configuration stands in, if there is one.
    pub digest: Option<Revision>,
    /// Its models.
    pub models: BTreeMap<ModelName, ModelFile>,
    /// Models of which nothing good was seen yet, and whose files may still be being written.
    pub coming: BTreeSet<ModelName>,
}

/// The artefact of a model as it lies in the folder. It is read only when somebody asks.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    /// Where it lies.
    pub path: PathBuf,
    /// What its bytes were when the folder was scanned.
    pub revision: Revision,
    /// How many bytes those were.
    pub size_bytes: u64,
    /// What the model may use and do.
    pub manifest: ModelManifest,
    /// The file itself where `path` is a link into the folder, otherwise `path`.
    pub(crate) target: PathBuf,
}

/// Why the bytes of a revision cannot be had.
#[derive(Debug, Error)]
pub enum ReadError {
    /// Because the file cannot be opened or read, or is not a regular file any more.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Because the file holds another revision by now; the next scan will tell.
    #[error("{} has changed: found other bytes, expected {}", path.display(), expected.short())]
    Changed {
        /// The file.
        path: PathBuf,
        /// The revision that was expected.
        expected: Revision,
    },
}

impl Catalog {
    /// The model of an endpoint.
    pub fn model(&self, endpoint: &str, model: &str) -> Option<&ModelFile> {
        self.endpoints.get(endpoint)?.models.get(model)
    }
}

impl ModelFile {
    /// Reads the artefact and makes sure that it is still this revision.
    ///
    /// Never waits for a writer, and never holds more than `size_bytes`.
    ///
    /// # Errors
    /// When the file cannot be read, or is another one by now. The next scan of the folder brings
    /// what it is then.
    pub fn read(&self) -> Result<Vec<u8>, ReadError> {
        let changed = || ReadError::Changed { path: self.path.clone(), expected: self.revision };
        let bytes = match file::read(&self.target, self.size_bytes) {
            Ok(bytes) => bytes,
            Err(OpenError::TooLarge { .. }) => return Err(changed()),
            Err(error) => {
                return Err(ReadError::Unreadable {
                    path: self.path.clone(),
                    source: error.into(),
                });
            }
        };
        if file::digest(&bytes) == self.revision { Ok(bytes) } else { Err(changed()) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn model(path: &Path, bytes: &[u8]) -> ModelFile {
        ModelFile {
            path: path.to_owned(),
            revision: file::digest(bytes),
            size_bytes: bytes.len() as u64,
            manifest: ModelManifest::default(),
            target: path.to_owned(),
        }
    }

    #[test]
    fn a_revision_is_read_only_while_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wasm");
        let model = model(&path, b"first");
        assert!(matches!(model.read(), Err(ReadError::Unreadable { .. })));
        fs::write(&path, b"first").unwrap();
        assert_eq!(model.read().unwrap(), b"first");
        for other in [b"other".as_slice(), b"first and more", b"firs", b""] {
            fs::write(&path, other).unwrap();
            assert!(matches!(model.read(), Err(ReadError::Changed { .. })));
        }
    }

    #[test]
    fn neither_a_link_nor_a_folder_is_read_in_place_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wasm");
        fs::write(folder.path().join("elsewhere"), b"first").unwrap();
        std::os::unix::fs::symlink("elsewhere", &path).unwrap();
        let model = model(&path, b"first");
        assert!(matches!(model.read(), Err(ReadError::Unreadable { .. })));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(model.read(), Err(ReadError::Unreadable { .. })));
    }
}
