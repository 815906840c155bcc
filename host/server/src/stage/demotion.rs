//! What demotion does to a policy, and how long each model is waited for.
//!
//! A demoted model keeps a place in every order that names it: behind the others, before the fallback,
//! and nobody waits for it there. So an answer that its score could improve on still is, if the score
//! happens to be there; and where nobody else can answer, nothing changes.
//!
//! Members of ensembles are none of this: an ensemble has its quorum and its own `until`. Neither is
//! the model that a route finds by a pattern: nobody else could be that client's.

use std::collections::BTreeMap;
use std::time::Duration;

use catalog::{EndpointConfig, Roles};
use message::ModelName;
use rendezvous::preference::Candidate;
use rendezvous::{Branch, Policy, Preference, Target};

/// Moves the demoted behind the others and before the fallback, in every order of the policy.
pub(super) fn give_way(policy: &mut Policy, roles: &Roles, demoted: &[&ModelName]) {
    if !demoted.is_empty() {
        for_each_order(policy, &mut |order| demote(order, roles, demoted));
    }
}

/// How long each model that has a place is waited for: the longest `until` that it has anywhere.
pub(super) fn waits(policy: &Policy, config: &EndpointConfig) -> BTreeMap<ModelName, Duration> {
    let mut waits: BTreeMap<ModelName, Duration> = BTreeMap::new();
    let mut policy = policy.clone();
    for_each_order(&mut policy, &mut |order| {
        spell_out(order, &config.roles);
        for preferred in &order.order {
            let Candidate::Model(model) = &preferred.candidate else { continue };
            let until = preferred.until.map_or(config.deadline, |it| it.min(config.deadline));
            let longest = waits.entry(model.clone()).or_default();
            *longest = until.max(*longest);
        }
    });
    if let Some(fallback) = &config.roles.fallback {
        waits.remove(fallback);
    }
    waits
}

fn for_each_order(policy: &mut Policy, visit: &mut impl FnMut(&mut Preference)) {
    visit_branch(&mut policy.main, visit);
    for route in &mut policy.routes {
        match &mut route.target {
            Target::Branch(branch) => visit_branch(branch, visit),
            Target::Each { then, .. } => visit(then),
        }
    }
}

fn visit_branch(branch: &mut Branch, visit: &mut impl FnMut(&mut Preference)) {
    match branch {
        Branch::Preference(order) => visit(order),
        Branch::Split(split) => {
            split.arms.iter_mut().for_each(|arm| visit_branch(&mut arm.branch, visit));
        }
    }
}

fn demote(order: &mut Preference, roles: &Roles, demoted: &[&ModelName]) {
    spell_out(order, roles);
    let last_resort = roles.fallback.clone().map(Candidate::Model).filter(|fallback| {
        order.order.last().is_some_and(|preferred| preferred.candidate == *fallback)
    });
    let place = |candidate: &Candidate| match candidate {
        last if Some(last) == last_resort.as_ref() => (true, false),
        Candidate::Model(model) => (false, demoted.contains(&model)),
        Candidate::Ensemble(_) => (false, false),
    };
    let is_demoted = |candidate: &Candidate| place(candidate) == (false, true);
    if order.order.iter().any(|it| is_demoted(&it.candidate)) {
        // Stable, so that the others keep their order among themselves.
        order.order.sort_by_key(|preferred| place(&preferred.candidate));
        let demoted = order.order.iter_mut().filter(|it| is_demoted(&it.candidate));
        demoted.for_each(|preferred| preferred.until = Some(Duration::ZERO));
    }
}

/// An empty order stands for the champion.
fn spell_out(order: &mut Preference, roles: &Roles) {
    if let Some(champion) = roles.champion.clone().filter(|_| order.order.is_empty()) {
        *order = Preference::default().then(champion, None);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn roles(text: &str) -> EndpointConfig {
        EndpointConfig::parse(Path::new("e"), text).unwrap()
    }

    /// An order in words: `a:30 b` waits 30 ms for a.
    fn order(words: &str) -> Preference {
        words.split_whitespace().fold(Preference::default(), |order, word| {
            let (model, until) = word.split_once(':').unwrap_or((word, ""));
            order.then(model, until.parse().ok().map(Duration::from_millis))
        })
    }

    fn check(demoted: &[&str], before: &str, after: &str) {
        let config = roles("roles = { champion = 'a', fallback = 'f' }");
        let demoted: Vec<ModelName> = demoted.iter().map(|&name| name.into()).collect();
        let mut policy = Policy::from(order(before));
        give_way(&mut policy, &config.roles, &demoted.iter().collect::<Vec<_>>());
        assert_eq!(policy.main, Branch::from(order(after)), "{demoted:?} of {before:?}");
    }

    #[test]
    fn the_demoted_go_behind_the_others_and_before_the_fallback() {
        check(&[], "a:30 b f", "a:30 b f");
        check(&["a"], "a:30 b:40 c", "b:40 c a:0");
        check(&["a"], "a:30 b f", "b a:0 f");
        check(&["a", "b"], "a:30 b:40 c", "c a:0 b:0");
        check(&["a"], "f a:30 b", "f b a:0");
        check(&["c"], "a:30 b", "a:30 b");
        check(&["f"], "a b f", "a b f");
    }

    #[test]
    fn an_empty_order_is_the_champion() {
        check(&["a"], "", "a:0");
        check(&["b"], "", "a");
    }

    #[test]
    fn a_model_is_waited_for_as_long_as_it_is_anywhere_but_a_fallback_never() {
        let config = roles(
            "deadline = '50ms'
            roles = { champion = 'a', fallback = 'f' }
            policy = { order = [{ model = 'a', until = '10ms' }, { model = 'b' }, { model = 'f' }] }
            route = [{ when = 'true', order = [{ model = 'a', until = '20ms' }] }]",
        );
        let mut policy = Policy::from(order("a:10 b f"));
        policy = policy.with_route(order("a:20"));
        let waits: Vec<_> = waits(&policy, &config).into_iter().collect();
        let ms = Duration::from_millis;
        assert_eq!(waits, [("a".into(), ms(20)), ("b".into(), ms(50))]);
    }
}
