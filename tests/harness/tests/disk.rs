//! A disk that is full, and has room again.

use std::collections::BTreeMap;

use harness::{Host, Load, Models, Options, Record, Stopped};
use serde_json::Value;

/// The answers of a host by the id of their request, each of which has exactly one.
fn answer_of_each(requests: &[Record], answers: &[Record]) -> BTreeMap<String, Value> {
    let by_id: BTreeMap<_, _> =
        answers.iter().map(|answer| (answer.id().to_owned(), answer.value.clone())).collect();
    assert_eq!(by_id.len(), answers.len(), "an id has two answers");
    let unanswered: Vec<_> =
        requests.iter().map(Record::id).filter(|id| !by_id.contains_key(*id)).collect();
    assert_eq!(unanswered, Vec::<&str>::new());
    assert_eq!(requests.len(), answers.len(), "an answer has no request");
    by_id
}

fn refused(host: &Host) -> Option<String> {
    let response = host.client().infer("e", 1.0).expect("a response");
    match response.status {
        200 => None,
        507 => response.error(),
        other => panic!("found {other}, expected 200 or 507: {}", response.text()),
    }
}

#[test]
fn a_full_disk_refuses_what_is_new_and_keeps_what_is_old_until_there_is_room() {
    let models = Models::with_champion("e", "identity");
    let host = Host::start_on_small_disk(&models.path(), Options::default());
    host.wait_until_live("e", "champion");
    let load = Load::start(&host, "e");
    for round in 0..3 {
        load.wait_for_calls(40);
        let kept = host.topic("e", "requests").len();
        host.limit_files(Some(4096));
        let error = host.wait_for("a request is refused", refused);
        assert!(error.contains("no room"), "{error}");
        load.wait_for_calls(40);
        assert!(host.topic("e", "requests").len() >= kept, "round {round} lost requests");
        host.limit_files(None);
        host.wait_for("requests are taken again", |host| refused(host).is_none().then_some(()));
    }
    load.wait_for_calls(40);
    let report = load.finish();
    let stopped = host.stop();
    let answers = answer_of_each(&stopped.topic("e", "requests"), &stopped.topic("e", "answers"));
    let mut refusals = 0;
    for call in &report.calls {
        let response = call.response.as_ref().expect("a response");
        match response.status {
            200 => {
                let document = response.json();
                let id = document["parameters"]["request_id"].as_str().expect("an id");
                assert_eq!(answers[id], document);
            }
            507 => refusals += 1,
            other => panic!("found {other}, expected 200 or 507: {}", response.text()),
        }
    }
    assert!(refusals >= 3, "{refusals} refusals");
    let complaints = stopped.log.matches("ERROR").count();
    assert!((1..=100).contains(&complaints), "{complaints} complaints:\n{}", stopped.log);
    stopped.start().stop();
}

#[test]
fn a_host_that_is_stopped_while_the_disk_is_full_answers_what_is_left_when_it_starts_again() {
    ends_while_the_disk_is_full(Host::stop);
}

#[test]
fn a_host_that_is_killed_while_the_disk_is_full_answers_what_is_left_when_it_starts_again() {
    ends_while_the_disk_is_full(Host::kill_hard);
}

fn ends_while_the_disk_is_full(end: fn(Host) -> Stopped) {
    let models = Models::with_champion("e", "identity");
    let host = Host::start_on_small_disk(&models.path(), Options::default());
    host.wait_until_live("e", "champion");
    let load = Load::start(&host, "e");
    load.wait_for_calls(40);
    host.limit_files(Some(4096));
    host.wait_for("a request is refused", refused);
    load.wait_for_calls(40);
    let host = end(host).start();
    host.wait_until_live("e", "champion");
    load.wait_for_calls(40);
    load.finish();
    let stopped = host.stop();
    answer_of_each(&stopped.topic("e", "requests"), &stopped.topic("e", "answers"));
}
