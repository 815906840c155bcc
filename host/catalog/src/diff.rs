//! What is different between two catalogs.

use std::collections::BTreeMap;
use std::sync::Arc;

use message::{EndpointName, ModelName, Revision};

use crate::catalog::{Catalog, EndpointSpec, ModelFile};

/// One difference. The new catalog holds the details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Because the endpoint is new. Its models follow, each as [`ModelAdded`](Self::ModelAdded).
    EndpointAdded {
        /// The endpoint.
        endpoint: EndpointName,
    },
    /// Because the endpoint is gone, after each of its models was.
    EndpointRemoved {
        /// The endpoint.
        endpoint: EndpointName,
    },
    /// Because deadline, policy, roles, limits or schema are others.
    ConfigChanged {
        /// The endpoint.
        endpoint: EndpointName,
    },
    /// Because the model is new.
    ModelAdded {
        /// The endpoint.
        endpoint: EndpointName,
        /// The model.
        model: ModelName,
    },
    /// Because the artefact is another. The manifest may be, too.
    ModelChanged {
        /// The endpoint.
        endpoint: EndpointName,
        /// The model.
        model: ModelName,
        /// The revision before.
        from: Revision,
        /// The revision now.
        to: Revision,
    },
    /// Because limits, grants or labels are others, for the same artefact.
    ManifestChanged {
        /// The endpoint.
        endpoint: EndpointName,
        /// The model.
        model: ModelName,
    },
    /// Because the model is gone.
    ModelRemoved {
        /// The endpoint.
        endpoint: EndpointName,
        /// The model.
        model: ModelName,
    },
}

/// Lists what is different in `new`, endpoint by endpoint in the order of their names.
///
/// Within an endpoint: what is added or changed first, then the configuration, then what is
/// removed. So a policy never takes hold before its models are known, nor a model goes while the
/// policy still names it. A file that only moved is no difference.
pub fn diff(old: &Catalog, new: &Catalog) -> Vec<Change> {
    pairs(&old.endpoints, &new.endpoints)
        .into_iter()
        .flat_map(|(endpoint, old, new)| diff_endpoint(endpoint, old, new))
        .collect()
}

fn diff_endpoint(
    endpoint: &EndpointName,
    old: Option<&Arc<EndpointSpec>>,
    new: Option<&Arc<EndpointSpec>>,
) -> Vec<Change> {
    let nothing = BTreeMap::new();
    let old_models = old.map_or(&nothing, |old| &old.models);
    let new_models = new.map_or(&nothing, |new| &new.models);
    let models = pairs(old_models, new_models);
    let mut changes = Vec::new();
    if old.is_none() {
        changes.push(Change::EndpointAdded { endpoint: endpoint.clone() });
    }
    let kept = models
        .iter()
        .filter_map(|(model, old, new)| new.and_then(|new| diff_model(endpoint, model, *old, new)));
    changes.extend(kept);
    if let (Some(old), Some(new)) = (old, new)
        && old.config != new.config
    {
        changes.push(Change::ConfigChanged { endpoint: endpoint.clone() });
    }
    let removed = models.iter().filter(|(_, _, new)| new.is_none());
    changes.extend(removed.map(|(model, _, _)| Change::ModelRemoved {
        endpoint: endpoint.clone(),
        model: (*model).clone(),
    }));
    if new.is_none() {
        changes.push(Change::EndpointRemoved { endpoint: endpoint.clone() });
    }
    changes
}

fn diff_model(
    endpoint: &EndpointName,
    model: &ModelName,
    old: Option<&ModelFile>,
    new: &ModelFile,
) -> Option<Change> {
    let (endpoint, model) = (endpoint.clone(), model.clone());
    match old {
        None => Some(Change::ModelAdded { endpoint, model }),
        Some(old) if old.revision != new.revision => {
            Some(Change::ModelChanged { endpoint, model, from: old.revision, to: new.revision })
        }
        Some(old) if old.manifest != new.manifest => {
            Some(Change::ManifestChanged { endpoint, model })
        }
        Some(_) => None,
    }
}

