//! Everything that a person would want to see at a glance, as JSON.

use catalog::Problem;
use front::Caller;
use message::Time;
use serde_json::{Value, json};
use stream::Health;

use crate::clock;
use crate::endpoint::{Endpoint, PartReport};
use crate::host::Shared;
use crate::live::Live;
use crate::meter::{Census, ModelMeter};
use crate::stage::{State, role_name};

/// The state of the host, as far as the caller sees it: with `all`, also that of routed models with
/// which all is well, which otherwise are only counted.
pub(crate) fn of(shared: &Shared, caller: &Caller, all: bool) -> Value {
    let now = clock::now();
    let endpoints = shared.endpoints.load();
    let visible = endpoints.values().filter(|it| caller.sees(it.name.as_str()));
    let mut status = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "endpoints": visible.map(|it| endpoint(now, it, all)).collect::<Vec<_>>(),
        "problems": problems(shared, caller),
    });
    if let Some(replies) = &shared.replies {
        status["replies"] = replies.report();
    }
    if caller.tenant.is_none() {
        status["stream"] = shared.storage.status();
        status["models_dir"] = json!(shared.models_dir.display().to_string());
        status["data_dir"] = json!(shared.data_dir.display().to_string());
    }
    status
}

/// What is wrong with files, and with the brokers: for a tenant, files only, and those in its own folder, seen from there.
fn problems(shared: &Shared, caller: &Caller) -> Vec<String> {
    let (folder, access) = (shared.problems.load(), shared.access_problems.load());
    let Some(tenant) = caller.tenant.as_deref() else {
        let files = folder.iter().chain(&**access).map(ToString::to_string);
        let waiting = shared.waiting.load();
        let waiting = waiting.iter().map(|(endpoint, why)| format!("{endpoint}: {why}"));
        return files.chain(shared.storage.problems()).chain(waiting).collect();
    };
    let its_own = |problem: &Problem| {
        let below = problem.file.strip_prefix(&shared.models_dir).ok()?.to_owned();
        let file = below.starts_with(tenant).then_some(below)?;
        Some(Problem { file, ..problem.clone() }.to_string())
    };
    folder.iter().filter_map(its_own).collect()
}

fn endpoint(now: Time, endpoint: &Endpoint, all: bool) -> Value {
    let live = endpoint.live.load();
    let quantiles = endpoint.meter.quantiles(now);
    let parts = endpoint.parts.load();
    let shown = parts.iter().filter(|part| all || !is_well_routed(part));
    let [lost_scores, unwritten_scores, repetitions] = endpoint.meter.oddities();
    json!({
        "name": endpoint.name.as_str(),
        "paused": live.paused,
        "deadline_us": live.deadline.as_micros() as u64,
        "settled": live.settled,
        "paused": live.paused,
        "misfits": live.misfits,
        "requests": endpoint.meter.metrics.requests(),
        "open_mailboxes": endpoint.meter.open_mailboxes(),
        "latency_us_p50": quantiles.latency_us_p50,
        "latency_us_p99": quantiles.latency_us_p99,
        "lost_scores": lost_scores,
        "unwritten_scores": unwritten_scores,
        "repetitions": repetitions,
        "answers": answers(endpoint),
        "models": models_of(endpoint, shown),
        "routed": routed(endpoint, &parts),
        "flow": endpoint.meter.flow.report(live.flow.source.as_deref()),
        "calls": calls(endpoint),
        "outside": endpoint.meter.external.report(),
        "topics": topics(endpoint),
        "shared": endpoint.journal.is_shared.then(|| endpoint.meter.shared.report()),
    })
}

/// The models of an endpoint, every routed one included.
pub(crate) fn models(endpoint: &Endpoint) -> Vec<Value> {
    models_of(endpoint, endpoint.parts.load().iter())
}

fn models_of<'a>(endpoint: &Endpoint, parts: impl Iterator<Item = &'a PartReport>) -> Vec<Value> {
    let live = endpoint.live.load();
    let cpu_total: f64 =
        live.members.iter().map(|member| member.identity.meter.totals().cpu.as_secs_f64()).sum();
    let now = clock::now();
    parts.map(|part| model(now, part, &live, cpu_total)).collect()
}

/// Whether a model is one of many with which all is well.
fn is_well_routed(part: &PartReport) -> bool {
    let is_well = matches!(part.state_now(), State::Cold | State::Loading | State::Live);
    is_well && part.routed.is_some() && part.note.is_none()
}

