//! What a driver knows of the others with whom it shares the stream: the group, what of it is ours, and
//! what is on its way to us or from us. Where nobody shares the stream, nothing of this folder runs.
//!
//! - The group: [`group`] joins it and hears it, [`takeover`] finds out what of a partition is answered,
//!   by the [`note`] beside its commit, and [`parting`] hands partitions over.
//! - The way in: [`calling`] hands calls to the [`lobby`], where callers are [`waiting`]; [`taking`]
//!   makes requests of what is in our partitions, but for what is [`passing`]; [`again`] is for those that
//!   were answered before.
//! - The way out, where it is all or nothing: [`exact`].
//! - The threads that wait for brokers in the driver's place: [`clerk`].
//!
//! What would surprise: a partition that is gained is not ours yet. It becomes a strand when it has been
//! fenced off from whoever had it before, which is done on a thread of its own; and a gain that is over
//! when that has been done becomes nothing.

mod again;
mod calling;
mod clerk;
mod exact;
mod group;
mod lobby;
mod note;
mod parting;
mod passing;
mod takeover;
mod taking;
mod waiting;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use message::RequestId;
use stream::{Member, Partition, Source, Stream, Subscription};

pub(super) use self::calling::lobby_of;
use self::clerk::Clerk;
pub(crate) use self::clerk::{Claim, Report};
pub(super) use self::exact::Exact;
use self::exact::Writing;
pub(super) use self::lobby::Lobby;
use self::parting::Parting;
pub(super) use self::passing::Passing;
pub(super) use self::takeover::Takeover;
use crate::endpoint::{Endpoint, Reply};
use crate::live::Live;

/// How long to wait before brokers are asked again for what they did not do.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How long the stream's refusal is left alone, since an operator has to act.
const ASK_AGAIN_AFTER_REFUSAL: Duration = Duration::from_secs(5);

/// What a driver knows of those with whom it shares the stream.
pub(super) struct Sharing {
    /// Takes partitions over.
    opener: Clerk,
    /// Gives partitions up, and reads answers back.
    clerk: Clerk,
    /// Writes what is held back until it can be written together.
    writer: Clerk,
    writing: Writing,
    membership: Membership,
    /// What the endpoint was when it was seen last that the topics of the group are those it reads.
    matched: Option<Arc<Live>>,
    /// Ends when the group has been left.
    left: Option<Receiver<()>>,
    /// Set when the driver ends, and hears nothing more.
    is_closed: Arc<AtomicBool>,
    /// The number of the next strand.
    next_strand: u64,
    /// Partitions that are gained and no strands yet, with the time of the next try where one failed.
    claims: Vec<(Claim, Option<Instant>)>,
    partings: Vec<Parting>,
    /// What kept partitions from being taken over, as it was said last.
    told: Option<String>,
    /// When ownership is asked for again that could not be found out.
    confirm_due: Option<Instant>,
    /// When the driver was seen awake last.
    awake: Instant,
    /// The plain topics that answers are returned to.
    returns: HashMap<String, ReturnTopic>,
    /// What waits for an answer that is read back, by numbers.
    read_back: HashMap<u64, Again>,
    next_read_back: u64,
}

/// Whether this process is a member of the group.
enum Membership {
    /// Not before the endpoint's models are there.
    Out,
    /// It asked to be.
    Joining { topics: Vec<String> },
    /// It is.
    In { member: Arc<dyn Member>, topics: Vec<String> },
    /// It was refused, and asks again.
    Refused { due: Instant },
}

/// A plain topic that answers are returned to.
enum ReturnTopic {
    /// It is being opened.
    Awaited,
    /// It is open.
    Open { partitions: Vec<Arc<dyn Partition>>, _subscriptions: Vec<Subscription> },
    /// It cannot be had: its copies are not written until then.
    Refused { due: Instant },
}

/// A request that has come again, and whose answer is being read back.
struct Again {
    strand: u64,
    /// The offset of the request.
    offset: u64,
    id: RequestId,
    /// The plain topics that may not have got it.
    return_to: Vec<String>,
    /// Who waits for it here.
    reply: Option<Reply>,
}

impl Sharing {
    /// Starts the threads; nothing is joined yet.
    pub(super) fn start(
        endpoint: &Arc<Endpoint>,
        stream: &Arc<dyn Stream>,
    ) -> std::io::Result<Self> {
        Ok(Self {
            opener: Clerk::start("opener", endpoint, stream)?,
            clerk: Clerk::start("clerk", endpoint, stream)?,
            writer: Clerk::start("writer", endpoint, stream)?,
            writing: Writing::default(),
            membership: Membership::Out,
            matched: None,
            left: None,
            is_closed: Arc::default(),
            next_strand: 0,
            claims: Vec::new(),
            partings: Vec::new(),
            told: None,
            confirm_due: None,
            awake: Instant::now(),
            returns: HashMap::new(),
            read_back: HashMap::new(),
            next_read_back: 0,
        })
    }

    /// This process as a member of the group, if it is one.
    pub(super) fn member(&self) -> Option<&Arc<dyn Member>> {
        match &self.membership {
            Membership::In { member, .. } => Some(member),
            _ => None,
        }
    }

    /// When something is due, whatever comes.
    pub(super) fn due(&self) -> Option<Instant> {
        let claims = self.claims.iter().filter_map(|(_, due)| *due);
        let partings = self.partings.iter().map(|parting| parting.due);
        let joining = match self.membership {
            Membership::Refused { due } => Some(due),
            _ => None,
        };
        let returns = self.returns.values().filter_map(|topic| match topic {
            ReturnTopic::Refused { due } => Some(*due),
            _ => None,
        });
        let all = claims.chain(partings).chain(joining).chain(returns);
        all.chain(self.confirm_due).chain(self.writing.due()).min()
    }

    /// Takes note of what is wrong, or that nothing is. Returns whether that is news to be told.
    fn is_news(&mut self, problem: Option<String>) -> bool {
        let is_news = problem.is_some() && self.told != problem;
        self.told = problem;
        is_news
    }

    fn claim(&mut self, source: Source) -> Claim {
        let strand = self.next_strand;
        self.next_strand += 1;
        let tenure = self.member().and_then(|member| member.tenure(&source));
        Claim { strand, source, tenure }
    }
}
