//! A folder on the disk, its scanner, and a clock that is moved by hand.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use catalog::{Catalog, Hint, ModelFile, ReadError, Scan, ScanOptions, Scanner};
use message::Time;
use tempfile::TempDir;

pub(crate) struct Folder {
    /// Holds the folder, so that what links lead out to does not lie inside.
    around: TempDir,
    pub(crate) scanner: Scanner,
    now: Time,
}

/// A component as far as the lengths of its sections go: one custom section that holds `text`.
pub(crate) fn component(text: &str) -> Vec<u8> {
    let name = b"\x04text";
    let length = u8::try_from(name.len() + text.len()).unwrap();
    assert!(length < 0x80, "the length is one byte");
    [b"\0asm\x0d\0\x01\0", [0, length].as_slice(), name, text.as_bytes()].concat()
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self::with(ScanOptions::default())
    }

    pub(crate) fn with(options: ScanOptions) -> Self {
        let around = tempfile::tempdir().unwrap();
        let dir = around.path().join("models");
        fs::create_dir(&dir).unwrap();
        // An hour ahead, so that no time of a file is in the future by accident.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(3600);
        Self { around, scanner: Scanner::new(dir, options), now: Time::EPOCH + now }
    }

    /// A folder with these files, written long ago and scanned once.
    pub(crate) fn holding(files: &[(&str, &[u8])]) -> Self {
        let mut folder = Self::new();
        files.iter().for_each(|(path, bytes)| folder.write(path, bytes));
        folder.later(10_000);
        folder.scan();
        folder
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.around.path().join("models").join(relative)
    }

    /// Writes a file now, by the clock of this folder.
    pub(crate) fn write(&self, relative: &str, bytes: &[u8]) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        self.touch(relative);
    }

    /// Writes more to the end of a file now.
    pub(crate) fn append(&self, relative: &str, bytes: &[u8]) {
        let mut file = OpenOptions::new().append(true).open(self.path(relative)).unwrap();
        file.write_all(bytes).unwrap();
        drop(file);
        self.touch(relative);
    }

    pub(crate) fn touch(&self, relative: &str) {
        let now = UNIX_EPOCH + Duration::from_micros(self.now.as_us());
        let file = File::options().write(true).open(self.path(relative)).unwrap();
        file.set_modified(now).unwrap();
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub(crate) fn remove(&self, relative: &str) {
        let path = self.path(relative);
        if path.is_dir() && !path.is_symlink() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }

    pub(crate) fn link(&self, target: &str, relative: &str) {
        std::os::unix::fs::symlink(target, self.path(relative)).unwrap();
    }

    pub(crate) fn later(&mut self, ms: u64) {
        self.now = self.now + Duration::from_millis(ms);
    }

    pub(crate) fn earlier(&mut self, ms: u64) {
        self.now = self.now - Duration::from_millis(ms);
    }

    pub(crate) fn hint(&mut self, relative: &str, hint: Hint) {
        let path = self.path(relative);
        self.scanner.handle_hint(self.now, &path, hint);
    }

    pub(crate) fn scan(&mut self) -> Scan {
        self.scanner.scan(self.now)
    }

    /// How long from now until the scan that the latest asked for.
    pub(crate) fn again_in(&mut self) -> Option<Duration> {
        let now = self.now;
        self.scan().again_at.map(|time| time.since(now))
    }

    /// Scans after a while, and says what is there: `flights: gbdt=first logit=second`.
    pub(crate) fn after(&mut self, ms: u64) -> String {
        self.later(ms);
        let catalog = self.scan().catalog;
        let endpoints = catalog.endpoints.iter().map(|(name, spec)| {
            let models: String =
                spec.models.iter().map(|(name, file)| format!(" {name}={}", text(file))).collect();
            format!("{name}:{models}")
        });
        endpoints.collect::<Vec<_>>().join("; ")
    }

    /// What is wrong by the latest scan, without the way to the folder.
    pub(crate) fn problems(&self) -> Vec<String> {
        let around = format!("{}/", self.around.path().display());
        let problems = self.catalog().problems.clone();
        problems.iter().map(|problem| problem.to_string().replace(&around, "")).collect()
    }

    pub(crate) fn catalog(&self) -> &Arc<Catalog> {
        self.scanner.catalog()
    }

    /// The models of an endpoint that the latest scan expects.
    pub(crate) fn coming(&self, endpoint: &str) -> Vec<String> {
        self.catalog().endpoints[endpoint].coming.iter().map(ToString::to_string).collect()
    }

    pub(crate) fn outside(&self) -> &Path {
        self.around.path()
    }
}

/// What the component of a model says, if it is still the one of the scan.
fn text(file: &ModelFile) -> String {
    match file.read() {
        Ok(bytes) => String::from_utf8_lossy(&bytes[15..]).into_owned(),
        Err(ReadError::Changed { .. }) => "(changed)".to_owned(),
        Err(ReadError::Unreadable { .. }) => "(gone)".to_owned(),
    }
}
