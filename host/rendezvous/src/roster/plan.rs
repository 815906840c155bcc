//! From a policy to courses.
//!
//! Two things are worked out for each leaf of the tree: its places, and who is asked there. A name is
//! asked within its *scope*: the whole tree that it stands in, or, within a split without shadows, its
//! arm. The scope of the main tree is every course.

use std::sync::Arc;
use std::time::Duration;

use message::{ModelName, Role, Time};

use super::course::{Fixed, Way};
use super::{CourseIndex, Roster, RosterError, Selected};
use crate::ensemble::Assembled;
use crate::members::PositionSet;
use crate::preference::{Place, Seat};
use crate::split::{Drawer, draw};
use crate::{
    Branch, Candidate, Ensemble, EnsembleIndex, MemberIndex, Policy, Preference, Split, Target,
};

/// Where one way leads.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    /// Through splits to a course.
    Fork(Fork),
    /// To one course for each of these members, in their order.
    Each { first: CourseIndex, members: Vec<MemberIndex> },
}

/// A branch of the policy, ready to be taken.
#[derive(Debug, Clone)]
pub(super) enum Fork {
    Leaf(CourseIndex),
    Arms(Vec<(Drawer, Self)>),
}

impl Default for Fork {
    fn default() -> Self {
        Self::Leaf(CourseIndex::default())
    }
}

impl Fork {
    /// The course of one unit.
    pub(super) fn descend(&self, unit: &str, time: Time) -> Selected {
        let mut fork = self;
        let mut propensity = 1.0;
        loop {
            match fork {
                Self::Leaf(course) => return Selected { course: *course, propensity },
                Self::Arms(arms) => {
                    let (drawn, share) = draw(arms.iter().map(|(drawer, _)| drawer), unit, time);
                    propensity *= share;
                    fork = &arms[drawn].1;
                }
            }
        }
    }
}

/// Where a branch stands in the policy.
struct Spot {
    /// The seed of a split that has none.
    seed: String,
    /// The route and the arms that lead there.
    path: String,
    /// The members that are asked there and may not be common.
    scope: Vec<MemberIndex>,
}

impl Spot {
    fn arm(&self, seed: &str, name: &str, more: &[MemberIndex]) -> Self {
        Self {
            seed: format!("{seed}/{name}"),
            path: if self.path.is_empty() {
                name.to_owned()
            } else {
                format!("{}/{name}", self.path)
            },
            scope: [&self.scope, more].concat(),
        }
    }
}

/// Fills in what a roster knows of its policy.
pub(super) fn lay_out(roster: &mut Roster, policy: &Policy) -> Result<(), RosterError> {
    let main_scope = scope(roster, &policy.main)?;
    look_for_common(roster, policy, &main_scope)?;
    let spot = Spot { seed: policy.seed.clone(), path: String::new(), scope: Vec::new() };
    roster.main = fork(roster, &policy.main, &spot)?;
    for (position, route) in policy.routes.iter().enumerate() {
        let path = route.name.clone().unwrap_or_else(|| format!("route[{position}]"));
        let seed = format!("{}/{path}", policy.seed);
        let plan = match &route.target {
            Target::Branch(branch) => {
                let scope = scope(roster, branch)?;
                Plan::Fork(fork(roster, branch, &Spot { seed, path, scope })?)
            }
            Target::Each { models, until, then } => {
                each(roster, models, *until, then, &Spot { seed, path, scope: Vec::new() })?
            }
        };
        roster.routes.push(plan);
    }
    Ok(())
}

/// Finds out who is asked on every course: those with a role, those of the main tree, and those that
/// nothing names.
fn look_for_common(
    roster: &mut Roster,
    policy: &Policy,
    main_scope: &[MemberIndex],
) -> Result<(), RosterError> {
    let mut named = PositionSet::empty(roster.members.len());
    let mut note = |members: &[MemberIndex]| {
        for member in members {
            named.insert(member.as_usize());
        }
    };
    note(&all(roster, &policy.main)?);
    for route in &policy.routes {
        match &route.target {
            Target::Branch(branch) => note(&all(roster, branch)?),
            Target::Each { models, then, .. } => {
                note(&found(roster, models.iter())?);
                note(&of_order(roster, then)?);
            }
        }
    }
    let mut of_main = PositionSet::empty(roster.members.len());
    for member in main_scope {
        of_main.insert(member.as_usize());
    }
    for (position, member) in roster.members.iter().enumerate() {
        let everywhere =
            member.role.is_some() || of_main.contains(position) || !named.contains(position);
        if everywhere && member.is_expected() {
            let turn = u16::try_from(roster.common.len());
            roster.common_turns[position] = turn.expect("invariant: turns are fewer than members");
            roster.common.push(MemberIndex::from_usize(position));
        }
    }
    Ok(())
}

