//! The one client that writes, and the thread that hears what became of its records.
//!
//! When librdkafka cannot go on with a client, a new one takes its place and everything that is not
//! known to be written is sent again: then, and only then, a record may be there twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use rdkafka::statistics::Statistics;

use super::client::{Link, not_made};
use super::config::KafkaConfig;
use super::farewell::let_go;
use super::ledger::Ledger;
use super::partition::{KafkaPartition, Outline};
use super::settings::Role;
use super::telemetry::Board;
use super::trouble::{Class, code};
use super::wire::outgoing;
use crate::{AppendError, OpenError};

/// How long one wait for news of the client is.
const POLL: Duration = Duration::from_millis(100);

/// How long a client that cannot go on is left alone at first; twice as long each time it happens again.
const REMAKE_AFTER: Duration = Duration::from_millis(200);

/// How often it is doubled at most.
const DOUBLED_AT_MOST: u32 = 6;

/// How long the end of a client is waited for.
const FAREWELL: Duration = Duration::from_secs(2);

/// The bits of what librdkafka keeps with a record that say which ticket it has; the others say of
/// which partition.
const TICKET_BITS: u32 = 40;

/// What writes.
pub(crate) struct Writer {
    config: KafkaConfig,
    board: Arc<Board>,
    outlets: Arc<Outlets>,
    client: RwLock<Option<Client>>,
    remade: Mutex<Remade>,
}

/// Every partition, by the number that librdkafka keeps with its records.
#[derive(Default)]
pub(crate) struct Outlets {
    partitions: RwLock<Vec<Arc<KafkaPartition>>>,
}

impl Outlets {
    /// Makes a partition that knows its number, unless somebody else has made it meanwhile.
    pub(crate) fn add(
        &self,
        outline: &Outline<'_>,
        make: impl FnOnce(usize) -> Arc<KafkaPartition>,
    ) -> Arc<KafkaPartition> {
        let mut partitions = self.partitions.write();
        if let Some(found) = partitions.iter().find(|partition| outline.is_of(partition)) {
            return Arc::clone(found);
        }
        let partition = make(partitions.len());
        partitions.push(Arc::clone(&partition));
        partition
    }

    pub(crate) fn all(&self) -> Vec<Arc<KafkaPartition>> {
        self.partitions.read().clone()
    }

    pub(crate) fn clear(&self) -> Vec<Arc<KafkaPartition>> {
        std::mem::take(&mut self.partitions.write())
    }
}

struct Client {
    producer: Arc<BaseProducer<Deliveries>>,
    is_over: Arc<AtomicBool>,
    polling: JoinHandle<()>,
}

#[derive(Default)]
struct Remade {
    times: u32,
    last: Option<Instant>,
}

impl Writer {
    pub(crate) fn new(config: &KafkaConfig, board: &Arc<Board>) -> Result<Self, OpenError> {
        let outlets = Arc::default();
        let client = client(config, board, &outlets)?;
        Ok(Self {
            config: config.clone(),
            board: Arc::clone(board),
            outlets,
            client: RwLock::new(Some(client)),
            remade: Mutex::default(),
        })
    }

    pub(crate) fn outlets(&self) -> &Outlets {
        &self.outlets
    }

    /// Sends what is to be sent of a partition, from a ticket on. What cannot be sent now stays.
    pub(crate) fn send(
        &self,
        partition: &KafkaPartition,
        ledger: &mut Ledger,
        from: u64,
    ) -> Vec<(u64, AppendError)> {
        let client = self.client.read();
        let Some(client) = client.as_ref() else { return Vec::new() };
        let unsent = ledger.unsent(from).take(ledger.at_once());
        let tickets: Vec<u64> = unsent.map(|(ticket, _)| ticket).collect();
        let mut refused = Vec::new();
        for ticket in tickets {
            let Some(record) = ledger.record(ticket) else { continue };
            let opaque = opaque(partition.slot(), ticket);
            let message =
                outgoing(partition.kafka_topic(), partition.kafka_number(), record, opaque);
            match client.producer.send(message) {
                Ok(()) => ledger.sent(ticket),
                Err((error, _)) => match code(&error) {
                    Code::MessageSizeTooLarge => {
                        let found = record.size_bytes();
                        let reason =
                            format!("found a record of {found} bytes, more than is sent at once");
                        refused.push((ticket, AppendError::Refused { reason }));
                        ledger.sent(ticket);
                    }
                    // Whoever tends to the stream tries again.
                    _ => break,
                },
            }
        }
        refused
    }

