//! Models outside of the host: the example in Python, and records that are none of a model's.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use harness::{Client, Deployment, Host, Models, Response, guest};
use kafka_testkit::Message;
use serde_json::{Value, json};

/// What the example's model gives for the first flight of the sample, by the formula of train.py.
const FIRST_SAMPLE: &str = "first-flight";

/// The Python with the packages of the example.
fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let made = Command::new(folder("tests/interop").join("venv.sh"))
            .arg("../../examples/external/requirements.txt")
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "no environment for Python:\n{errors}");
        Path::new(String::from_utf8(made.stdout).unwrap().trim()).join("bin/python")
    })
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// The example, which scores until it is killed or stopped.
struct Scorer(Child);

impl Scorer {
    /// Starts it, and waits until it says that it has so many partitions.
    fn start(deployment: &Deployment, endpoint: &str, partitions: usize) -> Self {
        let mut child = Command::new(python())
            .arg(folder("examples/external/scorer.py"))
            .args(["--brokers", deployment.bootstrap(), "--endpoint", endpoint])
            .args(["--prefix", deployment.prefix()])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut owned = 0;
        while owned < partitions {
            let line = lines.next().expect("it goes on").unwrap();
            owned += line.matches('/').count();
        }
        // It may say more when it has less or more to do: somebody has to listen.
        std::thread::spawn(move || lines.for_each(drop));
        Self(child)
    }

    /// Ends it as a person would, and waits until it has.
    fn stop(mut self) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.0.wait().unwrap().success(), "it ended badly");
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Scorer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

fn flight(id: &str) -> Value {
    let sample = std::fs::read_to_string(folder("examples/flights/sample.jsonl")).unwrap();
    let mut document: Value = serde_json::from_str(sample.lines().next().unwrap()).unwrap();
    document["id"] = json!(id);
    document
}

fn ask(client: &mut Client, id: &str) -> Response {
    let response = client.post("/v2/models/flights/infer", flight(id).to_string()).unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    response
}

fn state(host: &Host, model: &str) -> String {
    let model = host.model("flights", model);
    model.map(|model| model["state"].as_str().unwrap_or_default().to_owned()).unwrap_or_default()
}

/// What the example predicts, worked out once more.
fn expected() -> f64 {
    let text = std::fs::read_to_string(folder("examples/external/model.json")).unwrap();
    let model: Value = serde_json::from_str(&text).unwrap();
    let flight = flight(FIRST_SAMPLE);
    let input = |name: &str| {
        let inputs = flight["inputs"].as_array().unwrap();
        inputs.iter().find(|input| input["name"] == name).unwrap()["data"][0].clone()
    };
    let weight = |name: &str| model["weights"][name].as_f64().unwrap_or(0.0);
    let mut odds = weight("intercept");
    for name in ["carrier", "origin", "hour", "weekday"] {
        let value = input(name);
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        odds += weight(&format!("{name}={value}"));
    }
    for name in ["wind_speed", "precip", "visib"] {
        let number = &model["numbers"][name];
        let of = |key: &str| number[key].as_f64().unwrap();
        let value = input(name).as_f64().unwrap_or(of("usual"));
        odds += weight(name) * (value - of("mean")) / of("scale");
    }
    1.0 / (1.0 + (-odds).exp())
}

/// The example's endpoint: patient, or in a hurry.
fn policy(models: &Models, deadline: &str) {
    models.policy(
        "flights",
        &format!(
            "deadline = '{deadline}'
            [roles]
            champion = 'outside'
            fallback = 'base-rate'
            [limits]
            score_grace = '100ms'
            [external.outside]
            silent_after = '1ms'
            outputs = {{ delayed = {{ datatype = 'FP64', shape = [1] }} }}"
        ),
    );
}

fn wait_for_deadline(host: &Host, us: u64) {
    host.wait_for("the deadline", |host| {
        (host.endpoint("flights")?["deadline_us"] == us).then_some(())
    });
}

