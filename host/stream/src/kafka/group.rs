//! Groups on Kafka: one client a member, and a thread that keeps it in the group.
//!
//! What would surprise: the classic protocol of groups is used, with the assignor that moves no more
//! partitions than it must. With the newer protocol the bundled library may end in an error for good.

mod batch;
mod commits;
mod context;
mod owned;
mod pump;
mod round;
mod transaction;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, RwLock};
use rdkafka::TopicPartitionList;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::Offset;
use rdkafka::types::RDKafkaErrorCode;

use self::commits::Commits;
use self::context::GroupContext;
use self::owned::Owned;
use self::pump::Client;
use self::transaction::{Commitment, Portion, Transactor};
use super::client::Link;
use super::config::KafkaConfig;
use super::farewell::Departures;
use super::names::Names;
use super::settings::Role;
use super::telemetry::Board;
use crate::{
    Commit, GroupOptions, Listener, Member, OpenError, Output, ReadError, ReadLimit, Source,
    StoredRecord, TransactError,
};

/// How long a client may take for one transaction if nothing else is configured.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(10);
/// After how long without a sign of life the group takes a member's partitions away, likewise.
const SESSION_TIMEOUT: Duration = Duration::from_secs(45);

/// A member of a group.
pub(super) struct KafkaMember {
    shared: Arc<Shared>,
    departures: Arc<Departures>,
}

/// What a member and its thread know.
struct Shared {
    /// The name of the group on the cluster.
    group: String,
    names: Names,
    /// Each topic by its name on the cluster and by that of the stream.
    topics: Vec<(String, Arc<str>)>,
    config: ClientConfig,
    board: Arc<Board>,
    listener: Listener,
    /// How long a handing over may take.
    handover_limit: Duration,
    /// None while one is being made.
    client: RwLock<Option<Arc<Client>>>,
    owned: RwLock<HashMap<Source, Arc<Owned>>>,
    tenures: AtomicU64,
    commits: Commits,
    transactor: Transactor,
    stop: AtomicBool,
    stopping: (Mutex<()>, Condvar),
}

impl KafkaMember {
    /// Becomes a member, on a thread of its own; does not wait for the group.
    pub(super) fn join(
        config: &KafkaConfig,
        board: &Arc<Board>,
        departures: &Arc<Departures>,
        options: &GroupOptions,
        listener: Listener,
    ) -> Result<Self, OpenError> {
        let shared = Arc::new(Shared::of(config, board, options, listener));
        let (pump, clerk) = (Arc::clone(&shared), Arc::clone(&shared));
        // From here on dropping it ends whatever of it is there.
        let member = Self { shared, departures: Arc::clone(departures) };
        let departures = Arc::clone(departures);
        start("kafka-group", move || {
            pump::run(&pump);
            departures.end();
        })?;
        start("kafka-commits", move || clerk.make_commits())?;
        Ok(member)
    }
}

impl Drop for KafkaMember {
    fn drop(&mut self) {
        self.departures.begin();
        self.shared.stop();
    }
}

impl Member for KafkaMember {
    fn take(&self, source: &Source, limit: ReadLimit) -> Result<Vec<StoredRecord>, ReadError> {
        let owned = self.shared.owned(source).ok_or(ReadError::NotOwned)?;
        Ok(owned.take(limit))
    }

    fn rewind(&self, source: &Source, offset: u64) -> Result<(), ReadError> {
        self.shared.owned(source).ok_or(ReadError::NotOwned)?.rewind(offset);
        Ok(())
    }

    fn extent(&self, source: &Source) -> (u64, u64) {
        self.shared.owned(source).map_or((0, 0), |owned| owned.extent())
    }

    fn tenure(&self, source: &Source) -> Option<u64> {
        self.shared.owned(source).map(|owned| owned.tenure)
    }

    fn commit(&self, source: &Source, commit: &Commit) {
        if self.shared.owned(source).is_some() {
            self.shared.commits.note(source, commit);
        }
    }

    fn committed(
        &self,
        sources: &[Source],
        timeout: Duration,
    ) -> Result<Vec<Option<Commit>>, TransactError> {
        let give_up = Instant::now() + timeout;
        loop {
            let client = self.shared.client()?;
            let error = match self.shared.ask_committed(&client, sources, give_up) {
                Ok(commits) => return Ok(commits),
                Err(error) => error,
            };
            let code = error.rdkafka_error_code();
            if Instant::now() >= give_up || !code.is_some_and(may_pass) {
                return Err(TransactError::NotNow { reason: error.to_string() });
            }
            self.shared.pause(ASK_AGAIN_AFTER);
        }
    }

