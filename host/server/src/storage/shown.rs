//! What is known of the cluster, for metrics and for people.

use std::time::Duration;

use monitor::{BrokerReading, BrokersReading};
use serde_json::{Value, json};
use stream::kafka::{Class, Telemetry};

use super::Storage;

impl Storage {
    /// What metrics say of the brokers, if there are some.
    pub(crate) fn reading(&self) -> Option<BrokersReading> {
        self.telemetry().map(|telemetry| reading_of(&telemetry))
    }

    /// What a person wants to see of where the records are kept.
    pub(crate) fn status(&self) -> Value {
        match self.telemetry() {
            None => json!({ "backend": "embedded" }),
            Some(telemetry) => status_of(&telemetry),
        }
    }

    /// What is wrong with the cluster, a line each.
    pub(crate) fn problems(&self) -> Vec<String> {
        let telemetry = self.telemetry().unwrap_or_default();
        let line = |it: &stream::kafka::Ongoing| {
            format!("Kafka: {}: {} (for {} s)", it.class, it.reason, it.lasting.as_secs())
        };
        telemetry.troubles.iter().map(line).collect()
    }
}

fn reading_of(telemetry: &Telemetry) -> BrokersReading {
    let brokers = telemetry.brokers.iter().map(|broker| BrokerReading {
        name: broker.name.clone(),
        is_up: broker.is_up,
        rtt: [broker.rtt_us_p50, broker.rtt_us_p99].map(Duration::from_micros),
        throttle: Duration::from_millis(broker.throttle_ms),
    });
    let trouble = |class: Class| {
        let lasts = telemetry.troubles.iter().any(|trouble| trouble.class == class);
        (class.name(), lasts, telemetry.errors.get(&class).copied().unwrap_or_default())
    };
    BrokersReading {
        backend: "kafka",
        brokers: brokers.collect(),
        troubles: Class::ALL.map(trouble).into(),
        unsent_records: telemetry.waiting_records,
        unsent_bytes: telemetry.waiting_bytes,
        delivered_records: telemetry.delivered_records,
        failed_records: telemetry.failed_records,
        clients_remade: telemetry.clients_remade,
    }
}

fn status_of(telemetry: &Telemetry) -> Value {
    let broker = |it: &stream::kafka::BrokerState| {
        json!({
            "name": it.name,
            "up": it.is_up,
            "rtt_us_p50": it.rtt_us_p50,
            "rtt_us_p99": it.rtt_us_p99,
            "throttle_ms": it.throttle_ms,
        })
    };
    let trouble = |it: &stream::kafka::Ongoing| {
        json!({
            "class": it.class.name(),
            "reason": it.reason,
            "lasting_s": it.lasting.as_secs(),
            "count": it.count,
        })
    };
    let errors =
        telemetry.errors.iter().map(|(class, count)| (class.name().to_owned(), json!(count)));
    json!({
        "backend": "kafka",
        "brokers": telemetry.brokers.iter().map(broker).collect::<Vec<_>>(),
        "troubles": telemetry.troubles.iter().map(trouble).collect::<Vec<_>>(),
        "errors": errors.collect::<serde_json::Map<_, _>>(),
        "unsent_records": telemetry.waiting_records,
        "unsent_bytes": telemetry.waiting_bytes,
        "delivered_records": telemetry.delivered_records,
        "failed_records": telemetry.failed_records,
        "clients_remade": telemetry.clients_remade,
    })
}

#[cfg(test)]
mod tests {
    use stream::kafka::{BrokerState, Ongoing};

    use super::*;

    #[test]
    fn what_is_known_is_shown_to_programs_and_to_people() {
        let broker = BrokerState {
            name: "k:1".to_owned(),
            is_up: false,
            rtt_us_p50: 200,
            rtt_us_p99: 3000,
            throttle_ms: 5,
        };
        let trouble = Ongoing {
            class: Class::Credentials,
            reason: "no".to_owned(),
            lasting: Duration::from_secs(7),
            count: 2,
        };
        let telemetry = Telemetry {
            brokers: vec![broker],
            troubles: vec![trouble],
            errors: [(Class::Credentials, 2), (Class::Topic, 1)].into(),
            waiting_bytes: 9,
            ..Telemetry::default()
        };
        let status = status_of(&telemetry);
        assert_eq!(status["brokers"][0]["up"], false);
        assert_eq!(status["troubles"][0]["class"], "credentials");
        assert_eq!(status["errors"], json!({ "credentials": 2, "topic": 1 }));
        let reading = reading_of(&telemetry);
        assert_eq!(reading.brokers[0].throttle, Duration::from_millis(5));
        assert_eq!(reading.troubles.len(), Class::ALL.len());
        assert!(reading.troubles.contains(&("credentials", true, 2)));
        assert!(reading.troubles.contains(&("topic", false, 1)));
        assert_eq!(
            super::super::obstacle_of(&telemetry).as_deref(),
            Some("the Kafka brokers are away: no")
        );
    }
}
