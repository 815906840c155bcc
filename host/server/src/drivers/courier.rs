//! The way back to callers of other hosts: the topic `replies`, which all hosts on one stream share.
//!
//! A call's record says on which host its caller waits. Whoever owns the record writes the answer to
//! the partition of the replies that this host reads, and its courier hands it to the endpoint's
//! driver. A reply is nothing but a message: the answer itself is on the answers topic, so that one
//! that gets lost costs its caller a repetition and nobody an answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use message::RequestId;
use message::record::{HostAddress, header};
use parking_lot::Mutex;
use serde_json::{Value, json};
use stream::{
    AppendError, Fsync, Headers, OpenError, Partition, ReadError, ReadLimit, Record, Retention,
    StoredRecord, Stream, Subscription, TopicOptions, partition_of_key,
};

use crate::abort::AbortOnPanic;
use crate::clock;
use crate::endpoint::{Answered, Unanswered};
use crate::inbox::Inbox;
use crate::outbox::Waiter;

/// The topic.
pub(crate) const REPLIES: &str = "replies";
/// How long a reply is kept where the stream is told so: nobody waits that long.
const KEPT: Duration = Duration::from_secs(3600);
/// How long a stream that does not answer is left alone.
const TRY_AGAIN: Duration = Duration::from_millis(500);
/// How often it is looked whether replies could not be written.
const LOOK: Duration = Duration::from_secs(1);
/// How much is read at once.
const READ_LIMIT: ReadLimit = ReadLimit { records: 1024, bytes: 4 << 20 };

/// The replies, as everybody but the courier sees them.
pub(crate) struct Replies {
    /// The id of this host in this life of it.
    host: String,
    open: ArcSwapOption<Open>,
    /// Why they are not open, or cannot be read.
    problem: Mutex<Option<String>>,
    inbox: Inbox<Wake>,
}

/// The topic, when it is there.
struct Open {
    partitions: Vec<Arc<dyn Partition>>,
    /// The one that this host reads.
    own: u32,
}

/// What the courier is told.
enum Wake {
    /// There may be more to read.
    Readable,
    /// The stream has another way to its cluster.
    OpenAnew,
    /// To end.
    Stop,
}

/// An answer on its way to a caller of another host.
pub(crate) struct Sent<'a> {
    /// Who waits for it.
    pub(crate) to: &'a Waiter,
    /// The endpoint that was asked.
    pub(crate) endpoint: &'a str,
    /// What it is answered, or why it is not.
    pub(crate) said: &'a Result<Answered, Unanswered>,
}

/// An answer that came from another host.
pub(crate) struct Delivered {
    /// The request.
    pub(crate) id: RequestId,
    /// What it is answered, or why it is not.
    pub(crate) said: Result<Answered, Unanswered>,
}

/// The thread that reads the replies.
pub(crate) struct Courier {
    replies: Arc<Replies>,
    thread: JoinHandle<()>,
}

/// Takes what came for the callers of an endpoint.
pub(crate) type Deliver = Box<dyn Fn(&str, Vec<Delivered>) + Send>;

impl Default for Replies {
    /// They are not open yet.
    fn default() -> Self {
        Self {
            host: crate::ids::fresh(clock::now()).to_string(),
            open: ArcSwapOption::empty(),
            problem: Mutex::new(Some("it has not been opened yet".into())),
            inbox: Inbox::new(usize::MAX),
        }
    }
}

