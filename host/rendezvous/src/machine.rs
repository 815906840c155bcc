//! The state machine: what is handled, what is polled, and how the two hang together.
//!
//! What may surprise: a score has *arrived* when it has been handed in, not when it was made. A
//! driver therefore hands in everything that waits before it calls
//! [`handle_timeout`](Rendezvous::handle_timeout), and a score that lies ready at the deadline wins
//! over the default, though the clock has moved on meanwhile.

mod mailbox;
mod mailboxes;
mod steady;
mod tenures;
mod timers;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use message::{Reason, RequestId, Time};

use self::mailbox::{Mailbox, Phase, Scores};
use self::mailboxes::Mailboxes;
use self::steady::SteadyClock;
use self::tenures::Tenures;
use self::timers::Timers;
use crate::members::PositionSet;
use crate::preference::Judgement;
use crate::{
    Choice, Decision, Done, Forgotten, Heard, Limits, MailboxId, MemberIndex, Opening, Refused,
    Roster, Verdict,
};

/// The decision machine of one partition of one endpoint.
///
/// `R` is what the driver attaches to a request and gets back when it is over; `S` is the payload of a
/// score. The machine looks into neither.
///
/// Its methods are of three kinds: `handle_*` take events, `poll_*` give results, and the rest only
/// looks. After every `handle_*`, poll [`poll_decision`](Self::poll_decision) until it is empty, then
/// [`poll_done`](Self::poll_done) until it is empty, then ask [`poll_timeout`](Self::poll_timeout) when
/// to call [`handle_timeout`](Self::handle_timeout). Calls that come too often do nothing and are safe.
///
/// # Promises
///
/// - Every request that is accepted gets exactly one [`Decision`], and then exactly one [`Done`],
///   unless it is [forgotten](Self::forget).
/// - It is decided by its deadline, if `handle_timeout` is called then.
/// - What is chosen is the best-ranked score that had arrived when it was due, by the rule of
///   [`preference`](crate::preference), on the course of the request.
/// - A score is chosen only if the course gives its member a place, if the member was live and not
///   muted at the opening, and if no roster took it off until the score arrived. What becomes of the
///   member after that changes nothing.
/// - An ensemble is chosen only with its quorum.
///
/// # Courses
///
/// A request takes one [course](crate::Course) of the roster, which its driver tells with the
/// [`Opening`] because the machine does not know what the request says. Scores are expected of the
/// members of the course only, and the others are unknown to the mailbox.
///
/// # Rosters
///
/// A mailbox keeps the roster, and so the policy, that it was opened with. A member that is not on a
/// newer roster, or whose place another revision has, drains: it gets no new requests and finishes
/// what it was asked, so that a swap costs no answer. A member that a newer roster names with the
/// same revision and not live, or muted, was *taken off* and has left the open mailboxes: its scores are still
/// expected there, but they cannot be chosen, and nobody waits for them. It stays away from those
/// mailboxes even if a third roster brings it back.
///
/// # Reasons
///
/// Where a score is chosen, and where none is: see [`judge`](crate::preference::judge). A model of the
/// order that is not live, or has left, counts as failed, so that what takes its place is answered with
/// [`PreferredFailed`](Reason::PreferredFailed). At the opening it is decided at once that a request is
/// [`Expired`](Reason::Expired) if `now` is its deadline or later, and otherwise that there is
/// [`NoLiveModel`](Reason::NoLiveModel) if no model of the order is live and no ensemble of it has a
/// quorum of live members.
///
/// # Time
///
/// Any clock will do, even one that is put forwards or back. A step back takes no time at all for
/// the mailboxes that are open; a step forward cannot be told from a pause and is believed. A clock
/// that only ever goes forward is the better choice, since a wait may last longer by what had passed
/// of it when the clock was put back.
///
/// # Memory and cost
///
/// At most [`Limits::open_mailboxes`] are open at once. Each takes
/// [`mailbox_bytes`](Self::mailbox_bytes), about 250 beside an `R` and an `S`, which are set aside at
/// the start. Of the scores of a request only the best-ranked is kept, and in a steady state nothing is
/// allocated; a course with an ensemble keeps one score for each member that has a place, in a vector
/// that is handed out with the decision. A request or a score costs O(log mailboxes) for its timer, and
/// O(places of the order) for the judgement if the model has a place, where an ensemble counts for the
/// square of its members. A new roster costs O(members) for each roster in use, and O(mailboxes) for each of these
/// that somebody has left.
pub struct Rendezvous<R, S> {
    limits: Limits,
    clock: SteadyClock,
    tenures: Tenures,
    mailboxes: Mailboxes<R, S>,
    timers: Timers,
    /// The slots whose decision has not been polled.
    decided: VecDeque<u32>,
    /// The slots that are over.
    done: VecDeque<u32>,
}

