//! The task loop of one endpoint: takes all that waits, hands it to the machine, and carries out
//! what the machine decides.
//!
//! It runs on a thread of its own and not on the runtime, because it writes to files. It is the
//! only one that touches the machine, so nothing here is locked.

mod appended;
mod conduct;
mod hearing;
mod intake;
mod keeping;
mod order;
mod outside;
mod returns;
mod routing;
mod settle;
mod sharing;
mod strand;
mod wings;

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use message::{Prediction, Request, Time};
use rendezvous::{CourseIndex, Limits, MailboxId, Rendezvous, Selected, Verdict};
use stream::{AppendError, Stream, Subscription};
use tokio::sync::oneshot;

use self::outside::Outside;
use self::routing::Routing;
pub(crate) use self::sharing::Report;
use self::sharing::{Lobby, Sharing};
use self::strand::Strand;
use self::wings::Wings;
use crate::abort::AbortOnPanic;
use crate::clock;
use crate::drivers::housekeeper::Chore;
use crate::drivers::recovery::Recovery;
use crate::drivers::supervisor::Order;
use crate::endpoint::{Appended, Call, Endpoint, Event, Records, Recovered, Reply, Unanswered};
use crate::inbox::Inbox;
use crate::live::{Identity, Live};
use crate::stage::Calls;

/// How many ids from outside are remembered with their answers.
pub(super) const REMEMBERED_IDS: usize = 65_536;
/// How often the commit is written while requests flow.
const COMMIT_EVERY: Duration = Duration::from_millis(500);
/// How often retention is applied.
const RETAIN_EVERY: Duration = Duration::from_secs(10);
/// How long a driver that is told to stop waits for brokers.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// How long a driver that shares its stream sleeps at the most: longer, and it stood still.
const SLEEP_LIMIT: Duration = Duration::from_secs(1);

/// Drives the rendezvous of one endpoint.
pub(crate) struct Driver {
    endpoint: Arc<Endpoint>,
    live: Arc<Live>,
    machine: Rendezvous<Open, Candidate>,
    open_limit: usize,
    /// Calls of this turn.
    calls: Vec<Call>,
    /// Records that wait for room in the live lane.
    held: VecDeque<Records>,
    /// Of an earlier life: they wait until the models are there.
    recovered: Vec<Recovered>,
    opened: Vec<Opened>,
    routing: Routing,
    /// Mailboxes without a decision.
    undecided: usize,
    /// The partitions of requests that are ours; the one that there is, where nobody shares the stream.
    strands: Vec<Strand>,
    /// Records that readers cannot see yet.
    unacknowledged: VecDeque<Unacknowledged>,
    /// What is known of those with whom the stream is shared, if it is.
    sharing: Option<Sharing>,
    /// Where callers wait for what is in a shared stream.
    lobby: Option<Lobby>,
    /// The tickets of answers that failed, by the numbers of their partitions.
    failed: HashMap<(u32, u64), AppendError>,
    /// Whether word has been sent that more can be read, and not been heard.
    is_woken: Arc<AtomicBool>,
    wings: Wings,
    outside: Outside,
    /// How the calls of each revision went since the supervisor was told.
    calls_of: HashMap<u64, Calls>,
    supervisor: Arc<Inbox<Order>>,
    chores: Arc<Inbox<Chore>>,
    commit_due: Option<Instant>,
    retain_due: Instant,
    disk_is_full: bool,
    stopping: bool,
    /// When it ends even though somebody has no answer: only where that is in the hands of brokers.
    stop_due: Option<Instant>,
    subscriptions: Vec<Subscription>,
}

/// The bounds of a driver.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DriverLimits {
    /// How many requests may be open at once.
    pub(crate) open_mailboxes: usize,
    /// How long after its deadline a score is awaited.
    pub(crate) score_grace: Duration,
}

/// What the driver keeps of a request while its mailbox is open.
struct Open {
    /// The number of its strand.
    strand: u64,
    offset: u64,
    request: Arc<Request>,
    replies: Vec<Reply>,
    may_repeat: bool,
    /// With whose its answer keeps the order of the requests.
    ordered_by: Option<Bytes>,
    return_to: Option<String>,
    selected: Selected,
    /// When it was offered to the models.
    opened: Time,
    /// What the endpoint was when the request came: its answer knows nothing newer.
    live: Arc<Live>,
    /// The partition of the scores topic that holds those of its request.
    scores: u32,
    /// The numbers of the external models that are still to be heard.
    unheard: Vec<u64>,
}

/// A request with a mailbox, to be offered to the models of its course.
struct Opened {
    mailbox: MailboxId,
    course: CourseIndex,
    priority: u64,
    request: Arc<Request>,
}

/// A prediction that may become the answer.
struct Candidate {
    identity: Arc<Identity>,
    prediction: Prediction,
}

/// A request that is in the topic, and not open yet: it is not durable, or no mailbox is free.
struct Unopened {
    offset: u64,
    request: Arc<Request>,
    /// The key of its record.
    key: Option<Bytes>,
    reply: Option<Reply>,
    may_repeat: bool,
    /// The plain topic that its answer goes to as well.
    return_to: Option<String>,
    /// The protocol's priority, where that was not heeded before it came into the topic.
    priority: u64,
}

/// Records that are in the topic, and whoever brought them.
struct Unacknowledged {
    /// The partitions that they are in, each with the ticket behind the last of them.
    ends: Vec<(u32, u64)>,
    appended: Appended,
    reply: oneshot::Sender<Result<Appended, Unanswered>>,
}

