//! What the extensions of the protocol ask: statistics, and the repository of models.

use front::{
    Caller, Change, Declined, IndexEntry, IndexState, InferError, MemoryUsage, ModelStatistics,
    NotFound, Operation, RepositoryChange, Terms,
};

use super::names_of;
use crate::endpoint::{Endpoint, PartReport};
use crate::host::Shared;
use crate::live::LiveMember;
use crate::operations;
use crate::stage::State;

impl Shared {
    /// What the models have done that `name` and `model` leave.
    pub(super) fn statistics_of(
        &self,
        caller: &Caller,
        name: Option<&str>,
        model: Option<&str>,
    ) -> Result<Vec<ModelStatistics>, NotFound> {
        let endpoints = self.endpoints.load();
        let Some(name) = name else {
            let seen = endpoints.values().filter(|endpoint| caller.sees(endpoint.name.as_str()));
            return Ok(seen.flat_map(|endpoint| of_endpoint(endpoint, None)).collect());
        };
        let endpoint = self.visible_endpoint(caller, name)?;
        let statistics = of_endpoint(&endpoint, model);
        if statistics.is_empty() && model.is_some() {
            return Err(NotFound::Model { known: names_of(&endpoint) });
        }
        Ok(statistics)
    }

    /// The models of the endpoints that the caller sees.
    pub(super) fn index(&self, caller: &Caller) -> Vec<IndexEntry> {
        let endpoints = self.endpoints.load();
        let seen = endpoints.values().filter(|endpoint| caller.sees(endpoint.name.as_str()));
        let entries = seen.flat_map(|endpoint| {
            let (parts, paused) = (endpoint.parts.load(), endpoint.live.load().paused);
            parts.iter().map(|part| entry(endpoint, part, paused)).collect::<Vec<_>>()
        });
        entries.collect()
    }
}

/// Loads and unloads as what they are here: files of the endpoint that say that a model, or all of
/// it, is paused, and components that are put beside them.
pub(super) fn change(
    shared: &Shared,
    caller: &Caller,
    name: &str,
    model: Option<&str>,
    change: RepositoryChange,
) -> Result<(), InferError> {
    let model = model.map(str::to_owned);
    let operations = match (change, model) {
        (RepositoryChange::Unload, model) => vec![Operation::Pause { model }],
        (RepositoryChange::Load { component: None }, model) => vec![Operation::Resume { model }],
        (RepositoryChange::Load { component: Some(wasm) }, Some(model)) => {
            let endpoint = shared.endpoint(name);
            let was_paused = endpoint.is_some_and(|endpoint| is_paused(&endpoint, &model));
            let resume = was_paused.then(|| Operation::Resume { model: Some(model.clone()) });
            [Operation::Stage { model, wasm }].into_iter().chain(resume).collect()
        }
        (RepositoryChange::Load { component: Some(_) }, None) => {
            let message = "version: found none, expected the model that the file is to be";
            return Err(super::invalid(message));
        }
    };
    for operation in operations {
        let terms = Terms { why: Some(WHY.to_owned()), ..Terms::default() };
        let change = Change { endpoint: name.to_owned(), operation, terms };
        operations::change(shared, caller, change).map_err(error_of)?;
    }
    Ok(())
}

fn is_paused(endpoint: &Endpoint, model: &str) -> bool {
    let parts = endpoint.parts.load();
    parts.iter().any(|part| part.model.as_str() == model && part.state == State::Paused)
}

/// Why a change was made that came over the protocol, as its event says.
const WHY: &str = "asked for over the model repository extension";

fn error_of(declined: Declined) -> InferError {
    match declined {
        Declined::NotFound(NotFound::Endpoint { known }) => InferError::UnknownEndpoint { known },
        Declined::NotFound(NotFound::Model { known }) => InferError::UnknownModel { known },
        Declined::Invalid { message } => InferError::Invalid { message },
        Declined::Conflict { document } => {
            let message = document["error"].as_str().unwrap_or("it cannot be changed now");
            InferError::Conflict { message: message.to_owned() }
        }
        Declined::Failed { message } => {
            tracing::error!(error = message, "the repository cannot be changed");
            InferError::Internal
        }
    }
}

fn of_endpoint(endpoint: &Endpoint, model: Option<&str>) -> Vec<ModelStatistics> {
    let live = endpoint.live.load();
    let wanted = |member: &&LiveMember| model.is_none_or(|it| it == member.identity.model.as_str());
    live.members.iter().filter(wanted).map(|member| of_member(endpoint, member)).collect()
}

fn of_member(endpoint: &Endpoint, member: &LiveMember) -> ModelStatistics {
    let counts = member.identity.meter.statistics.counts();
    let bytes = member.model.footprint_bytes() as u64;
    ModelStatistics {
        endpoint: endpoint.name.to_string(),
        model: member.identity.model.to_string(),
        last_inference: counts.last,
        inferences: counts.infer.count,
        executions: member.worker.stats().calls,
        success: counts.success,
        fail: counts.fail,
        queue: counts.queue,
        compute_infer: counts.infer,
        batches: counts.batches(),
        memory: vec![MemoryUsage { kind: "CPU".into(), bytes }],
    }
}

fn entry(endpoint: &Endpoint, part: &PartReport, is_paused: bool) -> IndexEntry {
    let state = part.state_now();
    let (state, reason) = match &state {
        State::Live | State::Cold | State::External if is_paused => {
            (IndexState::Unavailable, super::PAUSED.to_owned())
        }
        // Asking a cold model is what loads it.
        State::Live | State::Cold | State::External => {
            (IndexState::Ready, part.note.clone().unwrap_or_default())
        }
        State::Loading => (IndexState::Loading, state.to_string()),
        other => (IndexState::Unavailable, other.to_string()),
    };
    let (endpoint, model) = (endpoint.name.to_string(), part.model.to_string());
    IndexEntry { endpoint, model, state, reason }
}
