//! What the topics of an endpoint say about who was accepted and who was answered.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use harness::{Record, read_topic_from};
use serde_json::Value;

/// The models that answer here give twice the `x` of a request.
const FACTOR: f64 = 2.0;
/// The `y` of the default answer.
const DEFAULT: f64 = -1.0;
/// Why a request of a host that was killed may get the default.
const LATE: [&str; 3] = ["expired", "nothing-came", "no-live-model"];

/// Everything that was accepted and answered, by the id of the request.
///
/// It asserts with every record that no answer is without a request, no request has two, and each is
/// the model's word or the default with a reason for it.
pub(crate) struct Ledger {
    data: PathBuf,
    endpoint: String,
    /// How far the topics of requests and answers were read.
    read: [u64; 2],
    accepted: BTreeMap<String, f64>,
    answered: BTreeMap<String, Value>,
    unanswered: BTreeSet<String>,
}

impl Ledger {
    /// Reads the topics, whether a host is running on them or not.
    pub(crate) fn read(data: &Path, endpoint: &str) -> Self {
        let mut ledger = Self {
            data: data.to_owned(),
            endpoint: endpoint.to_owned(),
            read: [0, 0],
            accepted: BTreeMap::new(),
            answered: BTreeMap::new(),
            unanswered: BTreeSet::new(),
        };
        ledger.read_on();
        ledger
    }

    /// Reads what has come since. Answers are read first, so that the request of each is among those
    /// that are read.
    pub(crate) fn read_on(&mut self) {
        let answers = read_topic_from(&self.data, &self.endpoint, "answers", self.read[1]);
        let requests = read_topic_from(&self.data, &self.endpoint, "requests", self.read[0]);
        for request in requests {
            self.read[0] = request.offset + 1;
            let (id, x) = (request.id().to_owned(), x_of(&request));
            // One that comes again is the first, whatever it asks.
            if let Entry::Vacant(vacant) = self.accepted.entry(id.clone()) {
                vacant.insert(x);
                self.unanswered.insert(id);
            }
        }
        for answer in answers {
            self.read[1] = answer.offset + 1;
            self.take(answer);
        }
    }

    fn take(&mut self, answer: Record) {
        let id = answer.id().to_owned();
        let x = self.accepted.get(&id);
        let x = x.unwrap_or_else(|| panic!("{id} was answered, but never accepted"));
        assert_right(*x, &answer.value);
        self.unanswered.remove(&id);
        let before = self.answered.insert(id, answer.value);
        assert_eq!(before, None, "answered more than once: {:?}", answer.headers);
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

    /// The accepted ids without an answer.
    pub(crate) const fn unanswered(&self) -> &BTreeSet<String> {
        &self.unanswered
    }

    /// The document of the answer to a request.
    pub(crate) fn answer(&self, id: &str) -> &Value {
        self.answered.get(id).unwrap_or_else(|| panic!("{id} was never answered"))
    }

    /// How often each reason was given.
    pub(crate) fn reasons(&self) -> BTreeMap<&str, usize> {
        let mut reasons = BTreeMap::new();
        for answer in self.answered.values() {
            *reasons.entry(reason(answer)).or_default() += 1;
        }
        reasons
    }
}

fn assert_right(x: f64, answer: &Value) {
    let y = answer["outputs"][0]["data"][0].as_f64();
    let version = answer["model_version"].as_str();
    match (version, reason(answer)) {
        // Without a default, who is late is told so.
        (None, "expired") => assert!(answer["error"].is_string(), "{answer}"),
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
