//! The task loop that reads what others write to the scores topic of an endpoint.
//!
//! It runs on a thread of its own, because reading may wait for a broker. The host's own scores are on
//! the same topic: they are told by the header `model`, and never looked into.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use message::record::{decode_outside_score, header};
use message::{ModelName, Time};
use stream::{Partition, ReadError, ReadLimit, StoredRecord, Subscription};

use crate::abort::AbortOnPanic;
use crate::endpoint::{Endpoint, Event};
use crate::external::OutsideScore;
use crate::inbox::Inbox;
use crate::meter::Ignored;

/// How many records are read at once.
const AT_ONCE: ReadLimit = ReadLimit { records: 1024, bytes: 4 << 20 };
/// How long a partition that cannot be read is left alone, and how often it is looked at unasked.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Reads scores on a thread of its own.
pub(crate) struct ScoreReader {
    inbox: Arc<Inbox<Order>>,
    backlog: Arc<Backlog>,
    thread: JoinHandle<()>,
}

/// What has been read and has not found its request yet.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    /// On the way to the driver.
    in_flight: AtomicUsize,
    /// With the driver.
    kept: AtomicUsize,
    /// Whether nothing is read because of it.
    is_full: AtomicBool,
}

/// What the reader can be told.
enum Order {
    /// Read this partition, from the first record of that time or later.
    Follow(Arc<dyn Partition>, Time),
    /// Read the partition of this number no more.
    Leave(u32),
    /// There may be more to be read.
    Look,
    Stop,
}

impl ScoreReader {
    /// Starts the thread, which reads nothing yet. No more than `limit` scores are to wait for their
    /// requests.
    pub(crate) fn start(endpoint: &Arc<Endpoint>, limit: usize) -> io::Result<Self> {
        let inbox = Arc::new(Inbox::new(usize::MAX));
        let backlog = Arc::<Backlog>::default();
        let reader = Reader {
            endpoint: Arc::downgrade(endpoint),
            inbox: Arc::clone(&inbox),
            backlog: Arc::clone(&backlog),
            limit,
            tails: BTreeMap::new(),
        };
        let name = format!("scores {}", endpoint.name);
        let thread = std::thread::Builder::new().name(name).spawn(move || reader.run())?;
        Ok(Self { inbox, backlog, thread })
    }

    /// Reads a partition from the first record of a time on.
    pub(crate) fn follow(&self, partition: Arc<dyn Partition>, since: Time) {
        self.inbox.push(Order::Follow(partition, since));
    }

    /// Reads a partition no more.
    pub(crate) fn leave(&self, number: u32) {
        self.inbox.push(Order::Leave(number));
    }

    /// The driver has taken some scores.
    pub(crate) fn taken(&self, count: usize) {
        self.backlog.in_flight.fetch_sub(count, Ordering::Relaxed);
    }

    /// The driver keeps so many.
    pub(crate) fn kept(&self, count: usize) {
        self.backlog.kept.store(count, Ordering::Relaxed);
        if self.backlog.is_full.swap(false, Ordering::Relaxed) {
            self.inbox.push(Order::Look);
        }
    }

    /// Ends the thread.
    pub(crate) fn stop(self) {
        self.inbox.push(Order::Stop);
        if self.thread.join().is_err() {
            tracing::error!("the reader of scores panicked");
        }
    }
}

struct Reader {
    endpoint: Weak<Endpoint>,
    inbox: Arc<Inbox<Order>>,
    backlog: Arc<Backlog>,
    limit: usize,
    tails: BTreeMap<u32, Tail>,
}

/// A partition that is read.
struct Tail {
    partition: Arc<dyn Partition>,
    since: Time,
    /// The next offset, once it is known.
    next: Option<u64>,
    /// Until when it is left alone.
    rests: Option<Instant>,
    _subscription: Subscription,
}

impl Reader {
    fn run(mut self) {
        let _guard = AbortOnPanic;
        let mut orders = Vec::new();
        loop {
            let until = (!self.tails.is_empty()).then(|| Instant::now() + LOOK_EVERY);
            self.inbox.take(&mut orders, until);
            for order in orders.drain(..) {
                match order {
                    Order::Follow(partition, since) => self.follow(partition, since),
                    Order::Leave(number) => drop(self.tails.remove(&number)),
                    Order::Look => {}
                    Order::Stop => return,
                }
            }
            let Some(endpoint) = self.endpoint.upgrade() else { return };
            for tail in self.tails.values_mut() {
                tail.read(&endpoint, &self.backlog, self.limit);
            }
        }
    }

