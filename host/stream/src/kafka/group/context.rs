//! What the client library tells a member of a group.
//!
//! A change of what is owned is only written down here, and acted upon by the pump after the poll that
//! brought it: the library waits for that as long as it takes, and goes on telling the group meanwhile
//! that the member is alive.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaRespErr;

use super::Shared;
use crate::kafka::client::Link;

/// A change of what is owned that waits to be acted upon.
pub(super) enum Change {
    Assign(TopicPartitionList),
    Revoke(TopicPartitionList),
}

pub(super) struct GroupContext {
    link: Link,
    shared: Weak<Shared>,
    changes: Mutex<VecDeque<Change>>,
    /// Whether the client is being closed, so that nobody acts upon changes.
    closing: AtomicBool,
}

impl GroupContext {
    pub(super) fn new(shared: &Arc<Shared>, link: Link) -> Self {
        Self {
            link,
            shared: Arc::downgrade(shared),
            changes: Mutex::default(),
            closing: AtomicBool::new(false),
        }
    }

    pub(super) fn next_change(&self) -> Option<Change> {
        self.changes.lock().pop_front()
    }

    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
    }
}

impl ClientContext for GroupContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.link.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.link.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        let Some(shared) = self.shared.upgrade() else { return };
        for (topic, found) in &statistics.topics {
            for partition in found.partitions.values() {
                // The end of what is settled: records behind it belong to open transactions.
                let (start, end) = (partition.lo_offset, partition.ls_offset);
                shared.note_extent(topic, partition.partition, start, end);
            }
        }
        self.link.stats(statistics);
    }
}

impl ConsumerContext for GroupContext {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        change: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let assigned = change == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if self.closing.load(Ordering::SeqCst) {
            // Nobody owns anything any more: what is left is to let the library go.
            let done = match assigned {
                true => consumer.incremental_assign(partitions),
                false => consumer.incremental_unassign(partitions),
            };
            if let Err(error) = done {
                tracing::debug!(%error, "could not follow a change while leaving a group");
            }
            return;
        }
        let partitions = partitions.clone();
        let change = if assigned { Change::Assign(partitions) } else { Change::Revoke(partitions) };
        self.changes.lock().push_back(change);
    }
}
