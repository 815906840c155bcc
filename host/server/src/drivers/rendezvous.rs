//! The task loop of one endpoint: takes all that waits, hands it to the machine, and carries out
//! what the machine decides.
//!
//! It runs on a thread of its own and not on the runtime, because it writes to files. It is the
//! only one that touches the machine, so nothing here is locked.

mod conduct;
mod intake;
#[allow(dead_code, reason = "the driver of shared streams is to use it")]
mod lobby;
mod returns;
mod routing;
mod settle;
#[allow(dead_code, reason = "the driver of shared streams is to use it")]
mod waiting;
mod wings;

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use message::{Prediction, Request, RequestId, Time};
use rendezvous::watermark::Watermark;
use rendezvous::{CourseIndex, Limits, MailboxId, Rendezvous, Selected, Verdict};
use sandbox::lanes::Scored;
use stream::{Health, Partition, Record, Subscription};
use tokio::sync::oneshot;

use self::routing::Routing;
use self::wings::Wings;
use crate::abort::AbortOnPanic;
use crate::clock;
use crate::drivers::housekeeper::Chore;
use crate::drivers::recovery::Recovery;
use crate::drivers::supervisor::Order;
use crate::endpoint::{
    Answered, Appended, Call, Endpoint, Event, Records, Recovered, Reply, Unanswered,
};
use crate::inbox::Inbox;
use crate::live::{Identity, Live};
use crate::stage::Calls;

/// How many ids from outside are remembered with their answers.
pub(super) const REMEMBERED_IDS: usize = 65_536;
/// How often the commit is written while requests flow.
const COMMIT_EVERY: Duration = Duration::from_millis(500);
/// How often retention is applied.
const RETAIN_EVERY: Duration = Duration::from_secs(10);
/// How long a full disk is left alone between two tries.
const RETRY_FULL_AFTER: Duration = Duration::from_millis(100);

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
    /// Appended, and not yet to be opened: not durable yet, or no mailbox free.
    unopened: VecDeque<Unopened>,
    /// Of an earlier life: they wait until the models are there.
    recovered: Vec<Recovered>,
    opened: Vec<Opened>,
    routing: Routing,
    /// Mailboxes without a decision.
    undecided: usize,
    watermark: Watermark<u64>,
    /// The offsets of requests that are over, until every answer is in the topic.
    over: Vec<u64>,
    /// The offsets of requests whose answers could not be written and are left to a later life.
    left_behind: HashSet<u64>,
    remembered: Remembered,
    /// Answers of this turn, and those that the disk had no room for.
    answers: Vec<Unwritten>,
    /// Written answers that are not to be told yet.
    untold: VecDeque<Untold>,
    /// Records that readers cannot see yet.
    unacknowledged: VecDeque<Unacknowledged>,
    /// Callers who came again, with the offsets of the answers that they get.
    repeated: Vec<(u64, Reply)>,
    scores: Vec<Record>,
    wings: Wings,
    /// How the calls of each revision went since the supervisor was told.
    calls_of: HashMap<u64, Calls>,
    supervisor: Arc<Inbox<Order>>,
    chores: Arc<Inbox<Chore>>,
    committed: u64,
    commit_due: Option<Instant>,
    retain_due: Instant,
    retry_due: Option<Instant>,
    disk_is_full: bool,
    stopping: bool,
    _subscriptions: Vec<Subscription>,
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
    offset: u64,
    request: Arc<Request>,
    replies: Vec<Reply>,
    may_repeat: bool,
    return_to: Option<String>,
    selected: Selected,
    /// When it was offered to the models.
    opened: Time,
    /// What the endpoint was when the request came: its answer knows nothing newer.
    live: Arc<Live>,
}

/// A request with a mailbox, to be offered to the models of its course.
struct Opened {
    mailbox: MailboxId,
    course: CourseIndex,
    request: Arc<Request>,
}

/// A prediction that may become the answer.
struct Candidate {
    identity: Arc<Identity>,
    prediction: Prediction,
}

/// A request that is in the topic.
struct Unopened {
    offset: u64,
    request: Arc<Request>,
    reply: Option<Reply>,
    may_repeat: bool,
    /// The plain topic that its answer goes to as well.
    return_to: Option<String>,
}

/// An answer that is not in the topic yet.
struct Unwritten {
    record: Record,
    /// The offset of the request.
    offset: u64,
    /// The plain topics that it goes to as well, until it has been written to them.
    return_to: Vec<String>,
    answered: Answered,
    replies: Vec<Reply>,
    remember: Option<RequestId>,
}

/// Records that are in the topic, and whoever brought them.
struct Unacknowledged {
    /// The offset behind the last of them.
    end: u64,
    appended: Appended,
    reply: oneshot::Sender<Result<Appended, Unanswered>>,
}

/// An answer that is in the topic.
struct Untold {
    offset: u64,
    answered: Answered,
    replies: Vec<Reply>,
}

/// The ids from outside that were answered lately, with the offsets of their answers.
#[derive(Default)]
struct Remembered {
    answer_offset: HashMap<RequestId, u64>,
    order: VecDeque<RequestId>,
}

