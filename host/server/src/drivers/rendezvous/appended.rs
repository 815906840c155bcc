//! The way in where nobody shares the stream: what comes is appended, and opened from memory when
//! readers can see it.

use std::sync::Arc;

use message::record::header;
use stream::{AppendError, ReadLimit, Record};

use super::sharing::Lobby;
use super::{Driver, Unacknowledged, Unopened};
use crate::endpoint::{Answered, Appended, Ask, Call, Reply, Unanswered};
use crate::envelope;

/// How many records are taken in at once at the most.
const RECORDS_AT_ONCE: usize = 1024;

impl Driver {
    /// Appends the calls of this turn with one write; refuses those beyond the limit.
    pub(super) fn accept_calls(&mut self) {
        if self.calls.is_empty() || self.lobby.is_some() {
            return;
        }
        let mut calls = std::mem::take(&mut self.calls);
        if let Some(refusal) = self.refuses() {
            calls.drain(..).for_each(|call| refuse(call.reply, &refusal));
        }
        by_priority(&mut calls, |call| call.ask.priority);
        let room = self.free_mailboxes().min(calls.len());
        calls.drain(room..).for_each(|call| refuse(call.reply, &Unanswered::Busy));
        let (asks, replies): (Vec<Ask>, Vec<Option<Reply>>) =
            calls.drain(..).map(|Call { ask, reply }| (ask, Some(reply))).unzip();
        // The callers know already where it went wrong.
        let _told = self.append(asks, replies);
        self.calls = calls;
    }

    /// Appends as many of the held records as the live lane has room for.
    pub(super) fn accept_records(&mut self) {
        if self.lobby.is_some() {
            return;
        }
        while let Some(mut records) = self.held.pop_front() {
            if let Some(refusal) = self.refuses() {
                // The one who brought them tries again; nothing of the rest is kept.
                let _gone = records.reply.send(Err(refusal));
                continue;
            }
            let queued = self.unopened();
            let room = self.free_mailboxes().min(self.live.room().saturating_sub(queued));
            let count = room.min(RECORDS_AT_ONCE).min(records.asks.len());
            let asks: Vec<Ask> = records.asks.drain(..count).collect();
            let replies = asks.iter().map(|_| None).collect();
            let end = self.endpoint.journal.requests[0].watermarks().end;
            if let Err(refusal) = self.append(asks, replies) {
                let _gone = records.reply.send(Err(refusal));
                continue;
            }
            let first_offset = records.first_offset.unwrap_or(end);
            records.first_offset = (count > 0).then_some(first_offset).or(records.first_offset);
            if !records.asks.is_empty() {
                self.held.push_front(records);
                break;
            }
            self.unacknowledged.push_back(Unacknowledged {
                ends: vec![(0, end + count as u64)],
                appended: Appended::together(first_offset, records.count as u64),
                reply: records.reply,
            });
        }
    }

    /// Tells whoever brought records that they are kept: that is when readers can see them.
    pub(super) fn tell_kept(&mut self) {
        let requests = &self.endpoint.journal.requests;
        let is_kept =
            |&(partition, end): &(u32, u64)| end <= requests[partition as usize].settled();
        while self.unacknowledged.front().is_some_and(|records| records.ends.iter().all(is_kept)) {
            let Unacknowledged { appended, reply, .. } =
                self.unacknowledged.pop_front().expect("invariant: there is a front");
            // Nobody listens where the bringer has gone.
            let _gone = reply.send(Ok(appended));
        }
    }

    /// Tells those who came again what was answered to the first, once readers can see it.
    pub(super) fn tell_repeated(&mut self) {
        self.for_each_strand(|driver, strand| {
            if strand.repeated.is_empty() {
                return;
            }
            let readable = strand.answers.readable_end();
            let repeated = std::mem::take(&mut strand.repeated);
            let (seen, unseen): (Vec<_>, _) =
                repeated.into_iter().partition(|(offset, _)| *offset < readable);
            strand.repeated = unseen;
            for (offset, reply) in seen {
                // Nobody listens where the caller has gone.
                let _gone = reply.send(driver.read_answer(offset).ok_or(Unanswered::StreamBroken));
            }
        });
    }

    /// Turns away whoever came too late to be accepted.
    pub(super) fn refuse_the_rest(&mut self) {
        self.calls.drain(..).for_each(|call| refuse(call.reply, &Unanswered::Stopping));
        for records in self.held.drain(..) {
            let _gone = records.reply.send(Err(Unanswered::Stopping));
        }
        self.lobby.iter_mut().for_each(Lobby::close);
        for records in self.unacknowledged.drain(..) {
            let _gone = records.reply.send(Err(Unanswered::StreamAway));
        }
    }

