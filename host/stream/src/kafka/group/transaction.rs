//! Records and commits that are made together or not at all.
//!
//! The client that writes them has one name for its whole life, and whatever it left open is settled
//! before it begins anew. That a member has lost its partitions is known by the group, which is told the
//! generation of the member and refuses an old one.
//!
//! What would surprise: a client writes no more after one transaction went wrong, or was slow to end. In the
//! protocol that librdkafka speaks all transactions of a client look alike to the brokers, so a request for
//! the end of one that was sent twice, and came late, would end the next one in the middle (KIP-890). A new
//! client has a new epoch, and what the one before it asked for is refused from then on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::Message;
use rdkafka::producer::{DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaErrorCode;

use super::round::{Round, Ticket};
use crate::kafka::client::Link;
use crate::kafka::farewell::{let_go, within};
use crate::kafka::names::Names;
use crate::kafka::settings::Role;
use crate::kafka::telemetry::Board;
use crate::kafka::wire;
use crate::{Output, Record, TransactError};

type Writer = ThreadedProducer<WriterContext>;

/// How much longer than it may take a call is waited for, before the client counts as hung.
const GRACE: Duration = Duration::from_secs(5);
/// After so long the request for the end of a transaction may have been sent twice. A new connection and
/// what is waited for before it take a tenth of it at the least.
const SLOW: Duration = Duration::from_secs(1);
/// How long giving a transaction up may take.
const ABORT_TIMEOUT: Duration = Duration::from_secs(5);

/// What one transaction writes: records for one partition, by the name that the cluster has for it.
pub(super) struct Portion<'a> {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) records: &'a [Record],
}

impl<'a> Portion<'a> {
    pub(super) fn of(output: &'a Output, names: &Names) -> Self {
        let Output { to, records } = output;
        Self { topic: names.topic(&to.topic), partition: to.partition.cast_signed(), records }
    }
}

/// What one transaction commits, and for whom.
pub(super) struct Commitment {
    pub(super) offsets: TopicPartitionList,
    pub(super) group: ConsumerGroupMetadata,
}

/// The client that writes transactions, if there is one at the moment.
pub(super) struct Transactor {
    config: ClientConfig,
    /// How long a transaction may take as a whole before the brokers abort it.
    timeout: Duration,
    board: Arc<Board>,
    writer: Mutex<Option<Writer>>,
}

impl Transactor {
    /// The configuration has its `transactional.id`; nobody else may have the same.
    pub(super) fn new(config: ClientConfig, timeout: Duration, board: Arc<Board>) -> Self {
        Self { config, timeout, board, writer: Mutex::new(None) }
    }

    /// Writes a transaction. `prepare` is called when its turn has come and before anything is written.
    pub(super) fn transact(
        &self,
        portions: &[Portion<'_>],
        prepare: impl FnOnce() -> Result<Option<Commitment>, TransactError>,
    ) -> Result<Vec<u64>, Failure> {
        let mut slot = self.writer.lock();
        let writer = match slot.take() {
            Some(writer) => writer,
            None => self.start().map_err(|error| Failure { error, again: false })?,
        };
        let give_up = Instant::now() + self.timeout;
        let commitment = match prepare() {
            Ok(commitment) => commitment,
            Err(error) => {
                *slot = Some(writer);
                return Err(Failure { error, again: false });
            }
        };
        let done = Attempt { writer: &writer, give_up }.run(portions, commitment);
        if done.as_ref().is_ok_and(|done| !done.is_slow) {
            *slot = Some(writer);
        } else {
            let_go(writer, Duration::ZERO);
        }
        done.map(|done| done.firsts)
    }

    /// Lets the client go, on a thread of its own.
    pub(super) fn close(&self) {
        if let Some(writer) = self.writer.lock().take() {
            let_go(writer, Duration::ZERO);
        }
    }

    fn start(&self) -> Result<Writer, TransactError> {
        let writer: Writer = self
            .config
            .create_with_context(WriterContext(Link::new(self.board.enter(Role::Transactions))))
            .map_err(|error| TransactError::NotNow { reason: error.to_string() })?;
        let begun = ask(&writer, self.timeout, |writer, timeout| writer.init_transactions(timeout));
        match made(begun) {
            Ok(()) => Ok(writer),
            Err(stop) => {
                let_go(writer, Duration::ZERO);
                Err(stop.error)
            }
        }
    }
}

/// Why nothing was written.
pub(super) struct Failure {
    pub(super) error: TransactError,
    /// Whether it may well go through when it is tried again at once.
    pub(super) again: bool,
}

/// What was written.
struct Done {
    /// The offset of the first record of each portion.
    firsts: Vec<u64>,
    /// Whether the end took so long that it may have been asked for twice.
    is_slow: bool,
}

struct Attempt<'a> {
    writer: &'a Writer,
    give_up: Instant,
}