impl Driver {
    /// A driver that has done nothing yet, with what an earlier life left behind. Where the stream is
    /// shared that is found out later, by whoever gets a partition.
    pub(crate) fn new(
        endpoint: Arc<Endpoint>,
        limits: DriverLimits,
        recovery: Option<Recovery>,
        stream: &Arc<dyn Stream>,
        supervisor: Arc<Inbox<Order>>,
        chores: Arc<Inbox<Chore>>,
    ) -> std::io::Result<Self> {
        let own = recovery.map(|recovery| Strand::own(&endpoint, recovery));
        let (strands, recovered) =
            own.map_or_else(Default::default, |(strand, recovered)| (vec![strand], recovered));
        let sharing = match strands.is_empty() {
            true => Some(Sharing::start(&endpoint, stream)?),
            false => None,
        };
        let mut driver = Self {
            live: endpoint.live.load_full(),
            machine: Rendezvous::new(Limits {
                open_mailboxes: limits.open_mailboxes,
                score_grace: limits.score_grace,
                hash_key: hash_key(),
            }),
            open_limit: limits.open_mailboxes,
            calls: Vec::new(),
            held: VecDeque::new(),
            recovered,
            opened: Vec::new(),
            routing: Routing::default(),
            undecided: 0,
            strands,
            unacknowledged: VecDeque::new(),
            sharing,
            lobby: sharing::lobby_of(&endpoint, limits.open_mailboxes),
            failed: HashMap::new(),
            is_woken: Arc::default(),
            wings: Wings::default(),
            outside: Outside::default(),
            calls_of: HashMap::new(),
            supervisor,
            chores,
            commit_due: None,
            retain_due: Instant::now() + RETAIN_EVERY,
            disk_is_full: false,
            stopping: false,
            stop_due: None,
            subscriptions: Vec::new(),
            endpoint,
        };
        let journal = &driver.endpoint.journal;
        // Where an append is readable at once, the driver that appended knows.
        if journal.shows_synced_only || journal.is_shared {
            driver.subscriptions = journal.subscribe(&driver.wake());
        }
        Ok(driver)
    }

    /// What wakes the driver when more can be read.
    fn wake(&self) -> Arc<dyn Fn(u64) + Send + Sync> {
        let (weak, is_woken) = (Arc::downgrade(&self.endpoint), Arc::clone(&self.is_woken));
        Arc::new(move |_end| {
            if let Some(endpoint) = weak.upgrade()
                && !is_woken.swap(true, Ordering::AcqRel)
            {
                endpoint.inbox.push(Event::Readable);
            }
        })
    }

    /// Runs until it was told to stop and has answered all that was accepted.
    pub(crate) fn run(mut self) {
        let _guard = AbortOnPanic;
        let mut events = Vec::new();
        self.machine.handle_roster(clock::now(), Arc::clone(&self.live.roster));
        while !(self.stopping && (self.is_settled() || self.is_overdue())) {
            self.endpoint.inbox.take(&mut events, self.wake_at());
            let now = clock::now();
            for event in events.drain(..) {
                self.handle(now, event);
            }
            self.look_after_the_group();
            self.decide_delivery();
            self.accept_calls();
            self.accept_records();
            self.hand_in();
            self.take_requests(now);
            self.open_readable(now);
            self.tell_wanted();
            self.machine.handle_timeout(now);
            self.take_decisions(now);
            self.write_answers();
            self.write_scores();
            self.settle_answers();
            self.tell_repeated();
            self.tell_kept();
            self.tell_callers();
            self.finish_requests();
            self.write_exactly_once();
            self.keep_house(now);
        }
        self.wings.leave_all();
        self.leave_outside();
        self.commit_at_end();
        self.refuse_the_rest();
        self.leave_the_group();
    }

    /// Until when it may sleep.
    fn wake_at(&self) -> Option<Instant> {
        let now = clock::now();
        let timer = self.machine.poll_timeout().map(|due| clock::moment_of(due, now));
        let retries = self.strands.iter().filter_map(|strand| strand.retry_due);
        let shared = self.sharing.as_ref().map(|sharing| {
            let moment = Instant::now();
            let latest = if self.is_hungry() { moment } else { moment + SLEEP_LIMIT };
            sharing.due().map_or(latest, |due| due.min(latest))
        });
        let waiting = self.lobby.as_ref().and_then(|lobby| lobby.wake_at(now));
        let dues = [timer, self.commit_due, self.stop_due, shared, waiting];
        dues.into_iter().flatten().chain(retries).min()
    }

    fn is_overdue(&self) -> bool {
        self.stop_due.is_some_and(|due| due <= Instant::now())
    }

    fn is_settled(&self) -> bool {
        self.undecided == 0
            && self.unacknowledged.is_empty()
            && self.lobby.as_ref().is_none_or(Lobby::is_empty)
            && self.strands.iter().all(Strand::is_settled)
    }

    fn strand_mut(&mut self, number: u64) -> Option<&mut Strand> {
        self.strands.iter_mut().find(|strand| strand.number == number)
    }

    /// Does something with each strand that may need the driver, too.
    fn for_each_strand(&mut self, mut act: impl FnMut(&mut Self, &mut Strand)) {
        let mut strands = std::mem::take(&mut self.strands);
        strands.iter_mut().for_each(|strand| act(self, strand));
        self.strands = strands;
    }
}

/// What a verdict of the machine is made of.
type Said = Verdict<Candidate>;

fn hash_key() -> u128 {
    let half = |part: u8| u128::from(RandomState::new().hash_one(part));
    half(0) << 64 | half(1)
}
