//! Writing files of the folder: whoever looks sees the old one or the new one, whole.
//!
//! A file is written beside its place under a name that no scan takes, brought to the disk, and
//! renamed. What is not ours to write is refused instead: a folder that is mounted read-only, and
//! files that are links, because somebody else swaps what they lead to (`..data`).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use message::Revision;
use rustix::fs::Access;
use thiserror::Error;

use crate::file::{self, OpenError};

/// How a file that is being written ends until it is whole; it begins with a dot.
const UNFINISHED: &str = ".unfinished";
/// The largest file that is read back to see whether it has changed.
const LIMIT_BYTES: u64 = 1 << 30;

/// Why a file of the folder is not written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// Because it is a link, or lies behind one.
    #[error(
        "{} is a link: whoever swaps what it leads to would undo the change; make it there, or \
         serve a folder of plain files", path.display()
    )]
    Linked {
        /// The link.
        path: PathBuf,
    },
    /// Because the host may not write there.
    #[error(
        "{} cannot be written ({source}): make the change where its files come from, as \
         --dry-run shows it, or let the host write there", path.display()
    )]
    ReadOnly {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Because it is not what it was when the change was worked out.
    #[error("{} was changed by somebody else meanwhile: look at it, and try again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// Because the system failed.
    #[error("cannot write {}: {source}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl WriteError {
    fn of(path: &Path, source: io::Error) -> Self {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        let folder = || path.parent().unwrap_or(path).to_owned();
        match source.kind() {
            PermissionDenied | ReadOnlyFilesystem => Self::ReadOnly { path: folder(), source },
            _ => Self::Failed { path: path.to_owned(), source },
        }
    }
}

/// Finds out, without writing, whether a file below `top` could be written.
///
/// # Errors
/// When it is a link or lies behind one, or its folder cannot be written.
pub fn check_writable(top: &Path, file: &Path) -> Result<(), WriteError> {
    let below: Vec<&Path> = file.ancestors().take_while(|path| *path != top).collect();
    if let Some(link) = below.iter().rev().find(|path| path.is_symlink()) {
        return Err(WriteError::Linked { path: (*link).to_owned() });
    }
    let folder = file.parent().unwrap_or(top);
    // A folder that is swapped as a whole holds its files elsewhere, also those that are to come.
    if folder.join("..data").is_symlink() {
        return Err(WriteError::Linked { path: folder.join("..data") });
    }
    let access = rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK);
    access.map_err(|error| WriteError::of(file, error.into()))
}

/// The revision of a file as it is now; nothing where there is none.
///
/// # Errors
/// When it cannot be read.
pub fn revision_of(path: &Path) -> Result<Option<Revision>, WriteError> {
    match file::read(path, LIMIT_BYTES) {
        Ok(bytes) => Ok(Some(file::digest(&bytes))),
        Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(WriteError::Failed { path: path.to_owned(), source: error.into() }),
    }
}

/// The revision that these bytes are.
pub fn revision(bytes: &[u8]) -> Revision {
    file::digest(bytes)
}

/// Reads a regular file whole; nothing where there is none.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, WriteError> {
    match file::read(path, LIMIT_BYTES) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(WriteError::Failed { path: path.to_owned(), source: error.into() }),
    }
}

/// Puts `bytes` where a file is or will be, if that is still `before`. The file keeps its mode and
/// owner; on return it is on the disk.
///
/// # Errors
/// When it is another file by now, or cannot be written. Then it is as it was.
pub fn write(path: &Path, bytes: &[u8], before: Option<Revision>) -> Result<(), WriteError> {
    let failed = |error| WriteError::of(path, error);
    if path.is_symlink() {
        return Err(WriteError::Linked { path: path.to_owned() });
    }
    remove_unfinished(path);
    let unfinished = unfinished(path);
    let written = write_beside(path, &unfinished, bytes).map_err(failed).and_then(|()| {
        check_unchanged(path, before)?;
        fs::rename(&unfinished, path).map_err(failed)
    });
    if written.is_err() {
        let _gone = fs::remove_file(&unfinished);
    }
    written.and_then(|()| sync_folder(path))
}

/// Removes a file, if it is still `before`.
///
/// # Errors
/// When it is another file by now, or cannot be removed.
pub fn remove(path: &Path, before: Option<Revision>) -> Result<(), WriteError> {
    check_unchanged(path, before)?;
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(WriteError::of(path, error)),
        _ => sync_folder(path),
    }
}

/// Keeps a copy of a file in a folder, which is made if there is none. Costs no room where the file
/// system has links.
///
/// # Errors
/// When it cannot be kept.
pub fn keep(path: &Path, to: &Path) -> Result<(), WriteError> {
    let failed = |error| WriteError::of(to, error);
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    if to.exists() {
        return Ok(());
    }
    // A link would change with the file where somebody writes into it, as `cp` does. Reading what is
    // kept compares the digest, but what is gone stays gone: so it is a copy.
    let bytes = file::read(path, LIMIT_BYTES).map_err(|error| failed(error.into()))?;
    write(to, &bytes, None)
}

