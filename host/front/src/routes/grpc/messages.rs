//! The small messages of the services. Those that carry tensors are in `message`.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::{Message, Oneof};

use crate::extensions::{
    BatchStatistics, IndexEntry, MemoryUsage, ModelStatistics as Statistics, Tally,
};
use crate::host::{Metadata, ServerMetadata, TensorMetadata as Tensor};
use crate::problem::Problem;
use crate::routes::extensions::{nanoseconds, wrong};

#[derive(Clone, PartialEq, Message)]
pub(super) struct ServerLiveResponse {
    #[prost(bool, tag = "1")]
    pub(super) live: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ServerReadyResponse {
    #[prost(bool, tag = "1")]
    pub(super) ready: bool,
}

/// Every request that is about a model: `ModelReadyRequest` and its like.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Model {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) version: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ModelReadyResponse {
    #[prost(bool, tag = "1")]
    pub(super) ready: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ServerMetadataResponse {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    version: String,
    #[prost(string, repeated, tag = "3")]
    extensions: Vec<String>,
}

impl From<ServerMetadata> for ServerMetadataResponse {
    fn from(server: ServerMetadata) -> Self {
        let ServerMetadata { name, version, extensions } = server;
        Self { name, version, extensions }
    }
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ModelMetadataResponse {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, repeated, tag = "2")]
    versions: Vec<String>,
    #[prost(string, tag = "3")]
    platform: String,
    #[prost(message, repeated, tag = "4")]
    inputs: Vec<TensorMetadata>,
    #[prost(message, repeated, tag = "5")]
    outputs: Vec<TensorMetadata>,
    #[prost(btree_map = "string, string", tag = "6")]
    properties: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorMetadata {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    datatype: String,
    #[prost(int64, repeated, tag = "3")]
    shape: Vec<i64>,
}

impl From<Metadata> for ModelMetadataResponse {
    fn from(metadata: Metadata) -> Self {
        let tensor = |tensor: Tensor| TensorMetadata {
            name: tensor.name,
            datatype: tensor.datatype.wire_name().to_owned(),
            shape: tensor.shape.into_iter().map(|it| it.map_or(-1, i64::from)).collect(),
        };
        Self {
            name: metadata.name,
            versions: metadata.versions,
            platform: metadata.platform,
            inputs: metadata.inputs.into_iter().map(tensor).collect(),
            outputs: metadata.outputs.into_iter().map(tensor).collect(),
            properties: metadata.properties.into_iter().collect(),
        }
    }
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ModelStatisticsResponse {
    #[prost(message, repeated, tag = "1")]
    models: Vec<ModelStatistics>,
}

#[derive(Clone, PartialEq, Message)]
struct ModelStatistics {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    version: String,
    #[prost(uint64, tag = "3")]
    last_inference: u64,
    #[prost(uint64, tag = "4")]
    inference_count: u64,
    #[prost(uint64, tag = "5")]
    execution_count: u64,
    #[prost(message, optional, tag = "6")]
    inference: Option<InferStatistics>,
    #[prost(message, repeated, tag = "7")]
    batches: Vec<InferBatchStatistics>,
    #[prost(message, repeated, tag = "8")]
    memory: Vec<MemoryUsageMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct InferStatistics {
    #[prost(message, optional, tag = "1")]
    success: Option<StatisticDuration>,
    #[prost(message, optional, tag = "2")]
    fail: Option<StatisticDuration>,
    #[prost(message, optional, tag = "3")]
    queue: Option<StatisticDuration>,
    #[prost(message, optional, tag = "4")]
    compute_input: Option<StatisticDuration>,
    #[prost(message, optional, tag = "5")]
    compute_infer: Option<StatisticDuration>,
    #[prost(message, optional, tag = "6")]
    compute_output: Option<StatisticDuration>,
    #[prost(message, optional, tag = "7")]
    cache_hit: Option<StatisticDuration>,
    #[prost(message, optional, tag = "8")]
    cache_miss: Option<StatisticDuration>,
}

#[derive(Clone, PartialEq, Message)]
struct StatisticDuration {
    #[prost(uint64, tag = "1")]
    count: u64,
    #[prost(uint64, tag = "2")]
    ns: u64,
}

#[derive(Clone, PartialEq, Message)]
struct InferBatchStatistics {
    #[prost(uint64, tag = "1")]
    batch_size: u64,
    #[prost(message, optional, tag = "2")]
    compute_input: Option<StatisticDuration>,
    #[prost(message, optional, tag = "3")]
    compute_infer: Option<StatisticDuration>,
    #[prost(message, optional, tag = "4")]
    compute_output: Option<StatisticDuration>,
}

#[derive(Clone, PartialEq, Message)]
struct MemoryUsageMessage {
    #[prost(string, tag = "1")]
    kind: String,
    #[prost(int64, tag = "2")]
    id: i64,
    #[prost(uint64, tag = "3")]
    byte_size: u64,
}

impl From<Vec<Statistics>> for ModelStatisticsResponse {
    fn from(statistics: Vec<Statistics>) -> Self {
        Self { models: statistics.into_iter().map(ModelStatistics::from).collect() }
    }
}

impl From<Statistics> for ModelStatistics {
    fn from(statistics: Statistics) -> Self {
        let none = || Some(tally(Tally::default()));
        let inference = InferStatistics {
            success: Some(tally(statistics.success)),
            fail: Some(tally(statistics.fail)),
            queue: Some(tally(statistics.queue)),
            compute_input: none(),
            compute_infer: Some(tally(statistics.compute_infer)),
            compute_output: none(),
            cache_hit: none(),
            cache_miss: none(),
        };
        let batch = |batch: BatchStatistics| InferBatchStatistics {
            batch_size: batch.size,
            compute_input: none(),
            compute_infer: Some(tally(batch.compute_infer)),
            compute_output: none(),
        };
        let memory =
            |MemoryUsage { kind, bytes }| MemoryUsageMessage { kind, id: 0, byte_size: bytes };
        Self {
            name: statistics.endpoint,
            version: statistics.model,
            last_inference: statistics.last_inference.map_or(0, |time| time.as_us() / 1_000),
            inference_count: statistics.inferences,
            execution_count: statistics.executions,
            inference: Some(inference),
            batches: statistics.batches.into_iter().map(batch).collect(),
            memory: statistics.memory.into_iter().map(memory).collect(),
        }
    }
}

fn tally(tally: Tally) -> StatisticDuration {
    StatisticDuration { count: tally.count, ns: nanoseconds(tally.time) }
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct RepositoryIndexRequest {
    #[prost(string, tag = "1")]
    repository_name: String,
    #[prost(bool, tag = "2")]
    pub(super) ready: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct RepositoryIndexResponse {
    #[prost(message, repeated, tag = "1")]
    models: Vec<ModelIndex>,
}

#[derive(Clone, PartialEq, Message)]
struct ModelIndex {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    version: String,
    #[prost(string, tag = "3")]
    state: String,
    #[prost(string, tag = "4")]
    reason: String,
}

impl From<Vec<IndexEntry>> for RepositoryIndexResponse {
    fn from(entries: Vec<IndexEntry>) -> Self {
        let entry = |entry: IndexEntry| ModelIndex {
            name: entry.endpoint,
            version: entry.model,
            state: entry.state.name().to_owned(),
            reason: entry.reason,
        };
        Self { models: entries.into_iter().map(entry).collect() }
    }
}

/// `RepositoryModelLoadRequest` and `RepositoryModelUnloadRequest`. Clients of another lineage put
/// the name first, where others have that of a repository, of which we have only one.
#[derive(Clone, PartialEq, Message)]
pub(super) struct RepositoryChangeRequest {
    #[prost(string, tag = "1")]
    repository_name: String,
    #[prost(string, tag = "2")]
    model_name: String,
    #[prost(btree_map = "string, message", tag = "3")]
    parameters: BTreeMap<String, RepositoryParameter>,
}

#[derive(Clone, PartialEq, Message)]
struct RepositoryParameter {
    #[prost(oneof = "RepositoryValue", tags = "1, 2, 3, 4")]
    value: Option<RepositoryValue>,
}

#[derive(Clone, PartialEq, Oneof)]
enum RepositoryValue {
    #[prost(bool, tag = "1")]
    Bool(bool),
    #[prost(int64, tag = "2")]
    Int(i64),
    #[prost(string, tag = "3")]
    Text(String),
    #[prost(bytes = "bytes", tag = "4")]
    Bytes(Bytes),
}

impl RepositoryChangeRequest {
    /// The endpoint that is meant.
    pub(super) fn endpoint(&self) -> &str {
        if self.model_name.is_empty() { &self.repository_name } else { &self.model_name }
    }

    /// The model of it that is meant, if only one is.
    pub(super) fn version(&self) -> Option<&str> {
        match self.parameters.get("version")?.value.as_ref()? {
            RepositoryValue::Text(version) => Some(version),
            _ => None,
        }
    }

    /// The component that comes along.
    pub(super) fn component(&self) -> Result<Option<Bytes>, Problem> {
        let mut files = self.parameters.iter().filter(|(name, _)| name.starts_with("file:"));
        let Some((name, file)) = files.next() else { return Ok(None) };
        if let Some((other, _)) = files.next() {
            let name = format!("parameters.{other}");
            return Err(wrong(&name, "another file", "one, the component"));
        }
        match &file.value {
            Some(RepositoryValue::Bytes(bytes)) => Ok(Some(bytes.clone())),
            _ => Err(wrong(&format!("parameters.{name}"), "no bytes", "bytes_param")),
        }
    }
}

/// An empty response to most clients; to those of the other lineage it says what was done.
#[derive(Clone, PartialEq, Message)]
pub(super) struct RepositoryChangeResponse {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(bool, tag = "2")]
    pub(super) done: bool,
}
