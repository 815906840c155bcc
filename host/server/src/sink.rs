//! From a lane to the driver of an endpoint.

use std::sync::{Arc, Weak};

use sandbox::lanes::{Scored, Sink};

use crate::drivers::supervisor::Departure;
use crate::endpoint::{Endpoint, Event};
use crate::live::Identity;

/// Brings what a revision said to its endpoint. It does not keep the endpoint alive.
pub(crate) struct DriverSink {
    endpoint: Weak<Endpoint>,
    identity: Arc<Identity>,
    _departure: Option<Departure>,
}

impl DriverSink {
    pub(crate) fn new(endpoint: &Arc<Endpoint>, identity: &Arc<Identity>) -> Self {
        let identity = Arc::clone(identity);
        Self { endpoint: Arc::downgrade(endpoint), identity, _departure: None }
    }

    /// The same, for a revision whose departure somebody waits for.
    pub(crate) fn with_departure(self, departure: Departure) -> Self {
        Self { _departure: Some(departure), ..self }
    }
}

impl Sink for DriverSink {
    fn scored(&self, scored: Vec<Scored>) {
        if let Some(endpoint) = self.endpoint.upgrade() {
            endpoint.inbox.push(Event::Scored(Arc::clone(&self.identity), scored));
        }
    }
}
