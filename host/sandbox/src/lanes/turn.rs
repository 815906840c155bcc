//! One turn of a worker: take what waits, ask the model once, deliver once.
//!
//! When a call with several requests faults, they are asked again one by one, so that the poisonous
//! one does not take its neighbours with it. A model that is broken altogether is found out after a
//! few of them, and the rest share the fault of the call.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use message::{Fault, FaultClass, Outcome, Prediction, Refusal, Request};

use super::queue::{Queued, Waiting, Work};
use super::worker::{Shared, WorkerStats};
use super::{Alone, Lane, Scored};
use crate::session::{Call, Session};

/// How many requests of a call that faulted may fault once more, each alone, before it is clear
/// that the model is broken and not a request.
const FAULTS_ALONE_LIMIT: u32 = 3;
/// How many times the usual CPU time of a batch a call may take, beside one request's budget.
const USUAL_TIMES: u32 = 10;

/// Runs one turn of a worker, if it is still due in this lane.
pub(super) fn run(worker: &Arc<Shared>, lane: Lane) {
    let Some((mut turn, work)) = Turn::begin(worker, lane) else { return };
    let Some(work) = turn.open_session(work) else { return };
    match work {
        Work::Batch(waiting) => turn.score(waiting),
        Work::Alone(queued) => turn.score_alone(queued),
    }
    turn.end();
}

struct Turn<'a> {
    worker: &'a Arc<Shared>,
    session: Option<Session>,
    /// What a request took lately.
    per_request: Duration,
    /// What the turn adds to the statistics.
    tally: WorkerStats,
    /// The requests and the time of a call that gave a measure of the model.
    measure: Option<(usize, Duration)>,
}

/// What a request of a turn got.
struct Share {
    outcome: Outcome,
    wall: Duration,
    cpu: Duration,
}

impl<'a> Turn<'a> {
    fn begin(worker: &'a Arc<Shared>, lane: Lane) -> Option<(Self, Work)> {
        let mut queue = worker.queue.lock();
        queue.turns_due -= 1;
        if queue.lane != lane {
            worker.schedule(&mut queue);
            return None;
        }
        let work = queue.take(worker.batch)?;
        queue.turns_running += 1;
        let session = queue.free.pop();
        let per_request = queue.per_request.unwrap_or_default();
        worker.schedule(&mut queue);
        let tally = WorkerStats::default();
        Some((Self { worker, session, per_request, tally, measure: None }, work))
    }

    /// Makes sure of a session. Where the host has no room for one more while others of the model
    /// run, the work goes back to wait for one of those.
    fn open_session(&mut self, work: Work) -> Option<Work> {
        if self.session.is_some() {
            return Some(work);
        }
        match self.worker.model.session() {
            Ok(session) => self.session = Some(session),
            Err(fault) if fault.class == FaultClass::Host => {
                let mut queue = self.worker.queue.lock();
                if queue.turns_running > 1 {
                    queue.turns_running -= 1;
                    queue.put_back(work);
                    return None;
                }
            }
            // The first call tries once more and delivers the fault.
            Err(_fault) => {}
        }
        Some(work)
    }

    fn score(&mut self, waiting: Vec<Waiting>) {
        let begun = Instant::now();
        let requests: Vec<&Request> = waiting.iter().map(|it| &*it.job.request).collect();
        let shares = self.ask_all(&requests);
        self.tally.requests = waiting.len() as u64;
        let fault = |share: &&Share| matches!(share.outcome, Outcome::Fault(_));
        self.tally.faults = shares.iter().filter(fault).count() as u64;
        let scored = waiting.iter().zip(shares).map(|(waiting, share)| Scored {
            ticket: waiting.job.ticket,
            outcome: share.outcome,
            waited: begun.saturating_duration_since(waiting.offered),
            wall: share.wall,
            cpu: share.cpu,
        });
        let scored = scored.collect();
        guard(|| self.worker.sink.scored(scored));
    }

    fn score_alone(&mut self, queued: Queued) {
        let Call { results, cpu, wall } = self.ask(None, &[&queued.request]);
        let outcome = match results {
            Ok(mut results) => results.pop().map_or_else(no_result, outcome_of),
            Err(fault) => Outcome::Fault(fault),
        };
        // What is run alone is no work of the queue.
        self.tally = WorkerStats::default();
        self.measure = None;
        guard(|| (queued.done)(Alone { outcome, wall, cpu }));
    }

