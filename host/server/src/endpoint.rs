//! What everybody who asks or steers an endpoint shares with its driver.
//!
//! The driver owns all state that changes per request. This is only its inbox, the roster that the
//! supervisor published last, and the topics.

use std::collections::VecDeque;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
pub(crate) use front::{Appended, AppendedPart};
use message::oip::InferResponse;
use message::{EndpointName, ModelName, Request, Revision, Role};
use sandbox::lanes::{Scored, Worker};
use stream::{GroupEvent, Record};
use thiserror::Error;
use tokio::sync::oneshot;

use crate::drivers::courier::{Delivered, Replies};
use crate::drivers::rendezvous::Report;
use crate::external::{External, OutsideScore};
use crate::inbox::Inbox;
use crate::journal::Journal;
use crate::live::{Identity, Live, LiveMember};
use crate::meter::EndpointMeter;
use crate::outbox::{Outbox, Waiter};
use crate::routed::Routed;
use crate::stage::State;
use crate::standing::Standing;
use crate::topics::Topics;

/// One endpoint, as everybody but its driver sees it.
pub(crate) struct Endpoint {
    pub(crate) name: EndpointName,
    pub(crate) inbox: Inbox<Event>,
    /// The roster that the driver was told last, for questions that need no answer of it.
    pub(crate) live: ArcSwap<Live>,
    /// Where each model stands, for people.
    pub(crate) parts: ArcSwap<Vec<PartReport>>,
    /// How far it has come with what its folder says.
    pub(crate) standing: Standing,
    pub(crate) journal: Journal,
    /// The topics that belong to no endpoint.
    pub(crate) topics: Arc<Topics>,
    /// The way to callers on other hosts, where several share the stream.
    pub(crate) replies: Option<Arc<Replies>>,
    pub(crate) meter: EndpointMeter,
}

/// Where a model stands, for people.
#[derive(Debug, Clone)]
pub(crate) struct PartReport {
    pub(crate) model: ModelName,
    pub(crate) role: Option<Role>,
    pub(crate) state: State,
    /// What runs, or else what the file holds.
    pub(crate) revision: Revision,
    /// What else is to be said: that a newer file was refused, and why.
    pub(crate) note: Option<String>,
    /// Where it is loaded only when it is wanted: what knows whether it is in memory.
    pub(crate) routed: Option<Arc<Routed>>,
    /// Where it runs outside of the host: what knows when it was heard last.
    pub(crate) external: Option<Arc<External>>,
}

impl PartReport {
    /// Where it stands now: a routed model comes and goes without a report.
    pub(crate) fn state_now(&self) -> State {
        match (&self.routed, &self.state) {
            (Some(routed), State::Cold | State::Loading | State::Live) => {
                State::of_warmth(routed.warmth())
            }
            _ => self.state.clone(),
        }
    }
}

/// What can happen to an endpoint.
pub(crate) enum Event {
    /// Somebody called and waits.
    Call(Box<Call>),
    /// Somebody hands in records.
    Records(Records),
    /// A revision is done with some requests.
    Scored(Arc<Identity>, Vec<Scored>),
    /// Other hosts have answered callers of this one.
    Replies(Vec<Delivered>),
    /// Scores that were written outside of the host.
    Outside(Vec<OutsideScore>),
    /// More of a topic can be read than before.
    Readable,
    /// From the next request on, this is the roster; who is not needed for it any more may drain.
    Live(Arc<Live>, Vec<LiveMember>),
    /// A routed model is in memory.
    Warm(u64, Arc<Worker>),
    /// A routed model makes room.
    Cool(u64),
    /// A routed model does not come for those who wait for it now.
    Absent(u64),
    /// What the group says of the partitions of a shared stream.
    Group(GroupEvent),
    /// What came of something that had to wait for brokers.
    Report(Box<Report>),
    /// Answer what was accepted, then end.
    Stop,
}

