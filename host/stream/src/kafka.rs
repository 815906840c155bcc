//! The backend that keeps its records on a Kafka cluster.
//!
//! Connecting waits for nobody: a cluster that is away is a trouble that passes, and whoever needs it
//! hears so when topics are opened. One client writes and one reads, whatever the number of topics.

#![allow(dead_code, reason = "what uses it comes next")]

mod client;
mod config;
mod farewell;
mod group;
mod names;
mod settings;
mod telemetry;
mod trouble;
mod wire;

use std::sync::Arc;

pub use config::{
    Delivery, KafkaConfig, Keeper, Login, Mechanism, Profile, Secret, Security, Tls, TopicPolicy,
};
pub use settings::{REFUSED, Role, Setting, settings};
pub use telemetry::{BrokerState, Ongoing, Telemetry};
pub use trouble::Class;

use crate::{
    AppendError, GroupOptions, Listener, Member, OpenError, Partition, Stream, TopicOptions,
};
use group::KafkaMember;
use names::Names;
use telemetry::Board;

/// A stream on a Kafka cluster. Dropping it closes its topics.
pub struct KafkaStream {
    cluster: Arc<Cluster>,
}

/// What everything that belongs to a stream shares.
pub(crate) struct Cluster {
    pub(crate) config: KafkaConfig,
    pub(crate) names: Names,
    pub(crate) board: Arc<Board>,
}

impl KafkaStream {
    /// Makes the clients, and waits for nobody. Refuses what can be seen to be wrong without asking
    /// the brokers; see [`KafkaConfig::check`].
    pub fn connect(config: KafkaConfig) -> Result<Self, OpenError> {
        config.check()?;
        let board = Board::new(config.servers());
        let cluster = Arc::new(Cluster { names: Names::of(&config), board, config });
        Ok(Self { cluster })
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
        self.cluster.names.check(topic)?;
        options.check()?;
        Err(OpenError::Away {
            servers: self.cluster.config.servers(),
            reason: "nothing is read or written yet".to_owned(),
        })
    }

    fn topics(&self) -> Result<Vec<String>, OpenError> {
        Ok(Vec::new())
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn join(&self, group: &GroupOptions, listener: Listener) -> Result<Arc<dyn Member>, OpenError> {
        let Cluster { config, board, .. } = &*self.cluster;
        Ok(Arc::new(KafkaMember::join(config, board, group, listener)?))
    }

    fn sync(&self) -> Result<(), AppendError> {
        Ok(())
    }
}
