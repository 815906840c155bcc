//! Standard output, whose reader may go at any moment, as in `understudy read … | head`; and files that appear whole.

use std::fmt::Display;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use thiserror::Error;

/// Nobody reads the output any more, which ends a command and is no failure of it.
#[derive(Debug, Error)]
#[error("nobody reads the output")]
pub(crate) struct Unread;

/// Prints a text and the end of the line.
pub(super) fn print_line(text: impl Display) -> Result<()> {
    checked(writeln!(io::stdout().lock(), "{text}"))
}

/// Prints a text that has its own ends of lines.
pub(super) fn print(text: impl Display) -> Result<()> {
    checked(write!(io::stdout().lock(), "{text}"))
}

/// Writes a file that appears under its name only when it is whole, since a host may watch its folder.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    fs::write(&partial, bytes)
        .and_then(|()| fs::rename(&partial, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn checked(printed: io::Result<()>) -> Result<()> {
    match printed {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Unread.into()),
        printed => Ok(printed?),
    }
}
