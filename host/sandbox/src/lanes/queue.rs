//! The state of a worker: what waits, what runs, which sessions are free.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use message::Request;

use super::worker::WorkerStats;
use super::{Alone, Job, Lane};
use crate::session::Session;

/// A job, and when it was offered.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) job: Job,
    pub(super) offered: Instant,
}

/// A request to be run by itself.
pub(super) struct Queued {
    pub(super) request: Arc<Request>,
    pub(super) done: Box<dyn FnOnce(Alone) + Send>,
}

/// The state of a worker.
pub(super) struct Queue {
    pub(super) lane: Lane,
    pub(super) waiting: VecDeque<Waiting>,
    pub(super) alone: VecDeque<Queued>,
    /// Sessions that no call uses.
    pub(super) free: Vec<Session>,
    /// Turns that a lane was asked for and has not begun.
    pub(super) turns_due: usize,
    /// Turns that run.
    pub(super) turns_running: usize,
    pub(super) retired: bool,
    pub(super) stats: WorkerStats,
    /// What a request took lately on the clock on the wall, smoothed.
    pub(super) per_request: Option<Duration>,
    /// Whether the last turn was for a request alone, so that the next is not.
    last_was_alone: bool,
    limit: usize,
    sessions: usize,
}

/// What a turn is for.
pub(super) enum Work {
    /// For what waits in the queue.
    Batch(Vec<Waiting>),
    /// For one request by itself.
    Alone(Queued),
}

/// How long a call should take at most, as far as one can tell before it.
const CALL_TARGET: Duration = Duration::from_millis(5);

impl Queue {
    pub(super) fn new(lane: Lane, limit: usize, sessions: usize) -> Self {
        Self {
            lane,
            waiting: VecDeque::new(),
            alone: VecDeque::new(),
            free: Vec::new(),
            turns_due: 0,
            turns_running: 0,
            retired: false,
            stats: WorkerStats::default(),
            per_request: None,
            last_was_alone: false,
            limit,
            sessions,
        }
    }

    /// How many more jobs may wait.
    pub(super) fn room(&self) -> usize {
        if self.retired { 0 } else { self.limit.saturating_sub(self.waiting.len()) }
    }

    /// Returns whether there is work that no turn is due for, and a session for it. One turn takes
    /// a batch, so a second is due only while the first runs, or is about to.
    pub(super) fn wants_turn(&self) -> bool {
        let work = !self.waiting.is_empty() || !self.alone.is_empty();
        work && self.turns_due == 0 && self.turns_running < self.sessions
    }

    pub(super) fn is_idle(&self) -> bool {
        let empty = self.waiting.is_empty() && self.alone.is_empty();
        empty && self.turns_running == 0
    }

    /// Takes the work of one turn.
    pub(super) fn take(&mut self, batch: usize) -> Option<Work> {
        let turn_of_alone = self.waiting.is_empty() || !self.last_was_alone;
        if turn_of_alone && let Some(alone) = self.alone.pop_front() {
            self.last_was_alone = true;
            return Some(Work::Alone(alone));
        }
        self.last_was_alone = false;
        if self.waiting.is_empty() {
            return None;
        }
        let count = self.batch(batch).min(self.waiting.len());
        Some(Work::Batch(self.waiting.drain(..count).collect()))
    }

    /// Puts the work of a turn back where it was.
    pub(super) fn put_back(&mut self, work: Work) {
        match work {
            Work::Batch(batch) => {
                for waiting in batch.into_iter().rev() {
                    self.waiting.push_front(waiting);
                }
            }
            Work::Alone(queued) => self.alone.push_front(queued),
        }
    }

    /// How many requests the next call takes: as many as it can answer in the target time.
    fn batch(&self, most: usize) -> usize {
        // One at first, since nothing is known of the model.
        let Some(per_request) = self.per_request else { return 1 };
        let fitting = CALL_TARGET.as_nanos() / per_request.as_nanos().max(1);
        usize::try_from(fitting).unwrap_or(most).clamp(1, most)
    }

    /// Notes what a call of `requests` took.
    pub(super) fn note(&mut self, requests: usize, wall: Duration) {
        let requests = u32::try_from(requests).unwrap_or(u32::MAX).max(1);
        let now = wall / requests;
        self.per_request = Some(self.per_request.map_or(now, |before| (before * 7 + now) / 8));
    }

    /// Drops everything: there is no lane any more.
    pub(super) fn abandon(&mut self) {
        self.retired = true;
        self.waiting.clear();
        self.alone.clear();
        self.free.clear();
    }

    /// Drops the sessions of a retired worker once its work is done.
    pub(super) fn drop_sessions_if_done(&mut self) {
        if self.retired && self.waiting.is_empty() && self.alone.is_empty() {
            self.free.clear();
        }
    }
}
