//! The state of one request.
//!
//! Of its scores only the best-ranked is kept: none below it can be chosen any more, since a score
//! that has arrived is never taken back. That makes the memory of a mailbox independent of how many
//! models answer.

use message::{Reason, RequestId, Time};

use super::tenures::Tenure;
use crate::members::MemberSet;
use crate::preference::{Judgement, Standing, judge};
use crate::{Choice, MemberIndex};

/// The state of one request. Its times are steady.
#[derive(Debug)]
pub(crate) struct Mailbox<R, S> {
    /// The hash of the id.
    pub(crate) hash: u64,
    pub(crate) id: RequestId,
    pub(crate) attachment: R,
    /// When the request was made.
    pub(crate) asked: Time,
    /// When its answer is due.
    pub(crate) deadline: Time,
    /// When the scores that are still missing are given up.
    pub(crate) given_up_at: Time,
    pub(crate) tenure: usize,
    /// The members whose first verdict has come.
    pub(crate) heard: MemberSet,
    /// How many members are still to be heard; none once they have been given up.
    pub(crate) awaited: usize,
    /// How many members were given up.
    pub(crate) given_up: usize,
    pub(crate) phase: Phase<S>,
}

/// How far a request has come.
#[derive(Debug)]
pub(crate) enum Phase<S> {
    /// Until something is decided, with the best-ranked score so far.
    Undecided(Option<Best<S>>),
    /// Until the decision is polled.
    Decided {
        chosen: Choice<S>,
        reason: Reason,
        /// By the clock of the caller.
        time: Time,
    },
    /// Until every score is in or given up.
    Answered,
    /// Until that is polled.
    Over,
}

/// The best-ranked score so far.
#[derive(Debug)]
pub(crate) struct Best<S> {
    pub(crate) rank: u16,
    pub(crate) member: MemberIndex,
    pub(crate) score: S,
}

impl<R, S> Mailbox<R, S> {
    /// What the policy says at `now`, if `best` is the best-ranked score so far.
    pub(crate) fn judgement(
        &self,
        tenure: &Tenure,
        best: Option<&Best<S>>,
        now: Time,
    ) -> Judgement {
        // Who has been heard and did not become the best has failed, or ranks below it, where the
        // policy does not look.
        let standing = |member| match best {
            Some(best) if best.member == member => Standing::Came,
            _ if self.heard.contains(member) || tenure.absent.contains(member) => Standing::Failed,
            _ => Standing::Awaited,
        };
        judge(tenure.roster.order(), standing, self.asked, self.deadline, now)
    }
}
