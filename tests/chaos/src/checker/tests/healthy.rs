//! A history in which everything is as it should be, with a bit of everything that may happen.
//!
//! Partition 0 was taken over from a host that then gave a void answer; a host that was killed took a score along; a request
//! came twice, a call was repeated at another host, and something was garbage.

use std::collections::BTreeMap;
use std::time::Duration;

use message::record::{encode_answer, encode_score};
use message::{
    Answer, Chosen, Contents, EndpointName, Outcome, Prediction, Reason, RequestId, Revision,
    Score, Selection, Tensor, Time,
};
use serde_json::{Value, json};

use crate::{Call, CommitSample, Expected, History, Record, Rules, Sent, Told};

const SOURCE: &str = "chaos/requests";
const GARBAGE: &[u8] = b"\xffno request";

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Champion,
    Staged,
    Default,
    DefaultWithoutReason,
}

/// A document of a request.
pub(super) fn request(id: &str, x: f64) -> Vec<u8> {
    let x = json!({ "name": "x", "datatype": "FP64", "shape": [1], "data": [x] });
    json!({ "id": id, "inputs": [x] }).to_string().into_bytes()
}

/// An answer in a partition, at an offset, to what is at (source, offset), of an epoch.
pub(super) fn answer(
    partition: u32,
    offset: u64,
    (source, request, epoch): (&str, u64, u64),
    id: &str,
    by: By,
    x: f64,
) -> Record {
    let headers = [
        ("id", id.to_owned()),
        ("request-source", source.to_owned()),
        ("request-offset", request.to_string()),
        ("epoch", epoch.to_string()),
    ];
    record(partition, offset, None, &headers, answer_value(id, by, x))
}

fn answer_value(id: &str, by: By, x: f64) -> Vec<u8> {
    let model = |name: &str, y: f64| Chosen::Score {
        model: name.into(),
        revision: revision(name),
        prediction: Prediction { outputs: outputs(y), notes: Vec::new() },
    };
    let (chosen, reason) = match by {
        By::Champion => (model("champion", 2.0 * x), Reason::Preferred),
        By::Staged => (model("staged", 3.0 * x), Reason::Preferred),
        By::Default => (Chosen::Default(outputs(-1.0)), Reason::NothingCame),
        By::DefaultWithoutReason => (Chosen::Default(outputs(-1.0)), Reason::EveryModelFailed),
    };
    let answer = Answer {
        request: RequestId::from(id),
        caller_id: None,
        chosen,
        reason,
        selection: Selection::default(),
        time: Time::from_us(1),
        latency: Duration::from_micros(7),
    };
    let mut value = Vec::new();
    encode_answer(&answer, &EndpointName::from("chaos"), &mut value);
    value
}

/// A score in a partition, at an offset.
pub(super) fn score(partition: u32, offset: u64, id: &str, model: &str, y: f64) -> Record {
    let score = Score {
        request: RequestId::from(id),
        model: model.into(),
        revision: revision(model),
        outcome: Outcome::Prediction(Prediction { outputs: outputs(y), notes: Vec::new() }),
        time: Time::from_us(1),
        latency: Duration::from_micros(5),
        cpu: Duration::from_micros(3),
    };
    let mut value = Vec::new();
    encode_score(&score, &mut value);
    record(partition, offset, None, &[("id", id.to_owned())], value)
}

/// An answer of the champion that went to another host.
pub(super) fn reply_to(id: &str, x: f64) -> Record {
    let headers = [("id", id.to_owned()), ("host", "h-1".to_owned())];
    record(0, 0, None, &headers, answer_value(id, By::Champion, x))
}

