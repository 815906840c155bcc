//! Everything that is on the screen, as a value.

mod changes;
mod dialog;
mod order;

use std::time::Duration;

use ratatui::crossterm::event::KeyEvent;
use serde_json::Value;

pub(crate) use changes::{Changes, changes_of};
pub(crate) use dialog::{Dialog, Outcome, Stage};
pub(crate) use order::{EndpointOrder, ModelOrder};

use crate::history::{EndpointHistory, History};
use crate::snapshot::{Endpoint, Model, Snapshot};
use crate::source::Change;

/// What does not change while the view is open.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The host, as a person calls it.
    pub host: String,
    /// How often the host is asked.
    pub every: Duration,
}

/// What can happen.
#[derive(Debug)]
pub enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// The terminal has another size now.
    Resized,
    /// No key will come any more.
    KeysEnded,
    /// The host was asked for its state, at this time in seconds.
    Polled {
        /// Seconds since the start.
        at_s: f64,
        /// What it said, or why it said nothing.
        status: Result<Value, String>,
    },
    /// The host has said what a change would do.
    Previewed(Change, Result<Value, String>),
    /// The host has made a change.
    Changed(Change, Result<Value, String>),
    /// The host has told the history of a model.
    History {
        /// The endpoint.
        endpoint: String,
        /// Its model.
        model: String,
        /// What it said, or why it said nothing.
        history: Result<Value, String>,
    },
}

/// What has to be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// To end.
    Quit,
    /// To ask what a change would do.
    Preview(Change),
    /// To make a change, for this reason.
    Make(Change, String),
    /// To ask for the history of a model.
    History {
        /// The endpoint.
        endpoint: String,
        /// Its model.
        model: String,
    },
}

/// Everything that is on the screen.
#[derive(Debug)]
pub struct State {
    pub(crate) settings: Settings,
    pub(crate) connection: Connection,
    pub(crate) snapshot: Snapshot,
    pub(crate) history: History,
    pub(crate) page: Page,
    /// The endpoint that is selected or open.
    pub(crate) endpoint: Option<String>,
    /// Its model that is selected or open.
    pub(crate) model: Option<String>,
    pub(crate) endpoint_order: EndpointOrder,
    pub(crate) model_order: ModelOrder,
    pub(crate) filter: Filter,
    pub(crate) panel: Panel,
    pub(crate) span: Span,
    pub(crate) dialog: Option<Dialog>,
    pub(crate) changes: Changes,
    /// One line for the person who just did something that cannot be.
    pub(crate) notice: Option<String>,
    pub(crate) now_s: f64,
}

/// How it stands with the host.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Connection {
    /// Because nothing was heard of it yet.
    New,
    /// Because it answered.
    Up,
    /// Because it did not answer.
    Lost {
        /// When it last did, in seconds; never if it has not.
        since_s: Option<f64>,
        /// What went wrong.
        why: String,
    },
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// Every endpoint.
    Overview,
    /// One endpoint with its models.
    Endpoint,
    /// One model.
    Model,
}

/// Names must contain what was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) text: String,
    pub(crate) is_open: bool,
}

/// What stands below the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Panel {
    /// Answers per second by what they were.
    Answers,
    /// Answers per second by the reason for them.
    Reasons,
    /// Requests per second.
    Requests,
    /// How long answers took.
    Latency,
    /// Faults per second.
    Faults,
}

/// How much time a chart covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    /// One minute.
    One,
    /// Five minutes.
    Five,
    /// A quarter of an hour.
    Fifteen,
}

impl State {
    /// Nothing known yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            history: History::new(settings.every.as_secs_f64()),
            settings,
            connection: Connection::New,
            snapshot: Snapshot::default(),
            page: Page::Overview,
            endpoint: None,
            model: None,
            endpoint_order: EndpointOrder::Name,
            model_order: ModelOrder::Role,
            filter: Filter::default(),
            panel: Panel::Answers,
            span: Span::Five,
            dialog: None,
            changes: Changes::Unasked,
            notice: None,
            now_s: 0.0,
        }
    }

    /// The endpoints to be shown, in order.
    pub(crate) fn endpoints(&self) -> Vec<&Endpoint> {
        let endpoints = self.snapshot.endpoints.iter();
        let is_page = self.page == Page::Overview;
        let mut endpoints: Vec<_> =
            endpoints.filter(|it| !is_page || self.filter.passes(&it.name)).collect();
        self.endpoint_order.sort(&mut endpoints, &self.history);
        endpoints
    }

    /// The models to be shown, in order.
    pub(crate) fn models(&self) -> Vec<&Model> {
        let Some(endpoint) = self.open_endpoint() else { return Vec::new() };
        let models = endpoint.models.iter();
        let mut models: Vec<_> = models.filter(|it| self.filter.passes(&it.name)).collect();
        self.model_order.sort(&mut models, self.open_history());
        models
    }

    /// The endpoint that is selected or open.
    pub(crate) fn open_endpoint(&self) -> Option<&Endpoint> {
        self.snapshot.endpoint(self.endpoint.as_deref()?)
    }

    /// The last minutes of that endpoint.
    pub(crate) fn open_history(&self) -> Option<&EndpointHistory> {
        self.history.endpoint(self.endpoint.as_deref()?)
    }

    /// The model that is selected or open.
    pub(crate) fn open_model(&self) -> Option<&Model> {
        self.open_endpoint()?.model(self.model.as_deref()?)
    }

    /// How many ticks make up so many seconds.
    pub(crate) fn ticks_in(&self, seconds: f64) -> usize {
        ((seconds / self.settings.every.as_secs_f64().max(0.01)).round() as usize).max(1)
    }
}

impl Filter {
    /// Whether a name is to be shown.
    pub(crate) fn passes(&self, name: &str) -> bool {
        name.to_lowercase().contains(&self.text.to_lowercase())
    }
}

impl Panel {
    /// Every panel, in the order of the tab key.
    pub(crate) const ALL: [Self; 5] =
        [Self::Answers, Self::Reasons, Self::Requests, Self::Latency, Self::Faults];

    /// The one so many places further on.
    pub(crate) fn step(self, places: isize) -> Self {
        step(&Self::ALL, self, places)
    }
}

impl Span {
    /// The one after this.
    pub(crate) fn next(self) -> Self {
        step(&[Self::One, Self::Five, Self::Fifteen], self, 1)
    }

    /// How many seconds it covers.
    pub(crate) const fn seconds(self) -> f64 {
        match self {
            Self::One => 60.0,
            Self::Five => 300.0,
            Self::Fifteen => 900.0,
        }
    }
}

/// The value so many places further on in a list that is a ring.
pub(crate) fn step<T: Copy + PartialEq>(all: &[T], from: T, places: isize) -> T {
    let index = all.iter().position(|it| *it == from).unwrap_or(0);
    let length = all.len() as isize;
    all[((index as isize + places).rem_euclid(length)) as usize]
}