impl Remembered {
    fn offset_of(&self, id: &RequestId) -> Option<u64> {
        self.answer_offset.get(id).copied()
    }

    fn insert(&mut self, id: RequestId, answer_offset: u64) {
        if self.answer_offset.insert(id.clone(), answer_offset).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > REMEMBERED_IDS {
            let oldest = self.order.pop_front();
            oldest.map(|oldest| self.answer_offset.remove(&oldest));
        }
    }
}

impl Driver {
    /// A driver that has done nothing yet, with what an earlier life left behind.
    pub(crate) fn new(
        endpoint: Arc<Endpoint>,
        limits: DriverLimits,
        recovery: Recovery,
        supervisor: Arc<Inbox<Order>>,
        chores: Arc<Inbox<Chore>>,
    ) -> Self {
        let mut remembered = Remembered::default();
        recovery.answered.into_iter().for_each(|(id, offset)| remembered.insert(id, offset));
        let mut watermark = Watermark::new(recovery.committed);
        for left in &recovery.unanswered {
            watermark.open(left.offset, recovery.answers_from);
        }
        Self {
            live: endpoint.live.load_full(),
            machine: Rendezvous::new(Limits {
                open_mailboxes: limits.open_mailboxes,
                score_grace: limits.score_grace,
                hash_key: hash_key(),
            }),
            open_limit: limits.open_mailboxes,
            calls: Vec::new(),
            held: VecDeque::new(),
            unopened: VecDeque::new(),
            recovered: recovery.unanswered,
            opened: Vec::new(),
            routing: Routing::default(),
            undecided: 0,
            watermark,
            over: Vec::new(),
            left_behind: HashSet::new(),
            remembered,
            answers: Vec::new(),
            untold: VecDeque::new(),
            unacknowledged: VecDeque::new(),
            repeated: Vec::new(),
            scores: Vec::new(),
            wings: Wings::default(),
            calls_of: HashMap::new(),
            supervisor,
            chores,
            committed: recovery.committed,
            commit_due: None,
            retain_due: Instant::now() + RETAIN_EVERY,
            retry_due: None,
            disk_is_full: false,
            stopping: false,
            _subscriptions: subscribe(&endpoint),
            endpoint,
        }
    }

    /// Runs until it was told to stop and has answered all that was accepted.
    pub(crate) fn run(mut self) {
        let _guard = AbortOnPanic;
        let mut events = Vec::new();
        self.machine.handle_roster(clock::now(), Arc::clone(&self.live.roster));
        while !(self.stopping && self.is_settled()) {
            self.endpoint.inbox.take(&mut events, self.wake_at());
            let now = clock::now();
            for event in events.drain(..) {
                self.handle(now, event);
            }
            self.accept_calls();
            self.accept_records();
            self.open_readable(now);
            self.tell_wanted();
            self.machine.handle_timeout(now);
            self.take_decisions(now);
            self.write_answers();
            self.write_scores();
            self.tell_answers();
            self.tell_repeated();
            self.tell_kept();
            self.finish_requests();
            self.keep_house(now);
        }
        self.wings.leave_all();
        self.commit_at_end();
        self.refuse_the_rest();
    }

    fn handle(&mut self, now: Time, event: Event) {
        match event {
            Event::Call(call) => self.calls.push(*call),
            Event::Records(records) => self.held.push_back(records),
            Event::Scored(identity, scored) => self.handle_scored(now, &identity, scored),
            Event::Replies(delivered) => tracing::trace!(count = delivered.len(), "nobody waits"),
            Event::Readable => self.look_after_the_stream(),
            Event::Live(live, leaving) => {
                self.machine.handle_roster(now, Arc::clone(&live.roster));
                self.live = live;
                // Not before this: until here requests were offered to them.
                leaving.iter().for_each(|member| member.worker.retire());
                if self.live.settled {
                    self.take_recovered();
                }
            }
            Event::Warm(model, worker) => self.handle_warm(now, model, worker),
            Event::Cool(model) => self.wings.leave(model),
            Event::Absent(model) => {
                let jobs = self.wings.give_up(model);
                self.miss(now, model, jobs);
            }
            Event::Stop => {
                self.stopping = true;
                self.take_recovered();
                // Whoever would bring them waits for this driver.
                for (model, jobs) in self.wings.give_up_all() {
                    self.miss(now, model, jobs);
                }
            }
        }
    }

    /// Tells those who wait for the disk that it will not come, if so. What they asked stays in the
    /// topic, and a later life of the host answers it.
    fn look_after_the_stream(&mut self) {
        let is_lost = |topic: &dyn Partition| matches!(topic.health(), Health::Poisoned { .. });
        let journal = &self.endpoint.journal;
        let (requests, answers) = (is_lost(&*journal.requests), is_lost(&*journal.answers));
        if !requests && !answers {
            return;
        }
        tracing::error!(endpoint = %self.endpoint.name, requests, answers, "the stream is broken");
        if requests {
            for unopened in self.unopened.drain(..) {
                let _gone = unopened.reply.map(|reply| reply.send(Err(Unanswered::StreamBroken)));
            }
            for records in self.unacknowledged.drain(..) {
                let _gone = records.reply.send(Err(Unanswered::StreamBroken));
            }
        }
        if answers {
            let untold = self.untold.drain(..).flat_map(|untold| untold.replies);
            let repeated = self.repeated.drain(..).map(|(_, reply)| reply);
            for reply in untold.chain(repeated) {
                let _gone = reply.send(Err(Unanswered::StreamBroken));
            }
        }
    }

