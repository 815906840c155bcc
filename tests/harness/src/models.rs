//! A folder of models in a place of its own, filled the way a careful operator does it.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder of models, removed when dropped.
#[derive(Debug)]
pub struct Models {
    /// Holds the folder, so that a test can rename it away.
    around: TempDir,
}

impl Models {
    /// A folder without an endpoint.
    ///
    /// # Panics
    ///
    /// Where it cannot be made.
    pub fn new() -> Self {
        let around = tempfile::tempdir().expect("a temporary folder");
        let models = Self { around };
        fs::create_dir(models.path()).expect("a folder of models");
        models
    }

    /// A folder with one endpoint, whose champion is this guest under the name `champion`. Its deadline is so long that
    /// a busy machine does not lead to the default.
    pub fn with_champion(endpoint: &str, guest: &str) -> Self {
        let models = Self::new();
        models.install(endpoint, "champion", crate::guest(guest));
        models.policy(endpoint, "deadline = '20s'\n[roles]\nchampion = 'champion'\n");
        models
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.around.path().join("models")
    }

    /// A place beside it, on the same file system, that no host looks at.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.around.path().join(name)
    }

    /// A file of an endpoint, whose folder is there from now on.
    ///
    /// # Panics
    ///
    /// Where the folder cannot be made.
    pub fn file(&self, endpoint: &str, name: &str) -> PathBuf {
        let folder = self.path().join(endpoint);
        fs::create_dir_all(&folder).expect("the folder of an endpoint");
        folder.join(name)
    }

    /// Installs a component under the name of a model: written elsewhere, then renamed into its place.
    pub fn install(&self, endpoint: &str, model: &str, wasm: impl AsRef<[u8]>) {
        self.place(&self.file(endpoint, &format!("{model}.wasm")), wasm.as_ref());
    }

    /// Takes a model away.
    ///
    /// # Panics
    ///
    /// Where it is not there.
    pub fn remove(&self, endpoint: &str, model: &str) {
        fs::remove_file(self.file(endpoint, &format!("{model}.wasm"))).expect("a model to remove");
    }

    /// Replaces `endpoint.toml`.
    pub fn policy(&self, endpoint: &str, toml: &str) {
        self.place(&self.file(endpoint, "endpoint.toml"), toml.as_bytes());
    }

    /// Replaces the manifest of a model.
    pub fn manifest(&self, endpoint: &str, model: &str, toml: &str) {
        self.place(&self.file(endpoint, &format!("{model}.toml")), toml.as_bytes());
    }

    fn place(&self, file: &Path, contents: &[u8]) {
        let name = file.file_name().expect("invariant: a file has a name").to_string_lossy();
        let elsewhere = self.beside(&format!("{name}.new"));
        fs::write(&elsewhere, contents).expect("a file beside the models");
        fs::rename(&elsewhere, file).expect("a file in its place");
    }
}

impl Default for Models {
    fn default() -> Self {
        Self::new()
    }
}
