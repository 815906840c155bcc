//! Rosters: which models there are, in which role, and how the policy ranks them.
//!
//! A roster is a value that is checked once and never changes. Everything that would be looked up by
//! name for each score is worked out in its constructor: each leaf of the policy becomes a
//! [`Course`], and a request only says which one it takes.

mod course;
mod plan;

use message::{ModelName, Role, Time};

pub use self::course::{Course, CourseIndex};
use self::course::{Fixed, Way};
use self::plan::{Fork, Plan};
use crate::ensemble::Assembled;
use crate::members::PositionSet;
use crate::preference::Seat;
use crate::{EnsembleIndex, MemberIndex, Policy};

/// A model on a roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The name, by which the policy knows it.
    pub name: ModelName,
    /// Which incarnation of the model this is. Two rosters mean the same one if name and revision
    /// are the same; beyond that the number is the driver's.
    pub revision: u64,
    /// The role; `None` for a staged model.
    pub role: Option<Role>,
    /// Whether it is asked. One that is warming, draining or quarantined is not.
    pub live: bool,
    /// Whether what it says cannot become an answer though it is asked, as one on probation.
    pub muted: bool,
}

impl Member {
    /// A live member without a role.
    pub fn live(name: impl Into<ModelName>, revision: u64) -> Self {
        Self { name: name.into(), revision, role: None, live: true, muted: false }
    }

    /// The same member in a role.
    #[must_use]
    pub fn in_role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }

    /// The same member, not to be asked.
    #[must_use]
    pub fn not_live(mut self) -> Self {
        self.live = false;
        self
    }

    /// The same member, asked and never chosen.
    #[must_use]
    pub fn muted(mut self) -> Self {
        self.muted = true;
        self
    }

    /// Whether a score can come from it: it is live, and it is no decoy.
    pub fn is_expected(&self) -> bool {
        self.live && self.role != Some(Role::Decoy)
    }

    /// Whether a score of it can be chosen, if it has a place.
    fn can_be_chosen(&self) -> bool {
        self.is_expected() && !self.muted
    }
}

/// Why a roster cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// Because there are more members than can be numbered.
    #[error("found {count} models, expected at most {}", MemberIndex::LIMIT)]
    TooManyMembers {
        /// How many there are.
        count: usize,
    },
    /// Because two members have one name.
    #[error("found model `{0}` twice on the roster, expected every name once")]
    MemberTwice(ModelName),
    /// Because the policy names a model that is not on the roster.
    #[error("found model `{0}` in the order, expected a model of the roster")]
    UnknownModel(ModelName),
    /// Because an order or an ensemble names a model twice.
    #[error("found model `{0}` twice in the order, expected every name once")]
    ModelTwice(ModelName),
    /// Because the policy names a model that records and never answers.
    #[error("found decoy `{0}` in the order, expected models that can answer")]
    DecoyInOrder(ModelName),
    /// Because an ensemble cannot have so many predictions.
    #[error("found a quorum of {quorum}, expected 1 to {members}, the members of the ensemble")]
    Quorum {
        /// How many predictions are enough.
        quorum: usize,
        /// How many members there are.
        members: usize,
    },
    /// Because something has no weight that can be.
    #[error("found weight {weight} of `{of}`, expected a number from 0")]
    Weight {
        /// The arm or the model.
        of: String,
        /// Its weight.
        weight: String,
    },
    /// Because a split leads nowhere.
    #[error("found a split without arms, expected at least one")]
    NoArms,
    /// Because two arms of a split have one name.
    #[error("found arm `{0}` twice in a split, expected every name once")]
    ArmTwice(String),
}

/// What decides on the course of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choosing<'a> {
    /// The route that it takes, by its position in the policy; `None` for the main way.
    pub route: Option<usize>,
    /// The model that a route of the kind [`Each`](crate::Target::Each) leads to.
    pub model: Option<&'a str>,
    /// What splits draw by: the key of the request, or its id where it has no key.
    pub unit: &'a str,
    /// When the request was made.
    pub time: Time,
}

/// The course of a request, and how likely that was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Selected {
    /// The course.
    pub course: CourseIndex,
    /// The product over the splits on the way of the arm's weight by the sum of weights.
    pub propensity: f64,
}

