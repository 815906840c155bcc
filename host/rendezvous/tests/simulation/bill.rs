//! A roster, read naively: what the rules say of who is asked and who may answer, as sets.
//!
//! It shares no code with the roster but the number that an arm draws, which has its own test against
//! another program. Whatever is asked is worked out anew from the policy.

use std::collections::BTreeSet;

use message::{Role, Time};
use rendezvous::{
    Branch, Candidate, Choosing, Member, Policy, Preference, Split, Target, split::point_of,
};

/// A roster, read naively.
#[derive(Debug)]
pub(crate) struct Bill {
    pub(crate) members: Vec<Member>,
    pub(crate) policy: Policy,
}

/// A leaf of the policy, and what leads there.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    /// Each step with whether names behind it are asked only there.
    steps: Vec<(String, bool)>,
    pub(crate) path: String,
    pub(crate) propensity: f64,
    pub(crate) places: Vec<Spot>,
}

/// One place of an order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spot {
    pub(crate) members: Vec<usize>,
    pub(crate) quorum: usize,
    pub(crate) is_ensemble: bool,
    pub(crate) until: Option<i128>,
}

impl Bill {
    pub(crate) fn new(members: Vec<Member>, policy: Policy) -> Self {
        Self { members, policy }
    }

    /// Whether the roster asks this member for anything.
    pub(crate) fn is_asked(&self, position: usize) -> bool {
        let member = self.members.get(position);
        member.is_some_and(|member| member.live && member.role != Some(Role::Decoy))
    }

    /// Whether a score of this member may be chosen.
    pub(crate) fn may_answer(&self, position: usize) -> bool {
        self.is_asked(position) && !self.members[position].muted
    }

    pub(crate) fn takes_off(&self, other: &Member) -> bool {
        let same = |it: usize| {
            self.members[it].name == other.name && self.members[it].revision == other.revision
        };
        (0..self.members.len()).any(|it| same(it) && !self.may_answer(it))
    }

    /// The leaf that a request takes.
    pub(crate) fn leaf(&self, choosing: Choosing<'_>) -> Option<Leaf> {
        let leaves = self.leaves(choosing.route, choosing.time)?;
        let Some(route) = choosing.route else {
            return self.drawn(&self.policy.main, leaves, choosing);
        };
        match &self.policy.routes[route].target {
            Target::Branch(branch) => self.drawn(branch, leaves, choosing),
            Target::Each { models, .. } => {
                let nth = models.iter().position(|it| Some(it.as_str()) == choosing.model)?;
                leaves.into_iter().nth(nth)
            }
        }
    }

    /// Every leaf of a route or of the main way, in the order of the policy.
    pub(crate) fn leaves(&self, route: Option<usize>, time: Time) -> Option<Vec<Leaf>> {
        let mut leaves = Vec::new();
        let Some(number) = route else {
            let root = self.root("main", false, "");
            self.collect(&self.policy.main, root, time, &mut leaves);
            return Some(leaves);
        };
        let route = self.policy.routes.get(number)?;
        let name = route.name.clone().unwrap_or_else(|| format!("route[{number}]"));
        let root = self.root(&format!("route {number}"), true, &name);
        match &route.target {
            Target::Branch(branch) => self.collect(branch, root, time, &mut leaves),
            Target::Each { models, until, then } => leaves.extend(models.iter().map(|model| {
                let mut leaf = root.clone();
                leaf.steps.push((format!("each {model}"), true));
                leaf.places = self.spots(then);
                let until = until.map(|until| until.as_micros() as i128);
                let members = vec![self.position(model.as_str())];
                leaf.places.insert(0, Spot { members, quorum: 1, is_ensemble: false, until });
                leaf
            })),
        }
        Some(leaves)
    }

    /// Who is asked at a leaf.
    pub(crate) fn expected(&self, leaf: &Leaf) -> BTreeSet<usize> {
        let mentions = self.mentions();
        let is_named = |it: usize| mentions.iter().any(|(_, member)| *member == it);
        let is_named_here = |it: usize| {
            mentions.iter().any(|(steps, member)| {
                let scope = steps.iter().rposition(|(_, binds)| *binds).map_or(0, |last| last + 1);
                *member == it && leaf.steps.starts_with(&steps[..scope])
            })
        };
        let is_expected = |&it: &usize| {
            let has_role = self.members[it].role.is_some();
            self.is_asked(it) && (has_role || !is_named(it) || is_named_here(it))
        };
        (0..self.members.len()).filter(is_expected).collect()
    }

