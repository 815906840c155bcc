//! What a killed host leaves behind, one case at a time.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use harness::{Host, Models, Options, guest, infer_body, read_topic, wait};

use crate::ledger::Ledger;

/// So slow that it answers nothing before its host is killed.
const SLOW: &str = "loop-in-predict";
const RECORDS: usize = 40;
/// What an endpoint does for those whom no model answers.
const DEFAULT: &str = r#"
[policy]
kind = "preference"
order = [{ model = "champion" }]
default = { y = [-1.0] }
"#;

#[test]
fn what_a_dead_host_accepted_is_answered_by_the_models_of_the_next() {
    let models = models("10min", DEFAULT);
    let data = die_with_records_and_live_again(&models, false);
    let ledger = Ledger::read(data.path(), "e");
    assert!(ledger.unanswered().is_empty());
    assert_eq!(ledger.reasons(), [("preferred", RECORDS)].into());
}

#[test]
fn what_is_late_gets_the_default_and_is_told_that_it_expired() {
    let models = models("2s", DEFAULT);
    let data = die_with_records_and_live_again(&models, true);
    let ledger = Ledger::read(data.path(), "e");
    assert!(ledger.unanswered().is_empty());
    assert_eq!(ledger.reasons(), [("expired", RECORDS)].into());
    assert!(ledger.accepted().all(|id| ledger.answer(id)["model_version"] == "default"));
}

#[test]
fn what_is_late_and_has_no_default_is_told_so_as_well() {
    let models = models("2s", "");
    let data = die_with_records_and_live_again(&models, true);
    let ledger = Ledger::read(data.path(), "e");
    assert_eq!(ledger.accepted().len(), RECORDS);
    for id in ledger.accepted() {
        let answer = ledger.answer(id);
        assert!(answer["error"].is_string(), "{answer}");
        assert_eq!(answer["parameters"]["reason"], "expired");
    }
}

#[test]
fn a_key_gets_the_same_answer_from_the_next_host() {
    let models = Models::with_champion("e", "times-2");
    let host = Host::start(&models.path(), Options::default());
    host.wait_until_settled("e");
    let first = ask_with_key(&host, 7.0);
    assert_eq!(first["outputs"][0]["data"][0], 14.0);
    let dead = host.kill_hard();
    // Another model now, and another question: neither matters any more.
    models.install("e", "champion", guest("times-3"));
    let host = dead.start();
    host.wait_until_settled("e");
    assert_eq!(ask_with_key(&host, 8.0), first);
    assert_eq!(host.stop().topic("e", "answers").len(), 1);
}

/// Has a host accept records that it cannot answer, kills it, and has the next one answer them.
fn die_with_records_and_live_again(models: &Models, late: bool) -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    let options = Options { data: Some(data.path().to_owned()), ..Options::default() };
    let host = Host::start(&models.path(), options);
    host.wait_until_settled("e");
    append(&host);
    let dead = host.kill_hard();
    assert_eq!(dead.topic("e", "answers"), []);
    models.install("e", "champion", guest("times-2"));
    if late {
        wait_until_due(data.path());
    }
    let host = dead.start();
    host.wait_for("everything that was accepted is answered", |host| {
        (host.topic("e", "answers").len() >= RECORDS).then_some(())
    });
    host.stop();
    data
}

fn models(deadline: &str, policy: &str) -> Models {
    let models = Models::new();
    let roles = "[roles]\nchampion = \"champion\"\n";
    models.policy("e", &format!("deadline = \"{deadline}\"\n{roles}{policy}"));
    models.manifest("e", "champion", "[limits]\ncpu = \"10min\"\nwall = \"10min\"\n");
    models.install("e", "champion", guest(SLOW));
    models
}

/// Has the host accept some records, and knows that it did.
fn append(host: &Host) {
    let lines: String = (0..RECORDS)
        .map(|number| infer_body(&format!("record-{number}"), number as f64) + "\n")
        .collect();
    let headers = [("content-type", "application/x-ndjson")];
    let response =
        host.client().send("POST", "/v2/models/e/records", &headers, lines.as_bytes()).unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
}

fn ask_with_key(host: &Host, x: f64) -> serde_json::Value {
    let headers = [("content-type", "application/json"), ("idempotency-key", "the-key")];
    let body = infer_body("mine", x);
    let response =
        host.client().send("POST", "/v2/models/e/infer", &headers, body.as_bytes()).unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

/// Waits until the last of the accepted requests is late.
fn wait_until_due(data: &Path) {
    let requests = read_topic(data, "e", "requests");
    let due = requests.iter().map(|record| record.headers["deadline-us"].parse::<u64>().unwrap());
    let due = UNIX_EPOCH + Duration::from_micros(due.max().expect("something was accepted"));
    let is_late = || (SystemTime::now() > due).then_some(());
    wait::until("the requests are late", String::new, is_late);
}
