//! The commits of a member: for each partition one on its way at most, and the latest of those behind it.
//!
//! They are made by a thread that waits for each of them. The library tells nobody what came of a commit
//! that was not waited for.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rdkafka::types::RDKafkaErrorCode;

use crate::{Commit, Source, TransactError};

/// How long after a failure it is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(100);

#[derive(Default)]
pub(super) struct Commits {
    table: Mutex<Table>,
    /// Told when something is settled.
    moved: Condvar,
    /// Told when something is wanted, and when the member is dropped.
    wanted: Condvar,
}

#[derive(Default)]
struct Table {
    entries: HashMap<Source, Entry>,
    /// How many were given up because the partition is somebody else's.
    given_up: u64,
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

impl Table {
    /// Those that may be sent now. Each of them is to be [settled](Commits::settle).
    fn begin(&mut self, now: Instant) -> Vec<(Source, Commit)> {
        let mut begun = Vec::new();
        for (source, entry) in &mut self.entries {
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
        self.wanted.notify_all();
    }

    /// Waits until something may be sent, and begins it; none when `stop` says so.
    pub(super) fn wait(&self, stop: impl Fn() -> bool) -> Option<Vec<(Source, Commit)>> {
        let mut table = self.table.lock();
        loop {
            let begun = table.begin(Instant::now());
            if !begun.is_empty() {
                return Some(begun);
            }
            if stop() {
                return None;
            }
            self.wanted.wait_for(&mut table, RETRY_AFTER);
        }
    }

    /// Has whoever waits look whether it is to stop.
    pub(super) fn alarm(&self) {
        let _held = self.table.lock();
        self.wanted.notify_all();
    }

    pub(super) fn settle(
        &self,
        source: &Source,
        result: Result<(), RDKafkaErrorCode>,
        now: Instant,
    ) {
        let mut table = self.table.lock();
        let Some(entry) = table.entries.get_mut(source) else { return };
        let sent = entry.sent.take();
        // Also when the group says that the partition is somebody else's: while a group changes it says
        // so of commits that are merely out of date. If it is true, we are told, and forget the rest.
        if result.is_err() {
            entry.wanted = entry.wanted.take().or(sent);
            entry.not_before = Some(now + RETRY_AFTER);
        }
        self.moved.notify_all();
    }

    /// Gives up what is under way for a partition, which is somebody else's from now on.
    pub(super) fn forget(&self, source: &Source) {
        let mut table = self.table.lock();
        if table.entries.remove(source).is_some_and(|entry| !entry.is_idle()) {
            table.given_up += 1;
        }
        self.moved.notify_all();
    }

    /// Waits until nothing is under way.
    pub(super) fn flush(&self, timeout: Duration) -> Result<(), TransactError> {
        let given_up = self.table.lock().given_up;
        self.flush_since(given_up, timeout)
    }

    /// The same, with how many had been given up when what is waited for began.
    fn flush_since(&self, given_up: u64, timeout: Duration) -> Result<(), TransactError> {
        let give_up = Instant::now() + timeout;
        let mut table = self.table.lock();
        loop {
            if table.given_up > given_up {
                let reason = "they were lost before the commits were made".to_owned();
                return Err(TransactError::NotOwned { reason });
            }
            if table.entries.values().all(Entry::is_idle) {
                return Ok(());
            }
            if self.moved.wait_until(&mut table, give_up).timed_out() {
                let reason = format!("the commits were not made within {timeout:?}");
                return Err(TransactError::NotNow { reason });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        Source { topic: "orders".into(), partition: 1 }
    }

    fn begin(commits: &Commits, now: Instant) -> Vec<(Source, Commit)> {
        commits.table.lock().begin(now)
    }

    fn commit(offset: u64) -> Commit {
        Commit { offset, note: String::new() }
    }

    #[test]
    fn one_is_on_its_way_and_the_latest_follows() {
        let (commits, now) = (Commits::default(), Instant::now());
        commits.note(&source(), &commit(1));
        assert_eq!(begin(&commits, now), [(source(), commit(1))]);
        commits.note(&source(), &commit(2));
        commits.note(&source(), &commit(3));
        assert_eq!(begin(&commits, now), []);
        commits.settle(&source(), Ok(()), now);
        assert_eq!(begin(&commits, now), [(source(), commit(3))]);
        commits.settle(&source(), Ok(()), now);
        assert_eq!(begin(&commits, now), []);
        assert_eq!(commits.flush(Duration::ZERO), Ok(()));
    }

    #[test]
    fn what_failed_is_tried_again_unless_something_newer_is_wanted() {
        let (commits, now) = (Commits::default(), Instant::now());
        let failed = Err(RDKafkaErrorCode::CoordinatorNotAvailable);
        commits.note(&source(), &commit(1));
        assert_eq!(begin(&commits, now).len(), 1);
        commits.settle(&source(), failed, now);
        assert_eq!(begin(&commits, now), [], "not at once");
        assert_eq!(begin(&commits, now + RETRY_AFTER), [(source(), commit(1))]);
        commits.note(&source(), &commit(2));
        commits.settle(&source(), failed, now);
        assert_eq!(begin(&commits, now + RETRY_AFTER), [(source(), commit(2))]);
    }

    #[test]
    fn a_flush_says_that_the_partition_is_lost() {
        let (commits, now) = (Commits::default(), Instant::now());
        commits.note(&source(), &commit(1));
        let given_up = commits.table.lock().given_up;
        commits.forget(&source());
        let flushed = commits.flush_since(given_up, Duration::from_secs(60));
        assert!(matches!(flushed, Err(TransactError::NotOwned { .. })), "found {flushed:?}");
        assert_eq!(begin(&commits, now + RETRY_AFTER), []);
    }
}
