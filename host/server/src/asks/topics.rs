//! Records for plain topics.

use std::time::Duration;

use front::{Appended, Caller, InferError, TopicRecord};
use message::record::header;
use stream::{AppendError, Headers, Record};

use super::{AWAY, KNOWN_NAMES, RETRY_AFTER};
use crate::clock;
use crate::host::Shared;

/// How long the disk may take until it is said that it does not keep up.
const KEEP_WITHIN: Duration = Duration::from_secs(10);

impl Shared {
    /// Appends records to a plain topic, and returns when they are kept.
    pub(super) async fn write_to_topic(
        &self,
        caller: &Caller,
        topic: &str,
        records: Vec<TopicRecord>,
    ) -> Result<Appended, InferError> {
        let found = self.topics.existing(topic).filter(|_| caller.sees(topic));
        let Some(partition) = found else {
            let topics = self.topics.all().into_iter().map(|(name, _)| name);
            let known = topics.filter(|name| caller.sees(name)).take(KNOWN_NAMES).collect();
            return Err(InferError::UnknownEndpoint { known });
        };
        let count = records.len() as u64;
        let now = clock::now();
        let tenant = caller.tenant.clone();
        let records: Vec<Record> = records
            .into_iter()
            .map(|TopicRecord { headers, value }| {
                // Whose record it is says who asks, not the record.
                let said = headers.into_iter().filter(|(name, _)| name != header::TENANT);
                let headers: Headers = said.collect();
                let headers = match &tenant {
                    Some(tenant) => headers.with(header::TENANT, tenant.as_bytes()),
                    None => headers,
                };
                Record { time: now, key: None, headers, value }
            })
            .collect();
        let kept = tokio::task::spawn_blocking(move || {
            let first = partition.append(&records)?;
            let end = first + count;
            Ok((first, partition.wait(end - 1, KEEP_WITHIN) >= end))
        });
        match kept.await {
            Ok(Ok((first_offset, true))) => Ok(Appended::together(first_offset, count)),
            Ok(Ok((_, false))) => Err(InferError::Busy { retry_after: RETRY_AFTER }),
            Ok(Err(error)) => Err(refusal_of(&error)),
            Err(_) => Err(InferError::Internal),
        }
    }
}

fn refusal_of(error: &AppendError) -> InferError {
    match error {
        AppendError::Full => InferError::StreamFull,
        AppendError::Busy { .. } => InferError::Busy { retry_after: RETRY_AFTER },
        AppendError::TooLarge { .. } => InferError::Invalid { message: error.to_string() },
        AppendError::Away { .. } => AWAY,
        _ => InferError::StreamPoisoned,
    }
}
