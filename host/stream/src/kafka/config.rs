//! What an operator says about the cluster: where it is, how to get in, and how its topics are to be.
//!
//! Every value here makes sense by itself; what only the cluster or librdkafka can judge is checked by
//! [`KafkaConfig::check`] and when topics are opened.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::Retention;

/// Everything that is said about a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaConfig {
    /// Where to ask first, each as `host:port`.
    pub brokers: Vec<String>,
    /// By what name the brokers know this process, in their logs and quotas.
    pub client_id: String,
    /// What the names of topics and groups begin with.
    pub prefix: String,
    /// Names of the stream that begin with this lose it and get no prefix, such as `topics/`.
    pub unprefixed: Option<String>,
    /// What topic a name of the stream is, where it is not made by rule.
    pub names: BTreeMap<String, String>,
    /// How to get in.
    pub security: Security,
    /// What the settings are chosen for.
    pub profile: Profile,
    /// How topics are to be.
    pub topics: TopicPolicy,
    /// What may wait for the brokers, and how long.
    pub delivery: Delivery,
    /// Properties of librdkafka that go before ours. Those that would break a promise are refused.
    pub properties: BTreeMap<String, String>,
}

impl Default for KafkaConfig {
    fn default() -> Self {
        Self {
            brokers: Vec::new(),
            client_id: "understudy".to_owned(),
            prefix: "understudy.".to_owned(),
            unprefixed: None,
            names: BTreeMap::new(),
            security: Security::default(),
            profile: Profile::LowLatency,
            topics: TopicPolicy::default(),
            delivery: Delivery::default(),
            properties: BTreeMap::new(),
        }
    }
}

impl KafkaConfig {
    /// The brokers as one text, as errors and librdkafka have them.
    pub fn servers(&self) -> String {
        self.brokers.join(",")
    }
}

/// How to get in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Security {
    /// Encryption, if any.
    pub tls: Option<Tls>,
    /// Name and password, if any.
    pub login: Option<Login>,
}

impl Security {
    /// The name that Kafka has for it.
    pub fn protocol(&self) -> &'static str {
        match (&self.tls, &self.login) {
            (None, None) => "plaintext",
            (Some(_), None) => "ssl",
            (None, Some(_)) => "sasl_plaintext",
            (Some(_), Some(_)) => "sasl_ssl",
        }
    }
}

/// How the way to the brokers is encrypted. All files are PEM.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// The certificates of who may vouch for the brokers; those of the system if there is none.
    pub ca: Option<PathBuf>,
    /// Our own certificate, for brokers that want one.
    pub certificate: Option<PathBuf>,
    /// The key of our own certificate.
    pub key: Option<PathBuf>,
    /// What the key is encrypted with.
    pub key_password: Option<Secret>,
}

/// Name and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// How they are shown to the brokers.
    pub mechanism: Mechanism,
    /// The name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// How a password is shown to the brokers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// As it is.
    Plain,
    /// By a proof that does not give it away.
    ScramSha256,
    /// The same with longer digests.
    ScramSha512,
}

impl Mechanism {
    /// The name that Kafka has for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What the settings are chosen for; see [`settings`](super::settings()).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// An answer comes as soon as it can.
    LowLatency,
    /// Most records for the least work; each may wait a little for others.
    Throughput,
}

impl Profile {
    /// Both.
    pub const ALL: [Self; 2] = [Self::LowLatency, Self::Throughput];

    /// The name that configuration files have for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::LowLatency => "low-latency",
            Self::Throughput => "throughput",
        }
    }
}

/// How topics are to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPolicy {
    /// Whether a topic that is missing is made. Otherwise it is an error that says how to make it.
    pub create: bool,
    /// How many partitions a topic gets.
    pub partitions: u32,
    /// The same for topics whose last word is this, such as `events`.
    pub partitions_of: BTreeMap<String, u32>,
    /// How many brokers keep a copy; the brokers' own choice if it is not said.
    pub replication: Option<u16>,
    /// When records may be forgotten; what the topic's options say if it is not said.
    pub retention: Option<Retention>,
    /// Topics that are called like one of these, or whose last word is, keep the last record of each key
    /// for ever.
    pub compact: Vec<String>,
    /// Who forgets records.
    pub keeper: Keeper,
}

impl Default for TopicPolicy {
    fn default() -> Self {
        let partitions_of = [("events", 1), ("dead-letters", 1), ("replies", 8)];
        Self {
            create: true,
            partitions: 8,
            partitions_of: partitions_of.map(|(word, count)| (word.to_owned(), count)).into(),
            replication: None,
            retention: None,
            compact: Vec::new(),
            keeper: Keeper::Brokers,
        }
    }
}

impl TopicPolicy {
    /// How many partitions a topic of the stream gets when it is made.
    pub fn partitions_for(&self, topic: &str) -> u32 {
        self.partitions_of.get(last_word(topic)).copied().unwrap_or(self.partitions)
    }

    /// Whether a topic of the stream keeps the last record of each key for ever.
    pub fn is_compacted(&self, topic: &str) -> bool {
        self.compact.iter().any(|it| it == topic || it == last_word(topic))
    }
}

fn last_word(topic: &str) -> &str {
    topic.rsplit('/').next().unwrap_or(topic)
}

/// Who forgets records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// The brokers do, whoever has read what.
    Brokers,
    /// [`Partition::retain`](crate::Partition::retain) has the brokers delete what it says, and waits
    /// for readers as everywhere else. The brokers themselves keep everything.
    Host,
}

/// What may wait for the brokers, and how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// How many bytes of records may be handed in and not yet taken by the brokers. librdkafka has a
    /// copy of its own of each. Beyond it handing in is refused as
    /// [`Busy`](crate::AppendError::Busy).
    pub waiting_bytes: u64,
    /// How many records, likewise.
    pub waiting_records: u64,
    /// How long [`append`](crate::Partition::append) waits for the brokers.
    pub append_timeout: Duration,
    /// How long a question to the brokers waits for its answer.
    pub answer_timeout: Duration,
    /// How long closing waits for what is handed in.
    pub close_timeout: Duration,
    /// How many bytes of a partition are read ahead.
    pub read_ahead_bytes: usize,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            waiting_bytes: 64 << 20,
            waiting_records: 100_000,
            append_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(10),
            read_ahead_bytes: 4 << 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_never_shown() {
        let login = Login {
            mechanism: Mechanism::Plain,
            username: "alice".to_owned(),
            password: Secret::new("hush"),
        };
        let tls = Tls { key_password: Some(Secret::new("hush")), ..Tls::default() };
        let security = Security { tls: Some(tls), login: Some(login) };
        let config = KafkaConfig { security, ..KafkaConfig::default() };
        let shown = format!("{config:?}");
        assert!(shown.contains("alice") && !shown.contains("hush"), "{shown}");
    }

    #[test]
    fn the_last_word_of_a_topic_decides_its_partitions() {
        let policy = TopicPolicy { compact: vec!["scores".to_owned()], ..TopicPolicy::default() };
        assert_eq!(policy.partitions_for("flights/requests"), 8);
        assert_eq!(policy.partitions_for("acme/flights/events"), 1);
        assert_eq!(policy.partitions_for("replies"), 8);
        assert!(policy.is_compacted("flights/scores") && !policy.is_compacted("flights/answers"));
    }
}
