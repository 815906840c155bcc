//! How far an endpoint has come with what its folder says, for those who wrote there and wait.
//!
//! The supervisor tells it last, after everything else of a change is published.

use std::sync::Arc;
use std::time::Instant;

use catalog::EndpointSpec;
use message::ModelName;
use parking_lot::{Condvar, Mutex};

/// What the supervisor made of the folder.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// What the folder says.
    pub(crate) spec: Arc<EndpointSpec>,
    /// The models without which the configuration does not take hold.
    pub(crate) awaited: Vec<ModelName>,
}

/// Where an endpoint stands.
pub(crate) struct Standing {
    heard: Mutex<Heard>,
    changed: Condvar,
    /// What the folder is about to say, because an operator has it written by us.
    expected: Mutex<Option<Arc<EndpointSpec>>>,
    /// Held by whoever changes the endpoint's files: one operator at a time.
    pub(crate) changing: Mutex<()>,
}

impl Standing {
    /// Of an endpoint whose folder says this.
    pub(crate) fn new(spec: Arc<EndpointSpec>) -> Self {
        Self {
            heard: Mutex::new(Heard { spec, awaited: Vec::new() }),
            changed: Condvar::new(),
            expected: Mutex::new(None),
            changing: Mutex::new(()),
        }
    }

    /// What was heard last.
    pub(crate) fn heard(&self) -> Heard {
        self.heard.lock().clone()
    }

    /// Tells everybody who waits.
    pub(crate) fn tell(&self, heard: Heard) {
        *self.heard.lock() = heard;
        self.changed.notify_all();
    }

    /// Waits until `look` is content with what was heard. Returns whether it was before `until`.
    pub(crate) fn wait(&self, until: Instant, mut look: impl FnMut(&Heard) -> bool) -> bool {
        let mut heard = self.heard.lock();
        loop {
            if look(&heard) {
                return true;
            }
            if self.changed.wait_until(&mut heard, until).timed_out() {
                return look(&heard);
            }
        }
    }

    /// Says what the folder is about to say, or that nothing is expected any more.
    pub(crate) fn expect(&self, spec: Option<Arc<EndpointSpec>>) {
        *self.expected.lock() = spec;
    }

    /// Whether a change of the folder is one that was expected, rather than somebody's own.
    pub(crate) fn expects(&self, is_so: impl FnOnce(&EndpointSpec) -> bool) -> bool {
        self.expected.lock().as_deref().is_some_and(is_so)
    }
}