impl Attempt<'_> {
    fn run(
        &self,
        portions: &[Portion<'_>],
        commitment: Option<Commitment>,
    ) -> Result<Done, Failure> {
        let begun = self.writer.begin_transaction();
        begun.map_err(|error| Failure { error: error_of(&error), again: false })?;
        let firsts = self.write(portions, commitment).map_err(|stop| self.abort(stop))?;
        let asked = Instant::now();
        self.commit().map_err(|stop| self.abort(stop))?;
        Ok(Done { firsts, is_slow: asked.elapsed() >= SLOW })
    }

    /// Writes all that belongs to the transaction, and returns where.
    fn write(
        &self,
        portions: &[Portion<'_>],
        commitment: Option<Commitment>,
    ) -> Result<Vec<u64>, Stop> {
        let round = Round::of(portions.iter().map(|portion| portion.records.len()).sum());
        let tickets = round.tickets(portions.len());
        for (portion, ticket) in portions.iter().zip(&tickets) {
            for record in portion.records {
                self.send(portion, record, ticket)?;
            }
        }
        // While the records are on their way.
        if let Some(Commitment { offsets, group }) = commitment {
            let sent = ask(self.writer, self.remaining(), move |writer, timeout| {
                writer.send_offsets_to_transaction(&offsets, &group, timeout)
            });
            if let Err(stop) = made(sent) {
                // Where a record was refused, that is the reason, and this only follows from it.
                return Err(self.wait(&round).err().unwrap_or(stop));
            }
        }
        self.wait(&round)?;
        self.settle();
        Ok(tickets.iter().map(|ticket| ticket.first()).collect())
    }

    /// Waits for what became of the records.
    fn wait(&self, round: &Round) -> Result<(), Stop> {
        match round.wait(self.give_up) {
            None => {
                let reason = "the records were not taken in time".to_owned();
                let error = TransactError::NotNow { reason };
                Err(Stop { error, again: false, is_abortable: true })
            }
            Some(Ok(())) => Ok(()),
            Some(Err(code)) => Err(Stop::of(&KafkaError::MessageProduction(code))),
        }
    }

    fn send(
        &self,
        portion: &Portion<'_>,
        record: &Record,
        ticket: &Arc<Ticket>,
    ) -> Result<(), Stop> {
        let Portion { topic, partition, .. } = portion;
        let mut message = wire::outgoing(topic, *partition, record, Arc::clone(ticket));
        loop {
            match self.writer.send(message) {
                Ok(()) => return Ok(()),
                Err((error, back)) if is_full(&error) && Instant::now() < self.give_up => {
                    message = back;
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err((error, _)) => return Err(Stop::of(&error)),
            }
        }
    }

    /// Waits until the client has put its last report away: committing earlier would cost it a tenth
    /// of a second of polling for nothing.
    fn settle(&self) {
        while self.writer.in_flight_count() > 0 && Instant::now() < self.give_up {
            std::thread::sleep(Duration::from_micros(50));
        }
    }

    fn commit(&self) -> Result<(), Stop> {
        loop {
            let committed = ask(self.writer, self.remaining(), |writer, timeout| {
                writer.commit_transaction(timeout)
            });
            let Some(Err(error)) = committed else { return made(committed) };
            match &error {
                KafkaError::Transaction(reason)
                    if reason.is_retriable() && Instant::now() < self.give_up => {}
                KafkaError::Transaction(reason) if reason.txn_requires_abort() => {
                    return Err(Stop::of(&error));
                }
                // Whether it is made is settled by the client that comes next.
                _ => return Err(Stop { is_abortable: false, ..Stop::of(&error) }),
            }
        }
    }

    /// Gives the transaction up, so that nobody has to wait until its time is over to read what is behind it.
    fn abort(&self, stop: Stop) -> Failure {
        if stop.is_abortable {
            let aborted = ask(self.writer, ABORT_TIMEOUT, |writer, timeout| {
                writer.abort_transaction(timeout)
            });
            if let Err(stop) = made(aborted) {
                tracing::debug!(error = %stop.error, "a transaction is given up by the next client");
            }
        }
        Failure { error: stop.error, again: stop.again }
    }

    fn remaining(&self) -> Duration {
        self.give_up.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
    }
}

/// Makes a call that may take so long, or gives the client up with it: nothing is returned by one that hangs.
fn ask(
    writer: &Writer,
    timeout: Duration,
    call: impl FnOnce(&Writer, Duration) -> KafkaResult<()> + Send + 'static,
) -> Option<KafkaResult<()>> {
    let writer = writer.clone();
    within(timeout + GRACE, move || call(&writer, timeout))
}

/// Whether a call was made.
fn made(called: Option<KafkaResult<()>>) -> Result<(), Stop> {
    match called {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => Err(Stop::of(&error)),
        None => Err(Stop::hung()),
    }
}

/// Why a transaction is not made.
struct Stop {
    error: TransactError,
    /// Whether it may well go through when it is tried again at once.
    again: bool,
    /// Whether it can be given up: it has not failed for good, and its end was not asked for.
    is_abortable: bool,
}

impl Stop {
    /// Another client has to go on; by that the brokers give up what this one has begun.
    fn hung() -> Self {
        let reason = "the client of Kafka does not return from a call".to_owned();
        Self { error: TransactError::NotNow { reason }, again: false, is_abortable: false }
    }

    fn of(error: &KafkaError) -> Self {
        let fatal = matches!(error, KafkaError::Transaction(reason) if reason.is_fatal());
        let again = code_of(error).is_some_and(passes_soon);
        Self { error: error_of(error), again, is_abortable: !fatal }
    }
}

fn error_of(error: &KafkaError) -> TransactError {
    let reason = match error {
        KafkaError::Transaction(reason) => reason.to_string(),
        _ => error.to_string(),
    };
    match code_of(error) {
        Some(code) if is_not_owned(code) => TransactError::NotOwned { reason },
        Some(code) if is_refused(code) => TransactError::Refused { reason },
        _ => TransactError::NotNow { reason },
    }
}

/// Whether the group says by this that it does not know us any more.
fn is_not_owned(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::UnknownMemberId
            | RDKafkaErrorCode::FencedInstanceId
            | RDKafkaErrorCode::FencedMemberEpoch
    )
}

/// Whether this passes by itself, and soon. While a group changes it refuses generations that are merely out
/// of date; whoever has lost partitions by it is about to be told. And right after a transaction was given
/// up the library may throw away the first records of the next one with those of the last.
fn passes_soon(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::IllegalGeneration
            | RDKafkaErrorCode::RebalanceInProgress
            | RDKafkaErrorCode::PurgeQueue
            | RDKafkaErrorCode::PurgeInflight
    )
}

fn code_of(error: &KafkaError) -> Option<RDKafkaErrorCode> {
    match error {
        KafkaError::Transaction(reason) => Some(reason.code()),
        _ => error.rdkafka_error_code(),
    }
}

/// Whether trying it again could never help.
fn is_refused(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::MessageSizeTooLarge
            | RDKafkaErrorCode::InvalidRecord
            | RDKafkaErrorCode::PolicyViolation
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::TransactionalIdAuthorizationFailed
    )
}

fn is_full(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull)
}

struct WriterContext(Link);

impl ClientContext for WriterContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.0.log(level, facility, message);
    }

    fn stats(&self, statistics: Statistics) {
        self.0.stats(statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.error(error, reason);
    }
}

impl ProducerContext for WriterContext {
    type DeliveryOpaque = Arc<Ticket>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Arc<Ticket>) {
        match result {
            Ok(message) => ticket.written(message.offset()),
            Err((error, _)) => {
                ticket.failed(error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail));
            }
        }
    }
}
