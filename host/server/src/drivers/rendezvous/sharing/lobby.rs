//! The way in, and back out, where several hosts share the stream: what callers ask and what others
//! bring is handed in to some partition of the requests, and whoever owns that partition opens it.
//!
//! The answer comes back to the lobby from this host's own driver, or from the courier where another
//! host gave it. A request whose key or id may come again goes by that into its partition, so that all
//! of its kind meet there; any other goes to a partition of this host's own, if it has one.

mod brought;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use message::record::{ReturnAddress, header};
use message::{EndpointName, RequestId, Time};
use monitor::CallMetrics;
use stream::{AppendError, Health, Partition, Record, partition_of_key};

use self::brought::Brought;
use super::super::appended::by_priority;
use super::waiting::{Joined, Waiting};
use crate::clock;
use crate::drivers::courier::{Delivered, Replies, Sent};
use crate::endpoint::{Ask, Call, Records, Reply, Unanswered};
use crate::outbox::{Outbox, Said, Waiter};

/// Where callers of one endpoint wait.
pub(in super::super) struct Lobby {
    endpoint: EndpointName,
    replies: Arc<Replies>,
    /// Every partition of the requests.
    requests: Vec<Arc<dyn Partition>>,
    waiting: Waiting,
    /// How long after its deadline a caller is kept waiting.
    slack: Duration,
    brought: Vec<Brought>,
    /// The ticket behind the last that was handed in to each partition with unsettled ones.
    unsettled: BTreeMap<u32, u64>,
    outbox: Arc<Outbox>,
    metrics: CallMetrics,
    /// Counts what has neither key nor id, so that the partitions take turns.
    turns: usize,
    /// When records that the stream had no room for are tried again.
    retry_due: Option<Instant>,
    /// Whether it was said that the stream does not take requests.
    is_refusing: bool,
}

/// Requests for one partition, with their ids.
#[derive(Default)]
struct Batch {
    records: Vec<Record>,
    ids: Vec<RequestId>,
}

impl Lobby {
    /// A lobby in which at most `limit` callers wait, each until so long after its deadline.
    pub(super) fn new(
        endpoint: EndpointName,
        replies: Arc<Replies>,
        requests: Vec<Arc<dyn Partition>>,
        limit: usize,
        slack: Duration,
        metrics: CallMetrics,
    ) -> Self {
        Self {
            endpoint,
            replies,
            requests,
            waiting: Waiting::new(limit),
            slack,
            brought: Vec::new(),
            unsettled: BTreeMap::new(),
            outbox: Arc::default(),
            metrics,
            turns: 0,
            retry_due: None,
            is_refusing: false,
        }
    }

    /// Hands in what callers ask, those of a higher priority first, with one write to each partition;
    /// `own` are those of this host.
    pub(super) fn accept(&mut self, mut calls: Vec<Call>, own: &[u32]) {
        by_priority(&mut calls, |call| call.ask.priority);
        let mut batches: BTreeMap<u32, Batch> = BTreeMap::new();
        let reachable = self.reachable();
        for Call { ask: Ask { request, record, .. }, reply } in calls {
            let Some(partition) = self.partition_of(&record, own, &reachable) else {
                refuse(reply, Unanswered::StreamAway);
                continue;
            };
            let due = request.deadline.max(request.time) + self.slack;
            match self.waiting.join(&request.id, reply, due) {
                Joined::First => {
                    let batch = batches.entry(partition).or_default();
                    batch.records.push(record);
                    batch.ids.push(request.id);
                }
                Joined::Others => {}
                Joined::Full(reply) => refuse(reply, Unanswered::Busy),
            }
        }
        for (partition, batch) in batches {
            self.hand_in(partition, batch);
        }
    }

    /// Takes records that somebody brought.
    pub(super) fn bring(&mut self, records: Records) {
        self.brought.push(Brought::new(records));
    }

