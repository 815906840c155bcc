//! Whether the host, an endpoint or a model can answer now.

use front::{Caller, InferError, NotFound, Readiness};

use super::{PAUSED, names_of};
use crate::endpoint::{Endpoint, PartReport};
use crate::host::Shared;
use crate::stage::State;

impl Shared {
    pub(super) fn readiness(&self, caller: &Caller) -> Readiness {
        if let Some(obstacle) = self.storage.obstacle() {
            // Which brokers there are is no tenant's business.
            let away = || "the stream is away".to_owned();
            return Readiness::NotReady(caller.tenant.as_ref().map_or(obstacle, |_| away()));
        }
        let endpoints = self.endpoints.load();
        let mut visible = endpoints.values().filter(|it| caller.sees(it.name.as_str())).peekable();
        let waiting = self.waiting.load();
        if let Some((name, why)) = waiting.iter().find(|(name, _)| caller.sees(name.as_str())) {
            // What the brokers say is no tenant's business.
            let why = if caller.tenant.is_none() { why } else { "its topics are not open yet" };
            return Readiness::NotReady(format!("{name}: {why}"));
        }
        if visible.peek().is_none() {
            return Readiness::NotReady("there is no endpoint".into());
        }
        let waiting = visible.find_map(|endpoint| match endpoint_readiness(endpoint) {
            Readiness::Ready => None,
            Readiness::NotReady(reason) => Some(format!("{}: {reason}", endpoint.name)),
        });
        waiting.map_or(Readiness::Ready, Readiness::NotReady)
    }
}

pub(super) fn endpoint_readiness(endpoint: &Endpoint) -> Readiness {
    let live = endpoint.live.load();
    let can_answer = live.members.iter().any(|member| member.lane == sandbox::Lane::Live);
    if live.paused {
        return Readiness::NotReady(PAUSED.into());
    }
    if !live.settled {
        return Readiness::NotReady("its models are loading".into());
    }
    let is_outside = |part: &PartReport| {
        let position = live.roster.position(part.model.as_str());
        part.state == State::External && position.is_some_and(|it| live.roster.can_answer(it))
    };
    // What is cold is there when it is wanted.
    let can_answer = can_answer || endpoint.parts.load().iter().any(is_outside);
    if can_answer || !live.routed.is_empty() || live.default.is_some() {
        Readiness::Ready
    } else {
        Readiness::NotReady("no model that may answer is live, and there is no default".into())
    }
}

pub(super) fn model_readiness(endpoint: &Endpoint, model: &str) -> Result<Readiness, NotFound> {
    let parts = endpoint.parts.load();
    match parts.iter().find(|part| part.model.as_str() == model) {
        None => Err(NotFound::Model { known: names_of(endpoint) }),
        Some(part) => match part.state_now() {
            // Asking a cold model is what loads it, so nobody may wait until it is warm.
            State::Live | State::Cold | State::Demoted(_) | State::External => Ok(Readiness::Ready),
            State::Loading if part.routed.is_some() => Ok(Readiness::Ready),
            state => Ok(Readiness::NotReady(state.to_string())),
        },
    }
}

pub(super) fn unavailable(endpoint: &Endpoint, model: &str) -> InferError {
    let parts = endpoint.parts.load();
    match parts.iter().find(|part| part.model.as_str() == model) {
        Some(part) if part.external.is_some() => {
            InferError::NotReady { reason: "it is external, and cannot be asked by itself".into() }
        }
        Some(part) => InferError::NotReady { reason: part.state_now().to_string() },
        None => InferError::UnknownModel { known: names_of(endpoint) },
    }
}