fn check_unchanged(path: &Path, before: Option<Revision>) -> Result<(), WriteError> {
    if revision_of(path)? == before {
        Ok(())
    } else {
        Err(WriteError::Changed { path: path.to_owned() })
    }
}

fn write_beside(path: &Path, unfinished: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(unfinished)?;
    if let Ok(old) = fs::metadata(path) {
        file.set_permissions(fs::Permissions::from_mode(old.mode() & 0o7777))?;
        // Only who may give files away can keep the owner; the mode is what matters to readers.
        let _kept = std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()));
    }
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> Result<(), WriteError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| WriteError::Failed { path: folder.to_owned(), source })
}

fn unfinished(path: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}-{number}{UNFINISHED}", std::process::id()))
}

/// Removes what a writer that was killed has left beside this file.
fn remove_unfinished(path: &Path) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
    let start = format!(".{}.", name.to_string_lossy());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let found = entry.file_name();
        let found = found.to_string_lossy();
        if found.starts_with(&start) && found.ends_with(UNFINISHED) {
            let _gone = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_read_only(result: Result<(), WriteError>, folder: &Path) {
        match result {
            Err(WriteError::ReadOnly { path, .. }) => assert_eq!(path, folder),
            other => panic!("found {other:?}"),
        }
    }

    /// Gives up what lets root write where nobody may, for this thread alone.
    fn bind_to_permissions() {
        use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
        let mut sets = capabilities(None).unwrap();
        sets.effective.remove(CapabilitySet::DAC_OVERRIDE);
        sets.permitted.remove(CapabilitySet::DAC_OVERRIDE);
        set_capabilities(None, sets).unwrap();
    }

    #[test]
    fn a_file_is_replaced_with_its_mode_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("endpoint.toml");
        write(&path, b"one", None).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let left = folder.path().join(format!(".endpoint.toml.1-2{UNFINISHED}"));
        fs::write(&left, b"half").unwrap();
        write(&path, b"two", Some(revision(b"one"))).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        remove(&path, Some(revision(b"two"))).unwrap();
        assert_eq!(revision_of(&path).unwrap(), None);
    }

    #[test]
    fn what_somebody_else_has_changed_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("endpoint.toml");
        for (found, before) in
            [(Some(b"theirs"), Some(revision(b"one"))), (None, Some(revision(b"")))]
        {
            if let Some(found) = found {
                fs::write(&path, found).unwrap();
            }
            assert!(matches!(write(&path, b"ours", before), Err(WriteError::Changed { .. })));
            assert!(matches!(remove(&path, before), Err(WriteError::Changed { .. })));
            assert_eq!(read(&path).unwrap().as_deref(), found.map(|found| &found[..]));
            let _gone = fs::remove_file(&path);
        }
        fs::write(&path, b"theirs").unwrap();
        assert!(matches!(write(&path, b"ours", None), Err(WriteError::Changed { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_is_left_to_those_who_swap_it() {
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().join("e");
        fs::create_dir(&folder).unwrap();
        let path = folder.join("endpoint.toml");
        check_writable(top.path(), &path).unwrap();
        fs::create_dir(folder.join("..v1")).unwrap();
        std::os::unix::fs::symlink("..v1", folder.join("..data")).unwrap();
        let refused = check_writable(top.path(), &path).unwrap_err().to_string();
        assert!(refused.contains("..data is a link: whoever swaps"), "{refused}");
        std::os::unix::fs::symlink("..data/endpoint.toml", &path).unwrap();
        assert!(matches!(write(&path, b"x", None), Err(WriteError::Linked { .. })));
        let linked = top.path().join("linked");
        std::os::unix::fs::symlink("e", &linked).unwrap();
        match check_writable(top.path(), &linked.join("endpoint.toml")) {
            Err(WriteError::Linked { path }) => assert_eq!(path, linked),
            other => panic!("found {other:?}"),
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named_with_a_way_out() {
        bind_to_permissions();
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("endpoint.toml");
        fs::write(&path, b"one").unwrap();
        fs::set_permissions(top.path(), fs::Permissions::from_mode(0o555)).unwrap();
        is_read_only(check_writable(top.path(), &path), top.path());
        is_read_only(write(&path, b"two", Some(revision(b"one"))), top.path());
        is_read_only(remove(&path, Some(revision(b"one"))), top.path());
        is_read_only(keep(&path, &top.path().join(".history/a/b")), &top.path().join(".history/a"));
        let refused = check_writable(top.path(), &path).unwrap_err().to_string();
        assert!(refused.contains("make the change where its files come from"), "{refused}");
        fs::set_permissions(top.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one");
    }
}
