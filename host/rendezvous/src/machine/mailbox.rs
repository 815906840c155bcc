//! The state of one request.
//!
//! Of its scores only the best-ranked is kept: none below it can be chosen any more, since a score
//! that has arrived is never taken back. That makes the memory of a mailbox independent of how many
//! models answer. Only on a course with an ensemble every score that may be a part of it is kept.

use message::{Reason, RequestId, Time};

use super::tenures::Tenure;
use crate::members::PositionSet;
use crate::preference::{Judgement, Seat, Standing, judge};
use crate::{Choice, CourseIndex, EnsembleIndex, MemberIndex, Roster, ensemble};

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
    pub(crate) course: CourseIndex,
    /// The members whose first verdict has come, by their turns on the course.
    pub(crate) heard: PositionSet,
    /// How many members are still to be heard; none once they have been given up.
    pub(crate) awaited: usize,
    /// How many members were given up.
    pub(crate) given_up: usize,
    pub(crate) phase: Phase<S>,
}

/// How far a request has come.
#[derive(Debug)]
pub(crate) enum Phase<S> {
    /// Until something is decided, with the scores that may be chosen.
    Undecided(Scores<S>),
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

/// The scores that may be chosen.
#[derive(Debug)]
pub(crate) enum Scores<S> {
    /// None yet.
    None,
    /// The best-ranked so far, on a course without ensembles.
    Best { rank: u32, member: MemberIndex, score: S },
    /// Every one so far, on a course with an ensemble.
    All(Vec<(MemberIndex, S)>),
}

impl<S> Scores<S> {
    /// Adds a score of `member`, whose first place on its course is `rank`.
    pub(crate) fn add(&mut self, keep_all: bool, rank: u32, member: MemberIndex, score: S) {
        match self {
            Self::All(scores) => scores.push((member, score)),
            Self::Best { rank: best, .. } if *best <= rank => {}
            _ if keep_all => *self = Self::All(vec![(member, score)]),
            _ => *self = Self::Best { rank, member, score },
        }
    }

    fn has(&self, member: MemberIndex) -> bool {
        match self {
            Self::None => false,
            Self::Best { member: best, .. } => *best == member,
            Self::All(scores) => scores.iter().any(|&(other, _)| other == member),
        }
    }

    /// What is chosen with a seat whose scores are all here.
    pub(crate) fn choose(self, seat: Seat, roster: &Roster) -> Choice<S> {
        match (self, seat) {
            (Self::Best { member, score, .. }, _) => Choice::Score(member, score),
            (Self::All(scores), Seat::Ensemble(ensemble)) => together(scores, ensemble, roster),
            (Self::All(scores), Seat::Member(member)) => {
                let score = scores.into_iter().find(|&(other, _)| other == member);
                let (member, score) = score.expect("invariant: only a score that came is chosen");
                Choice::Score(member, score)
            }
            (Self::None, _) => unreachable!("invariant: only a score that came is chosen"),
        }
    }
}

/// The scores of an ensemble, in its order.
fn together<S>(
    mut scores: Vec<(MemberIndex, S)>,
    ensemble: EnsembleIndex,
    roster: &Roster,
) -> Choice<S> {
    let assembled = roster.ensemble(ensemble);
    scores.retain(|&(member, _)| assembled.position(member).is_some());
    scores.sort_by_key(|&(member, _)| assembled.position(member));
    Choice::Ensemble(ensemble, scores)
}

impl<R, S> Mailbox<R, S> {
    /// What the policy says at `now`.
    pub(crate) fn judgement(&self, tenure: &Tenure, scores: &Scores<S>, now: Time) -> Judgement {
        let course = tenure.roster.course(self.course);
        // Who has been heard and whose score was not kept has failed, or ranks below what was, where
        // the policy does not look.
        let of_member = |member: MemberIndex| {
            let is_heard = || course.turn_of(member).is_none_or(|turn| self.heard.contains(turn));
            if scores.has(member) {
                Standing::Came
            } else if is_heard() || tenure.absent.contains(member.as_usize()) {
                Standing::Failed
            } else {
                Standing::Awaited
            }
        };
        let standing = |seat| match seat {
            Seat::Member(member) => of_member(member),
            Seat::Ensemble(ensemble) => {
                let ensemble = tenure.roster.ensemble(ensemble);
                let members = ensemble.members.iter().map(|&(member, _)| of_member(member));
                ensemble::standing(members, ensemble.quorum)
            }
        };
        judge(course.places(), standing, self.asked, self.deadline, now)
    }
}
