//! Endpoints whose topics are not open yet, where those who keep them may be away.
//!
//! Each is opened on a thread of its own that tries on and on, so that rosters wait for nobody. What the
//! folder says of an endpoint meanwhile is not lost: it is taken up whole when the topics are there.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use catalog::Catalog;
use message::{EndpointName, Time};
use stream::{OpenError, Stream, TopicOptions};

use super::{Order, Supervisor};
use crate::abort::AbortOnPanic;
use crate::journal::Journal;

/// How long is waited before topics are tried again: at first, and at the most.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(250);
const TRY_AGAIN_LONGEST: Duration = Duration::from_secs(5);

/// An endpoint that waits for its topics. Its thread ends when this is dropped.
pub(crate) struct Opening {
    /// Tells the threads of several tries apart.
    attempt: u64,
    /// Whether it was said that they are away, or that they refuse. The words of it change all the time.
    said_away: Option<bool>,
    _stop: Sender<()>,
}

/// What came of a try.
pub(crate) struct Tried {
    endpoint: EndpointName,
    attempt: u64,
    result: Result<Journal, OpenError>,
}

impl Supervisor {
    /// The topics of an endpoint, if they can be had now. Otherwise it hears of them by
    /// [`Order::Tried`].
    pub(super) fn journal_of(
        &mut self,
        name: &EndpointName,
        options: &TopicOptions,
    ) -> Option<Journal> {
        if let Some(journal) = self.journals.remove(name) {
            return Some(journal);
        }
        if self.stream.is_shared() {
            self.begin_opening(name, options);
            return None;
        }
        match Journal::open(&*self.stream, name, options) {
            Ok(journal) => Some(journal),
            Err(error) => {
                tracing::error!(endpoint = %name, %error, "the endpoint cannot be opened");
                None
            }
        }
    }

    fn begin_opening(&mut self, name: &EndpointName, options: &TopicOptions) {
        self.attempts += 1;
        let (stop, stopped) = channel();
        let opening = Opening { attempt: self.attempts, said_away: None, _stop: stop };
        self.opening.insert(name.clone(), opening);
        self.say_waiting(name, Some("its topics are being opened".to_owned()));
        let (stream, inbox) = (Arc::clone(&self.stream), Arc::clone(&self.inbox));
        let (endpoint, options, attempt) = (name.clone(), options.clone(), self.attempts);
        let try_on = move || {
            let _guard = AbortOnPanic;
            try_to_open(&*stream, &endpoint, &options, &stopped, |result| {
                inbox.push(Order::Tried(Box::new(Tried {
                    endpoint: endpoint.clone(),
                    attempt,
                    result,
                })));
            });
        };
        let thread = std::thread::Builder::new().name(format!("open-{name}"));
        if let Err(error) = thread.spawn(try_on) {
            tracing::error!(endpoint = %name, %error, "the endpoint cannot be opened");
        }
    }

    /// Takes an endpoint up whose topics are open, or takes note of why they are not.
    pub(super) fn handle_tried(&mut self, now: Time, tried: Tried) {
        let Tried { endpoint, attempt, result } = tried;
        // It has gone meanwhile, or is opened on another stream.
        if self.opening.get(&endpoint).is_none_or(|opening| opening.attempt != attempt) {
            return;
        }
        match result {
            Ok(journal) => {
                self.opening.remove(&endpoint);
                self.journals.insert(endpoint.clone(), journal);
                self.take_up(now, &endpoint);
                self.say_waiting(&endpoint, None);
            }
            Err(error) => {
                self.say_waiting(&endpoint, Some(format!("its topics cannot be opened: {error}")));
                let Some(opening) = self.opening.get_mut(&endpoint) else { return };
                let is_away = Some(matches!(error, OpenError::Away { .. }));
                if std::mem::replace(&mut opening.said_away, is_away) != is_away {
                    tracing::warn!(%endpoint, %error, "an endpoint waits for its topics");
                }
            }
        }
    }

    /// Takes up everything that the folder says of one endpoint.
    fn take_up(&mut self, now: Time, name: &EndpointName) {
        let Some(spec) = self.catalog.endpoints.get(name) else { return };
        let endpoints = [(name.clone(), Arc::clone(spec))].into();
        let alone = Catalog { endpoints, problems: Vec::new() };
        self.take_changes(now, catalog::diff(&Catalog::default(), &alone));
    }

    /// Opens every endpoint anew: the stream has another way to its cluster.
    pub(super) fn handle_renewed(&mut self, now: Time) {
        let running: Vec<_> = self.stages.keys().cloned().collect();
        for name in &running {
            // Callers are to hear that it comes back, not that there is none.
            self.say_waiting(name, Some("it is opened anew".to_owned()));
            self.remove_endpoint(name);
        }
        self.opening.clear();
        self.shared.topics.forget_open();
        self.shared.replies.iter().for_each(|replies| replies.open_anew());
        let names: Vec<_> = self.catalog.endpoints.keys().cloned().collect();
        for name in names {
            self.take_up(now, &name);
        }
    }

    /// Forgets an endpoint that is not open yet.
    pub(super) fn give_up_opening(&mut self, name: &EndpointName) {
        self.opening.remove(name);
        self.journals.remove(name);
        self.say_waiting(name, None);
    }

    /// Lets others see what an endpoint waits for, if for anything.
    fn say_waiting(&self, name: &EndpointName, reason: Option<String>) {
        let mut waiting = self.shared.waiting.load().as_ref().clone();
        let before = match reason.clone() {
            Some(reason) => waiting.insert(name.clone(), reason),
            None => waiting.remove(name),
        };
        if before != reason {
            self.shared.waiting.store(Arc::new(waiting));
        }
    }
}

/// Tries until the topics are open or nobody wants them any more.
fn try_to_open(
    stream: &dyn Stream,
    endpoint: &EndpointName,
    options: &TopicOptions,
    stopped: &Receiver<()>,
    mut tell: impl FnMut(Result<Journal, OpenError>),
) {
    let mut pause = TRY_AGAIN_AFTER;
    loop {
        let tried = Journal::open(stream, endpoint, options);
        let is_open = tried.is_ok();
        tell(tried);
        if is_open || stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
            return;
        }
        pause = (pause * 2).min(TRY_AGAIN_LONGEST);
    }
}
