//! What is known of the brokers that keep the records, where somebody else does.
//!
//! Nothing is counted here: whoever talks to the brokers counts, and is asked at each scrape. A host that
//! keeps its records itself shows none of these.

use std::sync::atomic::Ordering;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::families::{Ratio, add, add_counter};
use super::labels::{BackendLabels, BrokerLabels, RttLabels, TroubleLabels};
use super::saturate;

/// What is known of the brokers at one moment. Counts are those since the start of the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BrokersReading {
    /// What they are, such as `kafka`.
    pub backend: &'static str,
    /// Each of them.
    pub brokers: Vec<BrokerReading>,
    /// Each kind of trouble, whether it lasts, and how often it was met.
    pub troubles: Vec<(&'static str, bool, u64)>,
    /// Records that they have not taken yet.
    pub unsent_records: u64,
    /// The bytes of those.
    pub unsent_bytes: u64,
    /// Records that they have taken.
    pub delivered_records: u64,
    /// Records that they have refused for good.
    pub failed_records: u64,
    /// Clients that were made anew.
    pub clients_remade: u64,
}

/// What is known of one broker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BrokerReading {
    /// Its address.
    pub name: String,
    /// Whether it can be reached.
    pub is_up: bool,
    /// How long the way to it and back takes: the median, and the slowest hundredth.
    pub rtt: [Duration; 2],
    /// How long it makes its clients wait.
    pub throttle: Duration,
}

/// The families of what is known of brokers.
#[derive(Debug, Default)]
pub(super) struct Brokers {
    up: Family<BrokerLabels, Gauge>,
    rtt: Family<RttLabels, Ratio>,
    throttle: Family<BrokerLabels, Ratio>,
    trouble: Family<TroubleLabels, Gauge>,
    errors: Family<TroubleLabels, Counter>,
    unsent_records: Family<BackendLabels, Gauge>,
    unsent_bytes: Family<BackendLabels, Gauge>,
    delivered: Family<BackendLabels, Counter>,
    failed: Family<BackendLabels, Counter>,
    remade: Family<BackendLabels, Counter>,
}

impl Brokers {
    pub(super) fn register(&self, registry: &mut Registry) {
        add(registry, "stream_broker_up", "1 where a broker can be reached", self.up.clone());
        let help = "The way to a broker and back";
        registry.register_with_unit("stream_broker_rtt", help, Unit::Seconds, self.rtt.clone());
        let (help, throttle) = ("How long a broker makes us wait", self.throttle.clone());
        registry.register_with_unit("stream_broker_throttle", help, Unit::Seconds, throttle);
        add(registry, "stream_trouble", "1 while a kind of trouble lasts", self.trouble.clone());
        add_counter(registry, "stream_errors", "Errors by kind of trouble", &self.errors);
        let help = "Records that the brokers have not taken yet";
        add(registry, "stream_unsent_records", help, self.unsent_records.clone());
        add(registry, "stream_unsent_bytes", "The bytes of those", self.unsent_bytes.clone());
        let help = "Records that the brokers have taken";
        add_counter(registry, "stream_delivered_records", help, &self.delivered);
        let help = "Records that the brokers refused for good";
        add_counter(registry, "stream_failed_records", help, &self.failed);
        add_counter(registry, "stream_clients_remade", "Clients made anew", &self.remade);
    }

    pub(super) fn set(&self, reading: &BrokersReading) {
        // One that is gone, or called otherwise by now, is not to look as it did.
        self.up.clear();
        self.throttle.clear();
        self.rtt.clear();
        for broker in &reading.brokers {
            let labels = BrokerLabels { broker: broker.name.clone() };
            self.up.get_or_create(&labels).set(i64::from(broker.is_up));
            self.throttle.get_or_create(&labels).set(broker.throttle.as_secs_f64());
            for (quantile, rtt) in ["0.5", "0.99"].into_iter().zip(broker.rtt) {
                let labels = RttLabels { broker: broker.name.clone(), quantile };
                self.rtt.get_or_create(&labels).set(rtt.as_secs_f64());
            }
        }
        let store = |counter: &Counter, count: u64| counter.inner().store(count, Ordering::Relaxed);
        for &(class, lasts, count) in &reading.troubles {
            let labels = TroubleLabels { class };
            self.trouble.get_or_create(&labels).set(i64::from(lasts));
            store(&self.errors.get_or_create(&labels), count);
        }
        let labels = BackendLabels { backend: reading.backend };
        self.unsent_records.get_or_create(&labels).set(saturate(reading.unsent_records));
        self.unsent_bytes.get_or_create(&labels).set(saturate(reading.unsent_bytes));
        store(&self.delivered.get_or_create(&labels), reading.delivered_records);
        store(&self.failed.get_or_create(&labels), reading.failed_records);
        store(&self.remade.get_or_create(&labels), reading.clients_remade);
    }
}
