//! Courses: what is left of a policy once a request has taken its way through it.
//!
//! The courses of a route that leads to each of many models share everything but that model, so that
//! thousands of them cost eight bytes each.

use std::sync::Arc;
use std::time::Duration;

use super::{NOT_COMMON, Roster};
use crate::MemberIndex;
use crate::preference::{Place, Seat};

/// The number of a course in its [`Roster`]. It means nothing in another roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CourseIndex(u32);

impl CourseIndex {
    pub(super) fn from_usize(position: usize) -> Self {
        Self(u32::try_from(position).expect("invariant: routes lead to fewer than 2^32 models"))
    }

    pub(super) fn plus(self, count: usize) -> Self {
        Self::from_usize(self.as_usize() + count)
    }

    /// The position among [`Roster::courses`].
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// What is fixed of a course: its way, and the model before that, if there is one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fixed {
    pub(super) way: u32,
    pub(super) head: Option<MemberIndex>,
}

/// What courses share.
#[derive(Debug, Clone, Default)]
pub(super) struct Way {
    pub(super) places: Vec<Place>,
    /// How long the model before the places is waited for, where there is one.
    pub(super) head_until: Option<Duration>,
    /// The members that have a part in a place, with the first of these, in the order of the members.
    pub(super) ranks: Vec<(MemberIndex, u32)>,
    /// The expected members that are asked here and not on every course, in their order.
    pub(super) extras: Vec<MemberIndex>,
    pub(super) has_ensembles: bool,
    pub(super) has_live_place: bool,
    /// The route and the arms that lead here.
    pub(super) path: Arc<str>,
}

/// The order of places that one request follows, and everybody who is asked with it.
#[derive(Debug, Clone, Copy)]
pub struct Course<'a> {
    pub(super) roster: &'a Roster,
    pub(super) fixed: Fixed,
    pub(super) way: &'a Way,
}

impl<'a> Course<'a> {
    /// The places, the most liked first, live or not.
    pub fn places(&self) -> impl Iterator<Item = Place> + use<'a> {
        let until = self.way.head_until;
        let head = self.fixed.head.map(|head| Place { seat: Seat::Member(head), until });
        head.into_iter().chain(self.way.places.iter().copied())
    }

    /// The model that comes before the order that courses share, if there is one.
    pub const fn head(&self) -> Option<MemberIndex> {
        self.fixed.head
    }

    /// The route and the arms that lead here, as in `route[0]/treatment`; empty where there are none.
    pub const fn path(&self) -> &'a Arc<str> {
        &self.way.path
    }

    /// The members from which a score is expected: the common ones, then the [extras](Self::extras).
    pub fn expected(&self) -> impl Iterator<Item = MemberIndex> + use<'a> {
        self.roster.common.iter().copied().chain(self.extras())
    }

    /// How many members are expected.
    pub fn expected_count(&self) -> usize {
        let head = usize::from(self.lone_head().is_some());
        self.roster.common.len() + self.way.extras.len() + head
    }

    /// The members from which a score is expected here and not on every course.
    pub fn extras(&self) -> impl Iterator<Item = MemberIndex> + use<'a> {
        self.way.extras.iter().copied().chain(self.lone_head())
    }

    /// Whether a score of this member is expected.
    pub fn expects(&self, member: MemberIndex) -> bool {
        self.turn_of(member).is_some()
    }

    /// The position of a member among [`expected`](Self::expected).
    pub(crate) fn turn_of(&self, member: MemberIndex) -> Option<usize> {
        let common = *self.roster.common_turns.get(member.as_usize())?;
        if common != NOT_COMMON {
            return Some(usize::from(common));
        }
        let before = self.roster.common.len();
        match self.way.extras.binary_search(&member) {
            Ok(extra) => Some(before + extra),
            Err(_) => {
                let is_head = self.lone_head() == Some(member);
                is_head.then_some(before + self.way.extras.len())
            }
        }
    }

    /// The first place that a member has a part in.
    pub(crate) fn rank_of(&self, member: MemberIndex) -> Option<u32> {
        if self.fixed.head == Some(member) {
            return Some(0);
        }
        let behind_head = u32::from(self.fixed.head.is_some());
        let found = self.way.ranks.binary_search_by_key(&member, |&(member, _)| member);
        found.ok().map(|found| self.way.ranks[found].1 + behind_head)
    }

    /// Whether a place is an ensemble's, so that more than one score may be needed.
    pub(crate) const fn has_ensembles(&self) -> bool {
        self.way.has_ensembles
    }

    /// Whether somebody can be chosen.
    pub(crate) fn has_live_place(&self) -> bool {
        let head = self.fixed.head.map(Seat::Member);
        self.way.has_live_place || head.is_some_and(|head| self.roster.is_open(head))
    }

    /// The head, where nothing else has it asked.
    fn lone_head(&self) -> Option<MemberIndex> {
        let roster = self.roster;
        let is_lone = |head: &MemberIndex| {
            roster.members[head.as_usize()].is_expected()
                && roster.common_turns[head.as_usize()] == NOT_COMMON
                && self.way.extras.binary_search(head).is_err()
        };
        self.fixed.head.filter(is_lone)
    }
}
