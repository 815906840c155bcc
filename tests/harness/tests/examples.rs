//! The example that is checked in: it loads in the real host, predicts what its training said, and
//! is built again to the same bytes.

#![expect(clippy::unwrap_used, reason = "what prepares a test may fail it")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{Client, Host, Options, Response, read_topic, understudy};
use serde_json::Value;

/// Two ways of adding up the same numbers differ by less.
const TOLERANCE: f64 = 1e-12;
const MODELS: [&str; 4] = ["base-rate", "gbdt", "logit", "moody"];

#[test]
fn every_model_predicts_the_sample_as_it_was_trained() {
    let (_folder, host) = host();
    let mut client = host.client();
    let expected = lines("expected.jsonl");
    for (sample, expected) in lines("sample.jsonl").iter().zip(&expected) {
        assert_eq!(sample["id"], expected["id"]);
        for model in MODELS {
            let response = ask(&mut client, &format!("versions/{model}/infer"), sample);
            assert_is(&response, &expected[model], &format!("{model} about {}", sample["id"]));
        }
    }
}

#[test]
fn the_official_answer_is_that_of_the_model_it_names() {
    let (_folder, host) = host();
    let mut client = host.client();
    let mut answered = BTreeMap::<String, usize>::new();
    for (sample, expected) in lines("sample.jsonl").iter().zip(lines("expected.jsonl")) {
        let response = ask(&mut client, "infer", sample);
        assert_eq!(response.status, 200, "{}", response.text());
        let model = response.model().unwrap();
        if model == "default" {
            assert_eq!(delayed(&response), Some(0.23), "{}", response.text());
        } else {
            assert_is(&response, &expected[&model], &format!("{model} about {}", sample["id"]));
        }
        *answered.entry(model).or_default() += 1;
    }
    assert!(MODELS.iter().any(|model| answered.contains_key(*model)), "{answered:?}");
}

#[test]
fn the_components_are_built_again_byte_for_byte() {
    let output = Command::new(examples().join("build.sh")).arg("--check").output().unwrap();
    let said = output_of(&output.stderr);
    if output.status.success() {
        return;
    }
    // Another compiler gives other bytes; that they predict the same is tested above.
    let compilers = said.lines().last().and_then(|line| {
        line.strip_prefix("built with ")?.split_once("; checked in was built with ")
    });
    let (installed, checked_in) = compilers.unwrap_or_else(|| panic!("not built: {said}"));
    assert_ne!(installed, checked_in, "the same compiler gives other bytes: {said}");
}

#[test]
fn the_demo_plays_the_year_and_says_how_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let examples = examples();
    let arguments =
        ["demo", "--seconds", "3", "--examples", text(&examples), "--data", text(&data)];
    let output = understudy(arguments);
    let (out, error) = (output_of(&output.stdout), output_of(&output.stderr));
    assert!(output.status.success(), "{out}\n{error}");
    for words in
        ["rest: http://", "flights asked about", "who answered, and why", "log-loss and AUC"]
    {
        assert!(out.contains(words), "no `{words}` in\n{out}");
    }
    for model in MODELS {
        let row = out.lines().find(|line| line.starts_with(model));
        let row = row.unwrap_or_else(|| panic!("no {model} in\n{out}"));
        assert!(row.split_whitespace().nth(2) != Some("refused"), "{row}");
    }
    // Each that was asked about has one answer.
    let ids = |topic: &str| {
        let records = read_topic(&data, "flights", topic);
        let mut ids: Vec<_> = records.iter().map(|record| record.id().to_owned()).collect();
        ids.sort_unstable();
        ids
    };
    let (requests, answers) = (ids("requests"), ids("answers"));
    assert_eq!(requests, answers);
    assert!(out.contains(&format!("{} flights asked about", requests.len())), "{out}");
    assert!(requests.len() > 1_000, "{out}");
}

/// The example in a folder of its own, as the demo has it, served.
fn host() -> (tempfile::TempDir, Host) {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("flights");
    fs::create_dir(&to).unwrap();
    for entry in fs::read_dir(examples().join("folder/flights")).unwrap() {
        let from = entry.unwrap().path();
        fs::copy(&from, to.join(from.file_name().unwrap())).unwrap();
    }
    let host = Host::start(folder.path(), Options::default());
    for model in MODELS {
        host.wait_until_live("flights", model);
    }
    assert_eq!(host.problems(), Vec::<String>::new());
    (folder, host)
}

/// Asks the endpoint or one model under the id of the sample, on which the mood of `moody` depends.
fn ask(client: &mut Client, path: &str, sample: &Value) -> Response {
    let id = sample["id"].as_str().unwrap();
    let headers = [("content-type", "application/json"), ("idempotency-key", id)];
    let path = format!("/v2/models/flights/{path}");
    client.send("POST", &path, &headers, sample.to_string().as_bytes()).unwrap()
}

/// Asserts that a model has said the probability that is expected, or failed as is expected.
fn assert_is(response: &Response, expected: &Value, what: &str) {
    match expected {
        Value::Number(expected) => {
            let found = delayed(response);
            let found = found.unwrap_or_else(|| panic!("{what}: {}", response.text()));
            let expected = expected.as_f64().unwrap();
            assert!((found - expected).abs() < TOLERANCE, "{what}: {found}, not {expected}");
        }
        Value::String(expected) => {
            let error = response.error().unwrap_or_default();
            let words = match expected.as_str() {
                "abstain" => "the model refused (abstain)",
                "spin" => "the model broke (cpu)",
                "panic" => "the model broke (panic)",
                other => panic!("{what}: expected {other}"),
            };
            assert!(error.starts_with(words), "{what}: {error}");
        }
        other => panic!("{what}: expected {other}"),
    }
}

fn delayed(response: &Response) -> Option<f64> {
    let outputs = response.json()["outputs"].as_array()?.clone();
    let output = outputs.iter().find(|output| output["name"] == "delayed")?;
    output["data"][0].as_f64()
}

fn lines(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(examples().join(file)).unwrap();
    let lines: Vec<_> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 200);
    lines
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/flights")
}

fn output_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path with a plain name")
}
