//! The way in: from calls and records to open mailboxes.

use std::collections::BTreeMap;
use std::sync::Arc;

use message::Time;
use message::record::header;
use rendezvous::{MailboxId, MemberIndex, Opening, Refused, Verdict};
use sandbox::lanes::Job;
use stream::{AppendError, ReadLimit, Record};

use super::{Driver, Open, Opened, Unacknowledged, Unopened, conduct};
use crate::endpoint::{Answered, Appended, Ask, Call, Reply, Unanswered};
use crate::envelope;
use crate::live::{Live, LiveMember};

/// How many records are taken in at once at the most.
const RECORDS_AT_ONCE: usize = 1024;

impl Driver {
    /// Appends the calls of this turn with one write; refuses those beyond the limit.
    pub(super) fn accept_calls(&mut self) {
        if self.calls.is_empty() {
            return;
        }
        let mut calls = std::mem::take(&mut self.calls);
        if let Some(refusal) = self.refuses() {
            calls.drain(..).for_each(|call| refuse(call.reply, &refusal));
        }
        if calls.iter().any(|call| call.ask.priority > 0) {
            // Stable, so that calls of one priority keep their order; 0 comes after every other.
            calls.sort_by_key(|call| call.ask.priority.wrapping_sub(1));
        }
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
        while let Some(mut records) = self.held.pop_front() {
            if let Some(refusal) = self.refuses() {
                // The one who brought them tries again; nothing of the rest is kept.
                let _gone = records.reply.send(Err(refusal));
                continue;
            }
            let queued = self.unopened.len();
            let room = self.free_mailboxes().min(self.live.room().saturating_sub(queued));
            let count = room.min(RECORDS_AT_ONCE).min(records.asks.len());
            let asks: Vec<Ask> = records.asks.drain(..count).collect();
            let replies = asks.iter().map(|_| None).collect();
            let end = self.endpoint.journal.requests.watermarks().end;
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
                end: end + count as u64,
                appended: Appended::together(first_offset, records.count as u64),
                reply: records.reply,
            });
        }
    }

    /// Tells whoever brought records that they are kept: that is when readers can see them.
    pub(super) fn tell_kept(&mut self) {
        let readable = self.endpoint.journal.requests.readable_end();
        while self.unacknowledged.front().is_some_and(|records| records.end <= readable) {
            let Unacknowledged { appended, reply, .. } =
                self.unacknowledged.pop_front().expect("invariant: there is a front");
            // Nobody listens where the bringer has gone.
            let _gone = reply.send(Ok(appended));
        }
    }

    /// Tells those who came again what was answered to the first, once readers can see it.
    pub(super) fn tell_repeated(&mut self) {
        if self.repeated.is_empty() {
            return;
        }
        let readable = self.endpoint.journal.answers.readable_end();
        let repeated = std::mem::take(&mut self.repeated);
        let (seen, unseen): (Vec<_>, _) =
            repeated.into_iter().partition(|(offset, _)| *offset < readable);
        self.repeated = unseen;
        for (offset, reply) in seen {
            // Nobody listens where the caller has gone.
            let _gone = reply.send(self.read_answer(offset).ok_or(Unanswered::StreamBroken));
        }
    }

    /// Opens a mailbox for each request that can be read, and offers it to every model.
    pub(super) fn open_readable(&mut self, now: Time) {
        let readable = self.endpoint.journal.requests.readable_end();
        while self.unopened.front().is_some_and(|unopened| unopened.offset < readable)
            && self.machine.open_mailboxes() < self.open_limit
        {
            let unopened = self.unopened.pop_front().expect("invariant: there is a front");
            self.open(now, unopened);
        }
        if !self.opened.is_empty() {
            self.offer(now);
        }
    }

    /// Turns away whoever came too late to be accepted.
    pub(super) fn refuse_the_rest(&mut self) {
        self.calls.drain(..).for_each(|call| refuse(call.reply, &Unanswered::Stopping));
        for records in self.held.drain(..) {
            let _gone = records.reply.send(Err(Unanswered::Stopping));
        }
    }

    fn append(&mut self, asks: Vec<Ask>, replies: Vec<Option<Reply>>) -> Result<(), Unanswered> {
        if asks.is_empty() {
            return Ok(());
        }
        let parts = asks.into_iter().map(|ask| {
            let return_to = envelope::return_address_of(&ask.record);
            ((ask.request, ask.may_repeat, return_to), ask.record)
        });
        let (requests, records): (Vec<_>, Vec<Record>) = parts.unzip();
        let journal = &self.endpoint.journal;
        let first = match journal.requests.append(&records) {
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
        let answers_end = self.endpoint.journal.answers.watermarks().end;
        for (offset, (parts, reply)) in (first..).zip(requests.into_iter().zip(replies)) {
            let (request, may_repeat, return_to) = parts;
            self.watermark.open(offset, answers_end);
            let request = Arc::new(request);
            let unopened = Unopened { offset, request, reply, may_repeat, return_to };
            self.unopened.push_back(unopened);
        }
        Ok(())
    }

    fn open(&mut self, now: Time, unopened: Unopened) {
        let Unopened { offset, request, reply, may_repeat, return_to } = unopened;
        if may_repeat && let Some(answer) = self.remembered.offset_of(&request.id) {
            self.watermark.finish(offset);
            self.endpoint.meter.count_repetition();
            self.repeated.extend(reply.map(|reply| (answer, reply)));
            return;
        }
        self.endpoint.meter.metrics.accepted(1);
        let selected = self.select(&request);
        let course = selected.course;
        let opening = Opening {
            id: request.id.clone(),
            time: request.time,
            deadline: request.deadline,
            course,
            attachment: Open {
                offset,
                request: Arc::clone(&request),
                replies: reply.into_iter().collect(),
                may_repeat,
                return_to,
                selected,
                opened: now,
                live: Arc::clone(&self.live),
            },
        };
        match self.machine.handle_request(now, opening) {
            Ok(mailbox) => {
                self.undecided += 1;
                self.opened.push(Opened { mailbox, course, request });
            }
            Err(Refused::Duplicate { mailbox, attachment }) => {
                self.watermark.finish(offset);
                if let Some(open) = self.machine.attachment_mut(mailbox) {
                    open.replies.extend(attachment.replies);
                }
            }
            Err(Refused::Full { attachment, .. }) => {
                let Open { mut replies, return_to, .. } = attachment;
                let reply = replies.pop();
                let unopened = Unopened { offset, request, reply, may_repeat, return_to };
                self.unopened.push_front(unopened);
            }
        }
    }

    /// The answer that was given before to a request that has come again.
    fn read_answer(&self, offset: u64) -> Option<Answered> {
        let limit = ReadLimit { records: 1, bytes: usize::MAX };
        let stored = self.endpoint.journal.answers.read(offset, limit).ok()?.into_iter().next()?;
        let is_error = stored.record.headers.get(header::ERROR).is_some();
        Some(Answered { document: stored.record.value, response: None, is_error })
    }

    /// Offers each request that was opened to the models of its course.
    fn offer(&mut self, now: Time) {
        let live = Arc::clone(&self.live);
        let opened = std::mem::take(&mut self.opened);
        for &position in &live.common {
            let jobs = opened.iter().map(Opened::job).collect();
            self.offer_to(now, &live, &live.members[position], jobs);
        }
        let mut extras: BTreeMap<MemberIndex, Vec<Job>> = BTreeMap::new();
        for opened in &opened {
            for member in live.roster.course(opened.course).extras() {
                extras.entry(member).or_default().push(opened.job());
            }
        }
        for (member, jobs) in extras {
            match (live.seated(member), live.routed.get(&member)) {
                (Some(seated), _) => self.offer_to(now, &live, seated, jobs),
                (None, Some(routed)) => self.offer_routed(now, routed, jobs),
                (None, None) => self.not_asked(now, member, jobs),
            }
        }
        self.opened = opened;
        self.opened.clear();
    }

    fn offer_to(&mut self, now: Time, live: &Live, member: &LiveMember, mut jobs: Vec<Job>) {
        let spared = conduct::spare_the_probed(member, &mut jobs);
        let dropped = member.worker.offer(jobs);
        if !dropped.is_empty() {
            conduct::release_the_probe(member);
            member.identity.meter.metrics.dropped(dropped.len() as u64);
            self.count_dropped(&member.identity, dropped.len() as u64);
        }
        if !(spared.is_empty() && dropped.is_empty()) {
            let index = live.by_incarnation[&member.identity.incarnation];
            self.not_asked(now, index, spared.into_iter().chain(dropped));
        }
    }

    fn not_asked(&mut self, now: Time, member: MemberIndex, jobs: impl IntoIterator<Item = Job>) {
        for job in jobs {
            let mailbox = MailboxId::from_u64(job.ticket);
            let _heard = self.machine.handle_score(now, mailbox, member, Verdict::Missing);
        }
    }

    fn free_mailboxes(&self) -> usize {
        self.open_limit.saturating_sub(self.machine.open_mailboxes() + self.unopened.len())
    }

    /// Why nothing is accepted at the moment, if so.
    fn refuses(&self) -> Option<Unanswered> {
        if self.stopping {
            return Some(Unanswered::Stopping);
        }
        self.retry_due.map(|_| Unanswered::StreamFull)
    }

    fn refusal_of(&mut self, error: &AppendError) -> Unanswered {
        match error {
            AppendError::Full => {
                if !std::mem::replace(&mut self.disk_is_full, true) {
                    tracing::error!(endpoint = %self.endpoint.name, "the disk is full: requests are refused");
                }
                Unanswered::StreamFull
            }
            AppendError::Busy { .. } => Unanswered::Busy,
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

impl Opened {
    /// The request as work for a lane.
    fn job(&self) -> Job {
        Job { ticket: self.mailbox.as_u64(), request: Arc::clone(&self.request) }
    }
}

fn refuse(reply: Reply, refusal: &Unanswered) {
    // Nobody listens where the caller has gone.
    let _gone = reply.send(Err(refusal.clone()));
}
