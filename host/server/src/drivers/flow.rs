//! The task loop of an endpoint that is fed by a topic: reads the source, hands requests to the
//! driver, and buries what is none.
//!
//! It reads on when the driver has kept what it was given, so an endpoint reads no faster than its
//! models can answer. Each record of the source becomes one request or one dead letter, whatever
//! happens to the host: after a crash some records are read again, and the offsets that the records
//! of both topics bear tell which of them were dealt with.

mod letter;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use catalog::Flow;
use message::record::header;
use stream::{AppendError, Partition, ReadLimit, Record, StoredRecord, TopicOptions};
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

pub(crate) use self::letter::{Desk, Origin};
use crate::abort::AbortOnPanic;
use crate::clock;
use crate::endpoint::{Ask, Endpoint, Event, Records};
use crate::host::Shared;
use crate::inbox::Inbox;
use crate::journal::topic_name;

/// How much is read at once. Each batch is kept before the next is read.
const READ_LIMIT: ReadLimit = ReadLimit { records: 512, bytes: 4 << 20 };
/// How far back the topics are searched for what was dealt with before a crash.
const LOOK_BACK: u64 = 65_536;
/// How much of them is read at once.
const LOOK_BACK_AT_ONCE: ReadLimit = ReadLimit { records: 4096, bytes: 8 << 20 };
/// How long to wait for what sends no word: an endpoint that is not ready, a disk that is full.
const PAUSE: Duration = Duration::from_millis(50);
/// How often to look whether the driver has kept what it was given.
const LOOK_AGAIN: Duration = Duration::from_millis(1);
/// How long to sleep at most; whatever comes wakes it earlier.
const SLEEP: Duration = Duration::from_secs(10);

/// A running flow.
pub(crate) struct FlowHandle {
    /// What it was started with.
    pub(crate) flow: Flow,
    stop: Arc<AtomicBool>,
    /// Whether the source need not keep records for it any more.
    forget: Arc<AtomicBool>,
    wake: Arc<Inbox<()>>,
    thread: JoinHandle<()>,
}

impl FlowHandle {
    /// Starts reading the source of an endpoint, when `before` has ended.
    pub(crate) fn start(
        shared: &Arc<Shared>,
        endpoint: &Arc<Endpoint>,
        flow: &Flow,
        options: TopicOptions,
        before: Option<Self>,
    ) -> std::io::Result<Self> {
        let (stop, forget) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let wake = Arc::new(Inbox::new(1));
        let reader = Reader {
            shared: Arc::clone(shared),
            endpoint: Arc::clone(endpoint),
            source_name: flow.source.clone().unwrap_or_default(),
            flow: flow.clone(),
            options,
            stop: Arc::clone(&stop),
            forget: Arc::clone(&forget),
            wake: Arc::clone(&wake),
            asked: None,
            buried: None,
        };
        let name = format!("flow-{}", endpoint.name);
        let thread = std::thread::Builder::new().name(name).spawn(move || {
            let _guard = AbortOnPanic;
            before.into_iter().for_each(Self::join);
            reader.run();
        })?;
        Ok(Self { flow: flow.clone(), stop, forget, wake, thread })
    }

    /// Tells it to end. It does when the driver has kept or refused what it was given last.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        // It is awake already where something waits.
        let _awake = self.wake.offer(());
    }

    /// Tells it to end, and that the source need not keep records for it any more unless it is the
    /// source of what comes after it, too.
    pub(crate) fn give_way(&self, next: &Flow) {
        self.forget.store(self.flow.source != next.source, Ordering::Release);
        self.stop();
    }

    /// Waits until it has ended.
    pub(crate) fn join(self) {
        self.stop();
        if self.thread.join().is_err() {
            tracing::error!("a flow panicked");
        }
    }
}

/// What reads a source.
struct Reader {
    shared: Arc<Shared>,
    endpoint: Arc<Endpoint>,
    flow: Flow,
    source_name: String,
    options: TopicOptions,
    stop: Arc<AtomicBool>,
    forget: Arc<AtomicBool>,
    wake: Arc<Inbox<()>>,
    /// The last record of the source that became a request.
    asked: Option<u64>,
    /// The last record of the source that became a dead letter.
    buried: Option<u64>,
}

