//! A cluster as operators meet it: how to get in, what `check` and `read` say of it, and a host that finds none.
//!
//! All tests share one broker, which has a listener for each way in.

#![expect(clippy::unwrap_used, reason = "what prepares a test may fail it")]

mod checking;
mod reading;
mod security;
mod starting;

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::OnceLock;

use harness::understudy;
use kafka_testkit::{Broker, Options};
use tempfile::TempDir;

/// The broker.
fn broker() -> &'static Broker {
    static BROKER: OnceLock<Broker> = OnceLock::new();
    BROKER.get_or_init(|| Broker::start_with(&Options::default().secured()))
}

/// A folder with an `understudy.toml`.
struct Site {
    folder: TempDir,
}

impl Site {
    fn new(config: &str) -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        site.write("understudy.toml", config);
        site
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command with the path of the configuration in the place of `@`.
    fn run(&self, arguments: &[&str]) -> Said {
        let config = self.path("understudy.toml");
        let arguments = arguments.iter().map(|it| if *it == "@" { text(&config) } else { it });
        Said::of(understudy(arguments))
    }
}

/// What a command has said.
struct Said {
    success: bool,
    out: String,
    error: String,
}

impl Said {
    fn of(output: Output) -> Self {
        Self {
            success: output.status.success(),
            out: String::from_utf8(output.stdout).unwrap(),
            error: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    fn success(&self) -> &str {
        assert!(self.success, "{}{}", self.out, self.error);
        &self.out
    }

    #[track_caller]
    fn failure(&self) -> String {
        assert!(!self.success, "it went well: {}", self.out);
        format!("{}{}", self.out, self.error)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
