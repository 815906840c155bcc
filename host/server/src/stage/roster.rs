//! From parts and configuration to a roster with its workers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use catalog::{EndpointConfig, EndpointSpec, ModelManifest};
use message::{ModelName, Role, Tensor};
use rendezvous::ensemble::can_combine;
use rendezvous::{Member, MemberIndex, Policy, Roster};
use sandbox::lanes::Lane;
use sandbox::{Known, ModelLimits, TensorType};
use stream::TopicOptions;

use super::demotion;
use super::external::{ExternalPart, ExternalParts};
use super::policy::policy_of;
use super::routed::Routing;
use super::{Part, RoutedParts};
use crate::external::External;
use crate::inputs::{Inputs, forms};
use crate::live::{Live, LiveMember};
use crate::routed::Routed;

/// Everybody who may have a place.
#[derive(Clone, Copy)]
pub(super) struct Cast<'a> {
    pub(super) parts: &'a BTreeMap<ModelName, Part>,
    pub(super) routed: &'a RoutedParts,
    pub(super) externals: &'a ExternalParts,
}

/// Makes the roster. Models that do not run yet have a place on it and are passed over, so that the
/// reason of an answer tells of them.
pub(super) fn live_of(spec: &EndpointSpec, cast: Cast<'_>, settled: bool) -> Live {
    let Cast { parts, routed, .. } = cast;
    let config = &spec.config;
    let roster = Arc::new(roster_of(spec, cast));
    let mut live_members = Vec::new();
    let mut by_incarnation = HashMap::new();
    let waits_of_models = demotion::waits(&policy_of(spec, roster.members()), config);
    let mut waits = HashMap::new();
    for (name, part) in parts {
        let (Some((member, true)), Some(position)) =
            (part.member(), roster.position(name.as_str()))
        else {
            continue;
        };
        let lane = if roster.can_answer(position) { Lane::Live } else { Lane::Shadow };
        member.worker.set_lane(lane);
        by_incarnation.insert(member.identity.incarnation, position);
        if let Some(wait) = waits_of_models.get(name) {
            waits.insert(member.identity.incarnation, *wait);
        }
        let (role, probe) = (config.roles.of(name), part.probe());
        live_members.push(LiveMember { lane, role, probe, ..member.clone() });
    }
    let externals = externals_of(&roster, cast.externals, &waits_of_models, &mut waits);
    let asked_routed = routed_of(&roster, routed);
    by_incarnation.extend(asked_routed.iter().map(|(position, it)| (it.incarnation(), *position)));
    // Shadows come last, so that a model that can answer never waits for one that cannot.
    live_members.sort_by_key(|member| member.lane == Lane::Shadow);
    let seats = seats_of(&roster, &live_members, &by_incarnation);
    let asked = |position: &usize| by_incarnation[&live_members[*position].identity.incarnation];
    let common: Vec<usize> =
        (0..live_members.len()).filter(|it| roster.is_common(asked(it))).collect();
    let pacing = pacing_of(&roster, &seats, &live_members);
    let company = Company { roster: &roster, seats: &seats, members: &live_members };
    let outputs = outputs_of(company, routed, &externals);
    let mut misfits = misfits(&roster, &seats, &live_members);
    let default = default_of(config, &outputs, &mut misfits);
    Live {
        inputs: inputs_of(company, routed, &externals),
        outputs,
        default,
        misfits,
        roster,
        members: live_members,
        common,
        seats,
        pacing,
        by_incarnation,
        routes: config.routes.clone(),
        flow: if config.flow.foreign_topic(&spec.name).is_none() {
            config.flow.clone()
        } else {
            catalog::Flow::default()
        },
        topic_options: topic_options(config),
        waits,
        nan_is_fault: config.quarantine.nan_is_fault,
        routed: asked_routed,
        externals,
        deadline: config.deadline,
        key_input: config.key.clone(),
        paused: config.paused,
        misfit_told: AtomicBool::new(false),
        settled,
    }
}

