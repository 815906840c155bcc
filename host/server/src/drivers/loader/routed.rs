//! Loading of routed models: a look at a file that nobody waits for, and recalls for requests that
//! wait.
//!
//! They are not warmed on recent requests, which are other clients': a fault of the first call falls
//! to the next of the order, and counts for the quarantine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use catalog::SchemaConfig;
use message::EndpointName;
use sandbox::{Known, Model, ModelLimits, Runtime};

use super::{check_grants, examine};
use crate::routed::Routed;

/// A routed model to look at, or to load.
pub(crate) struct RoutedJob {
    pub(crate) endpoint: EndpointName,
    pub(crate) routed: Arc<Routed>,
    pub(crate) file: catalog::ModelFile,
    pub(crate) limits: ModelLimits,
    pub(crate) schema: Option<SchemaConfig>,
}

/// How a look at the file of a routed model ended.
pub(crate) struct Checked {
    pub(crate) endpoint: EndpointName,
    pub(crate) routed: Arc<Routed>,
    pub(crate) result: Result<Known, String>,
}

/// How the recall of a routed model ended.
pub(crate) struct Recalled {
    pub(crate) endpoint: EndpointName,
    pub(crate) routed: Arc<Routed>,
    pub(crate) took: Duration,
    pub(crate) result: Result<Model, String>,
}

/// Finds out whether a file is good. Its compiled code is kept, and nothing of it in memory.
pub(super) fn check(runtime: &Runtime, job: RoutedJob) -> Checked {
    let result = load(runtime, &job).map(|model| model.known());
    Checked { endpoint: job.endpoint, routed: job.routed, result }
}

/// Loads a model for requests that wait.
pub(super) fn recall(runtime: &Runtime, job: RoutedJob) -> Recalled {
    let begun = Instant::now();
    let result = match recall_known(runtime, &job) {
        Ok(Some(model)) => Ok(model),
        Ok(None) => load(runtime, &job),
        Err(error) => Err(error),
    };
    Recalled { endpoint: job.endpoint, routed: job.routed, took: begun.elapsed(), result }
}

/// Whether a recall will be quick.
pub(super) fn is_quick(runtime: &Runtime, job: &RoutedJob) -> bool {
    runtime.has_compiled(&job.routed.identity.revision)
}

fn recall_known(runtime: &Runtime, job: &RoutedJob) -> Result<Option<Model>, String> {
    let Some(known) = job.routed.known() else { return Ok(None) };
    check_grants(known.imports(), &job.file.manifest.grants)?;
    runtime.recall(known, &job.limits).map_err(|error| error.to_string())
}

fn load(runtime: &Runtime, job: &RoutedJob) -> Result<Model, String> {
    let wasm = job.file.read().map_err(|error| error.to_string())?;
    examine(runtime, &wasm, &job.limits, &job.file.manifest.grants, job.schema.as_ref())
}
