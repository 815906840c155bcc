//! Records for plain topics.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use front::{Appended, AppendedPart, Caller, InferError, TopicRecord};
use message::Time;
use message::record::header;
use stream::{AppendError, Headers, Partition, Record};

use super::{AWAY, KNOWN_NAMES, RETRY_AFTER, invalid};
use crate::clock;
use crate::host::Shared;
use crate::topics::Topics;

/// How long the disk may take until it is said that it does not keep up.
const KEEP_WITHIN: Duration = Duration::from_secs(10);

impl Shared {
    /// Appends records to a plain topic, and returns when they are kept: to one partition, or each to that
    /// of its key.
    pub(super) async fn write_to_topic(
        &self,
        caller: &Caller,
        topic: &str,
        partition: Option<u32>,
        records: Vec<TopicRecord>,
    ) -> Result<Appended, InferError> {
        let topics = Arc::clone(&self.topics);
        let (name, tenant, now) = (topic.to_owned(), caller.tenant.clone(), clock::now());
        let is_seen = caller.sees(topic);
        let kept = tokio::task::spawn_blocking(move || {
            let Some(partitions) = topics.existing(&name).filter(|_| is_seen) else {
                return Ok(None);
            };
            let count = records.len() as u64;
            let records = records.into_iter().map(|it| record_of(now, tenant.as_deref(), it));
            let batches = spread(&topics, &name, &partitions, partition, records)?;
            let keep = |(at, batch): (usize, Vec<Record>)| keep(&*partitions[at], &batch);
            let parts = batches.into_iter().map(keep).collect::<Result<_, _>>()?;
            Ok(Some(Appended { count, parts }))
        });
        match kept.await {
            Ok(Ok(Some(appended))) => Ok(appended),
            Ok(Ok(None)) => {
                let topics = self.topics.all().into_iter().map(|(name, _)| name);
                let known = topics.filter(|name| caller.sees(name)).take(KNOWN_NAMES).collect();
                Err(InferError::UnknownEndpoint { known })
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(InferError::Internal),
        }
    }
}

fn record_of(now: Time, tenant: Option<&str>, record: TopicRecord) -> Record {
    let TopicRecord { key, headers, value } = record;
    // Whose record it is says who asks, not the record.
    let said = headers.into_iter().filter(|(name, _)| name != header::TENANT);
    let headers: Headers = said.collect();
    let headers = match tenant {
        Some(tenant) => headers.with(header::TENANT, tenant.as_bytes()),
        None => headers,
    };
    Record { time: now, key, headers, value }
}

/// What each partition gets, in the order of their numbers.
fn spread(
    topics: &Topics,
    name: &str,
    partitions: &[Arc<dyn Partition>],
    forced: Option<u32>,
    records: impl Iterator<Item = Record>,
) -> Result<BTreeMap<usize, Vec<Record>>, InferError> {
    let forced = forced.map(|number| {
        let found = partitions.iter().position(|partition| partition.number() == number);
        let count = partitions.len();
        let expected = format!("a number below {count}: topic `{name}` has {count} partitions");
        found.ok_or_else(|| invalid(format!("partition: found {number}, expected {expected}")))
    });
    let forced = forced.transpose()?;
    let mut batches: BTreeMap<usize, Vec<Record>> = BTreeMap::new();
    for record in records {
        let at = forced.unwrap_or_else(|| topics.partition_of(record.key.as_deref(), partitions));
        batches.entry(at).or_default().push(record);
    }
    Ok(batches)
}

/// Appends to one partition, and returns when readers can see it.
fn keep(partition: &dyn Partition, records: &[Record]) -> Result<AppendedPart, InferError> {
    let first_offset = partition.append(records).map_err(|error| refusal_of(&error))?;
    let count = records.len() as u64;
    let end = first_offset + count;
    if partition.wait(end - 1, KEEP_WITHIN) < end {
        return Err(InferError::Busy { retry_after: RETRY_AFTER });
    }
    Ok(AppendedPart { partition: partition.number(), first_offset, count })
}

fn refusal_of(error: &AppendError) -> InferError {
    match error {
        AppendError::Full => InferError::StreamFull,
        AppendError::Busy { .. } => InferError::Busy { retry_after: RETRY_AFTER },
        AppendError::TooLarge { .. } => invalid(error),
        AppendError::Away { .. } => AWAY,
        _ => InferError::StreamPoisoned,
    }
}
