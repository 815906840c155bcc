//! The metrics of the host, in the names that dashboards chart.
//!
//! Labels are bounded: endpoints, models, roles and our own enums, never an id or a word of a guest. The
//! revision stands only on `understudy_model_info`, so that a thousand swaps of a model leave its
//! counters where they are.

mod brokers;
mod calls;
mod endpoint;
mod external;
mod families;
mod histogram;
mod labels;
mod model;
mod routed;
mod sharing;
mod slots;
mod view;

use std::sync::Arc;

use message::EndpointName;
use prometheus_client::encoding::text;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

pub use brokers::{BrokerReading, BrokersReading};
pub use calls::{CallMetrics, CallTotals};
pub use endpoint::{EndpointMetrics, FlowMetrics, TopicMetrics};
pub use external::ExternalMetrics;
pub use labels::Lane;
pub use model::{ModelMetrics, ModelTotals};
pub use routed::RoutedMetrics;
pub use sharing::SharingMetrics;

use families::Families;
use labels::{BuildLabels, RefusalLabels, StatusLabels};
use slots::Slots;

const STATUSES: std::ops::Range<u16> = 100..600;

/// Every metric of a host.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    families: Arc<Families>,
    responses: Slots<StatusLabels>,
}

/// What the host was built from.
#[derive(Debug, Clone, Copy)]
pub struct Build<'text> {
    /// The version of the host.
    pub version: &'text str,
    /// The version of wasmtime.
    pub wasmtime: &'text str,
}

impl Metrics {
    /// The metrics of a host that has done nothing yet.
    pub fn new(build: Build<'_>) -> Self {
        let families = Arc::new(Families::default());
        let mut registry = Registry::with_prefix("understudy");
        families.register(&mut registry);
        let version = build.version.to_owned();
        let labels = BuildLabels { version, wasmtime: build.wasmtime.to_owned() };
        registry.register("build", "What the host was built from", Info::new(labels));
        let responses = Slots::new(families.http_responses.clone(), STATUSES.len());
        Self { registry, families, responses }
    }

    /// The metrics of an endpoint. Asked again, this gives the same ones.
    pub fn endpoint(&self, name: &EndpointName) -> EndpointMetrics {
        EndpointMetrics::new(Arc::clone(&self.families), name)
    }

    /// Counts an HTTP response. What is no status counts as 500.
    pub fn responded(&self, status: u16) {
        let status = if STATUSES.contains(&status) { status } else { 500 };
        let index = usize::from(status - STATUSES.start);
        self.responses.add(index, 1, || StatusLabels { status });
    }

    /// Takes note of how many calls are open, and of the bytes of their bodies.
    pub fn set_open_calls(&self, calls: usize, bodies_bytes: usize) {
        self.families.open_calls.set(saturate(calls));
        self.families.bodies_bytes.set(saturate(bodies_bytes));
    }

    /// Takes note of what is known of the brokers that keep the records.
    pub fn set_brokers(&self, reading: &BrokersReading) {
        self.families.brokers.set(reading);
    }

    /// Counts a caller who was denied. `tenant` is empty where the caller has none.
    pub fn refused(&self, tenant: &str, why: &'static str) {
        let labels = RefusalLabels { tenant: tenant.to_owned(), why };
        self.families.refused.get_or_create(&labels).inc();
    }

    /// What a tenant sees of the metrics, as OpenMetrics text: its endpoints, and its refusals.
    pub fn encode_for(&self, tenant: &str) -> String {
        view::of_tenant(&self.encode(), tenant)
    }

    /// Every metric as OpenMetrics text.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        text::encode(&mut text, &self.registry).expect("invariant: a string takes every text");
        text
    }
}

fn saturate(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
