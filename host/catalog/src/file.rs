//! Files that others write: opened without waiting or following, read whole, and only if they keep
//! still meanwhile.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use message::{Revision, Time};
use rustix::fs::{Mode, OFlags};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// What tells one state of a file from the next without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signature {
    device: u64,
    inode: u64,
    pub(crate) size_bytes: u64,
    /// When the bytes were last changed. Anybody may set it to anything.
    pub(crate) modified: Time,
    modified_ns: i64,
    /// When the bytes, the owner, a name or `modified` were last changed. Nobody can set it.
    pub(crate) changed: Time,
    changed_ns: i64,
}

/// Why a file cannot be read.
#[derive(Debug, Error)]
pub(crate) enum OpenError {
    /// Because the system says so.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Because it is something else.
    #[error("found {0}, expected a regular file")]
    NotAFile(&'static str),
    /// Because it is larger than anybody wants to read.
    #[error("found more than {limit_bytes} bytes")]
    TooLarge {
        /// How much would have been read.
        limit_bytes: u64,
    },
}

impl From<OpenError> for io::Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Io(error) => error,
            other => Self::other(other),
        }
    }
}

impl Signature {
    pub(crate) fn of(metadata: &fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size_bytes: metadata.size(),
            modified: time(metadata.mtime(), metadata.mtime_nsec()),
            modified_ns: metadata.mtime_nsec(),
            changed: time(metadata.ctime(), metadata.ctime_nsec()),
            changed_ns: metadata.ctime_nsec(),
        }
    }
}

/// A regular file, open, and known by its signature.
pub(crate) struct Opened {
    file: File,
    pub(crate) signature: Signature,
}

/// Opens a regular file of at most `limit_bytes`.
///
/// A link in the last place is not followed, a FIFO is not waited for, and a device is closed
/// again before anything is read.
pub(crate) fn open(path: &Path, limit_bytes: u64) -> Result<Opened, OpenError> {
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(io::Error::from)?);
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(OpenError::NotAFile(kind(&metadata)));
    }
    if metadata.len() > limit_bytes {
        return Err(OpenError::TooLarge { limit_bytes });
    }
    Ok(Opened { file, signature: Signature::of(&metadata) })
}

/// Reads a regular file of at most `limit_bytes` whole.
pub(crate) fn read(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, OpenError> {
    let opened = open(path, limit_bytes)?;
    let mut bytes = Vec::with_capacity(usize::try_from(opened.signature.size_bytes).unwrap_or(0));
    // It may have grown since it was opened; one byte more than allowed shows that.
    opened.file.take(limit_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit_bytes {
        return Err(OpenError::TooLarge { limit_bytes });
    }
    Ok(bytes)
}

impl Opened {
    /// Hands the bytes out in pieces. False: the file was changed meanwhile, or is longer or
    /// shorter than it said, and the bytes mean nothing.
    pub(crate) fn pour(self, mut into: impl FnMut(&[u8])) -> io::Result<bool> {
        let mut piece = vec![0; 64 << 10];
        let mut total_bytes = 0;
        let mut file = self.file;
        while total_bytes <= self.signature.size_bytes {
            let count = match file.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            total_bytes += count as u64;
            into(&piece[..count]);
        }
        let still = Signature::of(&file.metadata()?) == self.signature;
        Ok(still && total_bytes == self.signature.size_bytes)
    }
}

/// The revision that these bytes are.
pub(crate) fn digest(bytes: &[u8]) -> Revision {
    Revision::from_digest(Sha256::digest(bytes).into())
}

/// What something that is not a regular file is, for people.
pub(crate) fn kind(metadata: &fs::Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    let kind = metadata.file_type();
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_symlink() {
        "a link"
    } else if kind.is_block_device() || kind.is_char_device() {
        "a device"
    } else {
        "something else"
    }
}

fn time(seconds: i64, nanoseconds: i64) -> Time {
    let us = seconds.saturating_mul(1_000_000).saturating_add(nanoseconds / 1000);
    Time::from_us(u64::try_from(us).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changes_while_it_is_read_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, vec![7; 100_000]).unwrap();
        let mut bytes = Vec::new();
        let still = open(&path, 1 << 20).unwrap().pour(|piece| bytes.extend_from_slice(piece));
        assert_eq!((still.unwrap(), bytes.len()), (true, 100_000));
        let grown = open(&path, 1 << 20).unwrap().pour(|_| fs::write(&path, [7; 9]).unwrap());
        assert!(!grown.unwrap());
    }

    #[test]
    fn a_fifo_is_refused_without_waiting_for_a_writer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .unwrap();
        assert_eq!(
            open(&path, 10).err().unwrap().to_string(),
            "found a FIFO, expected a regular file"
        );
    }
}