/// When a batch has to be tried again.
struct NotNow;

impl Reader {
    fn run(mut self) {
        let Some(source) = self.wait_for_source() else { return };
        let wake = Arc::clone(&self.wake);
        let _subscription = source.subscribe(Arc::new(move |_| {
            let _awake = wake.offer(());
        }));
        let reader = format!("flow:{}", self.endpoint.name);
        let mut next = source.committed(&reader).unwrap_or(0).max(source.watermarks().start);
        self.look_back(&*source);
        while !self.is_stopping() {
            let end = source.readable_end();
            self.endpoint.meter.flow.set_position(next, end);
            if !self.is_ready() {
                self.rest(PAUSE);
                continue;
            }
            let records = self.read(&*source, &mut next);
            let Some(last) = records.last().map(|record| record.offset) else {
                self.rest(SLEEP);
                continue;
            };
            if self.hand_on(&records).is_err() {
                self.rest(PAUSE);
                self.look_back(&*source);
                continue;
            }
            next = last + 1;
            if let Err(error) = source.commit(&reader, next) {
                tracing::warn!(endpoint = %self.endpoint.name, %error, "commit failed");
            }
        }
        if self.forget.load(Ordering::Acquire)
            && let Err(error) = source.forget(&reader)
        {
            tracing::warn!(endpoint = %self.endpoint.name, %error, "the source keeps records for nobody");
        }
    }

    /// Waits until there is such a topic: a plain one is made, another endpoint's comes with it.
    fn wait_for_source(&self) -> Option<Arc<dyn Partition>> {
        while !self.is_stopping() {
            let found = match self.source_name.rsplit_once('/') {
                Some((endpoint, topic)) if catalog::flow::is_endpoint_topic(&self.source_name) => {
                    let found = self.shared.endpoint(endpoint).and_then(|endpoint| {
                        let mut topics = endpoint.journal.topics().into_iter();
                        let found = topics.find(|(name, _)| *name == topic);
                        found.and_then(|(_, partitions)| partitions.first()).map(Arc::clone)
                    });
                    found.ok_or_else(|| {
                        format!(
                            "found no topic {:?}, expected one of an endpoint",
                            self.source_name
                        )
                    })
                }
                _ => self
                    .endpoint
                    .topics
                    .open(&self.source_name, &self.options)
                    .map_err(|error| error.to_string()),
            };
            let problem = match found {
                Ok(source) => {
                    self.endpoint.meter.flow.set_problem(None);
                    return Some(source);
                }
                Err(problem) => problem,
            };
            let is_news = self.endpoint.meter.flow.set_problem(Some(problem.clone()));
            if is_news {
                tracing::warn!(endpoint = %self.endpoint.name, problem, "the source cannot be read");
            }
            self.rest(PAUSE);
        }
        None
    }

    fn read(&self, source: &dyn Partition, next: &mut u64) -> Vec<StoredRecord> {
        let start = source.watermarks().start;
        if *next < start {
            let lost = start - *next;
            tracing::error!(endpoint = %self.endpoint.name, lost, "records of the source were thrown away unread");
            *next = start;
        }
        source.read(*next, READ_LIMIT).unwrap_or_else(|error| {
            tracing::warn!(endpoint = %self.endpoint.name, %error, "the source cannot be read");
            Vec::new()
        })
    }

    /// Makes requests and dead letters of some records, and returns when all of them are kept.
    fn hand_on(&mut self, records: &[StoredRecord]) -> Result<(), NotNow> {
        let live = self.endpoint.live.load_full();
        let own_requests = topic_name(self.endpoint.name.as_str(), "requests");
        let desk = Desk {
            live: &live,
            flow: &self.flow,
            source: &self.source_name,
            origin: Origin::Source { partition: None },
            own_requests: &own_requests,
            tenant: self.endpoint.name.as_str().split_once('/').map(|(tenant, _)| tenant),
            record_limit_bytes: self.options.record_limit_bytes,
            now: clock::now(),
        };
        let (mut asks, mut asked) = (Vec::new(), self.asked);
        let (mut dead, mut buried, mut classes) = (Vec::new(), self.buried, Vec::new());
        // What is no request is buried before what is one is asked, so that up to the last that was
        // asked everything has been dealt with.
        let is_done = |stored: &&StoredRecord| self.asked.is_some_and(|it| stored.offset <= it);
        for stored in records.iter().skip_while(is_done) {
            match desk.ask(stored) {
                Ok(ask) => {
                    asks.push(ask);
                    asked = Some(stored.offset);
                }
                Err(_) if self.buried.is_some_and(|last| stored.offset <= last) => {}
                Err(refusal) => {
                    dead.push(desk.dead_letter(stored, &refusal));
                    buried = Some(stored.offset);
                    classes.push(refusal.class);
                }
            }
        }
        self.bury(&dead)?;
        self.buried = buried;
        let flow = &self.endpoint.meter.flow;
        classes.into_iter().for_each(|class| flow.count_dead_letter(class));
        self.ask(asks)?;
        self.asked = asked;
        Ok(())
    }