impl<R, S> Rendezvous<R, S> {
    /// Sets aside the memory for `limits`, and starts with an empty roster.
    pub fn new(limits: Limits) -> Self {
        let open_mailboxes = limits.open_mailboxes.min(u32::MAX as usize);
        Self {
            limits: Limits { open_mailboxes, ..limits },
            clock: SteadyClock::default(),
            tenures: Tenures::new(),
            mailboxes: Mailboxes::with_capacity(open_mailboxes, limits.hash_key),
            timers: Timers::with_capacity(open_mailboxes),
            decided: VecDeque::with_capacity(open_mailboxes),
            done: VecDeque::with_capacity(open_mailboxes),
        }
    }

    /// The bytes that one open mailbox takes at most, with a course on which `members` are expected.
    ///
    /// Not in it: the text of the request's id, what `R` and `S` point to, and the scores that are kept
    /// for an ensemble.
    pub const fn mailbox_bytes(members: usize) -> usize {
        Mailboxes::<R, S>::BYTES + PositionSet::boxed_bytes(members) + 2 * size_of::<u32>()
    }

    /// How many mailboxes are open: those whose [`Done`] has not been polled.
    pub fn open_mailboxes(&self) -> usize {
        self.mailboxes.len()
    }

    /// The roster that mailboxes are opened with now.
    pub fn roster(&self) -> &Arc<Roster> {
        &self.tenures.current().roster
    }

    /// The member of this revision in the roster that an open mailbox was opened with, if a score of
    /// it is expected there. For drivers whose revisions are unique among all models.
    pub fn member_of(&self, mailbox: MailboxId, revision: u64) -> Option<MemberIndex> {
        let mailbox = self.mailboxes.get(mailbox)?;
        let roster = &self.tenures.get(mailbox.tenure).roster;
        let member = roster.position_of(revision)?;
        roster.course(mailbox.course).expects(member).then_some(member)
    }

    /// The open mailbox of the request with this id.
    pub fn find(&self, id: &RequestId) -> Option<MailboxId> {
        self.mailboxes.find(self.mailboxes.hash(id), id)
    }

    /// Whether a verdict of this member would be the first on the request of an open mailbox.
    pub fn is_awaited(&self, mailbox: MailboxId, member: MemberIndex) -> bool {
        let Some(mailbox) = self.mailboxes.get(mailbox) else { return false };
        let course = self.tenures.get(mailbox.tenure).roster.course(mailbox.course);
        course.turn_of(member).is_some_and(|turn| !mailbox.heard.contains(turn))
    }

    /// What was attached to the request of an open mailbox.
    pub fn attachment(&self, mailbox: MailboxId) -> Option<&R> {
        self.mailboxes.get(mailbox).map(|mailbox| &mailbox.attachment)
    }

    /// What was attached to the request of an open mailbox.
    pub fn attachment_mut(&mut self, mailbox: MailboxId) -> Option<&mut R> {
        self.mailboxes.get_mut(mailbox).map(|mailbox| &mut mailbox.attachment)
    }

    /// Takes a roster for the mailboxes that are opened from now on. See *Rosters* above.
    pub fn handle_roster(&mut self, now: Time, roster: Arc<Roster>) {
        let now = self.advance(now);
        for tenure in self.tenures.begin(roster) {
            for slot in self.mailboxes.of_tenure(tenure) {
                self.judge(slot, now);
            }
        }
    }

