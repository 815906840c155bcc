//! `[stream.kafka]`: the cluster that keeps the records.
//!
//! No password ever stands in the file: it names another file, or a variable of the environment.
//! What the properties of the client library mean is not known here; whoever opens the stream checks
//! them.

mod rules;
mod values;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

pub(super) use self::rules::check;
use self::values::{Broker, Prefix, Variable};
use crate::document::{Document, KeyPath};
use crate::flow::PlainTopic;
use crate::problem::Problem;
use crate::units::{self, Size, Span};

/// A Kafka cluster, and how it is used.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KafkaConfig {
    /// Some of its brokers, each a name or an address and a port; the others are found through them.
    #[serde(deserialize_with = "units::list::<Broker, _>")]
    #[schemars(with = "Vec<Broker>")]
    pub brokers: Vec<String>,
    /// What stands before the names of topics and groups. May be empty. Default `understudy.`.
    #[serde(deserialize_with = "units::text::<Prefix, _>")]
    #[schemars(with = "Prefix")]
    pub prefix: String,
    /// What the settings of the client are chosen for. Default `low-latency`.
    pub profile: Profile,
    /// How to get in.
    pub security: Security,
    /// How the topics are.
    pub topics: Topics,
    /// How much may wait for the brokers.
    pub delivery: Delivery,
    /// Topics that are called otherwise in the cluster: `"flights/requests" = "prod-flights-in"`.
    #[serde(deserialize_with = "values::names")]
    pub names: BTreeMap<String, String>,
    /// Properties of librdkafka, for every client of the host. Those that would break what the host
    /// promises are refused.
    #[serde(deserialize_with = "values::properties")]
    #[schemars(with = "BTreeMap<String, values::PropertyValue>")]
    pub properties: BTreeMap<String, String>,
}

/// What the settings of the client are chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// For answers that are soon there.
    #[default]
    LowLatency,
    /// For many records a second.
    Throughput,
}

/// How to get into a cluster. Files are relative to this file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Security {
    /// Whether the connection is encrypted, and whether a password is asked for. Default `plaintext`.
    pub protocol: Protocol,
    /// How the password is shown, with a `sasl` protocol.
    #[serde(deserialize_with = "values::some")]
    #[schemars(with = "Option<Mechanism>")]
    pub mechanism: Option<Mechanism>,
    /// Whose password it is.
    #[serde(deserialize_with = "values::some")]
    pub username: Option<String>,
    /// The file that holds the password, without the end of its line.
    #[serde(deserialize_with = "values::some")]
    pub password_file: Option<PathBuf>,
    /// The variable of the environment that holds the password.
    #[serde(deserialize_with = "units::optional::<Variable, _>")]
    #[schemars(with = "Option<Variable>")]
    pub password_env: Option<String>,
    /// The roots of the brokers' certificates, in PEM. Without it, those of the system.
    #[serde(deserialize_with = "values::some")]
    pub ca: Option<PathBuf>,
    /// The certificate that the host shows, in PEM.
    #[serde(deserialize_with = "values::some")]
    pub certificate: Option<PathBuf>,
    /// The key of that certificate.
    #[serde(deserialize_with = "values::some")]
    pub key: Option<PathBuf>,
    /// The file that holds the password of the key, if it has one.
    #[serde(deserialize_with = "values::some")]
    pub key_password_file: Option<PathBuf>,
}

/// Whether a connection is encrypted, and whether a password is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Neither.
    #[default]
    Plaintext,
    /// Encrypted.
    Ssl,
    /// With a password, and not encrypted.
    SaslPlaintext,
    /// Encrypted, and with a password.
    SaslSsl,
}

/// How a password is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Mechanism {
    /// As it is.
    #[serde(rename = "plain")]
    Plain,
    /// By a proof that one has it, made with SHA-256.
    #[serde(rename = "scram-sha-256")]
    ScramSha256,
    /// By a proof that one has it, made with SHA-512.
    #[serde(rename = "scram-sha-512")]
    ScramSha512,
}

