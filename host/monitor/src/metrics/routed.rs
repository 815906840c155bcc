//! What is counted for the routed models of an endpoint, all of them together.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

use super::families::Families;
use super::histogram::Durations;
use super::labels::{EndpointLabels, WarmthLabels};
use super::saturate;

/// The metrics of the routed models of one endpoint. `Clone` gives other handles of the same ones.
#[derive(Debug, Clone)]
pub struct RoutedMetrics {
    cold: Gauge,
    warm: Gauge,
    bytes: Gauge,
    waiting: Gauge,
    loads: Counter,
    evictions: Counter,
    refusals: Counter,
    wait: Durations,
}

impl RoutedMetrics {
    pub(super) fn new(families: &Families, endpoint: &str) -> Self {
        let labels = EndpointLabels { endpoint: endpoint.to_owned() };
        let models = |state| {
            let labels = WarmthLabels { endpoint: endpoint.to_owned(), state };
            families.routed_models.get_or_create_owned(&labels)
        };
        Self {
            cold: models("cold"),
            warm: models("warm"),
            bytes: families.routed_bytes.get_or_create_owned(&labels),
            waiting: families.routed_waiting.get_or_create_owned(&labels),
            loads: families.routed_loads.get_or_create_owned(&labels),
            evictions: families.routed_evictions.get_or_create_owned(&labels),
            refusals: families.routed_refusals.get_or_create_owned(&labels),
            wait: families.routed_wait.get_or_create_owned(&labels),
        }
    }

    /// Takes note of how many there are, and of the memory of those that are warm.
    pub fn set_models(&self, cold: usize, warm: usize, bytes: u64) {
        self.cold.set(saturate(cold));
        self.warm.set(saturate(warm));
        self.bytes.set(saturate(bytes));
    }

    /// Takes note of how many requests wait for a load.
    pub fn set_waiting(&self, requests: usize) {
        self.waiting.set(saturate(requests));
    }

    /// Counts a load.
    pub fn loaded(&self) {
        self.loads.inc();
    }

    /// Counts a model that made room for others.
    pub fn evicted(&self) {
        self.evictions.inc();
    }

    /// Counts a load for which too many others waited.
    pub fn refused(&self) {
        self.refusals.inc();
    }

    /// Counts what the first request waited until its model was loaded.
    pub fn waited(&self, wait: Duration) {
        self.wait.observe(wait);
    }

    /// How many loads there were.
    pub fn loads(&self) -> u64 {
        self.loads.get()
    }

    /// How many models made room for others.
    pub fn evictions(&self) -> u64 {
        self.evictions.get()
    }
}
