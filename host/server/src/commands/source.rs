//! Where commands read topics that no host need serve: a data directory, or a Kafka cluster.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use catalog::{Backend, HostConfig, HostStream};
use clap::Args;

use crate::options::FILE;
use crate::storage::{Storage, Use};

/// Where topics are.
#[derive(Debug, Args)]
pub(super) struct Source {
    /// The data directory of the host [default: what the configuration file says, or data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration file of the host: where it names a Kafka cluster, that is read and no files
    /// [default: understudy.toml, if there is one and --data is not said].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Topics that are only looked at.
pub(super) struct Opened {
    pub(super) storage: Storage,
    /// Where they are, for people.
    pub(super) place: String,
}

impl Source {
    /// Opens the topics. Of a cluster nobody is waited for.
    ///
    /// # Errors
    ///
    /// When the configuration cannot be, or the data directory is not there.
    pub(super) fn open(&self) -> Result<Opened> {
        let beside = Path::new(FILE);
        let is_beside = || self.data.is_none() && beside.exists();
        let file = self.config.as_deref().or_else(|| is_beside().then_some(beside));
        let config = match file {
            Some(file) => HostConfig::load(file).map_err(|problem| anyhow!("{problem}"))?,
            None => HostConfig::default(),
        };
        let data = self.data.as_ref().unwrap_or(&config.data);
        let (stream, place) = match (config.stream.backend, &self.config, &self.data) {
            // Whoever names only a directory wants its files.
            (Backend::Kafka, None, Some(_)) | (Backend::Embedded, ..) => {
                (HostStream::default(), data.display().to_string())
            }
            (Backend::Kafka, ..) => {
                let place = config.stream.kafka.brokers.join(", ");
                (config.stream, place)
            }
        };
        Ok(Opened { storage: Storage::start(Use::Look, &stream, file, data)?, place })
    }
}
