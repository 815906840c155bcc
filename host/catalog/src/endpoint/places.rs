//! Where each model stands in the policy and the routes, in words: what an operator compares.

use std::time::Duration;

use message::ModelName;

use super::policy::{PolicyConfig, Preferred};
use super::route::RouteKind;
use super::{EndpointConfig, Roles};

/// A model at a place from which it may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The model.
    pub model: ModelName,
    /// The place: `order 1, until 30ms`, or `arm treatment: member`.
    pub place: String,
}

impl EndpointConfig {
    /// Every place from which a model may answer, the policy's first. The models that a route finds
    /// by a pattern are not among them.
    pub fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        policy(&self.policy.choice, "", &self.roles, &mut places);
        for (index, route) in self.routes.iter().enumerate() {
            let name = route.name.clone().unwrap_or_else(|| (index + 1).to_string());
            let before = format!("route {name}: ");
            match &route.kind {
                RouteKind::Policy(choice) => policy(choice, &before, &self.roles, &mut places),
                RouteKind::Each { order: models, .. } => order(models, &before, &mut places),
            }
        }
        places
    }
}

fn policy(choice: &PolicyConfig, before: &str, roles: &Roles, places: &mut Vec<Place>) {
    match choice {
        PolicyConfig::Preference(preference) if preference.order.is_empty() => {
            let named = [("its champion", &roles.champion), ("its fallback", &roles.fallback)];
            places.extend(named.into_iter().filter_map(|(as_what, model)| {
                let place = format!("{before}{as_what}");
                model.clone().map(|model| Place { model, place })
            }));
        }
        PolicyConfig::Preference(preference) => {
            order(&preference.order, before, places);
            // It is the last of every order, and need not be named.
            let is_named = |model: &ModelName| preference.order.iter().any(|it| it.model == *model);
            if let Some(model) = roles.fallback.clone().filter(|model| !is_named(model)) {
                places.push(Place { model, place: format!("{before}last, as the fallback") });
            }
        }
        PolicyConfig::Split(split) => {
            for arm in &split.arms {
                let before = format!("{before}arm {} ({}): ", arm.name, arm.weight);
                policy(&arm.policy, &before, roles, places);
            }
        }
        PolicyConfig::Ensemble(ensemble) => {
            places.extend(ensemble.members.iter().map(|member| {
                let place = format!("{before}member, weight {}", member.weight);
                Place { model: member.model.clone(), place }
            }));
            order(&ensemble.below, &format!("{before}below "), places);
        }
    }
}

fn order(order: &[Preferred], before: &str, places: &mut Vec<Place>) {
    let until = |until: &Option<Duration>| {
        until.map_or_else(String::new, |until| format!(", until {until:?}"))
    };
    places.extend(order.iter().enumerate().map(|(index, preferred)| Place {
        model: preferred.model.clone(),
        place: format!("{before}order {}{}", index + 1, until(&preferred.until)),
    }));
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn check(text: &str, expected: &[(&str, &str)]) {
        let config = EndpointConfig::parse(Path::new("e"), text).unwrap();
        let places = config.places();
        let places: Vec<_> =
            places.iter().map(|it| (it.model.as_str(), it.place.as_str())).collect();
        assert_eq!(places, expected);
    }

    #[test]
    fn a_place_is_said_in_words() {
        check(
            "roles = { champion = 'a', fallback = 'b', canary = 'c' }",
            &[("a", "its champion"), ("b", "its fallback")],
        );
        check(
            "roles = { fallback = 'd' }\n[policy]\norder = [{ model = 'a', until = '30ms' }, \
             { model = 'b' }]\n[[route]]\nname = 'islands'\nwhen = 'true'\norder = [{ model = 'c' }]",
            &[
                ("a", "order 1, until 30ms"),
                ("b", "order 2"),
                ("d", "last, as the fallback"),
                ("c", "route islands: order 1"),
                ("d", "route islands: last, as the fallback"),
            ],
        );
        check(
            "[policy]\nkind = 'split'\n[[policy.arm]]\nweight = 9\nmodel = 'a'\n[[policy.arm]]\n\
             name = 'both'\nweight = 1\npolicy = { kind = 'ensemble', combine = 'mean', \
             members = [{ model = 'a' }, { model = 'b' }], below = [{ model = 'c' }] }",
            &[
                ("a", "arm a (9): order 1"),
                ("a", "arm both (1): member, weight 1"),
                ("b", "arm both (1): member, weight 1"),
                ("c", "arm both (1): below order 1"),
            ],
        );
    }
}
