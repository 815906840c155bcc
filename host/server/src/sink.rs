//! From a lane to the driver of an endpoint.

use std::sync::{Arc, Weak};

use sandbox::lanes::{Scored, Sink};

use crate::endpoint::{Endpoint, Event};
use crate::live::Identity;

/// Brings what a revision said to its endpoint. It does not keep the endpoint alive.
pub(crate) struct DriverSink {
    endpoint: Weak<Endpoint>,
    identity: Arc<Identity>,
}

impl DriverSink {
    pub(crate) fn new(endpoint: &Arc<Endpoint>, identity: &Arc<Identity>) -> Self {
        Self { endpoint: Arc::downgrade(endpoint), identity: Arc::clone(identity) }
    }
}

impl Sink for DriverSink {
    fn scored(&self, scored: Vec<Scored>) {
        if let Some(endpoint) = self.endpoint.upgrade() {
            endpoint.inbox.push(Event::Scored(Arc::clone(&self.identity), scored));
        }
    }
}
