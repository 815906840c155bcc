//! Endpoints that come and go.

use std::sync::Arc;
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use catalog::flow::is_endpoint_topic;
use catalog::{EndpointLimits, Flow, FlowDelivery};
use message::{EndpointName, Time};

use super::Supervisor;
use crate::drivers::flow::FlowHandle;
use crate::drivers::recovery::{self, Recovery};
use crate::drivers::rendezvous::{Driver, DriverLimits};
use crate::endpoint::{Endpoint, Event};
use crate::inbox::Inbox;
use crate::stage::{Stage, empty_live, topic_options};
use crate::standing::Standing;

/// Why a flow cannot be, if so.
pub(crate) fn flow_problem(flow: &Flow, name: &EndpointName) -> Option<String> {
    if let Some(topic) = flow.foreign_topic(name) {
        return Some(format!(
            "flow: found topic {topic:?}, expected topics of the endpoint's tenant"
        ));
    }
    let source = flow.source.as_deref()?;
    let (endpoint, _) = source.rsplit_once('/').filter(|_| is_endpoint_topic(source))?;
    (endpoint == name.as_str())
        .then(|| format!("flow: found source {source:?}, expected no topic of the endpoint itself"))
}

/// Why answers cannot be delivered as a flow asks for it, if so.
fn delivery_problem(flow: &Flow, is_shared: bool) -> Option<String> {
    let expected = match (flow.delivery, flow.source.is_some(), is_shared) {
        (FlowDelivery::AtLeastOnce, ..) | (_, true, true) => return None,
        (_, false, _) => "a source beside it",
        (_, true, false) => "the backend \"kafka\" in the host's [stream]",
    };
    Some(format!("flow: found delivery \"exactly-once\", expected {expected}"))
}

impl Supervisor {
    /// Opens the topics of a new endpoint, recovers what an earlier life left, and starts its
    /// driver and its loads.
    pub(super) fn add_endpoint(&mut self, now: Time, name: &EndpointName) -> Option<EndpointName> {
        let spec = Arc::clone(self.catalog.endpoints.get(name)?);
        let options = topic_options(&spec.config);
        let journal = self.journal_of(name, &options)?;
        let endpoint = Arc::new(Endpoint {
            name: name.clone(),
            inbox: Inbox::new(self.shared.limits.waiting_asks),
            live: ArcSwap::from_pointee(empty_live(&spec)),
            parts: ArcSwap::default(),
            standing: Standing::new(Arc::clone(&spec)),
            journal,
            topics: Arc::clone(&self.shared.topics),
            replies: self.shared.replies.clone(),
            meter: self.shared.meter.endpoint(name),
        });
        let driver = match self.start_driver(&endpoint, &spec.config.limits) {
            Ok(driver) => driver,
            Err(error) => {
                tracing::error!(endpoint = %name, error, "the endpoint cannot be started");
                return None;
            }
        };
        self.stages
            .insert(name.clone(), Stage::new(endpoint, driver, spec, self.stream.is_shared()));
        self.note(now, name, None, "endpoint-added", "");
        self.publish_endpoints();
        Some(name.clone())
    }

    /// Stops an endpoint: what was accepted is answered, then its driver ends.
    pub(super) fn remove_endpoint(&mut self, name: &EndpointName) {
        let Some(stage) = self.stages.remove(name) else { return };
        self.publish_endpoints();
        stage.flow.iter().for_each(FlowHandle::stop);
        stage.endpoint.inbox.push(Event::Stop);
        if stage.driver.join().is_err() {
            tracing::error!(endpoint = %name, "the driver panicked");
        }
        self.forget_routed(name);
        stage.flow.into_iter().for_each(FlowHandle::join);
        let members = stage.parts.into_values().flat_map(|part| part.into_members());
        members.for_each(|member| member.worker.retire());
        tracing::info!(endpoint = %name, "endpoint removed");
    }

    /// Takes over what the catalog says of an endpoint.
    pub(super) fn take_spec(&mut self, name: &EndpointName) {
        let spec = self.catalog.endpoints.get(name);
        if let (Some(stage), Some(spec)) = (self.stages.get_mut(name), spec) {
            stage.take_spec(Arc::clone(spec));
        }
    }

    /// Tells every endpoint what the catalog says of it, and names those that this settles.
    pub(super) fn tell_stages(&mut self) -> Vec<EndpointName> {
        let mut settled = Vec::new();
        for (name, stage) in &mut self.stages {
            let spec = self.catalog.endpoints.get(name);
            if spec.is_some_and(|spec| stage.hear(Arc::clone(spec))) {
                settled.push(name.clone());
            }
        }
        settled
    }

    /// Has an endpoint read the source that its configuration names, and no other.
    pub(super) fn look_after_flow(&mut self, name: &EndpointName) {
        let is_shared = self.stream.is_shared();
        let Some(stage) = self.stages.get_mut(name) else { return };
        let config = &stage.in_force.config;
        let flow = &config.flow;
        if stage.flow.as_ref().map(|running| &running.flow) == Some(flow) {
            return;
        }
        let before = stage.flow.take();
        before.iter().for_each(|before| before.give_way(flow));
        let problem = flow_problem(flow, name).or_else(|| delivery_problem(flow, is_shared));
        let is_news = stage.endpoint.meter.flow.set_problem(problem.clone());
        if let Some(problem) = problem.as_ref().filter(|_| is_news) {
            tracing::error!(endpoint = %name, problem, "the flow is not started");
        }
        // What others read too the driver reads itself, as a member of their group.
        if problem.is_some() || flow.source.is_none() || self.stream.is_shared() {
            // It ends by itself when it has been told.
            return;
        }
        let options = topic_options(config);
        match FlowHandle::start(&self.shared, &stage.endpoint, flow, options, before) {
            Ok(running) => stage.flow = Some(running),
            Err(error) => tracing::error!(endpoint = %name, %error, "the flow cannot be started"),
        }
    }

    fn publish_endpoints(&self) {
        let endpoints = self
            .stages
            .values()
            .map(|stage| (stage.endpoint.name.clone(), Arc::clone(&stage.endpoint)));
        self.shared.endpoints.store(Arc::new(endpoints.collect()));
    }

    fn start_driver(
        &self,
        endpoint: &Arc<Endpoint>,
        limits: &EndpointLimits,
    ) -> Result<JoinHandle<()>, String> {
        let recovery = match endpoint.journal.is_shared {
            true => None,
            false => Some(recover(endpoint)?),
        };
        let supervisor = Arc::clone(&self.inbox);
        let limits =
            DriverLimits { open_mailboxes: limits.open_mailboxes, score_grace: limits.score_grace };
        let driver = Driver::new(
            Arc::clone(endpoint),
            limits,
            recovery,
            &self.stream,
            supervisor,
            self.housekeeper.chores(),
        );
        let driver = driver.map_err(|error| error.to_string())?;
        std::thread::Builder::new()
            .name(format!("rendezvous-{}", endpoint.name))
            .spawn(move || driver.run())
            .map_err(|error| error.to_string())
    }
}

/// Finds out what an earlier life left behind.
fn recover(endpoint: &Endpoint) -> Result<Recovery, String> {
    let recovery = recovery::recover(&endpoint.journal, &endpoint.live.load())
        .map_err(|error| error.to_string())?;
    if !recovery.unanswered.is_empty() || recovery.unreadable > 0 {
        tracing::info!(
            endpoint = %endpoint.name,
            unanswered = recovery.unanswered.len(),
            unreadable = recovery.unreadable,
            "an earlier life left requests behind"
        );
    }
    Ok(recovery)
}
