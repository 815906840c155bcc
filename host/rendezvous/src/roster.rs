//! Rosters: which models there are, in which role, and how the policy ranks them.
//!
//! A roster is a value that is checked once and never changes. Everything that would be looked up by
//! name for each score is worked out in its constructor.

use message::{ModelName, Role};

use crate::members::MemberSet;
use crate::preference::Place;
use crate::{MemberIndex, Policy, Preference};

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
}

impl Member {
    /// A live member without a role.
    pub fn live(name: impl Into<ModelName>, revision: u64) -> Self {
        Self { name: name.into(), revision, role: None, live: true }
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

    /// Whether a score can come from it: it is live, and it is no decoy.
    pub fn is_expected(&self) -> bool {
        self.live && self.role != Some(Role::Decoy)
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
    /// Because the policy names a model twice.
    #[error("found model `{0}` twice in the order, expected every name once")]
    ModelTwice(ModelName),
    /// Because the policy names a model that records and never answers.
    #[error("found decoy `{0}` in the order, expected models that can answer")]
    DecoyInOrder(ModelName),
}

/// The models of an endpoint, and the policy that chooses among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    members: Vec<Member>,
    policy: Policy,
    order: Vec<Place>,
    default: bool,
    /// The members in the order of their names.
    by_name: Vec<MemberIndex>,
    /// The expected members, in the order of their revisions.
    by_revision: Vec<(u64, MemberIndex)>,
    /// The rank of each member, or `UNRANKED`.
    ranks: Vec<u16>,
    has_live_place: bool,
}

const UNRANKED: u16 = u16::MAX;

impl Roster {
    /// Checks that every name is there once and that the policy names only models that can answer.
    ///
    /// A model that the policy names and that is not live is no mistake: it is passed over.
    pub fn new(members: Vec<Member>, policy: Policy) -> Result<Self, RosterError> {
        if members.len() > MemberIndex::LIMIT {
            return Err(RosterError::TooManyMembers { count: members.len() });
        }
        let mut roster = Self {
            by_name: sorted_by_name(&members)?,
            by_revision: sorted_by_revision(&members),
            ranks: vec![UNRANKED; members.len()],
            order: Vec::new(),
            default: false,
            has_live_place: false,
            members,
            policy,
        };
        match roster.policy.clone() {
            Policy::Preference(preference) => roster.rank(&preference)?,
        }
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
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The members from which a score is expected for every request: the live ones but for decoys.
    pub fn expected(&self) -> impl Iterator<Item = MemberIndex> + '_ {
        let expected = self.members.iter().enumerate().filter(|(_, member)| member.is_expected());
        expected.map(|(position, _)| MemberIndex::from_usize(position))
    }

    /// Whether a score of this member can become an answer: it is live, and it has a place in the
    /// order. Everybody else is a shadow.
    pub fn can_answer(&self, member: MemberIndex) -> bool {
        self.rank_of(member).is_some() && self.members[member.as_usize()].is_expected()
    }

    /// The members that can become an answer, the most liked first, live or not.
    pub fn order(&self) -> &[Place] {
        &self.order
    }

    /// Whether there is a default to answer with when nothing came.
    pub const fn has_default(&self) -> bool {
        self.default
    }

    /// Whether any model of the order is live.
    pub(crate) const fn has_live_place(&self) -> bool {
        self.has_live_place
    }

    pub(crate) const fn expected_count(&self) -> usize {
        self.by_revision.len()
    }

    pub(crate) fn expects(&self, member: MemberIndex) -> bool {
        self.member(member).is_some_and(Member::is_expected)
    }

    pub(crate) fn rank_of(&self, member: MemberIndex) -> Option<u16> {
        self.ranks.get(member.as_usize()).copied().filter(|&rank| rank != UNRANKED)
    }

    /// The members from which no score can come.
    pub(crate) fn absent(&self) -> MemberSet {
        let mut absent = MemberSet::empty(self.members.len());
        for (position, member) in self.members.iter().enumerate() {
            if !member.is_expected() {
                absent.insert(MemberIndex::from_usize(position));
            }
        }
        absent
    }

    /// Whether this very incarnation of a model is here and may not be asked: it was taken off.
    ///
    /// One that is not here at all, or whose place another revision has, only drains.
    pub(crate) fn takes_off(&self, other: &Member) -> bool {
        self.position(other.name.as_str()).is_some_and(|member| {
            let member = &self.members[member.as_usize()];
            member.revision == other.revision && !member.is_expected()
        })
    }

    fn rank(&mut self, preference: &Preference) -> Result<(), RosterError> {
        self.default = preference.default;
        for preferred in &preference.order {
            let unknown = || RosterError::UnknownModel(preferred.model.clone());
            let member = self.position(preferred.model.as_str()).ok_or_else(unknown)?;
            if self.members[member.as_usize()].role == Some(Role::Decoy) {
                return Err(RosterError::DecoyInOrder(preferred.model.clone()));
            }
            if !self.append(Place { member, until: preferred.until }) {
                return Err(RosterError::ModelTwice(preferred.model.clone()));
            }
        }
        if preference.order.is_empty() {
            self.append_role(Role::Champion);
        }
        self.append_role(Role::Fallback);
        Ok(())
    }

