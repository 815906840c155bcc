//! The lanes: two pools of threads that run sessions.
//!
//! The *live* lane runs what can still become an answer, the *shadow* lane, at a lower priority,
//! what cannot. A model is attached to a lane as a [`Worker`]: a bounded queue of jobs and a few
//! sessions. A thread takes what waits for one model, asks it once, and delivers once. Models with
//! work take turns, so that a busy one cannot starve the others, and the live lane grows while
//! slow calls hold its threads. Nothing polls: an idle lane costs nothing.

mod pool;
mod queue;
mod turn;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use message::{Outcome, Request};

use self::pool::Pool;
pub use self::worker::{Attach, RunAloneError, Worker, WorkerStats};
use crate::model::Model;

/// Which pool of threads runs a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// For what can still become an answer.
    Live,
    /// For what cannot.
    Shadow,
}

/// How many threads the lanes have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneConfig {
    /// How many threads of the live lane are there to work.
    pub live_threads: usize,
    /// How many threads the live lane may have while slow calls hold some of them.
    pub live_threads_limit: usize,
    /// How many threads the shadow lane has.
    pub shadow_threads: usize,
}

impl Default for LaneConfig {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            live_threads: processors.max(2),
            live_threads_limit: 64.max(2 * processors),
            shadow_threads: processors,
        }
    }
}

/// One request for one model.
#[derive(Debug, Clone)]
pub struct Job {
    /// What the caller knows the job by.
    pub ticket: u64,
    /// The request.
    pub request: Arc<Request>,
}

/// What came of a job.
#[derive(Debug)]
pub struct Scored {
    /// The ticket of the job.
    pub ticket: u64,
    /// What the model said.
    pub outcome: Outcome,
    /// How long the job waited in the queue.
    pub waited: Duration,
    /// How long the call took on the clock on the wall.
    pub wall: Duration,
    /// The CPU time of the call, shared evenly over the requests of its batch.
    pub cpu: Duration,
}

/// What came of a request that was run by itself.
#[derive(Debug)]
pub struct Alone {
    /// What the model said.
    pub outcome: Outcome,
    /// How long the call took on the clock on the wall.
    pub wall: Duration,
    /// The CPU time of the call.
    pub cpu: Duration,
}

/// Takes what a worker has scored.
pub trait Sink: Send + Sync {
    /// Takes the outcomes of one turn, on a thread of the lane: it must not block for long.
    fn scored(&self, scored: Vec<Scored>);
}

/// Lowers the priority of this thread to that of the shadow lane: for work that must not slow
/// answers. Best effort; where the system does not allow it, nothing else is lost.
pub fn lower_own_priority() {
    let thread = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(thread), SHADOW_NICE) {
        tracing::debug!(%error, "cannot lower the priority of a thread");
    }
}

/// The priority of the shadow lane: below everything that answers.
const SHADOW_NICE: i32 = 10;

/// The two pools of threads. Dropping it is a shutdown.
#[derive(Debug)]
pub struct Lanes {
    live: Pool,
    shadow: Pool,
}

impl Lanes {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// If the system gives no thread.
    pub fn new(config: LaneConfig) -> std::io::Result<Self> {
        let live = config.live_threads.max(1);
        let shadow = config.shadow_threads.max(1);
        Ok(Self {
            live: Pool::start(Lane::Live, live, config.live_threads_limit.max(live))?,
            shadow: Pool::start(Lane::Shadow, shadow, shadow)?,
        })
    }

    /// Attaches a model: from here on it can be offered jobs. Their outcomes go to `sink`.
    pub fn attach(&self, model: Model, options: Attach, sink: Arc<dyn Sink>) -> Worker {
        let lanes = [self.live.handle(), self.shadow.handle()];
        Worker::new(lanes, model, options, sink)
    }

    /// How many threads a lane has now.
    pub fn threads(&self, lane: Lane) -> usize {
        match lane {
            Lane::Live => self.live.threads(),
            Lane::Shadow => self.shadow.threads(),
        }
    }

    /// Stops the lanes: lets the running calls end, and joins the threads. Jobs that still wait are
    /// dropped, so a graceful host retires its workers first and waits until they are idle.
    pub fn shutdown(&self) {
        self.live.stop();
        self.shadow.stop();
        self.live.join();
        self.shadow.join();
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.shutdown();
    }
}
