//! What goes into the machine and what comes out of it.

use std::sync::Arc;
use std::time::Duration;

use message::{Reason, RequestId, Time};

use crate::{CourseIndex, EnsembleIndex, MemberIndex, Roster};

/// The bounds of one [`Rendezvous`](crate::Rendezvous).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many mailboxes may be open at once. Their memory is set aside at the start.
    pub open_mailboxes: usize,
    /// How long after the deadline (after the opening, where that was later) scores are awaited
    /// before they are given up.
    pub score_grace: Duration,
    /// A number that callers cannot guess, so that they cannot choose ids that collide.
    pub hash_key: u128,
}

/// The name of one opening of a mailbox, unique on its machine for four thousand million openings of
/// the same slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxId {
    pub(crate) slot: u32,
    pub(crate) opening: u32,
}

impl MailboxId {
    /// The name as a number, for the driver to send along with an evaluation.
    pub const fn as_u64(self) -> u64 {
        (self.opening as u64) << 32 | self.slot as u64
    }

    /// The name that was made a number by [`as_u64`](Self::as_u64). Any other number is the name of no
    /// mailbox or of somebody else's, like a name that is out of date.
    pub const fn from_u64(number: u64) -> Self {
        Self { slot: number as u32, opening: (number >> 32) as u32 }
    }
}

/// A request, as far as the machine needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening<R> {
    /// What makes it one and the same request, also when it comes twice.
    pub id: RequestId,
    /// When it was made; a policy counts from here.
    pub time: Time,
    /// When its answer is due.
    pub deadline: Time,
    /// The course that it takes on the machine's roster, as [`Roster::select`] says.
    pub course: CourseIndex,
    /// Whatever the driver wants back with the decision and at the end.
    pub attachment: R,
}

/// Why a request got no mailbox. The attachment comes back.
#[derive(Debug, thiserror::Error)]
pub enum Refused<R> {
    /// Because as many mailboxes are open as may be.
    #[error("all {limit} mailboxes are open")]
    Full {
        /// How many that is.
        limit: usize,
        /// What the driver had attached.
        attachment: R,
    },
    /// Because a request with this id has a mailbox already, decided or not.
    #[error("a request with this id has an open mailbox")]
    Duplicate {
        /// The mailbox it has.
        mailbox: MailboxId,
        /// What the driver had attached.
        attachment: R,
    },
}

impl<R> Refused<R> {
    /// What the driver had attached.
    pub fn into_attachment(self) -> R {
        match self {
            Self::Full { attachment, .. } | Self::Duplicate { attachment, .. } => attachment,
        }
    }
}

/// How a model's turn ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<S> {
    /// It predicted.
    Predicted(S),
    /// It politely said no.
    Refused,
    /// It broke.
    Faulted,
    /// It was not asked, the evaluation was dropped, or the model is gone.
    Missing,
}

/// What a verdict was good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Heard {
    /// Because it came before the decision.
    InTime,
    /// Because it came after the decision.
    Late,
    /// Because the first verdict of that member had come already.
    Duplicate,
    /// Because the mailbox is closed or never was, or the member is not expected there.
    Unknown,
}

/// The one decision about a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision<S> {
    /// The mailbox, which is still open.
    pub mailbox: MailboxId,
    /// The request.
    pub id: RequestId,
    /// What was chosen.
    pub chosen: Choice<S>,
    /// Why.
    pub reason: Reason,
    /// The roster that the mailbox was opened with, in which a [`MemberIndex`] is to be looked up.
    pub roster: Arc<Roster>,
    /// When it was decided, by the clock of the caller.
    pub time: Time,
}

/// What becomes the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice<S> {
    /// The score of this member.
    Score(MemberIndex, S),
    /// The scores of these members of an ensemble, in the order of the ensemble.
    Ensemble(EnsembleIndex, Vec<(MemberIndex, S)>),
    /// The default of the policy.
    Default,
    /// Nothing: the policy has no default.
    Nothing,
}

/// A request that is over: it is answered, and every expected score is in or given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<R> {
    /// The mailbox, which is closed now.
    pub mailbox: MailboxId,
    /// The request.
    pub id: RequestId,
    /// What the driver had attached.
    pub attachment: R,
    /// How many scores were given up.
    pub given_up: usize,
}

/// A request that was [forgotten](crate::Rendezvous::forget).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten<R> {
    /// The request.
    pub id: RequestId,
    /// What the driver had attached.
    pub attachment: R,
    /// Whether its decision had been polled.
    pub is_decided: bool,
}