    /// Every name in the policy, with where it stands.
    fn mentions(&self) -> Vec<(Vec<(String, bool)>, usize)> {
        let routes = (0..self.policy.routes.len()).map(Some);
        let mut mentions = Vec::new();
        for route in std::iter::once(None).chain(routes) {
            // The order behind each of many models is named by the route, whatever these are.
            let target = route.map(|route| &self.policy.routes[route].target);
            if let Some(Target::Each { then, .. }) = target {
                let steps = vec![(format!("route {}", route.unwrap_or(0)), true)];
                let behind = self.spots(then).into_iter().flat_map(|spot| spot.members);
                mentions.extend(behind.map(|member| (steps.clone(), member)));
            }
            let is_each = matches!(target, Some(Target::Each { .. }));
            for leaf in self.leaves(route, Time::EPOCH).expect("the route exists") {
                let own = if is_each { &leaf.places[..1] } else { &leaf.places[..] };
                let named = own.iter().flat_map(|spot| &spot.members);
                mentions.extend(named.map(|&member| (leaf.steps.clone(), member)));
            }
        }
        mentions
    }

    fn root(&self, step: &str, binds: bool, path: &str) -> Leaf {
        let steps = vec![(step.to_owned(), binds)];
        Leaf { steps, path: path.to_owned(), propensity: 1.0, places: Vec::new() }
    }

    fn collect(&self, branch: &Branch, at: Leaf, time: Time, leaves: &mut Vec<Leaf>) {
        let split = match branch {
            Branch::Preference(preference) => {
                leaves.push(Leaf { places: self.spots(preference), ..at });
                return;
            }
            Branch::Split(split) => split,
        };
        let weights = weights(split, time);
        let sum: f64 = weights.iter().sum();
        for (arm, weight) in split.arms.iter().zip(&weights) {
            let mut leaf = at.clone();
            leaf.steps.push((arm.name.clone(), !split.shadow));
            let slash = if leaf.path.is_empty() { "" } else { "/" };
            leaf.path = format!("{}{slash}{}", leaf.path, arm.name);
            leaf.propensity *= weight / sum;
            self.collect(&arm.branch, leaf, time, leaves);
        }
    }

    /// The leaf whose arms win their draws.
    fn drawn(&self, branch: &Branch, leaves: Vec<Leaf>, choosing: Choosing<'_>) -> Option<Leaf> {
        let mut seed = self.policy.seed.clone();
        if let Some(number) = choosing.route {
            let name = self.policy.routes[number].name.clone();
            seed = format!("{seed}/{}", name.unwrap_or_else(|| format!("route[{number}]")));
        }
        let mut branch = branch;
        let mut arms: Vec<&str> = Vec::new();
        while let Branch::Split(split) = branch {
            let own = split.seed.clone().unwrap_or(seed);
            let weights = weights(split, choosing.time);
            let score = |nth: usize| {
                -point_of(&own, &split.arms[nth].name, choosing.unit).ln() / weights[nth]
            };
            let with_weight = (0..split.arms.len()).filter(|&nth| weights[nth] > 0.0);
            let winner = with_weight.min_by(|&a, &b| score(a).total_cmp(&score(b))).unwrap_or(0);
            let arm = &split.arms[winner];
            arms.push(&arm.name);
            seed = format!("{own}/{}", arm.name);
            branch = &arm.branch;
        }
        leaves.into_iter().find(|leaf| leaf.steps[1..].iter().map(|(step, _)| step).eq(arms.iter()))
    }

    fn spots(&self, preference: &Preference) -> Vec<Spot> {
        let spot = |preferred: &rendezvous::Preferred| {
            let until = preferred.until.map(|until| until.as_micros() as i128);
            match &preferred.candidate {
                Candidate::Model(model) => {
                    let members = vec![self.position(model.as_str())];
                    Spot { members, quorum: 1, is_ensemble: false, until }
                }
                Candidate::Ensemble(ensemble) => {
                    let names = ensemble.members.iter().map(|(name, _)| name.as_str());
                    let members = names.map(|name| self.position(name)).collect();
                    Spot { members, quorum: ensemble.quorum, is_ensemble: true, until }
                }
            }
        };
        let mut spots: Vec<Spot> = preference.order.iter().map(spot).collect();
        for role in [Role::Champion, Role::Fallback] {
            if role == Role::Champion && !preference.order.is_empty() {
                continue;
            }
            for it in (0..self.members.len()).filter(|&it| self.members[it].role == Some(role)) {
                if !spots.iter().any(|spot| !spot.is_ensemble && spot.members == [it]) {
                    let members = vec![it];
                    spots.push(Spot { members, quorum: 1, is_ensemble: false, until: None });
                }
            }
        }
        spots
    }

    fn position(&self, name: &str) -> usize {
        let found = self.members.iter().position(|member| member.name.as_str() == name);
        found.expect("only what is on the roster is named")
    }
}

fn weights(split: &Split, time: Time) -> Vec<f64> {
    let weight = |arm: &rendezvous::Arm| match arm.ramp {
        Some(ramp) if time.as_us() >= (ramp.starts + ramp.over).as_us() => ramp.to,
        Some(ramp) if time > ramp.starts => {
            let passed = (time.as_us() - ramp.starts.as_us()) as f64;
            arm.weight + (ramp.to - arm.weight) * (passed / ramp.over.as_micros() as f64)
        }
        _ => arm.weight,
    };
    split.arms.iter().map(weight).collect()
}
