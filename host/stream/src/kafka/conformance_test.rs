//! The Kafka backend passes the conformance suite, against a real broker.

use kafka_testkit::{Broker, unique};

use super::{KafkaConfig, KafkaStream, Keeper, TopicPolicy};
use crate::Stream;
use crate::conformance::{self, Backend, Durable};

struct Kafka {
    config: KafkaConfig,
    stream: Option<KafkaStream>,
}

/// A stream of its own on the broker that all tests share: no other has topics with its prefix.
fn kafka() -> Kafka {
    let topics = TopicPolicy { partitions: 1, keeper: Keeper::Host, ..TopicPolicy::default() };
    let config = KafkaConfig {
        brokers: vec![Broker::shared().bootstrap().to_owned()],
        prefix: format!("{}.", unique("suite")),
        topics,
        ..KafkaConfig::default()
    };
    let stream = Some(KafkaStream::connect(config.clone()).unwrap());
    Kafka { config, stream }
}

impl Backend for Kafka {
    fn stream(&self) -> &dyn Stream {
        self.stream.as_ref().unwrap()
    }

    fn close(&mut self) {
        self.stream = None;
    }
}

impl Durable for Kafka {
    fn reopen(&mut self) {
        self.close();
        self.stream = Some(KafkaStream::connect(self.config.clone()).unwrap());
    }
}

conformance::conformance_tests!(kafka);
conformance::tests! { kafka, crate::conformance::faults, {
    everything_is_there_after_reopening,
}}
