//! Scores that were written outside of the host, on their way to the mailboxes of their requests.
//!
//! What may surprise: such a score can be there before its request is. Whoever scores reads the topic
//! by itself, and is ahead of a host that has much to do. So a score without a mailbox is kept for a
//! while.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use message::{RequestId, Time};
use rendezvous::MailboxId;
use sandbox::lanes::Scored;
use stream::Partition;

use super::{Driver, Open, conduct, settle};
use crate::drivers::scores::ScoreReader;
use crate::external::{External, OutsideScore, revision_of};
use crate::live::{Identity, TrackRecord};
use crate::meter::Ignored;

/// How many scores are kept whose requests have no mailbox.
pub(super) const EARLY_LIMIT: usize = 16_384;
/// How long they are, once the host has caught up with the requests.
const EARLY_FOR: Duration = Duration::from_secs(10);
/// By how much the clocks of those who write requests and scores may differ.
const CLOCKS_DIFFER: Duration = Duration::from_secs(5);
/// How many ids of requests are remembered that were given up without a score.
const GIVEN_UP_LIMIT: usize = 16_384;

/// What the driver keeps of the external models of its endpoint.
#[derive(Default)]
pub(super) struct Outside {
    early: HashMap<RequestId, Vec<OutsideScore>>,
    /// The same in the order in which they came.
    order: VecDeque<(Instant, RequestId)>,
    /// How many scores those are.
    early_count: usize,
    given_up: GivenUp,
    /// Who speaks for a model by the version that it last gave.
    versions: HashMap<u64, (Option<String>, Arc<Identity>)>,
    /// How many open requests wait for each model.
    awaited: HashMap<u64, usize>,
    /// What reads the scores, while there are external models.
    reader: Option<ScoreReader>,
    /// The partitions that it reads.
    followed: BTreeMap<u32, Time>,
}

/// Requests that were given up without a score of some external model.
#[derive(Default)]
struct GivenUp {
    ids: HashSet<RequestId>,
    order: VecDeque<RequestId>,
}

impl GivenUp {
    fn insert(&mut self, id: RequestId) {
        if self.ids.insert(id.clone()) {
            self.order.push_back(id);
        }
        if self.order.len() > GIVEN_UP_LIMIT {
            let oldest = self.order.pop_front();
            oldest.map(|oldest| self.ids.remove(&oldest));
        }
    }
}

impl Outside {
    fn keep(&mut self, score: OutsideScore) {
        if self.order.len() >= 2 * EARLY_LIMIT {
            let early = &self.early;
            self.order.retain(|(_, id)| early.contains_key(id));
        }
        self.early_count += 1;
        let id = score.score.request.clone();
        self.order.push_back((Instant::now(), id.clone()));
        self.early.entry(id).or_default().push(score);
    }

    fn take(&mut self, id: &RequestId) -> Vec<OutsideScore> {
        let taken = self.early.remove(id).unwrap_or_default();
        self.early_count -= taken.len();
        taken
    }

    /// Takes those whose requests did not come in time.
    fn take_stale(&mut self) -> Vec<OutsideScore> {
        let mut stale = Vec::new();
        while let Some((_, id)) = self.order.pop_front_if(|(since, _)| since.elapsed() >= EARLY_FOR)
        {
            stale.append(&mut self.take(&id));
        }
        stale
    }

    /// Who speaks for a model: the same with the revision of this version.
    fn speaker(&mut self, external: &External, version: &Option<String>) -> Arc<Identity> {
        let known = self.versions.get(&external.incarnation());
        if let Some((_, identity)) = known.filter(|(known, _)| known == version) {
            return Arc::clone(identity);
        }
        let identity = &external.identity;
        let speaker = Arc::new(Identity {
            model: identity.model.clone(),
            revision: revision_of(version.as_deref()),
            incarnation: identity.incarnation,
            meter: Arc::clone(&identity.meter),
            warmed: 0,
            record: TrackRecord::default(),
        });
        let known = (version.clone(), Arc::clone(&speaker));
        self.versions.insert(external.incarnation(), known);
        speaker
    }

