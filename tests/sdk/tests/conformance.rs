//! Does every language give the identical answer to every row of the table?

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use builder::Language;
use harness::{Client, Host, Models, Options, Response};
use message::oip::{BinaryDocument, InferRequest, decode_binary_response, encode_binary_request};
use message::record::decode_score;
use message::{Contents, Outcome, Parameter, Prediction, Refusal, Request};
use sandbox::{ModelLimits, Runtime, RuntimeConfig};
use sdk_tests::{Row, Wire, component, difference, reference, rows};

/// How many requests one call brings: the batch limit of the model.
const BATCH: usize = 100;
const ENDPOINT: &str = "conformance";

type Answer = Result<Prediction, Refusal>;

#[test]
fn in_the_sandbox_every_language_answers_one_by_one_and_all_at_once_alike() {
    let config = RuntimeConfig { cache_dir: Some(compiled()), ..RuntimeConfig::default() };
    let runtime = Runtime::new(config).unwrap();
    let limits = ModelLimits {
        memory_bytes: 1 << 30,
        cpu_budget: Duration::from_secs(20),
        start_budget: Duration::from_secs(20),
        wall_backstop: Duration::from_secs(120),
        result_bytes: 256 << 20,
        ..ModelLimits::default()
    };
    let rows: Vec<_> = rows().into_iter().filter(|row| !row.host_refuses).collect();
    let expected: Vec<_> = rows.iter().map(|row| reference::answer(&row.request)).collect();
    let mut wrong = Wrong::default();
    for language in Language::ALL {
        let model = runtime.load(&component(language), &limits).unwrap();
        // The types of the contract are named, and nothing is linked for them.
        let is_linked = |import: &&String| !import.starts_with("understudy:model/types@");
        assert_eq!(model.imports().iter().find(is_linked), None, "{language}");
        assert_eq!(model.description(), &reference::description(), "{language}");
        for batch in [1, BATCH] {
            let mut session = model.session().unwrap();
            for (rows, expected) in rows.chunks(batch).zip(expected.chunks(batch)) {
                let requests: Vec<&Request> = rows.iter().map(|row| &row.request).collect();
                let results = session.predict(&requests).results.unwrap_or_else(|fault| {
                    panic!("{language} broke at {:?}: {}", rows[0].name, fault.message)
                });
                assert_eq!(results.len(), rows.len(), "{language}");
                for ((row, found), expected) in rows.iter().zip(&results).zip(expected) {
                    wrong.compare(language, &row.name, found, expected, Wire::None);
                }
            }
        }
    }
    wrong.assert_nothing();
}

#[test]
fn live_in_one_host_all_languages_answer_alike() {
    let (models, data) = (Models::new(), tempfile::tempdir().unwrap());
    let host = start(&models, data.path());
    let mut client = host.client();
    let mut wrong = Wrong::default();
    let mut scored = BTreeMap::new();
    for row in rows() {
        if row.host_refuses {
            let path = format!("/v2/models/{ENDPOINT}/infer");
            assert_eq!(post(&mut client, &path, &row).status, 400, "{}", row.name);
        } else if row.name.starts_with("huge: ") {
            // Alone: such answers are nothing for a stream.
            let expected = without_notes(reference::answer(&row.request));
            for language in Language::ALL {
                let found = ask(&mut client, language, &row);
                wrong.compare(language, &row.name, &found, &expected, Wire::Protocol);
            }
        } else {
            let status = post(&mut client, &format!("/v2/models/{ENDPOINT}/infer"), &row).status;
            assert!([200, 504].contains(&status), "{}: {status}", row.name);
            scored.insert(row.request.id.as_str().to_owned(), row);
        }
    }
    let scores = scores(&host, scored.len() * Language::ALL.len());
    let mut times = BTreeMap::new();
    for ((id, model), mut found) in scores {
        let row = &scored[&id];
        let mut expected = reference::answer(&row.request);
        // The time is the host's own; it is the same for all.
        let time = take_time(&mut found);
        take_time(&mut expected);
        assert_eq!(times.entry(id).or_insert_with(|| time.clone()), &time, "{}", row.name);
        wrong.compare(model, &row.name, &found, &as_recorded(expected), Wire::None);
    }
    wrong.assert_nothing();
}

/// What is wrong with all languages, so that one run shows everything.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn compare(
        &mut self,
        model: impl std::fmt::Display,
        row: &str,
        found: &Answer,
        expected: &Answer,
        wire: Wire,
    ) {
        if let Some(difference) = difference(found, expected, wire) {
            self.0.push(format!("{model}, {row}: {difference}"));
        }
    }

    fn assert_nothing(&self) {
        const SHOWN: usize = 60;
        let shown: Vec<_> = self.0.iter().take(SHOWN).map(String::as_str).collect();
        assert!(self.0.is_empty(), "{} answers are wrong:\n{}", self.0.len(), shown.join("\n"));
    }
}

