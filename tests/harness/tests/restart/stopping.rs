//! The host is asked to end, or finds that it cannot begin.

use std::net::TcpListener;
use std::thread;

use harness::{Client, Host, Models, eventually, request, topic, understudy};
use serde_json::Value;

use crate::ledger::Ledger;

const CALLS: usize = 12;

#[test]
fn a_host_that_is_asked_to_end_answers_whom_it_has_accepted() {
    let models = models("slow-300");
    let mut host = Host::start(&models);
    host.wait_until_live("e", "champion");
    let address = host.rest();
    let calls: Vec<_> = (0..CALLS)
        .map(|x| {
            thread::spawn(move || {
                let mut client = Client::connect(address).unwrap();
                client.post("/v2/models/e/infer", &request(None, x as f64)).unwrap()
            })
        })
        .collect();
    eventually("all calls are accepted", || {
        topic(host.data(), "e", "requests").len() == CALLS
    });
    // Asserts exit status 0.
    host.stop();
    for (x, call) in calls.into_iter().enumerate() {
        let response = call.join().unwrap();
        assert_eq!(response.status, 200, "{}", response.text());
        assert_eq!(response.json()["outputs"][0]["data"][0], x as f64);
    }
    assert_eq!(topic(host.data(), "e", "answers").len(), CALLS);
    assert!(Client::connect(address).is_err(), "somebody still listens");
}

#[test]
fn records_that_were_accepted_are_answered_before_a_host_ends() {
    let models = models("times-2");
    let mut host = Host::start(&models);
    host.wait_until_live("e", "champion");
    let lines: String = (0..5_000).map(|x| request(Some(&format!("r-{x}")), x as f64) + "\n").collect();
    let mut client = Client::connect(host.rest()).unwrap();
    let headers = [("content-type", "application/x-ndjson")];
    let response = client.send("POST", "/v2/models/e/records", &headers, lines.as_bytes()).unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.json()["count"], 5_000);
    host.stop();
    let ledger = Ledger::read(host.data(), "e");
    assert_eq!(ledger.accepted().count(), 5_000);
    ledger.assert_each_answered_once();
}

#[test]
fn what_was_done_is_not_done_again_by_the_next_host() {
    let models = models("times-2");
    let mut host = Host::start(&models);
    host.wait_until_live("e", "champion");
    let mut client = Client::connect(host.rest()).unwrap();
    for x in 0..50 {
        let response = client.post("/v2/models/e/infer", &request(None, f64::from(x))).unwrap();
        assert_eq!(response.status, 200, "{}", response.text());
    }
    host.stop();
    let before = topic(host.data(), "e", "answers");
    host.restart();
    host.wait_until_live("e", "champion");
    host.stop();
    assert_eq!(topic(host.data(), "e", "answers"), before);
    assert_eq!(topic(host.data(), "e", "scores").len(), 50);
}

#[test]
fn a_second_host_is_told_in_one_line_who_holds_the_data_directory() {
    let models = models("times-2");
    let mut host = Host::start(&models);
    let line = refusal_to_start(&models, &host, "127.0.0.1:0");
    let data = host.data().join("stream");
    assert!(line.contains(&format!("the data directory {} is held by", data.display())), "{line}");
    assert!(line.contains(&host.pid().to_string()), "{line}");
    // The first one noticed nothing.
    host.wait_until_live("e", "champion");
    host.stop();
}

#[test]
fn a_taken_port_is_named_in_one_line() {
    let models = models("times-2");
    let mut host = Host::start(&models);
    host.stop();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let line = refusal_to_start(&models, &host, &format!("127.0.0.1:{port}"));
    assert!(line.contains(&format!("port {port} is taken")), "{line}");
    assert!(line.contains("--listen"), "{line}");
    // Nothing of the failed start is in the way of the next.
    host.restart();
    host.wait_until_live("e", "champion");
    host.stop();
}

#[test]
fn a_stopped_host_leaves_no_address_behind() {
    let models = models("times-2");
    let mut host = Host::start(&models);
    let file = host.data().join("host.json");
    let addresses: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(addresses["rest"], host.rest().to_string());
    host.stop();
    assert!(!file.exists());
    let output = understudy(["status", "--data", host.data().to_str().unwrap()]);
    assert!(!output.success());
    assert!(output.stderr().contains("no host seems to run"), "{}", output.stderr());
}

/// Tries to start another host on the same folders, and returns the one line that it says.
fn refusal_to_start(models: &Models, host: &Host, listen: &str) -> String {
    let output = understudy([
        "serve",
        "--models",
        models.path().to_str().unwrap(),
        "--data",
        host.data().to_str().unwrap(),
        "--listen",
        listen,
        "--admin-listen",
        "127.0.0.1:0",
    ]);
    assert!(!output.success());
    let error = output.stderr();
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.starts_with("understudy: "), "{error}");
    error
}

fn models(champion: &str) -> Models {
    let models = Models::new();
    models.policy(
        "e",
        r#"
        deadline = "30s"
        [roles]
        champion = "champion"
        [policy]
        kind = "preference"
        order = [{ model = "champion" }]
        default = { y = [-1.0] }
        "#,
    );
    models.manifest("e", "champion", "[limits]\ncpu = \"10s\"\nwall = \"30s\"\n");
    models.install("e", "champion", champion);
    models
}