/// How the topics of an endpoint keep their records.
pub(crate) fn topic_options(config: &EndpointConfig) -> TopicOptions {
    let stream = &config.stream;
    TopicOptions {
        fsync: match stream.fsync {
            catalog::Fsync::None => stream::Fsync::None,
            catalog::Fsync::Interval(every) => stream::Fsync::Interval(every),
            catalog::Fsync::Each => stream::Fsync::Each,
        },
        segment_bytes: stream.segment_bytes,
        unsynced_limit_bytes: stream.unsynced_limit_bytes,
        record_limit_bytes: stream.record_limit_bytes,
        retention: stream::Retention {
            age: stream.retention.age,
            bytes: stream.retention.size_bytes,
            hard_bytes: stream.retention.hard_size_bytes,
        },
    }
}

/// What the endpoint is before any model of it runs.
pub(crate) fn empty_live(spec: &EndpointSpec) -> Live {
    let (parts, routed) = (BTreeMap::new(), RoutedParts::default());
    let nobody = ExternalParts::new(false);
    let cast = Cast { parts: &parts, routed: &routed, externals: &nobody };
    live_of(spec, cast, spec.models.is_empty() && spec.coming.is_empty())
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

/// The routed models as members: whether they are in memory does not matter. Those to which no route
/// leads yet are not asked, lest they be taken for staged ones.
fn routed_members(
    routing: &Routing,
    parts: &BTreeMap<ModelName, Part>,
    routed: &RoutedParts,
) -> impl Iterator<Item = Member> {
    let routed = routed.iter().filter(|(name, _)| !runs(parts, name));
    routed.map(|(name, part)| {
        let (revision, live) =
            part.member().map_or((0, false), |(routed, asked)| (routed.incarnation(), asked));
        let live = live && routing.pattern_of(name).is_some();
        Member { name: name.clone(), revision, role: None, live, muted: false }
    })
}

/// The routed models that are asked, by their numbers on the roster.
fn routed_of(roster: &Roster, routed: &RoutedParts) -> HashMap<MemberIndex, Arc<Routed>> {
    let asked = routed.iter().filter_map(|(name, part)| {
        let (routed, asked) = part.member()?;
        let position = roster.position(name.as_str()).filter(|_| asked)?;
        let is_it = roster.member(position)?.revision == routed.incarnation();
        is_it.then(|| (position, Arc::clone(routed)))
    });
    asked.collect()
}

/// The external models, with how long each of them is waited for.
fn externals_of(
    roster: &Roster,
    externals: &ExternalParts,
    waits_of_models: &BTreeMap<ModelName, Duration>,
    waits: &mut HashMap<u64, Duration>,
) -> BTreeMap<ModelName, Arc<External>> {
    let known = externals.iter().filter(|(name, _)| roster.position(name.as_str()).is_some());
    let of = |(name, part): (&ModelName, &ExternalPart)| {
        let (external, asked) = part.member();
        if let Some(wait) = waits_of_models.get(name).filter(|_| asked) {
            waits.insert(external.incarnation(), *wait);
        }
        (name.clone(), Arc::clone(external))
    };
    known.map(of).collect()
}

/// Whether a model is there for good. One that is to be is asked as a routed one until it is.
fn runs(parts: &BTreeMap<ModelName, Part>, name: &ModelName) -> bool {
    parts.get(name).is_some_and(|part| part.member().is_some())
}

fn roster_of(spec: &EndpointSpec, cast: Cast<'_>) -> Roster {
    let Cast { parts, routed, externals } = cast;
    let config = &spec.config;
    let kept = |name: &ModelName| runs(parts, name) || routed.get(name).is_none();
    let is_inside = |name: &ModelName| externals.get(name).is_none();
    let always = parts.iter().filter(|(name, _)| kept(name) && is_inside(name));
    let mut members: Vec<Member> =
        always.map(|(name, part)| member_of(config, name, part)).collect();
    members.extend(routed_members(&Routing::of(config), parts, routed));
    members.extend(externals.iter().map(|(name, part)| {
        let (external, live) = part.member();
        let (revision, muted) = (external.incarnation(), part.is_probed());
        Member { name: name.clone(), revision, role: config.roles.of(name), live, muted }
    }));
    // What is named and not there is passed over like what does not run.
    let is_missing = |name: &ModelName| {
        !parts.contains_key(name) && routed.get(name).is_none() && is_inside(name)
    };
    let missing = config.model_names().into_iter().filter(is_missing);
    members.extend(missing.map(|name| {
        let role = config.roles.of(&name);
        Member { name, revision: 0, role, live: false, muted: false }
    }));
    let mut policy = policy_of(spec, &members);
    let inside = parts.iter().filter(|(_, part)| part.is_demoted()).map(|(name, _)| name);
    let outside = externals.iter().filter(|(_, part)| part.is_demoted()).map(|(name, _)| name);
    demotion::give_way(&mut policy, &config.roles, &inside.chain(outside).collect::<Vec<_>>());
    Roster::new(members.clone(), policy).unwrap_or_else(|error| {
        // The catalog has refused every policy that could lead here.
        tracing::error!(%error, "a checked policy does not fit its roster");
        let default = config.policy.default.is_some();
        let nothing = Roster::new(members, Policy { default, ..Policy::default() });
        nothing.expect("invariant: an empty order fits any roster")
    })
}

fn member_of(config: &EndpointConfig, name: &ModelName, part: &Part) -> Member {
    let (incarnation, live) =
        part.member().map_or((0, false), |(member, asked)| (member.identity.incarnation, asked));
    let role = config.roles.of(name);
    // A probed model scores like a staged one: what it says decides its own fate, and no answer.
    let muted = part.is_probed();
    Member { name: name.clone(), revision: incarnation, role, live, muted }
}

/// Where each member of the roster stands among those that are asked.
fn seats_of(
    roster: &Roster,
    members: &[LiveMember],
    by_incarnation: &HashMap<u64, MemberIndex>,
) -> Vec<Option<u32>> {
    let mut seats = vec![None; roster.members().len()];
    for (position, member) in (0..).zip(members) {
        seats[by_incarnation[&member.identity.incarnation].as_usize()] = Some(position);
    }
    seats
}

/// Those of the roster who run here.
#[derive(Clone, Copy)]
struct Company<'a> {
    roster: &'a Roster,
    /// Where each member of the roster stands among `members`, if it is asked.
    seats: &'a [Option<u32>],
    members: &'a [LiveMember],
}

