//! Questions to the brokers, and what is asked of them about topics. Every call waits, with a bound.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode as Code};
use rdkafka::{Offset, TopicPartitionList};

use super::client::{Link, not_made};
use super::config::KafkaConfig;
use super::farewell::let_go;
use super::settings::Role;
use super::telemetry::Board;
use crate::OpenError;

/// How long is waited before the same is asked again.
pub(crate) const AGAIN: Duration = Duration::from_millis(20);

/// The clients that ask.
pub(crate) struct Asker {
    /// Both are there until this is dropped.
    clients: Option<(BaseConsumer<Link>, AdminClient<Link>)>,
    timeout: Duration,
}

/// The partitions of a topic, as the brokers know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) partitions: u32,
    /// Whether each has a leader.
    pub(crate) is_led: bool,
}

impl Asker {
    pub(crate) fn new(config: &KafkaConfig, board: &Arc<Board>) -> Result<Self, OpenError> {
        let link = || Link::new(board.enter(Role::Admin));
        let client = config.client(Role::Admin);
        let consumer = client.create_with_context(link()).map_err(|error| not_made(&error))?;
        let admin = client.create_with_context(link()).map_err(|error| not_made(&error))?;
        Ok(Self { clients: Some((consumer, admin)), timeout: config.delivery.answer_timeout })
    }

    fn consumer(&self) -> &BaseConsumer<Link> {
        &self.clients.as_ref().expect("invariant: the clients are there until the end").0
    }

    fn admin(&self) -> &AdminClient<Link> {
        &self.clients.as_ref().expect("invariant: the clients are there until the end").1
    }

    fn options(&self) -> AdminOptions {
        AdminOptions::new()
            .request_timeout(Some(self.timeout))
            .operation_timeout(Some(self.timeout))
    }

    /// Has the client say what it has to say of the brokers.
    pub(crate) fn listen(&self) {
        listen(self.consumer());
    }

    /// The partitions of a topic; none if there is no such topic.
    pub(crate) fn layout(&self, topic: &str) -> Result<Option<Layout>, Code> {
        let metadata = self.consumer().fetch_metadata(Some(topic), self.timeout);
        let metadata = metadata.map_err(|error| super::trouble::code(&error))?;
        let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else {
            return Ok(None);
        };
        match found.error().map(Code::from) {
            Some(Code::UnknownTopicOrPartition | Code::UnknownTopic) => return Ok(None),
            Some(Code::LeaderNotAvailable) | None => {}
            Some(code) => return Err(code),
        }
        let is_led = found.partitions().iter().all(|partition| partition.leader() >= 0);
        let partitions = u32::try_from(found.partitions().len()).unwrap_or(u32::MAX);
        Ok((partitions > 0).then_some(Layout { partitions, is_led }))
    }

    /// Every topic of the cluster.
    pub(crate) fn topics(&self) -> Result<Vec<String>, Code> {
        let metadata = self.consumer().fetch_metadata(None, self.timeout);
        let metadata = metadata.map_err(|error| super::trouble::code(&error))?;
        Ok(metadata.topics().iter().map(|topic| topic.name().to_owned()).collect())
    }

    /// The offsets behind the last records of some partitions that can be read.
    pub(crate) fn ends(&self, topic: &str, partitions: &[u32]) -> Result<Vec<(u32, u64)>, Code> {
        self.offsets(topic, partitions, Offset::End)
    }

    /// Where one partition begins, and where what can be read of it ends. Waits for its leader.
    pub(crate) fn extent(&self, topic: &str, partition: u32) -> Result<(u64, u64), Code> {
        let give_up = Instant::now() + self.timeout;
        let of_this = |found: Vec<(u32, u64)>| found.first().map(|&(_, offset)| offset);
        loop {
            let found = self.starts(topic, &[partition]).and_then(|starts| {
                Ok(of_this(starts).zip(of_this(self.ends(topic, &[partition])?)))
            });
            match found {
                Ok(Some(extent)) => return Ok(extent),
                Ok(None) => return Err(Code::UnknownPartition),
                Err(code) if is_about_to_lead(code) && Instant::now() < give_up => {
                    thread::sleep(AGAIN);
                }
                Err(code) => return Err(code),
            }
        }
    }

    /// The first offsets of some partitions that are kept.
    pub(crate) fn starts(&self, topic: &str, partitions: &[u32]) -> Result<Vec<(u32, u64)>, Code> {
        self.offsets(topic, partitions, Offset::Beginning)
    }