    /// Puts a new client in place of one that cannot go on. Returns whether it has.
    pub(crate) fn mend(&self) -> bool {
        let fatal = self.client.read().as_ref().and_then(|it| it.producer.client().fatal_error());
        let Some((code, reason)) = fatal else { return false };
        if !self.remade.lock().is_time() {
            return false;
        }
        self.board.note(Class::Fatal, &format!("{code}: {reason}"));
        let made = match client(&self.config, &self.board, &self.outlets) {
            Ok(made) => made,
            Err(error) => {
                tracing::warn!(%error, "could not make a Kafka client");
                return false;
            }
        };
        // From here on nothing is sent, until everything that is not known to be written is marked.
        let old = self.client.write().take();
        if let Some(old) = &old {
            old.producer.context().is_stale.store(true, Ordering::Release);
        }
        for partition in self.outlets.all() {
            partition.ledger().send_all_again();
        }
        *self.client.write() = Some(made);
        self.board.clients_remade.fetch_add(1, Ordering::Relaxed);
        if let Some(old) = old {
            end(old, Duration::ZERO);
        }
        true
    }

    /// Ends the client. What is not written by now is not written.
    pub(crate) fn close(&self) {
        if let Some(client) = self.client.write().take() {
            end(client, FAREWELL);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

impl Remade {
    fn is_time(&mut self) -> bool {
        let wait = REMAKE_AFTER * 2_u32.pow(self.times.min(DOUBLED_AT_MOST));
        let is_time = self.last.is_none_or(|last| last.elapsed() >= wait);
        if is_time {
            let calm = self.last.is_none_or(|last| last.elapsed() > Duration::from_secs(60));
            self.times = if calm { 0 } else { self.times + 1 };
            self.last = Some(Instant::now());
        }
        is_time
    }
}

fn client(
    config: &KafkaConfig,
    board: &Arc<Board>,
    outlets: &Arc<Outlets>,
) -> Result<Client, OpenError> {
    let deliveries = Deliveries {
        link: Link::new(board.enter(Role::Producer)),
        outlets: Arc::clone(outlets),
        is_stale: AtomicBool::new(false),
    };
    let producer = config.client(Role::Producer).create_with_context(deliveries);
    let producer: BaseProducer<_> = producer.map_err(|error| not_made(&error))?;
    let (producer, is_over) = (Arc::new(producer), Arc::new(AtomicBool::new(false)));
    let (polled, over) = (Arc::clone(&producer), Arc::clone(&is_over));
    let poll = move || {
        while !over.load(Ordering::Acquire) {
            polled.poll(POLL);
        }
        drop(polled);
    };
    let polling = thread::Builder::new()
        .name("kafka deliveries".to_owned())
        .spawn(poll)
        .map_err(|error| OpenError::io("a thread", error))?;
    Ok(Client { producer, is_over, polling })
}

/// Ends a client on a thread of its own.
fn end(client: Client, patience: Duration) {
    struct Ending(Option<Client>);
    impl Drop for Ending {
        fn drop(&mut self) {
            let Some(Client { producer, is_over, polling }) = self.0.take() else { return };
            is_over.store(true, Ordering::Release);
            if polling.join().is_err() {
                tracing::error!("the thread that hears of deliveries has panicked");
            }
            drop(producer);
        }
    }
    let_go(Ending(Some(client)), patience);
}

fn opaque(slot: usize, ticket: u64) -> usize {
    (slot << TICKET_BITS) | (ticket as usize & ((1 << TICKET_BITS) - 1))
}

/// The ticket that was meant, which lies less than 2^40 behind the first that is open.
fn ticket(low: u64, settled: u64) -> u64 {
    let span = 1 << TICKET_BITS;
    let near = (settled & !(span - 1)) | low;
    if near + span / 2 < settled { near + span } else { near }
}

/// What hears of each record.
pub(crate) struct Deliveries {
    link: Link,
    outlets: Arc<Outlets>,
    /// Whether another client has taken over what this one had.
    is_stale: AtomicBool,
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.link.log(level, facility, message);
    }

    fn stats(&self, statistics: Statistics) {
        self.link.stats(statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.link.error(error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, opaque: usize) {
        let (slot, low) = (opaque >> TICKET_BITS, (opaque & ((1 << TICKET_BITS) - 1)) as u64);
        let Some(partition) = self.outlets.partitions.read().get(slot).cloned() else { return };
        match result {
            Ok(message) => {
                let offset = u64::try_from(message.offset()).unwrap_or(0);
                partition.delivered(|settled| ticket(low, settled), offset);
            }
            Err(_) if self.is_stale.load(Ordering::Acquire) => {}
            Err((error, _)) => partition.not_delivered(|settled| ticket(low, settled), code(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_come_back_from_what_librdkafka_keeps() {
        let span = 1_u64 << TICKET_BITS;
        for (slot, settled, number) in
            [(0, 0, 0), (7, 5, 6), (3, span - 2, span + 1), (1, 3 * span, 3 * span + 8)]
        {
            let kept = opaque(slot, number);
            assert_eq!(kept >> TICKET_BITS, slot);
            assert_eq!(ticket(kept as u64 & (span - 1), settled), number, "{settled}");
        }
    }
}
