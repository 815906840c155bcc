//! What must hold between the keys of an `endpoint.toml`, which their types alone cannot say.

use std::collections::BTreeMap;

use message::{ModelName, Role};

use super::{EndpointConfig, PolicyConfig, Preferred, Quarantine};
use crate::document::{Document, KeyPath};
use crate::problem::Problem;

/// Finds the first pair of keys that contradict each other.
pub(super) fn check(config: &EndpointConfig, document: &Document) -> Result<(), Problem> {
    one_role_each(config, document)?;
    for (path, order) in orders(config) {
        each_model_once(&path, order, document)?;
        no_decoy(&path, order, config, document)?;
    }
    longest_is_longest(&config.quarantine, KeyPath::new("quarantine"), document)
}

/// Checks a quarantine that stands at `path`.
pub(crate) fn longest_is_longest(
    quarantine: &Quarantine,
    path: KeyPath,
    document: &Document,
) -> Result<(), Problem> {
    let (first, longest) = (quarantine.backoff_first, quarantine.backoff_longest);
    if longest >= first {
        return Ok(());
    }
    let problem = document.problem_at(&path.key("backoff_longest"), format!("{longest:?}"));
    Err(problem.expected(format!("at least backoff_first, {first:?}")))
}

/// Every name of a model in the document, with the key that holds it.
pub(super) fn mentions(config: &EndpointConfig) -> Vec<(KeyPath, ModelName)> {
    let roles = config.roles.mentions().into_iter().map(|(path, _, name)| (path, name.clone()));
    let orders = orders(config).into_iter().flat_map(|(path, order)| {
        let names = order.iter().enumerate();
        names.map(move |(index, preferred)| (model_at(&path, index), preferred.model.clone()))
    });
    roles.chain(orders).collect()
}

fn orders(config: &EndpointConfig) -> Vec<(KeyPath, &[Preferred])> {
    let PolicyConfig::Preference(preference) = &config.policy;
    let policy = (KeyPath::new("policy").key("order"), preference.order.as_slice());
    let routes = config.routes.iter().enumerate().map(|(index, route)| {
        (KeyPath::new("route").index(index).key("order"), route.order.as_slice())
    });
    std::iter::once(policy).chain(routes).collect()
}

fn model_at(order: &KeyPath, index: usize) -> KeyPath {
    order.clone().index(index).key("model")
}

fn one_role_each(config: &EndpointConfig, document: &Document) -> Result<(), Problem> {
    let mut taken: BTreeMap<&ModelName, Role> = BTreeMap::new();
    for (path, role, name) in config.roles.mentions() {
        if let Some(other) = taken.insert(name, role) {
            let found = format!("{:?}, which is {other} already", name.as_str());
            return Err(document.problem_at(&path, found).expected("a model without a role"));
        }
    }
    Ok(())
}

fn each_model_once(
    path: &KeyPath,
    order: &[Preferred],
    document: &Document,
) -> Result<(), Problem> {
    for (index, preferred) in order.iter().enumerate() {
        if order[..index].iter().any(|above| above.model == preferred.model) {
            let found = format!("{:?} a second time", preferred.model.as_str());
            let problem = document.problem_at(&model_at(path, index), found);
            return Err(problem.expected("each model once"));
        }
    }
    Ok(())
}

fn no_decoy(
    path: &KeyPath,
    order: &[Preferred],
    config: &EndpointConfig,
    document: &Document,
) -> Result<(), Problem> {
    for (index, preferred) in order.iter().enumerate() {
        if config.roles.of(&preferred.model) == Some(Role::Decoy) {
            let found = format!("{:?}, which is the decoy", preferred.model.as_str());
            let problem = document.problem_at(&model_at(path, index), found);
            return Err(problem.expected("a model that may answer"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn refused(text: &str, expected: &str) {
        let problem = EndpointConfig::parse(Path::new("e"), text).unwrap_err();
        assert_eq!(problem.to_string(), expected);
    }

    #[test]
    fn keys_that_contradict_each_other_are_refused() {
        refused(
            "[roles]\nchampion = 'a'\nfallback = 'a'",
            "e:3: roles.fallback: found \"a\", which is champion already, expected a model without \
             a role",
        );
        refused(
            "[policy]\norder = [\n  { model = 'a' },\n  { model = 'a' },\n]",
            "e:4: policy.order[1].model: found \"a\" a second time, expected each model once",
        );
        refused(
            "roles = { decoy = 'a' }\n[[route]]\nwhen = 'true'\norder = [{ model = 'a' }]",
            "e:4: route[0].order[0].model: found \"a\", which is the decoy, expected a model that \
             may answer",
        );
        refused(
            "[quarantine]\nbackoff_first = '2s'\nbackoff_longest = '1s'",
            "e:3: quarantine.backoff_longest: found 1s, expected at least backoff_first, 2s",
        );
    }
}
