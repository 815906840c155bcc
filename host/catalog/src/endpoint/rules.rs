//! What must hold between the keys of an `endpoint.toml`, which their types alone cannot say.

mod policies;

use std::collections::BTreeMap;

use message::{ModelName, Role};

use super::{Decoy, EndpointConfig, Pace, Quarantine, external};
use crate::document::{Document, KeyPath};
use crate::problem::Problem;

use policies::Named;

/// Finds the first pair of keys that contradict each other.
pub(super) fn check(config: &EndpointConfig, document: &Document) -> Result<(), Problem> {
    one_role_each(config, document)?;
    policies::check(config, document)?;
    for list in policies::lists(config, document) {
        each_model_once(&list, document)?;
        no_decoy(&list, config, document)?;
    }
    let decoy = match &config.roles.decoy {
        Decoy::Model(name) => Some(name),
        Decoy::Off | Decoy::Host => None,
    };
    external::check(&config.external, config.schema.as_ref(), decoy, document)?;
    longest_is_longest(&config.quarantine, KeyPath::new("quarantine"), document)?;
    pace_fits(&config.pace, KeyPath::new("pace"), document)
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

/// Checks a pace that stands at `path`.
pub(crate) fn pace_fits(pace: &Pace, path: KeyPath, document: &Document) -> Result<(), Problem> {
    let (first, longest) = (pace.recover_after, pace.recover_longest);
    if longest >= first {
        return Ok(());
    }
    let problem = document.problem_at(&path.key("recover_longest"), format!("{longest:?}"));
    Err(problem.expected(format!("at least recover_after, {first:?}")))
}

/// Every name of a model in the document, with the key that holds it.
///
/// The models that a route finds by a pattern are not among them: they need not exist.
pub(super) fn mentions(config: &EndpointConfig, document: &Document) -> Vec<(KeyPath, ModelName)> {
    let roles = config.roles.mentions().into_iter().map(|(path, _, name)| (path, name.clone()));
    let lists = policies::lists(config, document).into_iter().flatten();
    roles.chain(lists.map(|named| (named.path, named.model.clone()))).collect()
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

fn each_model_once(list: &[Named<'_>], document: &Document) -> Result<(), Problem> {
    for (index, named) in list.iter().enumerate() {
        if list[..index].iter().any(|above| above.model == named.model) {
            let found = format!("{:?} a second time", named.model.as_str());
            return Err(document.problem_at(&named.path, found).expected("each model once"));
        }
    }
    Ok(())
}

fn no_decoy(
    list: &[Named<'_>],
    config: &EndpointConfig,
    document: &Document,
) -> Result<(), Problem> {
    let is_decoy = |named: &&Named<'_>| config.roles.of(named.model) == Some(Role::Decoy);
    match list.iter().find(is_decoy) {
        None => Ok(()),
        Some(named) => {
            let found = format!("{:?}, which is the decoy", named.model.as_str());
            let problem = document.problem_at(&named.path, found);
            Err(problem.expected("a model that may answer"))
        }
    }
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
        refused(
            "[pace]\nrecover_longest = '1s'",
            "e:2: pace.recover_longest: found 1s, expected at least recover_after, 30s",
        );
    }
}
