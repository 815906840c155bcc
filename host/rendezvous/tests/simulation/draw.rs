//! Random policies over the members of a roster.

use std::time::Duration;

use message::{ModelName, Role, Time};
use rendezvous::{
    Arm, Branch, Combine, Ensemble, Member, Policy, Preference, Ramp, Route, Split, Target,
};

use crate::world::Source;

/// A policy that names only what can answer.
pub(crate) fn draw_policy(source: &mut impl Source, members: &[Member], now: Time) -> Policy {
    let can_answer = members.iter().filter(|member| member.role != Some(Role::Decoy));
    let names: Vec<_> = can_answer.map(|member| member.name.clone()).collect();
    let is_plain = source.one_in(3);
    let depth = if is_plain { 0 } else { 2 };
    let mut policy = Policy::from(draw_branch(source, &names, now, depth));
    policy.seed = format!("seed {}", source.below(3));
    policy.default = source.one_in(2);
    if !is_plain {
        for number in 0..source.below(3) {
            let name = source.one_in(2).then(|| format!("way {number}"));
            let target = draw_target(source, &names, now);
            policy.routes.push(Route { name, target });
        }
    }
    policy
}

fn draw_target(source: &mut impl Source, names: &[ModelName], now: Time) -> Target {
    if source.one_in(2) {
        return Target::Branch(draw_branch(source, names, now, 1));
    }
    Target::Each {
        models: draw_names(source, names, 5),
        until: draw_until(source),
        then: draw_preference(source, names),
    }
}

fn draw_branch(source: &mut impl Source, names: &[ModelName], now: Time, depth: u64) -> Branch {
    if depth == 0 || source.one_in(2) {
        return draw_preference(source, names).into();
    }
    let mut split = Split { shadow: source.one_in(2), ..Split::new() };
    if source.one_in(3) {
        split = split.seeded(format!("own seed {}", source.below(3)));
    }
    for number in 0..1 + source.below(3) {
        let ramp = source.one_in(3).then(|| Ramp {
            to: source.below(50) as f64,
            starts: now - Duration::from_micros(source.below(400)),
            over: Duration::from_micros(source.below(800)),
        });
        let weight = source.below(100) as f64 / 8.0;
        // One arm has a weight at any time.
        let (weight, ramp) = if number == 0 { (weight + 0.5, None) } else { (weight, ramp) };
        let branch = draw_branch(source, names, now, depth - 1);
        split = split.with(Arm { name: format!("arm {number}"), weight, ramp, branch });
    }
    split.into()
}

/// An order of some models and ensembles, in any order.
fn draw_preference(source: &mut impl Source, names: &[ModelName]) -> Preference {
    let mut preference = Preference::default();
    for name in draw_names(source, names, 6) {
        if source.one_in(4) {
            let ensemble = draw_ensemble(source, names);
            preference = preference.then(ensemble, draw_until(source));
        }
        preference = preference.then(name, draw_until(source));
    }
    preference
}

/// Some models together; `names` is not empty.
fn draw_ensemble(source: &mut impl Source, names: &[ModelName]) -> Ensemble {
    let mut drawn = draw_names(source, names, 5);
    if drawn.is_empty() {
        drawn = names[..1].to_vec();
    }
    let quorum = 1 + source.below(drawn.len() as u64) as usize;
    let members = drawn.into_iter().map(|name| (name, source.below(4) as f64)).collect();
    Ensemble { members, combine: Combine::Mean, quorum }
}

fn draw_names(source: &mut impl Source, names: &[ModelName], bound: u64) -> Vec<ModelName> {
    let mut names = names.to_vec();
    let count = source.below(bound).min(names.len() as u64);
    let mut drawn = Vec::new();
    for _ in 0..count {
        let picked = source.below(names.len() as u64) as usize;
        drawn.push(names.swap_remove(picked));
    }
    drawn
}

fn draw_until(source: &mut impl Source) -> Option<Duration> {
    (!source.one_in(3)).then(|| Duration::from_micros(source.below(150)))
}
