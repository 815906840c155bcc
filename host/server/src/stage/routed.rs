//! The routed models of an endpoint: what of each plays, what is looked at, and what was refused.
//!
//! A file that is new is asked from the start, before anybody looked at it: whoever asks first finds
//! out. One that takes the place of a good one is looked at before, and until then the good one plays,
//! from its compiled code: its own file is gone.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use catalog::{EndpointConfig, ModelFile, ModelPattern, RouteKind};
use message::{ModelName, Time};
use rendezvous::quarantine::{Health, Quarantine};
use sandbox::Known;

use super::State;
use super::conduct::{Calls, ConductLimits};
use crate::endpoint::PartReport;
use crate::routed::Routed;

/// Which models of an endpoint are routed: those that a route with `models` leads to, that have no
/// role, and that nothing names.
#[derive(Default)]
pub(super) struct Routing {
    patterns: Vec<ModelPattern>,
    named: BTreeSet<ModelName>,
}

impl Routing {
    /// What the configuration says.
    pub(super) fn of(config: &EndpointConfig) -> Self {
        let patterns = config.routes.iter().filter_map(|route| match &route.kind {
            RouteKind::Each { models, .. } => Some(models.clone()),
            RouteKind::Policy(_) => None,
        });
        let patterns: Vec<_> = patterns.collect();
        if patterns.is_empty() {
            return Self::default();
        }
        Self { patterns, named: config.model_names().into_iter().collect() }
    }

    /// The names that a model shares with those like it, if it is routed.
    pub(super) fn pattern_of(&self, model: &ModelName) -> Option<&ModelPattern> {
        let pattern = self.patterns.iter().find(|pattern| pattern.matches(model))?;
        (!self.named.contains(model)).then_some(pattern)
    }
}

/// Every routed model of an endpoint.
#[derive(Default)]
pub(crate) struct RoutedParts {
    parts: BTreeMap<ModelName, RoutedPart>,
    by_incarnation: HashMap<u64, ModelName>,
    /// Those in quarantine.
    resting: BTreeSet<ModelName>,
    /// Those that nobody looked at yet.
    unchecked: Vec<ModelName>,
    /// The numbers of those that play no more, from the next roster on.
    left: Vec<u64>,
    /// What they take and give: one of each kind, for most are alike.
    forms: Vec<Known>,
}

/// How many kinds of descriptions are told apart.
const FORMS_LIMIT: usize = 64;

/// One routed model.
pub(crate) struct RoutedPart {
    wanted: ModelFile,
    playing: Option<Playing>,
    /// What takes its place if it is good.
    candidate: Option<Playing>,
    /// What played before, to go back to.
    before: Option<Playing>,
    refused: Option<String>,
}

/// One revision of it.
struct Playing {
    routed: Arc<Routed>,
    file: ModelFile,
    quarantine: Quarantine,
    limits: ConductLimits,
    since: Time,
    why_resting: String,
}

/// What became of a revision by how its calls went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Because it faulted too often: the revision before it plays again.
    RolledBack,
    /// Because it faulted too often: it rests.
    Resting,
    /// Because the call after its rest went well.
    Recovered,
}

impl Fate {
    /// The word for it in events.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::RolledBack => "rolled-back",
            Self::Resting => "quarantined",
            Self::Recovered => "recovered",
        }
    }
}

/// What a wanted revision is made of.
pub(super) struct Wanted {
    pub(super) file: ModelFile,
    pub(super) routed: Arc<Routed>,
    pub(super) limits: ConductLimits,
}

impl RoutedParts {
    /// A model's file is there, or has changed.
    pub(super) fn want(&mut self, wanted: Wanted) {
        let model = wanted.routed.identity.model.clone();
        self.by_incarnation.insert(wanted.routed.incarnation(), model.clone());
        self.unchecked.push(model.clone());
        let left = match self.parts.get_mut(&model) {
            Some(part) => part.want(wanted),
            None => {
                self.parts.insert(model, RoutedPart::new(wanted));
                None
            }
        };
        self.leave(left);
    }

    /// A manifest has changed. Returns whether that changes nothing in how the model runs.
    pub(super) fn remark(&mut self, model: &ModelName, file: &ModelFile) -> bool {
        let Some(part) = self.parts.get_mut(model) else { return false };
        let alike = file.manifest.runs_alike(&part.wanted.manifest)
            && file.revision == part.wanted.revision;
        if alike {
            part.wanted = file.clone();
        }
        alike
    }

    /// A model is no routed one any more, or gone.
    pub(super) fn remove(&mut self, model: &ModelName) -> bool {
        let Some(part) = self.parts.remove(model) else { return false };
        self.resting.remove(model);
        for playing in [part.playing, part.candidate, part.before].into_iter().flatten() {
            self.leave(Some(playing));
        }
        true
    }

