//! What happened in one endpoint: what everybody sent, what the topics hold, and what everybody was told.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::Record;

/// What happened in one endpoint from its beginning to its end.
#[derive(Debug, Clone)]
pub struct History {
    /// What had to happen.
    pub rules: Rules,
    /// The topics that requests come from, by the names that hosts have for them.
    pub sources: BTreeMap<String, Vec<Record>>,
    /// The topic of answers. This and the others are in the order of partitions and offsets, and without what
    /// belongs to transactions that were not committed.
    pub answers: Vec<Record>,
    /// The topic of scores.
    pub scores: Vec<Record>,
    /// The topic of records that were no requests.
    pub dead_letters: Vec<Record>,
    /// Answers on their way to hosts where somebody waits, of this endpoint or of others.
    pub replies: Vec<Record>,
    /// What was written to the sources.
    pub sent: Vec<Sent>,
    /// Who called, and what they were told.
    pub calls: Vec<Call>,
    /// How far the sources were committed, in the order in which one looked.
    pub commits: Vec<CommitSample>,
}

/// What had to happen.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The name of the endpoint.
    pub endpoint: String,
    /// The models, by their names.
    pub models: BTreeMap<String, Expected>,
    /// The `y` of the default answer.
    pub default: f64,
    /// How many partitions the topic of answers has.
    pub partitions: u32,
    /// Whether each answer, score and dead letter may be there only once.
    pub exactly_once: bool,
    /// Whether no answer may overtake one to an earlier request of the same key.
    pub keeps_order: bool,
}

/// What is expected of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// Its `y` is the `x` of the request times this.
    pub factor: f64,
    /// Whether the policy lets it answer.
    pub may_answer: bool,
}

/// A record that was written to a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The topic, by the name that hosts have for it.
    pub source: String,
    /// The id of the request. None where the record is garbage.
    pub id: Option<String>,
    /// What was written.
    pub value: Vec<u8>,
    /// The partition and offset that it got. None where nobody said that it was written.
    pub acknowledged: Option<(u32, u64)>,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        write!(f, "host {} key {:?} {body}: {:?}", self.host, self.idempotency_key, self.told)
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = String::from_utf8_lossy(&self.value);
        write!(f, "{} id {:?} at {:?}: {value}", self.source, self.id, self.acknowledged)
    }
}

/// A call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Which host was called.
    pub host: usize,
    /// The key that makes calls with it one request.
    pub idempotency_key: Option<String>,
    /// The body, which no other call has.
    pub body: Vec<u8>,
    /// What the caller was told.
    pub told: Told,
}

/// What a caller was told.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// This answer.
    Answer(Value),
    /// An error.
    Error {
        /// The status.
        status: u16,
        /// The body.
        text: String,
    },
    /// Nothing: the host was gone, or too slow.
    Nothing,
}

/// How far a partition was committed, and what was there soon after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitSample {
    /// The topic, by the name that hosts have for it.
    pub source: String,
    /// The partition of it.
    pub partition: u32,
    /// The lowest offset that was not committed.
    pub commit: u64,
    /// The end of the partition of answers that belongs to it, looked at after the commit.
    pub answers_end: u64,
    /// The end of the topic of dead letters, looked at after the commit.
    pub dead_letters_end: u64,
}