    fn release(&mut self, incarnation: u64) {
        if let Some(awaited) = self.awaited.get_mut(&incarnation) {
            *awaited = awaited.saturating_sub(1);
        }
    }
}

impl Driver {
    /// Takes scores from outside to the mailboxes of their requests, or keeps them until these come.
    pub(super) fn handle_outside(&mut self, now: Time, scores: Vec<OutsideScore>) {
        self.outside.reader.iter().for_each(|reader| reader.taken(scores.len()));
        for score in scores {
            let Some(external) = self.live.externals.get(&score.score.model).cloned() else {
                self.ignore(Ignored::NotExternal, &score);
                continue;
            };
            external.heard(now);
            self.calls_of(external.incarnation()).heard += 1;
            match self.machine.find(&score.score.request) {
                Some(mailbox) => self.hear_outside(now, mailbox, &external, score),
                None if self.outside.given_up.ids.contains(&score.score.request) => {
                    self.endpoint.meter.count_lost_score();
                    self.ignore(Ignored::TooLate, &score);
                }
                None => self.outside.keep(score),
            }
        }
    }

    /// A request has a mailbox: waits for the external models of its course, and hears those that
    /// were ahead of it.
    pub(super) fn await_outside(&mut self, now: Time, mailbox: MailboxId) {
        if self.live.externals.is_empty() {
            return;
        }
        let live = Arc::clone(&self.live);
        let incarnations = live.externals.values().map(|external| external.incarnation());
        let is_expected = |it: &u64| self.machine.member_of(mailbox, *it).is_some();
        let unheard: Vec<u64> = incarnations.filter(is_expected).collect();
        for incarnation in &unheard {
            *self.outside.awaited.entry(*incarnation).or_default() += 1;
        }
        let Some(open) = self.machine.attachment_mut(mailbox) else { return };
        open.unheard = unheard;
        let early = self.outside.take(&open.request.id);
        for score in early {
            match live.externals.get(&score.score.model) {
                Some(external) => self.hear_outside(now, mailbox, external, score),
                None => self.ignore(Ignored::NotExternal, &score),
            }
        }
    }

    /// A request is over: nobody waits for those any more who said nothing.
    pub(super) fn give_up_outside(&mut self, open: &Open) {
        for incarnation in &open.unheard {
            self.outside.release(*incarnation);
            let wait = open.live.waits.get(incarnation);
            let due = wait.map(|wait| open.request.time + *wait);
            let is_late = due.is_some_and(|due| open.opened < due && due <= open.request.deadline);
            let calls = self.calls_of(*incarnation);
            calls.unheard += 1;
            calls.late += u64::from(is_late);
        }
        if !open.unheard.is_empty() {
            self.outside.given_up.insert(open.request.id.clone());
        }
    }

    /// A mailbox is dropped without an answer: nobody waits in it, and nobody was late.
    pub(super) fn drop_outside(&mut self, open: &Open) {
        open.unheard.iter().for_each(|incarnation| self.outside.release(*incarnation));
    }

    /// Lets go of the scores whose requests do not come, and shows how many requests wait for whom.
    pub(super) fn look_after_outside(&mut self) {
        if !self.outside.early.is_empty() && self.has_caught_up() {
            for score in self.outside.take_stale() {
                self.ignore(Ignored::UnknownRequest, &score);
            }
        }
        if let Some(reader) = &self.outside.reader {
            reader.kept(self.outside.early_count);
        }
        for external in self.live.externals.values() {
            let awaited = self.outside.awaited.get(&external.incarnation());
            external.set_awaited(awaited.copied().unwrap_or(0));
        }
    }

