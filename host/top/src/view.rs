//! What the state looks like: a head, a page, and a line of keys.

mod chart;
mod dialog;
mod endpoint;
mod model;
mod overview;
mod panel;
mod table;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::state::{Connection, Page, State};
use crate::theme::Theme;
use crate::units;

/// The smallest terminal on which anything can be read.
const WIDTH_MIN: u16 = 40;
const HEIGHT_MIN: u16 = 8;

/// Paints the state.
pub fn view(state: &State, theme: Theme, frame: &mut Frame<'_>) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if area.width < WIDTH_MIN || area.height < HEIGHT_MIN {
        let small = format!("{WIDTH_MIN} × {HEIGHT_MIN} at least");
        buffer.set_stringn(0, 0, small, usize::from(area.width), Style::new());
        return;
    }
    let line = |y| Rect { y, height: 1, ..area };
    head(state, theme, line(area.y), buffer);
    banner(state, theme, line(area.y + 1), buffer);
    let page = Rect { y: area.y + 2, height: area.height - 3, ..area };
    match state.page {
        Page::Overview => overview::paint(state, theme, page, buffer),
        Page::Endpoint => endpoint::paint(state, theme, page, buffer),
        Page::Model => model::paint(state, theme, page, buffer),
    }
    foot(state, theme, line(area.bottom() - 1), buffer);
    if let Some(dialog) = &state.dialog {
        dialog::paint(dialog, theme, area, buffer);
    }
}

/// Where one is, and how the host is.
fn head(state: &State, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let mut left =
        vec![Span::styled(" understudy ", theme.accent()), Span::raw(state.settings.host.clone())];
    let places = match state.page {
        Page::Overview => vec![],
        Page::Endpoint => vec![&state.endpoint],
        Page::Model => vec![&state.endpoint, &state.model],
    };
    for place in places.into_iter().flatten() {
        left.push(Span::styled(" › ", theme.dim()));
        left.push(Span::styled(place.clone(), theme.strong()));
    }
    let problems = state.snapshot.problems.len();
    let mut right = Vec::new();
    if problems > 0 {
        let what = if problems == 1 { "problem" } else { "problems" };
        right.push(Span::styled(format!("{problems} {what}   "), theme.odd()));
    }
    let stream = &state.snapshot.stream;
    if !stream.brokers.is_empty() {
        let (up, all) = (stream.brokers.iter().filter(|it| it.up).count(), stream.brokers.len());
        let style = if up == all { theme.dim() } else { theme.odd() };
        right.push(Span::styled(format!("{} {up}/{all}   ", stream.backend), style));
    }
    if !state.snapshot.version.is_empty() {
        right.push(Span::styled(format!("{}   ", state.snapshot.version), theme.dim()));
    }
    right.push(match &state.connection {
        Connection::New => Span::styled("○ asking ", theme.dim()),
        Connection::Up => Span::styled("● up ", theme.good()),
        Connection::Lost { .. } => Span::styled("○ gone ", theme.bad()),
    });
    ends(left, right, area, buffer);
}

/// What has to be said before anything else.
fn banner(state: &State, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let text = match (&state.connection, &state.notice) {
        (Connection::Lost { since_s, why }, _) => {
            let since = since_s.map_or_else(String::new, |since_s| {
                format!(" for {}", units::age(state.now_s - since_s))
            });
            format!(" no answer{since}, still trying: {why}")
        }
        (_, Some(notice)) => format!(" {notice}"),
        _ => return,
    };
    let style = match &state.connection {
        Connection::Lost { .. } => theme.bad(),
        _ => theme.odd(),
    };
    Line::styled(text, style).paint(area, buffer);
}

fn foot(state: &State, theme: Theme, area: Rect, buffer: &mut Buffer) {
    if state.filter.is_open {
        let typed = Span::raw(format!("{}▏", state.filter.text));
        Line::from(vec![Span::styled(" / ", theme.accent()), typed]).paint(area, buffer);
        return;
    }
    let keys: &[(&str, &str)] = match state.page {
        Page::Overview => &[
            ("↑↓", "select"),
            ("enter", "open"),
            ("space", "pause"),
            ("tab", "panel"),
            ("t", "time"),
            ("s", "sort"),
            ("/", "filter"),
            ("?", "help"),
            ("q", "quit"),
        ],
        Page::Endpoint => &[
            ("enter", "open"),
            ("esc", "back"),
            ("p", "promote"),
            ("space", "pause"),
            ("tab", "panel"),
            ("t", "time"),
            ("s", "sort"),
            ("/", "filter"),
            ("?", "help"),
            ("q", "quit"),
        ],
        Page::Model => &[
            ("↑↓", "other model"),
            ("esc", "back"),
            ("p", "promote"),
            ("space", "pause"),
            ("t", "time"),
            ("?", "help"),
            ("q", "quit"),
        ],
    };
    let mut spans = vec![Span::raw(" ")];
    for (key, does) in keys {
        spans.push(Span::raw(*key));
        spans.push(Span::styled(format!(" {does}   "), theme.dim()));
    }
    let filter = match state.filter.text.as_str() {
        "" => Vec::new(),
        text => vec![Span::styled(format!("only “{text}” "), theme.odd())],
    };
    ends(spans, filter, area, buffer);
}

/// Paints one text at the left and one at the right; where both have no room, the right one wins.
fn ends(left: Vec<Span<'_>>, right: Vec<Span<'_>>, area: Rect, buffer: &mut Buffer) {
    let right = Line::from(right);
    let right_width = (right.width() as u16).min(area.width);
    let left_area = Rect { width: area.width - right_width, ..area };
    Line::from(left).paint(left_area, buffer);
    right.paint(Rect { x: area.right() - right_width, width: right_width, ..area }, buffer);
}

/// A heading over a part of a page: a title, what it is about, and a word at the right.
fn heading(title: &str, about: &str, right: &str, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let left = vec![
        Span::styled(format!(" {title}  "), theme.strong()),
        Span::styled(about.to_owned(), theme.dim()),
    ];
    ends(left, vec![Span::styled(format!("{right} "), theme.dim())], area, buffer);
}

/// Splits an area below so many lines.
fn split(area: Rect, height: u16) -> (Rect, Rect) {
    let height = height.min(area.height);
    let below = Rect { y: area.y + height, height: area.height - height, ..area };
    (Rect { height, ..area }, below)
}

trait Paint {
    fn paint(self, area: Rect, buffer: &mut Buffer);
}

impl Paint for Line<'_> {
    /// Paints the line; what has no room is cut, and a sign says so.
    fn paint(self, area: Rect, buffer: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        buffer.set_line(area.x, area.y, &self, area.width);
        if self.width() > usize::from(area.width)
            && let Some(cell) = buffer.cell_mut((area.right() - 1, area.y))
        {
            cell.set_symbol("…");
        }
    }
}
