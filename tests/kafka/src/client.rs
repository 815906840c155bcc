//! What tests do with topics and groups, and nothing that waits for ever.

mod admin;
mod message;
mod producer;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use crate::wait::{self, PATIENCE};
pub use message::Message;
pub use producer::{Delivery, Producer};

/// A client of a cluster. Every method makes what it needs and is done with it; none is quick.
#[derive(Debug, Clone)]
pub struct Client {
    config: ClientConfig,
}

impl Client {
    /// A client that begins at these brokers.
    pub fn new(bootstrap: &str) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", bootstrap);
        Self { config }
    }

    /// The same with a property of librdkafka.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.config.set(name, value);
        self
    }

    /// Writes records, and returns the partition and offset of each.
    ///
    /// # Panics
    ///
    /// Where one of them cannot be written.
    pub fn produce(&self, topic: &str, messages: &[Message]) -> Vec<(i32, i64)> {
        let written = self.try_produce(topic, messages).into_iter();
        written.map(|one| one.unwrap_or_else(|error| panic!("{topic}: {error}"))).collect()
    }

    /// Writes records, and returns the partition and offset of each, or why it cannot be written.
    pub fn try_produce(&self, topic: &str, messages: &[Message]) -> Vec<Delivery> {
        let producer = self.producer();
        messages.iter().for_each(|message| producer.send(topic, message));
        producer.finish()
    }

    /// Something that goes on writing.
    pub fn producer(&self) -> Producer {
        Producer::new(&self.config)
    }

    /// Everything that is in a topic now, partition by partition, without what belongs to transactions that are not
    /// committed.
    ///
    /// # Panics
    ///
    /// Where there is no such topic, or it cannot be read.
    pub fn read_all(&self, topic: &str) -> Vec<Message> {
        self.read(topic, "read_committed")
    }

    /// Everything that is in a topic now, also what was never committed.
    ///
    /// # Panics
    ///
    /// Where there is no such topic, or it cannot be read.
    pub fn read_uncommitted(&self, topic: &str) -> Vec<Message> {
        self.read(topic, "read_uncommitted")
    }

    /// Reads a topic until this finds something in it.
    ///
    /// # Panics
    ///
    /// Where it finds nothing in a long time.
    pub fn read_until<T>(&self, topic: &str, look: impl Fn(&[Message]) -> Option<T>) -> T {
        wait::until(&format!("what should be in {topic}"), || look(&self.read_all(topic)))
    }

    fn read(&self, topic: &str, isolation: &str) -> Vec<Message> {
        let consumer = self.consumer(&[("isolation.level", isolation)]);
        let partitions = self.partitions(topic);
        assert!(partitions > 0, "found no topic {topic}");
        let mut assignment = TopicPartitionList::new();
        for partition in 0..partitions {
            let added = assignment.add_partition_offset(topic, partition, Offset::Beginning);
            added.expect("an offset");
        }
        consumer.assign(&assignment).expect("an assignment");
        let mut at_end = vec![false; partitions as usize];
        let mut found = Vec::new();
        while !at_end.iter().all(|at_end| *at_end) {
            match consumer.poll(PATIENCE).expect("a record or the end of a partition") {
                Ok(message) => found.push(Message::read(&message)),
                Err(KafkaError::PartitionEOF(partition)) => at_end[partition as usize] = true,
                // What becomes of a broker that is away for a moment is for the client to mend.
                Err(error) => assert!(!is_fatal(&error), "{topic} cannot be read: {error}"),
            }
        }
        found.sort_by_key(|message| (message.partition, message.offset));
        found
    }

    /// Where a group has committed each partition of a topic, with the note that it left, and none where it never has.
    ///
    /// # Panics
    ///
    /// Where nobody says.
    pub fn committed(&self, group: &str, topic: &str) -> Vec<Option<(i64, String)>> {
        let consumer = self.consumer(&[("group.id", group)]);
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_range(topic, 0, self.partitions(topic) - 1);
        let committed = wait::until("the commits of a group", || {
            consumer.committed_offsets(partitions.clone(), PATIENCE).ok()
        });
        let elements = committed.elements_for_topic(topic).into_iter();
        let commit = |offset, note: &str| match offset {
            Offset::Offset(offset) => Some((offset, note.to_owned())),
            _ => None,
        };
        elements.map(|element| commit(element.offset(), element.metadata())).collect()
    }

    /// How many records of a topic a group has not committed, as `kafka-consumer-groups` shows it.
    ///
    /// # Panics
    ///
    /// Where nobody says.
    pub fn lag(&self, group: &str, topic: &str) -> i64 {
        let committed = self.committed(group, topic);
        let ends = self.ends(topic).into_iter();
        let lags = ends.zip(committed).map(|((first, end), commit)| {
            end - commit.map_or(first, |(offset, _)| offset.max(first))
        });
        lags.sum()
    }

    /// The first offset of each partition, and the one behind its last record.
    ///
    /// # Panics
    ///
    /// Where nobody says.
    pub fn ends(&self, topic: &str) -> Vec<(i64, i64)> {
        self.ends_of(topic, "read_uncommitted")
    }

    /// Waits until no transaction is open in a topic: what somebody began who died is given up by the brokers in their own
    /// time, and until then nobody sees what was written behind it.
    ///
    /// # Panics
    ///
    /// Where one stays open.
    pub fn wait_until_settled(&self, topic: &str) {
        wait::until("the end of transactions", || {
            (self.ends_of(topic, "read_committed") == self.ends(topic)).then_some(())
        });
    }

    fn ends_of(&self, topic: &str, isolation: &str) -> Vec<(i64, i64)> {
        let consumer = self.consumer(&[("isolation.level", isolation)]);
        let partitions = 0..self.partitions(topic);
        let ends = partitions.map(|partition| {
            wait::until("the ends of a partition", || {
                consumer.fetch_watermarks(topic, partition, PATIENCE).ok()
            })
        });
        ends.collect()
    }

    /// A consumer that commits nothing by itself, with these properties of librdkafka besides.
    ///
    /// # Panics
    ///
    /// Where there is no such property.
    pub fn consumer(&self, settings: &[(&str, &str)]) -> BaseConsumer {
        let mut config = self.config.clone();
        config.set("group.id", "kafka-testkit").set("enable.auto.commit", "false");
        config.set("enable.partition.eof", "true").set("allow.auto.create.topics", "false");
        for (name, value) in settings {
            config.set(*name, *value);
        }
        config.create().expect("a consumer")
    }
}

fn is_fatal(error: &KafkaError) -> bool {
    use rdkafka::types::RDKafkaErrorCode::{
        AllBrokersDown, BrokerTransportFailure, LeaderNotAvailable, NotLeaderForPartition,
        OperationTimedOut, Resolve,
    };
    let passing = [
        AllBrokersDown,
        BrokerTransportFailure,
        LeaderNotAvailable,
        NotLeaderForPartition,
        OperationTimedOut,
        Resolve,
    ];
    !error.rdkafka_error_code().is_some_and(|code| passing.contains(&code))
}