    /// Opens a mailbox, in which a score is expected from each member that the
    /// [course](crate::Course::expected) expects.
    ///
    /// The driver owes a verdict for each of them, [`Verdict::Missing`] where it does not ask or gives
    /// up asking; what it fails to say holds the mailbox open until the grace is over.
    pub fn handle_request(
        &mut self,
        now: Time,
        opening: Opening<R>,
    ) -> Result<MailboxId, Refused<R>> {
        let steady_now = self.advance(now);
        let hash = self.mailboxes.hash(&opening.id);
        if let Some(mailbox) = self.mailboxes.find(hash, &opening.id) {
            return Err(Refused::Duplicate { mailbox, attachment: opening.attachment });
        }
        let limit = self.limits.open_mailboxes;
        if self.mailboxes.len() >= limit {
            return Err(Refused::Full { limit, attachment: opening.attachment });
        }
        let is_expired = now >= opening.deadline;
        let has_live_place = self.roster().course(opening.course).has_live_place();
        let mailbox = self.open(steady_now, hash, opening);
        if is_expired {
            self.decide_without_score(mailbox.slot, Reason::Expired);
        } else if !has_live_place {
            self.decide_without_score(mailbox.slot, Reason::NoLiveModel);
        } else {
            self.judge(mailbox.slot, steady_now);
        }
        Ok(mailbox)
    }

    /// Takes a member's verdict on a request. The first one counts.
    pub fn handle_score(
        &mut self,
        now: Time,
        mailbox: MailboxId,
        member: MemberIndex,
        verdict: Verdict<S>,
    ) -> Heard {
        let now = self.advance(now);
        let slot = mailbox.slot;
        let Some(mailbox) = self.mailboxes.get_mut(mailbox) else { return Heard::Unknown };
        let tenure = self.tenures.get(mailbox.tenure);
        let course = tenure.roster.course(mailbox.course);
        let Some(turn) = course.turn_of(member) else { return Heard::Unknown };
        if !mailbox.heard.insert(turn) {
            return Heard::Duplicate;
        }
        mailbox.awaited = mailbox.awaited.saturating_sub(1);
        let Phase::Undecided(scores) = &mut mailbox.phase else {
            if mailbox.awaited == 0 {
                self.end_waiting(slot);
            }
            return Heard::Late;
        };
        if let Some(rank) = course.rank_of(member) {
            if let Verdict::Predicted(score) = verdict
                && !tenure.absent.contains(member.as_usize())
            {
                scores.add(course.has_ensembles(), rank, member, score);
            }
            self.judge(slot, now);
        }
        Heard::InTime
    }

