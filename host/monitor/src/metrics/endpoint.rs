//! What is counted for an endpoint.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use message::{EndpointName, ModelName, Reason};
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

use super::calls::CallMetrics;
use super::external::ExternalMetrics;
use super::families::Families;
use super::histogram::Durations;
use super::labels::{
    AnswerLabels, ChangeLabels, CourseLabels, EndpointLabels, ReasonLabels, TopicLabels,
};
use super::model::ModelMetrics;
use super::routed::RoutedMetrics;
use super::saturate;
use super::sharing::SharingMetrics;
use super::slots::Slots;

/// The metrics of one endpoint. `Clone` costs one atomic increment.
#[derive(Debug, Clone)]
pub struct EndpointMetrics(Arc<Handles>);

#[derive(Debug)]
struct Handles {
    families: Arc<Families>,
    endpoint: String,
    requests: Counter,
    open_mailboxes: Gauge,
    request_duration: Durations,
    route_errors: Counter,
    /// One counter for each course that was taken; files name them, so they are few.
    courses: Mutex<BTreeMap<Arc<str>, Counter>>,
    ensembles: Slots<AnswerLabels>,
    defaults: Slots<AnswerLabels>,
    nothings: Slots<AnswerLabels>,
}

impl EndpointMetrics {
    pub(super) fn new(families: Arc<Families>, name: &EndpointName) -> Self {
        let endpoint = name.to_string();
        let labels = EndpointLabels { endpoint: endpoint.clone() };
        let answers = || Slots::new(families.answers.clone(), Reason::ALL.len());
        Self(Arc::new(Handles {
            requests: families.requests.get_or_create_owned(&labels),
            open_mailboxes: families.open_mailboxes.get_or_create_owned(&labels),
            request_duration: families.request_duration.get_or_create_owned(&labels),
            route_errors: families.route_errors.get_or_create_owned(&labels),
            courses: Mutex::default(),
            ensembles: answers(),
            defaults: answers(),
            nothings: answers(),
            families,
            endpoint,
        }))
    }

    /// The metrics of a model of the endpoint. Asked again, this gives handles of the same counters.
    pub fn model(&self, name: &ModelName) -> ModelMetrics {
        ModelMetrics::new(Arc::clone(&self.0.families), &self.0.endpoint, name)
    }

    /// The metrics of the routed models of the endpoint.
    pub fn routed(&self) -> RoutedMetrics {
        RoutedMetrics::new(&self.0.families, &self.0.endpoint)
    }

    /// The metrics of a topic of the endpoint.
    pub fn topic(&self, topic: &str) -> TopicMetrics {
        let labels = TopicLabels { endpoint: self.0.endpoint.clone(), topic: topic.to_owned() };
        TopicMetrics {
            bytes: self.0.families.stream_bytes.get_or_create_owned(&labels),
            first_offset: self.0.families.stream_first_offset.get_or_create_owned(&labels),
            next_offset: self.0.families.stream_next_offset.get_or_create_owned(&labels),
            poisoned: self.0.families.stream_poisoned.get_or_create_owned(&labels),
        }
    }

    /// The metrics of the topic that the endpoint is fed by.
    pub fn flow(&self) -> FlowMetrics {
        FlowMetrics(Arc::clone(&self.0))
    }

    /// The metrics of the partitions that are this host's, where the stream is shared.
    pub fn sharing(&self) -> SharingMetrics {
        SharingMetrics::new(Arc::clone(&self.0.families), &self.0.endpoint)
    }

    /// The metrics of the external models of the endpoint.
    pub fn external(&self) -> ExternalMetrics {
        ExternalMetrics::new(Arc::clone(&self.0.families), &self.0.endpoint)
    }

    /// The metrics of its calls, where several hosts share the stream.
    pub fn calls(&self) -> CallMetrics {
        CallMetrics::new(&self.0.families, &self.0.endpoint)
    }

    /// Counts requests that were accepted.
    pub fn accepted(&self, count: u64) {
        self.0.requests.inc_by(count);
    }

    /// Counts the time from a request to its answer, whatever that was.
    pub fn answered_after(&self, latency: Duration) {
        self.0.request_duration.observe(latency);
    }

    /// Counts answers that an ensemble gave.
    pub fn answered_by_ensemble(&self, reason: Reason, count: u64) {
        self.0.ensembles.add(reason_index(reason), count, || self.labels("ensemble", reason));
    }

