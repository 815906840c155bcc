//! The third page: one model, how it does, what it said, and what was changed about it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::chart::{self, Layer};
use super::endpoint::facts_line;
use super::panel::{Axis, latency_layers};
use super::{Paint, heading, split};
use crate::history::ModelHistory;
use crate::snapshot::Model;
use crate::state::{Changes, State};
use crate::theme::Theme;
use crate::units;

/// How high the charts are where there is room.
const CHART_HEIGHT: u16 = 12;

pub(super) fn paint(state: &State, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let Some(model) = state.open_model() else { return };
    let endpoint = state.endpoint.as_deref().unwrap_or_default();
    let history = state.history.model(endpoint, &model.name);
    let (facts, below) = split(area, 4);
    paint_facts(model, history, theme, facts, buffer);
    let chart_height = CHART_HEIGHT.min(below.height * 3 / 5);
    let (charts, below) = split(below, chart_height);
    if let Some(history) = history.filter(|_| chart_height >= 5) {
        let (left, right) = halves(charts);
        paint_latency(state, history, theme, left, buffer);
        paint_scores(state, history, theme, right, buffer);
    }
    // Most models print nothing.
    let nothing = Rect { width: 0, ..below };
    let (left, right) = if model.log.is_empty() { (nothing, below) } else { halves(below) };
    paint_log(model, theme, left, buffer);
    paint_changes(&state.changes, theme, right, buffer);
}

fn halves(area: Rect) -> (Rect, Rect) {
    let left = area.width / 2;
    let right = Rect { x: area.x + left, width: area.width - left, ..area };
    (Rect { width: left, ..area }, right)
}

fn paint_facts(
    model: &Model,
    history: Option<&ModelHistory>,
    theme: Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let last = |series: fn(&ModelHistory) -> f64| history.map_or(f64::NAN, series);
    let some = |number: Option<u64>| number.map_or_else(|| "–".to_owned(), units::count);
    let size = |number: Option<u64>| number.map_or_else(|| "–".to_owned(), units::bytes);
    let line = |number: u16| Rect { y: area.y + number, height: 1, ..area };
    let mut spans = vec![
        Span::raw(" "),
        Span::styled(model.state.clone(), theme.state(&model.state)),
        Span::styled("  as ", theme.dim()),
        Span::raw(model.role.clone()),
        Span::styled("  revision ", theme.dim()),
        Span::raw(model.revision.clone()),
    ];
    if let Some(lane) = &model.lane {
        spans.push(Span::styled("  lane ", theme.dim()));
        spans.push(Span::raw(lane.clone()));
    }
    Line::from(spans).paint(line(0), buffer);
    let facts = [
        ("scores", some(model.predictions)),
        ("refusals", some(model.refusals)),
        ("faults", some(model.faults)),
        ("dropped", some(model.drops)),
        ("queued", some(model.queued)),
        ("cpu", units::percent(last(|it| it.cpu.mean(5)))),
        ("memory", size(model.memory_bytes)),
        ("at most", size(model.memory_bytes_high)),
        ("sessions", some(model.sessions)),
    ];
    facts_line(&facts, theme).paint(line(1), buffer);
    let share = |share: f64| units::percent(share);
    let vitals = [
        ("error budget left", model.budget_left.map(share)),
        ("late", model.late_share.map(share)),
    ];
    let vitals: Vec<_> = vitals.into_iter().filter_map(|(name, it)| Some((name, it?))).collect();
    let mut last_line = if vitals.is_empty() { Line::raw(" ") } else { facts_line(&vitals, theme) };
    if let Some(reason) = &model.reason {
        last_line.push_span(Span::styled(reason.as_str(), theme.odd()));
    }
    last_line.paint(line(2), buffer);
}

fn paint_latency(
    state: &State,
    history: &ModelHistory,
    theme: Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let (title, plot) = split(area, 1);
    let now = format!(
        "p50 {}  p99 {}",
        units::short_millis(history.latency_ms_p50.latest()),
        units::short_millis(history.latency_ms_p99.latest())
    );
    heading("latency, ms", &now, "", theme, title, buffer);
    let axis = Axis::new(state, plot);
    let layers = latency_layers(&history.latency_ms_p50, &history.latency_ms_p99, &axis, theme);
    chart::stacked(&layers, units::short_millis, axis.covered_s(), theme, plot, buffer);
}

fn paint_scores(
    state: &State,
    history: &ModelHistory,
    theme: Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let (title, plot) = split(area, 1);
    let axis = Axis::new(state, plot);
    let parts = [
        ("scores", &history.scores_s, theme.ink(1)),
        ("refusals", &history.refusals_s, theme.ink(2)),
        ("faults", &history.faults_s, theme.bad_ink()),
    ];
    let now =
        parts.iter().map(|(name, series, _)| format!("{name} {}", units::rate(series.last())));
    heading("a second", &now.collect::<Vec<_>>().join("  "), "", theme, title, buffer);
    let layers = parts.map(|(_, series, ink)| Layer { values: axis.of(series), ink });
    chart::stacked(&layers, units::rate, axis.covered_s(), theme, plot, buffer);
}

fn paint_log(model: &Model, theme: Theme, area: Rect, buffer: &mut Buffer) {
    if area.height < 2 || area.width == 0 {
        return;
    }
    let (title, lines) = split(area, 1);
    heading("log", "the latest lines", "", theme, title, buffer);
    let first = model.log.len().saturating_sub(usize::from(lines.height));
    for (number, text) in model.log[first..].iter().enumerate() {
        let place = Rect { y: lines.y + number as u16, height: 1, ..lines };
        Line::raw(format!(" {}", printable(text))).paint(place, buffer);
    }
}

fn paint_changes(changes: &Changes, theme: Theme, area: Rect, buffer: &mut Buffer) {
    if area.height < 2 {
        return;
    }
    let (title, lines) = split(area, 1);
    heading("history", "the newest first, in UTC", "", theme, title, buffer);
    let entries = match changes {
        Changes::Unasked => return,
        Changes::Unknown(why) => {
            Line::styled(format!(" not known: {why}"), theme.dim()).paint(lines, buffer);
            return;
        }
        Changes::Known(entries) => entries,
    };
    if entries.is_empty() {
        Line::styled(" nothing was changed", theme.dim()).paint(lines, buffer);
    }
    for (number, entry) in entries.iter().take(usize::from(lines.height)).enumerate() {
        let place = Rect { y: lines.y + number as u16, height: 1, ..lines };
        let spans = vec![
            Span::styled(format!(" {}  ", units::moment(entry.time_us)), theme.dim()),
            Span::styled(format!("{:<11} ", entry.event), theme.strong()),
            Span::raw(format!("{}  ", entry.revisions)),
            Span::styled(format!("{}  ", entry.who), theme.dim()),
            Span::raw(printable(&entry.why)),
        ];
        Line::from(spans).paint(place, buffer);
    }
}

/// A text of a guest without what would steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
