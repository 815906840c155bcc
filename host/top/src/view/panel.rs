//! The chart below a table, with its legend.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::chart::{self, Layer};
use super::{Paint, heading, split};
use crate::history::{EndpointHistory, Series};
use crate::state::{Panel, State};
use crate::theme::{Ink, Theme};
use crate::units;

/// Over how long the shares of a legend are taken.
pub(super) const SHARE_S: f64 = 60.0;
/// How many parts a chart has; what is less than those stands together.
const PARTS_MAX: usize = 7;

/// A chart: its layers from below, and what they mean.
struct Parts {
    layers: Vec<Layer>,
    legend: Vec<(Ink, String, String)>,
}

/// The time that a chart covers, cut into its columns.
pub(super) struct Axis {
    now: u64,
    columns: usize,
    per_column: usize,
    /// How many columns show the same: where there are more of them than ticks.
    repeated: usize,
    every_s: f64,
}

impl Axis {
    /// The axis of a chart in this area.
    pub(super) fn new(state: &State, area: Rect) -> Self {
        let columns = chart::columns(area).max(1);
        let ticks = state.ticks_in(state.span.seconds());
        Self {
            now: state.history.ticks(),
            columns,
            per_column: ticks.div_ceil(columns),
            repeated: (columns / ticks).max(1),
            every_s: state.settings.every.as_secs_f64(),
        }
    }

    /// The values of the columns.
    pub(super) fn of(&self, series: &Series) -> Vec<f64> {
        let values = self.columns.div_ceil(self.repeated);
        let values = series.columns(self.now, values, self.per_column);
        let repeated = values.into_iter().flat_map(|value| (0..self.repeated).map(move |_| value));
        let mut repeated: Vec<f64> = repeated.collect();
        repeated.split_off(repeated.len() - self.columns)
    }

    /// How much time it covers.
    pub(super) fn covered_s(&self) -> f64 {
        self.columns.div_ceil(self.repeated) as f64 * self.per_column as f64 * self.every_s
    }
}

/// Paints the panel of the endpoint that is selected or open.
pub(super) fn paint(state: &State, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let (title, below) = split(area, 1);
    let name = state.endpoint.as_deref().unwrap_or_default();
    let words = match state.panel {
        Panel::Answers => "answers/s by model",
        Panel::Reasons => "answers/s by reason",
        Panel::Requests => "requests/s",
        Panel::Latency => "latency of answers, ms",
        Panel::Faults => "faults/s",
    };
    let place = Panel::ALL.iter().position(|it| *it == state.panel).unwrap_or(0) + 1;
    let right = format!("{:.0} min  {place}/{}", state.span.seconds() / 60.0, Panel::ALL.len());
    heading(words, name, &right, theme, title, buffer);
    let Some(history) = state.open_history() else { return };
    let (plot, legend) = split(below, below.height.saturating_sub(1).min(chart::HEIGHT_MAX));
    let axis = Axis::new(state, plot);
    let parts = parts(state, history, &axis, theme);
    let label = match state.panel {
        Panel::Latency => units::short_millis,
        _ => units::rate,
    };
    chart::stacked(&parts.layers, label, axis.covered_s(), theme, plot, buffer);
    paint_legend(&parts.legend, theme, legend, buffer);
}

fn parts(state: &State, history: &EndpointHistory, axis: &Axis, theme: Theme) -> Parts {
    let ticks = state.ticks_in(SHARE_S);
    match state.panel {
        Panel::Answers => {
            let champion = state.open_endpoint().and_then(|endpoint| endpoint.champion());
            let first = champion.map(|champion| champion.name.as_str());
            by_name(&history.answers_s, first, axis, ticks, theme)
        }
        Panel::Reasons => by_name(&history.reasons_s, Some("preferred"), axis, ticks, theme),
        Panel::Requests => alone(&history.requests_s, theme.ink(0), axis, ticks),
        Panel::Faults => alone(&history.faults_s, theme.bad_ink(), axis, ticks),
        Panel::Latency => latency(&history.latency_ms_p50, &history.latency_ms_p99, axis, theme),
    }
}

