//! Routed models: looked at in the background, loaded when requests wait for them, sent away when
//! others need their room.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use message::{EndpointName, ModelName, Time};
use rendezvous::residence::{Residence, ResidenceLimits, Room, Sight, Step};
use sandbox::Model;
use sandbox::lanes::{Attach, Lane, Worker};
use tokio::sync::oneshot;

use super::{Order, Supervisor};
use crate::drivers::loader::{Checked, Recalled, RoutedJob};
use crate::endpoint::{Endpoint, Event};
use crate::inbox::Inbox;
use crate::routed::{Routed, Warmth};
use crate::sink::DriverSink;
use crate::stage::{Fate, limits_of};

/// How long a change of one of many waits for others, so that one roster is made for all of them.
const GATHER: Duration = Duration::from_millis(50);
/// What an artefact takes in memory, times its size, before anybody has looked at it.
const UNKNOWN_TIMES: u64 = 8;
/// What the sessions of an artefact take before anybody has looked at it.
const UNKNOWN_SESSION_BYTES: u64 = 2 << 20;

/// Who waits for a routed model beside the driver: it gets the worker, or why there is none.
pub(crate) type Visitor = oneshot::Sender<Result<Arc<Worker>, String>>;

/// The routed models that are in memory or on their way.
pub(crate) struct Wings {
    residence: Residence,
    /// The endpoints of those that are wanted or in memory.
    owners: HashMap<u64, EndpointName>,
    warm: HashMap<u64, Warm>,
    visitors: HashMap<u64, Vec<Visitor>>,
    /// Endpoints whose rosters are to be made anew soon.
    soon: BTreeMap<EndpointName, Time>,
}

struct Warm {
    routed: Arc<Routed>,
    model: Model,
    worker: Arc<Worker>,
}

/// Says that the memory of a model is free when it is dropped: the worker keeps it, behind all else.
pub(crate) struct Departure {
    incarnation: u64,
    orders: Arc<Inbox<Order>>,
}

impl Drop for Departure {
    fn drop(&mut self) {
        self.orders.push(Order::Gone(self.incarnation));
    }
}

impl Wings {
    /// Nobody is there yet.
    pub(crate) fn new(limits: ResidenceLimits) -> Self {
        Self {
            residence: Residence::new(limits),
            owners: HashMap::new(),
            warm: HashMap::new(),
            visitors: HashMap::new(),
            soon: BTreeMap::new(),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.soon.values().copied().chain(self.residence.poll_timeout()).min()
    }

    /// Makes the roster of an endpoint anew soon.
    pub(super) fn publish_soon(&mut self, now: Time, endpoint: &EndpointName) {
        self.soon.entry(endpoint.clone()).or_insert(now + GATHER);
    }

    fn answer_visitors(&mut self, incarnation: u64, answer: &Result<Arc<Worker>, String>) {
        for visitor in self.visitors.remove(&incarnation).into_iter().flatten() {
            // Nobody listens where the caller has gone.
            let _gone = visitor.send(answer.clone());
        }
    }
}

/// How a model in memory is.
fn sight_of(warm: &HashMap<u64, Warm>, incarnation: u64) -> Sight {
    let warm = warm.get(&incarnation).expect("invariant: whoever is in residence is warm");
    let bytes = warm.model.footprint_bytes() as u64;
    warm.routed.set_warmth(Warmth::Warm, bytes);
    Sight { used: warm.routed.used(), busy: !warm.worker.is_idle(), bytes }
}

impl Supervisor {
    /// Requests wait for these.
    pub(super) fn handle_wanted(&mut self, now: Time, endpoint: &EndpointName, wanted: Vec<u64>) {
        for incarnation in wanted {
            self.want(now, endpoint, incarnation);
        }
    }

    /// Somebody wants to ask a model by itself.
    pub(super) fn handle_visit(
        &mut self,
        now: Time,
        endpoint: &EndpointName,
        incarnation: u64,
        visitor: Visitor,
    ) {
        if let Some(warm) = self.wings.warm.get(&incarnation) {
            warm.routed.touch(now);
            // Nobody listens where the caller has gone.
            let _gone = visitor.send(Ok(Arc::clone(&warm.worker)));
            return;
        }
        self.wings.visitors.entry(incarnation).or_default().push(visitor);
        self.want(now, endpoint, incarnation);
    }

