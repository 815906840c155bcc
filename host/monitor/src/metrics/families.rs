//! Every family, with its name and its help.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Metric, Registry, Unit};

use super::brokers::Brokers;
use super::histogram::Durations;
use super::labels::{
    AnswerLabels, ByLabels, ChangeLabels, CourseLabels, EndpointLabels, FaultLabels, InfoLabels,
    LaneLabels, ModelLabels, OutcomeLabels, PartitionLabels, ReasonLabels, RefusalLabels,
    StatusLabels, TopicLabels, WarmthLabels,
};

/// Every family. A `Clone` of one gives another handle of it.
#[derive(Debug, Default)]
pub(super) struct Families {
    pub(super) brokers: Brokers,
    pub(super) http_responses: Family<StatusLabels, Counter>,
    pub(super) refused: Family<RefusalLabels, Counter>,
    pub(super) open_calls: Gauge,
    pub(super) bodies_bytes: Gauge,
    pub(super) requests: Family<EndpointLabels, Counter>,
    pub(super) answers: Family<AnswerLabels, Counter>,
    pub(super) course_answers: Family<CourseLabels, Counter>,
    pub(super) route_errors: Family<EndpointLabels, Counter>,
    pub(super) request_duration: Family<EndpointLabels, Durations>,
    pub(super) open_mailboxes: Family<EndpointLabels, Gauge>,
    pub(super) roster_changes: Family<ChangeLabels, Counter>,
    pub(super) stream_bytes: Family<TopicLabels, Gauge>,
    pub(super) stream_first_offset: Family<TopicLabels, Gauge>,
    pub(super) stream_next_offset: Family<TopicLabels, Gauge>,
    pub(super) stream_poisoned: Family<TopicLabels, Gauge>,
    pub(super) model_info: Family<InfoLabels, Gauge>,
    pub(super) scores: Family<OutcomeLabels, Counter>,
    pub(super) faults: Family<FaultLabels, Counter>,
    pub(super) shadow_drops: Family<ModelLabels, Counter>,
    pub(super) model_latency: Family<ModelLabels, Durations>,
    pub(super) model_cpu: Family<ModelLabels, Durations>,
    pub(super) queue_depth: Family<LaneLabels, Gauge>,
    pub(super) demoted: Family<ModelLabels, Gauge>,
    pub(super) budget_left: Family<ModelLabels, Ratio>,
    pub(super) late_share: Family<ModelLabels, Ratio>,
    pub(super) late_scores: Family<ModelLabels, Counter>,
    pub(super) routed_models: Family<WarmthLabels, Gauge>,
    pub(super) routed_bytes: Family<EndpointLabels, Gauge>,
    pub(super) routed_waiting: Family<EndpointLabels, Gauge>,
    pub(super) routed_loads: Family<EndpointLabels, Counter>,
    pub(super) routed_evictions: Family<EndpointLabels, Counter>,
    pub(super) routed_refusals: Family<EndpointLabels, Counter>,
    pub(super) routed_wait: Family<EndpointLabels, Durations>,
    pub(super) flow_lag: Family<EndpointLabels, Gauge>,
    pub(super) dead_letters: Family<ReasonLabels, Counter>,
    pub(super) returned_answers: Family<EndpointLabels, Counter>,
    pub(super) external_awaited: Family<ModelLabels, Gauge>,
    pub(super) external_last_score: Family<ModelLabels, Ratio>,
    pub(super) external_ignored: Family<ReasonLabels, Counter>,
    pub(super) owned_partitions: Family<EndpointLabels, Gauge>,
    pub(super) partition_lag: Family<PartitionLabels, Gauge>,
    pub(super) partition_changes: Family<ChangeLabels, Counter>,
    pub(super) mailboxes_dropped: Family<EndpointLabels, Counter>,
    pub(super) void_answers: Family<EndpointLabels, Counter>,
    pub(super) waiting_calls: Family<EndpointLabels, Gauge>,
    pub(super) answered_calls: Family<ByLabels, Counter>,
    pub(super) unanswered_calls: Family<EndpointLabels, Counter>,
    pub(super) replies_sent: Family<EndpointLabels, Counter>,
    pub(super) replies_unsent: Family<EndpointLabels, Counter>,
    pub(super) replies_read: Family<EndpointLabels, Counter>,
    pub(super) replies_unclaimed: Family<EndpointLabels, Counter>,
}

