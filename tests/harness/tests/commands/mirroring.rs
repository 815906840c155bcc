//! `mirror`: requests on their way to another stream, without what nobody may see there.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness::{Host, Models, Options, Record, Stopped, binary, read_topic, until};
use serde_json::json;

use crate::{Said, run, text};

const REQUESTS: u64 = 200;
/// Stands in every request, in places that only one option each takes out.
const SECRET: &str = "Jane Doe";

/// A host that was asked a number of times by 40 passengers, and has ended.
fn asked() -> (Models, Stopped) {
    let models = Models::with_champion("e", "times-2");
    models.policy("e", "deadline = '5s'\nkey = 'passenger'\n[roles]\nchampion = 'champion'\n");
    let host = Host::start(&models.path(), Options::default());
    host.wait_until_live("e", "champion");
    let mut client = host.client();
    for number in 0..REQUESTS {
        let passenger = format!("{SECRET} {}", number % 40);
        let document = json!({
            "id": format!("flight-{number}"),
            "parameters": { "who": passenger },
            "inputs": [
                { "name": "x", "datatype": "FP64", "shape": [1], "data": [number] },
                { "name": "passenger", "datatype": "BYTES", "shape": [1], "data": [passenger] },
            ],
        });
        let response = client.post("/v2/models/e/infer", document.to_string()).unwrap();
        assert_eq!(response.status, 200, "{}", response.text());
    }
    (models, host.stop())
}

fn mirror(from: &Path, to: &Path, more: &[&str]) -> Said {
    let ends = ["mirror", "e", "--from", text(from), "--to", text(to)];
    let said = run(ends.into_iter().chain(more.iter().copied()));
    assert!(said.success, "{}{}", said.out, said.error);
    said
}

fn copies(data: &Path) -> Vec<Record> {
    read_topic(data, "e", "requests")
}

fn ids(records: &[Record]) -> BTreeSet<String> {
    records.iter().map(|record| record.id().to_owned()).collect()
}

/// Whether any file below a folder holds these words.
fn is_in(folder: &Path, words: &str) -> bool {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).any(|path: PathBuf| {
        if path.is_dir() {
            return is_in(&path, words);
        }
        let bytes = fs::read(&path).unwrap();
        bytes.windows(words.len()).any(|part| part == words.as_bytes())
    })
}

#[test]
fn requests_are_copied_byte_for_byte_and_another_host_answers_them() {
    let (models, source) = asked();
    let to = models.beside("copy");
    let said = mirror(&source.data(), &to, &[]);
    assert!(said.error.contains("200 of 200 requests of e copied"), "{}", said.error);
    let (before, after) = (source.topic("e", "requests"), copies(&to));
    assert_eq!(ids(&before), ids(&after));
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.value, after.value);
        assert_eq!(after.headers.get("return-to"), None);
        assert_eq!(after.headers.get("deadline-us"), None);
    }
    // Whoever starts a host there has its models meet them.
    let options = Options { data: Some(to), ..Options::default() };
    let host = Host::start(&models.path(), options);
    host.wait_for("the answers", |host| {
        (host.topic("e", "answers").len() as u64 == REQUESTS).then_some(())
    });
}

#[test]
fn what_is_taken_out_is_nowhere_in_the_target() {
    let (models, source) = asked();
    assert!(is_in(&source.data().join("stream"), SECRET));
    let to = models.beside("copy");
    let said = mirror(
        &source.data(),
        &to,
        &[
            "--hash-input",
            "passenger",
            "--drop-parameter",
            "who",
            "--new-ids",
            "--drop-input",
            "pasenger",
        ],
    );
    // A name that is nowhere may be a slip of the pen.
    assert!(
        said.error.contains("none of the requests had the input \"pasenger\""),
        "{}",
        said.error
    );
    assert!(!is_in(&to, SECRET), "it is there");
    assert!(!is_in(&to, "flight-"), "an id is there");
    let after = copies(&to);
    assert_eq!(after.len() as u64, REQUESTS);
    let hashed = after.iter().map(|record| record.value["inputs"][1]["data"][0].to_string());
    assert_eq!(hashed.collect::<BTreeSet<_>>().len(), 40, "what was equal stays equal");
}