    /// The model that this number stands for, if it plays or is to play.
    pub(crate) fn find(&self, incarnation: u64) -> Option<&RoutedPart> {
        self.parts.get(self.by_incarnation.get(&incarnation)?)
    }

    /// The model with this name.
    pub(crate) fn get(&self, model: &ModelName) -> Option<&RoutedPart> {
        self.parts.get(model)
    }

    /// Every model, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ModelName, &RoutedPart)> {
        self.parts.iter()
    }

    /// A look at a file, or a load, has shown that it is good. Returns whether the roster changes.
    pub(crate) fn accept(&mut self, now: Time, incarnation: u64) -> bool {
        let Some(part) = self.part_mut(incarnation) else { return false };
        let (changed, left) = part.accept(now, incarnation);
        self.leave(left);
        changed
    }

    /// A look at a file, or a load, has shown that it is of no use. Returns whether anything was made
    /// of it.
    pub(crate) fn refuse(&mut self, incarnation: u64, reason: &str) -> bool {
        let Some(part) = self.part_mut(incarnation) else { return false };
        let left = part.refuse(incarnation, reason);
        let changed = left.is_some();
        self.leave(left);
        changed
    }

    /// The name of the model that this number stands for.
    pub(super) fn name_of(&self, incarnation: u64) -> Option<&ModelName> {
        self.by_incarnation.get(&incarnation)
    }

    /// Hears how calls of a revision went. Returns what became of the model, if anything.
    pub(super) fn handle_calls(
        &mut self,
        now: Time,
        model: &ModelName,
        calls: &Calls,
        may_rest: bool,
    ) -> Option<Fate> {
        let (fate, left) = self.parts.get_mut(model)?.handle_calls(now, calls, may_rest)?;
        if fate == Fate::Resting {
            self.resting.insert(model.clone());
        }
        self.leave(left);
        Some(fate)
    }

    /// Ends the rests that are over. Returns whether the roster changes.
    pub(crate) fn handle_timeout(&mut self, now: Time) -> bool {
        let Self { parts, resting, .. } = self;
        let before = resting.len();
        resting.retain(|model| {
            let playing = parts.get_mut(model).and_then(|part| part.playing.as_mut());
            playing.is_some_and(|playing| !playing.quarantine.handle_timeout(now))
        });
        resting.len() != before
    }

    /// When the next rest is over.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        let parts = self.resting.iter().filter_map(|model| self.parts.get(model));
        let due = parts.filter_map(|part| part.playing.as_ref());
        due.filter_map(|playing| playing.quarantine.poll_timeout()).min()
    }

    /// Takes note of what a model takes and gives. Returns whether none before was like that.
    pub(crate) fn note_form(&mut self, known: &Known) -> bool {
        let is_alike = |form: &Known| {
            let (one, other) = (form.description(), known.description());
            one.inputs == other.inputs && one.outputs == other.outputs
        };
        let is_new = self.forms.len() <= FORMS_LIMIT && !self.forms.iter().any(is_alike);
        if is_new {
            self.forms.push(known.clone());
        }
        is_new
    }

    /// What they take and give, one of each kind; nothing where there are too many kinds.
    pub(super) fn forms(&self) -> Option<&[Known]> {
        (self.forms.len() <= FORMS_LIMIT).then_some(&self.forms)
    }

    /// The models that nobody looked at yet; each is told once.
    pub(crate) fn take_unchecked(&mut self) -> Vec<ModelName> {
        std::mem::take(&mut self.unchecked)
    }

    /// The numbers of those that play no more; each is told once.
    pub(crate) fn take_left(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.left)
    }

    fn part_mut(&mut self, incarnation: u64) -> Option<&mut RoutedPart> {
        self.parts.get_mut(self.by_incarnation.get(&incarnation)?)
    }

    fn leave(&mut self, left: Option<Playing>) {
        if let Some(left) = left {
            self.by_incarnation.remove(&left.routed.incarnation());
            self.left.push(left.routed.incarnation());
        }
    }
}

impl RoutedPart {
    fn new(wanted: Wanted) -> Self {
        Self {
            wanted: wanted.file.clone(),
            playing: Some(Playing::new(wanted)),
            candidate: None,
            before: None,
            refused: None,
        }
    }

    /// Takes a new file, and returns what plays no more for it.
    fn want(&mut self, wanted: Wanted) -> Option<Playing> {
        self.wanted = wanted.file.clone();
        self.refused = None;
        let fresh = Playing::new(wanted);
        match &self.playing {
            Some(playing) if playing.routed.known().is_some() => self.candidate.replace(fresh),
            _ => self.playing.replace(fresh),
        }
    }