/// How many routed models there are; nothing where there are none.
fn routed(endpoint: &Endpoint, parts: &[PartReport]) -> Value {
    let Census { cold, warm, unchecked, bytes } = Census::of(parts);
    if cold + warm == 0 {
        return Value::Null;
    }
    let metrics = &endpoint.meter.routed;
    json!({
        "cold": cold,
        "warm": warm,
        "unchecked": unchecked,
        "memory_bytes": bytes,
        "loads": metrics.loads(),
        "evictions": metrics.evictions(),
    })
}

/// What became of callers, where several hosts share the stream; nothing elsewhere.
fn calls(endpoint: &Endpoint) -> Value {
    if endpoint.replies.is_none() {
        return Value::Null;
    }
    let totals = endpoint.meter.metrics.calls().totals();
    json!({
        "waiting": totals.waiting,
        "answered_here": totals.answered_here,
        "answered_elsewhere": totals.answered_elsewhere,
        "unanswered": totals.unanswered,
        "replies_sent": totals.replies_sent,
        "replies_unsent": totals.replies_unsent,
        "replies_read": totals.replies_read,
        "replies_unclaimed": totals.replies_unclaimed,
    })
}

fn answers(endpoint: &Endpoint) -> Vec<Value> {
    let answers = endpoint.meter.answers();
    answers
        .into_iter()
        .map(|((from, reason), count)| {
            json!({ "from": from, "reason": reason.name(), "count": count })
        })
        .collect()
}

fn model(now: Time, part: &PartReport, live: &Live, cpu_total: f64) -> Value {
    let member = live.member(part.model.as_str());
    let state = part.state_now();
    let reason = match &state {
        State::Refused(reason)
        | State::Demoted(reason)
        | State::Silent(reason)
        | State::Quarantined { reason, .. } => Some(reason.clone()),
        State::Loading
        | State::Cold
        | State::Live
        | State::Probed
        | State::Paused
        | State::External => part.note.clone(),
    };
    let mut report = json!({
        "name": part.model.as_str(),
        "role": role_name(part.role),
        "state": state.name(),
        "revision": part.revision.short(),
        "reason": reason,
    });
    if let Some(routed) = &part.routed {
        report["memory_bytes"] = json!(routed.bytes());
    }
    if let Some(external) = &part.external {
        add_counts(now, &mut report, &external.identity.meter);
        report["last_score_us"] = json!(external.last_score().map(Time::as_us));
        report["awaited"] = json!(external.awaited());
    }
    if let Some(member) = member {
        add_counts(now, &mut report, &member.identity.meter);
        let totals = member.identity.meter.totals();
        report["lane"] = json!(match member.lane {
            sandbox::Lane::Live => "live",
            sandbox::Lane::Shadow => "shadow",
        });
        report["drops"] = json!(totals.shadow_drops);
        report["cpu_us"] = json!(totals.cpu.as_micros() as u64);
        report["cpu_share"] = json!(totals.cpu.as_secs_f64() / cpu_total.max(f64::MIN_POSITIVE));
        report["queued"] = json!(member.worker.depth());
        let usage = member.model.usage();
        report["memory_bytes"] = json!(usage.memory_bytes);
        report["memory_bytes_high"] = json!(usage.memory_bytes_high);
        report["sessions"] = json!(usage.sessions);
        report["log"] = json!(member.model.log());
    }
    report
}

/// What is counted of any model.
fn add_counts(now: Time, report: &mut Value, meter: &ModelMeter) {
    let (totals, quantiles, vitals) = (meter.totals(), meter.quantiles(now), meter.vitals());
    report["predictions"] = json!(totals.predictions);
    report["refusals"] = json!(totals.refusals);
    report["faults"] = json!(totals.faults);
    report["answers"] = json!(totals.answers);
    report["latency_us_p50"] = json!(quantiles.latency_us_p50);
    report["latency_us_p99"] = json!(quantiles.latency_us_p99);
    report["budget_left"] = json!(vitals.budget_left);
    report["late_share"] = json!(vitals.late_share);
    report["late"] = json!(vitals.late);
}

fn topics(endpoint: &Endpoint) -> Value {
    let topics = endpoint.journal.topics().map(|(name, partitions)| {
        // Offsets of several partitions are added up: their difference is how much there is.
        let marks = || partitions.iter().map(|partition| partition.watermarks());
        let health = partitions.iter().map(|partition| partition.health());
        let worst = health.reduce(|worst, next| if worst == Health::Ready { next } else { worst });
        let report = json!({
            "start": marks().map(|marks| marks.start).sum::<u64>(),
            "end": marks().map(|marks| marks.end).sum::<u64>(),
            "bytes": partitions.iter().map(|partition| partition.size_bytes()).sum::<u64>(),
            "health": format!("{:?}", worst.unwrap_or(Health::Ready)),
            "partitions": partitions.len(),
        });
        (name.to_owned(), report)
    });
    Value::Object(topics.into_iter().collect())
}
