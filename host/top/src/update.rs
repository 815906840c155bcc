//! What an event does to the state.

use ratatui::crossterm::event::{KeyCode, KeyEvent};
use serde_json::Value;

use crate::key::{self, Wish};
use crate::snapshot::Snapshot;
use crate::source::{Change, Verb};
use crate::state::{
    Changes, Command, Connection, Dialog, Event, Outcome, Page, Stage, State, changes_of,
};

/// How far a page goes.
const PAGE: isize = 10;
/// How long a reason may become.
const WHY_CHARS_MAX: usize = 200;
/// How long a filter may become.
const FILTER_CHARS_MAX: usize = 60;

/// Changes the state by an event. Returns what has to be done outside.
pub fn update(state: &mut State, event: Event) -> Option<Command> {
    match event {
        Event::Key(key) if key::is_pressed(key) => {
            state.notice = None;
            press(state, key)
        }
        Event::Key(_) | Event::Resized | Event::KeysEnded => None,
        Event::Polled { at_s, status } => {
            hear(state, at_s, status);
            None
        }
        Event::Previewed(change, reply) => {
            let stage = match reply.and_then(|reply| Outcome::read(&reply)) {
                // There is nothing to say yes to.
                Ok(outcome) if outcome.rest.is_some() => Stage::Done(outcome),
                Ok(outcome) => Stage::Ready(outcome),
                Err(why) => Stage::Refused(why),
            };
            set_stage(state, &change, Stage::Asking, stage);
            None
        }
        Event::Changed(change, reply) => {
            let stage = match reply.and_then(|reply| Outcome::read(&reply)) {
                Ok(outcome) => Stage::Done(outcome),
                Err(why) => Stage::Refused(why),
            };
            set_stage(state, &change, Stage::Making, stage);
            ask_history(state)
        }
        Event::History { endpoint, model, history } => {
            let is_open = state.endpoint.as_deref() == Some(&*endpoint)
                && state.model.as_deref() == Some(&*model);
            if is_open {
                state.changes = match history {
                    Ok(history) => Changes::Known(changes_of(&history)),
                    Err(why) => Changes::Unknown(why),
                };
            }
            None
        }
    }
}

fn hear(state: &mut State, at_s: f64, status: Result<Value, String>) {
    let answered_s = match state.connection {
        Connection::New => None,
        Connection::Up => Some(state.now_s),
        Connection::Lost { since_s, .. } => since_s,
    };
    state.now_s = at_s;
    match status.and_then(Snapshot::read) {
        Ok(snapshot) => {
            state.history.hear(at_s, &snapshot);
            state.snapshot = snapshot;
            state.connection = Connection::Up;
            keep_selection(state);
        }
        Err(why) => {
            state.history.miss();
            state.connection = Connection::Lost { since_s: answered_s, why };
        }
    }
}

/// Selects something where nothing is, and leaves pages whose subject has gone.
fn keep_selection(state: &mut State) {
    if state.open_endpoint().is_none() {
        if state.page != Page::Overview {
            let gone = state.endpoint.take().unwrap_or_default();
            state.notice = Some(format!("the endpoint {gone} has gone"));
        }
        state.page = Page::Overview;
        state.endpoint = None;
    }
    if state.page == Page::Overview {
        let shown = state.endpoints();
        let selected = state.endpoint.as_deref();
        if !shown.iter().any(|endpoint| Some(&*endpoint.name) == selected) {
            state.endpoint = shown.first().map(|endpoint| endpoint.name.clone());
        }
        return;
    }
    if state.page == Page::Model && state.open_model().is_none() {
        let gone = state.model.take().unwrap_or_default();
        state.notice = Some(format!("the model {gone} has gone"));
        state.page = Page::Endpoint;
    }
    if state.page == Page::Endpoint {
        let shown = state.models();
        let selected = state.model.as_deref();
        if !shown.iter().any(|model| Some(&*model.name) == selected) {
            state.model = shown.first().map(|model| model.name.clone());
        }
    }
}

fn press(state: &mut State, key: KeyEvent) -> Option<Command> {
    if key::is_interrupt(key) {
        return Some(Command::Quit);
    }
    if let Some(dialog) = state.dialog.take() {
        return press_in_dialog(state, dialog, key);
    }
    if state.filter.is_open {
        type_filter(state, key);
        return None;
    }
    fulfil(state, key::wish(key)?)
}

fn fulfil(state: &mut State, wish: Wish) -> Option<Command> {
    match wish {
        Wish::Quit => return Some(Command::Quit),
        Wish::Up => return select(state, -1),
        Wish::Down => return select(state, 1),
        Wish::PageUp => return select(state, -PAGE),
        Wish::PageDown => return select(state, PAGE),
        Wish::First => return select(state, isize::MIN),
        Wish::Last => return select(state, isize::MAX),
        Wish::Open => return open(state),
        Wish::Back => go_back(state),
        Wish::NextPanel => state.panel = state.panel.step(1),
        Wish::PreviousPanel => state.panel = state.panel.step(-1),
        Wish::Span => state.span = state.span.next(),
        Wish::Sort => sort(state, 1),
        Wish::SortBack => sort(state, -1),
        Wish::Filter if state.page == Page::Model => {}
        Wish::Filter => state.filter.is_open = true,
        Wish::Promote if state.page == Page::Overview => {
            let notice = "open an endpoint first, with enter, and select a model";
            state.notice = Some(notice.to_owned());
        }
        Wish::Promote => return propose(state, |_| Verb::Promote),
        Wish::Pause => {
            let verb = |is_paused| if is_paused { Verb::Resume } else { Verb::Pause };
            return propose(state, verb);
        }
        Wish::Help => state.dialog = Some(Dialog::Help),
    }
    None
}