/// A request on its way in, with the record that keeps it.
pub(crate) struct Ask {
    pub(crate) request: Request,
    pub(crate) record: Record,
    /// Whether the id came from outside, so that the same one may come again.
    pub(crate) may_repeat: bool,
    /// The protocol's priority: 1 is the highest, 0 is below all others.
    pub(crate) priority: u64,
}

/// A request whose caller waits.
pub(crate) struct Call {
    pub(crate) ask: Ask,
    pub(crate) reply: Reply,
}

/// Where the answer of a call goes.
pub(crate) struct Reply {
    way: Way,
    /// Whether the caller wants the answer as a value too.
    pub(crate) wants_tensors: bool,
}

/// How somebody who waits is reached.
enum Way {
    /// Somebody waits at the other end.
    Caller(oneshot::Sender<Result<Answered, Unanswered>>),
    /// Somebody may wait on some host.
    Outbox(Arc<Outbox>, Waiter),
}

impl Reply {
    /// A way back to a caller.
    pub(crate) fn new(
        wants_tensors: bool,
    ) -> (Self, oneshot::Receiver<Result<Answered, Unanswered>>) {
        let (sender, receiver) = oneshot::channel();
        (Self { way: Way::Caller(sender), wants_tensors }, receiver)
    }

    /// A way to whoever waits on some host, through a box that somebody empties.
    pub(crate) fn by_outbox(outbox: &Arc<Outbox>, to: Waiter, wants_tensors: bool) -> Self {
        Self { way: Way::Outbox(Arc::clone(outbox), to), wants_tensors }
    }

    /// Tells the caller; gives back what nobody listens to any more.
    pub(crate) fn send(
        self,
        answered: Result<Answered, Unanswered>,
    ) -> Result<(), Result<Answered, Unanswered>> {
        match self.way {
            Way::Caller(sender) => sender.send(answered),
            Way::Outbox(outbox, to) => {
                outbox.leave(to, answered);
                Ok(())
            }
        }
    }
}

/// Records on their way in; whoever brings them is told when all of them are kept.
pub(crate) struct Records {
    pub(crate) asks: VecDeque<Ask>,
    pub(crate) first_offset: Option<u64>,
    pub(crate) count: usize,
    pub(crate) reply: oneshot::Sender<Result<Appended, Unanswered>>,
}

/// A request that is in the topic already.
pub(crate) struct Recovered {
    pub(crate) offset: u64,
    pub(crate) request: Request,
    pub(crate) may_repeat: bool,
    /// The plain topic that its answer goes to as well.
    pub(crate) return_to: Option<String>,
}

/// The answer of a call.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    /// The document of the protocol, as the answers topic has it.
    pub(crate) document: Bytes,
    /// The same as a value, for callers who want it.
    pub(crate) response: Option<Arc<InferResponse>>,
    /// Whether it says that nothing came.
    pub(crate) is_error: bool,
}

/// Why a request was not accepted.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// Because as many requests are open as may be.
    #[error("too many requests are open")]
    Busy,
    /// Because the disk is full.
    #[error("the stream is full")]
    StreamFull,
    /// Because the stream lost a write and takes nothing more.
    #[error("the stream is broken")]
    StreamBroken,
    /// Because a record is larger than one may be.
    #[error("the request has {found} bytes as a record, at most {limit} are allowed")]
    TooLarge {
        /// Its size in bytes.
        found: u64,
        /// The largest size in bytes.
        limit: u64,
    },
    /// Because the endpoint, as it is by now, cannot read the request.
    #[error("{reason}")]
    Unfit {
        /// What was found and expected.
        reason: String,
    },
    /// Because whoever keeps the stream cannot be reached.
    #[error("the stream cannot be reached")]
    StreamAway,
    /// Because nobody brought the answer in time.
    #[error("nobody brought the answer in time")]
    NoAnswer,
    /// Because the endpoint is being stopped.
    #[error("the endpoint is stopping")]
    Stopping,
}
