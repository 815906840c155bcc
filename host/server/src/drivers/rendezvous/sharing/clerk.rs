//! What a driver leaves to threads of its own because it has to wait for brokers: to join the group, to
//! take over and give up partitions, and to read answers back.
//!
//! A driver has three such threads, so that what is given up never waits for what is taken over, and
//! neither for what is written all or nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use message::record::header;
use message::{RequestId, Time};
use stream::{
    Commit, GroupOptions, Headers, Listener, Member, OpenError, Output, Partition, ReadError,
    ReadLimit, Record, Release, Source, StoredRecord, Stream, TopicOptions, TransactError,
};

use super::super::strand::share_of_ids;
use super::exact::{Batch, Part};
use super::note::Note;
use super::takeover::{self, Past, Takeover};
use crate::abort::AbortOnPanic;
use crate::clock;
use crate::endpoint::{Endpoint, Event};
use crate::inbox::Inbox;
use crate::journal::open_all;

/// How long to wait for the commits of the group.
const COMMITTED_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait until commits are made before partitions are handed over.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);
/// How long an answer that is known to be there may be out of sight, and how long one look for it is.
const SEEN_WITHIN: Duration = Duration::from_secs(5);
const WAIT: Duration = Duration::from_millis(100);
/// How much is looked at first where an answer is read back.
const ONE: ReadLimit = ReadLimit { records: 1, bytes: usize::MAX };
/// How much at once is looked at behind that.
const MORE: ReadLimit = ReadLimit { records: 512, bytes: 1 << 20 };
/// How much is looked at altogether: what others may have written in between.
const LOOKED_AT: usize = 100_000;

/// A partition that is to be taken over.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    /// The number of the strand that it becomes.
    pub(crate) strand: u64,
    pub(crate) source: Source,
    /// Which gain of it this is.
    pub(crate) tenure: Option<u64>,
}

/// Something to do that waits for brokers.
pub(super) enum Errand {
    /// Join the group, after the plain topics that it reads are there.
    Join { group: GroupOptions, options: TopicOptions, listener: Listener },
    /// Fence partitions off from whoever had them, and find out what of them is answered.
    TakeOver { member: Arc<dyn Member>, claims: Vec<Claim> },
    /// Find out whether partitions are still ours.
    Confirm { member: Arc<dyn Member>, commits: Vec<(Claim, Commit)> },
    /// Make the commits so far, and then let others have the partitions.
    GiveUp { member: Arc<dyn Member>, release: Option<Release> },
    /// Open the partitions of a plain topic.
    OpenTopic { topic: String, options: TopicOptions },
    /// Write all of this or nothing.
    Write { member: Arc<dyn Member>, batch: Batch },
    /// Read the answer of an id, which is at this offset, or behind it where others wrote in between.
    ReadBack { number: u64, answers: Arc<dyn Partition>, id: RequestId, offset: u64 },
    /// End.
    Stop,
}

/// What came of an errand.
pub(crate) enum Report {
    /// This process is a member, or is not and why.
    Joined(Result<Arc<dyn Member>, OpenError>),
    /// Partitions are ours and fenced off, or are not and why.
    TakenOver(Vec<Claim>, Result<Vec<Takeover>, TransactError>),
    /// Partitions are ours still, or are not and why.
    Confirmed(Vec<Claim>, Result<(), TransactError>),
    /// A plain topic is open, or is not and why.
    Opened(String, Result<Vec<Arc<dyn Partition>>, OpenError>),
    /// All of it is written, with the offset of the first answer of each part where that is known; or
    /// nothing is, and why.
    Written(Batch, Result<Vec<Option<u64>>, TransactError>),
    /// The record of an answer, or why there is none.
    ReadBack(u64, Result<StoredRecord, String>),
}

/// A thread that waits for brokers in the place of a driver.
pub(super) struct Clerk {
    errands: Arc<Inbox<Errand>>,
    thread: JoinHandle<()>,
    /// Set when nobody wants to know any more what comes of errands.
    is_over: Arc<AtomicBool>,
    /// Ends with the thread.
    ended: Receiver<()>,
}

impl Clerk {
    /// Starts the thread.
    pub(super) fn start(
        name: &str,
        endpoint: &Arc<Endpoint>,
        stream: &Arc<dyn Stream>,
    ) -> std::io::Result<Self> {
        let errands = Arc::new(Inbox::new(usize::MAX));
        let is_over = Arc::new(AtomicBool::new(false));
        let desk = Desk {
            endpoint: Arc::downgrade(endpoint),
            stream: Arc::clone(stream),
            errands: Arc::clone(&errands),
            is_over: Arc::clone(&is_over),
        };
        let builder = std::thread::Builder::new().name(format!("{name}-{}", endpoint.name));
        let (held, ended) = mpsc::channel::<()>();
        let thread = builder.spawn(move || {
            let _until_the_end = held;
            desk.run();
        })?;
        Ok(Self { errands, thread, is_over, ended })
    }

