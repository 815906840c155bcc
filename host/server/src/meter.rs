//! What is counted: for metrics, for `status`, and for nothing else.

mod external;
mod flow;
mod shared;
mod statistics;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use front::Caller;
use message::{Answer, Chosen, EndpointName, ModelName, Reason, Score, Time};
use monitor::{
    Build, EndpointMetrics, Latency, Metrics, ModelMetrics, ModelTotals, Quantiles, RoutedMetrics,
    TopicMetrics,
};
use parking_lot::Mutex;

use crate::endpoint::{Endpoint, PartReport};
use crate::host::Shared;
pub(crate) use crate::meter::external::{ExternalMeter, Ignored};
pub(crate) use crate::meter::flow::FlowMeter;
pub(crate) use crate::meter::shared::{OwnedPartition, SharedMeter};
use crate::meter::statistics::Statistics;
use crate::routed::Warmth;
use crate::stage::State;

/// Counts for the whole host.
pub(crate) struct Meter {
    metrics: Metrics,
}

/// Counts for one endpoint.
pub(crate) struct EndpointMeter {
    pub(crate) metrics: EndpointMetrics,
    pub(crate) routed: RoutedMetrics,
    latency: Mutex<Latency>,
    answers: Mutex<BTreeMap<(String, Reason), u64>>,
    topics: [(&'static str, TopicMetrics); 5],
    lost_scores: AtomicU64,
    unwritten_scores: AtomicU64,
    repetitions: AtomicU64,
    open_mailboxes: AtomicUsize,
    pub(crate) flow: FlowMeter,
    /// Of the partitions that are this host's, where others share the stream.
    pub(crate) shared: SharedMeter,
    pub(crate) external: ExternalMeter,
}

/// Counts for one model, or for all those that a route with `models` leads to.
pub(crate) struct ModelMeter {
    name: String,
    pub(crate) metrics: ModelMetrics,
    pub(crate) statistics: Statistics,
    latency: Mutex<Latency>,
    vitals: Mutex<Vitals>,
}

/// How the revision of a model that runs has behaved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vitals {
    /// What is left of its error budget, from 1 to 0.
    pub(crate) budget_left: f64,
    /// The share of recent requests for which its score was late.
    pub(crate) late_share: f64,
    /// Requests for which a score of the model was late, all in all.
    pub(crate) late: u64,
}

impl Default for Vitals {
    fn default() -> Self {
        Self { budget_left: 1.0, late_share: 0.0, late: 0 }
    }
}

impl Meter {
    /// Nothing counted yet.
    pub(crate) fn new(wasmtime: &str) -> Self {
        let build = Build { version: env!("CARGO_PKG_VERSION"), wasmtime };
        Self { metrics: Metrics::new(build) }
    }

    /// The counts of an endpoint.
    pub(crate) fn endpoint(&self, name: &EndpointName) -> EndpointMeter {
        let metrics = self.metrics.endpoint(name);
        let topics = ["requests", "scores", "answers", "events", "dead-letters"];
        EndpointMeter {
            topics: topics.map(|topic| (topic, metrics.topic(topic))),
            routed: metrics.routed(),
            flow: FlowMeter::new(metrics.flow()),
            shared: SharedMeter::new(metrics.sharing()),
            external: ExternalMeter::new(metrics.external()),
            metrics,
            latency: Mutex::default(),
            answers: Mutex::default(),
            lost_scores: AtomicU64::new(0),
            unwritten_scores: AtomicU64::new(0),
            repetitions: AtomicU64::new(0),
            open_mailboxes: AtomicUsize::new(0),
        }
    }

    /// Counts a response of the front.
    pub(crate) fn count_response(&self, status: u16) {
        self.metrics.responded(status);
    }

    /// Counts a caller who was denied.
    pub(crate) fn count_refusal(&self, tenant: &str, why: &'static str) {
        self.metrics.refused(tenant, why);
    }

    /// Everything that the caller sees, as OpenMetrics text. What is a state and not a count is
    /// looked at now.
    pub(crate) fn text(&self, shared: &Shared, caller: &Caller) -> String {
        for endpoint in shared.endpoints.load().values() {
            endpoint.meter.look_at(endpoint);
        }
        if let Some(reading) = shared.storage.reading() {
            self.metrics.set_brokers(&reading);
        }
        match caller.tenant.as_deref() {
            None => self.metrics.encode(),
            Some(tenant) => self.metrics.encode_for(tenant),
        }
    }
}

impl EndpointMeter {
    /// The counts of a model.
    pub(crate) fn model(&self, name: &ModelName) -> Arc<ModelMeter> {
        let metrics = self.metrics.model(name);
        let (name, statistics) = (name.to_string(), Statistics::default());
        let (latency, vitals) = Default::default();
        Arc::new(ModelMeter { name, metrics, statistics, latency, vitals })
    }

    /// Counts the answers of one turn of the driver.
    pub(crate) fn count_answer(&self, now: Time, answer: &Answer, model: Option<&ModelMeter>) {
        self.metrics.answered_after(answer.latency);
        self.latency.lock().record(now, answer.latency);
        let from = match &answer.chosen {
            Chosen::Score { model: name, .. } => {
                model.map_or_else(|| name.to_string(), |model| model.name.clone())
            }
            Chosen::Ensemble { .. } => {
                self.metrics.answered_by_ensemble(answer.reason, 1);
                "ensemble".to_owned()
            }
            Chosen::Default(_) => {
                self.metrics.answered_by_default(answer.reason, 1);
                "default".to_owned()
            }
            Chosen::Nothing => {
                self.metrics.answered_nothing(answer.reason, 1);
                "nothing".to_owned()
            }
        };
        if !answer.selection.course.is_empty() {
            self.metrics.took_course(&answer.selection.course, 1);
        }
        if let Some(model) = model {
            model.metrics.answered(answer.reason, 1);
        }
        *self.answers.lock().entry((from, answer.reason)).or_default() += 1;
    }

