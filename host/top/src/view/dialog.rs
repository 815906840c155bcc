//! A box over the page: the help, or a change with what it does.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Padding, Paragraph, Widget, Wrap};

use crate::key::HELP;
use crate::source::{Change, Verb};
use crate::state::{Dialog, Outcome, Stage};
use crate::theme::Theme;

const WIDTH_MAX: u16 = 84;

pub(super) fn paint(dialog: &Dialog, theme: Theme, area: Rect, buffer: &mut Buffer) {
    match dialog {
        Dialog::Help => {
            let width = HELP.iter().map(|(keys, _)| keys.chars().count()).max().unwrap_or(0);
            let line = |(keys, does): &(&'static str, &'static str)| {
                let keys = Span::styled(format!("{keys:<width$}  "), theme.strong());
                Line::from(vec![keys, Span::raw(*does)])
            };
            paint_box(" keys ", HELP.iter().map(line).collect(), theme, area, buffer);
        }
        Dialog::Change { change, stage, why } => {
            let lines = change_lines(change, stage, why, theme);
            let model = change.model.iter().map(|model| format!(" › {model}"));
            let model = model.collect::<String>();
            let title = format!(" {} {}{model} ", change.verb.name(), change.endpoint);
            paint_box(&title, lines, theme, area, buffer);
        }
    }
}

fn paint_box(title: &str, lines: Vec<Line<'_>>, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let width = WIDTH_MAX.min(area.width.saturating_sub(2));
    let inner = usize::from(width.saturating_sub(6)).max(1);
    let height: usize = lines.iter().map(|line| line.width().div_ceil(inner).max(1)).sum();
    let height = (height as u16 + 4).min(area.height);
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    Clear.render(place, buffer);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(theme.accent())
        .padding(Padding::new(2, 2, 1, 1))
        .title(Span::styled(title, theme.accent()));
    Paragraph::new(lines).block(block).wrap(Wrap { trim: false }).render(place, buffer);
}

fn change_lines<'a>(
    change: &'a Change,
    stage: &'a Stage,
    why: &'a str,
    theme: Theme,
) -> Vec<Line<'a>> {
    let dim = |text: &'static str| Line::styled(text, theme.dim());
    let keys = |keys: &[(&'static str, &'static str)]| {
        let spans = keys.iter().flat_map(|(key, does)| {
            [Span::styled(*key, theme.strong()), Span::styled(format!(" {does}   "), theme.dim())]
        });
        Line::from(spans.collect::<Vec<_>>())
    };
    let mut lines = Vec::new();
    match stage {
        Stage::Asking => lines.push(dim("The host is asked what would change …")),
        Stage::Making => lines.push(dim("The host is doing it …")),
        Stage::Ready(outcome) => {
            lines.push(Line::raw(question(change)));
            lines.push(Line::default());
            outcome_lines(outcome, theme, &mut lines);
            let typed = Span::raw(format!("{why}▏"));
            lines.push(Line::from(vec![Span::styled("Why?  ", theme.strong()), typed]));
            lines.push(Line::default());
            lines.push(keys(&[("enter", "do it"), ("esc", "leave it")]));
        }
        Stage::Done(outcome) => {
            lines.push(match &outcome.rest {
                None => Line::styled("Done.", theme.good()),
                Some(rest) => Line::styled(rest.as_str(), theme.odd()),
            });
            lines.push(Line::default());
            outcome_lines(outcome, theme, &mut lines);
            lines.push(keys(&[("any key", "goes on")]));
        }
        Stage::Refused(why) => {
            lines.push(Line::styled("The host does not do this:", theme.bad()));
            lines.push(Line::raw(why));
            lines.push(Line::default());
            lines.push(if change.force {
                keys(&[("esc", "leave it")])
            } else {
                keys(&[("esc", "leave it"), ("f", "see it forced")])
            });
        }
    }
    lines
}

fn question(change: &Change) -> String {
    let forced = if change.force { ", against the advice of the host" } else { "" };
    match (change.verb, &change.model) {
        (Verb::Promote, model) => {
            let model = model.as_deref().unwrap_or(&change.endpoint);
            format!("This makes {model} the champion{forced}:")
        }
        (Verb::Pause, Some(model)) => {
            format!("This asks {model} no more until it is resumed{forced}:")
        }
        (Verb::Resume, Some(model)) => format!("This asks {model} again{forced}:"),
        (Verb::Pause, None) => format!("This turns callers of {} away{forced}:", change.endpoint),
        (Verb::Resume, None) => {
            format!("This lets callers of {} in again{forced}:", change.endpoint)
        }
    }
}

fn outcome_lines<'a>(outcome: &'a Outcome, theme: Theme, lines: &mut Vec<Line<'a>>) {
    let width = |column: usize| {
        outcome.roster.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
    };
    let widths = [width(0), width(1)];
    for [model, before, after] in &outcome.roster {
        lines.push(Line::from(vec![
            Span::styled(format!("  {model:<0$}  ", widths[0]), theme.strong()),
            Span::styled(format!("{before:<0$}  →  ", widths[1]), theme.dim()),
            Span::raw(after.as_str()),
        ]));
    }
    if outcome.roster.is_empty() {
        lines.push(Line::styled("  nothing changes in the roster", theme.dim()));
    }
    for file in &outcome.files {
        lines.push(Line::from(vec![Span::styled("  writes ", theme.dim()), Span::raw(&**file)]));
    }
    for warning in &outcome.warnings {
        let sign = Span::styled("  ! ", theme.odd());
        lines.push(Line::from(vec![sign, Span::raw(&**warning)]));
    }
    lines.push(Line::default());
}
