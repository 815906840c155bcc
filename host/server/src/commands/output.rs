//! Standard output, whose reader may go at any moment, as in `understudy read … | head`; and files that appear whole.

use std::borrow::Cow;
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

/// A text that somebody else wrote, as lines can be shown: a terminal would obey its control characters, so they are written out.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    without_control(text, |letter| matches!(letter, '\n' | '\t'))
}

/// The same where it has to stay in its line.
pub(super) fn plain_line(text: &str) -> Cow<'_, str> {
    without_control(text, |_| false)
}

fn without_control(text: &str, is_kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_shown = |letter: char| !letter.is_control() || is_kept(letter);
    if text.chars().all(is_shown) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match is_shown(letter) {
            true => shown.push(letter),
            false => shown.extend(letter.escape_default()),
        }
    }
    shown.into()
}

fn checked(printed: io::Result<()>) -> Result<()> {
    match printed {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Unread.into()),
        printed => Ok(printed?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_written_out() {
        assert_eq!(plain("é\tok\n\u{1b}[31mred\r"), "é\tok\n\\u{1b}[31mred\\r");
        assert_eq!(plain_line("gbdt\nloads: true"), "gbdt\\nloads: true");
        assert!(matches!(plain_line("gbdt"), Cow::Borrowed(_)));
    }
}
