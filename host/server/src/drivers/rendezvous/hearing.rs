//! What the driver hears: calls and records, scores, new rosters, the end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use message::Time;
use rendezvous::MailboxId;
use sandbox::lanes::Scored;
use stream::{Health, Partition};

use super::strand::Strand;
use super::{Driver, STOP_LIMIT, Unopened, conduct, settle};
use crate::endpoint::{Event, Recovered, Unanswered};
use crate::live::Identity;

impl Driver {
    pub(super) fn handle(&mut self, now: Time, event: Event) {
        match event {
            Event::Call(call) => self.calls.push(*call),
            Event::Records(records) => self.held.push_back(records),
            Event::Scored(identity, scored) => self.handle_scored(now, &identity, scored),
            Event::Replies(delivered) => self.hear_from_others(delivered),
            Event::Readable => {
                self.is_woken.store(false, Ordering::Release);
                self.look_after_the_stream();
            }
            Event::Group(event) => self.handle_group(event),
            Event::Report(report) => self.handle_report(*report),
            Event::Outside(scores) => self.handle_outside(now, scores),
            Event::Live(live, leaving) => {
                self.machine.handle_roster(now, Arc::clone(&live.roster));
                self.live = live;
                // Not before this: until here requests were offered to them.
                leaving.iter().for_each(|member| member.worker.retire());
                if self.live.settled {
                    self.take_recovered();
                }
            }
            Event::Warm(model, worker) => self.handle_warm(now, model, worker),
            Event::Cool(model) => self.wings.leave(model),
            Event::Absent(model) => {
                let jobs = self.wings.give_up(model);
                self.miss(now, model, jobs);
            }
            Event::Stop => {
                self.stopping = true;
                self.stop_due = self.sharing.as_ref().map(|_| Instant::now() + STOP_LIMIT);
                self.take_recovered();
                // Whoever would bring them waits for this driver.
                for (model, jobs) in self.wings.give_up_all() {
                    self.miss(now, model, jobs);
                }
            }
        }
    }

    /// Tells those who wait for the disk that it will not come, if so. What they asked stays in the
    /// topic, and a later life of the host answers it.
    fn look_after_the_stream(&mut self) {
        let is_lost = |topic: &dyn Partition| matches!(topic.health(), Health::Poisoned { .. });
        let journal = &self.endpoint.journal;
        if journal.is_shared {
            // Brokers come back, and what was handed in waits for them.
            return;
        }
        let (requests, answers) = (is_lost(&*journal.requests[0]), is_lost(&*journal.answers[0]));
        if !requests && !answers {
            return;
        }
        tracing::error!(endpoint = %self.endpoint.name, requests, answers, "the stream is broken");
        if requests {
            let unopened = self.strands.iter_mut().flat_map(|strand| strand.unopened.drain(..));
            for reply in unopened.filter_map(|unopened| unopened.reply) {
                let _gone = reply.send(Err(Unanswered::StreamBroken));
            }
            for records in self.unacknowledged.drain(..) {
                let _gone = records.reply.send(Err(Unanswered::StreamBroken));
            }
        }
        if answers {
            for reply in self.strands.iter_mut().flat_map(Strand::take_replies) {
                let _gone = reply.send(Err(Unanswered::StreamBroken));
            }
        }
    }

    /// Puts what an earlier life left behind before everything else.
    fn take_recovered(&mut self) {
        let Some(strand) = self.strands.first_mut() else { return };
        for left in self.recovered.drain(..).rev() {
            let Recovered { offset, request, may_repeat, return_to } = left;
            let key = request.key.clone().map(Bytes::from);
            let (request, reply, priority) = (Arc::new(request), None, 0);
            let left = Unopened { offset, request, key, reply, may_repeat, return_to, priority };
            strand.unopened.push_front(left);
        }
    }

    fn handle_scored(&mut self, now: Time, identity: &Arc<Identity>, scored: Vec<Scored>) {
        identity.meter.statistics.record(now, &scored);
        let mut scores = Vec::with_capacity(scored.len());
        for mut scored in scored {
            if self.live.nan_is_fault {
                conduct::refuse_nan(&mut scored.outcome);
            }
            self.count_call(now, identity, &scored.outcome);
            let mailbox = MailboxId::from_u64(scored.ticket);
            match self.machine.attachment(mailbox) {
                Some(open) => {
                    let member = open.live.by_incarnation.get(&identity.incarnation).copied();
                    let pace = conduct::pace_of(now, open, identity.incarnation, &scored.outcome);
                    let score = settle::score_of(now, open, identity, scored);
                    let (number, offset) = (open.strand, open.offset);
                    self.count_pace(identity, pace);
                    if let Some(strand) = self.strand_mut(number) {
                        strand.keep_score(offset, settle::score_record(&score));
                    }
                    scores.push((mailbox, member, score));
                }
                None => {
                    self.count_dropped(identity, 1);
                    self.endpoint.meter.count_lost_score();
                }
            }
        }
        identity.meter.count_scores(now, scores.iter().map(|(_, _, score)| score));
        for (mailbox, member, score) in scores {
            if let Some(member) = member {
                let verdict = settle::verdict_of(identity, score);
                let _heard = self.machine.handle_score(now, mailbox, member, verdict);
            }
        }
    }
}
