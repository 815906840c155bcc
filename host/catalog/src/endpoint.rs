//! `endpoint.toml` as a value.
//!
//! What a file leaves out is filled in before it is read: from `[endpoint]` of `understudy.toml`,
//! then from the defaults here. So nobody who holds a configuration ever meets a missing value.

pub mod conduct;
pub mod default_value;
pub mod external;
pub mod flow;
mod places;
pub mod policy;
pub mod roles;
pub mod route;
pub(crate) mod rules;
pub mod schema;
pub mod stream;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use message::ModelName;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::document::{Document, KeyPath};
use crate::problem::Problem;
use crate::units::{self, Span};

pub use conduct::{ErrorBudget, Pace, Quarantine};
pub use default_value::DefaultValue;
pub use external::{External, Externals};
pub use flow::{Flow, FlowDelivery};
pub use places::Place;
pub use policy::{
    Arm, EndpointPolicy, Ensemble, PolicyConfig, Preference, Preferred, Ramp, Split, Weighted,
};
pub use roles::{Decoy, Roles};
pub use route::{ModelPattern, Route, RouteKind};
pub use schema::{SchemaConfig, SchemaError, TensorForm, TensorSchema};
pub use stream::{Fsync, Retention, StreamConfig};

/// The configuration of one endpoint.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "endpoint.toml")]
pub struct EndpointConfig {
    /// How long after a request its answer is due, where the request does not say. Default `50ms`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub deadline: Duration,
    /// The input that sticky splits and partitions go by.
    pub key: Option<String>,
    /// Whether calls and records are turned away, with the reason. Default false.
    pub paused: bool,
    /// Which models play which part. A model with none is staged: it scores everything and
    /// answers nothing.
    pub roles: Roles,
    /// How the answer is chosen.
    pub policy: EndpointPolicy,
    /// The models that run outside of the host, by name: they read the endpoint's requests and write
    /// its scores. Needs a stream that they can reach.
    #[serde(deserialize_with = "external::by_name")]
    #[schemars(with = "BTreeMap<String, External>")]
    pub external: Externals,
    /// Other policies for some of the requests. The first whose condition holds is taken.
    #[serde(rename = "route")]
    #[schemars(with = "Vec<route::RouteKeys>")]
    pub routes: Vec<Route>,
    /// The topics that requests come from and answers go to, besides the endpoint's own.
    pub flow: Flow,
    /// The sizes of what waits.
    pub limits: EndpointLimits,
    /// How the records of this endpoint are kept.
    pub stream: StreamConfig,
    /// The tensors that every model of this endpoint must take and give.
    pub schema: Option<SchemaConfig>,
    /// When a model that faults is rolled back or set aside.
    pub quarantine: Quarantine,
    /// When a model that is late gives way to the others.
    pub pace: Pace,
    /// How many of the latest requests a model must answer before it counts as warm. Default 32.
    pub warm_up_requests: usize,
}

/// The part of an endpoint's configuration that `understudy.toml` may give for all.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EndpointDefaults {
    /// How long after a request its answer is due, where the request does not say. Default `50ms`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub deadline: Duration,
    /// The sizes of what waits.
    pub limits: EndpointLimits,
    /// How the records of an endpoint are kept.
    pub stream: StreamConfig,
    /// When a model that faults is rolled back or set aside.
    pub quarantine: Quarantine,
    /// When a model that is late gives way to the others.
    pub pace: Pace,
    /// How many of the latest requests a model must answer before it counts as warm. Default 32.
    pub warm_up_requests: usize,
}

/// The sizes of what waits at an endpoint. Each queue that is full says so; none grows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EndpointLimits {
    /// Requests of one partition that are not answered, or whose scores are not all in. Default
    /// 16384.
    #[serde(deserialize_with = "units::count")]
    #[schemars(range(min = 1))]
    pub open_mailboxes: usize,
    /// How long after the deadline a late score is still waited for. Default `1s`.
    #[serde(deserialize_with = "units::text::<Span, _>")]
    #[schemars(with = "Span")]
    pub score_grace: Duration,
    /// Requests that wait for one model, where its manifest does not say. Default 1024.
    #[serde(deserialize_with = "units::count")]
    #[schemars(range(min = 1))]
    pub queue: usize,
    /// Requests that one call of a model takes, where its manifest does not say. Default 64.
    #[serde(deserialize_with = "units::count")]
    #[schemars(range(min = 1))]
    pub batch: usize,
}

