//! Requests that come again, and requests that come as records.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use harness::{Host, Models, Options, Response, binary, infer_body};

use crate::{host, recorded, start};

#[test]
fn a_key_that_comes_again_gets_the_answer_of_the_first() {
    let (_models, host) = host();
    let first = ask_with_key(&host, "a", 3.0);
    assert_eq!(first.y(), Some(6.0));
    assert_eq!(first.json()["parameters"]["request_id"], "a");
    // Also with another question: the key says that it is the same.
    assert_eq!(ask_with_key(&host, "a", 4.0).json(), first.json());
    assert_eq!(ask_with_key(&host, "b", 4.0).y(), Some(8.0));
    assert_eq!(recorded(&host).1, 2);
    assert_eq!(host.endpoint("e").unwrap()["repetitions"], 1);
}

#[test]
fn many_with_one_key_at_once_get_one_answer() {
    let (_models, host) = host();
    let answers: Vec<_> = std::thread::scope(|scope| {
        let ask = |x| {
            let host = &host;
            scope.spawn(move || ask_with_key(host, "a", f64::from(x)).json())
        };
        let asked: Vec<_> = (0..8).map(ask).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(recorded(&host).1, 1);
}

#[test]
fn who_comes_again_before_the_answer_is_on_the_disk_waits_for_it() {
    let models = Models::with_champion("e", "times-2");
    let policy = "deadline = '20s'\n[roles]\nchampion = 'champion'\n[stream]\nfsync = 'each'\n";
    models.policy("e", policy);
    let host = start(&models, Options::default());
    for round in 0..25 {
        let key = format!("key-{round}");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                // Asserts status 200.
                scope.spawn(|| ask_with_key(&host, &key, 3.0));
            }
        });
    }
    assert_eq!(recorded(&host), (100, 25));
}

#[test]
fn records_that_are_written_are_answered_under_the_ids_of_their_documents() {
    let (_models, host) = host();
    let lines: String =
        (0..300).map(|x| infer_body(&format!("r-{x}"), f64::from(x)) + "\n").collect();
    write(&host, &lines);
    host.wait_for("all records are answered", |host| {
        (host.topic("e", "answers").len() >= 300).then_some(())
    });
    let answers = host.topic("e", "answers");
    let by_id: BTreeMap<_, _> = answers.iter().map(|it| (it.id(), &it.value)).collect();
    assert_eq!((answers.len(), by_id.len()), (300, 300));
    for x in 0..300 {
        let answer = by_id[format!("r-{x}").as_str()];
        assert_eq!(answer["outputs"][0]["data"][0], 2.0 * f64::from(x));
    }
    // A second time they are repetitions.
    write(&host, &lines);
    host.wait_for("the repetitions are noticed", |host| {
        (host.endpoint("e")?["repetitions"] == 300).then_some(())
    });
    assert_eq!(recorded(&host), (600, 300));
}

fn ask_with_key(host: &Host, key: &str, x: f64) -> Response {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    let body = infer_body("mine", x);
    let response =
        host.client().send("POST", "/v2/models/e/infer", &headers, body.as_bytes()).unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    response
}

/// Hands the lines to `understudy write`.
fn write(host: &Host, lines: &str) {
    let mut writer = Command::new(binary())
        .args(["write", "e", "--data"])
        .arg(host.data())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writer.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = writer.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.trim(), format!("{} requests appended to e", lines.lines().count()));
}
