//! What is counted for a model.

use std::sync::Arc;
use std::time::Duration;

use message::{FaultClass, ModelName, Outcome, Reason, Revision, Role, Score};
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

use super::endpoint::reason_index;
use super::families::{Families, Ratio};
use super::histogram::Durations;
use super::labels::{
    AnswerLabels, FaultLabels, InfoLabels, Lane, LaneLabels, ModelLabels, OutcomeLabels,
};
use super::saturate;
use super::slots::Slots;

const OUTCOMES: [&str; 3] = ["prediction", "refusal", "fault"];
const CHOSEN: &str = "score";

/// The metrics of one model of an endpoint, over all its revisions. `Clone` costs one atomic
/// increment.
#[derive(Debug, Clone)]
pub struct ModelMetrics(Arc<Handles>);

#[derive(Debug)]
struct Handles {
    families: Arc<Families>,
    labels: ModelLabels,
    latency: Durations,
    cpu: Durations,
    shadow_drops: Counter,
    queue_depth: [Gauge; 2],
    outcomes: Slots<OutcomeLabels>,
    faults: Slots<FaultLabels>,
    answers: Slots<AnswerLabels>,
    info: Mutex<Option<InfoLabels>>,
    demoted: Gauge,
    budget_left: Ratio,
    late_share: Ratio,
    late: Counter,
}

/// What a model has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ModelTotals {
    /// Scores that were predictions.
    pub predictions: u64,
    /// Scores that were refusals.
    pub refusals: u64,
    /// Scores that were faults.
    pub faults: u64,
    /// Official answers that were its predictions.
    pub answers: u64,
    /// Requests that it did not see as a shadow.
    pub shadow_drops: u64,
    /// The CPU time of all its scores.
    pub cpu: Duration,
}

impl ModelMetrics {
    pub(super) fn new(families: Arc<Families>, endpoint: &str, model: &ModelName) -> Self {
        let labels = ModelLabels { endpoint: endpoint.to_owned(), model: model.to_string() };
        let queue_depth = Lane::ALL
            .map(|lane| families.queue_depth.get_or_create_owned(&lane_labels(&labels, lane)));
        Self(Arc::new(Handles {
            latency: families.model_latency.get_or_create_owned(&labels),
            cpu: families.model_cpu.get_or_create_owned(&labels),
            shadow_drops: families.shadow_drops.get_or_create_owned(&labels),
            queue_depth,
            outcomes: Slots::new(families.scores.clone(), OUTCOMES.len()),
            faults: Slots::new(families.faults.clone(), FaultClass::ALL.len()),
            answers: Slots::new(families.answers.clone(), Reason::ALL.len()),
            info: Mutex::default(),
            demoted: families.demoted.get_or_create_owned(&labels),
            budget_left: families.budget_left.get_or_create_owned(&labels),
            late_share: families.late_share.get_or_create_owned(&labels),
            late: families.late_scores.get_or_create_owned(&labels),
            families,
            labels,
        }))
    }

