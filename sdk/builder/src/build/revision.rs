//! The revision of a source: which commit a folder is at.

use std::path::Path;

use crate::command::{self, Output};
use crate::progress::Silent;

/// What stands behind the revision of a folder with changes that are not committed.
const MODIFIED: &str = "-modified";

/// The commit of a folder under git, marked where the folder has changes that are not committed.
///
/// Nothing where there is no git, or it does not know the folder's files.
pub(super) fn of(folder: &Path) -> Option<String> {
    let git = |arguments: &[&str]| {
        let mut git = command::clean("git");
        git.args(["--no-optional-locks", "-C"]).arg(folder).args(arguments);
        command::run(git, Output::Kept, &mut Silent).ok()
    };
    if git(&["ls-files", "--", "."])?.is_empty() {
        return None;
    }
    let commit = git(&["rev-parse", "--verify", "HEAD"])?.trim().to_owned();
    let changes = git(&["status", "--porcelain", "--", "."])?;
    Some(if changes.is_empty() { commit } else { commit + MODIFIED })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(folder: &Path, arguments: &[&str]) -> String {
        let mut git = command::clean("git");
        git.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-C"]);
        git.arg(folder).args(arguments);
        command::run(git, Output::Kept, &mut Silent).unwrap()
    }

    #[test]
    fn a_folder_outside_of_git_has_no_revision() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(of(folder.path()), None);
        git(folder.path(), &["init", "-q"]);
        std::fs::write(folder.path().join("a"), "1").unwrap();
        assert_eq!(of(folder.path()), None, "no file of it is known to git");
    }

    #[test]
    fn a_changed_folder_is_marked() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        git(folder.path(), &["init", "-q"]);
        std::fs::write(&file, "1").unwrap();
        git(folder.path(), &["add", "a"]);
        git(folder.path(), &["commit", "-q", "-m", "one"]);
        let clean = of(folder.path()).unwrap();
        assert_eq!(clean, git(folder.path(), &["rev-parse", "HEAD"]).trim());
        std::fs::write(&file, "2").unwrap();
        assert_eq!(of(folder.path()), Some(clean + "-modified"));
    }
}
