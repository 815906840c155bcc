//! What is counted of the external models of an endpoint, and of what else is written to its scores.

use std::collections::BTreeMap;

use message::ModelName;
use monitor::ExternalMetrics;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::external::External;

/// Why a record of the scores topic counts for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ignored {
    /// Because it cannot be read as a score.
    Malformed,
    /// Because its model is neither external nor known otherwise.
    NotExternal,
    /// Because nobody asks for such a request, or did so too long ago.
    UnknownRequest,
    /// Because its request is on another partition.
    OtherPartition,
    /// Because the model is not asked on the course of the request, or rests.
    NotAsked,
    /// Because the model has said something about the request before.
    Duplicate,
    /// Because its request had been given up when it came.
    TooLate,
}

impl Ignored {
    /// The word for it in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::NotExternal => "not-external",
            Self::UnknownRequest => "unknown-request",
            Self::OtherPartition => "other-partition",
            Self::NotAsked => "not-asked",
            Self::Duplicate => "duplicate",
            Self::TooLate => "too-late",
        }
    }

    /// Whether somebody should look at it: it is nothing that happens to a scorer that is well.
    const fn is_odd(self) -> bool {
        matches!(self, Self::Malformed | Self::NotExternal | Self::OtherPartition)
    }
}

/// Counts for the external models of one endpoint.
pub(crate) struct ExternalMeter {
    metrics: ExternalMetrics,
    ignored: Mutex<BTreeMap<&'static str, u64>>,
    /// The last oddity, for people.
    oddity: Mutex<Option<String>>,
}

impl ExternalMeter {
    pub(super) fn new(metrics: ExternalMetrics) -> Self {
        Self { metrics, ignored: Mutex::default(), oddity: Mutex::default() }
    }

    /// Counts a record that counts for nobody. Returns whether it is the first of its kind that
    /// somebody should look at.
    pub(crate) fn count_ignored(&self, why: Ignored, what: impl FnOnce() -> String) -> bool {
        self.metrics.ignored(why.name());
        if why.is_odd() {
            *self.oddity.lock() = Some(what());
        }
        let mut ignored = self.ignored.lock();
        let count = ignored.entry(why.name()).or_default();
        *count += 1;
        *count == 1 && why.is_odd()
    }

    /// Takes note of where a model stands.
    pub(crate) fn look_at(&self, external: &External) {
        self.metrics.set_model(external.name(), external.awaited(), external.last_score());
    }

    /// Takes a model that is gone out of the metrics.
    pub(crate) fn forget(&self, model: &ModelName) {
        self.metrics.forget(model);
    }

    /// Everything, for people; nothing where nothing was written that counts for nobody.
    pub(crate) fn report(&self) -> Value {
        let ignored = self.ignored.lock();
        if ignored.is_empty() {
            return Value::Null;
        }
        json!({ "ignored": *ignored, "last": *self.oddity.lock() })
    }
}