    /// Counts scores of the model.
    pub fn scored<'score>(&self, scores: impl IntoIterator<Item = &'score Score>) {
        let mut outcomes = [0; OUTCOMES.len()];
        for score in scores {
            self.0.latency.observe(score.latency);
            self.0.cpu.observe(score.cpu);
            match &score.outcome {
                Outcome::Prediction(_) => outcomes[0] += 1,
                Outcome::Refusal(_) => outcomes[1] += 1,
                Outcome::Fault(fault) => {
                    outcomes[2] += 1;
                    self.faulted(fault.class);
                }
            }
        }
        for (index, count) in outcomes.into_iter().enumerate() {
            let labels = || outcome_labels(&self.0.labels, OUTCOMES[index]);
            self.0.outcomes.add(index, count, labels);
        }
    }

    /// Counts official answers that were the model's.
    pub fn answered(&self, reason: Reason, count: u64) {
        let labels = || answer_labels(&self.0.labels, reason);
        self.0.answers.add(reason_index(reason), count, labels);
    }

    /// Counts requests that the model did not see because its shadow queue was full.
    pub fn dropped(&self, count: u64) {
        self.0.shadow_drops.inc_by(count);
    }

    /// Takes note of how many requests wait for the model in a lane.
    pub fn set_queue_depth(&self, lane: Lane, depth: usize) {
        self.0.queue_depth[lane as usize].set(saturate(depth));
    }

    /// Takes note of what runs, as what, and how it is, in place of what this handle noted before.
    /// `state` is one of a few fixed words.
    pub fn set_info(&self, revision: Revision, role: Option<Role>, state: &'static str) {
        let ModelLabels { endpoint, model } = self.0.labels.clone();
        let role = role.map_or("staged", Role::name);
        let info = InfoLabels { endpoint, model, revision: revision.short(), role, state };
        let before = self.0.info.lock().replace(info.clone());
        if let Some(before) = before {
            self.0.families.model_info.remove(&before);
        }
        self.0.families.model_info.get_or_create(&info).set(1);
    }

    /// Takes note of whether others go before the model because it was late or faulted too often.
    pub fn set_demoted(&self, demoted: bool) {
        self.0.demoted.set(i64::from(demoted));
    }

    /// Takes note of what is left of the error budget, from 1 to 0, and of the share of recent
    /// requests for which the model was late.
    pub fn set_conduct(&self, budget_left: f64, late_share: f64) {
        self.0.budget_left.set(budget_left);
        self.0.late_share.set(late_share);
    }

    /// Counts requests for which the model was late.
    pub fn late(&self, count: u64) {
        self.0.late.inc_by(count);
    }

    /// Takes the model out of what is scraped, for good: handles of it count for nobody from now on.
    pub fn forget(&self) {
        let Handles { families, labels, .. } = &*self.0;
        if let Some(info) = self.0.info.lock().take() {
            families.model_info.remove(&info);
        }
        families.model_latency.remove(labels);
        families.model_cpu.remove(labels);
        families.shadow_drops.remove(labels);
        families.demoted.remove(labels);
        families.budget_left.remove(labels);
        families.late_share.remove(labels);
        families.late_scores.remove(labels);
        for lane in Lane::ALL {
            families.queue_depth.remove(&lane_labels(labels, lane));
        }
        for outcome in OUTCOMES {
            families.scores.remove(&outcome_labels(labels, outcome));
        }
        for class in FaultClass::ALL {
            families.faults.remove(&fault_labels(labels, class));
        }
        for reason in Reason::ALL {
            families.answers.remove(&answer_labels(labels, reason));
        }
    }

    /// What the model has done so far.
    pub fn totals(&self) -> ModelTotals {
        ModelTotals {
            predictions: self.0.outcomes.get(0),
            refusals: self.0.outcomes.get(1),
            faults: self.0.outcomes.get(2),
            answers: self.0.answers.sum(),
            shadow_drops: self.0.shadow_drops.get(),
            cpu: self.0.cpu.sum(),
        }
    }

    fn faulted(&self, class: FaultClass) {
        let index = FaultClass::ALL.iter().position(|&other| other == class);
        let index = index.expect("invariant: every class is in the list");
        self.0.faults.add(index, 1, || fault_labels(&self.0.labels, class));
    }
}

fn lane_labels(labels: &ModelLabels, lane: Lane) -> LaneLabels {
    let ModelLabels { endpoint, model } = labels.clone();
    LaneLabels { endpoint, model, lane: lane.name() }
}

fn outcome_labels(labels: &ModelLabels, outcome: &'static str) -> OutcomeLabels {
    let ModelLabels { endpoint, model } = labels.clone();
    OutcomeLabels { endpoint, model, outcome }
}

fn fault_labels(labels: &ModelLabels, class: FaultClass) -> FaultLabels {
    let ModelLabels { endpoint, model } = labels.clone();
    FaultLabels { endpoint, model, class: class.name() }
}

fn answer_labels(labels: &ModelLabels, reason: Reason) -> AnswerLabels {
    let ModelLabels { endpoint, model } = labels.clone();
    AnswerLabels { endpoint, chosen: CHOSEN, model, reason: reason.name() }
}
