//! The policy `ensemble`: several predictions that become one.
//!
//! An ensemble takes one place of an order. [`standing`] says when it has come and when it has failed,
//! and [`combine`] makes one prediction of those that came. What is below it in the order has its turn
//! when the quorum cannot be reached any more, or was not reached in time, as with any other place.
//!
//! What may surprise: the members that are combined stand in the order of the file, whichever came
//! first, so that the same predictions always give the same bits.

mod combine;

use message::ModelName;

pub use self::combine::{CombineError, can_combine, combine};
pub use message::Combine;

use crate::MemberIndex;
use crate::preference::Standing;

/// Models whose predictions become one.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    /// The models with their weights, each 0 or more.
    pub members: Vec<(ModelName, f64)>,
    /// How their predictions become one.
    pub combine: Combine,
    /// How many predictions are enough, from 1.
    pub quorum: usize,
}

/// An ensemble whose models have been found in the roster.
#[derive(Debug, Clone, PartialEq)]
pub struct Assembled {
    /// The members with their weights, in the order of the file.
    pub members: Vec<(MemberIndex, f64)>,
    /// How their predictions become one.
    pub combine: Combine,
    /// How many predictions are enough, from 1.
    pub quorum: usize,
}

impl Assembled {
    /// The position of a member in the ensemble.
    pub(crate) fn position(&self, member: MemberIndex) -> Option<usize> {
        self.members.iter().position(|&(other, _)| other == member)
    }
}

/// The number of an ensemble in its [`Roster`](crate::Roster). It means nothing in another roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnsembleIndex(u32);

impl EnsembleIndex {
    pub(crate) fn from_usize(position: usize) -> Self {
        Self(u32::try_from(position).expect("invariant: a policy is no longer than its file"))
    }

    /// The position in the roster's list of ensembles.
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// How an ensemble stands, told from how its members stand:
///
/// - It has [`Failed`](Standing::Failed) as soon as the quorum cannot be reached any more.
/// - It has [`Come`](Standing::Came) when nobody is awaited any more and the quorum is there.
/// - In between, with the quorum there, there is [`Enough`](Standing::Enough) of it: it comes when its
///   time is over.
/// - It is [`Awaited`](Standing::Awaited) otherwise.
///
/// ```
/// use rendezvous::ensemble::standing;
/// use rendezvous::preference::Standing::{Awaited, Came, Enough, Failed};
///
/// let of_three = |members| standing(members, 2);
/// assert_eq!(of_three([Came, Awaited, Awaited]), Awaited);
/// assert_eq!(of_three([Came, Came, Awaited]), Enough);
/// assert_eq!(of_three([Came, Failed, Came]), Came);
/// assert_eq!(of_three([Came, Failed, Failed]), Failed);
/// ```
pub fn standing(members: impl IntoIterator<Item = Standing>, quorum: usize) -> Standing {
    let (mut came, mut awaited) = (0, 0);
    for member in members {
        match member {
            Standing::Came | Standing::Enough => came += 1,
            Standing::Awaited => awaited += 1,
            Standing::Failed => {}
        }
    }
    match (came >= quorum, awaited) {
        (true, 0) => Standing::Came,
        (true, _) => Standing::Enough,
        (false, _) if came + awaited < quorum => Standing::Failed,
        (false, _) => Standing::Awaited,
    }
}
