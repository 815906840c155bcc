//! Records that somebody brought, from their coming to when all of them are kept.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::endpoint::{Appended, AppendedPart, Ask, Records, Unanswered};

/// How many are handed in at once at the most.
const AT_ONCE: usize = 1024;
/// How long a stream without room is left alone between two tries.
pub(super) const TRY_AGAIN: Duration = Duration::from_millis(20);

/// Records that somebody brought.
pub(super) struct Brought {
    /// Those that are not handed in yet.
    asks: VecDeque<Ask>,
    count: usize,
    /// Where those are that are handed in: by partition, the first ticket and the one behind the last.
    unsettled: Vec<(u32, u64, u64)>,
    parts: Vec<Part>,
    failed: Option<Unanswered>,
    reply: oneshot::Sender<Result<Appended, Unanswered>>,
}

/// What one partition got.
struct Part {
    partition: u32,
    first_ticket: u64,
    first_offset: Option<u64>,
    count: u64,
}

impl Brought {
    /// Nothing of it is handed in.
    pub(super) fn new(records: Records) -> Self {
        let Records { asks, count, reply, .. } = records;
        let (unsettled, parts) = Default::default();
        Self { asks, count, unsettled, parts, failed: None, reply }
    }

    /// The next that are to be handed in.
    pub(super) fn take_some(&mut self) -> Vec<Ask> {
        let count = self.asks.len().min(AT_ONCE);
        self.asks.drain(..count).collect()
    }

    /// Keeps some that there was no room for, before all others.
    pub(super) fn put_back(&mut self, asks: Vec<Ask>) {
        asks.into_iter().rev().for_each(|ask| self.asks.push_front(ask));
    }

    /// Whether something is to be handed in.
    pub(super) fn is_waiting_for_a_turn(&self) -> bool {
        !self.asks.is_empty()
    }

    /// Takes note of what a partition got.
    pub(super) fn handed_in(&mut self, partition: u32, first_ticket: u64, count: u64) {
        self.unsettled.push((partition, first_ticket, first_ticket + count));
        match self.parts.iter_mut().find(|part| part.partition == partition) {
            Some(part) => part.count += count,
            None => {
                self.parts.push(Part { partition, first_ticket, first_offset: None, count });
            }
        }
    }

    /// Takes note of what a partition did not take after all.
    pub(super) fn failed(&mut self, partition: u32, ticket: u64, why: &Unanswered) {
        let is_of =
            |&(of, first, end): &(u32, u64, u64)| of == partition && (first..end).contains(&ticket);
        if self.unsettled.iter().any(is_of) {
            self.fail(why.clone());
        }
    }

    /// Takes note that a partition has everything below this ticket.
    pub(super) fn settled(
        &mut self,
        partition: u32,
        below: u64,
        offset_of: impl Fn(u64) -> Option<u64>,
    ) {
        for part in self.parts.iter_mut().filter(|part| part.partition == partition) {
            if part.first_offset.is_none() && part.first_ticket < below {
                part.first_offset = offset_of(part.first_ticket);
            }
        }
        self.unsettled.retain(|&(of, _, end)| of != partition || end > below);
    }

    /// Gives up: who brought them has to try again.
    pub(super) fn fail(&mut self, why: Unanswered) {
        self.asks.clear();
        self.failed.get_or_insert(why);
    }

    /// Whether whoever brought them can be told.
    pub(super) fn is_over(&self) -> bool {
        self.failed.is_some() || (self.asks.is_empty() && self.unsettled.is_empty())
    }

    /// Tells whoever brought them how it went.
    pub(super) fn tell(mut self) {
        let part = |part: &Part| AppendedPart {
            partition: part.partition,
            first_offset: part.first_offset.unwrap_or_default(),
            count: part.count,
        };
        let parts = self.parts.iter().map(part).collect();
        let appended = Appended { count: self.count as u64, parts };
        let said = self.failed.take().map_or(Ok(appended), Err);
        self.end(said);
    }

    /// Tells whoever brought them this.
    pub(super) fn end(self, said: Result<Appended, Unanswered>) {
        // Nobody listens where the bringer has gone.
        let _gone = self.reply.send(said);
    }
}
