//! What a driver knows of the others with whom it shares the stream: the group, what of it is ours, and
//! what is on its way to us or from us.
//!
//! What would surprise: a partition that is gained is not ours yet. It becomes a strand when it has been
//! fenced off from whoever had it before, which is done on a thread of its own; and a gain that is over
//! when that has been done becomes nothing.

mod again;
mod group;
mod parting;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use message::RequestId;
use stream::{Member, Partition, Source, Stream, Subscription};

pub(super) use self::group::fences_of;
use self::parting::Parting;
use super::clerk::{Claim, Clerk};
use super::exact::Writing;
use crate::endpoint::{Endpoint, Reply};
use crate::live::Live;

/// How long to wait before brokers are asked again for what they did not do.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How long the stream's refusal is left alone, since an operator has to act.
const ASK_AGAIN_AFTER_REFUSAL: Duration = Duration::from_secs(5);

/// What a driver knows of those with whom it shares the stream.
pub(super) struct Sharing {
    /// Takes partitions over.
    pub(super) opener: Clerk,
    /// Gives partitions up, and reads answers back.
    pub(super) clerk: Clerk,
    /// Writes what is held back until it can be written together.
    pub(super) writer: Clerk,
    pub(super) writing: Writing,
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
    pub(super) confirm_due: Option<Instant>,
    /// When the driver was seen awake last.
    pub(super) awake: Instant,
    /// The plain topics that answers are returned to.
    pub(super) returns: HashMap<String, ReturnTopic>,
    /// What waits for an answer that is read back, by numbers.
    pub(super) read_back: HashMap<u64, Again>,
    pub(super) next_read_back: u64,
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
pub(super) enum ReturnTopic {
    /// It is being opened.
    Awaited,
    /// It is open.
    Open { partitions: Vec<Arc<dyn Partition>>, _subscriptions: Vec<Subscription> },
    /// It cannot be had: its copies are not written until then.
    Refused { due: Instant },
}

/// A request that has come again, and whose answer is being read back.
pub(super) struct Again {
    pub(super) strand: u64,
    /// The offset of the request.
    pub(super) offset: u64,
    pub(super) id: RequestId,
    /// The plain topics that may not have got it.
    pub(super) return_to: Vec<String>,
    /// Who waits for it here.
    pub(super) reply: Option<Reply>,
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
