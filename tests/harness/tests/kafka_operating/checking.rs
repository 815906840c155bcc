//! `check understudy.toml`: before a host is started on a cluster.

use kafka_testkit::unique;
use serde_json::Value;

use crate::{Site, broker};

fn config(prefix: &str, rest: &str) -> String {
    format!(
        "[stream]\nbackend = 'kafka'\n[stream.kafka]\nbrokers = ['{}']\nprefix = '{prefix}.'\n{rest}",
        broker().bootstrap()
    )
}

/// What `check --online` says of each topic of an endpoint `e`.
fn check(prefix: &str, rest: &str) -> (bool, Vec<Value>) {
    let site = Site::new(&config(prefix, rest));
    site.write("models/e/endpoint.toml", "deadline = '1s'");
    let said = site.run(&["check", "@", "--online", "--json"]);
    let report: Value = serde_json::from_str(&said.out)
        .unwrap_or_else(|error| panic!("{error} in {}{}", said.out, said.error));
    assert_eq!(report["fits"].as_bool().unwrap(), said.success);
    (said.success, report["topics"].as_array().unwrap().clone())
}

fn find<'a>(topics: &'a [Value], name: &str) -> &'a Value {
    topics.iter().find(|topic| topic["topic"] == name).unwrap()
}

#[test]
fn topics_that_will_be_made_are_well_and_are_not_made() {
    let prefix = unique("check");
    for _ in 0..2 {
        let (is_well, topics) = check(&prefix, "");
        assert!(is_well, "{topics:?}");
        let requests = find(&topics, "e/requests");
        assert_eq!(requests["partitions"], Value::Null);
        assert!(requests["note"].as_str().unwrap().contains("is made"), "{requests}");
    }
}

#[test]
fn topics_that_have_to_be_there_are_missed_with_the_way_to_make_them() {
    let prefix = unique("check");
    let (is_well, topics) = check(&prefix, "[stream.kafka.topics]\ncreate = false\n");
    assert!(!is_well);
    let note = find(&topics, "e/requests")["note"].as_str().unwrap();
    assert!(note.contains("kafka-topics.sh") && note.contains("--partitions 8"), "{note}");
}

#[test]
fn topics_that_do_not_fit_together_are_named() {
    let prefix = unique("check");
    for (topic, partitions) in [("requests", 4), ("answers", 4), ("scores", 3)] {
        broker().client().create_topic(&format!("{prefix}.e.{topic}"), partitions, &[]);
    }
    let (is_well, topics) = check(&prefix, "");
    assert!(!is_well);
    assert_eq!(find(&topics, "e/requests")["partitions"], 4);
    assert_eq!(find(&topics, "e/answers")["fits"], true);
    let scores = find(&topics, "e/scores");
    assert_eq!(scores["fits"], false);
    assert!(scores["note"].as_str().unwrap().contains("found 3 partitions"), "{scores}");
}

#[test]
fn properties_are_refused_by_name_and_line() {
    let refused = |property: &str, words: &[&str]| {
        let config = config("p", &format!("[stream.kafka.properties]\n{property}\n"));
        let said = Site::new(&config).run(&["check", "@"]).failure();
        let name = property.split(['\'', ' ']).find(|part| part.contains('.')).unwrap();
        let place = format!("understudy.toml:7: stream.kafka.properties.{name}: ");
        assert!(said.contains(&place), "no {place} in {said}");
        for word in words {
            assert!(said.contains(word), "no {word:?} in {said}");
        }
    };
    refused("'linger.mss' = 1", &["linger.mss"]);
    refused("'linger.ms' = 'soon'", &["\"soon\""]);
    refused("'enable.auto.commit' = true", &["cannot be set", "committed before"]);
    refused("group.protocol = 'consumer'", &["cannot be set"]);
}

#[test]
fn brokers_that_are_not_there_are_named() {
    let text = "[stream]\nbackend = 'kafka'\n[stream.kafka]\nbrokers = ['127.0.0.1:1']\n";
    let site = Site::new(text);
    assert!(site.run(&["check", "@"]).success().contains("--online"));
    let said = site.run(&["check", "@", "--online"]).failure();
    assert!(said.contains("127.0.0.1:1"), "{said}");
}