/// The positions of those whose queues set the pace of records.
fn pacing_of(roster: &Roster, seats: &[Option<u32>], members: &[LiveMember]) -> Vec<usize> {
    let mut pacing = BTreeSet::new();
    for course in roster.ways() {
        for place in course.places() {
            pacing.extend(roster.seated(place.seat).filter_map(|it| seats[it.as_usize()]));
        }
    }
    let positions = pacing.into_iter().map(|position| position as usize);
    positions.filter(|&position| members[position].lane == Lane::Live).collect()
}

/// What requests are checked against, those of routed models included as far as anybody looked at
/// them. Where these are of too many kinds, each model checks its own.
fn inputs_of(
    company: Company<'_>,
    routed: &RoutedParts,
    externals: &BTreeMap<ModelName, Arc<External>>,
) -> Inputs {
    let Some(forms) = routed.forms() else { return Inputs::default() };
    let forms: Vec<&[TensorType]> =
        forms.iter().map(|known| &known.description().inputs[..]).collect();
    let mut firsts = first_inputs(company, externals);
    firsts.extend(&forms);
    let outside = externals.values().map(|external| &external.inputs[..]);
    Inputs::of(&firsts, all_inputs(company.members).chain(outside).chain(forms))
}

/// The inputs of those that may have the first word on some course.
fn first_inputs<'a>(
    company: Company<'a>,
    externals: &'a BTreeMap<ModelName, Arc<External>>,
) -> Vec<&'a [TensorType]> {
    let Company { roster, seats, members } = company;
    let outside: HashMap<MemberIndex, &External> = externals
        .values()
        .filter_map(|it| Some((roster.position(it.name().as_str())?, &**it)))
        .filter(|(member, _)| roster.member(*member).is_some_and(|member| member.live))
        .collect();
    let is_there = |it: MemberIndex| seats[it.as_usize()].is_some() || outside.contains_key(&it);
    let firsts = roster.courses().filter_map(|course| {
        let mut places = course.places().map(|place| place.seat);
        places.find(|&seat| roster.seated(seat).any(is_there))
    });
    // Thousands of courses may begin with the same.
    let firsts: BTreeSet<MemberIndex> = firsts
        .flat_map(|seat| roster.seated(seat).filter(|it| is_there(*it)).collect::<Vec<_>>())
        .collect();
    let inputs = |first: MemberIndex| match (seats[first.as_usize()], outside.get(&first)) {
        (Some(position), _) => Some(&members[position as usize].model.description().inputs[..]),
        (None, external) => external.map(|external| &external.inputs[..]),
    };
    firsts.into_iter().filter_map(inputs).collect()
}