fn select(state: &mut State, lines: isize) -> Option<Command> {
    let moved = |names: Vec<&str>, selected: Option<&str>| {
        let last = names.len().checked_sub(1)?;
        let at = names.iter().position(|name| Some(*name) == selected).unwrap_or(0);
        Some(names[at.saturating_add_signed(lines).min(last)].to_owned())
    };
    match state.page {
        Page::Overview => {
            let names = state.endpoints().iter().map(|it| &*it.name).collect();
            state.endpoint = moved(names, state.endpoint.as_deref());
            None
        }
        Page::Endpoint | Page::Model => {
            let names = state.models().iter().map(|it| &*it.name).collect();
            state.model = moved(names, state.model.as_deref());
            state.changes = Changes::Unasked;
            ask_history(state)
        }
    }
}

fn open(state: &mut State) -> Option<Command> {
    match state.page {
        Page::Overview if state.open_endpoint().is_some() => {
            state.page = Page::Endpoint;
            state.filter = Default::default();
            state.model = None;
            keep_selection(state);
            None
        }
        Page::Endpoint if state.open_model().is_some() => {
            state.page = Page::Model;
            state.changes = Changes::Unasked;
            ask_history(state)
        }
        _ => None,
    }
}

fn go_back(state: &mut State) {
    match state.page {
        Page::Overview | Page::Endpoint if !state.filter.text.is_empty() => {
            state.filter = Default::default();
        }
        Page::Overview => {}
        Page::Endpoint => state.page = Page::Overview,
        Page::Model => state.page = Page::Endpoint,
    }
    keep_selection(state);
}

fn sort(state: &mut State, places: isize) {
    match state.page {
        Page::Overview => state.endpoint_order = state.endpoint_order.step(places),
        Page::Endpoint => state.model_order = state.model_order.step(places),
        Page::Model => {}
    }
}

fn type_filter(state: &mut State, key: KeyEvent) {
    let filter = &mut state.filter;
    match (key.code, key::typed(key)) {
        (KeyCode::Esc, _) => *filter = Default::default(),
        (KeyCode::Enter | KeyCode::Up | KeyCode::Down, _) => filter.is_open = false,
        (KeyCode::Backspace, _) => {
            filter.text.pop();
        }
        (_, Some(typed)) if filter.text.chars().count() < FILTER_CHARS_MAX => {
            filter.text.push(typed);
        }
        _ => {}
    }
    keep_selection(state);
}

/// Proposes to change the model that is selected, or on the first page the endpoint.
fn propose(state: &mut State, verb: impl Fn(bool) -> Verb) -> Option<Command> {
    let (model, is_paused) = if state.page == Page::Overview {
        (None, state.open_endpoint()?.paused)
    } else {
        let model = state.open_model()?;
        (Some(model.name.clone()), model.is_paused())
    };
    let verb = verb(is_paused);
    let change = Change { verb, endpoint: state.endpoint.clone()?, model, force: false };
    state.dialog =
        Some(Dialog::Change { change: change.clone(), stage: Stage::Asking, why: String::new() });
    Some(Command::Preview(change))
}

fn press_in_dialog(state: &mut State, dialog: Dialog, key: KeyEvent) -> Option<Command> {
    let Dialog::Change { change, stage, mut why } = dialog else {
        // Any key closes the help.
        return None;
    };
    let (stage, command) = match (stage, key.code) {
        // What is being done is done, whoever looks; its outcome is shown.
        (Stage::Making, _) => (Stage::Making, None),
        (Stage::Done(_), _) | (_, KeyCode::Esc) => return None,
        (Stage::Ready(_), KeyCode::Enter) => {
            (Stage::Making, Some(Command::Make(change.clone(), why.trim().to_owned())))
        }
        (Stage::Ready(outcome), code) => {
            match key::typed(key) {
                Some(typed) if why.chars().count() < WHY_CHARS_MAX => why.push(typed),
                _ if code == KeyCode::Backspace => drop(why.pop()),
                _ => {}
            }
            (Stage::Ready(outcome), None)
        }
        (Stage::Refused(_), KeyCode::Char('f')) if !change.force => {
            let change = Change { force: true, ..change };
            let command = Some(Command::Preview(change.clone()));
            state.dialog = Some(Dialog::Change { change, stage: Stage::Asking, why });
            return command;
        }
        (Stage::Refused(_), KeyCode::Enter) => return None,
        (stage, _) => (stage, None),
    };
    state.dialog = Some(Dialog::Change { change, stage, why });
    command
}

/// Takes a change further, if it is still the one that is shown.
fn set_stage(state: &mut State, changed: &Change, from: Stage, to: Stage) {
    if let Some(Dialog::Change { change, stage, .. }) = &mut state.dialog
        && change == changed
        && *stage == from
    {
        *stage = to;
    }
}

fn ask_history(state: &State) -> Option<Command> {
    let (endpoint, model) = (state.endpoint.clone()?, state.model.clone()?);
    (state.page == Page::Model).then_some(Command::History { endpoint, model })
}
