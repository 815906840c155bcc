//! The task loop that owns every roster: it hears of the folder, of loads and of faults, and
//! publishes what each endpoint is from now on.
//!
//! One thread, one closed set of orders. Nothing it does waits for a model: loading is the loader's.

mod endpoints;
mod journal;
mod opening;
mod routed;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use catalog::{Catalog, Change};
use message::{EndpointName, Time};
use sandbox::How;
use sandbox::lanes::{Attach, Lane, Lanes};
use stream::Stream;
use tokio::sync::oneshot;

use crate::abort::AbortOnPanic;
use crate::clock;
use crate::drivers::flow::FlowHandle;
use crate::drivers::housekeeper::Housekeeper;
use crate::drivers::loader::{Done, LoadJob, Loaded, Loader, Warm};
use crate::endpoint::Event;
use crate::host::Shared;
use crate::inbox::Inbox;
use crate::journal::Journal;
use crate::live::{Identity, LiveMember, TrackRecord, next_incarnation};
use crate::sink::DriverSink;
use crate::stage::{Calls, Stage, Turn, limits_of};

pub(crate) use endpoints::flow_problem;
pub(crate) use opening::{Opening, Tried};
pub(crate) use routed::{Departure, Visitor, Wings};

/// What the supervisor can be told.
pub(crate) enum Order {
    /// The folder was looked at.
    Catalog(Arc<Catalog>),
    /// Something of a load has ended.
    Done(Done),
    /// Requests wait for routed models that are not in memory.
    Wanted(EndpointName, Vec<u64>),
    /// Somebody wants to ask a routed model by itself.
    Visit(EndpointName, u64, Visitor),
    /// The memory of a routed model is free.
    Gone(u64),
    /// How the calls of some revisions of an endpoint went.
    Calls(EndpointName, Vec<Calls>),
    /// The topics of an endpoint are open, or cannot be opened yet.
    Tried(Box<Tried>),
    /// The host has another way to its stream than before.
    Renewed,
    /// Stop every endpoint, then end.
    Stop(oneshot::Sender<()>),
}

/// Owns every roster.
pub(crate) struct Supervisor {
    pub(crate) shared: Arc<Shared>,
    pub(crate) lanes: Lanes,
    pub(crate) stream: Arc<dyn Stream>,
    pub(crate) loader: Loader,
    pub(crate) housekeeper: Housekeeper,
    pub(crate) inbox: Arc<Inbox<Order>>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) wings: Wings,
    /// Members of models that are gone, until their endpoint is published.
    pub(crate) leaving: Vec<LiveMember>,
    pub(crate) stages: BTreeMap<EndpointName, Stage>,
    /// Endpoints whose topics are not open yet.
    pub(crate) opening: BTreeMap<EndpointName, Opening>,
    /// The topics of endpoints that are about to be taken up.
    pub(crate) journals: BTreeMap<EndpointName, Journal>,
    /// How often it was begun to open topics.
    pub(crate) attempts: u64,
    /// Told when the endpoints of the first catalog are there.
    pub(crate) opened: Option<oneshot::Sender<()>>,
}

impl Supervisor {
    /// Runs until it is told to stop.
    pub(crate) fn run(mut self) {
        let _guard = AbortOnPanic;
        let mut orders = Vec::new();
        loop {
            let now = clock::now();
            let due = self.poll_timeout().map(|due| clock::moment_of(due, now));
            self.inbox.take(&mut orders, due);
            let now = clock::now();
            for order in orders.drain(..) {
                match order {
                    Order::Catalog(catalog) => self.handle_catalog(now, catalog),
                    Order::Done(Done::Loaded(loaded)) => self.handle_loaded(now, loaded),
                    Order::Done(Done::Checked(checked)) => self.handle_checked(now, checked),
                    Order::Done(Done::Recalled(recalled)) => self.handle_recalled(now, recalled),
                    Order::Wanted(endpoint, wanted) => self.handle_wanted(now, &endpoint, wanted),
                    Order::Visit(endpoint, model, visitor) => {
                        self.handle_visit(now, &endpoint, model, visitor);
                    }
                    Order::Gone(model) => self.handle_gone(model),
                    Order::Calls(endpoint, calls) => self.handle_calls(now, &endpoint, &calls),
                    Order::Tried(tried) => self.handle_tried(now, *tried),
                    Order::Renewed => self.handle_renewed(now),
                    Order::Stop(done) => return self.stop(done),
                }
            }
            self.handle_timeout(now);
            self.handle_routed_timeout(now);
        }
    }

    fn handle_catalog(&mut self, now: Time, catalog: Arc<Catalog>) {
        let changes = catalog::diff(&self.catalog, &catalog);
        self.shared.set_problems(&catalog.problems);
        let before = std::mem::replace(&mut self.catalog, catalog);
        if before.problems != self.catalog.problems {
            self.catalog.problems.iter().for_each(|problem| tracing::warn!("{problem}"));
        }
        self.note_changes(now, &before, &changes);
        self.take_changes(now, changes);
        if let Some(opened) = self.opened.take() {
            // Nobody listens where the start was given up.
            let _gone = opened.send(());
        }
    }