/// How the topics of a cluster are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Topics {
    /// Whether topics that are not there are made. If not, they have to be there. Default true.
    pub create: bool,
    /// Into how many partitions the requests of an endpoint are spread: at most so many hosts share
    /// its work. Its answers and scores have as many. Default 8.
    #[serde(deserialize_with = "units::count")]
    #[schemars(range(min = 1, max = 10_000))]
    pub partitions: usize,
    /// On how many brokers each record lies. Without it, what the brokers say.
    #[serde(deserialize_with = "units::optional_count")]
    #[schemars(range(min = 1, max = 100))]
    pub replication: Option<usize>,
    /// What is thrown away of the topics that are made.
    pub retention: TopicRetention,
    /// Plain topics of which the last record of each key is kept, and of the others none for certain.
    #[serde(deserialize_with = "units::list::<PlainTopic, _>")]
    #[schemars(with = "Vec<PlainTopic>")]
    pub compact: Vec<String>,
}

/// What brokers throw away. One that is left out is no reason to throw anything away; without both, the
/// `[stream]` of each endpoint says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TopicRetention {
    /// Records older than this go.
    #[serde(deserialize_with = "units::optional::<Span, _>")]
    #[schemars(with = "Option<Span>")]
    pub age: Option<Duration>,
    /// The oldest records go when a partition is larger than this.
    #[serde(rename = "size", deserialize_with = "units::optional::<Size, _>")]
    #[schemars(with = "Option<Size>")]
    pub size_bytes: Option<u64>,
}

/// How much may wait for the brokers before whoever brings more is turned away.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Delivery {
    /// Bytes that are not yet with the brokers. Default `64MiB`.
    #[serde(rename = "unsent_limit", deserialize_with = "units::text::<Size, _>")]
    #[schemars(with = "Size")]
    pub unsent_limit_bytes: u64,
    /// Records that are not yet with the brokers. Default 100000.
    #[serde(deserialize_with = "units::count")]
    #[schemars(range(min = 1))]
    pub unsent_records: usize,
}

/// What is wrong with one of the [`properties`](KafkaConfig::properties) that stand in `file`, which is
/// read once more to find the line.
pub fn problem_of_property(file: &Path, name: &str, value: &str, reason: &str) -> Problem {
    let found = format!("{value:?}: {reason}");
    let text = fs::read_to_string(file).unwrap_or_default();
    let Ok(document) = Document::parse(file, &text) else { return Problem::new(file, found) };
    let here = KeyPath::new("stream").key("kafka").key("properties");
    let quoted = here.clone().key(name);
    if document.has(&quoted) {
        return document.problem_at(&quoted, found);
    }
    document.problem_at(&name.split('.').fold(here, KeyPath::key), found)
}

impl KafkaConfig {
    /// The same, with files relative to a folder.
    pub(super) fn beside(mut self, folder: &Path) -> Self {
        let security = &mut self.security;
        let files = [
            &mut security.password_file,
            &mut security.ca,
            &mut security.certificate,
            &mut security.key,
            &mut security.key_password_file,
        ];
        for file in files.into_iter().flatten() {
            *file = folder.join(&*file);
        }
        self
    }
}

impl Protocol {
    /// Whether the connection is encrypted.
    pub const fn is_encrypted(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }

    /// Whether a password is asked for.
    pub const fn has_password(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }
}

impl Default for KafkaConfig {
    fn default() -> Self {
        Self {
            brokers: Vec::new(),
            prefix: "understudy.".to_owned(),
            profile: Profile::default(),
            security: Security::default(),
            topics: Topics::default(),
            delivery: Delivery::default(),
            names: BTreeMap::new(),
            properties: BTreeMap::new(),
        }
    }
}

impl Default for Topics {
    fn default() -> Self {
        Self {
            create: true,
            partitions: 8,
            replication: None,
            retention: TopicRetention::default(),
            compact: Vec::new(),
        }
    }
}

impl Default for Delivery {
    fn default() -> Self {
        Self { unsent_limit_bytes: 64 << 20, unsent_records: 100_000 }
    }
}

#[cfg(test)]
mod tests;
