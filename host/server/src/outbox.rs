//! Answers on their way to callers who wait on some host: whoever empties the box finds out on which.

use message::RequestId;
use message::record::HostAddress;
use parking_lot::Mutex;

use crate::endpoint::{Answered, Unanswered};

/// A box that everybody who has an answer leaves it in.
#[derive(Default)]
pub(crate) struct Outbox(Mutex<Vec<Said>>);

/// What those who wait for a request are to hear.
pub(crate) struct Said {
    pub(crate) to: Waiter,
    pub(crate) said: Result<Answered, Unanswered>,
}

/// Whoever waits for a request.
pub(crate) struct Waiter {
    pub(crate) id: RequestId,
    /// The partition of the replies that its host reads.
    pub(crate) partition: u32,
    /// The id of its host.
    pub(crate) host: Box<str>,
}

impl Outbox {
    /// Leaves something for whoever waits.
    pub(crate) fn leave(&self, to: Waiter, said: Result<Answered, Unanswered>) {
        self.0.lock().push(Said { to, said });
    }

    /// Takes all that was left.
    pub(crate) fn empty(&self) -> Vec<Said> {
        std::mem::take(&mut *self.0.lock())
    }
}

impl Waiter {
    /// Whoever waits there.
    pub(crate) fn new(id: RequestId, address: HostAddress<'_>) -> Self {
        Self { id, partition: address.partition, host: address.host.into() }
    }

    /// Where it waits.
    pub(crate) fn address(&self) -> HostAddress<'_> {
        HostAddress { partition: self.partition, host: &self.host }
    }
}
