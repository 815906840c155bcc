//! The endpoints of a run: one that is called and written to, and one that is fed by a topic.

use std::collections::BTreeMap;

use harness::{Deployment, Models};
use kafka_testkit::Client;

use super::PARTITIONS;
use crate::{Expected, Rules};

/// The `y` of the default answer.
const DEFAULT: f64 = -1.0;
/// The models, each with the guest that it is and whether the policy lets it answer.
const MODELS: [(&str, f64, bool); 3] =
    [("champion", 2.0, true), ("fallback", 3.0, true), ("staged", 5.0, false)];

/// An endpoint, and what its topics are called.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub(super) name: &'static str,
    /// Whether each output may be there only once.
    pub(super) exactly_once: bool,
    /// The topic that requests come from, as hosts call it.
    pub(super) source: &'static str,
    /// The same, as the cluster calls it.
    pub(super) source_topic: String,
    pub(super) answers: String,
    pub(super) scores: String,
    pub(super) dead_letters: String,
    pub(super) group: String,
}

impl Endpoint {
    /// Every endpoint of a run.
    pub(super) fn all(deployment: &Deployment) -> Vec<Self> {
        let endpoint = |name: &'static str, source: &'static str, source_topic: String| Self {
            name,
            exactly_once: source == source_topic,
            source,
            source_topic,
            answers: deployment.topic(&format!("{name}/answers")),
            scores: deployment.topic(&format!("{name}/scores")),
            dead_letters: deployment.topic(&format!("{name}/dead-letters")),
            group: deployment.group(name),
        };
        // The cluster is this run's own, so the topic needs no name that nobody else has.
        vec![
            endpoint("chaos", "chaos/requests", deployment.topic("chaos/requests")),
            endpoint("flow", "chaos-source", "chaos-source".to_owned()),
        ]
    }

    /// Puts its models and its policy where hosts find them, and makes the topic that feeds it.
    pub(super) fn install(&self, models: &Models, client: &Client) {
        for (name, factor, _) in MODELS {
            models.install(self.name, name, harness::guest(&format!("times-{factor}")));
        }
        let is_fed = self.exactly_once;
        let flow = if is_fed {
            client.create_topic(&self.source_topic, PARTITIONS as i32, &[]);
            format!("[flow]\nsource = '{}'\ndelivery = 'exactly-once'\n", self.source)
        } else {
            String::new()
        };
        let policy = format!(
            "deadline = '8s'\n[roles]\nchampion = 'champion'\nfallback = 'fallback'\n[policy]\n\
             kind = 'preference'\norder = [{{ model = 'champion', until = '4s' }}]\n\
             default = {{ y = [{DEFAULT:?}] }}\n{flow}"
        );
        models.policy(self.name, &policy);
    }

    /// What had to happen in it.
    pub(super) fn rules(&self) -> Rules {
        let expected = |&(name, factor, may_answer): &(&str, f64, bool)| {
            (name.to_owned(), Expected { factor, may_answer })
        };
        Rules {
            endpoint: self.name.to_owned(),
            models: MODELS.iter().map(expected).collect::<BTreeMap<_, _>>(),
            default: DEFAULT,
            partitions: PARTITIONS,
            exactly_once: self.exactly_once,
            keeps_order: true,
        }
    }
}
