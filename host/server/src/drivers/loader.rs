//! Loading, off the lanes and low in priority: read once, compile, describe, warm.
//!
//! What is compiled is what was hashed: the bytes of one reading. A file that has changed since the
//! scan is left to the next scan. Models that requests wait for are recalled by threads of their own,
//! at the priority of those that answer, as long as nothing has to be compiled for it.

mod queue;
mod routed;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use message::{EndpointName, ModelName, Request, Revision};
use sandbox::{Description, Model, ModelLimits, Runtime};
use stream::{Partition, ReadLimit};

pub(crate) use self::routed::{Checked, Recalled, RoutedJob};

use self::queue::{Line, Queue};
use crate::envelope;
use crate::inputs::forms;
use crate::live::Live;

/// How many models are loaded at once.
const THREADS: usize = 2;
/// How many models are recalled at once beside them.
pub(crate) const RECALL_THREADS: usize = 2;
/// How much of the recent requests is read at the most.
const WARM_UP_BYTES: usize = 8 << 20;

/// A model to load.
pub(crate) struct LoadJob {
    pub(crate) endpoint: EndpointName,
    pub(crate) model: ModelName,
    pub(crate) file: catalog::ModelFile,
    pub(crate) limits: ModelLimits,
    /// The declared inputs and outputs that it has to fit, if the endpoint declares any.
    pub(crate) schema: Option<catalog::SchemaConfig>,
    /// Where recent requests are found, and how many to warm on.
    pub(crate) live: Arc<Live>,
    pub(crate) requests: Arc<dyn Partition>,
    pub(crate) warm_up_requests: usize,
}

/// How a load ended.
pub(crate) struct Loaded {
    pub(crate) endpoint: EndpointName,
    pub(crate) model: ModelName,
    pub(crate) revision: Revision,
    pub(crate) took: Duration,
    pub(crate) result: Result<Warm, String>,
}

/// A model that has shown that it works.
pub(crate) struct Warm {
    pub(crate) model: Model,
    /// On how many requests it was warmed.
    pub(crate) requests: usize,
}

/// What came of what was given to a loader.
pub(crate) enum Done {
    /// A load has ended.
    Loaded(Loaded),
    /// A file was looked at.
    Checked(Checked),
    /// A recall has ended.
    Recalled(Recalled),
}

enum Job {
    Load(LoadJob),
    Check(RoutedJob),
    Recall(RoutedJob),
}

/// The threads that load.
pub(crate) struct Loader {
    runtime: Runtime,
    queue: Arc<Queue<Job>>,
    stopping: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Loader {
    /// Starts the threads; whatever ends goes to `tell`.
    pub(crate) fn start(
        runtime: &Runtime,
        tell: impl Fn(Done) + Clone + Send + 'static,
    ) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::new());
        let stopping = Arc::new(AtomicBool::new(false));
        let loads = (0..THREADS).map(|index| (format!("loader-{index}"), Line::Check));
        let recalls = (0..RECALL_THREADS).map(|index| (format!("recall-{index}"), Line::Recall));
        let threads = loads
            .chain(recalls)
            .map(|(name, last)| {
                let (queue, runtime, tell) = (Arc::clone(&queue), runtime.clone(), tell.clone());
                let stopping = Arc::clone(&stopping);
                std::thread::Builder::new()
                    .name(name)
                    .spawn(move || run(&runtime, &queue, last, &stopping, &tell))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { runtime: runtime.clone(), queue, stopping, threads })
    }

    /// Queues a load.
    pub(crate) fn load(&self, job: LoadJob) {
        self.queue.push(Line::Load, Job::Load(job));
    }

    /// Queues a look at the file of a routed model.
    pub(crate) fn check(&self, job: RoutedJob) {
        self.queue.push(Line::Check, Job::Check(job));
    }

    /// Queues the recall of a routed model.
    pub(crate) fn recall(&self, job: RoutedJob) {
        let quick = routed::is_quick(&self.runtime, &job);
        self.queue.push(if quick { Line::Recall } else { Line::Compile }, Job::Recall(job));
    }

    /// Ends the threads: queued loads are dropped, and a model that is being warmed is let go.
    pub(crate) fn stop(self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.queue.stop();
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a loader thread panicked");
            }
        }
    }
}

