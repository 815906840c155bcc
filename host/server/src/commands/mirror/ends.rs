//! The two ends of a mirror: where requests are, and where their copies go.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use catalog::{Backend, HostConfig};
use stream::{
    AppendError, EmbeddedStream, OpenError, Partition, Record, Stream, TopicOptions,
    partition_of_key,
};

use super::scrub::{Mirrored, line_of};
use crate::client::{Client, ClientArguments};
use crate::journal::topic_name;
use crate::storage::{Storage, Use};

/// How long one wait for a record to be kept lasts.
const KEPT_WITHIN: Duration = Duration::from_secs(30);
/// How long a target that takes nothing is left alone, and how often that is said.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(200);
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Where requests are.
pub(super) struct Source {
    /// The name of the topic.
    pub(super) topic: String,
    pub(super) partitions: Vec<Arc<dyn Partition>>,
    /// Without it the partitions would be closed.
    pub(super) _stream: Arc<dyn Stream>,
}

/// Where copies go.
pub(super) enum Target {
    /// Into a topic.
    Topic {
        partitions: Vec<Arc<dyn Partition>>,
        name: String,
        /// Without it the partitions would be closed.
        _stream: Arc<dyn Stream>,
    },
    /// To a host that runs.
    Host { client: Client, path: String },
}

impl Source {
    /// Opens the requests of an endpoint, to read them.
    pub(super) fn open(from: &str, endpoint: &str) -> Result<Self> {
        let topic = topic_name(endpoint, "requests");
        let stream: Arc<dyn Stream> = match Place::of(from, Use::Look)? {
            Place::Cluster(stream) => stream,
            Place::Folder(data) => {
                let stream = EmbeddedStream::open_read_only(data.join("stream"));
                Arc::new(stream.with_context(|| format!("--from {from} cannot be read"))?)
            }
        };
        // Whoever only reads makes no topic.
        let known = stream.topics().with_context(|| format!("--from {from} cannot be read"))?;
        let endpoints: Vec<_> =
            known.iter().filter_map(|it| it.strip_suffix("/requests")).collect();
        ensure!(
            endpoints.contains(&endpoint),
            "--from {from} has no endpoint {endpoint}; it has {}",
            endpoints.join(", ")
        );
        let partitions = all_of(&*stream, &topic)?;
        Ok(Self { topic, partitions, _stream: stream })
    }
}

impl Target {
    /// Opens the requests of an endpoint, to write to them.
    pub(super) fn open(to: &str, endpoint: &str, client: &ClientArguments) -> Result<Self> {
        if to == "host" || to.contains("://") {
            let client = client.rest((to != "host").then_some(to))?;
            return Ok(Self::Host { client, path: format!("/v2/models/{endpoint}/records") });
        }
        let topic = topic_name(endpoint, "requests");
        let stream: Arc<dyn Stream> = match Place::of(to, Use::Serve)? {
            Place::Cluster(stream) => stream,
            Place::Folder(data) => match EmbeddedStream::open(data.join("stream")) {
                Ok(stream) => Arc::new(stream),
                Err(error @ OpenError::Locked { .. }) => {
                    bail!("{error}: a host runs there, use --to host --data {}", data.display());
                }
                Err(error) => Err(error).with_context(|| format!("--to {to} cannot be opened"))?,
            },
        };
        let partitions = all_of(&*stream, &topic)?;
        Ok(Self::Topic { partitions, name: format!("{topic} of {to}"), _stream: stream })
    }

    /// Writes copies, and returns when they are kept. Tries on and on while there is no room, unless
    /// it is told to stop.
    pub(super) fn write(&self, copies: &[Mirrored], stop: &AtomicBool) -> Result<()> {
        if copies.is_empty() {
            return Ok(());
        }
        match self {
            Self::Host { client, path } => {
                let mut body = Vec::new();
                for copy in copies {
                    let line = line_of(copy).map_err(anyhow::Error::msg);
                    body.append(&mut line.with_context(|| {
                        format!("the request {} cannot be handed to a host", copy.id_before)
                    })?);
                }
                client.post(path, "application/x-ndjson", &body).map(drop)
            }
            Self::Topic { partitions, .. } => {
                let mut batches: Vec<Vec<Record>> = vec![Vec::new(); partitions.len()];
                for copy in copies {
                    batches[partition_of(copy, partitions.len())].push(copy.record.clone());
                }
                for (partition, batch) in partitions.iter().zip(batches) {
                    append(&**partition, &batch, stop)?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic { name, .. } => f.write_str(name),
            Self::Host { client, path } => write!(f, "{}{path}", client.address()),
        }
    }
}

/// The same key comes to the same partition, and without one the same id.
fn partition_of(copy: &Mirrored, partitions: usize) -> usize {
    let key = copy.record.key.as_deref().unwrap_or(copy.id.as_bytes());
    let count = u32::try_from(partitions).unwrap_or(u32::MAX);
    partition_of_key(key, count) as usize
}

fn append(partition: &dyn Partition, batch: &[Record], stop: &AtomicBool) -> Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let mut told: Option<Instant> = None;
    let first = loop {
        match partition.append(batch) {
            Ok(first) => break first,
            // Of one that was not taken in time it is not known whether it is there: it comes again
            // with the same id.
            Err(
                error @ (AppendError::Full | AppendError::Busy { .. } | AppendError::Away { .. }),
            ) => {
                ensure!(
                    !stop.load(Ordering::Acquire),
                    "told to end while nothing is taken: {error}"
                );
                if told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
                    told = Some(Instant::now());
                    eprintln!("the target takes nothing, and is tried again: {error}");
                }
                std::thread::sleep(TRY_AGAIN_AFTER);
            }
            Err(error) => return Err(error.into()),
        }
    };
    let last = first + batch.len() as u64 - 1;
    if partition.wait(last, KEPT_WITHIN) <= last {
        bail!("{} of the target does not keep what it was given", partition.topic());
    }
    Ok(())
}

fn all_of(stream: &dyn Stream, topic: &str) -> Result<Vec<Arc<dyn Partition>>, OpenError> {
    let options = TopicOptions::default();
    let count = stream.partitions(topic, &options)?;
    (0..count).map(|number| stream.open_partition(topic, number, &options)).collect()
}

/// Where a stream is.
enum Place {
    /// In the data directory of a host.
    Folder(PathBuf),
    /// On a cluster.
    Cluster(Arc<dyn Stream>),
}

impl Place {
    /// What a data directory, or the configuration file of a host, stands for.
    fn of(text: &str, purpose: Use) -> Result<Self> {
        let path = Path::new(text);
        if path.extension().is_none_or(|extension| extension != "toml") {
            return Ok(Self::Folder(path.to_owned()));
        }
        let config = HostConfig::load(path).map_err(|problem| anyhow!("{problem}"))?;
        Ok(match config.stream.backend {
            Backend::Embedded => Self::Folder(config.data),
            Backend::Kafka => {
                let storage = Storage::start(purpose, &config.stream, Some(path), &config.data)?;
                Self::Cluster(storage.stream())
            }
        })
    }
}