    fn flush_commits(&self, timeout: Duration) -> Result<(), TransactError> {
        self.shared.commits.flush(timeout)
    }

    fn transact(
        &self,
        outputs: &[Output],
        commits: &[(Source, Commit)],
    ) -> Result<Vec<u64>, TransactError> {
        self.transact_while(outputs, commits, &|| true)
    }

    fn transact_while(
        &self,
        outputs: &[Output],
        commits: &[(Source, Commit)],
        holds: &dyn Fn() -> bool,
    ) -> Result<Vec<u64>, TransactError> {
        if outputs.is_empty() && commits.is_empty() {
            return Ok(Vec::new());
        }
        let portion = |output| Portion::of(output, &self.shared.names);
        let portions: Vec<_> = outputs.iter().map(portion).collect();
        let give_up = Instant::now() + CHANGE_LIMIT;
        loop {
            let claim = || self.shared.claim(commits, holds);
            match self.shared.transactor.transact(&portions, claim) {
                Ok(firsts) => return Ok(firsts),
                Err(failure) if failure.again && Instant::now() < give_up => {
                    self.shared.pause(ASK_AGAIN_AFTER);
                }
                Err(failure) => return Err(failure.error),
            }
        }
    }
}

/// How long it is tried again while the group changes.
const CHANGE_LIMIT: Duration = Duration::from_secs(3);
/// Between two tries that meet what passes soon.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Whether a question that met this is asked again.
fn may_pass(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::UnstableOffsetCommit
            | RDKafkaErrorCode::CoordinatorLoadInProgress
            | RDKafkaErrorCode::CoordinatorNotAvailable
            | RDKafkaErrorCode::NotCoordinator
            | RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::RequestTimedOut
    )
}

impl Shared {
    fn of(
        config: &KafkaConfig,
        board: &Arc<Board>,
        options: &GroupOptions,
        listener: Listener,
    ) -> Self {
        let names = Names::of(config);
        let group = names.group(&options.name);
        let mut client = config.client(Role::Group);
        client.set("group.id", &group);
        let mut writer = config.client(Role::Transactions);
        // Of this member and no other, or they would shut each other out.
        writer.set(
            "transactional.id",
            format!("{group}-{:016x}", RandomState::new().hash_one(&group)),
        );
        let session = duration_of(&client, "session.timeout.ms", SESSION_TIMEOUT);
        let timeout = duration_of(&writer, "transaction.timeout.ms", TRANSACTION_TIMEOUT);
        let topic = |name: &String| (names.topic(name), Arc::from(name.as_str()));
        Self {
            group,
            topics: options.topics.iter().map(topic).collect(),
            names,
            config: client,
            board: Arc::clone(board),
            listener,
            handover_limit: session / 2,
            client: RwLock::new(None),
            owned: RwLock::default(),
            tenures: AtomicU64::new(0),
            commits: Commits::default(),
            transactor: Transactor::new(writer, timeout, Arc::clone(board)),
            stop: AtomicBool::new(false),
            stopping: (Mutex::new(()), Condvar::new()),
        }
    }

    fn connect(self: &Arc<Self>) -> KafkaResult<Client> {
        let link = Link::new(self.board.enter(Role::Group));
        self.config.create_with_context(GroupContext::new(self, link))
    }

    fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        let held = self.stopping.0.lock();
        self.stopping.1.notify_all();
        drop(held);
        self.commits.alarm();
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Waits, or until the member is dropped.
    fn pause(&self, duration: Duration) {
        let mut held = self.stopping.0.lock();
        if !self.stopped() {
            self.stopping.1.wait_for(&mut held, duration);
        }
    }

    fn client(&self) -> Result<Arc<Client>, TransactError> {
        let away = || TransactError::NotNow { reason: "the group is being joined".to_owned() };
        self.client.read().clone().ok_or_else(away)
    }

    /// The partition of the stream that one on the cluster is.
    fn source(&self, topic: &str, partition: i32) -> Option<Source> {
        let (_, name) = self.topics.iter().find(|(found, _)| found == topic)?;
        Some(Source { topic: Arc::clone(name), partition: u32::try_from(partition).ok()? })
    }

    fn owned(&self, source: &Source) -> Option<Arc<Owned>> {
        self.owned.read().get(source).cloned()
    }

    fn owned_at(&self, topic: &str, partition: i32) -> Option<Arc<Owned>> {
        self.owned(&self.source(topic, partition)?)
    }

    fn all_owned(&self) -> Vec<Arc<Owned>> {
        self.owned.read().values().cloned().collect()
    }

