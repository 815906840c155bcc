//! Writes records, and remembers what became of each.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Message as _, util::Timeout};

use super::Message;
use crate::wait::PATIENCE;

/// What became of a record: its partition and offset, or why it was not written.
pub type Delivery = Result<(i32, i64), String>;

/// Writes records for as long as it is kept. For one thread at a time.
pub struct Producer {
    producer: BaseProducer<Deliveries>,
}

/// What became of each record, by its number; none while it is under way.
#[derive(Default)]
struct Deliveries(Mutex<Vec<Option<Delivery>>>);

impl Deliveries {
    fn lock(&self) -> MutexGuard<'_, Vec<Option<Delivery>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let became = match result {
            Ok(message) => Ok((message.partition(), message.offset())),
            Err((error, _)) => Err(error.to_string()),
        };
        self.lock()[number] = Some(became);
    }
}

impl Producer {
    pub(super) fn new(config: &ClientConfig) -> Self {
        let mut config = config.clone();
        // What the tests set counts.
        for (name, value) in [("enable.idempotence", "true"), ("linger.ms", "1")] {
            if config.get(name).is_none() {
                config.set(name, value);
            }
        }
        let producer = config.create_with_context(Deliveries::default()).expect("a producer");
        Self { producer }
    }

    /// Writes a record, or has it wait behind others.
    ///
    /// # Panics
    ///
    /// Where it is refused here already for another reason than its size.
    pub fn send(&self, topic: &str, message: &Message) {
        let number = {
            let mut deliveries = self.producer.context().lock();
            deliveries.push(None);
            deliveries.len() - 1
        };
        let mut record: BaseRecord<'_, [u8], [u8], usize> =
            BaseRecord::with_opaque_to(topic, number).headers(message.native_headers());
        record.key = message.key.as_deref();
        record.payload = message.value.as_deref();
        record.partition = message.partition;
        record.timestamp = message.time_ms;
        loop {
            match self.producer.send(record) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again)) => {
                    record = again;
                    self.producer.poll(std::time::Duration::from_millis(5));
                }
                Err((error, _)) => {
                    self.producer.context().lock()[number] = Some(Err(error.to_string()));
                    break;
                }
            }
        }
        self.producer.poll(Timeout::After(std::time::Duration::ZERO));
    }

    /// Waits until everything is written or refused, and returns what became of each record in the order of
    /// [`send`](Self::send): its partition and offset, or why there is none.
    ///
    /// # Panics
    ///
    /// When that takes very long.
    pub fn finish(self) -> Vec<Delivery> {
        self.producer.flush(PATIENCE).expect("records that are written in time");
        let deliveries = std::mem::take(&mut *self.producer.context().lock());
        deliveries
            .into_iter()
            .map(|became| became.unwrap_or_else(|| Err("nobody knows".to_owned())))
            .collect()
    }
}