impl Replies {
    /// Where callers of this host wait; nowhere before the replies are being read.
    pub(crate) fn address(&self) -> Option<HostAddress<'_>> {
        let partition = self.open.load().as_ref()?.own;
        Some(HostAddress { partition, host: &self.host })
    }

    /// Has the topic opened once more, because the stream has another way to its cluster.
    pub(crate) fn open_anew(&self) {
        self.inbox.push(Wake::OpenAnew);
    }

    /// The id of this host in this life of it.
    #[cfg(test)]
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Whether this is where callers of this host wait.
    pub(crate) fn is_own(&self, address: HostAddress<'_>) -> bool {
        address.host == self.host
    }

    /// Writes answers for callers of other hosts, and returns how many could be. Waits for nobody.
    pub(crate) fn send<'a>(&self, replies: impl IntoIterator<Item = Sent<'a>>) -> usize {
        let open = self.open.load();
        let Some(open) = open.as_ref() else { return 0 };
        let mut batches: BTreeMap<u32, Vec<Record>> = BTreeMap::new();
        for reply in replies {
            batches.entry(reply.to.partition).or_default().push(record_of(&reply));
        }
        let mut sent = 0;
        for (partition, records) in batches {
            let Some(partition) = open.partitions.get(partition as usize) else { continue };
            match partition.submit(&records) {
                Ok(_) => sent += records.len(),
                Err(AppendError::TooLarge { .. }) => {
                    // One of them spoils the batch for the others.
                    let each = records.chunks(1).map(|record| partition.submit(record));
                    sent += each.filter(Result::is_ok).count();
                }
                Err(error) => tracing::debug!(%error, "replies cannot be sent"),
            }
        }
        sent
    }

    /// How they are, for people.
    pub(crate) fn report(&self) -> Value {
        json!({
            "host": self.host,
            "partition": self.open.load().as_ref().map(|open| open.own),
            "problem": *self.problem.lock(),
        })
    }

    /// Takes note of why nothing can be read, or that all is well; says so where that is news.
    fn set_problem(&self, problem: Option<String>) {
        let mut known = self.problem.lock();
        match (&*known, &problem) {
            (Some(_), None) => tracing::info!(host = self.host, "the replies are read"),
            (old, Some(error)) if old.as_ref() != Some(error) => {
                tracing::warn!(error, "the replies cannot be read");
            }
            _ => {}
        }
        *known = problem;
    }
}

impl Courier {
    /// Starts the thread. It opens the topic as soon as the stream lets it.
    pub(crate) fn start(
        replies: Arc<Replies>,
        stream: Arc<dyn Stream>,
        deliver: Deliver,
    ) -> std::io::Result<Self> {
        let builder = std::thread::Builder::new().name("courier".into());
        let run = Run { replies: Arc::clone(&replies), stream, deliver };
        let thread = builder.spawn(move || run.run())?;
        Ok(Self { replies, thread })
    }

    /// Ends the thread.
    pub(crate) fn stop(self) {
        self.replies.inbox.push(Wake::Stop);
        if self.thread.join().is_err() {
            tracing::error!("the courier panicked");
        }
    }
}

/// What the thread is told to do instead of what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// To end.
    Stop,
    /// To open the topic once more.
    OpenAnew,
}

/// What the thread works with.
struct Run {
    replies: Arc<Replies>,
    stream: Arc<dyn Stream>,
    deliver: Deliver,
}

impl Run {
    fn run(self) {
        let _guard = AbortOnPanic;
        while let Some((open, next, subscription)) = self.open() {
            let told = self.carry(&open, next);
            drop(subscription);
            if told == Told::Stop {
                return;
            }
        }
    }

    /// Carries what comes until it is told otherwise.
    fn carry(&self, open: &Open, mut next: u64) -> Told {
        let own = Arc::clone(&open.partitions[open.own as usize]);
        loop {
            let pause = match self.read(&*own, &mut next) {
                Ok(()) => LOOK,
                Err(error) => {
                    self.replies.set_problem(Some(error.to_string()));
                    TRY_AGAIN
                }
            };
            let failed: usize = open.partitions.iter().map(|it| it.take_failed().len()).sum();
            if failed > 0 {
                tracing::debug!(failed, "replies were not taken by the stream");
            }
            if let Some(told) = self.rest(pause) {
                return told;
            }
        }
    }

    /// Opens the topic, however often that takes to be tried; nothing when it is to end.
    fn open(&self) -> Option<(Arc<Open>, u64, Subscription)> {
        loop {
            match self.try_open() {
                Ok((open, next, subscription)) => {
                    let open = Arc::new(open);
                    self.replies.open.store(Some(Arc::clone(&open)));
                    self.replies.set_problem(None);
                    return Some((open, next, subscription));
                }
                Err(error) => self.replies.set_problem(Some(error)),
            }
            if self.rest(TRY_AGAIN) == Some(Told::Stop) {
                return None;
            }
        }
    }

