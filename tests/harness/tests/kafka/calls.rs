//! Calls on hosts that share the stream: whoever is asked brings the answer, whoever gives it.

use std::collections::{BTreeMap, BTreeSet};

use harness::{Deployment, Host, Models, Response, infer_body, python};
use kafka_testkit::Message;
use serde_json::Value;

use crate::{SHORT_SESSION, wait_until_owned};

/// Hosts with the endpoint `e`, whose champion answers `2 x`, and whose key is `x`.
fn hosts<const N: usize>(deployment: &Deployment) -> (Models, [Host; N]) {
    let models = models("key = 'x'\n");
    let hosts = [(); N].map(|()| deployment.host(&models));
    hosts.iter().for_each(|host| host.wait_until_settled("e"));
    (models, hosts)
}

fn models(more: &str) -> Models {
    let models = Models::with_champion("e", "times-2");
    models.policy("e", &format!("{more}deadline = '20s'\n[roles]\nchampion = 'champion'\n"));
    models
}

fn ask(host: &Host, key: Option<&str>, x: f64) -> Response {
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(key.map(|key| ("idempotency-key", key)));
    let body = infer_body("mine", x);
    host.client().send("POST", "/v2/models/e/infer", &headers, body.as_bytes()).expect("a response")
}

/// What is counted of the calls of a host.
fn count(host: &Host, what: &str) -> u64 {
    let endpoint = host.endpoint("e").expect("the endpoint");
    endpoint["calls"][what].as_u64().unwrap_or_else(|| panic!("no {what} in {endpoint}"))
}

/// Asks with one `x` after the other, from this one on, until each host has told somebody what another
/// answered; every answer has to be right.
fn ask_until_all_share(hosts: &[Host], from: u32) {
    let mut x = f64::from(from);
    hosts[0].wait_for("every host tells what another one answered", |_| {
        for host in hosts {
            let response = ask(host, None, x);
            assert_eq!(response.status, 200, "{}", response.text());
            assert_eq!(response.y(), Some(2.0 * x));
        }
        x += 1.0;
        let shares = |host: &Host| {
            ["answered_elsewhere", "replies_sent"].iter().all(|it| count(host, it) > 0)
        };
        hosts.iter().all(shares).then_some(())
    });
}

#[test]
fn every_host_answers_every_key_whoever_owns_it() {
    let deployment = Deployment::shared();
    let (_models, hosts) = hosts::<3>(&deployment);
    ask_until_all_share(&hosts, 0);
    for host in &hosts {
        assert_eq!(count(host, "waiting"), 0);
        assert_eq!(count(host, "unanswered"), 0);
    }
    // The same key is in one partition, however often and wherever it is asked.
    let mut partitions: BTreeMap<Vec<u8>, Option<i32>> = BTreeMap::new();
    for request in deployment.read("e/requests") {
        let key = request.key.clone().expect("a key");
        assert_eq!(*partitions.entry(key).or_insert(request.partition), request.partition);
    }
    assert!(partitions.len() > 1);
    hosts.into_iter().for_each(|host| drop(host.stop()));
}

#[test]
fn a_call_without_a_key_is_answered_by_the_host_that_was_asked_where_it_owns_a_partition() {
    let deployment = Deployment::shared();
    let models = models("");
    let hosts = [(); 2].map(|()| deployment.host(&models));
    hosts.iter().for_each(|host| host.wait_until_settled("e"));
    hosts.iter().for_each(|host| wait_until_owned(host, "e", 2));
    for host in &hosts {
        let (here, elsewhere) = (count(host, "answered_here"), count(host, "answered_elsewhere"));
        for x in 0..20 {
            assert_eq!(ask(host, None, f64::from(x)).y(), Some(2.0 * f64::from(x)));
        }
        // A caller may know before it is counted.
        host.wait_for("all twenty are counted here", |host| {
            (count(host, "answered_here") == here + 20).then_some(())
        });
        assert_eq!(count(host, "answered_elsewhere"), elsewhere);
    }
    hosts.into_iter().for_each(|host| drop(host.stop()));
}

