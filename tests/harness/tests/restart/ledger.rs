//! What the topics of an endpoint say about who was accepted and who was answered.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use harness::topic;
use message::record::{AnswerRecord, AnswerSource, decode_answer, header};
use message::{Contents, Reason, Tensor, oip};

/// The model that every endpoint here has answers twice the `x` of a request.
const FACTOR: f64 = 2.0;
/// The `y` of the default answer.
pub(crate) const DEFAULT: f64 = -1.0;

/// Everything that was accepted and answered, by the id of the request.
pub(crate) struct Ledger {
    accepted: BTreeMap<String, f64>,
    answered: BTreeMap<String, Vec<Recorded>>,
}

/// A recorded answer.
pub(crate) struct Recorded {
    pub(crate) document: Bytes,
    pub(crate) answer: AnswerRecord,
}

impl Ledger {
    /// Reads the topics, whether a host is running on them or not. Answers are read first, so that
    /// the request of each is among those that are read.
    pub(crate) fn read(data: &Path, endpoint: &str) -> Self {
        let answers = topic(data, endpoint, "answers");
        let mut answered: BTreeMap<String, Vec<Recorded>> = BTreeMap::new();
        for stored in &answers {
            let document = stored.record.value.clone();
            let answer = decode_answer(&document).expect("an answer can be read");
            answered.entry(id_of(stored)).or_default().push(Recorded { document, answer });
        }
        let requests = topic(data, endpoint, "requests");
        let accepted = requests.iter().map(|stored| (id_of(stored), x_of(&stored.record.value)));
        Self { accepted: accepted.collect(), answered }
    }

    /// The ids of the accepted requests.
    pub(crate) fn accepted(&self) -> impl Iterator<Item = &str> {
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

    /// The answer to a request.
    pub(crate) fn answer(&self, id: &str) -> &Recorded {
        let them = self.answered.get(id).unwrap_or_else(|| panic!("{id} was never answered"));
        assert_eq!(them.len(), 1, "{id} was answered more than once");
        &them[0]
    }

    /// How often each reason was given.
    pub(crate) fn reasons(&self) -> BTreeMap<&'static str, usize> {
        let mut reasons = BTreeMap::new();
        for recorded in self.answered.values().flatten() {
            *reasons.entry(recorded.answer.reason.name()).or_default() += 1;
        }
        reasons
    }

    /// Asserts that no answer is without a request, no request has two, and each is the model's
    /// word or the default with a reason for it.
    pub(crate) fn assert_each_answered_at_most_once(&self) {
        for (id, recorded) in &self.answered {
            let x = self.accepted.get(id);
            let x = x.unwrap_or_else(|| panic!("{id} was answered, but never accepted"));
            assert_eq!(recorded.len(), 1, "{id} was answered more than once");
            assert_right(id, *x, &recorded[0].answer);
        }
    }

    /// Asserts that besides, every accepted request has an answer.
    pub(crate) fn assert_each_answered_once(&self) {
        self.assert_each_answered_at_most_once();
        let unanswered: Vec<_> = self.accepted().filter(|id| !self.has_answered(id)).collect();
        assert_eq!(unanswered, Vec::<&str>::new(), "accepted, but never answered");
    }
}

fn assert_right(id: &str, x: f64, answer: &AnswerRecord) {
    let y = number(&answer.outputs);
    match (&answer.source, answer.reason) {
        (AnswerSource::Score { .. }, Reason::Preferred) => assert_eq!(y, FACTOR * x, "{id}"),
        (
            AnswerSource::Default,
            Reason::Expired | Reason::NothingCame | Reason::NoLiveModel,
        ) => assert_eq!(y, DEFAULT, "{id}"),
        (source, reason) => panic!("{id} got {source:?} because {reason}"),
    }
}

fn id_of(stored: &stream::StoredRecord) -> String {
    let id = stored.record.headers.get(header::ID).expect("every record has an id");
    String::from_utf8(id.to_vec()).expect("an id is a text")
}

fn x_of(document: &[u8]) -> f64 {
    number(&oip::decode_request(document).expect("a request can be read").inputs)
}

fn number(tensors: &[Tensor]) -> f64 {
    match &tensors[0].contents {
        Contents::F64s(them) => them[0],
        other => panic!("found {other:?}, expected FP64"),
    }
}
