//! One endpoint as the supervisor sees it: which revision of each model runs, waits or rests.
//!
//! A stage changes nothing by itself: it is told what happened, and makes the next [`Live`] of it.

mod conduct;
mod demotion;
mod external;
mod part;
mod policy;
mod roster;
mod routed;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread::JoinHandle;

use catalog::{EndpointSpec, ModelFile};
use message::{ModelName, Revision, Time};
use rendezvous::MemberIndex;

pub(crate) use conduct::{Calls, release_probe, take_probe};
pub(crate) use external::ExternalParts;
pub(crate) use part::{Part, State, Turn};
pub(crate) use roster::{empty_live, limits_of, role_name, topic_options};
pub(crate) use routed::{Fate, RoutedParts};

use self::conduct::{ConductLimits, May};
use self::external::ExternalPart;
use self::roster::Cast;
use self::routed::{RoutedPart, Routing, Wanted};
use crate::drivers::flow::FlowHandle;
use crate::endpoint::{Endpoint, PartReport};
use crate::live::{Identity, Live, LiveMember, TrackRecord, next_incarnation};
use crate::meter::ModelMeter;
use crate::routed::Routed;
use crate::standing::Heard;

/// One endpoint with everything that it runs.
pub(crate) struct Stage {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) driver: JoinHandle<()>,
    /// What reads the topic that the endpoint is fed by, if there is one.
    pub(crate) flow: Option<FlowHandle>,
    /// What the folder says.
    pub(crate) spec: Arc<EndpointSpec>,
    /// What holds: the same, or what the folder said before while a model that it names for the
    /// first time does not run yet.
    pub(crate) in_force: Arc<EndpointSpec>,
    pub(crate) parts: BTreeMap<ModelName, Part>,
    /// Those that are loaded when they are wanted.
    pub(crate) routed: RoutedParts,
    /// Those that run outside of the host.
    pub(crate) externals: ExternalParts,
    routing: Routing,
    /// How the routed models are counted: together, by the names that they share.
    meters: BTreeMap<String, Arc<ModelMeter>>,
    /// Models whose files are gone, and that what holds still names.
    orphans: BTreeSet<ModelName>,
    /// Whether every model that was there at the start has been loaded or refused.
    pub(crate) settled: bool,
}

impl Stage {
    /// An endpoint of which nothing runs yet.
    pub(crate) fn new(
        endpoint: Arc<Endpoint>,
        driver: JoinHandle<()>,
        spec: Arc<EndpointSpec>,
        is_shared: bool,
    ) -> Self {
        let mut externals = ExternalParts::new(is_shared);
        externals.hear(&endpoint, &spec.config);
        Self {
            settled: endpoint.live.load().settled,
            endpoint,
            driver,
            flow: None,
            in_force: Arc::clone(&spec),
            routing: Routing::of(&spec.config),
            spec,
            parts: BTreeMap::new(),
            routed: RoutedParts::default(),
            externals,
            meters: BTreeMap::new(),
            orphans: BTreeSet::new(),
        }
    }

    /// The folder says this now. Returns whether anybody is to be told: that settles the endpoint,
    /// as the last file that was being written at the start may turn out to be of no use, or its
    /// configuration is another file, though it may say the same.
    pub(crate) fn hear(&mut self, spec: Arc<EndpointSpec>) -> bool {
        let before = (self.settled, self.spec.digest);
        self.take_spec(spec);
        self.look_whether_settled();
        (self.settled, self.spec.digest) != before
    }

    /// What those who wait for the folder to be taken up are told.
    pub(crate) fn heard(&self) -> Heard {
        Heard { spec: Arc::clone(&self.spec), awaited: self.awaited() }
    }

    /// The folder says this now; its models are told one by one.
    pub(crate) fn take_spec(&mut self, spec: Arc<EndpointSpec>) {
        if self.spec.config != spec.config {
            self.routing = Routing::of(&spec.config);
        }
        self.spec = spec;
    }

    /// Whether a model is loaded only when it is wanted.
    pub(crate) fn is_routed(&self, model: &ModelName) -> bool {
        self.routing.pattern_of(model).is_some() && !self.parts.contains_key(model)
    }

    /// The file of a routed model is there, or has changed.
    pub(crate) fn want_routed(&mut self, model: &ModelName, file: ModelFile) {
        let Some(pattern) = self.routing.pattern_of(model).map(ToString::to_string) else { return };
        let meter = self.meters.entry(pattern).or_insert_with_key(|pattern| {
            self.endpoint.meter.model(&ModelName::from(pattern.as_str()))
        });
        let identity = Identity {
            model: model.clone(),
            revision: file.revision,
            incarnation: next_incarnation(),
            meter: Arc::clone(meter),
            warmed: 0,
            record: TrackRecord::default(),
        };
        self.routed.want(Wanted {
            file,
            routed: Routed::new(identity),
            limits: ConductLimits::of(&self.spec.config),
        });
    }

