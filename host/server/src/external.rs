//! An external model: one that runs outside of the host, and takes part by what it writes to the
//! scores topic.
//!
//! It is on the roster like any other, with a number of its own, and is never offered anything: it
//! reads the requests by itself.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use catalog::{SchemaConfig, TensorForm};
use message::record::ScoreRecord;
use message::{Fault, FaultClass, ModelName, Outcome, Prediction, Revision, Tensor, Time};
use sandbox::TensorType;

use crate::live::Identity;

/// The revision of a scorer that does not say which it is.
pub(crate) const NO_VERSION: Revision = Revision::from_digest([0; 32]);

/// An external model, as supervisor, driver and people share it.
pub(crate) struct External {
    /// Who it is. The revision is not known before its scores say it.
    pub(crate) identity: Arc<Identity>,
    /// What it says that it reads.
    pub(crate) inputs: Vec<TensorType>,
    /// What it says that it gives; empty where it may give what it likes.
    pub(crate) outputs: Vec<TensorType>,
    last_score_us: AtomicU64,
    awaited: AtomicUsize,
}

impl fmt::Debug for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("External").field("model", self.name()).finish_non_exhaustive()
    }
}

/// A score that somebody outside wrote.
#[derive(Debug)]
pub(crate) struct OutsideScore {
    /// The partition of the scores topic that it was on.
    pub(crate) partition: u32,
    pub(crate) score: ScoreRecord,
}

impl External {
    /// A model that has said nothing yet.
    pub(crate) fn new(
        identity: Identity,
        config: &catalog::External,
        schema: Option<&SchemaConfig>,
    ) -> Arc<Self> {
        let (inputs, outputs) = config.forms(schema);
        Arc::new(Self {
            identity: Arc::new(identity),
            inputs: types(inputs),
            outputs: types(outputs),
            last_score_us: AtomicU64::new(0),
            awaited: AtomicUsize::new(0),
        })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &ModelName {
        &self.identity.model
    }

    /// The number of this life.
    pub(crate) fn incarnation(&self) -> u64 {
        self.identity.incarnation
    }

    /// Takes note of a score.
    pub(crate) fn heard(&self, now: Time) {
        self.last_score_us.store(now.as_us(), Ordering::Relaxed);
    }

    /// When it last wrote a score.
    pub(crate) fn last_score(&self) -> Option<Time> {
        let us = self.last_score_us.load(Ordering::Relaxed);
        (us > 0).then(|| Time::from_us(us))
    }

    /// Takes note of how many open requests wait for it.
    pub(crate) fn set_awaited(&self, requests: usize) {
        self.awaited.store(requests, Ordering::Relaxed);
    }

    /// How many open requests wait for it.
    pub(crate) fn awaited(&self) -> usize {
        self.awaited.load(Ordering::Relaxed)
    }

    /// Makes a fault of a prediction that is not what the model says that it gives.
    pub(crate) fn conform(&self, outcome: &mut Outcome) {
        let Outcome::Prediction(prediction) = outcome else { return };
        if let Some(message) = self.misfit(prediction) {
            *outcome = Outcome::Fault(Fault { class: FaultClass::Contract, message });
        }
    }

    fn misfit(&self, prediction: &Prediction) -> Option<String> {
        if self.outputs.is_empty() {
            return None;
        }
        let outputs = &prediction.outputs;
        if outputs.len() != self.outputs.len() {
            let (found, expected) = (outputs.len(), self.outputs.len());
            return Some(format!("wrote {found} outputs, expected {expected}"));
        }
        self.outputs.iter().find_map(|expected| {
            let found = outputs.iter().find(|output| output.name == expected.name);
            match found {
                None => {
                    let name = &expected.name;
                    Some(format!("did not write the output {name:?}, expected {expected}"))
                }
                Some(found) if fits(found, expected) => None,
                Some(Tensor { name, shape, contents, .. }) => {
                    let found = format!("{}{shape:?}", contents.datatype());
                    Some(format!("output {name:?} is {found}, expected {expected}"))
                }
            }
        })
    }
}

/// The revision that a scorer calls itself by: the digits of a digest, or the digest of its words.
pub(crate) fn revision_of(version: Option<&str>) -> Revision {
    let Some(version) = version.filter(|version| !version.is_empty()) else { return NO_VERSION };
    let digit = |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8);
    let digits: Option<Vec<u8>> = version.as_bytes().iter().map(digit).collect();
    match digits {
        Some(digits) if (12..=64).contains(&digits.len()) => {
            let mut digest = [0; 32];
            for (position, digit) in digits.into_iter().enumerate() {
                digest[position / 2] |= digit << (4 * (1 - position % 2));
            }
            Revision::from_digest(digest)
        }
        _ => catalog::write::revision(version.as_bytes()),
    }
}

fn types(forms: Vec<TensorForm>) -> Vec<TensorType> {
    let of = |form: TensorForm| {
        let TensorForm { name, datatype, shape } = form;
        TensorType { name, datatype, shape }
    };
    forms.into_iter().map(of).collect()
}

fn fits(found: &Tensor, expected: &TensorType) -> bool {
    // The wire does not tell texts from other bytes.
    let same_type = found.contents.datatype().wire_name() == expected.datatype.wire_name();
    let mut lengths = expected.shape.iter().zip(&found.shape);
    same_type
        && expected.shape.len() == found.shape.len()
        && lengths.all(|(declared, found)| declared.is_none_or(|only| only == *found))
}

#[cfg(test)]
mod tests {
    use message::{Contents, Datatype};

    use super::*;

    fn check(found: Vec<Tensor>, expected: Option<&str>) {
        let delayed =
            TensorType { name: "delayed".into(), datatype: Datatype::Fp64, shape: vec![None] };
        let external = |outputs| External {
            identity: Arc::new(Identity::for_tests("torch")),
            inputs: Vec::new(),
            outputs,
            last_score_us: AtomicU64::new(0),
            awaited: AtomicUsize::new(0),
        };
        let mut outcome =
            Outcome::Prediction(Prediction { outputs: found.clone(), notes: Vec::new() });
        external(Vec::new()).conform(&mut outcome);
        assert!(matches!(outcome, Outcome::Prediction(_)), "{outcome:?}");
        external(vec![delayed]).conform(&mut outcome);
        let fault = match &outcome {
            Outcome::Fault(fault) => Some(fault.message.as_str()),
            _ => None,
        };
        assert_eq!(fault, expected, "{found:?}");
    }

    #[test]
    fn what_a_model_writes_is_held_against_what_it_says() {
        let floats = |name: &str| Tensor::new(name, [2], Contents::F64s(vec![0.0, 1.0]));
        check(vec![floats("delayed")], None);
        check(vec![], Some("wrote 0 outputs, expected 1"));
        check(
            vec![floats("late")],
            Some("did not write the output \"delayed\", expected FP64[-1]"),
        );
        let integer = Tensor::new("delayed", [1], Contents::S64s(vec![1]));
        check(vec![integer], Some("output \"delayed\" is INT64[1], expected FP64[-1]"));
    }

    #[test]
    fn a_version_is_a_digest_or_has_one() {
        assert_eq!(revision_of(None), NO_VERSION);
        assert_eq!(revision_of(Some("")), NO_VERSION);
        assert_eq!(revision_of(Some("0123456789aB")).short(), "0123456789ab");
        assert_eq!(revision_of(Some("2013q1")), revision_of(Some("2013q1")));
        assert_ne!(revision_of(Some("2013q1")), revision_of(Some("2013q2")));
    }
}
