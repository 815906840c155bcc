//! A folder of models for one measurement, and the artefacts that go into it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

/// The models of an endpoint where each request is asked of three.
pub(crate) const THREE_MODELS: [&str; 3] = ["gbdt", "logit", "base-rate"];

const THREE: &str = "\
deadline = '1min'
[roles]
champion = 'gbdt'
challengers = ['logit']
fallback = 'base-rate'
[policy]
kind = 'preference'
order = [{ model = 'gbdt' }, { model = 'logit' }]
";

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A component of the flights example.
pub(crate) fn flight_model(name: &str) -> Result<Vec<u8>> {
    let file = root().join(format!("examples/flights/folder/flights/{name}.wasm"));
    fs::read(&file).with_context(|| format!("cannot read {}", file.display()))
}

/// The component with another digest: a custom section at its end says `number`.
pub(crate) fn edition(component: &[u8], number: u64) -> Vec<u8> {
    const NAME: &[u8] = b"edition";
    let mut edition = component.to_vec();
    let length = 1 + NAME.len() + 8;
    edition.extend([0, u8::try_from(length).expect("invariant: it is short")]);
    edition.push(u8::try_from(NAME.len()).expect("invariant: it is short"));
    edition.extend(NAME);
    edition.extend(number.to_le_bytes());
    edition
}

/// A folder of models and one of data, which go when it is dropped.
///
/// They lie below `target`, since a temporary folder of the system may lie in memory.
pub(crate) struct Folder {
    directory: TempDir,
}

impl Folder {
    /// Makes an empty one.
    pub(crate) fn new() -> Result<Self> {
        let target = root().join("target");
        fs::create_dir_all(&target)?;
        let directory = TempDir::with_prefix_in("bench-", target)?;
        fs::create_dir(directory.path().join("models"))?;
        fs::create_dir(directory.path().join("fresh"))?;
        Ok(Self { directory })
    }

    /// Where everything lies.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The folder that a host watches.
    pub(crate) fn models(&self) -> PathBuf {
        self.path().join("models")
    }

    /// The folder of streams and caches.
    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// Writes the configuration that a host in this folder reads.
    pub(crate) fn configure(&self, toml: &str) -> Result<()> {
        Ok(fs::write(self.path().join("understudy.toml"), toml)?)
    }

    /// Adds an endpoint.
    pub(crate) fn endpoint(&self, name: &str, toml: &str) -> Result<()> {
        let endpoint = self.models().join(name);
        fs::create_dir_all(&endpoint)?;
        Ok(fs::write(endpoint.join("endpoint.toml"), toml)?)
    }

    /// Adds the endpoint `flights` with [three models](THREE_MODELS), or has it say something else from now on.
    pub(crate) fn three_models(&self, more: &str) -> Result<()> {
        self.endpoint("flights", &format!("{THREE}{more}"))?;
        let models = self.models().join("flights");
        let missing =
            THREE_MODELS.into_iter().filter(|model| !models.join(format!("{model}.wasm")).exists());
        missing.into_iter().try_for_each(|it| self.place("flights", it, &flight_model(it)?))
    }

    /// Puts a model into its endpoint's folder, whole at once.
    pub(crate) fn place(&self, endpoint: &str, model: &str, component: &[u8]) -> Result<()> {
        let file = format!("{model}.wasm");
        let fresh = self.path().join("fresh").join(&file);
        fs::write(&fresh, component)?;
        Ok(fs::rename(fresh, self.models().join(endpoint).join(file))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edition_differs_in_a_section_that_means_nothing() {
        let component = *b"\0asm\x0d\0\x01\0";
        let edition = edition(&component, 7);
        assert_eq!(edition[..8], component);
        assert_eq!(edition[8..], *b"\0\x10\x07edition\x07\0\0\0\0\0\0\0");
    }

    #[test]
    fn a_model_is_placed_below_its_endpoint() {
        let folder = Folder::new().unwrap();
        folder.endpoint("e", "deadline = '1s'").unwrap();
        folder.place("e", "m", b"bytes").unwrap();
        assert_eq!(fs::read(folder.models().join("e/m.wasm")).unwrap(), b"bytes");
    }
}
