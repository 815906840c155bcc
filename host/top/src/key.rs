//! What a key means. One table, which the help shows and the events go through.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a person wants, outside of a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// To end.
    Quit,
    /// To select the one before.
    Up,
    /// To select the one after.
    Down,
    /// To select the one a page before.
    PageUp,
    /// To select the one a page after.
    PageDown,
    /// To select the first.
    First,
    /// To select the last.
    Last,
    /// To see more of what is selected.
    Open,
    /// To see the page before.
    Back,
    /// To see the next panel below.
    NextPanel,
    /// To see the panel before.
    PreviousPanel,
    /// To see a longer or a shorter time.
    Span,
    /// To sort by the next column.
    Sort,
    /// To sort by the column before.
    SortBack,
    /// To type what names must contain.
    Filter,
    /// To make the selected model the champion.
    Promote,
    /// To ask the selected model no more, or again.
    Pause,
    /// To see what the keys do.
    Help,
}

/// What the keys do: their names, and a sentence about each.
pub(crate) const HELP: [(&str, &str); 13] = [
    ("↑ ↓  j k", "select the line before or after; PgUp, PgDn, Home and End go further"),
    ("enter  →", "open what is selected: an endpoint, then a model"),
    ("esc  ←", "go back"),
    ("tab", "show the next panel: answers, reasons, requests, latency, faults"),
    ("t", "show the last minute, five, or fifteen"),
    ("s  S", "sort by the next column, or by the one before"),
    ("/", "show only names that contain what is typed; esc shows all again"),
    ("p", "promote the selected model, after a look at what would change"),
    ("space", "pause the selected model, or on the first page the endpoint; or resume it"),
    ("?", "show this"),
    ("q  ctrl-c", "quit; the host goes on"),
    ("", ""),
    ("", "Rates are differences between two looks at the host; – is not known."),
];

/// What this key wishes for.
pub(crate) fn wish(key: KeyEvent) -> Option<Wish> {
    if is_interrupt(key) {
        return Some(Wish::Quit);
    }
    if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
        return None;
    }
    Some(match key.code {
        KeyCode::Char('q') => Wish::Quit,
        KeyCode::Up | KeyCode::Char('k') => Wish::Up,
        KeyCode::Down | KeyCode::Char('j') => Wish::Down,
        KeyCode::PageUp => Wish::PageUp,
        KeyCode::PageDown => Wish::PageDown,
        KeyCode::Home | KeyCode::Char('g') => Wish::First,
        KeyCode::End | KeyCode::Char('G') => Wish::Last,
        KeyCode::Enter | KeyCode::Right | KeyCode::Char('l') => Wish::Open,
        KeyCode::Esc | KeyCode::Left | KeyCode::Backspace | KeyCode::Char('h') => Wish::Back,
        KeyCode::Tab => Wish::NextPanel,
        KeyCode::BackTab => Wish::PreviousPanel,
        KeyCode::Char('t') => Wish::Span,
        KeyCode::Char('s') => Wish::Sort,
        KeyCode::Char('S') => Wish::SortBack,
        KeyCode::Char('/') => Wish::Filter,
        KeyCode::Char('p') => Wish::Promote,
        KeyCode::Char(' ') => Wish::Pause,
        KeyCode::Char('?') => Wish::Help,
        _ => return None,
    })
}

/// Whether a key was pressed: some terminals tell of its release as well.
pub(crate) fn is_pressed(key: KeyEvent) -> bool {
    key.kind != KeyEventKind::Release
}

/// Whether it is the key that ends a program.
pub(crate) fn is_interrupt(key: KeyEvent) -> bool {
    key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c')
}

/// The character that a key types into a line.
pub(crate) fn typed(key: KeyEvent) -> Option<char> {
    match key.code {
        KeyCode::Char(typed)
            if !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) =>
        {
            Some(typed)
        }
        _ => None,
    }
}
