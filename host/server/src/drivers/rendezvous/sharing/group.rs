//! The group: joining it, and what it says.

use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::Instant;

use stream::{
    Commit, GroupEvent, GroupOptions, Listener, OpenError, Release, Source, TransactError,
};

use super::super::Driver;
use super::super::strand::Strand;
use super::clerk::{Claim, Errand, Report};
use super::note::Note;
use super::takeover::Takeover;
use super::{ASK_AGAIN_AFTER, ASK_AGAIN_AFTER_REFUSAL, Membership, ReturnTopic};
use crate::drivers::supervisor::flow_problem;
use crate::endpoint::Event;
use crate::topics::stream_name;

/// How long a turn of the driver may come after the one before it until it is doubted that what was
/// ours still is. Shorter than any group waits for a sign of life.
const PAUSE_LIMIT: std::time::Duration = std::time::Duration::from_secs(3);

impl Driver {
    /// Takes note of what the group says.
    pub(in super::super) fn handle_group(&mut self, event: GroupEvent) {
        let meter = &self.endpoint.meter.shared;
        match event {
            GroupEvent::Gained(sources) => {
                meter.count_gained(sources.len() as u64);
                // What comes again without having been lost is a new gain all the same.
                self.lose(&sources);
                let Some(sharing) = &mut self.sharing else { return };
                let claims: Vec<_> =
                    sources.into_iter().map(|source| sharing.claim(source)).collect();
                sharing.claims.extend(claims.iter().map(|claim| (claim.clone(), None)));
                self.take_over(claims);
            }
            GroupEvent::Revoked(sources, release) => {
                meter.count_revoked(sources.len() as u64);
                self.part_with(&sources, release);
            }
            GroupEvent::Lost(sources) => {
                meter.count_lost(sources.len() as u64);
                tracing::warn!(endpoint = %self.endpoint.name, partitions = sources.len(), "partitions were lost: what was open of them is answered elsewhere");
                self.lose(&sources);
            }
            GroupEvent::Readable(source) => {
                let strand = self.strands.iter_mut().find(|strand| strand.source == source);
                strand.into_iter().for_each(|strand| strand.readable = true);
            }
        }
    }

    /// Takes note of what came of an errand.
    pub(in super::super) fn handle_report(&mut self, report: Report) {
        match report {
            Report::Joined(joined) => self.handle_joined(joined),
            Report::TakenOver(claims, taken) => self.handle_taken_over(claims, taken),
            Report::Confirmed(claims, confirmed) => self.handle_confirmed(&claims, confirmed),
            Report::Opened(topic, opened) => self.handle_opened(topic, opened),
            Report::ReadBack(number, found) => self.handle_read_back(number, found),
            Report::Written(batch, written) => self.handle_written(batch, written),
        }
    }

    /// Joins the group, tries again what failed, and gives up what is to be given up.
    pub(in super::super) fn look_after_the_group(&mut self) {
        let moment = Instant::now();
        let Some(sharing) = &mut self.sharing else { return };
        let mut again = Vec::new();
        for (claim, due) in &mut sharing.claims {
            if due.is_some_and(|due| due <= moment) {
                *due = None;
                again.push(claim.clone());
            }
        }
        if sharing.confirm_due.is_some_and(|due| due <= moment) {
            sharing.confirm_due = None;
            self.confirm();
        }
        self.take_over(again);
        self.end_partings(moment);
        self.look_after_membership(moment);
    }

    /// Whether partitions that were ours may be somebody else's by now, without our having heard of it:
    /// this process stood still for long. Until that is found out, nothing is told and nothing taken.
    pub(in super::super) fn look_at_the_clock(&mut self) {
        let Some(sharing) = &mut self.sharing else { return };
        let moment = Instant::now();
        let gap = moment.duration_since(sharing.awake);
        sharing.awake = moment;
        if gap < PAUSE_LIMIT || self.strands.is_empty() {
            return;
        }
        tracing::warn!(endpoint = %self.endpoint.name, ms = gap.as_millis(), "this process stood still: it asks whether its partitions are its own");
        // What is held back is written by nobody but the owner, whatever we think.
        let told_at_once = self.strands.iter_mut().filter(|strand| !strand.exact.is_on);
        told_at_once.for_each(|strand| strand.is_doubted = true);
        self.confirm();
    }

