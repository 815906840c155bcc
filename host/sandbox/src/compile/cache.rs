//! The folder of compiled artefacts.
//!
//! The engine trusts what it maps, so the folder belongs to the host alone, an entry is never
//! changed once it has its name, and a digest beside each entry finds damage that the engine would
//! not. A missing, stale or damaged entry is only a reason to compile again.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{Hash as _, Hasher};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use message::Revision;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// The folder of compiled artefacts.
#[derive(Debug)]
pub(crate) struct Cache {
    dir: PathBuf,
    /// What tells artefacts of other engines and other settings apart.
    engine_id: String,
    limit_bytes: u64,
    /// How large the folder is at the most, so that it is listed only when it may be too large.
    bytes: AtomicU64,
    /// Whether the folder goes when the host does.
    temporary: bool,
}

static UNIQUE: AtomicU64 = AtomicU64::new(0);

impl Cache {
    /// Opens the folder, and makes it where it is not there. Without a folder, one is made that
    /// lasts as long as the value.
    pub(crate) fn open(
        dir: Option<PathBuf>,
        limit_bytes: u64,
        engine: &Engine,
    ) -> io::Result<Self> {
        let temporary = dir.is_none();
        let dir = dir.unwrap_or_else(|| std::env::temp_dir().join(unique("understudy")));
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let metadata = fs::metadata(&dir)?;
        if metadata.uid() != rustix::process::geteuid().as_raw() || metadata.mode() & 0o022 != 0 {
            let message = "others may write to it, expected a folder of this user alone";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        sweep(&dir);
        let mut hasher = Fingerprint(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let engine_id = hex(&hasher.0.finalize()[..8]);
        let bytes = entries(&dir).iter().map(|(_, bytes, _)| bytes).sum::<u64>().into();
        Ok(Self { dir, engine_id, limit_bytes, bytes, temporary })
    }

    /// A name under which nothing is yet.
    pub(crate) fn fresh_path(&self) -> PathBuf {
        self.dir.join(unique(TEMPORARY))
    }

    /// Makes a file of this user alone.
    pub(crate) fn create(path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
    }

    /// Whether there is an artefact of a revision, intact or not.
    pub(crate) fn has(&self, revision: &Revision) -> bool {
        self.path(revision).exists()
    }

    /// Returns the artefact of a revision, if an intact one is there.
    pub(crate) fn get(&self, revision: &Revision, engine: &Engine) -> Option<Component> {
        let path = self.path(revision);
        let promised = fs::read_to_string(digest_path(&path)).ok()?;
        if digest(&path).ok()? != promised {
            tracing::warn!(%revision, "compiled artefact is damaged, compiling again");
            return None;
        }
        let component = map(engine, &path)
            .inspect_err(|error| tracing::debug!(%error, %revision, "compiled artefact is stale"))
            .ok()?;
        // The time of the last use decides what goes first when there is too much.
        let used = File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        used.inspect_err(|error| tracing::debug!(%error, "cannot note a use")).ok();
        Some(component)
    }

    /// Gives the compiled file at `fresh` its name, and returns the artefact.
    pub(crate) fn put(
        &self,
        revision: &Revision,
        fresh: &Path,
        engine: &Engine,
    ) -> Result<Component, PutError> {
        let path = self.path(revision);
        let digest = digest(fresh).map_err(PutError::Io)?;
        let component = map(engine, fresh).map_err(PutError::Unusable)?;
        let digest_fresh = self.fresh_path();
        let named = Self::create(&digest_fresh)
            .and_then(|mut file| file.write_all(digest.as_bytes()))
            .and_then(|()| fs::rename(fresh, &path))
            .and_then(|()| fs::rename(&digest_fresh, digest_path(&path)));
        if let Err(error) = named {
            tracing::warn!(%error, "cannot keep a compiled artefact");
            fs::remove_file(&digest_fresh).ok();
        }
        let length = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        if self.bytes.fetch_add(length, Ordering::Relaxed) + length > self.limit_bytes {
            self.trim();
        }
        Ok(component)
    }

    /// Removes what was used least recently until the rest is within the limit. What is mapped
    /// stays usable without its name.
    fn trim(&self) {
        let mut entries = entries(&self.dir);
        entries.sort();
        let mut bytes: u64 = entries.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, length, path) in entries {
            if bytes <= self.limit_bytes {
                break;
            }
            fs::remove_file(digest_path(&path)).ok();
            fs::remove_file(path).ok();
            bytes -= length;
        }
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    fn path(&self, revision: &Revision) -> PathBuf {
        self.dir.join(format!("{revision}-{}.{EXTENSION}", self.engine_id))
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        if self.temporary {
            fs::remove_dir_all(&self.dir).ok();
        }
    }
}

/// The artefacts of a folder: when each was used last, its length, its path.
fn entries(dir: &Path) -> Vec<(SystemTime, u64, PathBuf)> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let artefacts =
        entries.filter(|entry| entry.path().extension().is_some_and(|it| it == EXTENSION));
    let described = artefacts.filter_map(|entry| {
        let metadata = entry.metadata().ok()?;
        Some((metadata.modified().ok()?, metadata.len(), entry.path()))
    });
    described.collect()
}

/// How old an unfinished file is when its host is surely gone.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// Removes the unfinished files that a killed host left.
fn sweep(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let unfinished = entry.file_name().to_string_lossy().starts_with(TEMPORARY);
        let modified = entry.metadata().and_then(|metadata| metadata.modified()).ok();
        let age = modified.and_then(|modified| modified.elapsed().ok());
        if unfinished && age.is_some_and(|age| age > ABANDONED) {
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// Why a compiled file is not an artefact.
#[derive(Debug)]
pub(crate) enum PutError {
    /// Because it could not be read.
    Io(io::Error),
    /// Because the engine does not take it.
    Unusable(wasmtime::Error),
}

const EXTENSION: &str = "cwasm";
const TEMPORARY: &str = "fresh";

#[allow(unsafe_code, reason = "the engine trusts the artefacts that it maps; see the comment")]
fn map(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file is the output of this host's own compiler with the settings of this engine:
    // either just now, or its digest was checked. Only this user can write to the folder, and
    // nothing here writes to a file under its name, so that it does not change while it is mapped.
    unsafe { Component::deserialize_file(engine, path) }
}

fn digest(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut sha = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&sha.finalize())),
            length => sha.update(&buffer[..length]),
        }
    }
}

fn digest_path(path: &Path) -> PathBuf {
    path.with_extension("sha256")
}

fn unique(stem: &str) -> String {
    let nanoseconds = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.subsec_nanos());
    let number = UNIQUE.fetch_add(1, Ordering::Relaxed);
    format!("{stem}-{}-{nanoseconds}-{number}", std::process::id())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hasher that stays the same between builds, which the standard one does not promise.
struct Fingerprint(Sha256);

impl Hasher for Fingerprint {
    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        u64::from_le_bytes(digest[..8].try_into().expect("invariant: a digest has 32 bytes"))
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}