    /// Counts answers by the course that their requests took.
    pub fn took_course(&self, course: &Arc<str>, count: u64) {
        let mut courses = self.0.courses.lock();
        if let Some(counter) = courses.get(course) {
            counter.inc_by(count);
            return;
        }
        let endpoint = self.0.endpoint.clone();
        let labels = CourseLabels { endpoint, course: course.to_string() };
        let counter = self.0.families.course_answers.get_or_create_owned(&labels);
        counter.inc_by(count);
        courses.insert(Arc::clone(course), counter);
    }

    /// Counts conditions of routes that could not be evaluated.
    pub fn route_failed(&self, count: u64) {
        self.0.route_errors.inc_by(count);
    }

    /// Counts answers that were the default.
    pub fn answered_by_default(&self, reason: Reason, count: u64) {
        self.0.defaults.add(reason_index(reason), count, || self.labels("default", reason));
    }

    /// Counts answers that said that nothing came.
    pub fn answered_nothing(&self, reason: Reason, count: u64) {
        self.0.nothings.add(reason_index(reason), count, || self.labels("nothing", reason));
    }

    /// Counts a change of the roster; `change` is one of a few fixed words.
    pub fn roster_changed(&self, change: &'static str) {
        let labels = ChangeLabels { endpoint: self.0.endpoint.clone(), change };
        self.0.families.roster_changes.get_or_create(&labels).inc();
    }

    /// Takes note of how many requests have no answer yet.
    pub fn set_open_mailboxes(&self, count: usize) {
        self.0.open_mailboxes.set(saturate(count));
    }

    /// How many requests were accepted.
    pub fn requests(&self) -> u64 {
        self.0.requests.get()
    }

    /// How many answers were the default.
    pub fn defaults(&self) -> u64 {
        self.0.defaults.sum()
    }

    /// How many answers said that nothing came.
    pub fn nothings(&self) -> u64 {
        self.0.nothings.sum()
    }

    fn labels(&self, chosen: &'static str, reason: Reason) -> AnswerLabels {
        let endpoint = self.0.endpoint.clone();
        AnswerLabels { endpoint, chosen, model: String::new(), reason: reason.name() }
    }
}

/// What is counted of an endpoint that is fed by a topic. `Clone` costs one atomic increment. An
/// endpoint that is not has none of it.
#[derive(Debug, Clone)]
pub struct FlowMetrics(Arc<Handles>);

impl FlowMetrics {
    /// Takes note of how many records of the source have not been read.
    pub fn set_lag(&self, records: u64) {
        let labels = EndpointLabels { endpoint: self.0.endpoint.clone() };
        self.0.families.flow_lag.get_or_create(&labels).set(saturate(records));
    }

    /// Counts a record that is no request; `reason` is one of a few fixed words.
    pub fn buried(&self, reason: &'static str) {
        let labels = ReasonLabels { endpoint: self.0.endpoint.clone(), reason };
        self.0.families.dead_letters.get_or_create(&labels).inc();
    }

    /// Counts answers that were written to other topics.
    pub fn returned(&self, count: u64) {
        if count > 0 {
            let labels = EndpointLabels { endpoint: self.0.endpoint.clone() };
            self.0.families.returned_answers.get_or_create(&labels).inc_by(count);
        }
    }
}

/// The metrics of one topic. `Clone` gives other handles of the same gauges.
#[derive(Debug, Clone)]
pub struct TopicMetrics {
    bytes: Gauge,
    first_offset: Gauge,
    next_offset: Gauge,
    poisoned: Gauge,
}

impl TopicMetrics {
    /// Takes note of how much the topic holds.
    pub fn set_extent(&self, first_offset: u64, next_offset: u64, bytes: u64) {
        self.first_offset.set(saturate(first_offset));
        self.next_offset.set(saturate(next_offset));
        self.bytes.set(saturate(bytes));
    }

    /// Takes note of whether the topic takes no more records.
    pub fn set_poisoned(&self, poisoned: bool) {
        self.poisoned.set(i64::from(poisoned));
    }
}

pub(super) fn reason_index(reason: Reason) -> usize {
    let index = Reason::ALL.iter().position(|&other| other == reason);
    index.expect("invariant: every reason is in the list")
}
