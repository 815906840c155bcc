//! Loading, off the lanes and low in priority: read once, compile, describe, warm.
//!
//! What is compiled is what was hashed: the bytes of one reading. A file that has changed since the
//! scan is left to the next scan.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use message::{EndpointName, ModelName, Request, Revision};
use sandbox::{Model, ModelLimits, Runtime};
use stream::{Partition, ReadLimit};

use crate::envelope;
use crate::inputs::forms;
use crate::live::Live;

/// How many models are loaded at once.
const THREADS: usize = 2;
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

/// The threads that load.
pub(crate) struct Loader {
    jobs: Sender<LoadJob>,
    stopping: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Loader {
    /// Starts the threads; each end of a load goes to `loaded`.
    pub(crate) fn start(
        runtime: &Runtime,
        loaded: impl Fn(Loaded) + Clone + Send + 'static,
    ) -> std::io::Result<Self> {
        let (jobs, waiting) = crossbeam_channel::unbounded();
        let stopping = Arc::new(AtomicBool::new(false));
        let threads = (0..THREADS)
            .map(|index| {
                let (runtime, waiting, loaded) = (runtime.clone(), waiting.clone(), loaded.clone());
                let stopping = Arc::clone(&stopping);
                std::thread::Builder::new()
                    .name(format!("loader-{index}"))
                    .spawn(move || run(&runtime, &waiting, &stopping, &loaded))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { jobs, stopping, threads })
    }

    /// Queues a load.
    pub(crate) fn load(&self, job: LoadJob) {
        self.jobs.send(job).expect("invariant: the threads live as long as the loader");
    }

    /// Ends the threads: queued loads are dropped, and a model that is being warmed is let go.
    pub(crate) fn stop(self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop(self.jobs);
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a loader thread panicked");
            }
        }
    }
}

fn run(
    runtime: &Runtime,
    waiting: &Receiver<LoadJob>,
    stopping: &AtomicBool,
    loaded: &impl Fn(Loaded),
) {
    sandbox::lanes::lower_own_priority();
    for job in waiting {
        if stopping.load(Ordering::Relaxed) {
            return;
        }
        let started = Instant::now();
        let result = load(runtime, &job, stopping);
        let LoadJob { endpoint, model, file, .. } = job;
        let took = started.elapsed();
        loaded(Loaded { endpoint, model, revision: file.revision, took, result });
    }
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
    check_grants(runtime, wasm, grants)?;
    let model = runtime.load(wasm, limits).map_err(|error| error.to_string())?;
    if let Some(schema) = schema {
        let description = model.description();
        schema
            .check(&forms(&description.inputs), &forms(&description.outputs))
            .map_err(|error| error.to_string())?;
    }
    Ok(model)
}

/// Refuses what the host allows and the manifest does not, before anything of it runs.
fn check_grants(runtime: &Runtime, wasm: &[u8], grants: &catalog::Grants) -> Result<(), String> {
    if grants.wasi {
        return Ok(());
    }
    let inspection = runtime.inspect(wasm).map_err(|error| error.to_string())?;
    match inspection.imports.iter().find(|import| import.starts_with("wasi:")) {
        Some(import) => Err(format!("imports {import}, which its manifest does not grant")),
        None => Ok(()),
    }
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
