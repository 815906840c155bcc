//! Where the records of the host are kept: in its own files, or on a Kafka cluster.

mod kafka;
mod shown;

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use catalog::{Backend, HostStream};
use stream::kafka::{Class, Telemetry};
use stream::{EmbeddedStream, KafkaStream, Stream};

/// Who keeps the records.
pub(crate) struct Storage {
    stream: Arc<dyn Stream>,
    kafka: Option<Arc<KafkaStream>>,
}

/// What a stream is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// To serve: topics are made where the configuration says so.
    Serve,
    /// To look: nothing is made or written.
    Look,
}

impl Storage {
    /// Opens the stream that the configuration names. Of a cluster nobody is waited for.
    ///
    /// # Errors
    ///
    /// When the data directory is held by another host, or when what is said about the cluster cannot
    /// be, whoever its brokers are. `file` is where it is said.
    pub(crate) fn open(
        purpose: Use,
        config: &HostStream,
        file: Option<&Path>,
        data_dir: &Path,
    ) -> Result<Self> {
        match config.backend {
            Backend::Embedded => {
                let folder = data_dir.join("stream");
                let stream: Arc<dyn Stream> = match purpose {
                    Use::Serve => Arc::new(EmbeddedStream::open(folder)?),
                    Use::Look => Arc::new(EmbeddedStream::open_read_only(folder)?),
                };
                Ok(Self { stream, kafka: None })
            }
            Backend::Kafka => {
                let kafka = Arc::new(kafka::connect(purpose, &config.kafka, file)?);
                Ok(Self { stream: Arc::clone(&kafka) as Arc<dyn Stream>, kafka: Some(kafka) })
            }
        }
    }

    /// The stream.
    pub(crate) fn stream(&self) -> &Arc<dyn Stream> {
        &self.stream
    }

    /// What is known of the cluster, if it is one.
    pub(crate) fn telemetry(&self) -> Option<Telemetry> {
        self.kafka.as_ref().map(|kafka| kafka.telemetry())
    }

    /// Why nothing can be read or written at all, if so.
    pub(crate) fn obstacle(&self) -> Option<String> {
        obstacle_of(&self.telemetry()?)
    }
}

/// Why nothing can be read or written at all. That one broker of several is away is no reason.
fn obstacle_of(telemetry: &Telemetry) -> Option<String> {
    if telemetry.is_reachable() {
        return None;
    }
    let stands_in_the_way = [Class::Credentials, Class::Tls, Class::Unreachable]
        .into_iter()
        .find_map(|class| telemetry.troubles.iter().find(|trouble| trouble.class == class));
    stands_in_the_way.map(|trouble| format!("the Kafka brokers are away: {}", trouble.reason))
}