impl EndpointConfig {
    /// Reads the text of an `endpoint.toml`. `file` is named in problems only.
    ///
    /// Which models there are is not known here, so a policy may still name one that is missing.
    ///
    /// # Errors
    /// The first problem of the text, with its place.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Problem> {
        Self::read(&Document::parse(file, text)?)
    }

    pub(crate) fn read(document: &Document) -> Result<Self, Problem> {
        let config: Self = document.read()?;
        rules::check(&config, document)?;
        Ok(config)
    }

    /// Every model that the roles, the policy and the routes name, each once.
    pub fn model_names(&self) -> Vec<ModelName> {
        let mentions = rules::mentions(self, &Document::empty());
        let mut names: Vec<_> = mentions.into_iter().map(|(_, name)| name).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Every name of a model in the document that this was read from, with the key that holds it.
    pub(crate) fn mentions(&self, document: &Document) -> Vec<(KeyPath, ModelName)> {
        rules::mentions(self, document)
    }
}

impl Default for EndpointConfig {
    fn default() -> Self {
        let defaults = EndpointDefaults::default();
        Self {
            deadline: defaults.deadline,
            key: None,
            paused: false,
            roles: Roles::default(),
            policy: EndpointPolicy::default(),
            external: Externals::default(),
            routes: Vec::new(),
            flow: Flow::default(),
            limits: defaults.limits,
            stream: defaults.stream,
            schema: None,
            quarantine: defaults.quarantine,
            pace: defaults.pace,
            warm_up_requests: defaults.warm_up_requests,
        }
    }
}

impl Default for EndpointDefaults {
    fn default() -> Self {
        Self {
            deadline: Duration::from_millis(50),
            limits: EndpointLimits::default(),
            stream: StreamConfig::default(),
            quarantine: Quarantine::default(),
            pace: Pace::default(),
            warm_up_requests: 32,
        }
    }
}

impl Default for EndpointLimits {
    fn default() -> Self {
        Self { open_mailboxes: 16_384, score_grace: Duration::from_secs(1), queue: 1024, batch: 64 }
    }
}

#[cfg(test)]
mod tests {
    use message::Datatype;

    use super::*;

    const EXAMPLE: &str = r#"
deadline = "50ms"
key = "carrier"                                  # the input that sticky splits and partitions go by
[roles]
champion = "gbdt"
canary = "logit-2013q1"
decoy = true
[policy]
kind = "preference"
order = [{ model = "gbdt", until = "30ms" }, { model = "logit" }]
default = { delayed = [0.2] }
[[route]]
when = "key == 'HA'"
order = [{ model = "hawaiian" }, { model = "gbdt" }]
"#;

    fn parse(text: &str) -> Result<EndpointConfig, Problem> {
        EndpointConfig::parse(Path::new("endpoint.toml"), text)
    }

    fn refused(text: &str, expected: &str) {
        assert_eq!(parse(text).unwrap_err().to_string(), format!("endpoint.toml:{expected}"));
    }

    #[test]
    fn the_example_of_the_design_is_understood() {
        let config = parse(EXAMPLE).unwrap();
        assert_eq!(config.deadline, Duration::from_millis(50));
        assert_eq!(config.key.as_deref(), Some("carrier"));
        assert_eq!(config.roles.champion, Some("gbdt".into()));
        assert_eq!(config.roles.decoy, Decoy::Host);
        let order = [
            Preferred { model: "gbdt".into(), until: Some(Duration::from_millis(30)) },
            Preferred { model: "logit".into(), until: None },
        ];
        let order = PolicyConfig::Preference(Preference { order: order.to_vec() });
        assert_eq!(config.policy.choice, order);
        let default = BTreeMap::from([("delayed".to_owned(), DefaultValue::Floats(vec![0.2]))]);
        assert_eq!(config.policy.default, Some(default));
        assert_eq!(config.routes[0].when.as_ref().unwrap().text(), "key == 'HA'");
        let names = config.model_names();
        let names: Vec<_> = names.iter().map(ModelName::as_str).collect();
        assert_eq!(names, ["gbdt", "hawaiian", "logit", "logit-2013q1"]);
    }

