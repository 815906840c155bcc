//! Where routed models stand as the driver sees it: which of them are in memory, and what waits for
//! those that are not.
//!
//! A request that waits here has a deadline like any other. The machine does not know that it waits:
//! it awaits a score, and goes on without it when the time has come.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use message::Time;
use rendezvous::{MailboxId, Verdict};
use sandbox::lanes::{Job, Worker};

use super::Driver;
use crate::drivers::supervisor::Order;
use crate::routed::Routed;

/// How many requests of an endpoint may wait for models that are not in memory.
const WAITING_LIMIT: usize = 4096;

/// The routed models of an endpoint.
#[derive(Default)]
pub(super) struct Wings {
    warm: HashMap<u64, Arc<Worker>>,
    waiting: HashMap<u64, Waiting>,
    waiting_count: usize,
    /// Those that the supervisor is to be told of.
    wanted: Vec<u64>,
    /// Whether no model comes any more.
    closed: bool,
}

/// What waits for one model.
struct Waiting {
    since: Instant,
    jobs: Vec<Job>,
}

impl Wings {
    /// Offers jobs to a model, or keeps them until it is there. Returns those that there is no room
    /// for.
    pub(super) fn offer(&mut self, now: Time, routed: &Routed, mut jobs: Vec<Job>) -> Vec<Job> {
        routed.touch(now);
        let incarnation = routed.incarnation();
        if let Some(worker) = self.warm.get(&incarnation) {
            return worker.offer(jobs);
        }
        let room = if self.closed { 0 } else { WAITING_LIMIT - self.waiting_count };
        let kept = jobs.len().min(room);
        let left = jobs.split_off(kept);
        if kept > 0 {
            self.waiting_count += kept;
            let waiting = self.waiting.entry(incarnation).or_insert_with(|| {
                self.wanted.push(incarnation);
                Waiting { since: Instant::now(), jobs: Vec::new() }
            });
            waiting.jobs.append(&mut jobs);
        }
        left
    }

    /// A model is in memory. Returns what waited for it and since when, if anything did.
    pub(super) fn enter(
        &mut self,
        incarnation: u64,
        worker: Arc<Worker>,
    ) -> Option<(Vec<Job>, Duration)> {
        let before = self.warm.insert(incarnation, worker);
        before.iter().for_each(|before| before.retire());
        let Waiting { since, jobs } = self.waiting.remove(&incarnation)?;
        self.waiting_count -= jobs.len();
        Some((jobs, since.elapsed()))
    }

    /// A model makes room: it finishes what it was asked.
    pub(super) fn leave(&mut self, incarnation: u64) {
        if let Some(worker) = self.warm.remove(&incarnation) {
            worker.retire();
        }
    }

    /// A model does not come. Returns what waited for it.
    pub(super) fn give_up(&mut self, incarnation: u64) -> Vec<Job> {
        let jobs = self.waiting.remove(&incarnation).map_or_else(Vec::new, |it| it.jobs);
        self.waiting_count -= jobs.len();
        jobs
    }

    /// No model comes any more. Returns all that waited, with the number of its model.
    pub(super) fn give_up_all(&mut self) -> Vec<(u64, Vec<Job>)> {
        self.closed = true;
        self.waiting_count = 0;
        self.waiting.drain().map(|(incarnation, waiting)| (incarnation, waiting.jobs)).collect()
    }

    /// Retires every model: the driver ends.
    pub(super) fn leave_all(&mut self) {
        self.warm.drain().for_each(|(_, worker)| worker.retire());
    }

    /// The models that are wanted and were not when this was asked last.
    pub(super) fn take_wanted(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.wanted)
    }

    /// How many requests wait.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting_count
    }
}

impl Driver {
    /// Offers jobs to a routed model, in memory or not.
    pub(super) fn offer_routed(&mut self, now: Time, routed: &Routed, jobs: Vec<Job>) {
        let left = self.wings.offer(now, routed, jobs);
        routed.identity.meter.metrics.dropped(left.len() as u64);
        self.miss(now, routed.incarnation(), left);
    }

    /// A routed model is there: those who still wait for it are offered to it.
    pub(super) fn handle_warm(&mut self, now: Time, model: u64, worker: Arc<Worker>) {
        let Some((mut jobs, waited)) = self.wings.enter(model, Arc::clone(&worker)) else { return };
        self.endpoint.meter.routed.waited(waited);
        jobs.retain(|job| self.machine.attachment(MailboxId::from_u64(job.ticket)).is_some());
        let left = worker.offer(jobs);
        self.miss(now, model, left);
    }

    /// Tells the machine that a model says nothing of these.
    pub(super) fn miss(&mut self, now: Time, model: u64, jobs: Vec<Job>) {
        for job in jobs {
            let mailbox = MailboxId::from_u64(job.ticket);
            let open = self.machine.attachment(mailbox);
            let member = open.and_then(|open| open.live.by_incarnation.get(&model).copied());
            if let Some(member) = member {
                let _heard = self.machine.handle_score(now, mailbox, member, Verdict::Missing);
            }
        }
    }

    /// Tells the supervisor which models requests wait for.
    pub(super) fn tell_wanted(&mut self) {
        let wanted = self.wings.take_wanted();
        if !wanted.is_empty() {
            self.supervisor.push(Order::Wanted(self.endpoint.name.clone(), wanted));
        }
        self.endpoint.meter.routed.set_waiting(self.wings.waiting());
    }
}