    /// The memory of a model is free.
    pub(super) fn handle_gone(&mut self, incarnation: u64) {
        self.wings.residence.handle_gone(incarnation);
    }

    /// A file was looked at.
    pub(super) fn handle_checked(&mut self, now: Time, checked: Checked) {
        let Checked { endpoint, routed, result } = checked;
        let incarnation = routed.incarnation();
        let Some(stage) = self.stages.get_mut(&endpoint) else { return };
        match result {
            Ok(known) => {
                let is_new = stage.routed.note_form(&known);
                routed.learn(known);
                if stage.routed.accept(now, incarnation) || is_new {
                    self.wings.publish_soon(now, &endpoint);
                }
            }
            Err(reason) => self.refuse_routed(now, &endpoint, &routed, &reason),
        }
    }

    /// A load for requests that wait has ended.
    pub(super) fn handle_recalled(&mut self, now: Time, recalled: Recalled) {
        let Recalled { endpoint, routed, took, result } = recalled;
        let incarnation = routed.incarnation();
        let stage = self.stages.get(&endpoint);
        let part = stage.and_then(|stage| stage.routed.find(incarnation));
        let still = part.and_then(|part| part.revision(incarnation)).is_some();
        let result = match result {
            Ok(_) if !still => Err("its file has changed".to_owned()),
            result => result,
        };
        let result = result.and_then(|model| self.seat(now, &routed, model));
        match result {
            Ok(model) => {
                let us = took.as_micros() as u64;
                tracing::debug!(%endpoint, model = %routed.identity.model, us, "model recalled");
                self.enter(now, &endpoint, routed, model);
            }
            Err(reason) => {
                self.wings.residence.handle_failed(incarnation);
                self.give_up(&endpoint, incarnation, &reason);
                routed.set_warmth(Warmth::Cold, 0);
                self.refuse_routed(now, &endpoint, &routed, &reason);
            }
        }
    }

    /// Tells what became of models that faulted, or do no more.
    pub(super) fn note_fates(
        &mut self,
        now: Time,
        endpoint: &EndpointName,
        fates: Vec<(ModelName, Fate, String)>,
    ) {
        for (model, fate, why) in fates {
            let what = fate.name();
            tracing::warn!(%endpoint, %model, why, "model {what}");
            self.note(now, endpoint, Some((&model, None)), what, &why);
            self.wings.publish_soon(now, endpoint);
        }
    }

    /// Does what is due: rosters, loads, departures.
    pub(super) fn handle_routed_timeout(&mut self, now: Time) {
        let due: Vec<EndpointName> = self
            .wings
            .soon
            .iter()
            .filter(|(_, due)| **due <= now)
            .map(|(endpoint, _)| endpoint.clone())
            .collect();
        for endpoint in due {
            self.wings.soon.remove(&endpoint);
            self.publish(&endpoint, Vec::new());
        }
        loop {
            let Wings { residence, warm, .. } = &mut self.wings;
            residence.handle_timeout(now, |incarnation| sight_of(warm, incarnation));
            let steps: Vec<Step> = std::iter::from_fn(|| residence.poll_step()).collect();
            if steps.is_empty() {
                return;
            }
            steps.into_iter().for_each(|step| self.take_step(step));
        }
    }

    /// Loads for good what is routed no more.
    pub(super) fn load_no_more_routed(&mut self) {
        let stages = self.stages.iter();
        let models: Vec<(EndpointName, ModelName)> = stages
            .flat_map(|(name, stage)| {
                stage.no_more_routed().into_iter().map(|model| (name.clone(), model))
            })
            .collect();
        for (endpoint, model) in models {
            self.load(&endpoint, &model);
        }
    }