#[test]
fn one_idempotency_key_has_one_answer_on_whatever_host_it_is_asked() {
    let deployment = Deployment::shared();
    let models = models("");
    let hosts = [(); 2].map(|()| deployment.host(&models));
    hosts.iter().for_each(|host| host.wait_until_settled("e"));
    for round in 0..10 {
        let key = format!("key-{round}");
        let answers: Vec<Value> = std::thread::scope(|scope| {
            let ask = |number: u32| {
                let (host, key) = (&hosts[number as usize % 2], &key);
                scope.spawn(move || {
                    let response = ask(host, Some(key), f64::from(number));
                    assert_eq!(response.status, 200, "{}", response.text());
                    response.json()
                })
            };
            let asked: Vec<_> = (0..6).map(ask).collect();
            asked.into_iter().map(|asked| asked.join().unwrap()).collect()
        });
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        // And later, when the answer has to be read back.
        for host in &hosts {
            assert_eq!(ask(host, Some(&key), 7.0).json(), answers[0]);
        }
    }
    let answers = deployment.read("e/answers");
    assert_eq!(answers.iter().filter(|it| it.header_text("id").is_some()).count(), 10);
    hosts.into_iter().for_each(|host| drop(host.stop()));
}

#[test]
fn callers_over_grpc_are_answered_by_every_host_for_all() {
    let deployment = Deployment::shared();
    let (_models, hosts) = hosts::<2>(&deployment);
    hosts.iter().for_each(|host| wait_until_owned(host, "e", 2));
    let addresses = hosts.iter().map(|host| host.grpc().to_string());
    let done = python::program("triton_grpc_hosts.py").args(addresses).output().expect("a Python");
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success(),
        "{errors}\nthe hosts said:\n{}{}",
        hosts[0].log(),
        hosts[1].log()
    );
    // Forty keys are more than one host's.
    for host in &hosts {
        assert!(count(host, "answered_elsewhere") > 0);
        assert_eq!(count(host, "unanswered"), 0);
    }
    hosts.into_iter().for_each(|host| drop(host.stop()));
}

#[test]
fn an_answer_of_another_host_comes_with_tensors_in_binary_where_they_are_wanted() {
    let deployment = Deployment::shared();
    let (_models, hosts) = hosts::<2>(&deployment);
    ask_until_all_share(&hosts, 0);
    // These are all the keys that were asked, so some belong to the other host.
    let elsewhere = count(&hosts[0], "answered_elsewhere");
    let mut x = 0.0;
    hosts[0].wait_for("an answer of the other host", |host| {
        x += 1.0;
        let body = format!(
            "{{\"inputs\": [{{\"name\": \"x\", \"datatype\": \"FP64\", \"shape\": [1], \"data\": [{x}]}}], \
             \"outputs\": [{{\"name\": \"y\", \"parameters\": {{\"binary_data\": true}}}}]}}"
        );
        let response = host.client().post("/v2/models/e/infer", body).unwrap();
        assert_eq!(response.status, 200, "{}", response.text());
        let (_, y) = response.body.split_at(response.body.len() - 8);
        assert_eq!(f64::from_le_bytes(y.try_into().unwrap()), 2.0 * x);
        (count(host, "answered_elsewhere") > elsewhere).then_some(())
    });
    hosts.into_iter().for_each(|host| drop(host.stop()));
}