    /// The models that are routed no more, and have to be loaded for good.
    pub(crate) fn no_more_routed(&self) -> Vec<ModelName> {
        let named = |(model, _): &(&ModelName, _)| {
            self.routing.pattern_of(model).is_none() && !self.parts.contains_key(*model)
        };
        self.routed.iter().filter(named).map(|(model, _)| model.clone()).collect()
    }

    /// A model's file is there, or has changed: it has to be loaded.
    pub(crate) fn want(&mut self, model: &ModelName, file: ModelFile) {
        let part = self.parts.entry(model.clone()).or_insert_with(|| Part::new(file.clone()));
        part.want(file);
        self.orphans.remove(model);
    }

    /// A model's manifest has changed. Returns whether the model has to be loaded for that: not for
    /// a pause or a label.
    pub(crate) fn remark(&mut self, model: &ModelName) -> bool {
        if let Some(file) = self.spec.models.get(model)
            && self.routed.remark(model, file)
        {
            return false;
        }
        let (Some(file), Some(part)) = (self.spec.models.get(model), self.parts.get_mut(model))
        else {
            return true;
        };
        let alike = file.manifest.runs_alike(&part.file().manifest);
        let same = alike && part.wants(file.revision);
        if same {
            part.remark(file.clone());
        }
        !same
    }

    /// A model's file has gone. Gives back what ran, unless that is needed until another runs.
    pub(crate) fn drop_model(&mut self, model: &ModelName) -> Vec<LiveMember> {
        if !self.awaited().is_empty() && self.in_force.config.model_names().contains(model) {
            self.orphans.insert(model.clone());
            return Vec::new();
        }
        self.routed.remove(model);
        self.parts.remove(model).map(Part::into_members).unwrap_or_default()
    }

    /// A load has ended badly. What runs goes on.
    pub(crate) fn refuse(&mut self, model: &ModelName, revision: Revision, reason: String) {
        if let Some(part) = self.parts.get_mut(model).filter(|part| part.wants(revision)) {
            part.refuse(reason);
        }
        self.look_whether_settled();
    }

    /// A load has ended well: the new revision is live from the next roster on. Gives back what no
    /// longer needs to be kept warm.
    pub(crate) fn accept(
        &mut self,
        now: Time,
        model: &ModelName,
        member: LiveMember,
    ) -> Option<LiveMember> {
        let limits = ConductLimits::of(&self.spec.config);
        let left = match self.parts.get_mut(model) {
            Some(part) if part.wants(member.identity.revision) => {
                self.routed.remove(model);
                part.accept(now, member, limits)
            }
            _ => Some(member),
        };
        self.look_whether_settled();
        left
    }

    /// Hears how the calls of one revision went, and says what came of it: of which model, what, and
    /// why. A change of the roster is behind each of these.
    pub(crate) fn handle_calls(
        &mut self,
        now: Time,
        calls: &Calls,
    ) -> Option<(ModelName, Vec<(Turn, String)>)> {
        let played = self.parts.iter().find(|(_, part)| part.plays(calls.incarnation));
        let played_here = played.is_some();
        let model = match played {
            Some((model, _)) => model.clone(),
            None => self.externals.name_of(calls.incarnation)?.clone(),
        };
        // Who is only praised loses nothing.
        let is_blamed = calls.tally.faulted() > 0 || calls.late > 0;
        let may = if is_blamed { self.may(&model) } else { May { rest: false, give_way: false } };
        let turns = match self.parts.get_mut(&model).filter(|_| played_here) {
            Some(part) => part.handle_calls(now, calls, may),
            None => self.externals.handle_calls(now, &model, calls, may),
        };
        Some((model, turns))
    }

    /// Hears how the calls of a routed revision went, and says what became of which model, and why.
    pub(crate) fn handle_routed_calls(
        &mut self,
        now: Time,
        calls: &Calls,
    ) -> Option<(ModelName, Fate, String)> {
        let model = self.routed.name_of(calls.incarnation)?.clone();
        let may_rest = calls.tally.faulted() > 0 && self.may(&model).rest;
        let fate = self.routed.handle_calls(now, &model, calls, may_rest)?;
        Some((model, fate, calls.why.clone()))
    }