    fn accept(&mut self, now: Time, incarnation: u64) -> (bool, Option<Playing>) {
        let Some(mut candidate) = self.candidate.take_if(|it| it.is(incarnation)) else {
            return (false, None);
        };
        candidate.since = now;
        let off = self.playing.replace(candidate);
        match off {
            // Nobody would go back to what rests.
            Some(off) if off.quarantine.health() == Health::Sound => {
                (true, self.before.replace(off))
            }
            off => (true, off),
        }
    }

    fn refuse(&mut self, incarnation: u64, reason: &str) -> Option<Playing> {
        let off = self.candidate.take_if(|it| it.is(incarnation)).or_else(|| {
            let off = self.playing.take_if(|it| it.is(incarnation))?;
            self.playing = self.before.take();
            Some(off)
        })?;
        self.refused = Some(reason.to_owned());
        Some(off)
    }

    fn handle_calls(
        &mut self,
        now: Time,
        calls: &Calls,
        may_rest: bool,
    ) -> Option<(Fate, Option<Playing>)> {
        let playing = self.playing.as_mut().filter(|playing| playing.is(calls.incarnation))?;
        if !playing.quarantine.handle_calls(now, &calls.tally) {
            return None;
        }
        if playing.quarantine.health() == Health::Sound {
            return Some((Fate::Recovered, None));
        }
        let young = now.since(playing.since) < playing.limits.probation;
        let rolls_back = young && playing.limits.rollback;
        if let Some(mut before) = self.before.take_if(|_| rolls_back) {
            before.quarantine.forgive();
            self.refused = Some(format!("rolled back: {}", calls.why));
            return Some((Fate::RolledBack, self.playing.replace(before)));
        }
        if !may_rest {
            // Nobody else could answer its requests.
            playing.quarantine.forgive();
            return None;
        }
        playing.why_resting.clone_from(&calls.why);
        Some((Fate::Resting, None))
    }

    /// What is asked, and whether it may be.
    pub(crate) fn member(&self) -> Option<(&Arc<Routed>, bool)> {
        self.playing.as_ref().map(|playing| {
            let resting = matches!(playing.quarantine.health(), Health::Quarantined { .. });
            (&playing.routed, !resting && !self.wanted.manifest.paused)
        })
    }

    /// The revision of this number with its file: requests may still wait for the one before.
    pub(crate) fn revision(&self, incarnation: u64) -> Option<(&Arc<Routed>, &ModelFile)> {
        let mut all = self.playing.iter().chain(&self.candidate).chain(&self.before);
        let found = all.find(|playing| playing.is(incarnation))?;
        Some((&found.routed, &found.file))
    }

    /// What has to be looked at: the newest of it.
    pub(crate) fn newest(&self) -> Option<(&Arc<Routed>, &ModelFile)> {
        let newest = self.candidate.as_ref().or(self.playing.as_ref())?;
        Some((&newest.routed, &newest.file))
    }

    /// What is said of it to people.
    pub(super) fn report((model, part): (&ModelName, &Self)) -> PartReport {
        let playing = part.playing.as_ref();
        PartReport {
            model: model.clone(),
            role: None,
            state: part.state(),
            revision: playing.map_or(part.wanted.revision, |it| it.file.revision),
            note: part.note(),
            routed: playing.map(|playing| Arc::clone(&playing.routed)),
            external: None,
        }
    }

    /// Where it stands. What is neither refused nor at rest is cold, or live when it is in memory.
    pub(crate) fn state(&self) -> State {
        let Some(playing) = &self.playing else {
            return State::Refused(self.refused.clone().unwrap_or_default());
        };
        if self.wanted.manifest.paused {
            return State::Paused;
        }
        if let Health::Quarantined { until } = playing.quarantine.health() {
            return State::Quarantined { until, reason: playing.why_resting.clone() };
        }
        State::of_warmth(playing.routed.warmth())
    }

    /// What is said about the wanted file beside the state.
    pub(crate) fn note(&self) -> Option<String> {
        let short = self.wanted.revision.short();
        match (&self.refused, &self.candidate, &self.playing) {
            (Some(reason), _, Some(_)) => Some(format!("{short} refused: {reason}")),
            (None, Some(_), _) => Some(format!("{short} is being looked at")),
            _ => None,
        }
    }
}

impl Playing {
    fn new(wanted: Wanted) -> Self {
        let Wanted { file, routed, limits, .. } = wanted;
        Self {
            routed,
            file,
            quarantine: Quarantine::new(limits.breaker().clone()),
            limits,
            since: Time::EPOCH,
            why_resting: String::new(),
        }
    }

    fn is(&self, incarnation: u64) -> bool {
        self.routed.incarnation() == incarnation
    }
}

#[cfg(test)]
mod tests;
