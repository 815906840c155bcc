//! What the topics of an endpoint say about who was accepted and who was answered.

use std::collections::BTreeMap;
use std::path::Path;

use harness::{Record, read_topic};
use serde_json::Value;

/// The models that answer here give twice the `x` of a request.
const FACTOR: f64 = 2.0;
/// The `y` of the default answer.
const DEFAULT: f64 = -1.0;
/// Why a request of a host that was killed may get the default.
const LATE: [&str; 3] = ["expired", "nothing-came", "no-live-model"];

/// Everything that was accepted and answered, by the id of the request.
pub(crate) struct Ledger {
    accepted: BTreeMap<String, f64>,
    answered: BTreeMap<String, Vec<Value>>,
}

impl Ledger {
    /// Reads the topics, whether a host is running on them or not. Answers are read first, so that
    /// the request of each is among those that are read.
    pub(crate) fn read(data: &Path, endpoint: &str) -> Self {
        let mut answered: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for record in read_topic(data, endpoint, "answers") {
            answered.entry(record.id().to_owned()).or_default().push(record.value);
        }
        let requests = read_topic(data, endpoint, "requests");
        let accepted = requests.iter().map(|record| (record.id().to_owned(), x_of(record)));
        Self { accepted: accepted.collect(), answered }
    }

    /// The ids of the accepted requests.
    pub(crate) fn accepted(&self) -> impl ExactSizeIterator<Item = &str> {
        self.accepted.keys().map(String::as_str)
    }

    /// Whether there is a request of this id.
    pub(crate) fn has_accepted(&self, id: &str) -> bool {
        self.accepted.contains_key(id)
    }

    /// Whether there is an answer to it.
    pub(crate) fn has_answered(&self, id: &str) -> bool {
        self.answered.contains_key(id)
    }

    /// The document of the answer to a request.
    pub(crate) fn answer(&self, id: &str) -> &Value {
        let them = self.answered.get(id).unwrap_or_else(|| panic!("{id} was never answered"));
        assert_eq!(them.len(), 1, "{id} was answered more than once");
        &them[0]
    }

    /// How often each reason was given.
    pub(crate) fn reasons(&self) -> BTreeMap<&str, usize> {
        let mut reasons = BTreeMap::new();
        for answer in self.answered.values().flatten() {
            *reasons.entry(reason(answer)).or_default() += 1;
        }
        reasons
    }

    /// Asserts that no answer is without a request, no request has two, and each is the model's
    /// word or the default with a reason for it.
    pub(crate) fn assert_each_answered_at_most_once(&self) {
        for (id, answers) in &self.answered {
            let x = self.accepted.get(id);
            let x = x.unwrap_or_else(|| panic!("{id} was answered, but never accepted"));
            assert_eq!(answers.len(), 1, "{id} was answered more than once: {answers:?}");
            assert_right(*x, &answers[0]);
        }
    }

    /// Asserts that besides, every accepted request has an answer.
    pub(crate) fn assert_each_answered_once(&self) {
        self.assert_each_answered_at_most_once();
        let unanswered: Vec<_> = self.accepted().filter(|id| !self.has_answered(id)).collect();
        assert_eq!(unanswered, Vec::<&str>::new(), "accepted, but never answered");
    }
}

fn assert_right(x: f64, answer: &Value) {
    let y = answer["outputs"][0]["data"][0].as_f64();
    let version = answer["model_version"].as_str();
    match (version, reason(answer)) {
        (Some("default"), why) if LATE.contains(&why) => assert_eq!(y, Some(DEFAULT), "{answer}"),
        (Some(version), "preferred") if version.starts_with("champion@") => {
            assert_eq!(y, Some(FACTOR * x), "{answer}");
        }
        _ => panic!("an answer that nobody should get: {answer}"),
    }
}

fn reason(answer: &Value) -> &str {
    answer["parameters"]["reason"].as_str().expect("an answer has a reason")
}

fn x_of(request: &Record) -> f64 {
    let x = request.value["inputs"][0]["data"][0].as_f64();
    x.unwrap_or_else(|| panic!("no x in {request:?}"))
}
