//! What is counted for the external models of an endpoint. An endpoint that has none has none of it.

use std::sync::Arc;

use message::{ModelName, Time};

use super::families::Families;
use super::labels::{ModelLabels, ReasonLabels};
use super::saturate;

/// The metrics of the external models of one endpoint. `Clone` costs one atomic increment.
#[derive(Debug, Clone)]
pub struct ExternalMetrics {
    families: Arc<Families>,
    endpoint: String,
}

impl ExternalMetrics {
    pub(super) fn new(families: Arc<Families>, endpoint: &str) -> Self {
        Self { families, endpoint: endpoint.to_owned() }
    }

    /// Takes note of how many open requests wait for a model, and of when it last wrote a score.
    pub fn set_model(&self, model: &ModelName, awaited: usize, last_score: Option<Time>) {
        let labels = self.labels(model);
        self.families.external_awaited.get_or_create(&labels).set(saturate(awaited));
        if let Some(time) = last_score {
            let seconds = time.as_us() as f64 / 1e6;
            self.families.external_last_score.get_or_create(&labels).set(seconds);
        }
    }

    /// Counts a record of the scores topic that counts for nobody; `reason` is one of a few fixed
    /// words.
    pub fn ignored(&self, reason: &'static str) {
        let labels = ReasonLabels { endpoint: self.endpoint.clone(), reason };
        self.families.external_ignored.get_or_create(&labels).inc();
    }

    /// Takes a model out of what is scraped.
    pub fn forget(&self, model: &ModelName) {
        let labels = self.labels(model);
        self.families.external_awaited.remove(&labels);
        self.families.external_last_score.remove(&labels);
    }

    fn labels(&self, model: &ModelName) -> ModelLabels {
        ModelLabels { endpoint: self.endpoint.clone(), model: model.to_string() }
    }
}