fn run(
    runtime: &Runtime,
    queue: &Queue<Job>,
    last: Line,
    stopping: &AtomicBool,
    tell: &impl Fn(Done),
) {
    if last != Line::Recall {
        sandbox::lanes::lower_own_priority();
    }
    while let Some(job) = queue.take(last) {
        tell(match job {
            Job::Load(job) => Done::Loaded(load_and_warm(runtime, job, stopping)),
            Job::Check(job) => Done::Checked(routed::check(runtime, job)),
            Job::Recall(job) => Done::Recalled(routed::recall(runtime, job)),
        });
    }
}

fn load_and_warm(runtime: &Runtime, job: LoadJob, stopping: &AtomicBool) -> Loaded {
    let started = Instant::now();
    let result = load(runtime, &job, stopping);
    let LoadJob { endpoint, model, file, .. } = job;
    Loaded { endpoint, model, revision: file.revision, took: started.elapsed(), result }
}

fn load(runtime: &Runtime, job: &LoadJob, stopping: &AtomicBool) -> Result<Warm, String> {
    let wasm = job.file.read().map_err(|error| error.to_string())?;
    let grants = &job.file.manifest.grants;
    let model = examine(runtime, &wasm, &job.limits, grants, job.schema.as_ref())?;
    let requests = warm_up(&model, job, stopping)?;
    Ok(Warm { model, requests })
}

/// Loads a component, and makes sure that the endpoint can use it.
pub(crate) fn examine(
    runtime: &Runtime,
    wasm: &[u8],
    limits: &ModelLimits,
    grants: &catalog::Grants,
    schema: Option<&catalog::SchemaConfig>,
) -> Result<Model, String> {
    check_grants_of(runtime, wasm, grants)?;
    let model = runtime.load(wasm, limits).map_err(|error| error.to_string())?;
    check_schema(schema, model.description())?;
    Ok(model)
}

/// Refuses what the host allows and the manifest does not, before anything of it runs.
fn check_grants_of(runtime: &Runtime, wasm: &[u8], grants: &catalog::Grants) -> Result<(), String> {
    if grants.wasi {
        return Ok(());
    }
    let inspection = runtime.inspect(wasm).map_err(|error| error.to_string())?;
    check_grants(&inspection.imports, grants)
}

fn check_grants(imports: &[String], grants: &catalog::Grants) -> Result<(), String> {
    match imports.iter().find(|import| !grants.wasi && import.starts_with("wasi:")) {
        Some(import) => Err(format!("imports {import}, which its manifest does not grant")),
        None => Ok(()),
    }
}

/// Refuses what does not take and give what the endpoint declares.
fn check_schema(
    schema: Option<&catalog::SchemaConfig>,
    description: &Description,
) -> Result<(), String> {
    let Some(schema) = schema else { return Ok(()) };
    let (inputs, outputs) = (forms(&description.inputs), forms(&description.outputs));
    schema.check(&inputs, &outputs).map_err(|error| error.to_string())
}

/// Runs the model on the endpoint's recent requests, one at a time; a fault refuses it.
fn warm_up(model: &Model, job: &LoadJob, stopping: &AtomicBool) -> Result<usize, String> {
    let recent = recent_requests(job);
    let mut session = model.session().map_err(|fault| fault.message)?;
    for request in &recent {
        if stopping.load(Ordering::Relaxed) {
            return Err("the host stopped while it was warmed".to_owned());
        }
        let call = session.predict(&[request]);
        if let Err(fault) = call.results {
            return Err(format!(
                "faulted ({}) on the recent request {}: {}",
                fault.class, request.id, fault.message
            ));
        }
    }
    Ok(recent.len())
}

fn recent_requests(job: &LoadJob) -> Vec<Request> {
    let requests = &*job.requests;
    let count = job.warm_up_requests;
    let from = requests.readable_end().saturating_sub(count as u64);
    let from = from.max(requests.watermarks().start);
    let limit = ReadLimit { records: count, bytes: WARM_UP_BYTES };
    if count == 0 {
        return Vec::new();
    }
    let stored = requests.read(from, limit).unwrap_or_default();
    stored.iter().filter_map(|stored| envelope::request_of(stored, &job.live).ok()).collect()
}