/// Where compiled models are, for the next run.
fn compiled() -> PathBuf {
    let folder = sdk_tests::cache().join("compiled");
    std::fs::create_dir_all(&folder).expect("a folder in the cache");
    folder
}

/// Starts a host with the models of all languages, and waits until all of them are live.
fn start(models: &Models, data: &Path) -> Host {
    for language in Language::ALL {
        models.install(ENDPOINT, language.word(), component(language));
    }
    let challengers = Language::ALL.into_iter().filter(|language| *language != Language::Rust);
    let challengers: Vec<_> = challengers.map(|language| format!("'{language}'")).collect();
    models.policy(
        ENDPOINT,
        &format!(
            "deadline = '20s'\n[roles]\nchampion = 'rust'\nchallengers = [{}]\n",
            challengers.join(", ")
        ),
    );
    std::os::unix::fs::symlink(compiled(), data.join("compiled")).expect("a link");
    let config = "[model.limits]\nmemory = '512MiB'\ncpu = '10s'\nwall = '20s'\nresult = '64MiB'\n";
    let options = Options { config: config.to_owned(), data: Some(data.to_owned()) };
    let host = Host::start(&models.path(), options);
    for language in Language::ALL {
        host.wait_until_live(ENDPOINT, language.word());
    }
    host
}

/// Sends a request, its elements as bytes in both directions, so that each arrives as it is. The key makes its id the one
/// that models see.
fn post(client: &mut Client, path: &str, row: &Row) -> Response {
    let id = row.request.id.as_str();
    let BinaryDocument { bytes, document_bytes } = encode_binary_request(&InferRequest {
        id: Some(id.to_owned()),
        parameters: [("binary_data_output".to_owned(), Parameter::Bool(true))].into(),
        inputs: row.request.inputs.clone(),
        outputs: Vec::new(),
    });
    let length = document_bytes.to_string();
    let headers = [("inference-header-content-length", &*length), ("idempotency-key", id)];
    client.send("POST", path, &headers, &bytes).expect("a host that answers")
}

/// Asks one model. It has no word for notes then, and a refusal is an error of the protocol.
fn ask(client: &mut Client, language: Language, row: &Row) -> Answer {
    let path = format!("/v2/models/{ENDPOINT}/versions/{language}/infer");
    let response = post(client, &path, row);
    assert_eq!(response.status, 200, "{language}, {}: {}", row.name, response.text());
    let length =
        response.header("inference-header-content-length").expect("a document and its elements");
    let length = length.parse().expect("the length of the document");
    let outputs = decode_binary_response(&response.body, length).expect("a response").outputs;
    Ok(Prediction { outputs, notes: Vec::new() })
}

fn without_notes(answer: Answer) -> Answer {
    answer.map(|prediction| Prediction { notes: Vec::new(), ..prediction })
}

/// Waits for the scores of all models, by request and model.
fn scores(host: &Host, count: usize) -> BTreeMap<(String, String), Answer> {
    host.wait_for(&format!("{count} scores"), |host| {
        let records = host.topic(ENDPOINT, "scores");
        (records.len() >= count).then_some(records)
    })
    .into_iter()
    .map(|record| {
        let score = decode_score(&record.bytes).expect("a score");
        let answer = match score.outcome {
            Outcome::Prediction(prediction) => Ok(prediction),
            Outcome::Refusal(refusal) => Err(refusal),
            Outcome::Fault(fault) => panic!("{} broke: {}", score.model, fault.message),
        };
        ((score.request.to_string(), score.model.to_string()), answer)
    })
    .collect()
}

/// Notes as a record has them: by name, and of those with one name the last.
fn as_recorded(answer: Answer) -> Answer {
    answer.map(|mut prediction| {
        let notes: BTreeMap<_, _> = prediction.notes.into_iter().collect();
        prediction.notes = notes.into_iter().collect();
        prediction
    })
}

/// Takes the time out of a report of a request.
fn take_time(answer: &mut Answer) -> Option<String> {
    let report =
        &mut answer.as_mut().ok()?.outputs.iter_mut().find(|it| it.name == "report")?.contents;
    match report {
        Contents::Texts(texts) if texts.len() > 2 => Some(std::mem::take(&mut texts[1])),
        _ => None,
    }
}
