//! The commits of a member: for each partition one on its way at most, and the latest of those behind it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rdkafka::types::RDKafkaErrorCode;

use crate::{Commit, Source, TransactError};

/// How long after a failure it is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(300);

#[derive(Default)]
pub(super) struct Commits {
    table: Mutex<Table>,
    moved: Condvar,
}

#[derive(Default)]
struct Table {
    entries: HashMap<Source, Entry>,
    /// How many were refused because the partition is somebody else's, and what was said last.
    refused: u64,
    reason: String,
}

#[derive(Default)]
struct Entry {
    wanted: Option<Commit>,
    sent: Option<Commit>,
    not_before: Option<Instant>,
}

impl Entry {
    fn is_idle(&self) -> bool {
        self.wanted.is_none() && self.sent.is_none()
    }
}

impl Commits {
    pub(super) fn note(&self, source: &Source, commit: &Commit) {
        let mut table = self.table.lock();
        match table.entries.get_mut(source) {
            Some(entry) => entry.wanted = Some(commit.clone()),
            None => {
                let entry = Entry { wanted: Some(commit.clone()), ..Entry::default() };
                table.entries.insert(source.clone(), entry);
            }
        }
    }

    /// Those that may be sent now. Each of them is to be [settled](Self::settle).
    pub(super) fn begin(&self, now: Instant) -> Vec<(Source, Commit)> {
        let mut table = self.table.lock();
        let mut begun = Vec::new();
        for (source, entry) in &mut table.entries {
            if entry.sent.is_none()
                && entry.not_before.is_none_or(|time| time <= now)
                && let Some(commit) = entry.wanted.take()
            {
                entry.not_before = None;
                entry.sent = Some(commit.clone());
                begun.push((source.clone(), commit));
            }
        }
        begun
    }

    pub(super) fn settle(
        &self,
        source: &Source,
        result: Result<(), RDKafkaErrorCode>,
        now: Instant,
    ) {
        let mut table = self.table.lock();
        let Table { entries, refused, reason } = &mut *table;
        let Some(entry) = entries.get_mut(source) else { return };
        let sent = entry.sent.take();
        match result {
            Ok(()) => {}
            Err(code) if is_not_owned(code) => {
                *refused += 1;
                *reason = code.to_string();
                entry.wanted = None;
            }
            Err(_) => {
                entry.wanted = entry.wanted.take().or(sent);
                entry.not_before = Some(now + RETRY_AFTER);
            }
        }
        self.moved.notify_all();
    }

    /// Gives up what is under way for a partition.
    pub(super) fn forget(&self, source: &Source) {
        self.table.lock().entries.remove(source);
        self.moved.notify_all();
    }

    /// Waits until nothing is under way; `send` is to begin what can be begun.
    pub(super) fn flush(&self, timeout: Duration, send: impl Fn()) -> Result<(), TransactError> {
        let give_up = Instant::now() + timeout;
        let refused = self.table.lock().refused;
        loop {
            send();
            let mut table = self.table.lock();
            if table.refused > refused {
                return Err(TransactError::NotOwned { reason: table.reason.clone() });
            }
            if table.entries.values().all(Entry::is_idle) {
                return Ok(());
            }
            if Instant::now() >= give_up {
                let reason = format!("the commits were not made within {timeout:?}");
                return Err(TransactError::NotNow { reason });
            }
            let next = give_up.min(Instant::now() + RETRY_AFTER);
            self.moved.wait_until(&mut table, next);
        }
    }
}

/// Whether the group says by this that somebody else has the partition by now.
pub(super) fn is_not_owned(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::UnknownMemberId
            | RDKafkaErrorCode::IllegalGeneration
            | RDKafkaErrorCode::FencedInstanceId
            | RDKafkaErrorCode::FencedMemberEpoch
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        Source { topic: "orders".into(), partition: 1 }
    }

    fn commit(offset: u64) -> Commit {
        Commit { offset, note: String::new() }
    }

    #[test]
    fn one_is_on_its_way_and_the_latest_follows() {
        let (commits, now) = (Commits::default(), Instant::now());
        commits.note(&source(), &commit(1));
        assert_eq!(commits.begin(now), [(source(), commit(1))]);
        commits.note(&source(), &commit(2));
        commits.note(&source(), &commit(3));
        assert_eq!(commits.begin(now), []);
        commits.settle(&source(), Ok(()), now);
        assert_eq!(commits.begin(now), [(source(), commit(3))]);
        commits.settle(&source(), Ok(()), now);
        assert_eq!(commits.begin(now), []);
        assert_eq!(commits.flush(Duration::ZERO, || {}), Ok(()));
    }

    #[test]
    fn what_failed_is_tried_again_unless_something_newer_is_wanted() {
        let (commits, now) = (Commits::default(), Instant::now());
        let failed = Err(RDKafkaErrorCode::CoordinatorNotAvailable);
        commits.note(&source(), &commit(1));
        assert_eq!(commits.begin(now).len(), 1);
        commits.settle(&source(), failed, now);
        assert_eq!(commits.begin(now), [], "not at once");
        assert_eq!(commits.begin(now + RETRY_AFTER), [(source(), commit(1))]);
        commits.note(&source(), &commit(2));
        commits.settle(&source(), failed, now);
        assert_eq!(commits.begin(now + RETRY_AFTER), [(source(), commit(2))]);
    }

    #[test]
    fn a_flush_says_that_the_partition_is_somebody_elses() {
        let (commits, now) = (Commits::default(), Instant::now());
        commits.note(&source(), &commit(1));
        let flushed = commits.flush(Duration::from_secs(60), || {
            for (source, _) in commits.begin(now) {
                commits.settle(&source, Err(RDKafkaErrorCode::IllegalGeneration), now);
            }
        });
        assert!(matches!(flushed, Err(TransactError::NotOwned { .. })), "found {flushed:?}");
        assert_eq!(commits.begin(now + RETRY_AFTER), []);
    }
}
