//! Measures how many events one core takes per second, and how long a large roster takes to make:
//! `cargo run --release -p rendezvous --example throughput`.
//!
//! An event is a request, a score, or a timer that fires. Time is made by hand, one microsecond per
//! request, so that as many mailboxes are open as requests come within the latency of the models.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use message::{ModelName, RequestId, Time};
use rendezvous::{
    CourseIndex, Limits, MailboxId, Member, MemberIndex, Opening, Policy, Preference, Rendezvous,
    Roster, Route, Target, Verdict,
};

const REQUESTS: u64 = 2_000_000;
const DEADLINE: Duration = Duration::from_millis(50);

/// What happens to the requests of a run.
struct Scene {
    what: &'static str,
    models: u16,
    /// How many requests come before the first model answers.
    latency_requests: usize,
    /// One request in so many gets no score of its preferred model.
    lost_one_in: u64,
}

const NEVER: u64 = u64::MAX;
const SCENES: [Scene; 4] = [
    Scene { what: "3 models, 1,000 open", models: 3, latency_requests: 1_000, lost_one_in: NEVER },
    Scene {
        what: "3 models, 30,000 open",
        models: 3,
        latency_requests: 30_000,
        lost_one_in: NEVER,
    },
    Scene { what: "3 models, 1 in 10 slow", models: 3, latency_requests: 1_000, lost_one_in: 10 },
    Scene {
        what: "20 models, 1,000 open",
        models: 20,
        latency_requests: 1_000,
        lost_one_in: NEVER,
    },
];

fn main() {
    for scene in SCENES {
        let (events, answered, elapsed) = play(&scene);
        assert_eq!(answered, REQUESTS);
        let rate = events as f64 / elapsed.as_secs_f64() / 1e6;
        println!("{:<24} {rate:6.2} million events/s", scene.what);
    }
    for clients in [100, 5_000] {
        println!("{clients:>6} routed models {:8.2} ms a roster", roster_ms(clients));
    }
}

/// How long a roster takes whose route leads to each of so many models, in the middle of some tries.
fn roster_ms(clients: usize) -> f64 {
    let names: Vec<_> = (0..clients).map(|n| format!("client-{n}").into()).collect();
    let member = |name: &ModelName| Member::live(name.clone(), 1);
    let members: Vec<_> = names.iter().map(member).chain([Member::live("m0", 1)]).collect();
    let then = Preference::default().then("m0", None);
    let target = Target::Each { models: names, until: None, then: then.clone() };
    let policy = Policy::from(then).with_route(Route { name: None, target });
    let mut tries: Vec<_> = (0..21)
        .map(|_| {
            let (members, policy) = (members.clone(), policy.clone());
            let started = Instant::now();
            let roster = Roster::new(members, policy).expect("the names exist");
            assert_eq!(roster.common().len(), 1);
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    tries.sort_by(f64::total_cmp);
    tries[tries.len() / 2]
}

/// Plays one scene, and returns how many events there were, how many answers, and how long it took.
fn play(scene: &Scene) -> (u64, u64, Duration) {
    let names: Vec<_> = (0..scene.models).map(|n| format!("m{n}")).collect();
    let until = Some(Duration::from_millis(30));
    let preference = Preference::default().then(&*names[0], until).then(&*names[1], None);
    let members = names.iter().map(|name| Member::live(&**name, 1)).collect();
    let roster = Roster::new(members, preference.into()).expect("the names exist");
    let mut rendezvous: Rendezvous<u64, u64> = Rendezvous::new(Limits {
        open_mailboxes: 100_000,
        score_grace: Duration::from_millis(20),
        hash_key: 1,
    });
    rendezvous.handle_roster(Time::EPOCH, Arc::new(roster));

    // Ids are made beforehand: making them is the driver's cost.
    let ids: Vec<RequestId> = (0..REQUESTS).map(|n| format!("{n:032x}").into()).collect();
    let started = Instant::now();
    let mut waiting: VecDeque<(u64, MailboxId)> = VecDeque::new();
    let (mut events, mut answered) = (0, 0);
    for (number, id) in (0..REQUESTS).zip(ids) {
        let now = Time::from_us(number);
        let (deadline, course) = (now + DEADLINE, CourseIndex::default());
        let opening = Opening { id, time: now, deadline, course, attachment: number };
        let mailbox = rendezvous.handle_request(now, opening).expect("there is room");
        events += 1;
        waiting.push_back((number, mailbox));
        if waiting.len() > scene.latency_requests {
            events += score(&mut rendezvous, scene, now, &mut waiting);
        }
        events += fire(&mut rendezvous, now);
        answered += drain(&mut rendezvous);
    }
    let end = Time::from_us(REQUESTS);
    while !waiting.is_empty() {
        events += score(&mut rendezvous, scene, end, &mut waiting);
        answered += drain(&mut rendezvous);
    }
    rendezvous.handle_timeout(end + Duration::from_secs(1));
    answered += drain(&mut rendezvous);
    (events, answered, started.elapsed())
}

/// Hands in the scores of the request that has waited longest.
fn score(
    rendezvous: &mut Rendezvous<u64, u64>,
    scene: &Scene,
    now: Time,
    waiting: &mut VecDeque<(u64, MailboxId)>,
) -> u64 {
    let Some((number, mailbox)) = waiting.pop_front() else { return 0 };
    let is_lost = number % scene.lost_one_in == scene.lost_one_in - 1;
    let first = u16::from(is_lost);
    for member in (first..scene.models).rev() {
        let verdict = Verdict::Predicted(number);
        rendezvous.handle_score(now, mailbox, MemberIndex::new(member), verdict);
    }
    u64::from(scene.models - first)
}

/// Fires the timers that are due.
fn fire(rendezvous: &mut Rendezvous<u64, u64>, now: Time) -> u64 {
    let is_due = rendezvous.poll_timeout().is_some_and(|due| due <= now);
    if is_due {
        rendezvous.handle_timeout(now);
    }
    u64::from(is_due)
}

/// Takes what was decided and what is over, and returns how many decisions there were.
fn drain(rendezvous: &mut Rendezvous<u64, u64>) -> u64 {
    let decisions = std::iter::from_fn(|| rendezvous.poll_decision()).count() as u64;
    while rendezvous.poll_done().is_some() {}
    decisions
}
