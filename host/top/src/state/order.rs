//! By what tables are sorted.

use std::cmp::Ordering;

use super::step;
use crate::history::{EndpointHistory, History, ModelHistory, Series};
use crate::snapshot::{Endpoint, Model};

/// Over how many ticks rates are taken, so that lines do not jump about.
const CALM_TICKS: usize = 10;

/// By what the endpoints are sorted; numbers begin with the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndpointOrder {
    /// By name.
    Name,
    /// By requests per second.
    Requests,
    /// By the slowest answers.
    Latency,
    /// By what waits for models.
    Queued,
    /// By faults per second.
    Faults,
}

/// By what the models are sorted; numbers begin with the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModelOrder {
    /// By what they are for: the champion first.
    Role,
    /// By name.
    Name,
    /// By the share of answers.
    Share,
    /// By scores per second.
    Scores,
    /// By faults per second.
    Faults,
    /// By the slowest scores.
    Latency,
    /// By what waits.
    Queued,
    /// By memory.
    Memory,
    /// By processor time.
    Cpu,
}

impl EndpointOrder {
    const ALL: [Self; 5] = [Self::Name, Self::Requests, Self::Latency, Self::Queued, Self::Faults];

    /// The one so many places further on.
    pub(crate) fn step(self, places: isize) -> Self {
        step(&Self::ALL, self, places)
    }

    /// Sorts; what is equal is sorted by name.
    pub(crate) fn sort(self, endpoints: &mut [&Endpoint], history: &History) {
        let calm = |endpoint: &Endpoint, series: fn(&EndpointHistory) -> &Series| {
            let history = history.endpoint(&endpoint.name);
            history.map_or(f64::NAN, |history| series(history).mean(CALM_TICKS))
        };
        let number = |endpoint: &Endpoint| match self {
            Self::Name => 0.0,
            Self::Requests => calm(endpoint, |it| &it.requests_s),
            Self::Latency => endpoint.latency_us_p99.map_or(f64::NAN, |us| us as f64),
            Self::Queued => endpoint.queued() as f64,
            Self::Faults => calm(endpoint, |it| &it.faults_s),
        };
        endpoints.sort_by(|one, other| {
            greatest_first(number(one), number(other)).then_with(|| one.name.cmp(&other.name))
        });
    }
}

impl ModelOrder {
    const ALL: [Self; 9] = [
        Self::Role,
        Self::Name,
        Self::Share,
        Self::Scores,
        Self::Faults,
        Self::Latency,
        Self::Queued,
        Self::Memory,
        Self::Cpu,
    ];

    /// The one so many places further on.
    pub(crate) fn step(self, places: isize) -> Self {
        step(&Self::ALL, self, places)
    }

    /// Sorts; what is equal is sorted by name.
    pub(crate) fn sort(self, models: &mut [&Model], history: Option<&EndpointHistory>) {
        let calm = |model: &Model, series: fn(&ModelHistory) -> &Series| {
            let history = history.and_then(|history| history.models.get(&model.name));
            history.map_or(f64::NAN, |history| series(history).mean(CALM_TICKS))
        };
        let share = |model: &Model| {
            let answers_s = history.and_then(|history| history.answers_s.get(&model.name));
            answers_s.map_or(f64::NAN, |series| series.mean(CALM_TICKS))
        };
        let some = |number: Option<u64>| number.map_or(f64::NAN, |number| number as f64);
        let number = |model: &Model| match self {
            Self::Name => 0.0,
            Self::Role => -f64::from(rank(&model.role)),
            Self::Share => share(model),
            Self::Scores => calm(model, |it| &it.scores_s),
            Self::Faults => calm(model, |it| &it.faults_s),
            Self::Latency => some(model.latency_us_p99),
            Self::Queued => some(model.queued),
            Self::Memory => some(model.memory_bytes),
            Self::Cpu => calm(model, |it| &it.cpu),
        };
        models.sort_by(|one, other| {
            greatest_first(number(one), number(other)).then_with(|| one.name.cmp(&other.name))
        });
    }
}

/// How important a role is; the most important is 0.
fn rank(role: &str) -> u8 {
    let roles = ["champion", "challenger", "canary", "fallback"];
    roles.iter().position(|known| *known == role).map_or(9, |rank| rank as u8)
}

/// What is not known comes last.
fn greatest_first(one: f64, other: f64) -> Ordering {
    let known = |number: f64| if number.is_nan() { f64::NEG_INFINITY } else { number };
    known(other).total_cmp(&known(one))
}