    /// What the others leave this model to lose. The last resort loses nothing, and neither does the
    /// last that can answer some request.
    fn may(&self, model: &ModelName) -> May {
        if self.in_force.config.roles.fallback.as_ref() == Some(model) {
            return May { rest: false, give_way: false };
        }
        let live = self.endpoint.live.load();
        let roster = &*live.roster;
        let Some(member) = roster.position(model.as_str()).filter(|it| roster.can_answer(*it))
        else {
            return May { rest: true, give_way: false };
        };
        let is_sound = |other: &MemberIndex| {
            let Some(other) = roster.member(*other) else { return false };
            let external = || self.externals.get(&other.name).is_some_and(|it| it.is_sound());
            self.parts.get(&other.name).is_some_and(Part::is_sound) || external()
        };
        // For each course that it is on: whether somebody else is on it.
        let others = roster.courses().filter_map(|course| {
            let mut seated = course.places().flat_map(|place| roster.seated(place.seat));
            let is_on_it = course.places().any(|it| roster.seated(it.seat).any(|it| it == member));
            is_on_it.then(|| seated.any(|other| other != member && is_sound(&other)))
        });
        let (mut never_alone, mut ever_in_company) = (true, false);
        for in_company in others {
            never_alone &= in_company;
            ever_in_company |= in_company;
        }
        May { rest: never_alone || live.default.is_some(), give_way: ever_in_company }
    }

    /// Lets what the folder says take hold, unless it waits for a model: callers must not. Gives back
    /// what nothing names any more.
    pub(crate) fn take_hold(&mut self) -> Vec<LiveMember> {
        if !self.awaited().is_empty() {
            return Vec::new();
        }
        self.in_force = Arc::clone(&self.spec);
        self.externals.hear(&self.endpoint, &self.in_force.config);
        let limits = ConductLimits::of(&self.in_force.config);
        self.parts.values_mut().for_each(|part| part.set_limits(&limits));
        let mut gone = std::mem::take(&mut self.orphans);
        let routed = self.parts.keys().filter(|model| self.routing.pattern_of(model).is_some());
        let routed: Vec<ModelName> = routed.cloned().collect();
        gone.extend(routed.iter().cloned());
        let parts = gone.iter().filter_map(|model| self.parts.remove(model));
        let leaving = parts.flat_map(Part::into_members).collect();
        for model in routed {
            if let Some(file) = self.spec.models.get(&model).cloned() {
                self.want_routed(&model, file);
            }
        }
        leaving
    }

    /// What the endpoint is from now on.
    pub(crate) fn live(&self) -> Live {
        let cast = Cast { parts: &self.parts, routed: &self.routed, externals: &self.externals };
        let live = roster::live_of(&self.in_force, cast, self.settled);
        // A roster comes and goes; what does not fit is said when it is new.
        for misfit in live.misfits.difference(&self.endpoint.live.load().misfits) {
            let endpoint = &self.endpoint.name;
            tracing::warn!(%endpoint, misfit, "the policy does not fit what its models declare");
        }
        live
    }

    /// Where each model stands.
    pub(crate) fn report(&self) -> Vec<PartReport> {
        let awaited = self.awaited();
        let report = |(name, part): (&ModelName, &Part)| {
            let is_awaited = awaited.contains(name);
            let state = match part.state() {
                State::Refused(reason) if is_awaited => {
                    State::Refused(format!("{reason}; the policy that names it waits"))
                }
                state => state,
            };
            let waits = || is_awaited.then(|| "the policy that names it waits".to_owned());
            let running = part.member().map(|(member, _)| member.identity.revision);
            PartReport {
                model: name.clone(),
                role: self.in_force.config.roles.of(name),
                state,
                revision: running.unwrap_or(part.file().revision),
                note: part.note().or_else(waits),
                routed: None,
                external: None,
            }
        };
        let config = &self.in_force.config;
        let externals = self.externals.iter().map(|it| ExternalPart::report(it, config));
        let routed = self.routed.iter().filter(|(model, _)| !self.parts.contains_key(*model));
        let inside = self.parts.iter().map(report).chain(routed.map(RoutedPart::report));
        inside.chain(externals).collect()
    }

    /// The models that the folder's configuration names, the one that holds does not, and of which
    /// nothing runs. At the start there is nothing to wait with.
    fn awaited(&self) -> Vec<ModelName> {
        if !self.settled || Arc::ptr_eq(&self.spec, &self.in_force) {
            return Vec::new();
        }
        let known = self.in_force.config.model_names();
        let runs =
            |name: &ModelName| self.parts.get(name).is_some_and(|part| part.member().is_some());
        let mut names = self.spec.config.model_names();
        // Nobody could say when one runs that is external.
        names.retain(|name| !self.spec.config.external.contains_key(name));
        names.retain(|name| !known.contains(name) && !runs(name));
        names
    }

    fn look_whether_settled(&mut self) {
        let is_loading = |part: &Part| matches!(part.state(), State::Loading);
        let is_done = self.spec.coming.is_empty() && !self.parts.values().any(is_loading);
        self.settled = self.settled || is_done;
    }
}