    /// Counts a score that nobody could be told of: its request was given up long ago.
    pub(crate) fn count_lost_score(&self) {
        self.lost_scores.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts scores that the disk did not take.
    pub(crate) fn count_unwritten_scores(&self, count: u64) {
        self.unwritten_scores.fetch_add(count, Ordering::Relaxed);
    }

    /// Counts a request that had an answer already.
    pub(crate) fn count_repetition(&self) {
        self.repetitions.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes note of how many mailboxes are open.
    pub(crate) fn set_open_mailboxes(&self, count: usize) {
        self.open_mailboxes.store(count, Ordering::Relaxed);
        self.metrics.set_open_mailboxes(count);
    }

    /// How many mailboxes are open.
    pub(crate) fn open_mailboxes(&self) -> usize {
        self.open_mailboxes.load(Ordering::Relaxed)
    }

    /// Scores lost, scores unwritten, and requests repeated.
    pub(crate) fn oddities(&self) -> [u64; 3] {
        [&self.lost_scores, &self.unwritten_scores, &self.repetitions]
            .map(|count| count.load(Ordering::Relaxed))
    }

    /// Who answered and why, and how often.
    pub(crate) fn answers(&self) -> BTreeMap<(String, Reason), u64> {
        self.answers.lock().clone()
    }

    /// How long answers took lately.
    pub(crate) fn quantiles(&self, now: Time) -> Quantiles {
        self.latency.lock().quantiles(now)
    }

    fn look_at(&self, endpoint: &Endpoint) {
        for ((_, metrics), (_, partitions)) in self.topics.iter().zip(endpoint.journal.topics()) {
            let sum =
                |of: fn(&dyn stream::Partition) -> u64| partitions.iter().map(|it| of(&**it)).sum();
            let (start, end) = (sum(|it| it.watermarks().start), sum(|it| it.watermarks().end));
            metrics.set_extent(start, end, sum(|it| it.size_bytes()));
            let mut health = partitions.iter().map(|partition| partition.health());
            metrics.set_poisoned(health.any(|it| matches!(it, stream::Health::Poisoned { .. })));
        }
        let parts = endpoint.parts.load();
        let census = Census::of(&parts);
        self.routed.set_models(census.cold, census.warm, census.bytes);
        for member in &endpoint.live.load().members {
            let lane = match member.lane {
                sandbox::Lane::Live => monitor::Lane::Live,
                sandbox::Lane::Shadow => monitor::Lane::Shadow,
            };
            let metrics = &member.identity.meter.metrics;
            metrics.set_queue_depth(lane, member.worker.depth());
            let part = parts.iter().find(|part| part.model == member.identity.model);
            let state = part.map_or(State::Live.name(), |part| part.state.name());
            metrics.set_info(member.identity.revision, member.role, state);
            metrics.set_demoted(part.is_some_and(|part| matches!(part.state, State::Demoted(_))));
        }
        for (part, external) in
            parts.iter().filter_map(|part| Some((part, part.external.as_ref()?)))
        {
            let metrics = &external.identity.meter.metrics;
            metrics.set_info(part.revision, part.role, part.state.name());
            metrics.set_demoted(matches!(part.state, State::Demoted(_)));
            self.external.look_at(external);
        }
    }
}

/// How many routed models of an endpoint are in memory.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Census {
    pub(crate) cold: usize,
    pub(crate) warm: usize,
    /// Those among them whose files nobody has looked at yet.
    pub(crate) unchecked: usize,
    /// The memory of those that are warm.
    pub(crate) bytes: u64,
}

impl Census {
    /// Counts them.
    pub(crate) fn of(parts: &[PartReport]) -> Self {
        let routed = parts.iter().filter_map(|part| part.routed.as_ref());
        routed.fold(Self::default(), |mut census, routed| {
            let is_warm = routed.warmth() == Warmth::Warm;
            census.warm += usize::from(is_warm);
            census.cold += usize::from(!is_warm);
            census.unchecked += usize::from(routed.known().is_none());
            census.bytes += routed.bytes();
            census
        })
    }
}

impl ModelMeter {
    /// Counts the scores of one batch.
    pub(crate) fn count_scores<'a>(
        &self,
        now: Time,
        scores: impl Iterator<Item = &'a Score> + Clone,
    ) {
        self.metrics.scored(scores.clone());
        let mut latency = self.latency.lock();
        scores.for_each(|score| latency.record(now, score.latency));
    }

    /// Takes note of how it behaves, and of `late` more requests for which it was late.
    pub(crate) fn set_vitals(&self, budget_left: f64, late_share: f64, late: u64) {
        self.metrics.set_conduct(budget_left, late_share);
        self.metrics.late(late);
        let mut vitals = self.vitals.lock();
        *vitals = Vitals { budget_left, late_share, late: vitals.late + late };
    }

    /// How it has behaved.
    pub(crate) fn vitals(&self) -> Vitals {
        *self.vitals.lock()
    }

    /// What the model has done so far.
    pub(crate) fn totals(&self) -> ModelTotals {
        self.metrics.totals()
    }

    /// How long scores took lately.
    pub(crate) fn quantiles(&self, now: Time) -> Quantiles {
        self.latency.lock().quantiles(now)
    }
}
