//! What a host says of itself at one moment.
//!
//! Whatever is missing has a default: a host of another version may say less, or more.

use serde::Deserialize;
use serde_json::Value;

/// What a host says of itself.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Snapshot {
    pub(crate) version: String,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) problems: Vec<String>,
    pub(crate) stream: Stream,
}

/// What it says of where it keeps its records.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Stream {
    pub(crate) backend: String,
    /// None where it keeps them itself.
    pub(crate) brokers: Vec<Broker>,
}

/// What it says of a broker.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Broker {
    pub(crate) up: bool,
}

/// What it says of an endpoint. Counters count from the start of the host.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Endpoint {
    pub(crate) name: String,
    /// Whether callers are turned away.
    pub(crate) paused: bool,
    pub(crate) deadline_us: Option<u64>,
    pub(crate) requests: u64,
    pub(crate) open_mailboxes: u64,
    pub(crate) latency_us_p50: Option<u64>,
    pub(crate) latency_us_p99: Option<u64>,
    pub(crate) answers: Vec<Answers>,
    pub(crate) models: Vec<Model>,
}

/// How often something was the answer, for one reason.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answers {
    /// A model, `default`, or `nothing`.
    pub(crate) from: String,
    pub(crate) reason: String,
    pub(crate) count: u64,
}

/// What it says of a model. One that does not run has no numbers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) state: String,
    pub(crate) revision: String,
    pub(crate) reason: Option<String>,
    pub(crate) lane: Option<String>,
    pub(crate) predictions: Option<u64>,
    pub(crate) refusals: Option<u64>,
    pub(crate) faults: Option<u64>,
    pub(crate) drops: Option<u64>,
    pub(crate) cpu_us: Option<u64>,
    pub(crate) latency_us_p50: Option<u64>,
    pub(crate) latency_us_p99: Option<u64>,
    pub(crate) queued: Option<u64>,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) memory_bytes_high: Option<u64>,
    pub(crate) sessions: Option<u64>,
    /// What is left of its error budget, from 1 to 0.
    pub(crate) budget_left: Option<f64>,
    /// The share of recent requests for which its score was late.
    pub(crate) late_share: Option<f64>,
    pub(crate) log: Vec<String>,
}

impl Snapshot {
    /// Reads what `GET /status` has.
    pub(crate) fn read(status: Value) -> Result<Self, String> {
        serde_json::from_value(status)
            .map_err(|error| format!("the host speaks of its state in another way: {error}"))
    }

    /// The endpoint of this name.
    pub(crate) fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.name == name)
    }
}

impl Endpoint {
    /// The model of this name.
    pub(crate) fn model(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.name == name)
    }

    /// How many requests wait for its models.
    pub(crate) fn queued(&self) -> u64 {
        self.models.iter().filter_map(|model| model.queued).sum()
    }

    /// How many faults its models had.
    pub(crate) fn faults(&self) -> u64 {
        self.models.iter().filter_map(|model| model.faults).sum()
    }

    /// Who answers by preference.
    pub(crate) fn champion(&self) -> Option<&Model> {
        self.models.iter().find(|model| model.role == "champion")
    }
}

impl Model {
    /// Whether it was told to rest.
    pub(crate) fn is_paused(&self) -> bool {
        self.state == "paused"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_has_a_default_and_what_is_new_is_ignored() {
        let status = json!({
            "version": "9.0.0",
            "mood": "good",
            "endpoints": [{ "name": "flights", "models": [{ "name": "gbdt", "queued": null }] }],
        });
        let snapshot = Snapshot::read(status).unwrap();
        let endpoint = snapshot.endpoint("flights").unwrap();
        assert_eq!((endpoint.requests, endpoint.deadline_us), (0, None));
        assert_eq!(endpoint.model("gbdt").unwrap().queued, None);
        assert!(snapshot.endpoint("fraud").is_none());
    }

    #[test]
    fn another_shape_is_an_error_that_says_so() {
        let error = Snapshot::read(json!({ "endpoints": 3 })).unwrap_err();
        assert!(error.starts_with("the host speaks of its state in another way"), "{error}");
    }
}