/// One layer with the mean of the last minute.
fn alone(series: &Series, ink: Ink, axis: &Axis, ticks: usize) -> Parts {
    let mean = format!("{} a second over the last minute", units::rate(series.mean(ticks)));
    Parts {
        layers: vec![Layer { values: axis.of(series), ink }],
        legend: vec![(ink, mean, String::new())],
    }
}

/// The median, and upon it what lies between it and the ninety-ninth percentile.
pub(super) fn latency_layers(p50: &Series, p99: &Series, axis: &Axis, theme: Theme) -> Vec<Layer> {
    let (p50, p99) = (axis.of(p50), axis.of(p99));
    let between = p50.iter().zip(&p99).map(|(p50, p99)| (p99 - p50).max(0.0)).collect();
    vec![Layer { values: p50, ink: theme.ink(0) }, Layer { values: between, ink: theme.ink(2) }]
}

fn latency(p50: &Series, p99: &Series, axis: &Axis, theme: Theme) -> Parts {
    let legend = [(0, "p50", p50), (2, "p99", p99)].map(|(ink, name, series)| {
        let now = format!("{} ms", units::short_millis(series.latest()));
        (theme.ink(ink), name.to_owned(), now)
    });
    Parts { layers: latency_layers(p50, p99, axis, theme), legend: legend.into() }
}

/// A layer for each name: `first` at the ground, then the others by name, so that a layer keeps its
/// place and its ink; what nobody chose lies on top.
fn by_name(
    all: &BTreeMap<String, Series>,
    first: Option<&str>,
    axis: &Axis,
    ticks: usize,
    theme: Theme,
) -> Parts {
    let shares: BTreeMap<String, f64> = EndpointHistory::shares(all, ticks).into_iter().collect();
    let mut names: Vec<&String> = all.keys().filter(|name| !is_nobody(name)).collect();
    names.sort_by_key(|name| Some(name.as_str()) != first);
    let others = if names.len() > PARTS_MAX {
        names.sort_by(|one, other| {
            let share = |name: &&&String| shares.get(**name).copied().unwrap_or(0.0);
            share(&other).total_cmp(&share(&one))
        });
        names.split_off(PARTS_MAX - 1)
    } else {
        Vec::new()
    };
    let share_of = |name: &str| shares.get(name).copied().unwrap_or(0.0);
    let mut parts = Parts { layers: Vec::new(), legend: Vec::new() };
    for (number, name) in names.into_iter().enumerate() {
        let ink = theme.ink(number);
        parts.layers.push(Layer { values: axis.of(&all[name]), ink });
        parts.legend.push((ink, name.clone(), units::percent(share_of(name))));
    }
    if !others.is_empty() {
        let ink = theme.ink(PARTS_MAX - 1);
        let share = others.iter().map(|name| share_of(name)).sum();
        let values = sum(others.iter().map(|name| axis.of(&all[*name])));
        parts.layers.push(Layer { values, ink });
        parts.legend.push((ink, format!("{} others", others.len()), units::percent(share)));
    }
    for name in all.keys().filter(|name| is_nobody(name)) {
        let ink = if name == "default" { theme.grey_ink() } else { theme.bad_ink() };
        parts.layers.push(Layer { values: axis.of(&all[name]), ink });
        parts.legend.push((ink, name.clone(), units::percent(share_of(name))));
    }
    parts
}

/// Whether this is what the answer is called where no model gave it.
fn is_nobody(name: &str) -> bool {
    matches!(name, "default" | "nothing")
}

fn sum(all: impl Iterator<Item = Vec<f64>>) -> Vec<f64> {
    let add = |one: f64, other: f64| if one.is_nan() { other } else { one + other.max(0.0) };
    all.reduce(|sum, values| {
        sum.into_iter().zip(values).map(|(one, other)| add(one, other)).collect()
    })
    .unwrap_or_default()
}

fn paint_legend(legend: &[(Ink, String, String)], theme: Theme, area: Rect, buffer: &mut Buffer) {
    let mut spans = vec![Span::raw(" ")];
    for (ink, name, value) in legend {
        spans.push(Span::styled(format!("{} ", ink.sign()), ink.style()));
        spans.push(Span::raw(name.clone()));
        spans.push(Span::styled(format!(" {value}   "), theme.dim()));
    }
    Line::from(spans).paint(area, buffer);
}