    /// Appends those members of a role that have no place yet.
    fn append_role(&mut self, role: Role) {
        for position in 0..self.members.len() {
            if self.members[position].role == Some(role) {
                self.append(Place { member: MemberIndex::from_usize(position), until: None });
            }
        }
    }

    /// Appends a place, unless its member has one.
    fn append(&mut self, place: Place) -> bool {
        let rank = &mut self.ranks[place.member.as_usize()];
        if *rank != UNRANKED {
            return false;
        }
        self.has_live_place |= self.members[place.member.as_usize()].is_expected();
        *rank = u16::try_from(self.order.len()).expect("invariant: no more places than members");
        self.order.push(place);
        true
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
mod tests {
    use super::*;

    /// A live member for each word, its role after a colon; one after a minus is not live.
    fn members(words: &str) -> Vec<Member> {
        words
            .split_whitespace()
            .map(|word| {
                let (name, role) = word.split_once(':').unwrap_or((word, ""));
                let member = Member {
                    name: name.trim_start_matches('-').into(),
                    revision: 1,
                    role: Role::ALL.into_iter().find(|known| known.name() == role),
                    live: true,
                };
                if name.starts_with('-') { member.not_live() } else { member }
            })
            .collect()
    }

    fn roster(words: &str, order: &str) -> Result<Roster, RosterError> {
        let preference = order
            .split_whitespace()
            .fold(Preference::default(), |preference, name| preference.then(name, None));
        Roster::new(members(words), Policy::Preference(preference))
    }

    fn check(words: &str, order: &str, expected_order: &str, can_answer: &str) {
        let roster = roster(words, order).unwrap();
        let name = |member: MemberIndex| roster.member(member).unwrap().name.as_str();
        let names: Vec<_> = roster.order().iter().map(|place| name(place.member)).collect();
        assert_eq!(names.join(" "), expected_order);
        let names: Vec<_> = roster
            .order()
            .iter()
            .filter(|place| roster.can_answer(place.member))
            .map(|place| name(place.member))
            .collect();
        assert_eq!(names.join(" "), can_answer);
    }

    #[test]
    fn only_the_named_answer_and_the_fallback_comes_last() {
        check("a b c", "b a", "b a", "b a");
        check("f:fallback a b", "b a", "b a f", "b a f");
        check("f:fallback a b", "f a", "f a", "f a");
        check("a:champion b:challenger c:canary", "b", "b", "b");
        check("a:champion c:canary", "c a", "c a", "c a");
        check("-a:champion b", "a b", "a b", "b");
    }

    #[test]
    fn an_empty_order_is_the_champion_then_the_fallback() {
        check("f:fallback b a:champion c:canary d:decoy", "", "a f", "a f");
        check("-a:champion f:fallback", "", "a f", "f");
        check("a b", "", "", "");
        check("", "", "", "");
    }

    #[test]
    fn mistakes_name_what_was_found() {
        let error = |words, order| roster(words, order).unwrap_err();
        assert_eq!(error("a b a", "a"), RosterError::MemberTwice("a".into()));
        assert_eq!(error("a b", "b c"), RosterError::UnknownModel("c".into()));
        assert_eq!(error("a b", "b a b"), RosterError::ModelTwice("b".into()));
        assert_eq!(error("a b:decoy", "a b"), RosterError::DecoyInOrder("b".into()));
        assert_eq!(
            error("a b", "b c").to_string(),
            "found model `c` in the order, expected a model of the roster"
        );
    }

    #[test]
    fn a_roster_that_cannot_be_numbered_is_refused() {
        let many = |count: usize| (0..count).map(|n| Member::live(format!("m{n}"), 0)).collect();
        let limit = MemberIndex::LIMIT;
        assert!(Roster::new(many(limit), Policy::default()).is_ok());
        assert_eq!(
            Roster::new(many(limit + 1), Policy::default()),
            Err(RosterError::TooManyMembers { count: limit + 1 })
        );
    }

    #[test]
    fn scores_are_expected_of_the_live_but_not_of_decoys() {
        let roster = roster("a b:decoy -c d:canary", "a").unwrap();
        let expected: Vec<_> = roster.expected().map(MemberIndex::as_usize).collect();
        assert_eq!(expected, [0, 3]);
        assert_eq!(roster.expected_count(), 2);
        assert_eq!(roster.absent().count(), 2);
        assert!(!roster.expects(MemberIndex::new(4)));
    }

    #[test]
    fn a_member_is_the_same_by_name_and_revision() {
        let roster = roster("a -b", "a").unwrap();
        assert!(roster.takes_off(&Member::live("b", 1)));
        assert!(!roster.takes_off(&Member::live("b", 2)));
        assert!(!roster.takes_off(&Member::live("a", 1)));
        assert!(!roster.takes_off(&Member::live("c", 1)));
        assert_eq!(roster.position("b"), Some(MemberIndex::new(1)));
        assert_eq!(roster.position("c"), None);
        assert_eq!(roster.position_of(1), Some(MemberIndex::new(0)));
        assert_eq!(roster.position_of(2), None);
    }
}
