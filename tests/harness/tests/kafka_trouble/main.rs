//! What can go wrong with the cluster that keeps the records, and with what is written there: the operator
//! hears of it in a clear line and sees it in a metric, memory stays bounded, nothing is lost, and all goes on
//! by itself when it is over.

mod away;
mod leaders;
mod records;
mod topics;

use std::collections::BTreeMap;

use harness::{Client, Deployment, Host, Models, guest};
use kafka_testkit::Message;
use serde_json::Value;

/// A deadline that no trouble of a test outlasts.
const PATIENT: &str = "deadline = '10min'\n[roles]\nchampion = 'champion'\n";

/// One endpoint `e` whose answers are twice their requests, however long they take.
fn doubling() -> Models {
    let models = Models::new();
    models.install("e", "champion", guest("times-2"));
    models.policy("e", PATIENT);
    models
}

/// A host that is ready.
fn start(deployment: &Deployment, models: &Models) -> Host {
    let host = deployment.host(models);
    host.wait_until_settled("e");
    host
}

/// The value of a metric with these labels, as it is printed.
fn metric(host: &Host, line: &str) -> Option<f64> {
    let text = Client::new(host.admin()).get("/metrics").ok()?.text();
    text.lines().find_map(|found| found.strip_prefix(line)?.trim().parse().ok())
}

fn trouble(class: &str) -> String {
    format!("understudy_stream_trouble{{class=\"{class}\"}}")
}

/// Waits until a kind of trouble is in the metrics, the status and the log, and returns the line of the log.
fn wait_for_trouble(host: &Host, class: &str) -> String {
    host.wait_for(&format!("trouble with {class}"), |host| {
        (metric(host, &trouble(class)) == Some(1.0)).then_some(())
    });
    let line = host.wait_for("a line in the log", |host| {
        let log = host.log();
        log.lines().rev().find(|line| is_of(line, class)).map(str::to_owned)
    });
    assert!(line.contains("WARN") || line.contains("ERROR"), "{line}");
    line
}

/// Waits until a kind of trouble is over, and the log says so.
fn wait_until_over(host: &Host, class: &str) {
    host.wait_for(&format!("no trouble with {class}"), |host| {
        (metric(host, &trouble(class)) == Some(0.0)).then_some(())
    });
    let over = |line: &str| is_of(line, class) && line.contains("is over");
    assert!(host.log().lines().any(over), "{}", host.log());
}

fn is_of(line: &str, class: &str) -> bool {
    line.contains("trouble with Kafka") && line.contains(&format!("trouble=\"{class}\""))
}

/// Nobody reads a log that repeats itself.
fn assert_log_is_short(host: &Host) {
    let log = host.log();
    let lines = log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).count();
    assert!(lines <= 60, "{lines} lines of warnings and errors:\n{log}");
}

/// Waits until each of these has its one answer, which is twice its number.
fn assert_doubled(
    host: &Host,
    deployment: &Deployment,
    numbers: std::ops::Range<u64>,
) -> BTreeMap<String, Message> {
    let answers = wait_for_answers(host, deployment, numbers.clone().map(|it| it.to_string()));
    for number in numbers {
        let answer = &answers[&number.to_string()];
        assert_eq!(y(answer), Some(2.0 * number as f64), "{}", answer.text());
    }
    answers
}

/// Waits until each of these ids has its answer.
fn wait_for_answers(
    host: &Host,
    deployment: &Deployment,
    ids: impl Iterator<Item = String>,
) -> BTreeMap<String, Message> {
    let ids: Vec<String> = ids.collect();
    host.wait_for("every request has its answer", |_| {
        let answers = deployment.answers("e");
        ids.iter().all(|id| answers.contains_key(id)).then_some(answers)
    })
}

/// Waits until the hosts have committed all there is.
fn wait_until_committed(host: &Host, deployment: &Deployment) {
    host.wait_for("everything is committed", |_| (deployment.lag("e") == 0).then_some(()));
}

fn value(message: &Message) -> Value {
    serde_json::from_slice(message.value.as_deref().unwrap_or_default()).unwrap_or(Value::Null)
}

fn y(answer: &Message) -> Option<f64> {
    value(answer)["outputs"].as_array()?.first()?["data"][0].as_f64()
}

/// Calls with little patience.
fn call(host: &Host, x: f64) -> harness::Response {
    call_padded(host, x, 0)
}

/// Calls with little patience and so many bytes that mean nothing.
fn call_padded(host: &Host, x: f64, padding: usize) -> harness::Response {
    let body = format!(
        r#"{{"inputs": [{{"name": "x", "datatype": "FP64", "shape": [1], "data": [{x}]}}],
            "parameters": {{"timeout": 5000000}}{}}}"#,
        " ".repeat(padding)
    );
    host.client().post("/v2/models/e/infer", body).expect("a response")
}