/// The models of an endpoint, and the policy that chooses among them.
#[derive(Debug, Clone)]
pub struct Roster {
    members: Vec<Member>,
    policy: Policy,
    /// The members in the order of their names.
    by_name: Vec<MemberIndex>,
    /// The expected members, in the order of their revisions.
    by_revision: Vec<(u64, MemberIndex)>,
    /// The expected members that are asked on every course.
    common: Vec<MemberIndex>,
    /// The position of each member in `common`, or `NOT_COMMON`.
    common_turns: Vec<u16>,
    ways: Vec<Way>,
    courses: Vec<Fixed>,
    ensembles: Vec<Assembled>,
    main: Fork,
    routes: Vec<Plan>,
    /// Those that have a place on any course and can be chosen there.
    answering: PositionSet,
}

const NOT_COMMON: u16 = u16::MAX;

impl Roster {
    /// Checks that every name is there once and that the policy names only models that can answer.
    ///
    /// A model that the policy names and that is not live is no mistake: it is passed over. Costs
    /// O(n log n) for the members and the names of the policy.
    pub fn new(members: Vec<Member>, policy: Policy) -> Result<Self, RosterError> {
        if members.len() > MemberIndex::LIMIT {
            return Err(RosterError::TooManyMembers { count: members.len() });
        }
        let mut roster = Self {
            by_name: sorted_by_name(&members)?,
            by_revision: sorted_by_revision(&members),
            common: Vec::new(),
            common_turns: vec![NOT_COMMON; members.len()],
            ways: Vec::new(),
            courses: Vec::new(),
            ensembles: Vec::new(),
            main: Fork::default(),
            routes: Vec::new(),
            answering: PositionSet::empty(members.len()),
            members,
            policy: Policy::default(),
        };
        plan::lay_out(&mut roster, &policy)?;
        roster.policy = policy;
        Ok(roster)
    }

    /// The members; a [`MemberIndex`] is a position here.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member with this number, if the roster is that long.
    pub fn member(&self, member: MemberIndex) -> Option<&Member> {
        self.members.get(member.as_usize())
    }

    /// The number of the member with this name.
    pub fn position(&self, name: &str) -> Option<MemberIndex> {
        self.by_name
            .binary_search_by(|member| self.members[member.as_usize()].name.as_str().cmp(name))
            .ok()
            .map(|found| self.by_name[found])
    }

    /// The number of the expected member of this revision. Where several models share it, any of them.
    pub fn position_of(&self, revision: u64) -> Option<MemberIndex> {
        let found = self.by_revision.binary_search_by_key(&revision, |&(revision, _)| revision);
        found.ok().map(|found| self.by_revision[found].1)
    }

    /// The policy, as it was given.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The course that a request takes; always the same for the same roster and request.
    ///
    /// `None` where there is no such route, or the route does not lead to that model.
    pub fn select(&self, choosing: Choosing<'_>) -> Option<Selected> {
        let Choosing { route, model, unit, time } = choosing;
        let fork = match route {
            None => &self.main,
            Some(route) => match self.routes.get(route)? {
                Plan::Fork(fork) => fork,
                Plan::Each { first, members } => {
                    let member = self.position(model?)?;
                    let nth = members.binary_search(&member).ok()?;
                    return Some(Selected { course: first.plus(nth), propensity: 1.0 });
                }
            },
        };
        Some(fork.descend(unit, time))
    }