    /// Leaves something to it. What it does is bounded by what the driver asks for.
    pub(super) fn send(&self, errand: Errand) {
        self.errands.push(errand);
    }

    /// From now on gives up what is given up, and does nothing else. What is under way is not waited for
    /// longer than it has to be.
    pub(super) fn wind_up(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    /// Ends the thread, and returns whether it has ended by then: a client that waits for brokers cannot be
    /// interrupted, and what still waits for one goes on by itself until it sees that it is over.
    pub(super) fn stop(self, give_up: Instant) -> bool {
        self.wind_up();
        self.errands.push(Errand::Stop);
        let patience = give_up.saturating_duration_since(Instant::now());
        if self.ended.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            return false;
        }
        if self.thread.join().is_err() {
            tracing::error!("a clerk panicked");
        }
        true
    }
}

struct Desk {
    endpoint: Weak<Endpoint>,
    stream: Arc<dyn Stream>,
    errands: Arc<Inbox<Errand>>,
    is_over: Arc<AtomicBool>,
}

impl Desk {
    fn run(self) {
        let _guard = AbortOnPanic;
        let mut errands = Vec::new();
        loop {
            self.errands.take(&mut errands, None);
            for errand in errands.drain(..) {
                if let Errand::Stop = errand {
                    return;
                }
                if self.is_over() && !matches!(errand, Errand::GiveUp { .. }) {
                    continue;
                }
                let Some(endpoint) = self.endpoint.upgrade() else { return };
                if let Some(report) = self.run_errand(&endpoint, errand) {
                    endpoint.inbox.push(Event::Report(Box::new(report)));
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    fn run_errand(&self, endpoint: &Endpoint, errand: Errand) -> Option<Report> {
        match errand {
            Errand::Join { group, options, listener } => {
                Some(Report::Joined(self.join(&group, &options, listener)))
            }
            Errand::TakeOver { member, claims } => {
                let taken = self.take_over(endpoint, &*member, &claims);
                Some(Report::TakenOver(claims, taken))
            }
            Errand::Confirm { member, commits } => {
                let (claims, commits): (Vec<_>, Vec<_>) = commits.into_iter().unzip();
                let commits: Vec<_> =
                    claims.iter().map(|claim: &Claim| claim.source.clone()).zip(commits).collect();
                let holds = || are_held(&*member, &claims);
                let confirmed = member.transact_while(&[], &commits, &holds).map(|_| ());
                Some(Report::Confirmed(claims, confirmed))
            }
            Errand::GiveUp { member, release } => {
                if let Err(error) = member.flush_commits(FLUSH_TIMEOUT) {
                    tracing::warn!(endpoint = %endpoint.name, %error, "the last commits may be lost: others answer from further back");
                }
                drop(release);
                None
            }
            Errand::OpenTopic { topic, options } => {
                let opened = crate::topics::stream_name(&topic)
                    .map_or(Ok(Vec::new()), |name| open_all(&*self.stream, &name, &options));
                Some(Report::Opened(topic, opened))
            }
            Errand::ReadBack { number, answers, id, offset } => {
                Some(Report::ReadBack(number, read_back(&*answers, &id, offset)))
            }
            Errand::Write { member, batch } => {
                let written = write(endpoint, &*member, &batch);
                Some(Report::Written(batch, written))
            }
            Errand::Stop => None,
        }
    }

    fn join(
        &self,
        group: &GroupOptions,
        options: &TopicOptions,
        listener: Listener,
    ) -> Result<Arc<dyn Member>, OpenError> {
        for topic in &group.topics {
            self.stream.partitions(topic, options)?;
        }
        self.stream.join(group, listener)
    }

    /// Writes a fence for each partition, as nobody but their owner can, and reads what is answered.
    fn take_over(
        &self,
        endpoint: &Endpoint,
        member: &dyn Member,
        claims: &[Claim],
    ) -> Result<Vec<Takeover>, TransactError> {
        let sources: Vec<_> = claims.iter().map(|claim| claim.source.clone()).collect();
        let commits = member.committed(&sources, COMMITTED_TIMEOUT)?;
        let now = clock::now();
        let answers = |source: &Source| endpoint.journal.answers_to(source);
        let outputs: Vec<_> =
            sources.iter().map(|source| fence(now, source, &**answers(source))).collect();
        let begin =
            |source: &Source| Commit { offset: member.extent(source).0, note: String::new() };
        let found = sources.iter().zip(&commits);
        let same = found.map(|(source, found)| {
            (source.clone(), found.clone().unwrap_or_else(|| begin(source)))
        });
        let same: Vec<_> = same.collect();
        let epochs = member.transact_while(&outputs, &same, &|| are_held(member, claims))?;
        endpoint.meter.shared.count_fences(claims.len() as u64);
        let wanted = share_of_ids(endpoint);
        let began = Instant::now();
        let is_over = || self.is_over();
        let taken = claims.iter().zip(commits).zip(epochs).map(|((claim, commit), epoch)| {
            let note = commit.as_ref().map(|commit| Note::read(&commit.note)).unwrap_or_default();
            let committed = commit.map(|commit| commit.offset);
            let answers = answers(&claim.source);
            let (answers, source) = (&**answers, &claim.source);
            let past = Past::of(answers, source, epoch, &is_over);
            let found = takeover::find_answered(past, committed, &note, wanted);
            found.map_err(|reason| TransactError::NotNow { reason }).map(|found| {
                endpoint.meter.shared.count_void(found.void);
                let passed = note.passed;
                Takeover { strand: claim.strand, committed, epoch, found, passed }
            })
        });
        let taken = taken.collect();
        tracing::debug!(endpoint = %endpoint.name, partitions = claims.len(), elapsed = ?began.elapsed(), "answers read back");
        taken
    }
}

fn are_held(member: &dyn Member, claims: &[Claim]) -> bool {
    claims.iter().all(|claim| member.tenure(&claim.source) == claim.tenure)
}

/// Finds the answer of an id at an offset or behind it.
fn read_back(answers: &dyn Partition, id: &RequestId, offset: u64) -> Result<StoredRecord, String> {
    let (mut from, mut limit, mut looked_at) = (offset, ONE, 0);
    let give_up = Instant::now() + SEEN_WITHIN;
    loop {
        let found = match answers.read(from, limit) {
            Ok(found) => found,
            // It has just been written with others in a transaction, of whose end nobody has heard yet.
            Err(ReadError::OutOfRange { end, .. }) if end < from && Instant::now() < give_up => {
                answers.wait(from, WAIT);
                continue;
            }
            Err(error) => return Err(error.to_string()),
        };
        let Some(last) = found.last().map(|last| last.offset) else { break };
        looked_at += found.len();
        let is_it = |stored: &StoredRecord| {
            stored.record.headers.get(header::ID) == Some(id.as_str().as_bytes())
        };
        if let Some(stored) = found.into_iter().find(is_it) {
            return Ok(stored);
        }
        if looked_at >= LOOKED_AT {
            break;
        }
        (from, limit) = (last + 1, MORE);
    }
    Err(format!(
        "found {looked_at} records from offset {offset} on, expected the answer among them"
    ))
}

/// Writes a batch, unless it was written before.
fn write(
    endpoint: &Endpoint,
    member: &dyn Member,
    batch: &Batch,
) -> Result<Vec<Option<u64>>, TransactError> {
    let claims: Vec<_> = batch.parts.iter().map(|part| part.claim.clone()).collect();
    let sources: Vec<_> = claims.iter().map(|claim| claim.source.clone()).collect();
    if batch.is_again {
        // Waits until whatever was begun is settled.
        let found = member.committed(&sources, COMMITTED_TIMEOUT)?;
        let is_made = batch.parts.iter().zip(found).any(|(part, found)| {
            let is_there = found.is_some_and(|found| found.offset >= part.commit.offset);
            is_there && are_held(member, std::slice::from_ref(&part.claim))
        });
        if is_made {
            return Ok(vec![None; batch.parts.len()]);
        }
    }
    // Those from before everything was written together must not come behind what is committed now.
    member.flush_commits(FLUSH_TIMEOUT)?;
    let outputs: Vec<_> =
        batch.parts.iter().flat_map(|part| part.outputs.iter().cloned()).collect();
    let commits = batch.parts.iter().map(|part| part.commit.clone());
    let commits: Vec<_> = sources.into_iter().zip(commits).collect();
    let firsts = member.transact_while(&outputs, &commits, &|| are_held(member, &claims))?;
    let mut firsts = firsts.into_iter();
    let first_answer = |part: &Part| {
        let mine: Vec<_> = firsts.by_ref().take(part.outputs.len()).collect();
        let answers = endpoint.journal.answers_to(&part.claim.source).topic();
        let is_answers = part.outputs.first().is_some_and(|output| *output.to.topic == *answers);
        mine.first().copied().filter(|_| is_answers)
    };
    Ok(batch.parts.iter().map(first_answer).collect())
}

fn fence(now: Time, source: &Source, answers: &dyn Partition) -> Output {
    let headers = Headers::new().with(header::FENCE, source.to_string());
    let to = Source { topic: answers.topic().into(), partition: answers.number() };
    Output {
        to,
        records: vec![Record { time: now, key: None, headers, value: Default::default() }],
    }
}