    /// The offset of the first record with this timestamp or a later one; none if there is none.
    pub(crate) fn offset_at(
        &self,
        topic: &str,
        partition: u32,
        timestamp: i64,
    ) -> Result<Option<u64>, Code> {
        let found = self.offsets(topic, &[partition], Offset::Offset(timestamp))?;
        Ok(found.first().map(|&(_, offset)| offset))
    }

    fn offsets(
        &self,
        topic: &str,
        partitions: &[u32],
        which: Offset,
    ) -> Result<Vec<(u32, u64)>, Code> {
        let mut wanted = TopicPartitionList::with_capacity(partitions.len());
        for &partition in partitions {
            let added = wanted.add_partition_offset(topic, number(partition), which);
            added.map_err(|error| super::trouble::code(&error))?;
        }
        let found = self.consumer().offsets_for_times(wanted, self.timeout);
        let found = found.map_err(|error| super::trouble::code(&error))?;
        let mut offsets = Vec::with_capacity(partitions.len());
        for element in found.elements() {
            element.error().map_err(|error| super::trouble::code(&error))?;
            if let (Offset::Offset(offset), Ok(partition)) =
                (element.offset(), u32::try_from(element.partition()))
            {
                offsets.push((partition, u64::try_from(offset).unwrap_or(0)));
            }
        }
        Ok(offsets)
    }

    pub(crate) fn create(&self, topic: &NewTopic<'_>) -> Result<(), (Code, String)> {
        let made = wait_for(self.admin().create_topics([topic], &self.options()));
        first(made, "the brokers said nothing about it")
    }

    /// How large a batch of records may be in a topic, if we are allowed to know.
    pub(crate) fn batch_limit_bytes(&self, topic: &str) -> Option<u64> {
        let resource = [ResourceSpecifier::Topic(topic)];
        let found = wait_for(self.admin().describe_configs(&resource, &self.options())).ok()?;
        let entries = found.into_iter().next()?.ok()?;
        entries.get("max.message.bytes")?.value.as_ref()?.parse().ok()
    }

    /// Has everything below an offset forgotten.
    pub(crate) fn delete_below(
        &self,
        topic: &str,
        partition: u32,
        offset: u64,
    ) -> Result<(), Code> {
        let mut below = TopicPartitionList::new();
        let offset = Offset::Offset(i64::try_from(offset).unwrap_or(i64::MAX));
        let added = below.add_partition_offset(topic, number(partition), offset);
        added.map_err(|error| super::trouble::code(&error))?;
        let deleted = wait_for(self.admin().delete_records(&below, &self.options()));
        let deleted = deleted.map_err(|error| super::trouble::code(&error))?;
        deleted
            .elements()
            .iter()
            .try_for_each(|element| element.error())
            .map_err(|error| super::trouble::code(&error))
    }

    pub(crate) fn delete_group(&self, group: &str) -> Result<(), Code> {
        let deleted = wait_for(self.admin().delete_groups(&[group], &self.options()));
        match first(deleted, "") {
            Ok(()) | Err((Code::GroupIdNotFound, _)) => Ok(()),
            Err((code, _)) => Err(code),
        }
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        let_go(self.clients.take(), Duration::ZERO);
    }
}

/// What became of the one thing that was asked for.
fn first(
    results: KafkaResult<Vec<Result<String, (String, Code)>>>,
    nothing: &str,
) -> Result<(), (Code, String)> {
    match results {
        Err(error) => Err((super::trouble::code(&error), error.to_string())),
        Ok(results) => match results.into_iter().next() {
            Some(Ok(_)) => Ok(()),
            Some(Err((_, code))) => Err((code, code.to_string())),
            None => Err((Code::Fail, nothing.to_owned())),
        },
    }
}

/// Has a client without records say what it has to say.
pub(crate) fn listen(consumer: &BaseConsumer<Link>) {
    // What comes as a result here came to the context of the client before.
    while consumer.poll(Duration::ZERO).is_some() {}
}

/// Whether a partition has no leader at the moment, or a new one.
fn is_about_to_lead(code: Code) -> bool {
    matches!(
        code,
        Code::NotLeaderForPartition
            | Code::LeaderNotAvailable
            | Code::FencedLeaderEpoch
            | Code::UnknownLeaderEpoch
            | Code::OffsetNotAvailable
            | Code::UnknownTopicOrPartition
    )
}

/// A partition's number as Kafka has it.
pub(crate) fn number(partition: u32) -> i32 {
    i32::try_from(partition).unwrap_or(i32::MAX)
}

/// Waits for a future that is woken by another thread and ends by itself.
pub(crate) fn wait_for<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