    fn append(&mut self, asks: Vec<Ask>, replies: Vec<Option<Reply>>) -> Result<(), Unanswered> {
        if asks.is_empty() {
            return Ok(());
        }
        let parts = asks.into_iter().map(|ask| {
            let return_to = envelope::return_address_of(&ask.record);
            ((ask.request, ask.record.key.clone(), ask.may_repeat, return_to), ask.record)
        });
        let (requests, records): (Vec<_>, Vec<Record>) = parts.unzip();
        let journal = &self.endpoint.journal;
        let first = match journal.requests[0].append(&records) {
            Ok(first) => {
                if std::mem::take(&mut self.disk_is_full) {
                    tracing::info!(endpoint = %self.endpoint.name, "the disk has space again");
                }
                first
            }
            Err(error) => {
                let refusal = self.refusal_of(&error);
                replies.into_iter().flatten().for_each(|reply| refuse(reply, &refusal));
                return Err(refusal);
            }
        };
        let Some(strand) = self.strands.first_mut() else { return Ok(()) };
        let answers_end = strand.answers.watermarks().end;
        for (offset, (parts, reply)) in (first..).zip(requests.into_iter().zip(replies)) {
            let (request, key, may_repeat, return_to) = parts;
            strand.watermark.open(offset, answers_end);
            let request = Arc::new(request);
            // It was heeded when they were appended.
            let priority = 0;
            let unopened =
                Unopened { offset, request, key, reply, may_repeat, return_to, priority };
            strand.unopened.push_back(unopened);
        }
        Ok(())
    }

    /// The answer that was given before to a request that has come again.
    fn read_answer(&self, offset: u64) -> Option<Answered> {
        let limit = ReadLimit { records: 1, bytes: usize::MAX };
        let stored =
            self.endpoint.journal.answers[0].read(offset, limit).ok()?.into_iter().next()?;
        Some(answered_of(stored.record))
    }

    /// Why nothing is accepted at the moment, if so.
    pub(super) fn refuses(&self) -> Option<Unanswered> {
        if self.stopping {
            return Some(Unanswered::Stopping);
        }
        let is_full = self.strands.iter().any(|strand| strand.retry_due.is_some());
        is_full.then_some(Unanswered::StreamFull)
    }

    pub(super) fn refusal_of(&mut self, error: &AppendError) -> Unanswered {
        match error {
            AppendError::Full => {
                if !std::mem::replace(&mut self.disk_is_full, true) {
                    tracing::error!(endpoint = %self.endpoint.name, "the disk is full: requests are refused");
                }
                Unanswered::StreamFull
            }
            AppendError::Busy { .. } => Unanswered::Busy,
            AppendError::Away { .. } => Unanswered::StreamAway,
            AppendError::TooLarge { found, limit } => {
                Unanswered::TooLarge { found: *found, limit: *limit }
            }
            other => {
                tracing::error!(endpoint = %self.endpoint.name, error = %other, "requests cannot be kept");
                Unanswered::StreamBroken
            }
        }
    }
}

/// Puts those of a higher priority first; those of the same keep their order, and 0 comes after every other.
pub(super) fn by_priority<T>(all: &mut [T], priority: impl Fn(&T) -> u64) {
    if all.iter().any(|one| priority(one) > 0) {
        all.sort_by_key(|one| priority(one).wrapping_sub(1));
    }
}

/// What the record of an answer tells a caller.
pub(super) fn answered_of(record: Record) -> Answered {
    let is_error = record.headers.get(header::ERROR).is_some();
    Answered { document: record.value, response: None, is_error }
}

pub(super) fn refuse(reply: Reply, refusal: &Unanswered) {
    // Nobody listens where the caller has gone.
    let _gone = reply.send(Err(refusal.clone()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_a_higher_priority_come_first_and_0_is_the_lowest() {
        let check = |all: &[(u64, char)], expected: &str| {
            let mut all = all.to_vec();
            by_priority(&mut all, |it| it.0);
            assert_eq!(all.iter().map(|it| it.1).collect::<String>(), expected);
        };
        check(&[(0, 'a'), (0, 'b')], "ab");
        check(&[(0, 'a'), (3, 'b'), (1, 'c'), (3, 'd'), (u64::MAX, 'e'), (0, 'f')], "cbdeaf");
    }
}