    /// Carries out changes of the folder, and publishes what comes of them.
    fn take_changes(&mut self, now: Time, changes: Vec<Change>) {
        let mut touched: Vec<EndpointName> = Vec::new();
        for change in changes {
            if let Some(endpoint) = self.handle_change(now, change) {
                touched.push(endpoint);
            }
        }
        touched.extend(self.tell_stages());
        self.load_no_more_routed();
        touched.dedup();
        for endpoint in touched {
            let leaving = std::mem::take(&mut self.leaving);
            self.publish(&endpoint, leaving);
        }
    }

    /// Carries out one change of the folder, and returns the endpoint whose roster it changes.
    fn handle_change(&mut self, now: Time, change: Change) -> Option<EndpointName> {
        match change {
            Change::EndpointAdded { endpoint } => self.add_endpoint(now, &endpoint),
            Change::EndpointRemoved { endpoint } => {
                self.give_up_opening(&endpoint);
                self.remove_endpoint(&endpoint);
                None
            }
            Change::ConfigChanged { endpoint } => {
                self.take_spec(&endpoint);
                Some(endpoint)
            }
            Change::ManifestChanged { endpoint, model } => {
                self.take_spec(&endpoint);
                if self.stages.get_mut(&endpoint)?.remark(&model) {
                    self.load(&endpoint, &model);
                }
                Some(endpoint)
            }
            Change::ModelAdded { endpoint, model, .. }
            | Change::ModelChanged { endpoint, model, .. } => {
                self.take_spec(&endpoint);
                self.load(&endpoint, &model);
                Some(endpoint)
            }
            Change::ModelRemoved { endpoint, model, .. } => {
                self.take_spec(&endpoint);
                let stage = self.stages.get_mut(&endpoint)?;
                self.leaving.extend(stage.drop_model(&model));
                Some(endpoint)
            }
        }
    }

    fn handle_loaded(&mut self, now: Time, loaded: Loaded) {
        let Loaded { endpoint, model, revision, took, result } = loaded;
        let who = Some((&model, Some(revision)));
        match result {
            Err(reason) => {
                tracing::warn!(%endpoint, %model, revision = %revision.short(), reason, "model refused");
                self.note(now, &endpoint, who, "refused", &reason);
                if let Some(stage) = self.stages.get_mut(&endpoint) {
                    stage.refuse(&model, revision, reason);
                }
            }
            Ok(warm) => {
                let found = match warm.model.loaded() {
                    How::Compiled { .. } => "compiled",
                    How::Cached { .. } => "found compiled",
                };
                let ms = took.as_millis();
                let detail =
                    format!("{found}, ready after {ms} ms, warmed on {} requests", warm.requests);
                tracing::info!(%endpoint, %model, revision = %revision.short(), detail, "model live");
                self.note(now, &endpoint, who, "live", &detail);
                let member = self.attach(&endpoint, &model, revision, warm);
                let left = match (self.stages.get_mut(&endpoint), member) {
                    (Some(stage), Some(member)) => stage.accept(now, &model, member),
                    (_, member) => member,
                };
                self.publish(&endpoint, left.into_iter().collect());
                return;
            }
        }
        self.publish(&endpoint, Vec::new());
    }

    fn handle_calls(&mut self, now: Time, endpoint: &EndpointName, calls: &[Calls]) {
        let Some(stage) = self.stages.get_mut(endpoint) else { return };
        let happened: Vec<_> =
            calls.iter().filter_map(|calls| stage.handle_calls(now, calls)).collect();
        let fates: Vec<_> =
            calls.iter().filter_map(|calls| stage.handle_routed_calls(now, calls)).collect();
        self.note_fates(now, endpoint, fates);
        let mut leaving = Vec::new();
        let mut roster_changes = false;
        for (model, turns) in happened {
            for (turn, why) in turns {
                let what = turn.name();
                tracing::warn!(%endpoint, %model, why, "model {what}");
                let off = match &turn {
                    Turn::RolledBack(member) => Some(member.identity.revision),
                    _ => None,
                };
                self.note_turn(now, endpoint, &model, off, what, &why);
                if let Turn::RolledBack(member) = turn {
                    leaving.push(*member);
                }
                roster_changes = true;
            }
        }
        if roster_changes {
            self.publish(endpoint, leaving);
        }
    }

    fn handle_timeout(&mut self, now: Time) {
        let mut probed = Vec::new();
        for (name, stage) in &mut self.stages {
            let over = stage.parts.iter_mut().filter_map(|(model, part)| {
                part.handle_timeout(now).then(|| (name.clone(), model.clone()))
            });
            probed.extend(over);
        }
        for (name, stage) in &mut self.stages {
            let over = stage.externals.handle_timeout(now);
            probed.extend(over.into_iter().map(|model| (name.clone(), model)));
            if stage.routed.handle_timeout(now) {
                self.wings.publish_soon(now, name);
            }
        }
        for (endpoint, model) in &probed {
            self.note(now, endpoint, Some((model, None)), "probed", "");
        }
        probed.dedup_by(|one, other| one.0 == other.0);
        for (endpoint, _) in probed {
            self.publish(&endpoint, Vec::new());
        }
    }