    /// A course of this roster; the first one in the place of one that it does not have.
    pub fn course(&self, course: CourseIndex) -> Course<'_> {
        let fixed = self.courses.get(course.as_usize()).unwrap_or(&self.courses[0]);
        Course { roster: self, fixed: *fixed, way: &self.ways[fixed.way as usize] }
    }

    /// Every course. Those of the main way come first, then those of the routes.
    pub fn courses(&self) -> impl Iterator<Item = Course<'_>> {
        (0..self.courses.len()).map(|position| self.course(CourseIndex::from_usize(position)))
    }

    /// What courses share, each once and without the models that only one course has.
    pub fn ways(&self) -> impl Iterator<Item = Course<'_>> {
        let ways = (0..).zip(&self.ways);
        ways.map(|(way, shared)| {
            let fixed = Fixed { way, head: None };
            Course { roster: self, fixed, way: shared }
        })
    }

    /// The expected members that are asked on every course: those that have a role, that the main way
    /// names outside of splits without shadows, or that nothing names.
    pub fn common(&self) -> &[MemberIndex] {
        &self.common
    }

    /// Whether this member is asked on every course.
    pub fn is_common(&self, member: MemberIndex) -> bool {
        self.common_turns.get(member.as_usize()).is_some_and(|&turn| turn != NOT_COMMON)
    }

    /// An ensemble of the policy.
    pub fn ensemble(&self, ensemble: EnsembleIndex) -> &Assembled {
        &self.ensembles[ensemble.as_usize()]
    }

    /// Every ensemble of the policy.
    pub fn ensembles(&self) -> &[Assembled] {
        &self.ensembles
    }

    /// The members that have a part in a place.
    pub fn seated(&self, seat: Seat) -> impl Iterator<Item = MemberIndex> + '_ {
        let (one, several) = match seat {
            Seat::Member(member) => (Some(member), &[][..]),
            Seat::Ensemble(ensemble) => (None, &self.ensemble(ensemble).members[..]),
        };
        one.into_iter().chain(several.iter().map(|&(member, _)| member))
    }

    /// Whether a score of this member can become an answer or a part of one: it is live, not muted,
    /// and has a place on some course. Everybody else is a shadow.
    pub fn can_answer(&self, member: MemberIndex) -> bool {
        self.answering.contains(member.as_usize())
    }

    /// Whether there is a default to answer with when nothing came.
    pub const fn has_default(&self) -> bool {
        self.policy.default
    }

    /// The members whose scores cannot be chosen.
    pub(crate) fn absent(&self) -> PositionSet {
        let mut absent = PositionSet::empty(self.members.len());
        for (position, member) in self.members.iter().enumerate() {
            if !member.can_be_chosen() {
                absent.insert(position);
            }
        }
        absent
    }

    /// Whether this very incarnation of a model is here and may not be asked: it was taken off.
    ///
    /// One that is not here at all, or whose place another revision has, only drains. `hint` is where
    /// it stood, which is most often where it stands.
    pub(crate) fn takes_off(&self, other: &Member, hint: usize) -> bool {
        let hinted = self.members.get(hint).filter(|member| member.name == other.name);
        let found = hinted.or_else(|| {
            self.position(other.name.as_str()).map(|found| &self.members[found.as_usize()])
        });
        found.is_some_and(|member| member.revision == other.revision && !member.can_be_chosen())
    }

    /// Whether this has a place somebody can take.
    fn is_open(&self, seat: Seat) -> bool {
        let can_be_chosen = |member: MemberIndex| self.members[member.as_usize()].can_be_chosen();
        match seat {
            Seat::Member(member) => can_be_chosen(member),
            Seat::Ensemble(ensemble) => {
                let ensemble = self.ensemble(ensemble);
                let open = ensemble.members.iter().filter(|&&(member, _)| can_be_chosen(member));
                open.count() >= ensemble.quorum
            }
        }
    }
}

impl Default for Roster {
    /// Nobody.
    fn default() -> Self {
        let nobody = Self::new(Vec::new(), Policy::default());
        nobody.expect("invariant: an empty order fits any roster")
    }
}

impl PartialEq for Roster {
    /// All the rest is made of these two.
    fn eq(&self, other: &Self) -> bool {
        self.members == other.members && self.policy == other.policy
    }
}

fn sorted_by_name(members: &[Member]) -> Result<Vec<MemberIndex>, RosterError> {
    let name = |member: MemberIndex| &members[member.as_usize()].name;
    let mut by_name: Vec<_> = (0..members.len()).map(MemberIndex::from_usize).collect();
    by_name.sort_unstable_by(|&left, &right| name(left).cmp(name(right)));
    match by_name.windows(2).find(|pair| name(pair[0]) == name(pair[1])) {
        Some(pair) => Err(RosterError::MemberTwice(name(pair[0]).clone())),
        None => Ok(by_name),
    }
}

fn sorted_by_revision(members: &[Member]) -> Vec<(u64, MemberIndex)> {
    let expected = members.iter().enumerate().filter(|(_, member)| member.is_expected());
    let numbered =
        expected.map(|(position, member)| (member.revision, MemberIndex::from_usize(position)));
    let mut by_revision: Vec<_> = numbered.collect();
    by_revision.sort_unstable();
    by_revision
}

#[cfg(test)]
mod tests;
