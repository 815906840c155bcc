//! The operator's hands: commands that change an endpoint by writing its files.

#![expect(clippy::unwrap_used, reason = "what prepares a test may fail it")]

mod doubt;
mod pausing;
mod policy;
mod promoting;
mod staging;

use std::fs;

use harness::{Host, Models, Options, guest, understudy};
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

    /// The one line in which the command says why it failed.
    #[track_caller]
    fn failure(&self) -> &str {
        assert!(!self.success, "it went well: {}", self.out);
        assert_eq!(self.error.lines().count(), 1, "{}{}", self.error, self.out);
        self.error.trim_end()
    }

    /// The output of a command that did what it was asked.
    #[track_caller]
    fn output(&self) -> &str {
        assert!(self.success, "{}{}", self.error, self.out);
        &self.out
    }
}

/// The endpoint's file of most tests, with comments in every place.
const RICH: &str = "\
# What we serve.
deadline = '20s'   # a busy machine takes its time

[roles]
champion = 'champion'   # since spring

[policy]
order = [
  { model = 'champion', until = '10s' },   # the best we have
]
";

/// A host with one endpoint, `e`: `champion` doubles, `newcomer` returns what it gets.
struct Theatre {
    models: Models,
    host: Host,
}

impl Theatre {
    fn new() -> Self {
        let models = Models::new();
        models.install("e", "champion", guest("times-2"));
        models.install("e", "newcomer", guest("identity"));
        models.policy("e", RICH);
        Self::on(models)
    }

    fn on(models: Models) -> Self {
        let host = Host::start(&models.path(), Options::default());
        host.wait_until_settled("e");
        Self { models, host }
    }

    /// Runs a command against the host.
    fn run(&self, arguments: &[&str]) -> Said {
        let admin = self.host.admin().to_string();
        let output = understudy(arguments.iter().copied().chain(["--admin", &admin]));
        Said {
            success: output.status.success(),
            out: String::from_utf8(output.stdout).expect("output is UTF-8"),
            error: String::from_utf8(output.stderr).expect("errors are UTF-8"),
        }
    }

    /// Asks once, so that every model has scored, and returns who answered.
    fn ask(&self) -> String {
        let response = self.host.client().infer("e", 3.0).unwrap();
        assert_eq!(response.status, 200, "{}", response.text());
        response.model().expect("a model")
    }

    /// Asks, and waits until a model has scored.
    fn warm(&self, model: &str) {
        self.ask();
        self.host.wait_for(&format!("{model} has scored"), |host| {
            let scored = host.model("e", model)?["predictions"].as_u64()?;
            (scored > 0).then_some(())
        });
    }

    /// The text of a file of the endpoint.
    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.models.file("e", name)).unwrap()
    }

    /// Every file of the endpoint with its bytes, what is kept of earlier ones included.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.models.path().join("e")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push((path.display().to_string(), fs::read(&path).unwrap()));
                }
            }
        }
        files.sort();
        files
    }

    /// The history, as programs read it.
    fn history(&self) -> Vec<Value> {
        let said = self.run(&["history", "e", "--json", "-n", "1000"]);
        said.output().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The events of the history that bear this word.
    fn events(&self, event: &str) -> Vec<Value> {
        self.history().into_iter().filter(|it| it["event"] == event).collect()
    }
}

/// The same component with other bytes: an empty custom section is added.
fn variant(wasm: impl AsRef<[u8]>, number: u8) -> Vec<u8> {
    let mut wasm = wasm.as_ref().to_vec();
    wasm.extend_from_slice(&[0, 3, 1, b'v', number]);
    wasm
}
