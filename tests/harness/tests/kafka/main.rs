//! Hosts that keep their records on a cluster of Kafka, alone and together, on a real broker.

#![expect(clippy::unwrap_used, reason = "what prepares a test may fail it")]

mod alone;
mod calls;
mod exact;
mod external;
mod mirroring;
mod together;
mod writing;

use harness::{Deployment, Host};
use kafka_testkit::Message;

/// A session that ends soon, so that a host which is killed is missed soon.
const SHORT_SESSION: &str =
    "[stream.kafka.properties]\n'session.timeout.ms' = '6000'\n'heartbeat.interval.ms' = '500'\n";

/// Waits until there are so many official answers, and checks that each is what `identity` says.
fn wait_for_answers(deployment: &Deployment, hosts: &[&Host], endpoint: &str, count: usize) {
    let explain = || hosts.iter().map(|host| format!("{}\n\n", host.log())).collect::<String>();
    harness::until(&format!("{count} answers"), explain, || {
        let answers = deployment.answers(endpoint);
        assert!(answers.len() <= count, "found {} answers, expected {count}", answers.len());
        (answers.len() == count).then_some(())
    });
    for (id, answer) in deployment.answers(endpoint) {
        let x: f64 = id.parse().expect("a number");
        assert_eq!(y_of(&answer), Some(x), "{answer:?}");
    }
}

/// What an answer says.
fn y_of(answer: &Message) -> Option<f64> {
    let document: serde_json::Value = serde_json::from_str(&answer.text()).ok()?;
    document["outputs"][0]["data"][0].as_f64()
}

/// Waits until nothing is left to do, as the group's own tools see it.
fn wait_until_done(deployment: &Deployment, host: &Host, endpoint: &str) {
    host.wait_for("the lag is gone", |_| (deployment.lag(endpoint) == 0).then_some(()));
}

/// How many partitions of an endpoint are a host's.
fn owned(host: &Host, endpoint: &str) -> usize {
    let endpoint = host.endpoint(endpoint).unwrap_or_default();
    endpoint["shared"]["owned"].as_array().map_or(0, Vec::len)
}

/// Waits until a host owns so many partitions.
fn wait_until_owned(host: &Host, endpoint: &str, count: usize) {
    let what = format!("{count} partitions are owned");
    host.wait_for(&what, |host| (owned(host, endpoint) == count).then_some(()));
}

/// One of the counts of what happened to a host's partitions.
fn counted(host: &Host, endpoint: &str, what: &str) -> u64 {
    host.endpoint(endpoint).unwrap_or_default()["shared"][what].as_u64().unwrap_or(0)
}
