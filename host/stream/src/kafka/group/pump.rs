//! The thread that keeps a member in its group.
//!
//! It polls the client, acts upon changes of what is owned, and makes a new client where one has failed
//! for good. While partitions are being handed over it goes on polling, so that handing
//! over one partition does not cost the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::Offset;

use super::Shared;
use super::context::{Change, GroupContext};
use super::owned::Owned;
use crate::{GroupEvent, Release, Source};

pub(super) type Client = BaseConsumer<GroupContext>;

/// How long a poll waits, and so how late anything is noticed that is not a message to the client.
const POLL: Duration = Duration::from_millis(50);
/// The same while somebody is waited for.
const POLL_IN_HASTE: Duration = Duration::from_millis(2);
/// How often it is looked for records whose wake-up was lost.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long it is waited before a client that failed is made anew.
const RETRY_AFTER: Duration = Duration::from_secs(1);
const SEEK_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a client is done with.
enum End {
    /// Because the member was dropped.
    Left,
    /// Because it has failed for good.
    Failed,
}

/// Partitions that are being given up, and whoever holds that up.
struct Handover {
    partitions: TopicPartitionList,
    sources: Vec<Source>,
    released: Arc<AtomicBool>,
    give_up: Instant,
}

/// Runs until the member is dropped, and has left the group when it returns.
pub(super) fn run(shared: &Arc<Shared>) {
    while !shared.stopped() {
        let client = match shared.connect() {
            Ok(client) => Arc::new(client),
            Err(error) => {
                tracing::warn!(group = shared.group, %error, "could not make a client for a group");
                shared.pause(RETRY_AFTER);
                continue;
            }
        };
        *shared.client.write() = Some(Arc::clone(&client));
        let end = Pump { shared, client: &client, handover: None, looked: Instant::now() }.serve();
        *shared.client.write() = None;
        let sources: Vec<_> = shared.all_owned().iter().map(|owned| owned.source.clone()).collect();
        shared.disown(&sources).iter().for_each(|owned| drop(owned.detach()));
        if let End::Failed = end {
            if !sources.is_empty() {
                (shared.listener)(GroupEvent::Lost(sources));
            }
            tracing::warn!(group = shared.group, "joining a group anew after its client failed");
            shared.board.clients_remade.fetch_add(1, Ordering::Relaxed);
        }
        leave(client);
        if let End::Failed = end {
            shared.pause(RETRY_AFTER);
        }
    }
    shared.transactor.close();
}

/// Leaves the group and drops the client. Others may hold it for as long as a call of theirs takes, and
/// are not to be those who drop it.
fn leave(client: Arc<Client>) {
    client.context().close();
    while Arc::strong_count(&client) > 1 {
        client.poll(POLL_IN_HASTE);
    }
    drop(client);
}

struct Pump<'a> {
    shared: &'a Arc<Shared>,
    client: &'a Arc<Client>,
    handover: Option<Handover>,
    looked: Instant,
}