    /// Puts what an earlier life left behind before everything else.
    fn take_recovered(&mut self) {
        for left in self.recovered.drain(..).rev() {
            let Recovered { offset, request, may_repeat, return_to } = left;
            let (request, reply) = (Arc::new(request), None);
            let left = Unopened { offset, request, reply, may_repeat, return_to };
            self.unopened.push_front(left);
        }
    }

    fn handle_scored(&mut self, now: Time, identity: &Arc<Identity>, scored: Vec<Scored>) {
        identity.meter.statistics.record(now, &scored);
        let mut scores = Vec::with_capacity(scored.len());
        for mut scored in scored {
            if self.live.nan_is_fault {
                conduct::refuse_nan(&mut scored.outcome);
            }
            self.count_call(now, identity, &scored.outcome);
            let mailbox = MailboxId::from_u64(scored.ticket);
            match self.machine.attachment(mailbox) {
                Some(open) => {
                    let member = open.live.by_incarnation.get(&identity.incarnation).copied();
                    let pace = conduct::pace_of(now, open, identity.incarnation, &scored.outcome);
                    let score = settle::score_of(now, open, identity, scored);
                    self.count_pace(identity, pace);
                    self.scores.push(settle::score_record(&score));
                    scores.push((mailbox, member, score));
                }
                None => {
                    self.count_dropped(identity, 1);
                    self.endpoint.meter.count_lost_score();
                }
            }
        }
        identity.meter.count_scores(now, scores.iter().map(|(_, _, score)| score));
        for (mailbox, member, score) in scores {
            if let Some(member) = member {
                let verdict = settle::verdict_of(identity, score);
                let _heard = self.machine.handle_score(now, mailbox, member, verdict);
            }
        }
    }

    /// Until when it may sleep.
    fn wake_at(&self) -> Option<Instant> {
        let now = clock::now();
        let timer = self.machine.poll_timeout().map(|due| clock::moment_of(due, now));
        [timer, self.commit_due, self.retry_due].into_iter().flatten().min()
    }

    fn is_settled(&self) -> bool {
        self.undecided == 0
            && self.unopened.is_empty()
            && self.answers.is_empty()
            && self.untold.is_empty()
            && self.repeated.is_empty()
            && self.unacknowledged.is_empty()
    }

    fn keep_house(&mut self, now: Time) {
        self.tell_calls(false);
        let moment = Instant::now();
        if self.watermark.lowest() > self.committed && self.commit_due.is_none() {
            self.commit_due = Some(moment + COMMIT_EVERY);
        }
        if self.commit_due.is_some_and(|due| due <= moment) {
            self.commit();
            self.tell_calls(true);
        }
        if self.retain_due <= moment {
            self.retain_due = moment + RETAIN_EVERY;
            let endpoint = Arc::clone(&self.endpoint);
            // A full inbox of chores is tried again in ten seconds.
            let _later = self.chores.offer(Chore::Retain { endpoint, now });
        }
        self.endpoint.meter.set_open_mailboxes(self.machine.open_mailboxes());
    }

    /// Has the lowest request that is not done committed, and where its answer can be at the earliest.
    fn commit(&mut self) {
        self.commit_due = None;
        let (requests, answers) = self.done();
        let endpoint = Arc::clone(&self.endpoint);
        if self.chores.offer(Chore::Commit { endpoint, requests, answers }).is_ok() {
            self.committed = requests;
        }
    }

    /// Commits for the last time.
    fn commit_at_end(&self) {
        let (requests, answers) = self.done();
        if let Err(error) = self.endpoint.journal.commit(requests, answers) {
            tracing::warn!(endpoint = %self.endpoint.name, %error, "commit failed");
        }
    }

    fn done(&self) -> (u64, u64) {
        let mark = self.watermark.lowest_mark();
        let answers = mark.unwrap_or_else(|| self.endpoint.journal.answers.readable_end());
        (self.watermark.lowest(), answers)
    }
}

/// What a verdict of the machine is made of.
type Said = Verdict<Candidate>;

/// Wakes the driver when more can be read. Only under a policy that syncs before it shows: where
/// an append is readable at once, the driver that appended knows.
fn subscribe(endpoint: &Arc<Endpoint>) -> Vec<Subscription> {
    if !endpoint.journal.shows_synced_only {
        return Vec::new();
    }
    let weak = Arc::downgrade(endpoint);
    let wake = Arc::new(move |_end| {
        if let Some(endpoint) = weak.upgrade() {
            endpoint.inbox.push(Event::Readable);
        }
    });
    endpoint.journal.subscribe(wake).into()
}

fn hash_key() -> u128 {
    let half = |part: u8| u128::from(RandomState::new().hash_one(part));
    half(0) << 64 | half(1)
}