    #[test]
    fn an_empty_file_is_the_defaults() {
        assert_eq!(parse("").unwrap(), EndpointConfig::default());
    }

    #[test]
    fn every_key_is_read() {
        let text = r#"
            warm_up_requests = 0
            paused = true
            limits = { open_mailboxes = 10, score_grace = "2s", queue = 5, batch = 3 }
            [quarantine]
            faults = 1
            window = "2s"
            backoff_first = "3s"
            backoff_longest = "4s"
            rollback = false
            probation = "5s"
            consecutive_faults = 6
            fault_share = "7%"
            calls = 8
            nan_is_fault = true
            budget = { faults = "2%", over = "1d", calls = 10 }
            [external.torch]
            description = "elsewhere"
            [flow]
            source = "orders"
            answers = "decisions"
            return_to = ["replies-*"]
            delivery = "exactly-once"
            commit_interval = "50ms"
            [pace]
            late = "11%"
            window = "12s"
            requests = 13
            slow_for = "14s"
            recover_after = "15s"
            recover_longest = "16s"
            [stream]
            fsync = "each"
            segment = "1MiB"
            unsynced_limit = "2MiB"
            record_limit = "3MiB"
            retention = { age = "1d", size = "4MiB", hard_size = "5MiB" }
            [schema.inputs]
            carrier = { datatype = "BYTES", shape = [1] }
            [schema.outputs]
            delayed = { datatype = "FP64", shape = [-1, 2] }
        "#;
        let config = parse(text).unwrap();
        assert!(config.paused);
        assert_eq!((config.limits.queue, config.limits.batch), (5, 3));
        assert_eq!(config.stream.fsync, Fsync::Each);
        assert_eq!(config.stream.retention.hard_size_bytes, Some(5 << 20));
        assert_eq!(config.quarantine.backoff_longest, Duration::from_secs(4));
        assert_eq!(config.quarantine.budget.fault_share, 0.02);
        assert_eq!(config.external["torch"].description.as_deref(), Some("elsewhere"));
        assert_eq!(config.flow.source.as_deref(), Some("orders"));
        assert!(config.flow.is_exact());
        assert_eq!(config.flow.commit_interval, Duration::from_millis(50));
        assert_eq!((config.pace.late_share, config.pace.requests), (0.11, 13));
        let outputs = config.schema.unwrap().outputs;
        assert_eq!(outputs["delayed"].shape, Some(vec![None, Some(2)]));
        assert_eq!(outputs["delayed"].datatype, Datatype::Fp64);
    }

    #[test]
    fn a_mistake_names_line_key_found_and_expected() {
        refused(
            "deadlin = '50ms'",
            "1: deadlin: found an unknown key, expected one of \"deadline\", \"key\", \"paused\", \
             \"roles\", \"policy\", \"external\", \"route\", \"flow\", \"limits\", \"stream\", \"schema\", \
             \"quarantine\", \"pace\", \
             \"warm_up_requests\"; did you mean \"deadline\"?",
        );
        refused(
            "deadline = 50",
            "1: deadline: found 50, expected a duration such as \"500us\", \"30ms\", \"2s\", \
             \"5min\", \"1h\" or \"7d\"",
        );
        refused(
            "[limits]\n\nqueue = 0",
            "3: limits.queue: found 0, expected a whole number from 1 to 1000000000",
        );
        refused("key = true", "1: key: found true, expected a text");
        refused(
            "quarantine = { faults = 1",
            "1: found text that is not TOML: unclosed inline table, expected `}`",
        );
    }
}
