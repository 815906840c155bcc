//! The lock on a data directory: at most one host works in it.
//!
//! It is the operating system's lock on an open file, so it ends with the process however that ends.
//! What the file says is only for people.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::{OpenError, Owner};

const NAME: &str = "lock";

/// The lock on a data directory; held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, or says who has it.
    pub(super) fn take(directory: &Path) -> Result<Self, OpenError> {
        let path = directory.join(NAME);
        let io = |source| OpenError::io(&path, source);
        let mut options = File::options();
        let mut file =
            options.read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Without the text it is still known that somebody holds the lock.
                let _ = file.read_to_string(&mut text);
                return Err(OpenError::Locked {
                    directory: directory.to_owned(),
                    owner: parse(&text, since_1970()),
                });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let text = format!("{} {}\n", std::process::id(), since_1970().as_secs());
        file.set_len(0).map_err(io)?;
        file.rewind().and_then(|()| file.write_all(text.as_bytes())).map_err(io)?;
        Ok(Self { _file: file })
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn parse(text: &str, now: Duration) -> Owner {
    let mut words = text.split_whitespace();
    let pid = words.next().and_then(|word| word.parse().ok());
    let since = words.next().and_then(|word| word.parse().ok()).map(Duration::from_secs);
    Owner { pid, held_for: since.map(|since| now.saturating_sub(since)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_taker_is_told_who_was_first() {
        let directory = tempfile::tempdir().unwrap();
        let first = Lock::take(directory.path()).unwrap();
        match Lock::take(directory.path()) {
            Err(OpenError::Locked { owner, .. }) => {
                assert_eq!(owner.pid, Some(std::process::id()));
                assert!(owner.held_for.is_some());
            }
            other => panic!("found {other:?}"),
        }
        drop(first);
        assert!(Lock::take(directory.path()).is_ok());
    }

    #[test]
    fn an_owner_that_has_not_written_its_name_is_one_nevertheless() {
        let nobody = Owner { pid: None, held_for: None };
        assert_eq!(parse("", Duration::ZERO), nobody);
        assert_eq!(parse("what is this", Duration::ZERO), nobody);
        assert_eq!(nobody.to_string(), "a process that has not said which");
    }
}