/// The inputs of those that may answer, wherever.
fn all_inputs(members: &[LiveMember]) -> impl Iterator<Item = &[TensorType]> {
    let live = members.iter().filter(|member| member.lane == Lane::Live);
    live.map(|member| &member.model.description().inputs[..])
}

fn outputs_of(
    company: Company<'_>,
    routed: &RoutedParts,
    externals: &BTreeMap<ModelName, Arc<External>>,
) -> Vec<TensorType> {
    let Company { roster, seats, members } = company;
    let seated = roster.courses().flat_map(|course| course.places()).flat_map(|place| {
        roster.seated(place.seat).filter_map(|it| seats[it.as_usize()]).collect::<Vec<_>>()
    });
    let mut positions = seated.map(|position| &members[position as usize]);
    let best = positions.next().or_else(|| members.first());
    let best = best.map(|member| member.model.description());
    let form = || routed.forms()?.first().map(Known::description);
    let inside = best.or_else(form).map(|description| description.outputs.clone());
    inside
        .or_else(|| externals.values().map(|it| it.outputs.clone()).find(|it| !it.is_empty()))
        .unwrap_or_default()
}

/// Where the members of an ensemble declare outputs that cannot be combined, in sentences.
fn misfits(roster: &Roster, seats: &[Option<u32>], members: &[LiveMember]) -> BTreeSet<String> {
    let mut misfits = BTreeSet::new();
    for ensemble in roster.ensembles() {
        let asked = ensemble.members.iter().filter_map(|(member, _)| seats[member.as_usize()]);
        let mut asked = asked.map(|position| &members[position as usize]);
        let Some(first) = asked.next() else { continue };
        let outputs = &first.model.description().outputs;
        let (model, combine) = (&first.identity.model, ensemble.combine);
        for output in outputs.iter().filter(|it| !can_combine(combine, it.datatype)) {
            let (name, datatype) = (&output.name, output.datatype);
            misfits.insert(format!("there is no {combine} of {name:?} of {model}, a {datatype}"));
        }
        let differs = |it: &&LiveMember| !same_outputs(&it.model.description().outputs, outputs);
        for other in asked.filter(differs) {
            let other = &other.identity.model;
            misfits.insert(format!("{model} and {other} of an ensemble differ in their outputs"));
        }
    }
    misfits
}

fn same_outputs(left: &[TensorType], right: &[TensorType]) -> bool {
    left.len() == right.len() && left.iter().all(|output| right.contains(output))
}

fn default_of(
    config: &EndpointConfig,
    outputs: &[TensorType],
    misfits: &mut BTreeSet<String>,
) -> Option<Vec<Tensor>> {
    let default = config.policy.default.as_ref()?;
    // Where a default contradicts the models it is taken as it stands in the file.
    catalog::default_outputs(default, &forms(outputs))
        .or_else(|error| {
            misfits.insert(format!("the default does not fit the models: {error}"));
            catalog::default_outputs(default, &[])
        })
        .ok()
}

/// The role of a model, as people write it.
pub(crate) fn role_name(role: Option<Role>) -> &'static str {
    role.map_or("staged", Role::name)
}