    fn try_open(&self) -> Result<(Open, u64, Subscription), String> {
        let said = |error: OpenError| error.to_string();
        let options = TopicOptions {
            fsync: Fsync::None,
            retention: Retention { age: Some(KEPT), ..Retention::default() },
            ..TopicOptions::default()
        };
        let count = self.stream.partitions(REPLIES, &options).map_err(said)?;
        let partitions: Result<Vec<_>, _> = (0..count)
            .map(|partition| self.stream.open_partition(REPLIES, partition, &options))
            .collect();
        let partitions = partitions.map_err(said)?;
        let own = partition_of_key(self.replies.host.as_bytes(), count);
        let partition = &partitions[own as usize];
        // What is there already is for others: nobody has asked this host yet.
        let next = partition.offset_at(clock::now()).map_err(|error| error.to_string())?;
        let replies = Arc::clone(&self.replies);
        let wake = Arc::new(move |_end| replies.inbox.push(Wake::Readable));
        let subscription = partition.subscribe(wake);
        Ok((Open { partitions, own }, next, subscription))
    }

    /// Reads all that is there.
    fn read(&self, partition: &dyn Partition, next: &mut u64) -> Result<(), ReadError> {
        loop {
            let records = match partition.read(*next, READ_LIMIT) {
                Ok(records) => records,
                Err(ReadError::OutOfRange { start, .. }) if *next != start => {
                    *next = start;
                    continue;
                }
                Err(ReadError::Corrupt { next: behind, .. }) => {
                    *next = behind;
                    continue;
                }
                Err(error) => return Err(error),
            };
            if self.replies.problem.lock().is_some() {
                self.replies.set_problem(None);
            }
            let Some(last) = records.last() else { return Ok(()) };
            *next = last.offset + 1;
            self.hand_on(&records);
        }
    }

    /// Brings what is for this host to the endpoints.
    fn hand_on(&self, records: &[StoredRecord]) {
        let mut delivered: BTreeMap<&str, Vec<Delivered>> = BTreeMap::new();
        for stored in records {
            let record = &stored.record;
            if record.headers.text(header::HOST) != Some(&self.replies.host) {
                continue;
            }
            let text = |name| record.headers.text(name);
            let named = (text(header::ENDPOINT), text(header::ID));
            let (Some(endpoint), Some(id)) = named else { continue };
            let delivered = delivered.entry(endpoint).or_default();
            delivered.push(Delivered { id: RequestId::from(id), said: said_in(record) });
        }
        for (endpoint, delivered) in delivered {
            (self.deliver)(endpoint, delivered);
        }
    }

    /// Waits until there may be more to read; returns what it is told to do instead.
    fn rest(&self, limit: Duration) -> Option<Told> {
        let mut wakes = Vec::new();
        self.replies.inbox.take(&mut wakes, Some(Instant::now() + limit));
        let is_told = |which: fn(&Wake) -> bool| wakes.iter().any(which);
        if is_told(|wake| matches!(wake, Wake::Stop)) {
            return Some(Told::Stop);
        }
        is_told(|wake| matches!(wake, Wake::OpenAnew)).then_some(Told::OpenAnew)
    }
}

fn record_of(reply: &Sent<'_>) -> Record {
    let headers = Headers::of([
        (header::ID, reply.to.id.as_str().as_bytes()),
        (header::HOST, reply.to.host.as_bytes()),
        (header::ENDPOINT, reply.endpoint.as_bytes()),
    ]);
    let (headers, value) = match reply.said {
        Ok(answered) if answered.is_error => {
            (headers.with(header::ERROR, "1"), answered.document.clone())
        }
        Ok(answered) => (headers, answered.document.clone()),
        Err(why) => (headers.with(header::REASON, why.to_string()), Bytes::new()),
    };
    Record { time: clock::now(), key: None, headers, value }
}

/// What a reply says.
fn said_in(record: &Record) -> Result<Answered, Unanswered> {
    if let Some(reason) = record.headers.text(header::REASON) {
        return Err(Unanswered::Unfit { reason: reason.to_owned() });
    }
    let is_error = record.headers.get(header::ERROR).is_some();
    Ok(Answered { document: record.value.clone(), response: None, is_error })
}

#[cfg(test)]
mod tests;
