//! The way in: from requests that are in the topic to open mailboxes.

use std::collections::BTreeMap;
use std::sync::Arc;

use message::Time;
use rendezvous::{MailboxId, MemberIndex, Opening, Refused, Verdict};
use sandbox::lanes::Job;

use super::appended::by_priority;
use super::strand::Strand;
use super::{Driver, Open, Opened, Unopened, conduct};
use crate::live::{Live, LiveMember};

impl Driver {
    /// Opens a mailbox for each request that can be read, and offers it to every model.
    pub(super) fn open_readable(&mut self, now: Time) {
        // What was taken from others who share the stream can be read.
        let readable = match self.sharing {
            Some(_) => u64::MAX,
            None => self.endpoint.journal.requests[0].readable_end(),
        };
        self.for_each_strand(|driver, strand| {
            while strand.unopened.front().is_some_and(|unopened| unopened.offset < readable)
                && driver.machine.open_mailboxes() < driver.open_limit
            {
                let unopened = strand.unopened.pop_front().expect("invariant: there is a front");
                driver.open(now, strand, unopened);
            }
        });
        if !self.opened.is_empty() {
            self.offer(now);
        }
    }

    fn open(&mut self, now: Time, strand: &mut Strand, unopened: Unopened) {
        let Unopened { offset, request, key, reply, may_repeat, return_to, priority } = unopened;
        if may_repeat && let Some(answer) = strand.remembered.offset_of(&request.id) {
            if offset >= strand.reread_until {
                self.endpoint.meter.count_repetition();
            }
            if self.sharing.is_some() {
                return self.open_again(
                    strand,
                    offset,
                    request.id.clone(),
                    return_to,
                    answer,
                    reply,
                );
            }
            strand.watermark.finish(offset);
            let answer =
                answer.expect("invariant: where nobody shares the stream a ticket is an offset");
            strand.repeated.extend(reply.map(|reply| (answer, reply)));
            return;
        }
        self.endpoint.meter.metrics.accepted(1);
        let ordered_by = key.clone().filter(|_| reply.is_none());
        let selected = self.select(&request);
        let course = selected.course;
        let opening = Opening {
            id: request.id.clone(),
            time: request.time,
            deadline: request.deadline,
            course,
            attachment: Open {
                strand: strand.number,
                offset,
                request: Arc::clone(&request),
                replies: reply.into_iter().collect(),
                may_repeat,
                ordered_by: ordered_by.clone(),
                return_to,
                selected,
                opened: now,
                live: Arc::clone(&self.live),
                scores: strand.scored.number(),
                unheard: Vec::new(),
            },
        };
        match self.machine.handle_request(now, opening) {
            Ok(mailbox) => {
                self.undecided += 1;
                ordered_by.into_iter().for_each(|key| strand.order.enter(key, offset));
                self.opened.push(Opened { mailbox, course, priority, request });
                self.await_outside(now, mailbox);
            }
            Err(Refused::Duplicate { mailbox, attachment }) => {
                strand.watermark.finish(offset);
                if let Some(open) = self.machine.attachment_mut(mailbox) {
                    open.replies.extend(attachment.replies);
                }
            }
            Err(Refused::Full { attachment, .. }) => {
                let Open { mut replies, return_to, .. } = attachment;
                let reply = replies.pop();
                let unopened =
                    Unopened { offset, request, key, reply, may_repeat, return_to, priority };
                strand.unopened.push_front(unopened);
            }
        }
    }

    /// Offers each request that was opened to the models of its course.
    fn offer(&mut self, now: Time) {
        let live = Arc::clone(&self.live);
        let mut opened = std::mem::take(&mut self.opened);
        by_priority(&mut opened, |opened| opened.priority);
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
                // It has read the requests by itself.
                (None, None) if live.is_external(member) => {}
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

    /// How many requests are in the topic and wait for being opened.
    pub(super) fn unopened(&self) -> usize {
        self.strands.iter().map(|strand| strand.unopened.len()).sum()
    }

    pub(super) fn free_mailboxes(&self) -> usize {
        let held: usize = self.strands.iter().map(|strand| strand.order.held()).sum();
        self.open_limit.saturating_sub(self.machine.open_mailboxes() + self.unopened() + held)
    }
}

impl Opened {
    /// The request as work for a lane.
    fn job(&self) -> Job {
        Job { ticket: self.mailbox.as_u64(), request: Arc::clone(&self.request) }
    }
}
