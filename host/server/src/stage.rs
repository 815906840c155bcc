//! One endpoint as the supervisor sees it: which revision of each model runs, waits or rests.
//!
//! A stage changes nothing by itself: it is told what happened, and makes the next [`Live`] of it.

mod part;
mod roster;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;

use catalog::{EndpointSpec, ModelFile};
use message::{ModelName, Revision, Time};

pub(crate) use part::{Part, State, Verdict};
pub(crate) use roster::{empty_live, limits_of, role_name};

use crate::endpoint::{Endpoint, PartReport};
use crate::live::{Live, LiveMember};

/// One endpoint with everything that it runs.
pub(crate) struct Stage {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) driver: JoinHandle<()>,
    pub(crate) spec: Arc<EndpointSpec>,
    pub(crate) parts: BTreeMap<ModelName, Part>,
    /// Whether every model that was there at the start has been loaded or refused.
    pub(crate) settled: bool,
}

impl Stage {
    /// A model's file is there, or has changed: it has to be loaded.
    pub(crate) fn want(&mut self, model: &ModelName, file: ModelFile) {
        let rolls_back = self.spec.config.quarantine.rollback;
        let part =
            self.parts.entry(model.clone()).or_insert_with(|| Part::new(file.clone(), rolls_back));
        part.want(file);
    }

    /// A model's file has gone. Gives back what ran.
    pub(crate) fn drop_model(&mut self, model: &ModelName) -> Vec<LiveMember> {
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
        let limits = roster::quarantine_limits(&self.spec.config);
        let left = match self.parts.get_mut(model) {
            Some(part) if part.wants(member.identity.revision) => part.accept(now, member, limits),
            _ => Some(member),
        };
        self.look_whether_settled();
        left
    }

    /// The part that plays this incarnation at the moment.
    pub(crate) fn part_of(&mut self, incarnation: u64) -> Option<(&ModelName, &mut Part)> {
        self.parts.iter_mut().find(|(_, part)| part.plays(incarnation))
    }

    /// What the endpoint is from now on.
    pub(crate) fn live(&self) -> Live {
        roster::live_of(&self.spec, &self.parts, self.settled)
    }

    /// Where each model stands.
    pub(crate) fn report(&self) -> Vec<PartReport> {
        let report = |(name, part): (&ModelName, &Part)| PartReport {
            model: name.clone(),
            role: self.spec.config.roles.of(name),
            state: part.state(),
            revision: part.member().map_or(part.file().revision, |(it, _)| it.identity.revision),
            note: part.note(),
        };
        self.parts.iter().map(report).collect()
    }

    fn look_whether_settled(&mut self) {
        self.settled =
            self.settled || self.parts.values().all(|part| !matches!(part.state(), State::Loading));
    }
}
