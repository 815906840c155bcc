//! What an earlier life of the host left behind: requests that were accepted and not answered, and
//! the ids that have an answer already.

use std::collections::HashSet;

use message::RequestId;
use message::record::header;
use stream::{Partition, ReadError, ReadLimit, StoredRecord};

use crate::drivers::rendezvous::REMEMBERED_IDS;
use crate::endpoint::Recovered;
use crate::envelope;
use crate::journal::{Journal, READER};
use crate::live::Live;

/// How much is read at once.
const READ_LIMIT: ReadLimit = ReadLimit { records: 4096, bytes: 8 << 20 };

/// What was left behind.
pub(crate) struct Recovery {
    /// The lowest offset that is not known to be done.
    pub(crate) committed: u64,
    /// Where the answers to anything from `committed` on can be at the earliest.
    pub(crate) answers_from: u64,
    /// Requests without an answer, in order.
    pub(crate) unanswered: Vec<Recovered>,
    /// Answered ids with the offsets of their answers, the oldest first.
    pub(crate) answered: Vec<(RequestId, u64)>,
    /// Records that are no requests.
    pub(crate) unreadable: u64,
}

/// Reads the topics from the last commit on.
pub(crate) fn recover(journal: &Journal, live: &Live) -> Result<Recovery, ReadError> {
    let requests = &*journal.requests[0];
    let answers = &*journal.answers[0];
    let start = requests.watermarks().start;
    let committed = requests.committed(READER).unwrap_or(start).max(start);
    let answers_start = answers.watermarks().start;
    let answers_from = answers.committed(READER).unwrap_or(answers_start).max(answers_start);
    let remembered_from = answers.readable_end().saturating_sub(REMEMBERED_IDS as u64);
    let mut answered = Vec::new();
    for_each(answers, answers_from.min(remembered_from).max(answers_start), |stored| {
        if let Some(id) = stored.record.headers.text(header::ID) {
            answered.push((RequestId::from(id), stored.offset));
        }
    })?;
    let ids: HashSet<&RequestId> = answered.iter().map(|(id, _)| id).collect();
    let mut unanswered = Vec::new();
    let mut unreadable = 0;
    for_each(requests, committed, |stored| match envelope::request_of(&stored, live) {
        Ok(request) if ids.contains(&request.id) => {}
        Ok(request) => unanswered.push(Recovered {
            offset: stored.offset,
            may_repeat: envelope::may_repeat(&stored.record),
            return_to: envelope::return_address_of(&stored.record),
            request,
        }),
        Err(_) => unreadable += 1,
    })?;
    Ok(Recovery { committed, answers_from, unanswered, answered, unreadable })
}

fn for_each(
    partition: &dyn Partition,
    from: u64,
    mut each: impl FnMut(StoredRecord),
) -> Result<(), ReadError> {
    let mut next = from;
    loop {
        let records = partition.read(next, READ_LIMIT)?;
        let Some(last) = records.last() else { return Ok(()) };
        next = last.offset + 1;
        records.into_iter().for_each(&mut each);
    }
}