/// Lays out one branch.
fn fork(roster: &mut Roster, branch: &Branch, spot: &Spot) -> Result<Fork, RosterError> {
    match branch {
        Branch::Preference(preference) => {
            let way = way(roster, preference, spot)?;
            let way = add_way(roster, way);
            roster.courses.push(Fixed { way, head: None });
            Ok(Fork::Leaf(CourseIndex::from_usize(roster.courses.len() - 1)))
        }
        Branch::Split(split) => arms(roster, split, spot),
    }
}

fn arms(roster: &mut Roster, split: &Split, spot: &Spot) -> Result<Fork, RosterError> {
    if split.arms.is_empty() {
        return Err(RosterError::NoArms);
    }
    let seed = split.seed.as_ref().unwrap_or(&spot.seed);
    let mut arms = Vec::with_capacity(split.arms.len());
    for (position, arm) in split.arms.iter().enumerate() {
        if split.arms[..position].iter().any(|above| above.name == arm.name) {
            return Err(RosterError::ArmTwice(arm.name.clone()));
        }
        check_weight(&arm.name, arm.weight)?;
        check_weight(&arm.name, arm.ramp.map_or(0.0, |ramp| ramp.to))?;
        let own = if split.shadow { Vec::new() } else { scope(roster, &arm.branch)? };
        let fork = fork(roster, &arm.branch, &spot.arm(seed, &arm.name, &own))?;
        arms.push((Drawer::new(seed, arm), fork));
    }
    Ok(Fork::Arms(arms))
}

/// Lays out a route that leads to each of many models.
fn each(
    roster: &mut Roster,
    models: &[ModelName],
    until: Option<Duration>,
    then: &Preference,
    spot: &Spot,
) -> Result<Plan, RosterError> {
    let mut members = found(roster, models.iter())?;
    members.sort_unstable();
    if let Some(pair) = members.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(RosterError::ModelTwice(name(roster, pair[0])));
    }
    let way = Way { head_until: until, ..way(roster, then, spot)? };
    let way = add_way(roster, way);
    let first = CourseIndex::from_usize(roster.courses.len());
    for &member in &members {
        no_decoy(roster, member)?;
        mark_answering(roster, member);
        roster.courses.push(Fixed { way, head: Some(member) });
    }
    Ok(Plan::Each { first, members })
}

/// Finds the places of an order, and who is asked for them.
fn way(roster: &mut Roster, preference: &Preference, spot: &Spot) -> Result<Way, RosterError> {
    let mut way = Way { path: Arc::from(spot.path.as_str()), ..Way::default() };
    for preferred in &preference.order {
        let seat = match &preferred.candidate {
            Candidate::Model(model) => {
                let seat = Seat::Member(member(roster, model)?);
                if way.places.iter().any(|place| place.seat == seat) {
                    return Err(RosterError::ModelTwice(model.clone()));
                }
                seat
            }
            Candidate::Ensemble(ensemble) => {
                way.has_ensembles = true;
                assemble(roster, ensemble)?
            }
        };
        way.places.push(Place { seat, until: preferred.until });
    }
    if preference.order.is_empty() {
        append_role(roster, &mut way, Role::Champion);
    }
    append_role(roster, &mut way, Role::Fallback);
    way.has_live_place = way.places.iter().any(|place| roster.is_open(place.seat));
    way.ranks = ranks(roster, &way.places);
    for &(member, _) in &way.ranks {
        mark_answering(roster, member);
    }
    way.extras = extras(roster, &way, &spot.scope);
    Ok(way)
}

fn assemble(roster: &mut Roster, ensemble: &Ensemble) -> Result<Seat, RosterError> {
    let mut members: Vec<(MemberIndex, f64)> = Vec::with_capacity(ensemble.members.len());
    for (model, weight) in &ensemble.members {
        let member = member(roster, model)?;
        if members.iter().any(|&(above, _)| above == member) {
            return Err(RosterError::ModelTwice(model.clone()));
        }
        check_weight(model.as_str(), *weight)?;
        members.push((member, *weight));
    }
    let quorum = ensemble.quorum;
    if !(1..=members.len()).contains(&quorum) {
        return Err(RosterError::Quorum { quorum, members: members.len() });
    }
    roster.ensembles.push(Assembled { members, combine: ensemble.combine, quorum });
    Ok(Seat::Ensemble(EnsembleIndex::from_usize(roster.ensembles.len() - 1)))
}

