//! The first page: every endpoint, the chart of the selected one, and what is wrong.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::table::{self, Column, Row, cell, number, text};
use super::{Paint, chart, heading, panel, split};
use crate::history::EndpointHistory;
use crate::snapshot::Endpoint;
use crate::state::{Connection, EndpointOrder, State};
use crate::theme::Theme;
use crate::units;

/// How many problems are shown; the others are counted.
const PROBLEMS_MAX: usize = 4;
/// How wide the small line of bars is.
const BARS: usize = 24;
/// Over how long the small line of bars goes.
const BARS_S: f64 = 120.0;

pub(super) fn paint(state: &State, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let endpoints = state.endpoints();
    if endpoints.is_empty() {
        Line::styled(nothing(state), theme.dim()).paint(area, buffer);
    }
    let problems = problems_height(state, area.height);
    let rest = area.height - problems;
    let wanted = endpoints.len() as u16 + 2;
    let table_height = if rest >= wanted + 8 { wanted } else { wanted.min(rest.max(12) * 2 / 5) };
    let (top, below) = split(Rect { height: rest, ..area }, table_height.max(3));
    if !endpoints.is_empty() {
        let rows = endpoints.into_iter().map(|endpoint| row(state, endpoint, theme));
        table::paint(&columns(state), rows.collect(), theme, top, buffer);
    }
    if below.height >= 5 && state.open_endpoint().is_some() {
        panel::paint(state, theme, below, buffer);
    }
    paint_problems(state, theme, split(area, rest).1, buffer);
}

fn nothing(state: &State) -> String {
    let text = match state.connection {
        Connection::New => format!("asking {} …", state.settings.host),
        Connection::Lost { .. } => String::new(),
        Connection::Up if state.filter.text.is_empty() => {
            "this host has no endpoint: make a folder below its folder of models".to_owned()
        }
        Connection::Up => format!("no endpoint is called “{}”", state.filter.text),
    };
    format!(" {text}")
}

fn columns(state: &State) -> [Column; 11] {
    let sorted = |order| state.endpoint_order == order;
    [
        text("endpoint", 12, 0).sorted(sorted(EndpointOrder::Name)),
        number("req/s", 7, 1).sorted(sorted(EndpointOrder::Requests)),
        number("p50 ms", 7, 4),
        number("p99 ms", 7, 2).sorted(sorted(EndpointOrder::Latency)),
        number("deadline", 8, 7),
        number("open", 5, 6),
        number("queued", 6, 5).sorted(sorted(EndpointOrder::Queued)),
        number("faults/s", 8, 3).sorted(sorted(EndpointOrder::Faults)),
        number("models", 6, 9),
        text("champion", 10, 8),
        text("requests/s, 2 min", BARS as u16, 10),
    ]
}

fn row<'a>(state: &'a State, endpoint: &'a Endpoint, theme: Theme) -> Row<'a> {
    let history = state.history.endpoint(&endpoint.name);
    let last = |series: fn(&EndpointHistory) -> f64| history.map_or(f64::NAN, series);
    let faults_s = last(|it| it.faults_s.last());
    let plain = Style::new();
    let champion = endpoint.champion();
    let live = endpoint.models.iter().filter(|model| model.state == "live").count();
    let models = format!("{live}/{}", endpoint.models.len());
    let bars = history.map(|history| {
        let per_column = state.ticks_in(BARS_S).div_ceil(BARS);
        history.requests_s.columns(state.history.ticks(), BARS, per_column)
    });
    Row {
        is_selected: state.endpoint.as_deref() == Some(&*endpoint.name),
        cells: vec![
            cell(&*endpoint.name, theme.strong()),
            cell(units::rate(last(|it| it.requests_s.last())), plain),
            cell(units::millis(endpoint.latency_us_p50), plain),
            cell(units::millis(endpoint.latency_us_p99), slow(endpoint, theme)),
            cell(deadline(endpoint), theme.dim()),
            cell(units::count(endpoint.open_mailboxes), plain),
            cell(units::count(endpoint.queued()), plain),
            cell(units::rate(faults_s), if faults_s > 0.0 { theme.bad() } else { plain }),
            cell(models, if live < endpoint.models.len() { theme.odd() } else { plain }),
            match champion {
                _ if endpoint.paused => cell("paused", theme.odd()),
                Some(model) => cell(&*model.name, theme.state(&model.state)),
                None => cell("none", theme.dim()),
            },
            cell(chart::sparkline(&bars.unwrap_or_default()), theme.ink(0).style()),
        ],
    }
}

/// How the latency looks: near the deadline is odd.
fn slow(endpoint: &Endpoint, theme: Theme) -> Style {
    match (endpoint.latency_us_p99, endpoint.deadline_us) {
        (Some(p99), Some(deadline)) if p99 * 10 >= deadline * 9 => theme.odd(),
        _ => Style::new(),
    }
}

/// The deadline in few signs.
pub(super) fn deadline(endpoint: &Endpoint) -> String {
    endpoint
        .deadline_us
        .map_or_else(|| "–".to_owned(), |us| format!("{} ms", units::short_millis(us as f64 / 1e3)))
}

fn problems_height(state: &State, height: u16) -> u16 {
    let lines = match state.snapshot.problems.len() {
        0 => return 0,
        count => count.min(PROBLEMS_MAX) as u16 + 2,
    };
    lines.min(height / 3)
}

fn paint_problems(state: &State, theme: Theme, area: Rect, buffer: &mut Buffer) {
    if area.height < 2 {
        return;
    }
    let problems = &state.snapshot.problems;
    // A line stays free above.
    let (_, area) = split(area, u16::from(area.height > 2));
    let (title, lines) = split(area, 1);
    let shown = usize::from(lines.height).min(PROBLEMS_MAX);
    let more = match problems.len().saturating_sub(shown) {
        0 => String::new(),
        more => format!("and {more} more: understudy status"),
    };
    heading("problems", "what ran before them goes on", &more, theme, title, buffer);
    for (line, problem) in problems.iter().take(shown).enumerate() {
        let spans = vec![Span::styled(" ! ", theme.odd()), Span::raw(problem.clone())];
        let place = Rect { y: lines.y + line as u16, height: 1, ..lines };
        Line::from(spans).paint(place, buffer);
    }
}