#[test]
fn a_sample_is_the_same_keys_every_time() {
    let (models, source) = asked();
    let (one, other) = (models.beside("one"), models.beside("other"));
    mirror(&source.data(), &one, &["--sample", "0.3"]);
    mirror(&source.data(), &other, &["--sample", "30%", "--since", "1h"]);
    let taken = copies(&one);
    assert_eq!(ids(&taken), ids(&copies(&other)));
    // All of a key or nothing of it.
    let passengers: BTreeSet<String> =
        taken.iter().map(|it| it.value["inputs"][1]["data"][0].to_string()).collect();
    assert_eq!(taken.len() as u64, passengers.len() as u64 * REQUESTS / 40);
    assert!((1..40).contains(&passengers.len()), "{}", passengers.len());
}

#[test]
fn one_that_was_killed_goes_on_and_loses_nothing() {
    let (models, source) = asked();
    let (to, position) = (models.beside("copy"), models.beside("position"));
    let arguments = ["mirror", "e", "--from", text(&source.data()), "--to", text(&to)]
        .into_iter()
        .chain(["--resume", text(&position), "--new-ids", "--rate", "20", "--follow"])
        .map(str::to_owned)
        .collect::<Vec<_>>();
    let mut first = Command::new(binary()).args(&arguments).stderr(Stdio::piped()).spawn().unwrap();
    until("a position", String::new, || position.exists().then_some(()));
    first.kill().unwrap();
    first.wait().unwrap();
    let half = copies(&to).len() as u64;
    assert!((1..REQUESTS).contains(&half), "{half}");
    let from = source.data();
    let ends = ["mirror", "e", "--from", text(&from), "--to", text(&to)];
    let mut second = Command::new(binary());
    second.args(ends).args(["--resume", text(&position), "--new-ids", "--follow"]);
    let second = second.stderr(Stdio::piped()).spawn().unwrap();
    until("the end", String::new, || {
        let position: serde_json::Value =
            serde_json::from_slice(&fs::read(&position).ok()?).ok()?;
        (position["next"]["0"] == REQUESTS).then_some(())
    });
    // Whoever is interrupted says what there was.
    assert!(
        Command::new("kill").args(["-INT", &second.id().to_string()]).status().unwrap().success()
    );
    let said = second.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.success() && error.contains("requests of e copied"), "{error}");
    let after = copies(&to);
    assert_eq!(ids(&after).len() as u64, REQUESTS, "{error}");
    // Who goes on keeps the salt, so that what comes twice has one id.
    assert!(after.len() as u64 >= REQUESTS);
    let other = run(["mirror", "f", "--from", text(&source.data()), "--to", text(&to)]);
    assert!(other.failure().contains("has no endpoint f; it has e"), "{}", other.error);
}

#[test]
fn a_host_that_runs_is_reached_over_http() {
    let (models, source) = asked();
    let host = Host::start(&models.path(), Options::default());
    host.wait_until_live("e", "champion");
    let data = host.data();
    let held = run(["mirror", "e", "--from", text(&source.data()), "--to", text(&data)]);
    assert!(held.failure().contains("use --to host --data"), "{}", held.error);
    let from = source.data();
    let ends = ["mirror", "e", "--from", text(&from), "--to", "host", "--data", text(&data)];
    let said = run(ends.into_iter().chain(["--limit", "50"]));
    assert!(said.success, "{}", said.error);
    host.wait_for("the answers", |host| (host.topic("e", "answers").len() == 50).then_some(()));
    assert_eq!(ids(&host.topic("e", "requests")), ids(&source.topic("e", "requests")[..50]));
}

#[test]
fn help_says_what_an_end_can_be() {
    let said = run(["mirror", "--help"]);
    assert!(said.success);
    for words in ["understudy.toml", "host", "--hash-input", "--resume", "the same id"] {
        let is_said = said.out.split_whitespace().collect::<Vec<_>>().join(" ").contains(words);
        assert!(is_said, "{words} is not in {}", said.out);
    }
    let help = Command::new(binary()).args(["mirror", "e", "--from", "x"]).output().unwrap();
    assert!(BufReader::new(&help.stderr[..]).lines().any(|line| line.unwrap().contains("--to")));
}