    fn own(&self, source: Source) -> Arc<Owned> {
        let tenure = self.tenures.fetch_add(1, Ordering::SeqCst);
        let owned = Arc::new(Owned::new(source.clone(), tenure));
        self.owned.write().insert(source, Arc::clone(&owned));
        owned
    }

    /// From now on these belong to somebody else.
    fn disown(&self, sources: &[Source]) -> Vec<Arc<Owned>> {
        let mut owned = self.owned.write();
        let gone: Vec<_> = sources.iter().filter_map(|source| owned.remove(source)).collect();
        drop(owned);
        for owned in &gone {
            owned.leave();
            self.commits.forget(&owned.source);
        }
        gone
    }

    fn note_extent(&self, topic: &str, partition: i32, start: i64, end: i64) {
        if let Some(owned) = self.owned_at(topic, partition) {
            owned.note_extent(start, end);
        }
    }

    /// Makes commits as they come, until the member is dropped and none is left.
    fn make_commits(&self) {
        while let Some(begun) = self.commits.wait(|| self.stopped()) {
            let made = self.commit_and_wait(&begun);
            for (source, _) in &begun {
                self.commits.settle(source, made, Instant::now());
            }
        }
    }

    fn commit_and_wait(&self, commits: &[(Source, Commit)]) -> Result<(), RDKafkaErrorCode> {
        let client = self.client().map_err(|_| RDKafkaErrorCode::WaitingForCoordinator)?;
        let made = self.offsets(commits).and_then(|list| client.commit(&list, CommitMode::Sync));
        made.map_err(|error| {
            tracing::debug!(group = self.group, %error, "could not commit");
            error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail)
        })
    }

    fn offsets(&self, commits: &[(Source, Commit)]) -> KafkaResult<TopicPartitionList> {
        let mut list = TopicPartitionList::with_capacity(commits.len());
        for (source, commit) in commits {
            let topic = self.names.topic(&source.topic);
            let mut element = list.add_partition(&topic, source.partition.cast_signed());
            element.set_offset(Offset::Offset(commit.offset.cast_signed()))?;
            element.set_metadata(&commit.note);
        }
        Ok(list)
    }

    fn ask_committed(
        &self,
        client: &Client,
        sources: &[Source],
        give_up: Instant,
    ) -> KafkaResult<Vec<Option<Commit>>> {
        let mut list = TopicPartitionList::with_capacity(sources.len());
        for source in sources {
            list.add_partition(&self.names.topic(&source.topic), source.partition.cast_signed());
        }
        let remaining = give_up.saturating_duration_since(Instant::now());
        let found = client.committed_offsets(list, remaining)?;
        let commit_of = |source: &Source| {
            let topic = self.names.topic(&source.topic);
            let Some(element) = found.find_partition(&topic, source.partition.cast_signed()) else {
                return Ok(None);
            };
            element.error()?;
            let Offset::Offset(offset) = element.offset() else { return Ok(None) };
            // The library panics at a note that is no UTF-8, which another program may have left.
            let note = catch_unwind(AssertUnwindSafe(|| element.metadata().to_owned()));
            Ok(Some(Commit { offset: offset.cast_unsigned(), note: note.unwrap_or_default() }))
        };
        sources.iter().map(commit_of).collect()
    }

    /// Whether we own what is to be committed, and the proof of it that the group asks for.
    fn claim(
        &self,
        commits: &[(Source, Commit)],
        holds: &dyn Fn() -> bool,
    ) -> Result<Option<Commitment>, TransactError> {
        let client = self.client()?;
        let not_now = |reason: &str| TransactError::NotNow { reason: reason.to_owned() };
        let group = client.group_metadata().ok_or_else(|| not_now("the group is not joined"))?;
        // After the generation is known: whoever has lost a partition since then is refused by it.
        let owned = commits.iter().all(|(source, _)| self.owned(source).is_some());
        if client.assignment_lost() || !owned || !holds() {
            let reason = "they are lost already".to_owned();
            return Err(TransactError::NotOwned { reason });
        }
        if commits.is_empty() {
            return Ok(None);
        }
        let offsets = self.offsets(commits).map_err(|error| not_now(&error.to_string()))?;
        Ok(Some(Commitment { offsets, group }))
    }
}

fn start(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), OpenError> {
    let started = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    started.map(drop).map_err(|source| OpenError::io(format!("thread {name}"), source))
}

fn duration_of(config: &ClientConfig, property: &str, otherwise: Duration) -> Duration {
    let ms = config.get(property).and_then(|ms| ms.parse().ok());
    ms.map_or(otherwise, Duration::from_millis)
}