impl Pump<'_> {
    fn serve(&mut self) -> End {
        let topics: Vec<_> = self.shared.topics.iter().map(|(topic, _)| topic.as_str()).collect();
        if let Err(error) = self.client.subscribe(&topics) {
            tracing::warn!(group = self.shared.group, %error, "could not join a group");
            return End::Failed;
        }
        while !self.shared.stopped() {
            let haste = self.handover.is_some();
            if let Some(found) = self.client.poll(if haste { POLL_IN_HASTE } else { POLL })
                && let Err(End::Failed) = self.see(found)
            {
                return End::Failed;
            }
            if self.follow().is_err() {
                return End::Failed;
            }
            self.look_after();
        }
        End::Left
    }

    fn see(&self, found: KafkaResult<BorrowedMessage<'_>>) -> Result<(), End> {
        match found {
            // Records come by the queues of their partitions. One that was on its way already when the
            // queue was split off is before all that is in there.
            Ok(message) => {
                let owned = self.shared.owned_at(message.topic(), message.partition());
                if let Some(owned) = owned {
                    owned.stash(&message);
                    self.tell_readable(&owned);
                }
                Ok(())
            }
            Err(KafkaError::MessageConsumptionFatal(code)) => {
                tracing::error!(group = self.shared.group, %code, "the client of a group has failed");
                Err(End::Failed)
            }
            // Told to the context too, which says so; the library goes on by itself.
            Err(_) => Ok(()),
        }
    }

    /// Acts upon changes of what is owned, one after the other.
    fn follow(&mut self) -> KafkaResult<()> {
        loop {
            if let Some(handover) = self.handover.take_if(|handover| {
                handover.released.load(Ordering::SeqCst)
                    || Instant::now() >= handover.give_up
                    || self.client.assignment_lost()
            }) {
                self.hand_over(handover)?;
            }
            if self.handover.is_some() {
                return Ok(());
            }
            match self.client.context().next_change() {
                None => return Ok(()),
                Some(Change::Assign(partitions)) => self.gain(&partitions)?,
                Some(Change::Revoke(partitions)) => self.give_up(partitions)?,
            }
        }
    }

    fn gain(&self, partitions: &TopicPartitionList) -> KafkaResult<()> {
        let mut sources = Vec::new();
        for element in partitions.elements() {
            let (topic, partition) = (element.topic(), element.partition());
            let Some(source) = self.shared.source(topic, partition) else { continue };
            let owned = self.shared.own(source.clone());
            // Split off before anything is fetched, so that nothing comes by another way.
            let queue = self.client.split_partition_queue(topic, partition).ok_or_else(|| {
                KafkaError::Subscription(format!("no queue for {topic}/{partition}"))
            })?;
            let listener = Arc::clone(&self.shared.listener);
            owned.attach(queue, move |owned| listener(GroupEvent::Readable(owned.source.clone())));
            sources.push(source);
        }
        if !sources.is_empty() {
            (self.shared.listener)(GroupEvent::Gained(sources));
        }
        let mut stored = partitions.clone();
        stored.set_all_offsets(Offset::Stored)?;
        self.client.incremental_assign(&stored)
    }

    fn give_up(&mut self, partitions: TopicPartitionList) -> KafkaResult<()> {
        let elements = partitions.elements();
        let sources: Vec<_> = elements
            .iter()
            .filter_map(|element| self.shared.source(element.topic(), element.partition()))
            .collect();
        drop(elements);
        let lost = self.client.assignment_lost();
        if lost || sources.is_empty() {
            return self.lose(&partitions, sources);
        }
        sources
            .iter()
            .filter_map(|source| self.shared.owned(source))
            .for_each(|owned| owned.leave());
        let released = Arc::new(AtomicBool::new(false));
        let give_up = Instant::now() + self.shared.handover_limit;
        let release = {
            let released = Arc::clone(&released);
            Release::new(move || released.store(true, Ordering::SeqCst))
        };
        self.handover = Some(Handover { partitions, sources: sources.clone(), released, give_up });
        (self.shared.listener)(GroupEvent::Revoked(sources, release));
        Ok(())
    }

    fn hand_over(&self, handover: Handover) -> KafkaResult<()> {
        if !handover.released.load(Ordering::SeqCst) {
            tracing::warn!(
                group = self.shared.group,
                partitions = handover.sources.len(),
                "gave up partitions before their work was ended"
            );
            return self.lose(&handover.partitions, handover.sources);
        }
        self.unassign(&handover.partitions, self.shared.disown(&handover.sources))
    }

    /// Gives partitions up that others may own already.
    fn lose(&self, partitions: &TopicPartitionList, sources: Vec<Source>) -> KafkaResult<()> {
        let gone = self.shared.disown(&sources);
        if !sources.is_empty() {
            (self.shared.listener)(GroupEvent::Lost(sources));
        }
        self.unassign(partitions, gone)
    }

    fn unassign(&self, partitions: &TopicPartitionList, gone: Vec<Arc<Owned>>) -> KafkaResult<()> {
        self.client.incremental_unassign(partitions)?;
        for queue in gone.iter().filter_map(|owned| owned.detach()) {
            // What was fetched would lie there until the partition is gained again, if ever. The library
            // has marked it as outdated by now, so this ends.
            while queue.poll(Duration::ZERO).is_some() {}
        }
        Ok(())
    }

    /// Moves where it was asked for, and finds records whose wake-up was lost.
    fn look_after(&mut self) {
        let all = self.shared.all_owned();
        for owned in &all {
            if let Some(offset) = owned.seeking()
                && self.seek(owned, offset)
                && owned.sought(offset)
            {
                self.tell_readable(owned);
            }
        }
        if self.looked.elapsed() >= LOOK_EVERY {
            self.looked = Instant::now();
            all.iter().filter(|owned| owned.look()).for_each(|owned| self.tell_readable(owned));
        }
    }

    fn seek(&self, owned: &Owned, offset: u64) -> bool {
        let topic = self.shared.names.topic(&owned.source.topic);
        let Ok(offset) = i64::try_from(offset) else { return false };
        let (partition, offset) = (owned.source.partition.cast_signed(), Offset::Offset(offset));
        // A partition that is not fetched yet refuses; it is tried again at the next turn.
        self.client.seek(&topic, partition, offset, SEEK_TIMEOUT).is_ok()
    }

    fn tell_readable(&self, owned: &Owned) {
        (self.shared.listener)(GroupEvent::Readable(owned.source.clone()));
    }
}