#[test]
fn a_scorer_in_python_is_champion_while_it_lives_and_again_when_it_is_back() {
    let deployment = Deployment::shared().partitions(2);
    let models = Models::new();
    let wasm = folder("examples/flights/folder/flights/base-rate.wasm");
    models.install("flights", "base-rate", std::fs::read(wasm).unwrap());
    policy(&models, "30s");
    let host = deployment.host(&models);
    host.wait_until_live("flights", "base-rate");
    host.wait_for_state("flights", "outside", "external");
    let scorer = Scorer::start(&deployment, "flights", 2);
    let mut client = host.client();
    for number in 0..10 {
        let response = ask(&mut client, &format!("alive-{number}"));
        assert_eq!(response.model().as_deref(), Some("outside"), "{}", response.text());
        let delayed = response.json()["outputs"][0]["data"][0].as_f64().unwrap();
        assert!((delayed - expected()).abs() < 1e-9, "{delayed} is not {}", expected());
    }
    let version = std::fs::read_to_string(folder("examples/external/model.json")).unwrap();
    let version: Value = serde_json::from_str(&version).unwrap();
    let revision = ask(&mut client, "revision").revision();
    assert_eq!(revision.as_deref(), version["version"].as_str());
    // The host does not write again what was written for it.
    let outside = deployment.client().read_until(&deployment.topic("flights/scores"), |scores| {
        let of = |name: &str| {
            let models = scores.iter().map(|score| score.header_text("model"));
            models.filter(|model| model.as_deref() == Some(name)).count()
        };
        (of("base-rate") == 11).then(|| of("outside"))
    });
    assert_eq!(outside, 11);
    let reported = host.model("flights", "outside").unwrap();
    assert_eq!((&reported["predictions"], &reported["answers"]), (&json!(11), &json!(11)));

    scorer.kill();
    policy(&models, "300ms");
    wait_for_deadline(&host, 300_000);
    let mut number = 0;
    host.wait_for("nobody to wait for it", |_| {
        number += 1;
        let response = ask(&mut client, &format!("dead-{number}"));
        assert_eq!(response.model().as_deref(), Some("base-rate"), "{}", response.text());
        (state(&host, "outside") == "silent").then_some(())
    });

    let scorer = Scorer::start(&deployment, "flights", 2);
    // It scores whether it is awaited or not, and the first score that comes brings it back.
    host.wait_for("the scorer to be back", |_| {
        number += 1;
        ask(&mut client, &format!("back-{number}"));
        (state(&host, "outside") == "external").then_some(())
    });
    policy(&models, "30s");
    wait_for_deadline(&host, 30_000_000);
    let response = ask(&mut client, "again");
    assert_eq!(response.model().as_deref(), Some("outside"), "{}", response.text());
    scorer.stop();
    let events = deployment.read("flights/events");
    for event in ["silent", "heard"] {
        let is_it = |it: &Value| it["event"] == event && it["model"] == "outside";
        let mut told = events.iter().filter_map(|it| serde_json::from_str(&it.text()).ok());
        assert!(told.any(|it| is_it(&it)), "{event}");
    }
}

/// A host with an external champion that is this test, and a fallback.
fn host_with_us(deployment: &Deployment) -> (Models, Host) {
    let models = Models::new();
    models.install("e", "fallback", guest("times-2"));
    models.policy(
        "e",
        "deadline = '20s'
        roles = { champion = 'us', fallback = 'fallback' }
        [external.us]
        silent_after = '1h'
        outputs = { y = { datatype = 'FP64', shape = [1] } }",
    );
    let host = deployment.host(&models);
    host.wait_for_state("e", "us", "external");
    host.wait_until_settled("e");
    (models, host)
}

fn prediction(y: f64) -> String {
    json!({ "outputs": [{ "name": "y", "datatype": "FP64", "shape": [1], "data": [y] }] })
        .to_string()
}

fn request(id: &str) -> Message {
    let document = json!({
        "inputs": [{ "name": "x", "datatype": "FP64", "shape": [1], "data": [1.0] }],
    });
    let mut message = Message::new(document.to_string()).header("id", id);
    message.partition = Some(0);
    message
}

fn score(id: &str, model: &str, value: impl Into<Vec<u8>>) -> Message {
    let mut message = Message::new(value).header("id", id).header("model", model);
    message.partition = Some(0);
    message
}

