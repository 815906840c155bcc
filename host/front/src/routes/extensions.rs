//! The routes of the protocol's extensions: statistics, and the repository of models.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::caller::Caller;
use crate::extensions::{IndexEntry, IndexState, ModelStatistics, RepositoryChange, Tally};
use crate::headers;
use crate::host::{Host, InferError};
use crate::problem::Problem;
use crate::reply::{self, Reply};
use crate::routes::public::{DOCUMENT, Shared};

impl<H: Host> Shared<H> {
    pub(super) fn statistics(
        &self,
        caller: &Caller,
        endpoint: Option<&str>,
        model: Option<&str>,
    ) -> Result<Reply, Problem> {
        let statistics = self.statistics_of(caller, endpoint, model)?;
        let statistics: Vec<_> = statistics.iter().map(describe).collect();
        Ok(reply::json(StatusCode::OK, &json!({ "model_stats": statistics })))
    }

    pub(super) fn statistics_of(
        &self,
        caller: &Caller,
        endpoint: Option<&str>,
        model: Option<&str>,
    ) -> Result<Vec<ModelStatistics>, Problem> {
        let statistics = self.host.statistics(caller, endpoint, model);
        statistics
            .map_err(|error| Problem::from_not_found(error, endpoint.unwrap_or_default(), model))
    }

    pub(super) async fn index(
        &self,
        caller: &Caller,
        head: &Parts,
        body: Incoming,
    ) -> Result<Reply, Problem> {
        let wishes = self.wishes(head, body).await?;
        let ready_only = match &wishes["ready"] {
            Value::Null => false,
            Value::Bool(ready) => *ready,
            other => return Err(wrong("ready", &kind(other), "true or false")),
        };
        let entries = self.repository(caller, ready_only);
        let entry = |entry: IndexEntry| {
            let IndexEntry { endpoint, model, state, reason } = entry;
            json!({ "name": endpoint, "version": model, "state": state.name(), "reason": reason })
        };
        let entries: Vec<_> = entries.into_iter().map(entry).collect();
        Ok(reply::json(StatusCode::OK, &json!(entries)))
    }

    pub(super) fn repository(&self, caller: &Caller, ready_only: bool) -> Vec<IndexEntry> {
        let mut entries = self.host.repository(caller);
        entries.retain(|entry| !ready_only || entry.state == IndexState::Ready);
        entries
    }

    pub(super) async fn load(
        &self,
        caller: &Caller,
        (endpoint, model): (&str, Option<&str>),
        head: &Parts,
        body: Incoming,
    ) -> Result<Reply, Problem> {
        let wishes = self.wishes(head, body).await?;
        let file = |(name, value): (&String, &Value)| {
            let path = name.strip_prefix("file:")?;
            Some((path.to_owned(), value.as_str().unwrap_or_default().to_owned()))
        };
        let files = wishes["parameters"].as_object().into_iter().flatten().filter_map(file);
        let component = match files.collect::<Vec<_>>().as_slice() {
            [] => None,
            [(path, base64)] => Some(component(path, base64)?),
            [_, (path, _), ..] => {
                let name = format!("parameters.file:{path}");
                return Err(wrong(&name, "another file", "one, the component"));
            }
        };
        self.change_repository(caller, endpoint, model, RepositoryChange::Load { component }).await
    }

    pub(super) async fn unload(
        &self,
        caller: &Caller,
        (endpoint, model): (&str, Option<&str>),
        head: &Parts,
        body: Incoming,
    ) -> Result<Reply, Problem> {
        self.wishes(head, body).await?;
        self.change_repository(caller, endpoint, model, RepositoryChange::Unload).await
    }

    async fn change_repository(
        &self,
        caller: &Caller,
        endpoint: &str,
        model: Option<&str>,
        change: RepositoryChange,
    ) -> Result<Reply, Problem> {
        self.repository_changed(caller, endpoint, model, change).await?;
        Ok(reply::json(StatusCode::OK, &json!({})))
    }

    pub(super) async fn repository_changed(
        &self,
        caller: &Caller,
        endpoint: &str,
        model: Option<&str>,
        change: RepositoryChange,
    ) -> Result<(), Problem> {
        let (host, caller) = (Arc::clone(&self.host), caller.clone());
        let (name, version) = (endpoint.to_owned(), model.map(str::to_owned));
        let changed = spawn_blocking(move || {
            host.change_repository(&caller, &name, version.as_deref(), change)
        });
        let changed = changed.await.unwrap_or(Err(InferError::Internal));
        changed.map_err(|error| Problem::from_infer(error, endpoint, model))
    }

    /// The body of a call that may have none: an object, or `null`.
    async fn wishes(&self, head: &Parts, body: Incoming) -> Result<Value, Problem> {
        let _place = self.place()?;
        headers::check_body(&head.headers, DOCUMENT)?;
        let whole = self.receive(head, body).await?;
        if whole.bytes.trim_ascii().is_empty() {
            return Ok(Value::Null);
        }
        match serde_json::from_slice(&whole.bytes) {
            Ok(wishes @ (Value::Object(_) | Value::Null)) => match &wishes["parameters"] {
                Value::Object(_) | Value::Null => Ok(wishes),
                other => Err(wrong("parameters", &kind(other), "an object")),
            },
            Ok(other) => Err(wrong("document", &kind(&other), "an object")),
            Err(error) => Err(wrong("document", &format!("no JSON ({error})"), "an object")),
        }
    }
}

/// The component among the parameters of a load. Its path says nothing that we need.
pub(super) fn component(path: &str, base64: &str) -> Result<Bytes, Problem> {
    let bytes = STANDARD.decode(base64).map(Bytes::from);
    bytes.map_err(|_| wrong(&format!("parameters.file:{path}"), "no base64", "a file in base64"))
}

pub(super) fn wrong(name: &str, found: &str, expected: &str) -> Problem {
    let message = format!("{name}: found {found}, expected {expected}");
    Problem::Infer(InferError::Invalid { message })
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

fn describe(statistics: &ModelStatistics) -> Value {
    let batch = |batch: &crate::extensions::BatchStatistics| {
        json!({
            "batch_size": batch.size,
            "compute_input": tally(Tally::default()),
            "compute_infer": tally(batch.compute_infer),
            "compute_output": tally(Tally::default()),
        })
    };
    let memory = |usage: &crate::extensions::MemoryUsage| json!({ "type": usage.kind, "id": 0, "byte_size": usage.bytes });
    json!({
        "name": statistics.endpoint,
        "version": statistics.model,
        "last_inference": statistics.last_inference.map_or(0, |time| time.as_us() / 1_000),
        "inference_count": statistics.inferences,
        "execution_count": statistics.executions,
        "inference_stats": {
            "success": tally(statistics.success),
            "fail": tally(statistics.fail),
            "queue": tally(statistics.queue),
            "compute_input": tally(Tally::default()),
            "compute_infer": tally(statistics.compute_infer),
            "compute_output": tally(Tally::default()),
            "cache_hit": tally(Tally::default()),
            "cache_miss": tally(Tally::default()),
        },
        "batch_stats": statistics.batches.iter().map(batch).collect::<Vec<_>>(),
        "memory_usage": statistics.memory.iter().map(memory).collect::<Vec<_>>(),
    })
}

fn tally(tally: Tally) -> Value {
    json!({ "count": tally.count, "ns": nanoseconds(tally.time) })
}

/// A duration as the protocol counts it.
pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
