//! A model's manifest, `<model>.toml`, as a value.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::document::Document;
use crate::problem::Problem;
use crate::units::{self, Size, Span};

/// What a model may use and do, and what people call it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "<model>.toml")]
pub struct ModelManifest {
    /// Whether the model is left unasked: it stays loaded, scores nothing and answers nothing.
    /// Default false.
    pub paused: bool,
    /// What the model may use.
    pub limits: ModelLimits,
    /// What the model may do besides computing.
    pub grants: Grants,
    /// Words of the owner's own, by name. They mean nothing to the host.
    pub labels: BTreeMap<String, String>,
}

/// The part of a manifest that `understudy.toml` may give for all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ModelDefaults {
    /// What a model may use.
    pub limits: ModelLimits,
    /// What a model may do besides computing.
    pub grants: Grants,
}

/// What a model may use.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ModelLimits {
    /// Memory of all sessions of the model together. Default `64MiB`.
    #[serde(rename = "memory", deserialize_with = "units::text::<Size, _>")]
    #[schemars(with = "Size")]
    pub memory_bytes: u64,
    /// CPU time for one request. Default `20ms`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub cpu: Duration,
    /// Time of the clock on the wall for one call, a backstop. Default `5s`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub wall: Duration,
    /// What one call may return. Default `4MiB`.
    #[serde(rename = "result", deserialize_with = "units::text::<Size, _>")]
    #[schemars(with = "Size")]
    pub result_bytes: u64,
    /// Sessions at once. Default 2.
    #[serde(deserialize_with = "units::count")]
    #[schemars(range(min = 1))]
    pub sessions: usize,
    /// Requests that one call takes. Without it: as the endpoint says.
    #[serde(deserialize_with = "units::optional_count")]
    #[schemars(range(min = 1))]
    pub batch: Option<usize>,
    /// Requests that wait. Without it: as the endpoint says.
    #[serde(deserialize_with = "units::optional_count")]
    #[schemars(range(min = 1))]
    pub queue: Option<usize>,
}

/// What a model may do besides computing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Grants {
    /// Whether it may import the locked WASI, if the host allows that at all. Default true.
    pub wasi: bool,
}

impl ModelManifest {
    /// Whether a model that was loaded under `other` runs under this one as it is.
    pub fn runs_alike(&self, other: &Self) -> bool {
        self.limits == other.limits && self.grants == other.grants
    }

    /// Reads the text of a manifest. `file` is named in problems only.
    ///
    /// # Errors
    /// The first problem of the text, with its place.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Problem> {
        Document::parse(file, text)?.read()
    }
}

impl Default for ModelLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 << 20,
            cpu: Duration::from_millis(20),
            wall: Duration::from_secs(5),
            result_bytes: 4 << 20,
            sessions: 2,
            batch: None,
            queue: None,
        }
    }
}

impl Default for Grants {
    fn default() -> Self {
        Self { wasi: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ModelManifest, String> {
        ModelManifest::parse(Path::new("logit.toml"), text).map_err(|problem| problem.to_string())
    }

    #[test]
    fn every_key_is_read() {
        let text = "
            paused = true
            [limits]
            memory = '16MiB'
            cpu = '5ms'
            wall = '1s'
            result = '64KiB'
            sessions = 4
            batch = 8
            queue = 9
            [grants]
            wasi = false
            [labels]
            owner = 'ops'";
        let limits = ModelLimits {
            memory_bytes: 16 << 20,
            cpu: Duration::from_millis(5),
            wall: Duration::from_secs(1),
            result_bytes: 64 << 10,
            sessions: 4,
            batch: Some(8),
            queue: Some(9),
        };
        let labels = BTreeMap::from([("owner".to_owned(), "ops".to_owned())]);
        let manifest =
            ModelManifest { paused: true, limits, grants: Grants { wasi: false }, labels };
        assert_eq!(parse(text), Ok(manifest));
        assert_eq!(parse(""), Ok(ModelManifest::default()));
    }

    #[test]
    fn a_mistake_names_line_key_found_and_expected() {
        assert_eq!(
            parse("[limits]\nmemory = 64").unwrap_err(),
            "logit.toml:2: limits.memory: found 64, expected a size such as \"512B\", \"64KiB\", \
             \"64MiB\" or \"1GiB\""
        );
        assert_eq!(
            parse("[grants]\nwasi = 'yes'").unwrap_err(),
            "logit.toml:2: grants.wasi: found \"yes\", expected true or false"
        );
        assert_eq!(
            parse("[labels]\nage = 3").unwrap_err(),
            "logit.toml:2: labels.age: found 3, expected a text"
        );
    }
}