    /// Forgets the models of an endpoint whose driver has ended.
    pub(super) fn forget_routed(&mut self, endpoint: &EndpointName) {
        self.wings.soon.remove(endpoint);
        let owners = self.wings.owners.iter().filter(|(_, owner)| *owner == endpoint);
        let incarnations: Vec<u64> = owners.map(|(incarnation, _)| *incarnation).collect();
        for incarnation in incarnations {
            self.wings.residence.handle_dropped(incarnation);
            self.give_up(endpoint, incarnation, "its endpoint has gone");
        }
    }

    /// Has the files looked at that nobody looked at yet.
    pub(super) fn check_routed(&mut self, endpoint: &EndpointName) {
        let Some(stage) = self.stages.get_mut(endpoint) else { return };
        for model in stage.routed.take_unchecked() {
            let newest = stage.routed.get(&model).and_then(|part| part.newest());
            if let Some((routed, file)) = newest.filter(|(routed, _)| routed.known().is_none()) {
                let job = job_of(endpoint, routed, file, stage.spec.config.schema.clone());
                self.loader.check(job);
            }
        }
    }

    /// Lets those go that play no more. Only when the driver knows the roster without them.
    pub(super) fn drop_routed(&mut self, endpoint: &Endpoint, left: Vec<u64>) {
        for incarnation in left {
            if self.wings.residence.handle_dropped(incarnation) {
                self.wings.warm.remove(&incarnation);
            }
            endpoint.inbox.push(Event::Cool(incarnation));
            self.give_up(&endpoint.name, incarnation, "its file has changed");
        }
    }

    /// Lets go of everything: the drivers have ended.
    pub(super) fn clear_wings(&mut self) {
        self.wings.warm.clear();
        self.wings.visitors.clear();
    }

    fn want(&mut self, now: Time, endpoint: &EndpointName, incarnation: u64) {
        let stage = self.stages.get(endpoint);
        let part = stage.and_then(|stage| stage.routed.find(incarnation));
        let plays = part.and_then(|part| part.revision(incarnation));
        match plays {
            Some((routed, file)) => {
                routed.touch(now);
                let room = room_of(routed, file);
                if routed.warmth() == Warmth::Cold {
                    routed.set_warmth(Warmth::Coming, 0);
                }
                self.wings.owners.insert(incarnation, endpoint.clone());
                self.wings.residence.handle_wanted(incarnation, room);
            }
            None => self.give_up(endpoint, incarnation, "its file was refused or has changed"),
        }
    }

    fn take_step(&mut self, step: Step) {
        let (Step::Load(incarnation) | Step::Evict(incarnation) | Step::Refuse(incarnation)) = step;
        let Some(name) = self.wings.owners.get(&incarnation).cloned() else { return };
        let Some(stage) = self.stages.get(&name) else { return self.forget(incarnation) };
        match step {
            Step::Load(_) => {
                let part = stage.routed.find(incarnation);
                match part.and_then(|part| part.revision(incarnation)) {
                    Some((routed, file)) => {
                        let schema = stage.spec.config.schema.clone();
                        self.loader.recall(job_of(&name, routed, file, schema));
                    }
                    None => {
                        self.wings.residence.handle_failed(incarnation);
                        self.give_up(&name, incarnation, "its file has changed");
                    }
                }
            }
            Step::Evict(_) => {
                stage.endpoint.meter.routed.evicted();
                stage.endpoint.inbox.push(Event::Cool(incarnation));
                self.forget(incarnation);
            }
            Step::Refuse(_) => {
                stage.endpoint.meter.routed.refused();
                let reason = "as many models wait to be loaded as may";
                if let Some((routed, _)) =
                    stage.routed.find(incarnation).and_then(|part| part.revision(incarnation))
                {
                    routed.set_warmth(Warmth::Cold, 0);
                }
                self.give_up(&name, incarnation, reason);
            }
        }
    }

    /// Gives a loaded model its place in memory, unless it takes more than there is for all.
    fn seat(&mut self, now: Time, routed: &Routed, model: Model) -> Result<Model, String> {
        let bytes = model.footprint_bytes() as u64;
        let room = Room { bytes, sessions: sessions_of(&model) };
        if self.wings.residence.handle_loaded(now, routed.incarnation(), room) {
            return Ok(model);
        }
        let limits = self.wings.residence.limits();
        Err(format!(
            "it takes {} KiB and {} sessions, expected at most routed.memory, {} KiB, and {} sessions",
            bytes >> 10,
            room.sessions,
            limits.bytes >> 10,
            limits.sessions
        ))
    }

