//! `[stream]`: where the host keeps its records.
//!
//! How the records of an endpoint are kept is the endpoint's own `[stream]`, or `[endpoint.stream]`
//! here; this one says by whom.

use schemars::JsonSchema;
use serde::Deserialize;

use super::kafka::KafkaConfig;

/// Where the host keeps its records. A change takes hold when the host is started again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HostStream {
    /// Who keeps them. Default `embedded`.
    pub backend: Backend,
    /// The Kafka cluster, where that is the backend.
    pub kafka: KafkaConfig,
}

/// Who keeps the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// The host itself, in files of its data folder.
    #[default]
    Embedded,
    /// A Kafka cluster, which several hosts share.
    Kafka,
}