    /// Has the scores of those partitions read whose requests are this host's, if there is anybody
    /// outside who writes any.
    pub(super) fn follow_outside(&mut self) {
        let wanted = if self.live.externals.is_empty() || !self.endpoint.journal.is_shared {
            BTreeMap::new()
        } else {
            self.scores_to_follow()
        };
        let outside = &mut self.outside;
        if wanted.is_empty() && outside.followed.is_empty() {
            return;
        }
        if outside.reader.is_none() {
            match ScoreReader::start(&self.endpoint, EARLY_LIMIT) {
                Ok(reader) => outside.reader = Some(reader),
                Err(error) => {
                    let endpoint = &self.endpoint.name;
                    tracing::error!(%endpoint, %error, "scores from outside cannot be read");
                    return;
                }
            }
        }
        let Some(reader) = &outside.reader else { return };
        let is_left = |number: &&u32| !wanted.contains_key(*number);
        outside.followed.keys().filter(is_left).for_each(|number| reader.leave(*number));
        outside.followed.retain(|number, _| wanted.contains_key(number));
        for (number, (partition, since)) in wanted {
            // What is read a second time is a duplicate, and does no harm.
            if outside.followed.get(&number).is_none_or(|followed| since < *followed) {
                outside.followed.insert(number, since);
                reader.follow(partition, since);
            }
        }
    }

    /// Ends the reading of scores.
    pub(super) fn leave_outside(&mut self) {
        if let Some(reader) = self.outside.reader.take() {
            reader.stop();
        }
    }

    /// The partitions of the scores topic that belong to this host's strands, each with the time from
    /// which on it may hold scores for them.
    fn scores_to_follow(&self) -> BTreeMap<u32, (Arc<dyn Partition>, Time)> {
        let mut wanted: BTreeMap<u32, (Arc<dyn Partition>, Time)> = BTreeMap::new();
        for strand in &self.strands {
            // Who scores and who asks may have clocks that differ.
            let Some(since) = strand.since.map(|since| since - CLOCKS_DIFFER) else { continue };
            let partition = || (Arc::clone(&strand.scored), since);
            let (_, earliest) = wanted.entry(strand.scored.number()).or_insert_with(partition);
            *earliest = since.min(*earliest);
        }
        wanted
    }

    /// Whether every request that is in the topics has its mailbox.
    fn has_caught_up(&self) -> bool {
        self.strands.iter().all(|strand| strand.unopened.is_empty() && !strand.may_take())
    }

    fn hear_outside(
        &mut self,
        now: Time,
        mailbox: MailboxId,
        external: &External,
        score: OutsideScore,
    ) {
        let incarnation = external.incarnation();
        let Some(open) = self.machine.attachment(mailbox) else { return };
        if open.scores != score.partition {
            return self.ignore(Ignored::OtherPartition, &score);
        }
        let Some(member) = self.machine.member_of(mailbox, incarnation) else {
            return self.ignore(Ignored::NotAsked, &score);
        };
        if !self.machine.is_awaited(mailbox, member) {
            return self.ignore(Ignored::Duplicate, &score);
        }
        let OutsideScore { score, .. } = score;
        let mut outcome = score.outcome;
        external.conform(&mut outcome);
        if self.live.nan_is_fault {
            conduct::refuse_nan(&mut outcome);
        }
        let (opened, pace) = (open.opened, conduct::pace_of(now, open, incarnation, &outcome));
        self.count_call(now, &external.identity, &outcome);
        self.count_pace(&external.identity, pace);
        let ticket = mailbox.as_u64();
        let (wall, cpu) = (now.since(opened), score.cpu);
        let scored = Scored { ticket, outcome, waited: Duration::ZERO, wall, cpu };
        external.identity.meter.statistics.record(now, std::slice::from_ref(&scored));
        let speaker = self.outside.speaker(external, &score.revision);
        self.outside.release(incarnation);
        let Some(open) = self.machine.attachment_mut(mailbox) else { return };
        open.unheard.retain(|other| *other != incarnation);
        let score = settle::score_of(now, open, &speaker, scored);
        external.identity.meter.count_scores(now, std::iter::once(&score));
        let verdict = settle::verdict_of(&speaker, score);
        let _heard = self.machine.handle_score(now, mailbox, member, verdict);
    }

    fn ignore(&self, why: Ignored, score: &OutsideScore) {
        let OutsideScore { partition, score } = score;
        let what = || {
            let (model, request) = (&score.model, &score.request);
            format!("a score of {model} for {request} on partition {partition}: {}", why.name())
        };
        if self.endpoint.meter.external.count_ignored(why, what) {
            tracing::warn!(
                endpoint = %self.endpoint.name, model = %score.model, why = why.name(),
                "a score from outside is ignored"
            );
        }
    }
}