    fn poll_timeout(&self) -> Option<Time> {
        let parts = self.stages.values().flat_map(|stage| stage.parts.values());
        let routed = self.stages.values().filter_map(|stage| stage.routed.poll_timeout());
        let parts = parts.filter_map(|part| part.poll_timeout());
        let externals = self.stages.values().filter_map(|stage| stage.externals.poll_timeout());
        parts.chain(externals).chain(routed).chain(self.wings.poll_timeout()).min()
    }

    /// Hands a model's wanted file to the loader.
    fn load(&mut self, endpoint: &EndpointName, model: &message::ModelName) {
        let Some(stage) = self.stages.get_mut(endpoint) else { return };
        let Some(file) = stage.spec.models.get(model).cloned() else { return };
        if stage.is_routed(model) {
            return stage.want_routed(model, file);
        }
        stage.want(model, file.clone());
        self.loader.load(LoadJob {
            endpoint: endpoint.clone(),
            model: model.clone(),
            limits: limits_of(&file.manifest),
            file,
            schema: stage.spec.config.schema.clone(),
            live: stage.endpoint.live.load_full(),
            requests: Arc::clone(&stage.endpoint.journal.requests[0]),
            warm_up_requests: stage.spec.config.warm_up_requests,
        });
    }

    fn attach(
        &self,
        endpoint: &EndpointName,
        model: &message::ModelName,
        revision: message::Revision,
        warm: Warm,
    ) -> Option<LiveMember> {
        let stage = self.stages.get(endpoint)?;
        let identity = Arc::new(Identity {
            model: model.clone(),
            revision,
            incarnation: next_incarnation(),
            meter: stage.endpoint.meter.model(model),
            warmed: warm.requests,
            record: TrackRecord::default(),
        });
        let manifest = stage.spec.models.get(model).map(|file| &file.manifest);
        let manifest = manifest.cloned().unwrap_or_default();
        let config = &stage.spec.config.limits;
        let options = Attach {
            lane: Lane::Shadow,
            queue_limit: manifest.limits.queue.unwrap_or(config.queue),
            batch: manifest.limits.batch.unwrap_or(config.batch),
            sessions: manifest.limits.sessions,
        };
        let sink = DriverSink::new(&stage.endpoint, &identity);
        let worker = self.lanes.attach(warm.model.clone(), options, Arc::new(sink));
        let worker = Arc::new(worker);
        let lane = Lane::Shadow;
        Some(LiveMember { identity, role: None, lane, model: warm.model, worker, probe: None })
    }

    /// Tells everybody what an endpoint is from now on. Those who leave drain when the driver knows.
    fn publish(&mut self, endpoint: &EndpointName, mut leaving: Vec<LiveMember>) {
        let Some(stage) = self.stages.get_mut(endpoint) else {
            // The endpoint has gone as well, and its driver has ended.
            return leaving.iter().for_each(|member| member.worker.retire());
        };
        let begun = Instant::now();
        leaving.extend(stage.take_hold());
        let left = stage.routed.take_left();
        let live = Arc::new(stage.live());
        let members = live.roster.members().len();
        stage.endpoint.live.store(Arc::clone(&live));
        stage.endpoint.inbox.push(Event::Live(live, leaving));
        // Last, so that whoever reads of a change and then calls is answered by it.
        stage.endpoint.parts.store(Arc::new(stage.report()));
        stage.endpoint.standing.tell(stage.heard());
        let us = begun.elapsed().as_micros() as u64;
        tracing::debug!(%endpoint, members, us, "roster published");
        let told = Arc::clone(&stage.endpoint);
        self.drop_routed(&told, left);
        self.check_routed(endpoint);
        self.look_after_flow(endpoint);
    }

    fn stop(mut self, done: oneshot::Sender<()>) {
        self.opening.clear();
        for stage in self.stages.values() {
            stage.flow.iter().for_each(FlowHandle::stop);
            stage.endpoint.inbox.push(Event::Stop);
        }
        for (name, stage) in std::mem::take(&mut self.stages) {
            if stage.driver.join().is_err() {
                tracing::error!(endpoint = %name, "the driver panicked");
            }
            stage.flow.into_iter().for_each(FlowHandle::join);
        }
        self.clear_wings();
        self.loader.stop();
        self.housekeeper.stop();
        self.lanes.shutdown();
        if let Err(error) = self.stream.sync() {
            tracing::error!(%error, "the stream could not be synced");
        }
        // Nobody listens where the host was dropped.
        let _gone = done.send(());
    }
}
