//! What the log asks of a file system, so that tests can give it a worse one than there is.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

#[cfg(test)]
pub(super) mod faulty;
mod real;

pub(super) use real::RealStorage;

/// A file system. Paths are absolute; nothing but the log changes what lies below them.
pub(super) trait Storage: Send + Sync + fmt::Debug {
    /// Makes an empty file, or empties the one that is there.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn LogFile>>;

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn LogFile>>;

    /// The whole of a small file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The names in a directory; none if there is no directory.
    fn list(&self, directory: &Path) -> io::Result<Vec<Entry>>;

    /// Makes a directory and those above it, down from `root`, which is there. Syncs the names of
    /// all of them, also where they were there already: whoever made them may have died before it.
    fn create_directory(&self, root: &Path, directory: &Path) -> io::Result<()>;

    /// Brings the names in a directory to the disk.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;

    /// A number that nobody can guess.
    fn random(&self) -> u32;
}

/// A file that is read and written at positions. Interruptions are not errors here.
pub(super) trait LogFile: Send + Sync + fmt::Debug {
    fn len(&self) -> io::Result<u64>;

    /// Reads bytes and returns how many; fewer than asked for only where the file ends.
    fn read_at(&self, position: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Writes all the bytes, or an unknown part of them and fails.
    fn write_at(&self, position: u64, bytes: &[u8]) -> io::Result<()>;

    fn truncate(&self, length: u64) -> io::Result<()>;

    /// Brings content and length to the disk.
    fn sync(&self) -> io::Result<()>;
}

/// Puts a file with this content in the place of another in one step. With `durable` the content is
/// on the disk before the name is changed; the change of the name itself is not synced.
pub(super) fn replace(
    storage: &dyn Storage,
    path: &Path,
    content: &[u8],
    durable: bool,
) -> io::Result<Arc<dyn LogFile>> {
    let temporary = path.with_extension(TEMPORARY);
    let file = storage.create(&temporary)?;
    file.write_at(0, content)?;
    if durable {
        file.sync()?;
    }
    storage.rename(&temporary, path)?;
    Ok(file)
}

/// The extension of a file that is not in its place yet.
pub(super) const TEMPORARY: &str = "tmp";

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) is_directory: bool,
}

/// Whether an error says that the disk, or this user's share of it, is full.
pub(super) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}