    /// Decides what is due at `now`, and gives up the scores whose grace is over.
    ///
    /// Extra calls do nothing and are safe.
    pub fn handle_timeout(&mut self, now: Time) {
        let now = self.advance(now);
        while let Some(slot) = self.timers.pop_due(now) {
            let mailbox = self.mailboxes.at_mut(slot);
            if let Phase::Undecided(_) = mailbox.phase {
                self.judge(slot, now);
            } else {
                mailbox.given_up = std::mem::take(&mut mailbox.awaited);
                self.end_waiting(slot);
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called next, by the clock of the caller.
    ///
    /// It is exact: something will be decided or given up then, if nothing comes before. The value
    /// returned may change after:
    /// - a call of [`handle_request`](Self::handle_request) that opened a mailbox
    /// - a call of [`handle_score`](Self::handle_score) that was in time, or that brought the last score
    /// - a call of [`handle_timeout`](Self::handle_timeout) that was due
    /// - a call of [`handle_roster`](Self::handle_roster) by which a member left
    /// - any of these, whatever it did, if the clock was put back since the one before
    pub fn poll_timeout(&self) -> Option<Time> {
        self.timers.next().map(|due| self.clock.show(due))
    }

    /// Returns the next decision, in the order in which they fell. There is exactly one per mailbox.
    pub fn poll_decision(&mut self) -> Option<Decision<S>> {
        let slot = self.decided.pop_front()?;
        let name = self.mailboxes.name(slot);
        let mailbox = self.mailboxes.at_mut(slot);
        let Phase::Decided { chosen, reason, time } =
            std::mem::replace(&mut mailbox.phase, Phase::Answered)
        else {
            unreachable!("invariant: a slot is queued when it is decided, and once")
        };
        let decision = Decision {
            mailbox: name,
            id: mailbox.id.clone(),
            chosen,
            reason,
            roster: Arc::clone(&self.tenures.get(mailbox.tenure).roster),
            time,
        };
        if mailbox.awaited == 0 {
            self.end_waiting(slot);
        }
        Some(decision)
    }

    /// Returns the next request that is over, after its decision: every expected score is in, or given
    /// up. There is exactly one per mailbox, and the mailbox is closed by it.
    pub fn poll_done(&mut self) -> Option<Done<R>> {
        let slot = self.done.pop_front()?;
        let name = self.mailboxes.name(slot);
        let mailbox = self.mailboxes.remove(slot);
        self.tenures.leave(mailbox.tenure);
        Some(Done {
            mailbox: name,
            id: mailbox.id,
            attachment: mailbox.attachment,
            given_up: mailbox.given_up,
        })
    }

    /// Closes the mailboxes of those requests whose attachments `is_meant`, and hands them back: they
    /// are somebody else's from now on. Nothing that has not been polled of them will be.
    ///
    /// It looks at every slot, so it is for what happens seldom.
    pub fn forget(&mut self, is_meant: impl Fn(&R) -> bool) -> Vec<Forgotten<R>> {
        let slots = self.mailboxes.with(is_meant);
        let is_left = |slot: &u32| slots.binary_search(slot).is_err();
        self.decided.retain(is_left);
        self.done.retain(is_left);
        let forget = |&slot: &u32| {
            self.timers.set(slot, Time::NEVER);
            let mailbox = self.mailboxes.remove(slot);
            self.tenures.leave(mailbox.tenure);
            Forgotten {
                id: mailbox.id,
                attachment: mailbox.attachment,
                is_decided: matches!(mailbox.phase, Phase::Answered | Phase::Over),
            }
        };
        slots.iter().map(forget).collect()
    }

    fn advance(&mut self, now: Time) -> Time {
        if self.mailboxes.len() == 0 {
            self.clock.forget();
        }
        self.clock.advance(now)
    }

    fn open(&mut self, now: Time, hash: u64, opening: Opening<R>) -> MailboxId {
        let tenure = self.tenures.enter();
        let expected = self.tenures.get(tenure).roster.course(opening.course).expected_count();
        let heard = self.mailboxes.empty_set(expected);
        let deadline = self.clock.steady(opening.deadline);
        self.mailboxes.insert(Mailbox {
            hash,
            id: opening.id,
            attachment: opening.attachment,
            asked: self.clock.steady(opening.time),
            deadline,
            given_up_at: deadline.max(now) + self.limits.score_grace,
            tenure,
            course: opening.course,
            heard,
            awaited: expected,
            given_up: 0,
            phase: Phase::Undecided(Scores::None),
        })
    }

    /// Asks the policy about a mailbox that is not decided, and does what it says.
    fn judge(&mut self, slot: u32, now: Time) {
        let mailbox = self.mailboxes.at_mut(slot);
        let tenure = self.tenures.get(mailbox.tenure);
        let Phase::Undecided(scores) = &mailbox.phase else { return };
        match mailbox.judgement(tenure, scores, now) {
            Judgement::WaitUntil(due) => self.timers.set(slot, due),
            Judgement::GiveUp(reason) => self.decide_without_score(slot, reason),
            Judgement::Choose { seat, reason, .. } => {
                let phase = std::mem::replace(&mut mailbox.phase, Phase::Answered);
                let Phase::Undecided(scores) = phase else {
                    unreachable!("invariant: what is judged is undecided")
                };
                let chosen = scores.choose(seat, &tenure.roster);
                self.decide(slot, chosen, reason);
            }
        }
    }

    fn decide_without_score(&mut self, slot: u32, reason: Reason) {
        let tenure = self.tenures.get(self.mailboxes.at(slot).tenure);
        let chosen = if tenure.roster.has_default() { Choice::Default } else { Choice::Nothing };
        self.decide(slot, chosen, reason);
    }

    fn decide(&mut self, slot: u32, chosen: Choice<S>, reason: Reason) {
        let time = self.clock.shown();
        let mailbox = self.mailboxes.at_mut(slot);
        mailbox.phase = Phase::Decided { chosen, reason, time };
        let due = if mailbox.awaited == 0 { Time::NEVER } else { mailbox.given_up_at };
        self.timers.set(slot, due);
        self.decided.push_back(slot);
    }

    /// Stops the timer of a mailbox that awaits nobody, and queues it as done if it is answered.
    fn end_waiting(&mut self, slot: u32) {
        self.timers.set(slot, Time::NEVER);
        let mailbox = self.mailboxes.at_mut(slot);
        if let Phase::Answered = mailbox.phase {
            mailbox.phase = Phase::Over;
            self.done.push_back(slot);
        }
    }
}

impl<R, S> fmt::Debug for Rendezvous<R, S> {
    /// Shows how much there is, and nothing of what is in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rendezvous")
            .field("limits.open_mailboxes", &self.limits.open_mailboxes)
            .field("open_mailboxes", &self.open_mailboxes())
            .field("decided", &self.decided.len())
            .field("done", &self.done.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
