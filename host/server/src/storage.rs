//! Where the records of the host are kept: in its own files, or on a Kafka cluster.

mod kafka;
mod shown;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use catalog::{Backend, HostStream};
use stream::kafka::{Class, Telemetry};
use stream::{
    AppendError, EmbeddedStream, GroupOptions, KafkaStream, Listener, Member, OpenError, Partition,
    Stream, TopicOptions,
};

/// Who keeps the records.
pub(crate) struct Storage {
    opened: ArcSwap<Opened>,
    /// With what it was opened.
    purpose: Use,
    config: HostStream,
    file: Option<PathBuf>,
}

struct Opened {
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
    pub(crate) fn start(
        purpose: Use,
        config: &HostStream,
        file: Option<&Path>,
        data_dir: &Path,
    ) -> anyhow::Result<Self> {
        let opened = match config.backend {
            Backend::Embedded => {
                let folder = data_dir.join("stream");
                let stream: Arc<dyn Stream> = match purpose {
                    Use::Serve => Arc::new(EmbeddedStream::open(folder)?),
                    Use::Look => Arc::new(EmbeddedStream::open_read_only(folder)?),
                };
                Opened { stream, kafka: None }
            }
            Backend::Kafka => connected(purpose, config, file)?,
        };
        let (config, file) = (config.clone(), file.map(Path::to_owned));
        Ok(Self { opened: ArcSwap::from_pointee(opened), purpose, config, file })
    }

    /// The stream.
    pub(crate) fn stream(&self) -> Arc<dyn Stream> {
        Arc::clone(&self.opened.load().stream)
    }

    /// The files of passwords and certificates that lead to the stream.
    pub(crate) fn secrets(&self) -> Vec<PathBuf> {
        let said = &self.config.kafka.security;
        let files =
            [&said.password_file, &said.ca, &said.certificate, &said.key, &said.key_password_file];
        match self.config.backend {
            Backend::Embedded => Vec::new(),
            Backend::Kafka => files.into_iter().flatten().cloned().collect(),
        }
    }

    /// Goes to the same cluster once more, with passwords and certificates as they are now. What was
    /// opened of the stream before is of no more use.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start); nothing has changed then.
    pub(crate) fn renew(&self) -> anyhow::Result<()> {
        let opened = connected(self.purpose, &self.config, self.file.as_deref())?;
        self.opened.store(Arc::new(opened));
        Ok(())
    }

    /// What is known of the cluster, if it is one.
    pub(crate) fn telemetry(&self) -> Option<Telemetry> {
        self.opened.load().kafka.as_ref().map(|kafka| kafka.telemetry())
    }

    /// Why nothing can be read or written at all, if so.
    pub(crate) fn obstacle(&self) -> Option<String> {
        obstacle_of(&self.telemetry()?)
    }

    /// Whether it is who we are that keeps us out.
    pub(crate) fn is_shut_out(&self) -> bool {
        let refused = |telemetry: Telemetry| {
            let mut classes = telemetry.troubles.iter().map(|trouble| trouble.class);
            classes.any(|class| matches!(class, Class::Credentials | Class::Tls))
        };
        self.telemetry().is_some_and(refused)
    }
}

/// The stream that is open at the time. What was opened of it before stays with the one before.
impl Stream for Storage {
    fn open(&self, topic: &str, options: &TopicOptions) -> Result<Arc<dyn Partition>, OpenError> {
        self.stream().open(topic, options)
    }

    fn open_partition(
        &self,
        topic: &str,
        partition: u32,
        options: &TopicOptions,
    ) -> Result<Arc<dyn Partition>, OpenError> {
        self.stream().open_partition(topic, partition, options)
    }

    fn partitions(&self, topic: &str, options: &TopicOptions) -> Result<u32, OpenError> {
        self.stream().partitions(topic, options)
    }

    fn is_shared(&self) -> bool {
        self.stream().is_shared()
    }

    fn join(&self, group: &GroupOptions, listener: Listener) -> Result<Arc<dyn Member>, OpenError> {
        self.stream().join(group, listener)
    }

    fn topics(&self) -> Result<Vec<String>, OpenError> {
        self.stream().topics()
    }

    fn sync(&self) -> Result<(), AppendError> {
        self.stream().sync()
    }
}

fn connected(purpose: Use, config: &HostStream, file: Option<&Path>) -> anyhow::Result<Opened> {
    let kafka = Arc::new(kafka::connect(purpose, &config.kafka, file)?);
    Ok(Opened { stream: Arc::clone(&kafka) as Arc<dyn Stream>, kafka: Some(kafka) })
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