/// A gauge of a share, or of seconds.
pub(super) type Ratio = Gauge<f64, AtomicU64>;

impl Families {
    /// Makes every family part of what is scraped.
    pub(super) fn register(&self, registry: &mut Registry) {
        self.register_host(registry);
        self.register_endpoints(registry);
        self.register_models(registry);
        self.register_conduct(registry);
        self.register_routed(registry);
        self.register_flow(registry);
        self.brokers.register(registry);
        self.register_external(registry);
        self.register_sharing(registry);
        self.register_calls(registry);
    }

    fn register_host(&self, registry: &mut Registry) {
        let mut add = |name, help, metric| add(registry, name, help, metric);
        add("open_calls", "HTTP calls that are open", self.open_calls.clone());
        add("bodies_bytes", "Bytes of the bodies of open HTTP calls", self.bodies_bytes.clone());
        add_counter(registry, "http_responses", "HTTP responses by status", &self.http_responses);
        add_counter(
            registry,
            "refused",
            "Callers who were denied, by tenant and why",
            &self.refused,
        );
    }

    fn register_endpoints(&self, registry: &mut Registry) {
        add_counter(registry, "requests", "Requests that were accepted", &self.requests);
        add_counter(
            registry,
            "answers",
            "Official answers by what was chosen and why",
            &self.answers,
        );
        add_counter(
            registry,
            "course_answers",
            "Official answers by the route and the arms that their requests took",
            &self.course_answers,
        );
        add_counter(
            registry,
            "route_errors",
            "Conditions of routes that could not be evaluated and so did not hold",
            &self.route_errors,
        );
        add_counter(
            registry,
            "roster_changes",
            "Changes of the roster by kind",
            &self.roster_changes,
        );
        add(
            registry,
            "open_mailboxes",
            "Requests without an answer yet",
            self.open_mailboxes.clone(),
        );
        let duration = self.request_duration.clone();
        add_seconds(registry, "request_duration", "From the request to its answer", duration);
        let mut add = |name, help, metric: &Family<TopicLabels, Gauge>| {
            add(registry, name, help, metric.clone());
        };
        add("stream_bytes", "Bytes of a topic", &self.stream_bytes);
        add("stream_first_offset", "The oldest offset of a topic", &self.stream_first_offset);
        add(
            "stream_next_offset",
            "The offset after the newest of a topic",
            &self.stream_next_offset,
        );
        add("stream_poisoned", "1 where a topic takes no more records", &self.stream_poisoned);
    }

    fn register_models(&self, registry: &mut Registry) {
        add(
            registry,
            "model_info",
            "1 for the revision, role and state of a model",
            self.model_info.clone(),
        );
        add_counter(registry, "scores", "Scores by what came of the model's turn", &self.scores);
        add_counter(registry, "faults", "Faults by class", &self.faults);
        add_counter(
            registry,
            "shadow_drops",
            "Requests that a shadow did not see",
            &self.shadow_drops,
        );
        add(registry, "queue_depth", "Requests that wait for a model", self.queue_depth.clone());
        let latency = self.model_latency.clone();
        add_seconds(registry, "model_latency", "From the offer of a request to its score", latency);
        add_seconds(registry, "model_cpu", "CPU time of a score", self.model_cpu.clone());
    }

    fn register_routed(&self, registry: &mut Registry) {
        let help = "Routed models by whether they are in memory";
        add(registry, "routed_models", help, self.routed_models.clone());
        let mut add_gauge = |name, help, metric: &Family<EndpointLabels, Gauge>| {
            add(registry, name, help, metric.clone());
        };
        add_gauge("routed_memory_bytes", "Memory of routed models", &self.routed_bytes);
        add_gauge("routed_waiting", "Requests that wait for a load", &self.routed_waiting);
        let mut add_count = |name, help, metric: &Family<EndpointLabels, Counter>| {
            add_counter(registry, name, help, metric);
        };
        add_count("routed_loads", "Loads of routed models", &self.routed_loads);
        add_count("routed_evictions", "Routed models that made room", &self.routed_evictions);
        add_count("routed_refusals", "Loads for which too many waited", &self.routed_refusals);
        let wait = self.routed_wait.clone();
        add_seconds(registry, "routed_wait", "From a request for a cold model to its load", wait);
    }
}

