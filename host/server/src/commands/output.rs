//! Standard output, whose reader may go at any moment: `understudy read … | head`.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use anyhow::Result;
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

fn checked(printed: io::Result<()>) -> Result<()> {
    match printed {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Unread.into()),
        printed => Ok(printed?),
    }
}