#[test]
fn records_that_are_brought_are_spread_by_key_and_all_are_answered() {
    let deployment = Deployment::shared();
    let (_models, [host]) = hosts::<1>(&deployment);
    let lines: String = (0..400)
        .map(|number| infer_body(&format!("r-{number}"), f64::from(number % 40)) + "\n")
        .collect();
    let headers = [("content-type", "application/x-ndjson")];
    let path = "/v2/models/e/records";
    let response = host.client().send("POST", path, &headers, lines.as_bytes()).unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    let appended = response.json();
    assert_eq!(appended["count"], 400);
    let parts = appended["partitions"].as_array().unwrap().clone();
    assert!(parts.len() > 1, "{appended}");
    let requests = deployment.read("e/requests");
    for part in parts {
        let is_of_part =
            |it: &&Message| it.partition.is_some_and(|found| part["partition"] == found);
        let of_part = requests.iter().filter(is_of_part);
        let offsets: Vec<i64> = of_part.map(|it| it.offset).collect();
        assert_eq!(part["count"], offsets.len());
        assert_eq!(part["first_offset"], offsets[0]);
    }
    host.wait_for("all are answered", |_| (deployment.lag("e") == 0).then_some(()));
    let answers = deployment.read("e/answers");
    let ids: BTreeSet<_> = answers.iter().filter_map(|it| it.header_text("id")).collect();
    assert_eq!(ids.len(), 400);
    drop(host.stop());
}

#[test]
fn while_a_host_dies_callers_of_another_get_the_one_answer_or_a_clear_error() {
    let deployment = Deployment::shared().with_sections(SHORT_SESSION);
    let models = models("");
    let [one, two] = [(); 2].map(|()| deployment.host(&models));
    [&one, &two].iter().for_each(|host| host.wait_until_settled("e"));
    let mut number = 0;
    let mut answers: BTreeMap<String, Value> = BTreeMap::new();
    one.wait_for("the other host owns partitions", |host| {
        number += 1;
        let key = format!("k-{number}");
        let response = ask(host, Some(&key), f64::from(number));
        assert_eq!(response.status, 200, "{}", response.text());
        answers.insert(key, response.json());
        (count(host, "answered_elsewhere") > 2).then_some(())
    });
    // These are on their way while the owner of some of them is killed.
    let asked: Vec<(String, Response)> = std::thread::scope(|scope| {
        let ask = |number: u32| {
            let (host, key) = (&one, format!("m-{number}"));
            scope.spawn(move || (key.clone(), ask(host, Some(&key), f64::from(number))))
        };
        let asked: Vec<_> = (0..24).map(ask).collect();
        drop(two.kill_hard());
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    for (key, response) in asked {
        match response.status {
            // That nothing came by the deadline is an official answer, too.
            200 | 504 => drop(answers.insert(key, response.json())),
            503 => assert!(response.error().is_some(), "{}", response.text()),
            other => panic!("{other}: {}", response.text()),
        }
    }
    // Whoever asks again gets what was answered to the first, and in the end everybody an answer.
    let keys = (1..=number).map(|it| format!("k-{it}")).chain((0..24).map(|it| format!("m-{it}")));
    for key in keys {
        let again = one.wait_for(&format!("an answer for {key}"), |host| {
            let response = ask(host, Some(&key), -1.0);
            [200, 504].contains(&response.status).then_some(response)
        });
        if let Some(first) = answers.get(&key) {
            assert_eq!(again.json(), *first, "{key}");
        }
    }
    drop(one.stop());
}

#[test]
fn whose_request_the_owner_of_its_partition_cannot_read_is_told_so_at_once() {
    let deployment = Deployment::shared();
    let (models, other) = (models(""), Models::with_champion("e", "datatypes-13"));
    other.policy("e", "deadline = '20s'\n[roles]\nchampion = 'champion'\n");
    let hosts = [deployment.host(&models), deployment.host(&other)];
    hosts.iter().for_each(|host| host.wait_until_settled("e"));
    hosts.iter().for_each(|host| wait_until_owned(host, "e", 2));
    let mut statuses = BTreeSet::new();
    for number in 0..40 {
        let response = ask(&hosts[0], Some(&format!("key-{number}")), f64::from(number));
        match response.status {
            200 => assert_eq!(response.y(), Some(2.0 * f64::from(number))),
            400 => assert!(response.text().contains("inputs: found no"), "{}", response.text()),
            other => panic!("{other}: {}", response.text()),
        }
        statuses.insert(response.status);
    }
    // Forty keys are more than one host's.
    assert_eq!(statuses, BTreeSet::from([200, 400]));
    hosts.into_iter().for_each(|host| drop(host.stop()));
}