impl Families {
    fn register_flow(&self, registry: &mut Registry) {
        add(registry, "flow_lag", "Records of the source to be read", self.flow_lag.clone());
        add_counter(
            registry,
            "dead_letters",
            "Records of the source that are no requests, by reason",
            &self.dead_letters,
        );
        add_counter(
            registry,
            "returned_answers",
            "Answers that were written to other topics",
            &self.returned_answers,
        );
    }

    fn register_external(&self, registry: &mut Registry) {
        add(
            registry,
            "external_awaited",
            "Open requests that wait for a score of an external model",
            self.external_awaited.clone(),
        );
        add_seconds(
            registry,
            "external_last_score_timestamp",
            "When an external model last wrote a score, since 1970",
            self.external_last_score.clone(),
        );
        add_counter(
            registry,
            "external_ignored_scores",
            "Records of the scores topic that count for nobody, by reason",
            &self.external_ignored,
        );
    }

    fn register_sharing(&self, registry: &mut Registry) {
        add(
            registry,
            "owned_partitions",
            "Partitions of a shared stream that are this host's",
            self.owned_partitions.clone(),
        );
        add(
            registry,
            "partition_lag",
            "Records of an owned partition that are not done",
            self.partition_lag.clone(),
        );
        add_counter(
            registry,
            "partition_changes",
            "Partitions that were gained, revoked, lost or fenced off",
            &self.partition_changes,
        );
        add_counter(
            registry,
            "dropped_mailboxes",
            "Requests that were left to the next owner of their partition",
            &self.mailboxes_dropped,
        );
        add_counter(
            registry,
            "void_answers",
            "Answers found that were given by a host which had lost the partition",
            &self.void_answers,
        );
    }

    fn register_calls(&self, registry: &mut Registry) {
        let waiting = self.waiting_calls.clone();
        add(registry, "waiting_calls", "Callers who wait for what is on a shared stream", waiting);
        add_counter(
            registry,
            "answered_calls",
            "Callers on a shared stream who were answered, by which host's answer",
            &self.answered_calls,
        );
        let mut add = |name, help, metric: &Family<EndpointLabels, Counter>| {
            add_counter(registry, name, help, metric);
        };
        let help = "Callers on a shared stream whom nobody brought an answer";
        add("unanswered_calls", help, &self.unanswered_calls);
        add("replies_sent", "Answers sent to callers of other hosts", &self.replies_sent);
        let help = "Answers that could not be sent to callers of other hosts";
        add("replies_unsent", help, &self.replies_unsent);
        let help = "Answers that other hosts sent to callers of this one";
        add("replies_read", help, &self.replies_read);
        let help = "Answers of other hosts for which nobody waited any more";
        add("replies_unclaimed", help, &self.replies_unclaimed);
    }

    fn register_conduct(&self, registry: &mut Registry) {
        add(
            registry,
            "model_demoted",
            "1 where others go before a model because it was late or faulted too often",
            self.demoted.clone(),
        );
        add(
            registry,
            "model_error_budget_left",
            "What is left of the error budget of the revision that runs, from 1 to 0",
            self.budget_left.clone(),
        );
        add(
            registry,
            "model_late_share",
            "The share of recent requests for which a score was not there when the wait ended",
            self.late_share.clone(),
        );
        add_counter(
            registry,
            "late_scores",
            "Requests for which a score was not there when the wait for it ended",
            &self.late_scores,
        );
    }
}

pub(super) fn add(registry: &mut Registry, name: &str, help: &str, metric: impl Metric) {
    registry.register(name, help, metric);
}

pub(super) fn add_counter<L>(
    registry: &mut Registry,
    name: &str,
    help: &str,
    family: &Family<L, Counter>,
) where
    Family<L, Counter>: Metric + Clone,
{
    registry.register(name, help, family.clone());
}

fn add_seconds(registry: &mut Registry, name: &str, help: &str, metric: impl Metric) {
    registry.register_with_unit(name, help, Unit::Seconds, metric);
}