    fn confirm(&mut self) {
        let Some(sharing) = &self.sharing else { return };
        let Some(member) = sharing.member() else { return };
        let doubted = self.strands.iter().filter(|strand| strand.is_doubted);
        let commits: Vec<_> = doubted.map(|strand| (strand.claim(), strand.commit())).collect();
        if !commits.is_empty() {
            sharing.opener.send(Errand::Confirm { member: Arc::clone(member), commits });
        }
    }

    fn handle_confirmed(&mut self, claims: &[Claim], confirmed: Result<(), TransactError>) {
        let Some(sharing) = &mut self.sharing else { return };
        if let Err(error) = confirmed {
            // What is lost is said to be by the group.
            tracing::debug!(endpoint = %self.endpoint.name, %error, "not known whether partitions are ours");
            sharing.confirm_due = Some(Instant::now() + ASK_AGAIN_AFTER);
            return;
        }
        for claim in claims {
            let strand = self.strands.iter_mut().find(|strand| strand.number == claim.strand);
            strand.into_iter().for_each(|strand| strand.is_doubted = false);
        }
    }

    fn take_over(&mut self, claims: Vec<Claim>) {
        let Some(sharing) = self.sharing.as_ref().filter(|_| !claims.is_empty()) else { return };
        let Some(member) = sharing.member() else { return };
        sharing.opener.send(Errand::TakeOver { member: Arc::clone(member), claims });
    }

    fn handle_taken_over(
        &mut self,
        claims: Vec<Claim>,
        taken: Result<Vec<Takeover>, TransactError>,
    ) {
        let Some(sharing) = &mut self.sharing else { return };
        let taken = match taken {
            Ok(taken) => taken,
            Err(error) => {
                // Somebody else's are not among the claims any more, or will not be soon.
                let wait = match &error {
                    TransactError::Refused { .. } => ASK_AGAIN_AFTER_REFUSAL,
                    TransactError::NotNow { .. } | TransactError::NotOwned { .. } => {
                        ASK_AGAIN_AFTER
                    }
                };
                let due = Instant::now() + wait;
                for (claim, again) in &mut sharing.claims {
                    if claims.iter().any(|failed| failed.strand == claim.strand) {
                        *again = Some(due);
                    }
                }
                if sharing.is_news(Some(error.to_string())) {
                    tracing::warn!(endpoint = %self.endpoint.name, %error, "partitions cannot be taken over yet");
                }
                return;
            }
        };
        sharing.is_news(None);
        for taken in taken {
            let is_it = |(claim, _): &(Claim, _)| claim.strand == taken.strand;
            let Some(position) = sharing.claims.iter().position(is_it) else { continue };
            let (claim, _) = sharing.claims.swap_remove(position);
            tracing::info!(
                endpoint = %self.endpoint.name,
                source = %claim.source,
                from = taken.committed,
                answered = taken.found.ids.len(),
                epoch = taken.epoch,
                "partition taken over"
            );
            let strand = Strand::shared(&self.endpoint, claim, taken);
            self.strands.push(strand);
        }
    }

    /// These are somebody else's by now: what is open of them is forgotten.
    fn lose(&mut self, sources: &[Source]) {
        if let Some(sharing) = &mut self.sharing {
            sharing.claims.retain(|(claim, _)| !sources.contains(&claim.source));
        }
        let lost = |strand: &Strand| sources.contains(&strand.source);
        let numbers: Vec<_> =
            self.strands.iter().filter(|it| lost(it)).map(|it| it.number).collect();
        self.drop_strands(&numbers);
    }

    /// Becomes a member of the group of those who read the same, or of another one where other topics
    /// are to be read than before.
    fn look_after_membership(&mut self, moment: Instant) {
        let matched = self.sharing.as_ref().and_then(|sharing| sharing.matched.as_ref());
        if matched.is_some_and(|matched| Arc::ptr_eq(matched, &self.live)) {
            return;
        }
        let wanted = self.topics_to_read();
        let is_ready = self.live.settled && !self.stopping;
        let Some(sharing) = &mut self.sharing else { return };
        if let Membership::In { topics, .. } = &sharing.membership
            && *topics == wanted
        {
            sharing.matched = Some(Arc::clone(&self.live));
            return;
        }
        match &sharing.membership {
            Membership::Out if is_ready => self.join(wanted),
            Membership::Refused { due } if is_ready && *due <= moment => self.join(wanted),
            Membership::In { topics, .. } if *topics != wanted && sharing.partings.is_empty() => {
                let owned = self.strands.iter().map(|strand| strand.source.clone());
                let owned: Vec<_> = owned.collect();
                if owned.is_empty() {
                    sharing.claims.clear();
                    sharing.membership = Membership::Out;
                    return self.look_after_membership(moment);
                }
                self.part_with(&owned, Release::new(|| {}));
            }
            _ => {}
        }
    }

