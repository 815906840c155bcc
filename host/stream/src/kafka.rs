//! The backend that keeps its records on a Kafka cluster.
//!
//! Connecting waits for nobody: a cluster that is away is a trouble that passes, and whoever needs it
//! hears so when topics are opened. One client writes and one reads, whatever the number of topics.

mod asker;
mod client;
mod commits;
mod config;
#[cfg(test)]
mod conformance_test;
mod cursor;
mod farewell;
mod group;
mod ledger;
mod names;
mod partition;
#[cfg(test)]
mod poison_test;
mod reader;
mod settings;
mod telemetry;
mod teller;
mod tender;
mod topics;
mod trouble;
#[cfg(test)]
mod trouble_test;
mod wire;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rdkafka::error::RDKafkaErrorCode as Code;

pub use config::{
    Delivery, KafkaConfig, Keeper, Login, Mechanism, Profile, Secret, Security, Tls, TopicPolicy,
};
pub use settings::{REFUSED, Role, Setting, settings};
pub use telemetry::{BrokerState, Ongoing, Telemetry};
pub use trouble::Class;

use crate::{
    AppendError, GroupOptions, Listener, Member, OpenError, Partition, Stream, TopicOptions,
};
use asker::Asker;
use client::refused;
use commits::Commits;
use farewell::Departures;
use group::KafkaMember;
use names::Names;
use partition::{KafkaPartition, Outline};
use reader::Reader;
use telemetry::Board;
use teller::Teller;
use topics::{Topics, not_told};
use writer::Writer;

/// A stream on a Kafka cluster. Dropping it closes its topics.
pub struct KafkaStream {
    cluster: Arc<Cluster>,
}

/// What everything that belongs to a stream shares.
pub(crate) struct Cluster {
    pub(crate) config: KafkaConfig,
    pub(crate) names: Names,
    pub(crate) board: Arc<Board>,
    asker: Asker,
    writer: Writer,
    reader: Reader,
    teller: Arc<Teller>,
    topics: Topics,
    commits: Commits,
    departures: Arc<Departures>,
    is_closed: AtomicBool,
}

impl Cluster {
    fn connect(config: KafkaConfig) -> Result<Arc<Self>, OpenError> {
        let no_thread = |error| OpenError::io("a thread", error);
        let board = Board::new(config.servers());
        let cluster = Arc::new(Self {
            names: Names::of(&config),
            asker: Asker::new(&config, &board)?,
            writer: Writer::new(&config, &board)?,
            reader: Reader::start(&config, &board).map_err(no_thread)?,
            teller: Teller::start().map_err(no_thread)?,
            topics: Topics::default(),
            commits: Commits::default(),
            departures: Arc::default(),
            is_closed: AtomicBool::new(false),
            board,
            config,
        });
        tender::start(&cluster).map_err(no_thread)?;
        Ok(cluster)
    }

    /// The error for brokers that did not answer.
    fn away(&self, code: Code) -> OpenError {
        let reason = self.board.obstacle().unwrap_or_else(|| code.to_string());
        OpenError::Away { servers: self.config.servers(), reason }
    }

    fn find(&self, topic: &str, number: u32) -> Option<Arc<KafkaPartition>> {
        let is_it = |it: &Arc<KafkaPartition>| it.number() == number && it.topic() == topic;
        self.writer.outlets().all().into_iter().find(is_it)
    }

    /// Waits until everything that is handed in is settled, no longer than until then.
    fn settle(&self, give_up: Instant) {
        for partition in self.writer.outlets().all() {
            partition.wait_until_settled(give_up.saturating_duration_since(Instant::now()));
        }
    }
}

impl KafkaStream {
    /// Makes the clients, and waits for nobody. Refuses what can be seen to be wrong without asking
    /// the brokers; see [`KafkaConfig::check`].
    pub fn connect(config: KafkaConfig) -> Result<Self, OpenError> {
        config.check()?;
        Ok(Self { cluster: Cluster::connect(config)? })
    }

