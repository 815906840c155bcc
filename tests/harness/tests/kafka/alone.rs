//! One host on a cluster.

use std::collections::HashMap;

use harness::{Deployment, Models};
use kafka_testkit::{Message, unique};

use crate::{owned, wait_for_answers, wait_until_done, wait_until_owned};

#[test]
fn what_others_write_is_answered_once_and_the_lag_is_true() {
    let deployment = Deployment::shared();
    let models = Models::with_champion("e", "identity");
    let host = deployment.host(&models);
    host.wait_until_settled("e");
    wait_until_owned(&host, "e", 4);
    deployment.write("e", 0..300);
    wait_for_answers(&deployment, &[&host], "e", 300);
    wait_until_done(&deployment, &host, "e");
    let stopped = host.stop();
    deployment.write("e", 300..310);
    assert_eq!(deployment.lag("e"), 10);
    let host = stopped.start();
    wait_for_answers(&deployment, &[&host], "e", 310);
    wait_until_done(&deployment, &host, "e");
    let all = deployment.read("e/answers");
    let answers = all.iter().filter(|answer| answer.header_text("fence").is_none());
    assert_eq!(answers.count(), 310, "something was answered twice");
    host.stop();
}

#[test]
fn requests_of_one_key_are_answered_in_their_order() {
    let deployment = Deployment::shared();
    let models = Models::with_champion("e", "identity");
    let host = deployment.host(&models);
    host.wait_until_settled("e");
    let requests: Vec<Message> = (0..200)
        .map(|number: u32| {
            let (id, key) = (number.to_string(), (number % 5).to_string());
            let body = harness::infer_body(&id, f64::from(number));
            Message::new(body).key(key.as_bytes()).header("id", id.as_bytes())
        })
        .collect();
    deployment.client().produce(&deployment.topic("e/requests"), &requests);
    wait_for_answers(&deployment, &[&host], "e", 200);
    let mut last: HashMap<u32, u32> = HashMap::new();
    for answer in deployment.read("e/answers") {
        let Some(id) = answer.header_text("id") else { continue };
        let number: u32 = id.parse().unwrap();
        let before = last.insert(number % 5, number);
        assert!(before.is_none_or(|before| before < number), "{number} came after {before:?}");
    }
    host.stop();
}

#[test]
fn what_is_no_request_becomes_a_dead_letter_and_holds_nobody_up() {
    let deployment = Deployment::shared().partitions(1);
    let models = Models::with_champion("e", "identity");
    let host = deployment.host(&models);
    host.wait_until_settled("e");
    let topic = deployment.topic("e/requests");
    deployment.client().produce(&topic, &[Message::new("garbage"), Message::new([0xff, 0x00])]);
    deployment.write("e", 0..3);
    wait_for_answers(&deployment, &[&host], "e", 3);
    wait_until_done(&deployment, &host, "e");
    let letters = deployment.read("e/dead-letters");
    assert_eq!(letters.len(), 2);
    for (offset, letter) in letters.iter().enumerate() {
        let said = |name| letter.header_text(name);
        assert_eq!(said("source-topic").as_deref(), Some("e/requests"));
        assert_eq!(said("source-partition").as_deref(), Some("0"));
        assert_eq!(said("source-offset"), Some(offset.to_string()));
        assert_eq!(said("reason-class").as_deref(), Some("document"));
    }
    assert_eq!(letters[0].text(), "garbage");
    assert_eq!(owned(&host, "e"), 1);
    host.stop();
}

#[test]
fn a_flow_reads_its_source_and_returns_its_answers() {
    let deployment = Deployment::shared().partitions(2);
    let models = Models::with_champion("e", "identity");
    let (source, target) = (unique("in"), unique("out"));
    deployment.client().create_topic(&source, 3, &[]);
    let flow = format!("flow = {{ source = '{source}', answers = '{target}' }}");
    models.policy("e", &format!("roles = {{ champion = 'champion' }}\n{flow}"));
    let host = deployment.host(&models);
    host.wait_until_settled("e");
    wait_until_owned(&host, "e", 5);
    let requests: Vec<Message> = (0..30)
        .map(|number: u32| {
            let id = number.to_string();
            Message::new(harness::infer_body(&id, f64::from(number))).key(id.as_bytes())
        })
        .collect();
    deployment.client().produce(&source, &requests);
    wait_for_answers(&deployment, &[&host], "e", 30);
    let returned = deployment
        .client()
        .read_until(&target, |found| (found.len() >= 30).then(|| found.to_vec()));
    assert_eq!(returned.len(), 30);
    assert!(returned.iter().all(|copy| copy.header_text("endpoint").as_deref() == Some("e")));
    assert!(deployment.read("e/requests").is_empty(), "what is read from a source is not copied");
    host.stop();
}