    fn follow(&mut self, partition: Arc<dyn Partition>, since: Time) {
        let inbox = Arc::clone(&self.inbox);
        let subscription = partition.subscribe(Arc::new(move |_end| inbox.push(Order::Look)));
        let number = partition.number();
        let tail = Tail { partition, since, next: None, rests: None, _subscription: subscription };
        self.tails.insert(number, tail);
    }
}

impl Tail {
    /// Reads all there is, unless too much waits already.
    fn read(&mut self, endpoint: &Endpoint, backlog: &Backlog, limit: usize) {
        if self.rests.is_some_and(|until| Instant::now() < until) {
            return;
        }
        self.rests = None;
        loop {
            let waiting =
                backlog.in_flight.load(Ordering::Relaxed) + backlog.kept.load(Ordering::Relaxed);
            if waiting >= limit {
                backlog.is_full.store(true, Ordering::Relaxed);
                return;
            }
            match self.next_records() {
                Ok(records) if records.is_empty() => return,
                Ok(records) => {
                    let scores = scores_of(endpoint, self.partition.number(), &records);
                    if !scores.is_empty() {
                        backlog.in_flight.fetch_add(scores.len(), Ordering::Relaxed);
                        endpoint.inbox.push(Event::Outside(scores));
                    }
                }
                Err(error) => {
                    let partition = self.partition.number();
                    tracing::warn!(endpoint = %endpoint.name, partition, %error, "scores cannot be read");
                    self.rests = Some(Instant::now() + LOOK_EVERY);
                    return;
                }
            }
        }
    }

    fn next_records(&mut self) -> Result<Vec<StoredRecord>, ReadError> {
        let next = match self.next {
            Some(next) => next,
            None => *self.next.insert(self.partition.offset_at(self.since)?),
        };
        match self.partition.read(next, AT_ONCE) {
            Ok(records) => {
                self.next = Some(records.last().map_or(next, |last| last.offset + 1));
                Ok(records)
            }
            // What retention has taken is nobody's score any more.
            Err(ReadError::OutOfRange { start, .. }) if start > next => {
                self.next = Some(start);
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }
}

/// The scores of external models among some records; the others are counted, but for those of the
/// host's own models.
fn scores_of(endpoint: &Endpoint, partition: u32, records: &[StoredRecord]) -> Vec<OutsideScore> {
    let (live, parts) = (endpoint.live.load(), endpoint.parts.load());
    let is_external = |model: &str| live.externals.contains_key(model);
    let inside: BTreeSet<&ModelName> =
        parts.iter().filter(|part| part.external.is_none()).map(|part| &part.model).collect();
    let mut scores = Vec::new();
    for stored in records {
        let text = |name| stored.record.headers.text(name);
        let (id, model) = (text(header::ID), text(header::MODEL));
        let at = || format!("the record at offset {} of partition {partition}", stored.offset);
        if let Some(model) = model.filter(|model| !is_external(model)) {
            if !inside.contains(&ModelName::from(model)) {
                let what = || format!("{} is of {model:?}", at());
                count(endpoint, Ignored::NotExternal, what);
            }
            continue;
        }
        match decode_outside_score(id, model, &stored.record.value) {
            Ok(score) if is_external(score.model.as_str()) => {
                scores.push(OutsideScore { partition, score });
            }
            Ok(score) if inside.contains(&score.model) => {}
            Ok(score) => {
                let what = || format!("{} is of {:?}", at(), score.model.as_str());
                count(endpoint, Ignored::NotExternal, what);
            }
            Err(error) => count(endpoint, Ignored::Malformed, || format!("{}: {error}", at())),
        }
    }
    scores
}

fn count(endpoint: &Endpoint, why: Ignored, what: impl Fn() -> String) {
    if endpoint.meter.external.count_ignored(why, &what) {
        let (why, what) = (why.name(), what());
        tracing::warn!(endpoint = %endpoint.name, why, what, "a score from outside is ignored");
    }
}
