//! How far a mirror has come, as a file, with the salt that it must go on with.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::{fresh_salt, salt_of};

/// How far a mirror has come.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    /// What is read.
    topic: String,
    /// The next offset of each partition.
    next: BTreeMap<u32, u64>,
    /// In hexadecimal digits.
    salt: String,
}

impl Position {
    /// Reads a file, if it is there.
    pub(super) fn read(file: &Path, topic: &str) -> Result<Option<Self>> {
        if !file.exists() {
            return Ok(None);
        }
        let name = file.display();
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
        let position: Self = serde_json::from_str(&text)
            .with_context(|| format!("{name}: found no position, expected one of a mirror"))?;
        let found = &position.topic;
        ensure!(found == topic, "{name}: found the position of {found}, expected that of {topic}");
        Ok(Some(position))
    }

    /// Says what is read, and with which salt.
    pub(super) fn begin(&mut self, topic: &str, salt_file: Option<&Path>) -> Result<()> {
        topic.clone_into(&mut self.topic);
        if let Some(file) = salt_file {
            let salt = digits_of(&salt_of(file)?);
            ensure!(
                self.salt.is_empty() || self.salt == salt,
                "found another salt in {} than the mirror was begun with",
                file.display()
            );
            self.salt = salt;
        } else if self.salt.is_empty() {
            self.salt = digits_of(&fresh_salt()?);
        }
        Ok(())
    }

    /// The bytes of the salt.
    pub(super) fn salt(&self) -> Result<Vec<u8>> {
        let digits = self.salt.as_bytes().chunks(2);
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let salt: Option<Vec<u8>> = digits.map(byte).collect();
        salt.context("found a salt that is not in hexadecimal digits")
    }

    /// The next offset of a partition, if it was begun.
    pub(super) fn next(&self, partition: u32) -> Option<u64> {
        self.next.get(&partition).copied()
    }

    /// Takes note of the next offset of a partition.
    pub(super) fn set(&mut self, partition: u32, next: u64) {
        self.next.insert(partition, next);
    }

    /// Writes the file, whole, for nobody else to read.
    pub(super) fn write(&self, file: &Path) -> Result<()> {
        let mut name = file.as_os_str().to_owned();
        name.push(".new");
        let fresh = Path::new(&name);
        let text = serde_json::to_string_pretty(self)?;
        let mut options = fs::OpenOptions::new();
        let opened = options.write(true).create(true).truncate(true).mode(0o600).open(fresh);
        let written = opened.and_then(|mut opened| {
            opened.write_all(text.as_bytes())?;
            opened.sync_all()?;
            fs::rename(fresh, file)
        });
        written.with_context(|| format!("cannot write {}", file.display()))
    }
}

fn digits_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_comes_back_with_its_salt_and_only_for_its_own_topic() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("position");
        assert!(Position::read(&file, "e/requests").unwrap().is_none());
        let mut position = Position::default();
        position.begin("e/requests", None).unwrap();
        position.set(3, 7);
        position.write(&file).unwrap();
        let again = Position::read(&file, "e/requests").unwrap().unwrap();
        assert_eq!((again.next(3), again.next(0)), (Some(7), None));
        assert_eq!(again.salt().unwrap(), position.salt().unwrap());
        assert_eq!(again.salt().unwrap().len(), 32);
        let other = Position::read(&file, "f/requests").unwrap_err().to_string();
        assert!(other.ends_with("found the position of e/requests, expected that of f/requests"));
    }

    #[test]
    fn a_salt_of_ones_own_must_stay_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("salt");
        fs::write(&file, "0123456789abcdef\n").unwrap();
        let mut position = Position::default();
        position.begin("e/requests", Some(&file)).unwrap();
        assert_eq!(position.salt().unwrap(), b"0123456789abcdef");
        fs::write(&file, "another one of 16\n").unwrap();
        assert!(position.begin("e/requests", Some(&file)).is_err());
        fs::write(&file, "short\n").unwrap();
        assert!(Position::default().begin("e/requests", Some(&file)).is_err());
    }
}
