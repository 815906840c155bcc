//! Partitions that go to somebody else: what is answered is kept and committed first, what is not is left
//! to the next owner.

use std::sync::atomic::Ordering;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use stream::{Release, Source};

use super::super::Driver;
use super::super::strand::Strand;
use super::Membership;
use super::clerk::{Clerk, Errand};

/// How long to wait for answers that are on their way to the topic.
const SETTLE_LIMIT: Duration = Duration::from_secs(2);
/// How long to wait in all until the last commits are made and the group has been left.
const LEAVE_LIMIT: Duration = Duration::from_secs(8);

/// Partitions that are being handed over together.
pub(super) struct Parting {
    /// The numbers of the strands that are still here.
    strands: Vec<u64>,
    release: Release,
    /// When it is done whatever is on its way.
    pub(super) due: Instant,
}

impl Driver {
    /// Ends what is under way in some partitions, so that others can have them.
    pub(in super::super) fn part_with(&mut self, sources: &[Source], release: Release) {
        let Some(sharing) = &mut self.sharing else { return };
        sharing.claims.retain(|(claim, _)| !sources.contains(&claim.source));
        let leaving = self.strands.iter_mut().filter(|strand| sources.contains(&strand.source));
        let mut numbers = Vec::new();
        for strand in leaving {
            strand.is_leaving = true;
            strand.unopened.clear();
            // What was held is decided anew by whoever answers what it waited for.
            strand.order.clear();
            numbers.push(strand.number);
        }
        sharing.partings.push(Parting {
            strands: numbers.clone(),
            release,
            due: Instant::now() + SETTLE_LIMIT,
        });
        self.forget(&numbers);
    }

    /// Commits and lets go of those strands of which nothing is on its way any more.
    pub(super) fn end_partings(&mut self, moment: Instant) {
        let Some(sharing) = &mut self.sharing else { return };
        for mut parting in std::mem::take(&mut sharing.partings) {
            let is_late = parting.due <= moment;
            let (ended, left): (Vec<u64>, _) = parting.strands.iter().partition(|&&number| {
                let strand = self.strands.iter().find(|strand| strand.number == number);
                strand.is_none_or(|strand| is_late || strand.is_settled())
            });
            if is_late && !left.is_empty() {
                tracing::warn!(endpoint = %self.endpoint.name, "partitions are handed over with answers under way");
            }
            self.commit_strands(&ended);
            self.drop_strands(&ended);
            let Some(sharing) = &mut self.sharing else { return };
            parting.strands = left;
            if parting.strands.is_empty() {
                if let Some(member) = sharing.member().cloned() {
                    let release = Some(parting.release);
                    sharing.clerk.send(Errand::GiveUp { member, release });
                }
            } else {
                sharing.partings.push(parting);
            }
        }
    }

    /// Forgets what is open of these strands. What of it is answered is done when that is kept.
    fn forget(&mut self, numbers: &[u64]) {
        if numbers.is_empty() {
            return;
        }
        let forgotten = self.machine.forget(|open| numbers.contains(&open.strand));
        let mut dropped = 0;
        for forgotten in forgotten {
            let open = forgotten.attachment;
            self.drop_outside(&open);
            if forgotten.is_decided {
                let strand = self.strand_mut(open.strand);
                strand.into_iter().for_each(|strand| strand.watermark.finish(open.offset));
            } else {
                self.undecided -= 1;
                dropped += 1;
            }
        }
        self.endpoint.meter.shared.count_dropped(dropped);
    }

    /// Commits how far these strands are done.
    pub(in super::super) fn commit_strands(&mut self, numbers: &[u64]) {
        let Some(member) = self.sharing.as_ref().and_then(|sharing| sharing.member()) else {
            return;
        };
        for strand in self.strands.iter_mut().filter(|it| numbers.contains(&it.number)) {
            // What is held back is committed when it is written, and not before.
            let is_held_back = strand.exact.is_on;
            if strand.done() > strand.committed && !strand.is_doubted && !is_held_back {
                member.commit(&strand.source, &strand.commit());
                strand.note_committed(strand.done());
            }
        }
    }

    /// Lets go of strands and of all that is theirs.
    pub(super) fn drop_strands(&mut self, numbers: &[u64]) {
        if numbers.is_empty() {
            return;
        }
        self.forget(numbers);
        self.strands.retain(|strand: &Strand| !numbers.contains(&strand.number));
        if self.strands.is_empty() {
            self.failed.clear();
        }
        if let Some(sharing) = &mut self.sharing {
            sharing.read_back.retain(|_, again| !numbers.contains(&again.strand));
        }
    }

    /// Leaves the group: the last commits are made first. Waits for that, but not for brokers that do not
    /// answer: nothing is lost by it, since others begin at the commit before.
    pub(in super::super) fn leave_the_group(&mut self) {
        let Some(mut sharing) = self.sharing.take() else { return };
        sharing.is_closed.store(true, Ordering::Release);
        // What the group has said and nobody heard would hold up the others.
        self.endpoint.inbox.take(&mut Vec::new(), Some(Instant::now()));
        sharing.partings.clear();
        if let Some(member) = sharing.member().cloned() {
            sharing.clerk.send(Errand::GiveUp { member, release: None });
        }
        let give_up = Instant::now() + LEAVE_LIMIT;
        let all = [sharing.opener, sharing.writer, sharing.clerk];
        all.iter().for_each(Clerk::wind_up);
        let ended: Vec<bool> = all.into_iter().map(|clerk| clerk.stop(give_up)).collect();
        sharing.membership = Membership::Out;
        let patience = give_up.saturating_duration_since(Instant::now());
        let is_held = ended.contains(&false);
        if let Some(left) = sharing.left
            && (is_held || left.recv_timeout(patience) == Err(RecvTimeoutError::Timeout))
        {
            tracing::warn!(endpoint = %self.endpoint.name, "the group was not left in time: others wait until it misses this host");
        }
    }
}