    /// Hands in as much of what was brought as the stream has room for.
    pub(super) fn hand_in_brought(&mut self) {
        if self.brought.is_empty() || self.retry_due.is_some_and(|due| due > Instant::now()) {
            return;
        }
        self.retry_due = None;
        let mut all = std::mem::take(&mut self.brought);
        let reachable = self.reachable();
        for brought in &mut all {
            self.hand_in_some(brought, &reachable);
        }
        self.brought = all;
    }

    /// The way back to whoever waits for a request, as its record says; nobody may.
    pub(super) fn reply_to(&self, record: &Record, id: &RequestId) -> Option<Reply> {
        let address = ReturnAddress::of(record.headers.get(header::RETURN_TO)).host?;
        let wants_tensors = self.replies.is_own(address) && self.waiting.wants_tensors(id);
        let waiter = Waiter::new(id.clone(), address);
        Some(Reply::by_outbox(&self.outbox, waiter, wants_tensors))
    }

    /// Tells callers of this host what another host answered.
    pub(super) fn deliver(&mut self, delivered: Vec<Delivered>) {
        self.metrics.replies_read(delivered.len() as u64);
        for Delivered { id, said } in delivered {
            match self.waiting.tell(&id, &said) {
                0 => self.metrics.replies_unclaimed(1),
                _ if said.is_err() => {}
                told => self.metrics.answered_elsewhere(told),
            }
        }
    }

    /// Tells whoever is to be told something by now.
    pub(super) fn tell(&mut self, now: Time) {
        self.settle();
        self.empty_outbox();
        let given_up = self.waiting.give_up(now);
        self.metrics.unanswered(given_up);
        self.metrics.set_waiting(self.waiting.len());
    }

    /// When there is something to do even if nothing happens.
    pub(in super::super) fn wake_at(&self, now: Time) -> Option<Instant> {
        let due = self.waiting.next_due().map(|due| clock::moment_of(due, now));
        [due, self.retry_due].into_iter().flatten().min()
    }