/// Every key of either map, in order, with its value in both.
fn pairs<'a, K: Ord, V>(
    old: &'a BTreeMap<K, V>,
    new: &'a BTreeMap<K, V>,
) -> Vec<(&'a K, Option<&'a V>, Option<&'a V>)> {
    let mut keys: Vec<_> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter().map(|key| (key, old.get(key), new.get(key))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;
    use crate::endpoint::EndpointConfig;
    use crate::file::digest;
    use crate::manifest::ModelManifest;

    /// Writes a catalog as `flights@50:gbdt=1+label,logit=2 fraud@50:`, where 50 is the deadline.
    fn catalog(text: &str) -> Catalog {
        let endpoints = text.split_whitespace().map(|text| {
            let (head, models) = text.split_once(':').unwrap();
            let (name, deadline) = head.split_once('@').unwrap();
            let models = models.split(',').filter(|text| !text.is_empty()).map(model).collect();
            let deadline = Duration::from_millis(deadline.parse().unwrap());
            let config = EndpointConfig { deadline, ..EndpointConfig::default() };
            let (name, coming) = (EndpointName::from(name), BTreeSet::new());
            (name.clone(), Arc::new(EndpointSpec { name, config, digest: None, models, coming }))
        });
        Catalog { endpoints: endpoints.collect(), problems: Vec::new() }
    }

    fn model(text: &str) -> (ModelName, ModelFile) {
        let (name, rest) = text.split_once('=').unwrap();
        let (bytes, label) = rest.split_once('+').unwrap_or((rest, ""));
        let mut manifest = ModelManifest::default();
        manifest.labels.insert("label".to_owned(), label.to_owned());
        let file = ModelFile {
            path: name.into(),
            revision: digest(bytes.as_bytes()),
            size_bytes: bytes.len() as u64,
            manifest,
            target: name.into(),
        };
        (name.into(), file)
    }

    fn check(old: &str, new: &str, expected: &[&str]) {
        let found: Vec<_> = diff(&catalog(old), &catalog(new)).iter().map(words).collect();
        assert_eq!(found, expected, "{old} -> {new}");
    }

    fn words(change: &Change) -> String {
        match change {
            Change::EndpointAdded { endpoint } => format!("+{endpoint}"),
            Change::EndpointRemoved { endpoint } => format!("-{endpoint}"),
            Change::ConfigChanged { endpoint } => format!("~{endpoint}"),
            Change::ModelAdded { endpoint, model } => format!("+{endpoint}/{model}"),
            Change::ModelChanged { endpoint, model, from, to } => {
                assert_ne!(from, to);
                format!("~{endpoint}/{model}")
            }
            Change::ManifestChanged { endpoint, model } => format!("~{endpoint}/{model}.toml"),
            Change::ModelRemoved { endpoint, model } => format!("-{endpoint}/{model}"),
        }
    }

    #[test]
    fn equal_catalogs_have_no_difference() {
        check("", "", &[]);
        check("a@50:x=1,y=2 b@9:", "a@50:x=1,y=2 b@9:", &[]);
    }

    #[test]
    fn additions_come_first_and_removals_last() {
        check("", "b@9: a@50:x=1,w=1", &["+a", "+a/w", "+a/x", "+b"]);
        check("a@50:x=1,w=1 b@9:", "", &["-a/w", "-a/x", "-a", "-b"]);
        check(
            "a@50:v=1,w=1,x=1,y=1",
            "a@60:u=1,v=2,x=1+new,y=1",
            &["+a/u", "~a/v", "~a/x.toml", "~a", "-a/w"],
        );
    }

    #[test]
    fn a_new_artefact_with_a_new_manifest_is_one_change() {
        check("a@50:x=1", "a@50:x=2+new", &["~a/x"]);
    }
}
