//! From parts and configuration to a roster with its workers.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use catalog::{EndpointConfig, EndpointSpec, ModelManifest, PolicyConfig};
use message::{ModelName, Role, Tensor};
use rendezvous::quarantine::QuarantineLimits;
use rendezvous::{Member, MemberIndex, Policy, Preference, Preferred, Roster};
use sandbox::lanes::Lane;
use sandbox::{ModelLimits, TensorType};

use super::Part;
use crate::inputs::{Inputs, forms};
use crate::live::{Live, LiveMember};

/// Makes the roster. Models that do not run yet have a place on it and are passed over, so that the
/// reason of an answer tells of them.
pub(super) fn live_of(
    spec: &EndpointSpec,
    parts: &BTreeMap<ModelName, Part>,
    settled: bool,
) -> Live {
    let config = &spec.config;
    let members: Vec<Member> =
        parts.iter().map(|(name, part)| member_of(config, name, part)).collect();
    let probed: Vec<&ModelName> =
        parts.iter().filter(|(_, part)| part.is_probed()).map(|(name, _)| name).collect();
    let roster = Arc::new(roster_of(config, members, &probed));
    let mut live_members = Vec::new();
    let mut by_incarnation = HashMap::new();
    for (name, part) in parts {
        let (Some((member, true)), Some(position)) =
            (part.member(), roster.position(name.as_str()))
        else {
            continue;
        };
        let lane = if roster.can_answer(position) { Lane::Live } else { Lane::Shadow };
        member.worker.set_lane(lane);
        by_incarnation.insert(member.identity.incarnation, position);
        let role = config.roles.of(name);
        live_members.push(LiveMember { lane, role, ..member.clone() });
    }
    // Shadows come last, so that a model that can answer never waits for one that cannot.
    live_members.sort_by_key(|member| member.lane == Lane::Shadow);
    Live {
        inputs: Inputs::of(
            ranked(&roster, &live_members).map(|it| &it.model.description().inputs[..]),
        ),
        outputs: outputs_of(&roster, &live_members),
        default: default_of(config, &roster, &live_members),
        roster,
        members: live_members,
        by_incarnation,
        deadline: config.deadline,
        key_input: config.key.clone(),
        paused: config.paused,
        settled,
    }
}

/// What the endpoint is before any model of it runs.
pub(crate) fn empty_live(spec: &EndpointSpec) -> Live {
    live_of(spec, &BTreeMap::new(), spec.models.is_empty() && spec.coming.is_empty())
}

/// The limits of one model, as its manifest says them.
pub(crate) fn limits_of(manifest: &ModelManifest) -> ModelLimits {
    let limits = &manifest.limits;
    let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    ModelLimits {
        memory_bytes: bytes(limits.memory_bytes),
        cpu_budget: limits.cpu,
        wall_backstop: limits.wall,
        result_bytes: bytes(limits.result_bytes),
        sessions: limits.sessions,
        ..ModelLimits::default()
    }
}

/// When a revision of this endpoint rests.
pub(super) fn quarantine_limits(config: &EndpointConfig) -> QuarantineLimits {
    let settings = &config.quarantine;
    QuarantineLimits {
        window: settings.window,
        faults: settings.faults as u64,
        backoff_first: settings.backoff_first,
        backoff_longest: settings.backoff_longest,
        ..QuarantineLimits::default()
    }
}

fn member_of(config: &EndpointConfig, name: &ModelName, part: &Part) -> Member {
    let (incarnation, live) =
        part.member().map_or((0, false), |(member, asked)| (member.identity.incarnation, asked));
    let role = config.roles.of(name).filter(|_| !part.is_probed());
    Member { name: name.clone(), revision: incarnation, role, live }
}

fn roster_of(config: &EndpointConfig, members: Vec<Member>, probed: &[&ModelName]) -> Roster {
    // The rendezvous knows orders only, so far.
    let order = match &config.policy.choice {
        PolicyConfig::Preference(preference) => preference.order.as_slice(),
        PolicyConfig::Split(_) | PolicyConfig::Ensemble(_) => &[],
    };
    // A probed model scores like a staged one: what it says decides its own fate, and no answer.
    let known: Vec<&ModelName> =
        members.iter().map(|member| &member.name).filter(|name| !probed.contains(name)).collect();
    let order = order
        .iter()
        .filter(|preferred| known.contains(&&preferred.model))
        .map(|preferred| Preferred { model: preferred.model.clone(), until: preferred.until })
        .collect();
    let policy = Policy::Preference(Preference { order, default: config.policy.default.is_some() });
    Roster::new(members.clone(), policy).unwrap_or_else(|error| {
        // The catalog has refused every policy that could lead here.
        tracing::error!(%error, "a checked policy does not fit its roster");
        let nothing = Policy::Preference(Preference::default());
        Roster::new(members, nothing).expect("invariant: an empty order fits any roster")
    })
}

fn ranked<'a>(
    roster: &'a Roster,
    members: &'a [LiveMember],
) -> impl Iterator<Item = &'a LiveMember> {
    let named = |member: MemberIndex| roster.member(member).map(|member| &member.name);
    roster.order().iter().filter_map(move |place| {
        let name = named(place.member)?;
        members.iter().find(|member| member.identity.model == *name)
    })
}

fn outputs_of(roster: &Roster, members: &[LiveMember]) -> Vec<TensorType> {
    let best = ranked(roster, members).next().or_else(|| members.first());
    best.map(|member| member.model.description().outputs.clone()).unwrap_or_default()
}

fn default_of(
    config: &EndpointConfig,
    roster: &Roster,
    members: &[LiveMember],
) -> Option<Vec<Tensor>> {
    let default = config.policy.default.as_ref()?;
    let declared = forms(&outputs_of(roster, members));
    // Where a default contradicts the models it is taken as it stands in the file.
    catalog::default_outputs(default, &declared)
        .or_else(|error| {
            tracing::warn!(%error, "the default does not fit what the models declare");
            catalog::default_outputs(default, &[])
        })
        .ok()
}

/// The role of a model, as people write it.
pub(crate) fn role_name(role: Option<Role>) -> &'static str {
    role.map_or("staged", Role::name)
}
