//! A folder that goes, with every process that has its id in it, when this process ends, however it ends.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use std::os::unix::process::CommandExt;

/// Waits until nobody holds the other end of its standard input, then ends the processes and removes the folder. A
/// broker that is about to die may still write for a moment.
const SCRIPT: &str = r#"
    cat >/dev/null
    for pid in "$0"/*/pid; do
        if [ -e "$pid" ]; then kill -9 "$(cat "$pid")" 2>/dev/null; fi
    done
    until rm -rf "$0" 2>/dev/null; do sleep 0.1; done
"#;

/// A folder with a keeper of its own. Dropping it ends what runs there and removes it.
#[derive(Debug)]
pub(crate) struct Kept {
    folder: PathBuf,
    keeper: Child,
}

impl Kept {
    pub(crate) fn new() -> Self {
        let made = tempfile::Builder::new().prefix("understudy-kafka-").tempdir();
        let folder = made.expect("a folder for a broker").keep();
        let mut keeper = Command::new("sh");
        keeper.args(["-c", SCRIPT]).arg(&folder).stdin(Stdio::piped());
        keeper.stdout(Stdio::null()).stderr(Stdio::null());
        // Not in our group: what a terminal sends to end the tests is not for the keeper.
        let keeper = keeper.process_group(0).spawn().expect("a shell");
        Self { folder, keeper }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().ok();
    }
}
