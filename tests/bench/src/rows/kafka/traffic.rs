//! Requests that are written, and answers that are read: what lies between is what is measured.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseRecord, ThreadedProducer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList, producer::DefaultProducerContext};
use stream::kafka::Role;

use super::world::{WAIT_LIMIT, World};
use crate::measure::{Latencies, per_second};
use crate::samples;

/// How long one look for answers waits.
const LOOK: Duration = Duration::from_millis(100);

/// Writes requests to all partitions in turn.
pub(super) struct Writer {
    producer: ThreadedProducer<DefaultProducerContext>,
    topic: String,
    partitions: u32,
    runs: u64,
}

/// Reads what comes out at the other end.
pub(super) struct Reader {
    consumer: BaseConsumer,
    last_value: Vec<u8>,
}

/// What came of some requests.
pub(super) struct Traffic {
    pub(super) latencies: Latencies,
    took: Duration,
}

impl Traffic {
    /// How many were answered in a second.
    pub(super) fn per_second(&self) -> f64 {
        per_second(self.latencies.count(), self.took)
    }
}

impl Writer {
    /// Writes to a topic of a deployment.
    pub(super) fn new(world: &World, topic: &str) -> Result<Self> {
        let producer = world.config(Role::Producer).create()?;
        Ok(Self { producer, topic: world.topic(topic), partitions: world.partitions, runs: 0 })
    }

    /// Writes these requests, at this rate or as fast as it goes, and notes when.
    fn write(&self, documents: &[(String, Bytes)], rate: Option<f64>) -> Result<Vec<Instant>> {
        let begun = Instant::now();
        let mut times = Vec::with_capacity(documents.len());
        for (number, (id, document)) in documents.iter().enumerate() {
            if let Some(rate) = rate {
                let due = begun + Duration::from_secs_f64(number as f64 / rate);
                thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            times.push(Instant::now());
            let headers =
                OwnedHeaders::new().insert(Header { key: "id", value: Some(id.as_str()) });
            let partition = (number % self.partitions as usize) as i32;
            let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(&self.topic)
                .payload(&document[..])
                .partition(partition)
                .headers(headers);
            while let Err((error, refused)) = self.producer.send(record) {
                let is_full =
                    error.rdkafka_error_code() == Some(rdkafka::types::RDKafkaErrorCode::QueueFull);
                ensure!(is_full, "a request cannot be written: {error}");
                thread::sleep(Duration::from_millis(1));
                record = refused;
            }
        }
        Ok(times)
    }
}

impl Reader {
    /// Reads a topic of a deployment from where it ends now.
    pub(super) fn new(world: &World, topic: &str) -> Result<Self> {
        let mut config: ClientConfig = world.config(Role::Reader);
        config.set("group.id", "nobody").set("enable.auto.commit", "false");
        let consumer: BaseConsumer = config.create()?;
        let mut assignment = TopicPartitionList::new();
        for (partition, (_, end)) in world.client.ends(&world.topic(topic)).into_iter().enumerate()
        {
            let partition = i32::try_from(partition)?;
            assignment.add_partition_offset(&world.topic(topic), partition, Offset::Offset(end))?;
        }
        consumer.assign(&assignment)?;
        Ok(Self { consumer, last_value: Vec::new() })
    }

    /// The value of an answer.
    pub(super) fn last_value(&self) -> Result<Vec<u8>> {
        ensure!(!self.last_value.is_empty(), "there was no answer");
        Ok(self.last_value.clone())
    }

    /// Reads until each of these ids has come, and notes when.
    fn read(&mut self, ids: &HashMap<&str, usize>) -> Result<Vec<Option<Instant>>> {
        let mut times = vec![None; ids.len()];
        let (mut left, until) = (ids.len(), Instant::now() + WAIT_LIMIT);
        while left > 0 {
            ensure!(Instant::now() < until, "{left} of {} have no answer", ids.len());
            let Some(message) = self.consumer.poll(LOOK) else { continue };
            let message = message?;
            let headers = message.headers();
            let id = headers.and_then(|headers| headers.iter().find(|header| header.key == "id"));
            let id = id.and_then(|header| std::str::from_utf8(header.value?).ok());
            let Some(&number) = id.and_then(|id| ids.get(id)) else { continue };
            if times[number].replace(Instant::now()).is_none() {
                left -= 1;
                if left == 0 {
                    self.last_value = message.payload().unwrap_or_default().to_vec();
                }
            }
        }
        Ok(times)
    }
}

/// Writes so many requests and reads their answers.
pub(super) fn run(
    writer: &mut Writer,
    reader: &mut Reader,
    count: usize,
    rate: Option<f64>,
) -> Result<Traffic> {
    writer.runs += 1;
    let run = format!("{}-{}", writer.topic, writer.runs);
    let documents: Vec<(String, Bytes)> = samples::distinct(count, writer.runs)?
        .into_iter()
        .enumerate()
        .map(|(number, document)| (format!("{run}-{number}"), document))
        .collect();
    let ids = documents.iter().enumerate().map(|(number, (id, _))| (id.as_str(), number)).collect();
    let begun = Instant::now();
    let (written, read) = thread::scope(|scope| {
        let write = scope.spawn(|| writer.write(&documents, rate));
        let read = reader.read(&ids);
        (write.join(), read)
    });
    let written = written.map_err(|_panic| anyhow::anyhow!("the writer panicked"))??;
    let took = begun.elapsed();
    let mut latencies = Latencies::new();
    for (written, read) in written.into_iter().zip(read?) {
        latencies.record(read.context("every id has come")?.saturating_duration_since(written));
    }
    Ok(Traffic { latencies, took })
}
