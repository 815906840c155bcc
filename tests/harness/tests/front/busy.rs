//! Beyond what may be open at once, callers are told to come again.

use std::net::SocketAddr;
use std::thread::{self, JoinHandle};

use harness::{Client, Host, Models, Options, Response};

use crate::start;

/// How many calls may be open.
const OPEN: usize = 3;

#[test]
fn beyond_the_open_calls_a_caller_is_told_to_come_again() {
    let models = slow_models("");
    let config = format!("[front]\nopen_calls = {OPEN}\n");
    let host = start(&models, Options { config, ..Options::default() });
    check(&host, "too many open calls");
}

#[test]
fn beyond_the_open_mailboxes_as_well() {
    let models = slow_models(&format!("[limits]\nopen_mailboxes = {OPEN}\n"));
    let host = start(&models, Options::default());
    check(&host, "too many requests wait already");
    // What was refused is not recorded.
    assert_eq!(host.topic("e", "requests").len(), OPEN + 1);
}

/// Fills the host with calls, asserts that one more is refused, and that it is welcome afterwards.
fn check(host: &Host, error: &str) {
    let calls: Vec<_> = (0..OPEN).map(|x| call(host.rest(), x as f64)).collect();
    host.wait_for("all that may be open is", |host| {
        (host.endpoint("e")?["open_mailboxes"] == OPEN).then_some(())
    });
    let refused = host.client().infer("e", 9.0).unwrap();
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(refused.error().as_deref(), Some(error));
    assert_eq!(refused.header("retry-after"), Some("1"));
    for (x, call) in calls.into_iter().enumerate() {
        let response = call.join().unwrap();
        assert_eq!((response.status, response.y()), (200, Some(x as f64)), "{}", response.text());
    }
    host.wait_for("there is room again", |host| {
        (host.endpoint("e")?["open_mailboxes"] == 0).then_some(())
    });
    assert_eq!(host.client().infer("e", 9.0).unwrap().y(), Some(9.0));
}

fn call(address: SocketAddr, x: f64) -> JoinHandle<Response> {
    thread::spawn(move || Client::new(address).infer("e", x).unwrap())
}

fn slow_models(limits: &str) -> Models {
    let models = Models::with_champion("e", "slow-250");
    let policy = format!("deadline = '30s'\n[roles]\nchampion = 'champion'\n{limits}");
    models.policy("e", &policy);
    models.manifest("e", "champion", "[limits]\ncpu = '10s'\nwall = '30s'\nbatch = 1\n");
    models
}
