//! Records that are too large, that are no requests, and that break the model which reads them.

use std::collections::BTreeSet;

use harness::{Deployment, Models, guest, infer_body};
use kafka_testkit::Message;
use serde_json::json;

use super::{
    PATIENT, assert_doubled, assert_log_is_short, call, call_padded, doubling, metric, start,
    value, wait_for_answers, wait_until_committed, y,
};

/// A request with so many `bools`, which come back in its answer.
fn bools(id: &str, count: usize) -> Message {
    let body = json!({ "inputs": [{
        "name": "bools", "datatype": "BOOL", "shape": [count], "data": vec![true; count],
    }] });
    Message::new(body.to_string()).header("id", id)
}

#[test]
fn an_answer_that_is_too_large_becomes_one_that_says_so() {
    let deployment = Deployment::shared().partitions(1);
    let client = deployment.client();
    client.create_topic(&deployment.topic("e/answers"), 1, &[("max.message.bytes", "4000")]);
    let models = Models::new();
    models.install("e", "champion", guest("datatypes-1"));
    models.policy("e", PATIENT);
    let host = start(&deployment, &models);
    let requests = [bools("small", 3), bools("large", 2000), bools("next", 3)];
    client.produce(&deployment.topic("e/requests"), &requests);
    let ids = ["small", "large", "next"].map(str::to_owned);
    let answers = wait_for_answers(&host, &deployment, ids.into_iter());
    for id in ["small", "next"] {
        assert_eq!(value(&answers[id])["outputs"][0]["data"], json!([true, true, true]));
    }
    let error = value(&answers["large"])["error"].as_str().unwrap_or_default().to_owned();
    assert!(error.contains("large"), "{}", answers["large"].text());
    assert!(host.log().contains("an answer is too large to be kept"), "{}", host.log());
    let failed = "understudy_stream_failed_records_total{backend=\"kafka\"}";
    host.wait_for("a record is counted", |host| (metric(host, failed)? >= 1.0).then_some(()));
    wait_until_committed(&host, &deployment);
    assert_log_is_short(&host);
    host.stop();
}

#[test]
fn a_call_that_is_too_large_for_the_topic_is_told_so() {
    let deployment = Deployment::shared().partitions(1);
    let requests = deployment.topic("e/requests");
    deployment.client().create_topic(&requests, 1, &[("max.message.bytes", "10000")]);
    let models = doubling();
    let host = start(&deployment, &models);
    assert_eq!(call(&host, 1.0).y(), Some(2.0));
    let response = call_padded(&host, 2.0, 20_000);
    assert!((400..500).contains(&response.status), "{} {}", response.status, response.text());
    let error = response.error().unwrap_or_default();
    assert!(error.contains("bytes") && error.contains("allowed"), "{error}");
    assert_eq!(call(&host, 3.0).y(), Some(6.0));
    host.stop();
}

#[test]
fn what_is_no_request_is_put_aside_and_holds_nothing_up() {
    let deployment = Deployment::shared().partitions(2);
    let models = doubling();
    let host = start(&deployment, &models);
    let topic = deployment.topic("e/requests");
    let garbage = [
        Message::new(vec![0xff, 0, 0xfe, 7]),
        Message { value: None, ..Message::default() }.key("tombstone"),
        Message::new("{\"a\": 1}"),
        Message::new(""),
        Message::new("{\"inputs\": [".repeat(20_000)),
        Message::new(infer_body("1", 1.0).replace("\"x\"", "\"z\"")),
        Message::new(infer_body("2", 1.0)).header("id", [0xc3, 0x28]),
        Message::new(infer_body("3", 1.0)).header("deadline-us", "tomorrow"),
        Message::new(vec![b'9'; 700_000]),
    ];
    for (number, message) in (0..).zip(&garbage) {
        let partition = i32::try_from(number % 2).unwrap();
        deployment.write("e", number * 10..number * 10 + 10);
        deployment.client().produce(&topic, &[message.clone().to(partition)]);
    }
    let count = garbage.len();
    assert_doubled(&host, &deployment, 0..count as u64 * 10);
    let letters = host.wait_for("a dead letter for each", |_| {
        let letters = deployment.read("e/dead-letters");
        (letters.len() >= count).then_some(letters)
    });
    assert_eq!(letters.len(), count);
    let places: BTreeSet<_> = letters
        .iter()
        .map(|it| (it.header_text("source-partition"), it.header_text("source-offset")))
        .collect();
    assert_eq!(places.len(), count, "{places:?}");
    for letter in &letters {
        assert_eq!(letter.header_text("source-topic").as_deref(), Some("e/requests"));
        assert!(letter.header_text("reason").is_some_and(|reason| !reason.is_empty()));
        let original = garbage.iter().find(|it| it.value == letter.value);
        assert!(original.is_some(), "{}", letter.text());
    }
    let class = "understudy_dead_letters_total{endpoint=\"e\",reason=\"document\"}";
    assert!(metric(&host, class) >= Some(4.0), "{:?}", metric(&host, class));
    wait_until_committed(&host, &deployment);
    assert_log_is_short(&host);
    let host = host.restart();
    host.wait_until_settled("e");
    deployment.write("e", 1000..1010);
    assert_doubled(&host, &deployment, 1000..1010);
    assert_eq!(deployment.read("e/dead-letters").len(), count);
    host.stop();
}

#[test]
fn a_poison_record_breaks_one_session_and_nothing_else() {
    let deployment = Deployment::shared().partitions(2);
    let models = Models::new();
    models.install("e", "champion", guest("flaky"));
    models.install("e", "fallback", guest("identity"));
    let roles = "[roles]\nchampion = 'champion'\nfallback = 'fallback'\n";
    models.policy("e", &format!("deadline = '10min'\n{roles}"));
    let host = start(&deployment, &models);
    // One traps, one never comes back, one breaks its promise of a shape.
    let poison = [("trap", -1.0), ("loop", -2.0), ("shape", -5.0)];
    let topic = deployment.topic("e/requests");
    for (number, (id, x)) in (0..).zip(poison) {
        deployment.write("e", number * 10..number * 10 + 10);
        let record = Message::new(infer_body(id, x)).key(id).header("id", id);
        deployment.client().produce(&topic, &[record]);
    }
    deployment.write("e", 30..40);
    let ids = (0..40).map(|number| number.to_string());
    let ids = ids.chain(poison.map(|(id, _)| id.to_owned()));
    let answers = wait_for_answers(&host, &deployment, ids);
    for number in 0..40_u64 {
        assert_eq!(y(&answers[&number.to_string()]), Some(number as f64));
    }
    for (id, x) in poison {
        assert_eq!(y(&answers[id]), Some(x), "{}", answers[id].text());
    }
    wait_until_committed(&host, &deployment);
    // It is answered for good: nobody meets it again.
    let host = host.restart();
    host.wait_until_settled("e");
    deployment.write("e", 40..50);
    let ids = (40..50).map(|number| number.to_string());
    let again = wait_for_answers(&host, &deployment, ids);
    assert_eq!(again.len(), 53);
    assert_log_is_short(&host);
    host.stop();
}
