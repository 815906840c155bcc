//! The second page: one endpoint, its models, and a chart.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::overview::deadline;
use super::table::{self, Column, Row, cell, number, text};
use super::{Paint, chart, panel, split};
use crate::history::{EndpointHistory, ModelHistory};
use crate::snapshot::Model;
use crate::state::{ModelOrder, State};
use crate::theme::Theme;
use crate::units;

/// How wide the small line of bars is.
const BARS: usize = 12;
/// Over how long the small line of bars goes.
const BARS_S: f64 = 60.0;

pub(super) fn paint(state: &State, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let (facts, below) = split(area, 2);
    paint_facts(state, theme, facts, buffer);
    let models = state.models();
    if models.is_empty() {
        let nothing = match state.filter.text.as_str() {
            "" => " no model yet: copy a component into the folder of the endpoint".to_owned(),
            text => format!(" no model is called “{text}”"),
        };
        Line::styled(nothing, theme.dim()).paint(below, buffer);
        return;
    }
    let wanted = models.len() as u16 + 2;
    let height = below.height;
    let table_height = if height >= wanted + 8 { wanted } else { wanted.min(height.max(10) / 2) };
    let (top, below) = split(below, table_height.max(3));
    let shares = state
        .open_history()
        .map(|history| EndpointHistory::shares(&history.answers_s, state.ticks_in(panel::SHARE_S)));
    let shares = shares.unwrap_or_default();
    let share = |model: &Model| {
        let found = shares.iter().find(|(name, _)| *name == model.name);
        found.map_or(0.0, |(_, share)| *share)
    };
    let rows = models.into_iter().map(|model| row(state, model, share(model), theme));
    table::paint(&columns(state), rows.collect(), theme, top, buffer);
    if below.height >= 5 {
        panel::paint(state, theme, below, buffer);
    }
}

fn paint_facts(state: &State, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let Some(endpoint) = state.open_endpoint() else { return };
    let requests_s = state.open_history().map_or(f64::NAN, |history| history.requests_s.last());
    let facts = [
        ("requests/s", units::rate(requests_s)),
        ("p50", format!("{} ms", units::millis(endpoint.latency_us_p50))),
        ("p99", format!("{} ms", units::millis(endpoint.latency_us_p99))),
        ("deadline", deadline(endpoint)),
        ("open", units::count(endpoint.open_mailboxes)),
        ("queued", units::count(endpoint.queued())),
        ("requests", units::count(endpoint.requests)),
    ];
    let mut line = facts_line(&facts, theme);
    if endpoint.paused {
        line.spans.insert(0, Span::styled(" paused: callers are turned away  ", theme.odd()));
    }
    line.paint(area, buffer);
    // The column of notes may have no room for all of it.
    if let Some(model) = state.open_model()
        && let Some(reason) = &model.reason
    {
        let line = Line::styled(format!(" {}: {reason}", model.name), theme.odd());
        line.paint(split(area, 1).1, buffer);
    }
}

/// Names and numbers side by side.
pub(super) fn facts_line<'a>(facts: &[(&'a str, String)], theme: Theme) -> Line<'a> {
    let mut spans = vec![Span::raw(" ")];
    for (name, value) in facts {
        spans.push(Span::styled(format!("{name} "), theme.dim()));
        spans.push(Span::raw(format!("{value}   ")));
    }
    Line::from(spans)
}

fn columns(state: &State) -> [Column; 14] {
    let sorted = |order| state.model_order == order;
    let has_notes = state.models().iter().any(|model| model.reason.is_some());
    [
        text("model", 10, 0).sorted(sorted(ModelOrder::Name)),
        text("role", 10, 3).sorted(sorted(ModelOrder::Role)),
        text("state", 7, 1),
        number("share", 6, 2).sorted(sorted(ModelOrder::Share)),
        number("scores/s", 8, 4).sorted(sorted(ModelOrder::Scores)),
        number("refused/s", 9, 10),
        number("faults/s", 8, 5).sorted(sorted(ModelOrder::Faults)),
        number("p50 ms", 7, 8),
        number("p99 ms", 7, 6).sorted(sorted(ModelOrder::Latency)),
        text("p99, 1 min", BARS as u16, 13),
        number("queued", 6, 7).sorted(sorted(ModelOrder::Queued)),
        number("memory", 8, 11).sorted(sorted(ModelOrder::Memory)),
        number("cpu", 6, 9).sorted(sorted(ModelOrder::Cpu)),
        // Who has something to say is heard before most numbers.
        text("note", if has_notes { 20 } else { 0 }, if has_notes { 6 } else { 14 }),
    ]
}

fn row<'a>(state: &'a State, model: &'a Model, share: f64, theme: Theme) -> Row<'a> {
    let history = state.open_history().and_then(|history| history.models.get(&model.name));
    let last = |series: fn(&ModelHistory) -> f64| history.map_or(f64::NAN, series);
    let faults_s = last(|it| it.faults_s.last());
    let plain = Style::new();
    let some =
        |number: Option<u64>, text: fn(u64) -> String| number.map_or_else(|| "–".to_owned(), text);
    let bars = history.map(|history| {
        let per_column = state.ticks_in(BARS_S).div_ceil(BARS);
        history.latency_ms_p99.columns(state.history.ticks(), BARS, per_column)
    });
    Row {
        is_selected: state.model.as_deref() == Some(&*model.name),
        cells: vec![
            cell(&*model.name, theme.strong()),
            cell(&*model.role, if model.role == "staged" { theme.dim() } else { plain }),
            cell(&*model.state, theme.state(&model.state)),
            cell(units::percent(share), if share > 0.0 { plain } else { theme.dim() }),
            cell(units::rate(last(|it| it.scores_s.last())), plain),
            cell(units::rate(last(|it| it.refusals_s.last())), plain),
            cell(units::rate(faults_s), if faults_s > 0.0 { theme.bad() } else { plain }),
            cell(units::millis(model.latency_us_p50), plain),
            cell(units::millis(model.latency_us_p99), plain),
            cell(chart::sparkline(&bars.unwrap_or_default()), theme.ink(2).style()),
            cell(some(model.queued, units::count), plain),
            cell(some(model.memory_bytes, units::bytes), plain),
            cell(units::percent(last(|it| it.cpu.mean(5))), plain),
            cell(model.reason.as_deref().unwrap_or_default(), theme.odd()),
        ],
    }
}