    fn ask_all(&mut self, requests: &[&Request]) -> Vec<Share> {
        let count = u32::try_from(requests.len()).unwrap_or(u32::MAX).max(1);
        let Call { results, cpu, wall } = self.ask(self.batch_budget(count), requests);
        match results {
            Ok(results) => {
                self.measure = Some((requests.len(), wall));
                let share = |result| Share { outcome: outcome_of(result), wall, cpu: cpu / count };
                results.into_iter().map(share).collect()
            }
            Err(fault) if count > 1 && fault.class != FaultClass::Host => {
                self.ask_one_by_one(requests, &fault)
            }
            Err(fault) => {
                let share =
                    |_| Share { outcome: Outcome::Fault(fault.clone()), wall, cpu: cpu / count };
                requests.iter().map(share).collect()
            }
        }
    }

    fn ask_one_by_one(&mut self, requests: &[&Request], of_all: &Fault) -> Vec<Share> {
        let mut faults = 0;
        let share = |request: &&Request| {
            if faults >= FAULTS_ALONE_LIMIT {
                let outcome = Outcome::Fault(of_all.clone());
                return Share { outcome, wall: Duration::ZERO, cpu: Duration::ZERO };
            }
            let Call { results, cpu, wall } = self.ask(None, &[request]);
            let outcome = match results {
                Ok(mut results) => results.pop().map_or_else(no_result, outcome_of),
                Err(fault) => {
                    faults += 1;
                    Outcome::Fault(fault)
                }
            };
            Share { outcome, wall, cpu }
        };
        requests.iter().map(share).collect()
    }

    /// Asks the model once, within a budget or that of so many requests, in a fresh session after
    /// a fault.
    fn ask(&mut self, budget: Option<Duration>, requests: &[&Request]) -> Call {
        let session = match self.session.take() {
            Some(session) => Ok(session),
            None => self.worker.model.session(),
        };
        let mut session = match session {
            Ok(session) => session,
            Err(fault) => {
                return Call { results: Err(fault), cpu: Duration::ZERO, wall: Duration::ZERO };
            }
        };
        let call = match budget {
            Some(budget) => session.predict_within(budget, requests),
            None => session.predict(requests),
        };
        self.tally.calls += 1;
        self.tally.cpu += call.cpu;
        self.tally.wall += call.wall;
        if session.is_dead() {
            self.tally.sessions_lost += 1;
        } else {
            self.session = Some(session);
        }
        call
    }

    /// The budget of a batch: what one request may take, and many times what the others usually do.
    /// The full budget of each would let one endless loop hold a thread for all of them.
    fn batch_budget(&self, count: u32) -> Option<Duration> {
        let one = self.worker.model.limits().cpu_budget;
        let usual = self.per_request.saturating_mul(count).saturating_mul(USUAL_TIMES);
        Some(one.saturating_add(usual).min(one.saturating_mul(count)))
    }

    fn end(self) {
        let Self { worker, session, tally, measure, .. } = self;
        // A session that goes, goes before the lock is taken.
        let session = session.filter(|session| !session.is_worn());
        let mut queue = worker.queue.lock();
        queue.free.extend(session);
        queue.turns_running -= 1;
        queue.stats.add(&tally);
        if let Some((requests, wall)) = measure {
            queue.note(requests, wall);
        }
        worker.schedule(&mut queue);
        queue.drop_sessions_if_done();
    }
}

fn outcome_of(result: Result<Prediction, Refusal>) -> Outcome {
    match result {
        Ok(prediction) => Outcome::Prediction(prediction),
        Err(refusal) => Outcome::Refusal(refusal),
    }
}

fn no_result() -> Outcome {
    let message = "the call returned no result for its request".to_owned();
    Outcome::Fault(Fault { class: FaultClass::Host, message })
}

/// Calls what is not ours. A panic there is a bug that must not cost the lane a thread.
fn guard(call: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(call)).is_err() {
        tracing::error!("a sink of the lanes panicked");
    }
}