    /// Whether nobody waits for anything.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.brought.is_empty()
    }

    /// Turns away everybody who still waits.
    pub(in super::super) fn close(&mut self) {
        self.empty_outbox();
        self.waiting.tell_all(&Unanswered::Stopping);
        for brought in self.brought.drain(..) {
            brought.end(Err(Unanswered::Stopping));
        }
    }

    /// Those partitions that can be reached, as far as is known.
    fn reachable(&self) -> Vec<bool> {
        let can_be =
            |it: &Arc<dyn Partition>| !matches!(it.health(), Health::Away { .. } | Health::Closed);
        self.requests.iter().map(can_be).collect()
    }

    /// The partition that a request goes to; none while it cannot be reached.
    fn partition_of(&mut self, record: &Record, own: &[u32], reachable: &[bool]) -> Option<u32> {
        let is_reachable = |&partition: &u32| reachable.get(partition as usize) == Some(&true);
        if let Some(key) = &record.key {
            let partition = partition_of_key(key, self.requests.len() as u32);
            return Some(partition).filter(is_reachable);
        }
        self.turns = self.turns.wrapping_add(1);
        let mut own: Vec<u32> = own.iter().copied().filter(is_reachable).collect();
        if own.is_empty() {
            own = (0..self.requests.len() as u32).filter(is_reachable).collect();
        }
        own.get(self.turns % own.len().max(1)).copied()
    }

    fn hand_in(&mut self, partition: u32, batch: Batch) {
        match self.submit(partition, &batch.records) {
            Ok(first) => {
                for (ticket, id) in (first..).zip(batch.ids) {
                    self.waiting.handed_in(partition, ticket, id);
                }
            }
            Err(AppendError::TooLarge { .. }) if batch.records.len() > 1 => {
                // One of them spoils the batch for the others.
                for (record, id) in batch.records.into_iter().zip(batch.ids) {
                    self.hand_in(partition, Batch { records: vec![record], ids: vec![id] });
                }
            }
            Err(error) => {
                let refusal = self.refusal_of(&error);
                for id in &batch.ids {
                    self.waiting.tell(id, &Err(refusal.clone()));
                }
            }
        }
    }

    fn submit(&mut self, partition: u32, records: &[Record]) -> Result<u64, AppendError> {
        let first = self.requests[partition as usize].submit(records)?;
        self.unsettled.insert(partition, first + records.len() as u64);
        self.is_refusing = false;
        Ok(first)
    }

    /// Hands in the next of what somebody brought.
    fn hand_in_some(&mut self, brought: &mut Brought, reachable: &[bool]) {
        let mut batches: BTreeMap<u32, Vec<Ask>> = BTreeMap::new();
        for ask in brought.take_some() {
            match self.partition_of(&ask.record, &[], reachable) {
                Some(partition) => batches.entry(partition).or_default().push(ask),
                None => return brought.fail(Unanswered::StreamAway),
            }
        }
        for (partition, asks) in batches {
            let records: Vec<Record> = asks.iter().map(|ask| ask.record.clone()).collect();
            match self.submit(partition, &records) {
                Ok(first) => brought.handed_in(partition, first, records.len() as u64),
                Err(AppendError::Busy { .. } | AppendError::Full) => {
                    brought.put_back(asks);
                    self.retry_due = Some(Instant::now() + brought::TRY_AGAIN);
                }
                Err(error) => brought.fail(self.refusal_of(&error)),
            }
        }
        if brought.is_waiting_for_a_turn() && self.retry_due.is_none() {
            self.retry_due = Some(Instant::now());
        }
    }

    /// Takes note of what is in the partitions by now, and of what never will be.
    fn settle(&mut self) {
        let unsettled = std::mem::take(&mut self.unsettled);
        for (partition, end) in unsettled {
            let requests = Arc::clone(&self.requests[partition as usize]);
            let settled = requests.settled();
            for (ticket, error) in requests.take_failed() {
                let refusal = match error {
                    // It may be there all the same, and be answered.
                    AppendError::Away { .. } => Unanswered::NoAnswer,
                    error => self.refusal_of(&error),
                };
                self.brought.iter_mut().for_each(|it| it.failed(partition, ticket, &refusal));
                self.waiting.failed(partition, ticket, refusal);
            }
            self.waiting.settled(partition, settled);
            let offset_of = |ticket| requests.offset_of(ticket);
            self.brought.iter_mut().for_each(|it| it.settled(partition, settled, offset_of));
            if settled < end {
                self.unsettled.insert(partition, end);
            }
        }
        let done = self.brought.extract_if(.., |brought| brought.is_over());
        done.for_each(Brought::tell);
    }

    /// Brings the answers of this turn to those who wait for them, here or on other hosts.
    fn empty_outbox(&mut self) {
        let mut others = Vec::new();
        for Said { to, said } in self.outbox.empty() {
            if self.replies.is_own(to.address()) {
                let told = self.waiting.tell(&to.id, &said);
                self.metrics.answered_here(if said.is_ok() { told } else { 0 });
            } else if matches!(said, Ok(_) | Err(Unanswered::Unfit { .. })) {
                others.push((to, said));
            }
        }
        if others.is_empty() {
            return;
        }
        let endpoint = self.endpoint.as_str();
        let replies = others.iter().map(|(to, said)| Sent { to, endpoint, said });
        let sent = self.replies.send(replies);
        self.metrics.replies_sent(sent as u64);
        self.metrics.replies_unsent((others.len() - sent) as u64);
    }

    fn refusal_of(&mut self, error: &AppendError) -> Unanswered {
        let refusal = match error {
            AppendError::TooLarge { found, limit } => {
                return Unanswered::TooLarge { found: *found, limit: *limit };
            }
            AppendError::Full | AppendError::Busy { .. } => Unanswered::Busy,
            AppendError::Away { .. } => Unanswered::StreamAway,
            AppendError::Closed => Unanswered::Stopping,
            _ => Unanswered::StreamBroken,
        };
        if !std::mem::replace(&mut self.is_refusing, true) {
            tracing::warn!(endpoint = %self.endpoint, %error, "requests cannot be handed in");
        }
        refusal
    }
}

fn refuse(reply: Reply, refusal: Unanswered) {
    // Nobody listens where the caller has gone.
    let _gone = reply.send(Err(refusal));
}

#[cfg(test)]
mod tests;