    fn join(&mut self, topics: Vec<String>) {
        let Some(sharing) = &mut self.sharing else { return };
        let (weak, is_closed) = (Arc::downgrade(&self.endpoint), Arc::clone(&sharing.is_closed));
        let (held, left) = mpsc::channel::<()>();
        sharing.left = Some(left);
        let listener: Listener = Arc::new(move |event| {
            let _until_it_is_dropped = &held;
            // What nobody hears is dropped, and with it what would hold up the others.
            if !is_closed.load(Ordering::Acquire)
                && let Some(endpoint) = weak.upgrade()
            {
                endpoint.inbox.push(Event::Group(event));
            }
        });
        let group = GroupOptions { name: self.endpoint.name.to_string(), topics: topics.clone() };
        let options = self.live.topic_options.clone();
        sharing.opener.send(Errand::Join { group, options, listener });
        sharing.membership = Membership::Joining { topics };
    }

    fn handle_joined(&mut self, joined: Result<Arc<dyn stream::Member>, OpenError>) {
        let Some(sharing) = &mut self.sharing else { return };
        let Membership::Joining { topics } = &mut sharing.membership else { return };
        let topics = std::mem::take(topics);
        sharing.membership = match joined {
            Ok(member) => {
                tracing::info!(endpoint = %self.endpoint.name, ?topics, "the group is joined");
                sharing.told = None;
                self.endpoint.meter.flow.set_problem(None);
                Membership::In { member, topics }
            }
            Err(error) => {
                let why = error.to_string();
                if topics.len() > 1 {
                    self.endpoint.meter.flow.set_problem(Some(why.clone()));
                }
                if sharing.told.as_ref() != Some(&why) {
                    tracing::warn!(endpoint = %self.endpoint.name, %error, "the group cannot be joined yet");
                    sharing.told = Some(why);
                }
                Membership::Refused { due: Instant::now() + ASK_AGAIN_AFTER }
            }
        };
        // The group may have said what is ours before this process knew that it is a member.
        let early = std::mem::take(&mut sharing.claims);
        let claims: Vec<_> =
            early.into_iter().map(|(claim, _)| sharing.claim(claim.source)).collect();
        sharing.claims.extend(claims.iter().map(|claim| (claim.clone(), None)));
        self.take_over(claims);
    }

    /// The topics whose partitions are shared: the requests, and the source of the flow.
    fn topics_to_read(&self) -> Vec<String> {
        let mut topics = vec![self.endpoint.journal.requests[0].topic().to_owned()];
        if flow_problem(&self.live.flow, &self.endpoint.name).is_none() {
            topics.extend(self.live.flow.source.as_deref().and_then(stream_name));
        }
        topics
    }

    fn handle_opened(
        &mut self,
        topic: String,
        opened: Result<Vec<Arc<dyn stream::Partition>>, OpenError>,
    ) {
        let wake = self.wake();
        let Some(sharing) = &mut self.sharing else { return };
        let found = match opened {
            Ok(partitions) => {
                let subscribe = |it: &Arc<dyn stream::Partition>| it.subscribe(Arc::clone(&wake));
                let subscriptions = partitions.iter().map(subscribe).collect();
                ReturnTopic::Open { partitions, _subscriptions: subscriptions }
            }
            Err(error) => {
                tracing::error!(endpoint = %self.endpoint.name, topic, %error, "answers cannot be returned");
                ReturnTopic::Refused { due: Instant::now() + ASK_AGAIN_AFTER_REFUSAL }
            }
        };
        sharing.returns.insert(topic, found);
    }
}

impl Strand {
    /// What it was gained as.
    pub(in super::super) fn claim(&self) -> Claim {
        Claim { strand: self.number, source: self.source.clone(), tenure: self.tenure }
    }

    /// How far it is done.
    pub(in super::super) fn commit(&self) -> Commit {
        let epoch = self.epoch.as_ref().map(|epoch| epoch.offset);
        let mut note = Note::of(self.answers_from(), epoch, &self.fences);
        let offset = self.done();
        note.passed = self.passing.as_ref().map_or_else(Vec::new, |it| it.before(offset));
        Commit { offset, note: note.text() }
    }
}
