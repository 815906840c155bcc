//! What the extensions of the protocol ask: statistics, and the repository of models.

use front::{Caller, IndexEntry, IndexState, InferError, MemoryUsage, ModelStatistics, NotFound};

use super::names_of;
use crate::endpoint::{Endpoint, PartReport};
use crate::host::Shared;
use crate::live::LiveMember;
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
            let parts = endpoint.parts.load();
            parts.iter().map(|part| entry(endpoint, part)).collect::<Vec<_>>()
        });
        entries.collect()
    }
}

/// What is said where loading and unloading are not offered.
pub(super) fn unsupported() -> InferError {
    InferError::Unsupported { what: "load and unload models for callers of the protocol".into() }
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

fn entry(endpoint: &Endpoint, part: &PartReport) -> IndexEntry {
    let state = part.state_now();
    let (state, reason) = match &state {
        // Asking a cold model is what loads it.
        State::Live | State::Cold => (IndexState::Ready, part.note.clone().unwrap_or_default()),
        State::Loading => (IndexState::Loading, state.to_string()),
        other => (IndexState::Unavailable, other.to_string()),
    };
    let (endpoint, model) = (endpoint.name.to_string(), part.model.to_string());
    IndexEntry { endpoint, model, state, reason }
}
