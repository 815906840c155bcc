//! A worker: one model in a lane, with its queue and its sessions.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use message::Request;
use parking_lot::Mutex;

use super::pool::Handle;
use super::queue::{Queue, Queued, Waiting};
use super::{Alone, Job, Lane, Sink};
use crate::model::Model;

/// How a model is attached to a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attach {
    /// The lane that runs it.
    pub lane: Lane,
    /// How many jobs may wait.
    pub queue_limit: usize,
    /// How many requests one call may bring; the model's own limit holds as well.
    pub batch: usize,
    /// How many calls may run at once. A model with state never has more than one.
    pub sessions: usize,
}

impl Default for Attach {
    fn default() -> Self {
        Self { lane: Lane::Live, queue_limit: 4096, batch: 256, sessions: 2 }
    }
}

/// What a worker has done. Requests that were run alone do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WorkerStats {
    /// How many calls it has made.
    pub calls: u64,
    /// How many requests it has scored, faults and refusals included.
    pub requests: u64,
    /// How many requests ended in a fault.
    pub faults: u64,
    /// How many sessions a fault has ended.
    pub sessions_lost: u64,
    /// How many jobs were offered and did not fit.
    pub rejected: u64,
    /// The CPU time of its calls.
    pub cpu: Duration,
    /// The time of its calls on the clock on the wall.
    pub wall: Duration,
}

impl WorkerStats {
    /// Adds what a turn did. What was rejected is counted where it happens.
    pub(super) fn add(&mut self, turn: &Self) {
        self.calls += turn.calls;
        self.requests += turn.requests;
        self.faults += turn.faults;
        self.sessions_lost += turn.sessions_lost;
        self.cpu += turn.cpu;
        self.wall += turn.wall;
    }
}

/// Why a request cannot be run alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RunAloneError {
    /// Because the worker is retired, or the lanes are shut down.
    #[error("the model is retired from its lane")]
    Retired,
    /// Because too many wait already.
    #[error("{ALONE_LIMIT} requests wait to be run alone, expected fewer")]
    Full,
}

/// How many requests may wait to be run alone.
const ALONE_LIMIT: usize = 1024;

/// One model in a lane. Dropping it retires it.
pub struct Worker(Arc<Shared>);

/// What the handle and the threads of the lanes share.
pub(super) struct Shared {
    pub(super) model: Model,
    pub(super) batch: usize,
    pub(super) queue: Mutex<Queue>,
    /// Behind what takes memory: once it is dropped, that memory is free.
    pub(super) sink: Arc<dyn Sink>,
    lanes: [Handle; 2],
}

impl Worker {
    pub(super) fn new(
        lanes: [Handle; 2],
        model: Model,
        options: Attach,
        sink: Arc<dyn Sink>,
    ) -> Self {
        let description = model.description();
        let batch_limit = match usize::try_from(description.batch_limit) {
            Ok(limit @ 1..) => limit,
            Ok(0) | Err(_) => usize::MAX,
        };
        let most = model.limits().sessions.max(1);
        let sessions = if description.stateless { options.sessions.clamp(1, most) } else { 1 };
        let queue = Mutex::new(Queue::new(options.lane, options.queue_limit, sessions));
        let batch = options.batch.max(1).min(batch_limit);
        Self(Arc::new(Shared { model, batch, queue, sink, lanes }))
    }

    /// Offers jobs, in order. Returns those that did not fit, in order: all after the first that
    /// did not, or all if the worker is retired.
    pub fn offer(&self, jobs: Vec<Job>) -> Vec<Job> {
        let offered = Instant::now();
        let mut queue = self.0.queue.lock();
        let room = queue.room().min(jobs.len());
        let mut jobs = jobs.into_iter();
        let waiting = jobs.by_ref().take(room).map(|job| Waiting { job, offered });
        queue.waiting.extend(waiting);
        queue.stats.rejected += jobs.len() as u64;
        self.0.schedule(&mut queue);
        drop(queue);
        jobs.collect()
    }

    /// Runs one request by itself, beside the queue, and hands the outcome to `done` on a thread of
    /// the lane. It counts in no statistics.
    ///
    /// # Errors
    ///
    /// If the worker is retired, or too many wait already.
    pub fn run_alone(
        &self,
        request: Arc<Request>,
        done: impl FnOnce(Alone) + Send + 'static,
    ) -> Result<(), RunAloneError> {
        let mut queue = self.0.queue.lock();
        if queue.retired {
            return Err(RunAloneError::Retired);
        }
        if queue.alone.len() >= ALONE_LIMIT {
            return Err(RunAloneError::Full);
        }
        queue.alone.push_back(Queued { request, done: Box::new(done) });
        self.0.schedule(&mut queue);
        Ok(())
    }

    /// Runs one request by itself like [`run_alone`](Self::run_alone), and waits for the outcome.
    ///
    /// # Errors
    ///
    /// If the worker is retired, too many wait already, or the lanes are shut down meanwhile.
    pub fn run_alone_and_wait(&self, request: Arc<Request>) -> Result<Alone, RunAloneError> {
        let (send, outcome) = mpsc::sync_channel(1);
        self.run_alone(request, move |alone| {
            // Who asked may have gone.
            let _ = send.send(alone);
        })?;
        outcome.recv().map_err(|_gone| RunAloneError::Retired)
    }

    /// Moves the model to a lane. What runs ends where it is.
    pub fn set_lane(&self, lane: Lane) {
        self.0.queue.lock().lane = lane;
    }

    /// The lane that runs the model.
    pub fn lane(&self) -> Lane {
        self.0.queue.lock().lane
    }

    /// How many jobs wait.
    pub fn depth(&self) -> usize {
        self.0.queue.lock().waiting.len()
    }

    /// How many more jobs may wait.
    pub fn room(&self) -> usize {
        self.0.queue.lock().room()
    }

    /// What the worker has done. A call counts as soon as its outcomes were delivered.
    pub fn stats(&self) -> WorkerStats {
        self.0.queue.lock().stats
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.0.model
    }

    /// Takes no more jobs. Those that wait are still scored; then the sessions are dropped.
    pub fn retire(&self) {
        let mut queue = self.0.queue.lock();
        queue.retired = true;
        queue.drop_sessions_if_done();
    }

    /// Takes no more jobs, and hands back those that wait.
    pub fn discard(&self) -> Vec<Job> {
        let mut queue = self.0.queue.lock();
        queue.retired = true;
        let jobs = queue.waiting.drain(..).map(|waiting| waiting.job).collect();
        queue.drop_sessions_if_done();
        jobs
    }

    /// Returns whether nothing waits and nothing runs.
    pub fn is_idle(&self) -> bool {
        self.0.queue.lock().is_idle()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.retire();
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("model", &self.0.model).finish_non_exhaustive()
    }
}

impl Shared {
    /// Asks the lane for a turn if there is work, and a session for it.
    pub(super) fn schedule(self: &Arc<Self>, queue: &mut Queue) {
        if queue.wants_turn() {
            if self.lanes[queue.lane as usize].push(self.clone()) {
                queue.turns_due += 1;
            } else {
                queue.abandon();
            }
        }
    }
}
