//! What the driver does now and then: commits, retention, and what is shown to people.

use std::sync::Arc;
use std::time::Instant;

use message::Time;

use super::{COMMIT_EVERY, Driver, RETAIN_EVERY};
use crate::drivers::housekeeper::Chore;
use crate::meter::OwnedPartition;

impl Driver {
    /// Does what is due.
    pub(super) fn keep_house(&mut self, now: Time) {
        self.look_after_outside();
        self.follow_outside();
        self.tell_calls(false);
        let moment = Instant::now();
        let is_news = |strand: &super::Strand| strand.done() > strand.committed;
        // What is shown of the partitions is looked at as often as something is committed.
        let shows = self.sharing.is_some();
        if self.commit_due.is_none() && (shows || self.strands.iter().any(is_news)) {
            self.commit_due = Some(moment + COMMIT_EVERY);
        }
        if self.commit_due.is_some_and(|due| due <= moment) {
            self.commit_due = None;
            self.commit();
            self.tell_calls(true);
            self.show_partitions();
            self.look_whether_stream_takes();
        }
        if self.retain_due <= moment {
            self.retain_due = moment + RETAIN_EVERY;
            let endpoint = Arc::clone(&self.endpoint);
            // A full inbox of chores is tried again in ten seconds.
            let _later = self.chores.offer(Chore::Retain { endpoint, now });
        }
        self.count_failed_scores();
        self.endpoint.meter.set_open_mailboxes(self.machine.open_mailboxes());
    }

    /// Shows which partitions are ours, and how far each is.
    fn show_partitions(&mut self) {
        let Some(member) = self.sharing.as_ref().and_then(|sharing| sharing.member()) else {
            return;
        };
        let owned = self.strands.iter().map(|strand| {
            let (start, end) = member.extent(&strand.source);
            OwnedPartition {
                source: strand.source.to_string(),
                committed: strand.committed.max(start),
                end,
                epoch: strand.epoch.as_ref().map_or(0, |epoch| epoch.offset),
                open: strand.watermark.followed(),
            }
        });
        let owned: Vec<_> = owned.collect();
        let own_requests = self.endpoint.journal.requests[0].topic();
        let of_source = self.strands.iter().zip(&owned);
        let of_source = of_source.filter(|(strand, _)| *strand.source.topic != *own_requests);
        let (next, end) = of_source.fold((0, 0), |(next, end), (_, owned)| {
            (next + owned.committed, end + owned.end.max(owned.committed))
        });
        self.endpoint.meter.flow.set_position(next, end);
        self.endpoint.meter.shared.set_owned(owned);
    }

    /// Says that a shared stream takes answers again.
    fn look_whether_stream_takes(&mut self) {
        let waits = self.strands.iter().any(|strand| strand.retry_due.is_some());
        if self.sharing.is_some() && !waits && std::mem::take(&mut self.disk_is_full) {
            tracing::info!(endpoint = %self.endpoint.name, "the stream takes records again");
        }
    }

    /// Counts the scores that a shared stream took and did not keep.
    fn count_failed_scores(&self) {
        if self.sharing.is_some() {
            let failed =
                self.endpoint.journal.scores.iter().map(|it| it.take_failed().len() as u64);
            self.endpoint.meter.count_unwritten_scores(failed.sum());
        }
    }

    /// Has the lowest request that is not done committed, and where its answer can be at the earliest.
    fn commit(&mut self) {
        if self.sharing.is_some() {
            let numbers: Vec<_> = self.strands.iter().map(|strand| strand.number).collect();
            return self.commit_strands(&numbers);
        }
        let (endpoint, chores) = (&self.endpoint, &self.chores);
        for strand in &mut self.strands {
            let (requests, answers) = (strand.done(), strand.answers_from());
            let endpoint = Arc::clone(endpoint);
            if chores.offer(Chore::Commit { endpoint, requests, answers }).is_ok() {
                strand.committed = requests;
            }
        }
    }

    /// Commits for the last time.
    pub(super) fn commit_at_end(&mut self) {
        if self.sharing.is_some() {
            return self.commit();
        }
        for strand in &self.strands {
            let (requests, answers) = (strand.done(), strand.answers_from());
            if let Err(error) = self.endpoint.journal.commit(requests, answers) {
                let (endpoint, source) = (&self.endpoint.name, &strand.source);
                tracing::warn!(%endpoint, %source, %error, "commit failed");
            }
        }
    }
}