    fn bury(&self, dead: &[Record]) -> Result<(), NotNow> {
        if dead.is_empty() {
            return Ok(());
        }
        let kept = self.endpoint.journal.dead_letters.append(dead);
        kept.map(|_| ()).map_err(|error| {
            let name = &self.endpoint.name;
            match error {
                AppendError::Full | AppendError::Busy { .. } => {
                    tracing::debug!(endpoint = %name, %error, "dead letters cannot be kept");
                }
                _ => tracing::error!(endpoint = %name, %error, "dead letters cannot be kept"),
            }
            NotNow
        })
    }

    /// Gives the driver requests, and returns when it has kept them. When this is to end it does not
    /// wait for that: a driver that has ended keeps nothing, and says nothing either.
    fn ask(&self, asks: Vec<Ask>) -> Result<(), NotNow> {
        if asks.is_empty() {
            return Ok(());
        }
        let (reply, mut kept) = oneshot::channel();
        let count = asks.len();
        let records = Records { asks: asks.into(), first_offset: None, count, reply };
        self.endpoint.inbox.offer(Event::Records(records)).map_err(|_| NotNow)?;
        loop {
            match kept.try_recv() {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(_)) | Err(TryRecvError::Closed) => return Err(NotNow),
                Err(TryRecvError::Empty) if self.is_stopping() => return Err(NotNow),
                Err(TryRecvError::Empty) => self.rest(LOOK_AGAIN),
            }
        }
    }

    /// Finds out how far the source was dealt with: a crash may have come before the commit.
    fn look_back(&mut self, source: &dyn Partition) {
        let journal = &self.endpoint.journal;
        let end = source.watermarks().end;
        // Offsets from beyond the end are those of a topic that was here before.
        let known = |found: Option<u64>| found.filter(|&offset| offset < end);
        self.asked = known(last_of(&*journal.requests[0], &self.source_name)).max(self.asked);
        self.buried = known(last_of(&*journal.dead_letters, &self.source_name)).max(self.buried);
    }

    /// Whether the endpoint takes requests: its models are there, and nobody has paused it.
    fn is_ready(&self) -> bool {
        let live = self.endpoint.live.load();
        live.settled && !live.paused
    }

    fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    fn rest(&self, limit: Duration) {
        self.wake.take(&mut Vec::new(), Some(Instant::now() + limit));
    }
}

/// The highest offset of a source that the latest records of a topic were made of.
fn last_of(topic: &dyn Partition, source: &str) -> Option<u64> {
    let mut next = topic.readable_end().saturating_sub(LOOK_BACK).max(topic.watermarks().start);
    let mut last = None;
    loop {
        let records = topic.read(next, LOOK_BACK_AT_ONCE).unwrap_or_default();
        let Some(end) = records.last().map(|record| record.offset + 1) else { return last };
        next = end;
        last =
            last.max(records.iter().filter_map(|record| offset_in(&record.record, source)).max());
    }
}

/// The offset in this source that a record was made of.
fn offset_in(record: &Record, source: &str) -> Option<u64> {
    // Of headers with the same name the last one counts: ours stand behind those of the source.
    let last = |wanted: &str| {
        let found = record.headers.iter().filter(|(name, _)| *name == wanted);
        found.last().and_then(|(_, value)| std::str::from_utf8(value).ok().map(str::to_owned))
    };
    (last(header::SOURCE_TOPIC)? == source).then(|| last(header::SOURCE_OFFSET)?.parse().ok())?
}