    fn enter(&mut self, now: Time, endpoint: &EndpointName, routed: Arc<Routed>, model: Model) {
        let incarnation = routed.incarnation();
        let Some(stage) = self.stages.get_mut(endpoint) else { return };
        if stage.routed.note_form(&model.known()) {
            self.wings.publish_soon(now, endpoint);
        }
        routed.learn(model.known());
        let departure = Departure { incarnation, orders: Arc::clone(&self.inbox) };
        let sink = DriverSink::new(&stage.endpoint, &routed.identity).with_departure(departure);
        let part = stage.routed.find(incarnation);
        let file = part.and_then(|part| part.revision(incarnation)).map(|(_, file)| file);
        let manifest = file.map(|file| file.manifest.clone()).unwrap_or_default();
        let config = &stage.spec.config.limits;
        let options = Attach {
            lane: Lane::Live,
            queue_limit: manifest.limits.queue.unwrap_or(config.queue),
            batch: manifest.limits.batch.unwrap_or(config.batch),
            sessions: manifest.limits.sessions,
        };
        let worker = Arc::new(self.lanes.attach(model.clone(), options, Arc::new(sink)));
        stage.endpoint.meter.routed.loaded();
        routed.set_warmth(Warmth::Warm, model.footprint_bytes() as u64);
        stage.endpoint.inbox.push(Event::Warm(incarnation, Arc::clone(&worker)));
        self.wings.answer_visitors(incarnation, &Ok(Arc::clone(&worker)));
        self.wings.warm.insert(incarnation, Warm { routed, model, worker });
    }

    /// Tells those who wait for a model that it does not come.
    fn give_up(&mut self, endpoint: &EndpointName, incarnation: u64, reason: &str) {
        if let Some(stage) = self.stages.get(endpoint) {
            stage.endpoint.inbox.push(Event::Absent(incarnation));
        }
        self.wings.answer_visitors(incarnation, &Err(reason.to_owned()));
        self.forget(incarnation);
    }

    fn forget(&mut self, incarnation: u64) {
        self.wings.owners.remove(&incarnation);
        if let Some(warm) = self.wings.warm.remove(&incarnation) {
            warm.routed.set_warmth(Warmth::Cold, 0);
        }
    }

    fn refuse_routed(&mut self, now: Time, endpoint: &EndpointName, routed: &Routed, reason: &str) {
        let Some(stage) = self.stages.get_mut(endpoint) else { return };
        if !stage.routed.refuse(routed.incarnation(), reason) {
            return;
        }
        let (model, revision) = (&routed.identity.model, routed.identity.revision);
        tracing::warn!(%endpoint, %model, revision = %revision.short(), reason, "model refused");
        self.note(now, endpoint, Some((model, Some(revision))), "refused", reason);
        self.wings.publish_soon(now, endpoint);
    }
}

fn job_of(
    endpoint: &EndpointName,
    routed: &Arc<Routed>,
    file: &catalog::ModelFile,
    schema: Option<catalog::SchemaConfig>,
) -> RoutedJob {
    RoutedJob {
        endpoint: endpoint.clone(),
        routed: Arc::clone(routed),
        limits: limits_of(&file.manifest),
        file: file.clone(),
        schema,
    }
}

/// What a model will take, as far as one can tell before it is there.
fn room_of(routed: &Routed, file: &catalog::ModelFile) -> Room {
    let unknown = || file.size_bytes.saturating_mul(UNKNOWN_TIMES) + UNKNOWN_SESSION_BYTES;
    let bytes = routed.known().map_or_else(unknown, |known| known.footprint_bytes() as u64);
    Room { bytes, sessions: file.manifest.limits.sessions.max(1) }
}

fn sessions_of(model: &Model) -> usize {
    if model.description().stateless { model.limits().sessions.max(1) } else { 1 }
}