/// A history in which everything is as it should be.
pub(super) fn healthy() -> History {
    let key = Some("k");
    let requests = vec![
        record(0, 0, key, &[("id", "a".to_owned())], request("a", 1.0)),
        record(0, 1, key, &[], request("b", 2.0)),
        record(0, 2, None, &[], GARBAGE.to_vec()),
        record(0, 3, key, &[("id", "a".to_owned())], request("a", 1.0)),
        record(1, 0, None, &[("id", "c".to_owned())], request("call-1", 3.0)),
        record(1, 1, Some("d"), &[("id", "d".to_owned())], request("call-2", 4.0)),
        record(1, 2, Some("d"), &[("id", "d".to_owned())], request("call-3", 4.0)),
        record(1, 3, None, &[("id", "e".to_owned())], request("call-4", 5.0)),
    ];
    let from = |partition: u32| ["chaos/requests/0", "chaos/requests/1"][partition as usize];
    let answers = vec![
        fence(0, 0),
        answer(0, 1, (from(0), 0, 0), "a", By::Champion, 1.0),
        fence(0, 2),
        answer(0, 3, (from(0), 1, 0), "b", By::Default, 2.0),
        answer(0, 4, (from(0), 1, 2), "b", By::Champion, 2.0),
        fence(1, 0),
        answer(1, 1, (from(1), 0, 0), "c", By::Champion, 3.0),
        answer(1, 2, (from(1), 1, 0), "d", By::Champion, 4.0),
        answer(1, 4, (from(1), 3, 0), "e", By::Default, 5.0),
    ];
    let scores = vec![
        score(0, 0, "b", "champion", 4.0),
        score(0, 1, "b", "staged", 6.0),
        score(1, 0, "c", "champion", 6.0),
        score(1, 1, "d", "champion", 8.0),
        score(1, 2, "e", "staged", 15.0),
    ];
    let replies = vec![
        reply_to("d", 4.0),
        record(
            0,
            1,
            None,
            &[("id", "b".to_owned()), ("host", "h-2".to_owned())],
            answer_value("b", By::Default, 2.0),
        ),
    ];
    History {
        rules: rules(),
        sources: BTreeMap::from([(SOURCE.to_owned(), requests)]),
        answers,
        scores,
        dead_letters: vec![letter()],
        replies,
        sent: vec![
            sent(Some("a"), request("a", 1.0), 0),
            sent(Some("b"), request("b", 2.0), 1),
            sent(None, GARBAGE.to_vec(), 2),
            sent(Some("a"), request("a", 1.0), 3),
        ],
        calls: calls(),
        commits: vec![
            commit(0, 1, 2, 0),
            commit(0, 4, 5, 1),
            commit(1, 2, 3, 1),
            commit(1, 4, 5, 1),
        ],
    }
}

fn rules() -> Rules {
    Rules {
        endpoint: "chaos".to_owned(),
        models: BTreeMap::from([
            ("champion".to_owned(), Expected { factor: 2.0, may_answer: true }),
            ("staged".to_owned(), Expected { factor: 3.0, may_answer: false }),
        ]),
        default: -1.0,
        partitions: 2,
        exactly_once: false,
        keeps_order: true,
    }
}

fn calls() -> Vec<Call> {
    let told = |id: &str, visible: &str, by: By, x: f64| {
        let mut document: Value = serde_json::from_slice(&answer_value(id, by, x)).unwrap();
        document["id"] = json!(visible);
        Told::Answer(document)
    };
    let call = |host: usize, key: Option<&str>, id: &str, x: f64, told: Told| Call {
        host,
        idempotency_key: key.map(str::to_owned),
        body: request(id, x),
        told,
    };
    let late = Told::Error { status: 503, text: "too late".to_owned() };
    vec![
        call(0, None, "call-1", 3.0, told("c", "call-1", By::Champion, 3.0)),
        call(0, Some("d"), "call-2", 4.0, told("d", "call-2", By::Champion, 4.0)),
        call(1, Some("d"), "call-3", 4.0, told("d", "call-3", By::Champion, 4.0)),
        call(1, None, "call-4", 5.0, late),
    ]
}

fn record(
    partition: u32,
    offset: u64,
    key: Option<&str>,
    headers: &[(&str, String)],
    value: Vec<u8>,
) -> Record {
    let headers =
        headers.iter().map(|(name, text)| ((*name).to_owned(), text.clone().into_bytes()));
    Record {
        partition,
        offset,
        time_ms: 1000 + offset as i64,
        key: key.map(|key| key.as_bytes().to_vec()),
        headers: headers.collect(),
        value,
    }
}

fn fence(partition: u32, offset: u64) -> Record {
    let headers = [("fence", format!("{SOURCE}/{partition}"))];
    record(partition, offset, None, &headers, Vec::new())
}

fn letter() -> Record {
    let headers = [
        ("reason", "no document".to_owned()),
        ("source-topic", SOURCE.to_owned()),
        ("source-partition", "0".to_owned()),
        ("source-offset", "2".to_owned()),
    ];
    record(0, 0, None, &headers, GARBAGE.to_vec())
}

fn sent(id: Option<&str>, value: Vec<u8>, offset: u64) -> Sent {
    let (source, id) = (SOURCE.to_owned(), id.map(str::to_owned));
    Sent { source, id, value, acknowledged: Some((0, offset)) }
}

fn commit(partition: u32, commit: u64, answers_end: u64, dead_letters_end: u64) -> CommitSample {
    let source = SOURCE.to_owned();
    CommitSample { source, partition, commit, answers_end, dead_letters_end }
}

fn revision(model: &str) -> Revision {
    Revision::from_digest([model.len() as u8; 32])
}

fn outputs(y: f64) -> Vec<Tensor> {
    vec![Tensor::new("y", [1], Contents::F64s(vec![y]))]
}