/// Appends those members of a role that have no place of their own yet.
fn append_role(roster: &Roster, way: &mut Way, role: Role) {
    for (position, member) in roster.members.iter().enumerate() {
        let seat = Seat::Member(MemberIndex::from_usize(position));
        if member.role == Some(role) && way.places.iter().all(|place| place.seat != seat) {
            way.places.push(Place { seat, until: None });
        }
    }
}

/// Who has a part in which place first.
fn ranks(roster: &Roster, places: &[Place]) -> Vec<(MemberIndex, u32)> {
    let mut ranks = Vec::new();
    for (rank, place) in (0..).zip(places) {
        match place.seat {
            Seat::Member(member) => ranks.push((member, rank)),
            Seat::Ensemble(ensemble) => {
                let members = &roster.ensemble(ensemble).members;
                ranks.extend(members.iter().map(|&(member, _)| (member, rank)));
            }
        }
    }
    ranks.sort_unstable();
    ranks.dedup_by_key(|&mut (member, _)| member);
    ranks
}

fn extras(roster: &Roster, way: &Way, scope: &[MemberIndex]) -> Vec<MemberIndex> {
    let placed = way.ranks.iter().map(|&(member, _)| member);
    let mut extras: Vec<_> = placed.chain(scope.iter().copied()).collect();
    extras.retain(|&member| {
        let is_common = roster.common_turns[member.as_usize()] != super::NOT_COMMON;
        !is_common && roster.members[member.as_usize()].is_expected()
    });
    extras.sort_unstable();
    extras.dedup();
    extras
}

fn add_way(roster: &mut Roster, way: Way) -> u32 {
    roster.ways.push(way);
    u32::try_from(roster.ways.len() - 1).expect("invariant: a policy is no longer than its file")
}

fn mark_answering(roster: &mut Roster, member: MemberIndex) {
    if roster.members[member.as_usize()].can_be_chosen() {
        roster.answering.insert(member.as_usize());
    }
}

/// The members whose scope is the whole of a branch.
fn scope(roster: &Roster, branch: &Branch) -> Result<Vec<MemberIndex>, RosterError> {
    match branch {
        Branch::Preference(preference) => of_order(roster, preference),
        Branch::Split(split) if !split.shadow => Ok(Vec::new()),
        Branch::Split(split) => of_arms(split, |branch| scope(roster, branch)),
    }
}

/// Every member that a branch names.
fn all(roster: &Roster, branch: &Branch) -> Result<Vec<MemberIndex>, RosterError> {
    match branch {
        Branch::Preference(preference) => of_order(roster, preference),
        Branch::Split(split) => of_arms(split, |branch| all(roster, branch)),
    }
}

fn of_arms(
    split: &Split,
    of: impl Fn(&Branch) -> Result<Vec<MemberIndex>, RosterError>,
) -> Result<Vec<MemberIndex>, RosterError> {
    let arms: Result<Vec<_>, _> = split.arms.iter().map(|arm| of(&arm.branch)).collect();
    Ok(arms?.concat())
}

fn of_order(roster: &Roster, preference: &Preference) -> Result<Vec<MemberIndex>, RosterError> {
    let names = preference.order.iter().flat_map(|preferred| match &preferred.candidate {
        Candidate::Model(model) => vec![model],
        Candidate::Ensemble(ensemble) => ensemble.members.iter().map(|(model, _)| model).collect(),
    });
    found(roster, names)
}

fn found<'a>(
    roster: &Roster,
    names: impl Iterator<Item = &'a ModelName>,
) -> Result<Vec<MemberIndex>, RosterError> {
    names.map(|name| member(roster, name)).collect()
}

/// The member of a name in the policy.
fn member(roster: &Roster, model: &ModelName) -> Result<MemberIndex, RosterError> {
    let found = roster.position(model.as_str());
    let member = found.ok_or_else(|| RosterError::UnknownModel(model.clone()))?;
    no_decoy(roster, member)?;
    Ok(member)
}

fn no_decoy(roster: &Roster, member: MemberIndex) -> Result<(), RosterError> {
    match roster.members[member.as_usize()].role {
        Some(Role::Decoy) => Err(RosterError::DecoyInOrder(name(roster, member))),
        _ => Ok(()),
    }
}

fn name(roster: &Roster, member: MemberIndex) -> ModelName {
    roster.members[member.as_usize()].name.clone()
}

fn check_weight(of: &str, weight: f64) -> Result<(), RosterError> {
    if weight.is_finite() && weight >= 0.0 {
        return Ok(());
    }
    Err(RosterError::Weight { of: of.to_owned(), weight: weight.to_string() })
}