    /// What is known of the cluster. Waits for nobody.
    pub fn telemetry(&self) -> Telemetry {
        self.cluster.board.snapshot()
    }

    /// What a topic of the stream is called on the cluster.
    pub fn topic_name(&self, topic: &str) -> String {
        self.cluster.names.topic(topic)
    }
}

impl Stream for KafkaStream {
    fn open(&self, topic: &str, options: &TopicOptions) -> Result<Arc<dyn Partition>, OpenError> {
        self.open_partition(topic, 0, options)
    }

    fn open_partition(
        &self,
        topic: &str,
        partition: u32,
        options: &TopicOptions,
    ) -> Result<Arc<dyn Partition>, OpenError> {
        let cluster = &self.cluster;
        cluster.names.check(topic)?;
        options.check()?;
        if let Some(found) = cluster.find(topic, partition) {
            return Ok(found);
        }
        let name = cluster.names.topic(topic);
        let known = cluster.topics.ensure(cluster, (&name, topic), options)?;
        if partition >= known.partitions {
            let (found, expected) = (known.partitions, u64::from(partition) + 1);
            let reason = format!("found {found} partitions, expected {expected} or more");
            return Err(refused(format!("topic `{name}`"), reason));
        }
        let extent = cluster.asker.extent(&name, partition);
        let (start, end) = extent.map_err(|code| not_told(cluster, &name, code))?;
        let outline = Outline {
            topic,
            number: partition,
            options,
            batch_limit_bytes: known.batch_limit_bytes,
            start,
            end,
        };
        Ok(cluster
            .writer
            .outlets()
            .add(&outline, |slot| KafkaPartition::new(cluster, slot, &outline)))
    }

    fn partitions(&self, topic: &str, options: &TopicOptions) -> Result<u32, OpenError> {
        let cluster = &self.cluster;
        cluster.names.check(topic)?;
        options.check()?;
        let name = cluster.names.topic(topic);
        Ok(cluster.topics.ensure(cluster, (&name, topic), options)?.partitions)
    }

    fn topics(&self) -> Result<Vec<String>, OpenError> {
        let cluster = &self.cluster;
        let topics = cluster.asker.topics().map_err(|code| cluster.away(code))?;
        let names = topics.iter().filter_map(|topic| cluster.names.stream_name(topic));
        let mut names: Vec<_> = names.collect();
        names.sort();
        Ok(names)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn join(&self, group: &GroupOptions, listener: Listener) -> Result<Arc<dyn Member>, OpenError> {
        let Cluster { config, board, departures, .. } = &*self.cluster;
        Ok(Arc::new(KafkaMember::join(config, board, departures, group, listener)?))
    }

    fn sync(&self) -> Result<(), AppendError> {
        self.cluster.settle(Instant::now() + self.cluster.config.delivery.append_timeout);
        let partitions = self.cluster.writer.outlets().all();
        partitions.iter().try_for_each(|partition| partition.is_synced())
    }
}

impl Drop for KafkaStream {
    /// Waits for what is handed in and for members that are leaving their groups, with a bound, and ends
    /// the client that writes. Partitions can be read on.
    fn drop(&mut self) {
        let cluster = &self.cluster;
        cluster.is_closed.store(true, Ordering::Release);
        let give_up = Instant::now() + cluster.config.delivery.close_timeout;
        cluster.departures.wait(give_up.saturating_duration_since(Instant::now()));
        cluster.settle(give_up);
        let partitions = cluster.writer.outlets().clear();
        let left_over: u64 = partitions.iter().map(|partition| partition.left_over()).sum();
        if left_over > 0 {
            tracing::warn!(records = left_over, "closed with records that no broker has taken");
        }
        cluster.writer.close();
        cluster.teller.end();
        partitions.iter().for_each(|partition| partition.close());
    }
}
