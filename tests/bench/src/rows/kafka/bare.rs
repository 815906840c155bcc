//! The bare loop: reads records with the client library and writes as many bytes as a host would.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Result;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};
use stream::kafka::Role;

use super::world::World;

/// What it reads.
pub(super) const INPUT: &str = "bare/requests";
/// Where it writes a record for each.
pub(super) const ANSWERS: &str = "bare/answers";
/// Where it writes three for each.
const SCORES: &str = "bare/scores";
const SCORES_OF_ONE: usize = 3;

/// A thread that copies.
pub(super) struct Bare {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<()>>,
}

impl Bare {
    /// Starts to write such an answer and such scores for each record.
    pub(super) fn start(world: &World, answer: &[u8], score: &[u8]) -> Result<Self> {
        [INPUT, ANSWERS, SCORES].iter().for_each(|topic| world.make_topic(topic));
        let mut config = world.config(Role::Group);
        config.set("group.id", "bare").set("enable.auto.commit", "false");
        let consumer: BaseConsumer = config.create()?;
        let mut assignment = TopicPartitionList::new();
        for partition in 0..world.partitions {
            let partition = i32::try_from(partition)?;
            assignment.add_partition_offset(&world.topic(INPUT), partition, Offset::Beginning)?;
        }
        consumer.assign(&assignment)?;
        let copying = Copying {
            consumer,
            producer: world.config(Role::Producer).create()?,
            answers: (world.topic(ANSWERS), answer.to_vec()),
            scores: (world.topic(SCORES), score.to_vec()),
        };
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || copying.run(&stopped));
        Ok(Self { stop, thread })
    }

    /// Ends it.
    pub(super) fn stop(self) -> Result<()> {
        self.stop.store(true, Ordering::Release);
        self.thread.join().map_err(|_panic| anyhow::anyhow!("the bare loop panicked"))?
    }
}

struct Copying {
    consumer: BaseConsumer,
    producer: ThreadedProducer<DefaultProducerContext>,
    answers: (String, Vec<u8>),
    scores: (String, Vec<u8>),
}

impl Copying {
    fn run(&self, stop: &AtomicBool) -> Result<()> {
        while !stop.load(Ordering::Acquire) {
            let Some(message) = self.consumer.poll(Duration::from_millis(100)) else { continue };
            let message = message?;
            let headers = message.headers();
            let id = headers.and_then(|headers| headers.iter().find(|header| header.key == "id"));
            let id = id.and_then(|header| header.value).unwrap_or_default();
            self.write(&self.answers, message.partition(), id)?;
            for _ in 0..SCORES_OF_ONE {
                self.write(&self.scores, message.partition(), id)?;
            }
        }
        Ok(self.producer.flush(Duration::from_secs(10))?)
    }

    fn write(&self, (topic, value): &(String, Vec<u8>), partition: i32, id: &[u8]) -> Result<()> {
        let headers = OwnedHeaders::new().insert(Header { key: "id", value: Some(id) });
        let mut record: BaseRecord<'_, [u8], [u8]> =
            BaseRecord::to(topic).payload(&value[..]).partition(partition).headers(headers);
        while let Err((error, refused)) = self.producer.send(record) {
            let is_full =
                error.rdkafka_error_code() == Some(rdkafka::types::RDKafkaErrorCode::QueueFull);
            anyhow::ensure!(is_full, "the bare loop cannot write: {error}");
            thread::sleep(Duration::from_millis(1));
            record = refused;
        }
        Ok(())
    }
}