/// The official answers, by the ids of their requests, as soon as there are so many.
fn answers(deployment: &Deployment, host: &Host, count: usize) -> BTreeMap<String, Value> {
    harness::until(
        &format!("{count} answers"),
        || host.log(),
        || {
            let answers = deployment.answers("e").into_iter();
            let answers: BTreeMap<String, Value> = answers
                .map(|(id, answer)| (id, serde_json::from_str(&answer.text()).unwrap()))
                .collect();
            (answers.len() >= count).then_some(answers)
        },
    )
}

#[test]
fn only_the_first_good_score_of_a_named_model_is_an_answer() {
    let deployment = Deployment::shared().partitions(2);
    let (_models, host) = host_with_us(&deployment);
    let client = deployment.client();
    let (requests, scores) = (deployment.topic("e/requests"), deployment.topic("e/scores"));
    client.produce(&requests, &["one", "two", "three", "four"].map(request));
    // Where nobody has asked yet, no scores are read.
    let on_the_other = |message: Message| Message { partition: Some(1), ..message };
    client.produce(&requests, &[on_the_other(request("elsewhere"))]);
    let astray = on_the_other(score("four", "us", prediction(1.0)));
    client.produce(
        &scores,
        &[
            score("one", "intruder", prediction(666.0)),
            score("one", "fallback", prediction(666.0)),
            score("one", "us", "{"),
            score("nobody", "us", prediction(666.0)),
            score("one", "us", prediction(7.0)),
            score("one", "us", prediction(8.0)),
            // Not what it says that it gives: a fault, and the fallback answers.
            score("two", "us", "{\"outputs\": []}"),
            score("three", "us", "{\"refusal\": \"not me\"}"),
            on_the_other(score("elsewhere", "us", prediction(9.0))),
        ],
    );
    let answers = answers(&deployment, &host, 4);
    let answer = |id: &str| &answers[id];
    assert_eq!(answer("one")["outputs"][0]["data"][0], 7.0, "{}", answer("one"));
    assert_eq!(answer("one")["model_version"], "us@000000000000");
    for id in ["two", "three"] {
        assert_eq!(answer(id)["outputs"][0]["data"][0], 2.0, "{}", answer(id));
        assert_eq!(answer(id)["parameters"]["reason"], "preferred-failed");
    }
    assert_eq!(answer("elsewhere")["outputs"][0]["data"][0], 9.0, "{}", answer("elsewhere"));
    client.produce(&scores, &[astray]);
    let ignored = host.wait_for("what was ignored to be counted", |host| {
        let ignored = host.endpoint("e")?["outside"]["ignored"].clone();
        let count = |why: &str| ignored[why].as_u64().unwrap_or(0);
        let odd = ["malformed", "not-external", "other-partition"].map(count);
        // The mailbox of the second score may have been closed by then.
        let surplus = count("duplicate") + count("unknown-request");
        (odd == [1, 1, 1] && surplus == 2).then_some(ignored)
    });
    assert!(host.endpoint("e").unwrap()["outside"]["last"].is_string(), "{ignored}");
    let us = host.model("e", "us").unwrap();
    let counts = ["predictions", "faults", "refusals", "answers"].map(|it| us[it].as_u64());
    assert_eq!(counts, [Some(2), Some(1), Some(1), Some(2)], "{us}");
}

#[test]
fn a_score_that_is_ahead_of_its_request_waits_for_it() {
    let deployment = Deployment::shared().partitions(1);
    let (_models, host) = host_with_us(&deployment);
    let client = deployment.client();
    // One request that is scored shows that the host reads; what comes then it has no request for.
    client.produce(&deployment.topic("e/requests"), &[request("first")]);
    client.produce(
        &deployment.topic("e/scores"),
        &[score("second", "us", prediction(2.5)), score("first", "us", prediction(1.5))],
    );
    answers(&deployment, &host, 1);
    client.produce(&deployment.topic("e/requests"), &[request("second")]);
    let answers = answers(&deployment, &host, 2);
    let second = &answers["second"];
    assert_eq!(second["outputs"][0]["data"][0], 2.5, "{second}");
}
