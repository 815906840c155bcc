//! The commands beside `serve`, as a person types them and as a program reads them.

#![expect(clippy::unwrap_used, reason = "what prepares a test may fail it")]

mod components;
mod configuration;
mod mirroring;
mod operating;
mod packing;
mod reading;

use std::path::Path;

use harness::understudy;
use serde_json::Value;

/// What a command has said.
struct Said {
    success: bool,
    out: String,
    error: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error} in {}{}", self.out, self.error))
    }

    /// Each line of the output as JSON.
    fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    }

    /// The one line in which the command says why it failed.
    #[track_caller]
    fn failure(&self) -> &str {
        assert!(!self.success, "it went well: {}", self.out);
        assert_eq!(self.error.lines().count(), 1, "{}", self.error);
        self.error.trim_end()
    }
}

fn run<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Said {
    let output = understudy(arguments);
    Said {
        success: output.status.success(),
        out: String::from_utf8(output.stdout).expect("output is UTF-8"),
        error: String::from_utf8(output.stderr).expect("errors are UTF-8"),
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path with a plain name")
}
