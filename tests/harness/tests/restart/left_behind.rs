//! What a killed host leaves behind, one case at a time.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use harness::{Client, Host, Models, eventually, request, topic};
use message::Reason;
use message::record::{AnswerSource, header};

use crate::ledger::{DEFAULT, Ledger};

/// So slow that it answers nothing before its host is killed.
const SLOW: &str = "slow-600000";
/// Leaves it the time for that.
const PATIENCE: &str = "[limits]\ncpu = \"10min\"\nwall = \"10min\"\n";
const RECORDS: usize = 40;

#[test]
fn what_a_dead_host_accepted_is_answered_by_the_models_of_the_next() {
    let models = models(SLOW, "10min");
    let mut host = Host::start(&models);
    host.wait_until_live("e", "champion");
    write(&host);
    host.kill_hard();
    models.install("e", "champion", "times-2");
    host.restart();
    wait_until_answered(&host);
    host.stop();
    let ledger = Ledger::read(host.data(), "e");
    ledger.assert_each_answered_once();
    assert_eq!(ledger.reasons(), [("preferred", RECORDS)].into());
}

#[test]
fn what_is_late_is_answered_with_the_default_and_says_that_it_expired() {
    let models = models(SLOW, "2s");
    let mut host = Host::start(&models);
    host.wait_until_live("e", "champion");
    write(&host);
    host.kill_hard();
    models.install("e", "champion", "times-2");
    wait_until_due(host.data());
    host.restart();
    wait_until_answered(&host);
    host.stop();
    let ledger = Ledger::read(host.data(), "e");
    ledger.assert_each_answered_once();
    assert_eq!(ledger.reasons(), [("expired", RECORDS)].into());
    for id in ledger.accepted() {
        let answer = &ledger.answer(id).answer;
        assert_eq!(answer.source, AnswerSource::Default);
        assert_eq!(answer.reason, Reason::Expired);
        let y = &ledger.answer(id).document;
        let y: serde_json::Value = serde_json::from_slice(y).unwrap();
        assert_eq!(y["outputs"][0]["data"][0], DEFAULT);
    }
}

#[test]
fn a_request_without_a_default_is_answered_with_an_error_once_it_is_late() {
    let models = models(SLOW, "1s");
    models.policy("e", "deadline = \"1s\"\n[roles]\nchampion = \"champion\"\n");
    let mut host = Host::start(&models);
    host.wait_until_live("e", "champion");
    write(&host);
    host.kill_hard();
    models.install("e", "champion", "times-2");
    wait_until_due(host.data());
    host.restart();
    wait_until_answered(&host);
    host.stop();
    let answers = topic(host.data(), "e", "answers");
    assert_eq!(answers.len(), RECORDS);
    for answer in answers {
        let document: serde_json::Value = serde_json::from_slice(&answer.record.value).unwrap();
        assert!(document["error"].is_string(), "{document}");
        assert_eq!(document["parameters"]["reason"], "expired");
    }
}

#[test]
fn a_key_gets_the_same_answer_from_the_next_host() {
    let models = models("times-2", "5s");
    let mut host = Host::start(&models);
    host.wait_until_live("e", "champion");
    let first = ask_with_key(&host, 7.0);
    host.kill_hard();
    // Another model now, and another question: neither matters any more.
    models.install("e", "champion", "times-3");
    host.restart();
    host.wait_until_live("e", "champion");
    let second = ask_with_key(&host, 8.0);
    assert_eq!(first, second);
    host.stop();
    assert_eq!(topic(host.data(), "e", "answers").len(), 1);
}

fn models(champion: &str, deadline: &str) -> Models {
    let models = Models::new();
    models.policy(
        "e",
        &format!(
            r#"
            deadline = "{deadline}"
            [roles]
            champion = "champion"
            [policy]
            kind = "preference"
            order = [{{ model = "champion" }}]
            default = {{ y = [-1.0] }}
            "#
        ),
    );
    models.manifest("e", "champion", PATIENCE);
    models.install("e", "champion", champion);
    models
}

/// Has the host accept some records, and knows that it did.
fn write(host: &Host) {
    let lines: String = (0..RECORDS)
        .map(|number| request(Some(&format!("record-{number}")), number as f64) + "\n")
        .collect();
    let mut client = Client::connect(host.rest()).unwrap();
    let headers = [("content-type", "application/x-ndjson")];
    let response =
        client.send("POST", "/v2/models/e/records", &headers, lines.as_bytes()).unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
}

fn ask_with_key(host: &Host, x: f64) -> Vec<u8> {
    let mut client = Client::connect(host.rest()).unwrap();
    let headers = [("content-type", "application/json"), ("idempotency-key", "the-key")];
    let body = request(None, x);
    let response = client.send("POST", "/v2/models/e/infer", &headers, body.as_bytes()).unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    response.body
}

fn wait_until_answered(host: &Host) {
    eventually("everything accepted is answered", || {
        let ledger = Ledger::read(host.data(), "e");
        ledger.accepted().all(|id| ledger.has_answered(id))
    });
}

/// Waits until the last of the accepted requests is late.
fn wait_until_due(data: &Path) {
    let due = topic(data, "e", "requests").into_iter().map(|stored| {
        let due = stored.record.headers.get(header::DEADLINE_US).expect("a request has a deadline");
        str::from_utf8(due).unwrap().parse::<u64>().unwrap()
    });
    let due = UNIX_EPOCH + Duration::from_micros(due.max().expect("something was accepted"));
    eventually("the requests are late", || SystemTime::now() > due);
}
