//! Topics of the cluster: made where they are missing, or held against what they have to be.

use std::collections::BTreeMap;
use std::thread;
use std::time::Instant;

use parking_lot::Mutex;
use rdkafka::admin::{NewTopic, TopicReplication};
use rdkafka::error::RDKafkaErrorCode as Code;

use super::Cluster;
use super::asker::{AGAIN, Layout, number};
use super::client::refused;
use super::config::{KafkaConfig, Keeper};
use super::trouble::Class;
use crate::{OpenError, Retention, TopicOptions};

/// What batches may be larger than the largest record by.
const BATCH_OVERHEAD_BYTES: u64 = 1 << 16;

/// What Kafka has by itself for the largest batch of a topic.
const BATCH_LIMIT_BYTES: u64 = 1_048_588;

/// The topics that were seen to be in order.
#[derive(Default)]
pub(crate) struct Topics {
    known: Mutex<BTreeMap<String, Known>>,
}

/// A topic that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) partitions: u32,
    /// How large a batch may be, if we are allowed to know.
    pub(crate) batch_limit_bytes: Option<u64>,
}

impl Topics {
    /// Makes sure of a topic, by its name on the cluster and in the stream.
    pub(crate) fn ensure(
        &self,
        cluster: &Cluster,
        (topic, name): (&str, &str),
        options: &TopicOptions,
    ) -> Result<Known, OpenError> {
        if let Some(known) = self.known.lock().get(topic) {
            return Ok(*known);
        }
        let (asker, config) = (&cluster.asker, &cluster.config);
        let layout = asker.layout(topic).map_err(|code| not_told(cluster, topic, code))?;
        let layout = match layout {
            Some(layout) if layout.is_led => layout,
            None if !config.topics.create => return Err(missing(config, topic, name, options)),
            None => make(cluster, (topic, name), options)?,
            Some(_) => wait_until_led(cluster, topic)?,
        };
        let batch_limit_bytes = asker.batch_limit_bytes(topic);
        warn_of_batches(config, topic, batch_limit_bytes);
        let known = Known { partitions: layout.partitions, batch_limit_bytes };
        self.known.lock().insert(topic.to_owned(), known);
        Ok(known)
    }

    /// Forgets a topic, so that it is looked at anew.
    pub(crate) fn forget(&self, topic: &str) {
        self.known.lock().remove(topic);
    }
}

/// Records travel in batches, and a topic that takes only small ones would refuse records for their company.
fn warn_of_batches(config: &KafkaConfig, topic: &str, limit: Option<u64>) {
    let batch_bytes = config.properties.get("batch.size").and_then(|size| size.parse().ok());
    let batch_bytes: u64 = batch_bytes.unwrap_or(1_000_000);
    if let Some(limit) = limit
        && limit < batch_bytes
    {
        tracing::warn!(
            topic,
            max_message_bytes = limit,
            batch_size = batch_bytes,
            "a topic takes smaller batches than are sent: set the property `batch.size` to less"
        );
    }
}

fn make(
    cluster: &Cluster,
    (topic, name): (&str, &str),
    options: &TopicOptions,
) -> Result<Layout, OpenError> {
    let config = &cluster.config;
    let partitions = config.topics.partitions_for(name);
    let replication = config.topics.replication.map_or(-1, i32::from);
    let replication = TopicReplication::Fixed(replication);
    let details = details(config, name, options);
    let details = details.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let new =
        NewTopic { name: topic, num_partitions: number(partitions), replication, config: details };
    match cluster.asker.create(&new) {
        Ok(()) => tracing::info!(topic, partitions, "topic made"),
        // By another host at the same time.
        Err((Code::TopicAlreadyExists, _)) => {}
        Err((code, reason)) => {
            let what = format!("topic `{topic}` could not be made");
            return Err(match Class::of(code) {
                Class::Unreachable | Class::Credentials | Class::Tls => {
                    not_told(cluster, topic, code)
                }
                _ => refused(what, reason),
            });
        }
    }
    wait_until_led(cluster, topic)
}

/// What a topic is made with.
fn details(
    config: &KafkaConfig,
    name: &str,
    options: &TopicOptions,
) -> Vec<(&'static str, String)> {
    let policy = &config.topics;
    let retention = match policy.keeper {
        Keeper::Brokers => policy.retention.unwrap_or(options.retention),
        Keeper::Host => Retention::default(),
    };
    let ms = retention.age.map_or(-1, |age| i64::try_from(age.as_millis()).unwrap_or(-1).max(1));
    let bytes = retention.bytes.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(-1));
    let batch = (options.record_limit_bytes + BATCH_OVERHEAD_BYTES).max(BATCH_LIMIT_BYTES);
    let cleanup = if policy.is_compacted(name) { "compact" } else { "delete" };
    vec![
        ("cleanup.policy", cleanup.to_owned()),
        ("retention.ms", ms.to_string()),
        ("retention.bytes", bytes.to_string()),
        ("max.message.bytes", batch.min(i32::MAX as u64).to_string()),
        ("message.timestamp.type", "CreateTime".to_owned()),
        // The time of a request is what its producer says, even if that makes no sense.
        ("message.timestamp.after.max.ms", i64::MAX.to_string()),
    ]
}

/// A topic that was just made has no leaders yet, and not every broker has heard of it.
fn wait_until_led(cluster: &Cluster, topic: &str) -> Result<Layout, OpenError> {
    let give_up = Instant::now() + cluster.config.delivery.answer_timeout;
    loop {
        let layout = cluster.asker.layout(topic).map_err(|code| not_told(cluster, topic, code))?;
        match layout {
            Some(layout) if layout.is_led => return Ok(layout),
            _ if Instant::now() > give_up => {
                let reason = format!("topic `{topic}` has partitions without a leader");
                return Err(OpenError::Away { servers: cluster.config.servers(), reason });
            }
            _ => thread::sleep(AGAIN),
        }
    }
}

/// What an operator reads who makes topics by hand.
fn missing(config: &KafkaConfig, topic: &str, name: &str, options: &TopicOptions) -> OpenError {
    let partitions = config.topics.partitions_for(name);
    let details = details(config, name, options);
    let details = details.iter().filter(|(key, _)| *key != "message.timestamp.type");
    let details: String = details.map(|(key, value)| format!(" --config {key}={value}")).collect();
    let replication = config.topics.replication;
    let replication = replication.map_or(String::new(), |n| format!(" --replication-factor {n}"));
    let servers = config.servers();
    refused(
        format!("topic `{topic}`"),
        format!(
            "found none, expected it with {partitions} partitions; it is made by `kafka-topics.sh \
             --bootstrap-server {servers} --create --topic {topic} --partitions {partitions}\
             {replication}{details}`"
        ),
    )
}

/// Why the brokers did not say what a topic is like.
pub(crate) fn not_told(cluster: &Cluster, topic: &str, code: Code) -> OpenError {
    match Class::of(code) {
        Class::Rights | Class::Record => refused(format!("topic `{topic}`"), code.to_string()),
        _ => cluster.away(code),
    }
}
