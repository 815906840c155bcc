//! The host is asked to end, or finds that it cannot begin.

use std::net::TcpListener;
use std::path::Path;
use std::thread;

use harness::{Client, Host, Models, Options, infer_body, understudy};

use crate::ledger::Ledger;

const CALLS: usize = 12;
const RECORDS: usize = 5_000;

#[test]
fn a_host_that_is_asked_to_end_answers_whom_it_has_accepted() {
    let models = Models::with_champion("e", "slow-100");
    models.manifest("e", "champion", "[limits]\ncpu = '10s'\nwall = '1min'\nbatch = 1\n");
    let config = "[front]\ndrain_timeout = '1min'\n".to_owned();
    let host = Host::start(&models.path(), Options { config, ..Options::default() });
    host.wait_until_settled("e");
    let address = host.rest();
    let call = |x| thread::spawn(move || Client::new(address).infer("e", f64::from(x)));
    let calls: Vec<_> = (0..CALLS as u32).map(call).collect();
    host.wait_for("all calls are accepted", |host| {
        (host.topic("e", "requests").len() == CALLS).then_some(())
    });
    // Asserts exit status 0.
    let stopped = host.stop();
    for (x, call) in calls.into_iter().enumerate() {
        let response = call.join().unwrap();
        let response = response.unwrap_or_else(|error| panic!("{error}:\n{}", stopped.log));
        assert_eq!(response.status, 200, "{}", response.text());
        assert_eq!(response.y(), Some(x as f64));
    }
    assert_eq!(stopped.topic("e", "answers").len(), CALLS);
    assert!(Client::new(address).infer("e", 1.0).is_err(), "somebody still listens");
}

#[test]
fn records_that_were_accepted_are_answered_before_a_host_ends() {
    let models = Models::with_champion("e", "times-2");
    let host = start(&models);
    let line = |number| infer_body(&format!("record-{number}"), number as f64) + "\n";
    let lines: String = (0..RECORDS).map(line).collect();
    let headers = [("content-type", "application/x-ndjson")];
    let response =
        host.client().send("POST", "/v2/models/e/records", &headers, lines.as_bytes()).unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.json()["count"], RECORDS);
    let stopped = host.stop();
    let ledger = Ledger::read(&stopped.data(), "e");
    assert_eq!(ledger.accepted().len(), RECORDS);
    assert!(ledger.unanswered().is_empty());
}

#[test]
fn what_was_done_is_not_done_again_by_the_next_host() {
    let models = Models::with_champion("e", "times-2");
    let host = start(&models);
    let mut client = host.client();
    for x in 0..50 {
        assert_eq!(client.infer("e", f64::from(x)).unwrap().y(), Some(2.0 * f64::from(x)));
    }
    let stopped = host.stop();
    let (answers, scores) = (stopped.topic("e", "answers"), stopped.topic("e", "scores"));
    assert_eq!((answers.len(), scores.len()), (50, 50));
    let host = stopped.start();
    host.wait_until_settled("e");
    let stopped = host.stop();
    assert_eq!(stopped.topic("e", "answers"), answers);
    assert_eq!(stopped.topic("e", "scores"), scores);
}

#[test]
fn a_second_host_is_told_in_one_line_who_holds_the_data_directory() {
    let models = Models::with_champion("e", "times-2");
    let host = start(&models);
    let options = Options { data: Some(host.data()), ..Options::default() };
    let ended = Host::try_start(&models.path(), options).expect_err("the folder is in use");
    let line = only_line(&ended.log);
    let stream = host.data().join("stream");
    assert!(
        line.contains(&format!("the data directory {} is held by", stream.display())),
        "{line}"
    );
    assert!(line.contains(&holder(&stream)), "{line}");
    assert!(!ended.status.success());
    // The first one noticed nothing.
    assert_eq!(host.client().infer("e", 3.0).unwrap().y(), Some(6.0));
    host.stop();
}

#[test]
fn a_taken_port_is_named_in_one_line() {
    let models = Models::with_champion("e", "times-2");
    let data = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let options = ["--listen", "--grpc-listen", "--admin-listen"];
    for option in options {
        let taken = format!("127.0.0.1:{port}");
        let (models, data) = (models.path(), data.path());
        let mut arguments = vec!["serve", "--models", text(&models), "--data", text(data)];
        for each in options {
            arguments.extend([each, if each == option { &*taken } else { "127.0.0.1:0" }]);
        }
        let output = understudy(arguments);
        assert!(!output.status.success());
        let log = String::from_utf8(output.stderr).unwrap();
        let line = only_line(&log);
        assert!(line.contains(&format!("port {port} is taken")), "{line}");
        assert!(line.contains(&format!("{option},")), "{line}");
    }
    // Nothing of the failed starts is in the way of the next.
    let options = Options { data: Some(data.path().to_owned()), ..Options::default() };
    Host::start(&models.path(), options).stop();
}

#[test]
fn a_stopped_host_is_not_looked_for_where_it_was() {
    let models = Models::with_champion("e", "times-2");
    let host = start(&models);
    let data = host.data();
    let status = || understudy(["status", "--data", text(&data)]);
    assert!(status().status.success());
    let _folder = host.stop();
    let output = status();
    assert!(!output.status.success());
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(only_line(&log).contains("no host seems to run"), "{log}");
}

fn start(models: &Models) -> Host {
    let host = Host::start(&models.path(), Options::default());
    host.wait_until_settled("e");
    host
}

/// The process that holds a data directory, as its lock file says.
fn holder(stream: &Path) -> String {
    let lock = std::fs::read_to_string(stream.join("lock")).unwrap();
    lock.split_whitespace().next().expect("a lock names its holder").to_owned()
}

fn only_line(log: &str) -> &str {
    assert_eq!(log.lines().count(), 1, "{log}");
    let line = log.trim_end();
    assert!(line.starts_with("understudy: "), "{line}");
    line
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a folder with a plain name")
}
