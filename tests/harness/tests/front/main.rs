//! What callers get of the real host: answers, errors that say what was wrong, and nothing twice.

#![expect(clippy::unwrap_used, reason = "what prepares a test may fail it")]

mod bad_input;
mod busy;
mod protocol;
mod repetition;

use harness::{Host, Models, Options};

/// A host with the endpoint `e`, whose champion answers `2 x`.
fn host() -> (Models, Host) {
    let models = Models::with_champion("e", "times-2");
    let host = start(&models, Options::default());
    (models, host)
}

fn start(models: &Models, options: Options) -> Host {
    let host = Host::start(&models.path(), options);
    host.wait_until_settled("e");
    host
}

/// How many records the topics of requests and answers hold.
fn recorded(host: &Host) -> (usize, usize) {
    (host.topic("e", "requests").len(), host.topic("e", "answers").len())
}
