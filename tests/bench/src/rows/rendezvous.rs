//! Rows (f): how many events the decision machine takes a second, on one core, and what a request
//! costs there under the policies that are more than an order.
//!
//! An event is a request or a score that is handed in, or a timer that fires. Taking out what was
//! decided is part of the work and no event. Time is made by hand.

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use message::{Combine, Contents, RequestId, Tensor, Time};
use rendezvous::ensemble::combine;
use rendezvous::{
    Choice, Choosing, CourseIndex, Decision, Ensemble, Limits, MailboxId, Member, MemberIndex,
    Opening, Policy, Preference, Rendezvous, Roster, Split, Verdict,
};

use crate::measure::{Turns, median, per_second};
use crate::table::{Aim, Row};

const ROUNDS: usize = 5;
const REQUESTS: u64 = 1_000_000;
/// How many requests a turn has where two policies take turns.
const REQUESTS_IN_TURNS: u64 = 200_000;
const MODELS: [&str; 3] = ["m0", "m1", "m2"];
/// How many requests come before the first one is scored.
const OPEN: usize = 1_000;
const DEADLINE: Duration = Duration::from_millis(50);

pub(super) fn measure() -> Result<Vec<Row>> {
    let rounds: Result<Vec<f64>> = (0..ROUNDS).map(|_round| events_per_second()).collect();
    let events = Row {
        id: "f",
        what: "events of the rendezvous, 3 models, 1,000 open".into(),
        unit: "1/s",
        ours: median(&rounds?),
        reference: None,
        aim: Aim::AtLeast(3e6),
    };
    let split = "a request by a split of 2 arms against an order, 3 models scored";
    let ensemble = "a request by an ensemble of 3 models against an order, outputs combined";
    Ok(vec![
        events,
        against_an_order("f-split", split, &split_policy())?,
        against_an_order("f-ensemble", ensemble, &ensemble_policy())?,
    ])
}

fn events_per_second() -> Result<f64> {
    let mut play = Play::new(&order(), |number| number, |_| ())?;
    let took = play.run(REQUESTS, |_, _| CourseIndex::default())?;
    Ok(per_second(play.events, took))
}

/// What a request costs under a policy and under an order, each with its course selected and its
/// tensors handed in.
fn against_an_order(id: &'static str, what: &str, policy: &Policy) -> Result<Row> {
    let mut turns = Turns::default();
    for _round in 0..ROUNDS {
        turns.push(us_per_request(policy)?, us_per_request(&order())?);
    }
    Ok(Row {
        id,
        what: what.into(),
        unit: "µs",
        ours: turns.ours(),
        reference: Some(turns.reference()),
        aim: Aim::None,
    })
}

fn us_per_request(policy: &Policy) -> Result<f64> {
    let score = |number| vec![Tensor::new("y", [1], Contents::F64s(vec![number as f64]))];
    let mut play = Play::new(policy, score, answer)?;
    let took = play.run(REQUESTS_IN_TURNS, |roster, id| {
        let choosing = Choosing { route: None, model: None, unit: id.as_str(), time: Time::EPOCH };
        roster.select(choosing).map(|selected| selected.course).unwrap_or_default()
    })?;
    Ok(took.as_secs_f64() * 1e6 / REQUESTS_IN_TURNS as f64)
}

/// What a driver makes of a decision.
fn answer(decision: Decision<Vec<Tensor>>) {
    let outputs = match decision.chosen {
        Choice::Score(_, outputs) => outputs,
        Choice::Ensemble(ensemble, scores) => {
            let ensemble = decision.roster.ensemble(ensemble);
            let weighted = scores.iter().zip(&ensemble.members);
            let outputs: Vec<_> =
                weighted.map(|((_, outputs), (_, weight))| (&outputs[..], *weight)).collect();
            combine(&outputs, ensemble.combine).unwrap_or_default()
        }
        Choice::Default | Choice::Nothing => Vec::new(),
    };
    black_box(outputs);
}

fn order() -> Policy {
    let until = Some(Duration::from_millis(30));
    Preference::default().then(MODELS[0], until).then(MODELS[1], None).into()
}

fn split_policy() -> Policy {
    let arm = |first, second| Preference::default().then(first, None).then(second, None);
    let old = arm(MODELS[0], MODELS[1]);
    Split::new().arm("old", 90.0, old).arm("new", 10.0, arm(MODELS[2], MODELS[1])).into()
}

fn ensemble_policy() -> Policy {
    let members = MODELS.map(|model| (model.into(), 1.0)).to_vec();
    let ensemble = Ensemble { members, combine: Combine::WeightedMean, quorum: 2 };
    Preference::default().then(ensemble, Some(Duration::from_millis(30))).into()
}

struct Play<S, M, A> {
    machine: Rendezvous<u64, S>,
    roster: Arc<Roster>,
    /// Makes the score of a request.
    score: M,
    /// Takes a decision.
    answer: A,
    waiting: VecDeque<(u64, MailboxId)>,
    events: u64,
    decided: u64,
}

impl<S, M: Fn(u64) -> S, A: Fn(Decision<S>)> Play<S, M, A> {
    fn new(policy: &Policy, score: M, answer: A) -> Result<Self> {
        let members = MODELS.map(|name| Member::live(name, 1)).to_vec();
        let roster = Arc::new(Roster::new(members, policy.clone())?);
        let mut machine = Rendezvous::new(Limits {
            open_mailboxes: 100_000,
            score_grace: Duration::from_millis(20),
            hash_key: 1,
        });
        machine.handle_roster(Time::EPOCH, Arc::clone(&roster));
        let waiting = VecDeque::new();
        Ok(Self { machine, roster, score, answer, waiting, events: 0, decided: 0 })
    }

    /// Plays so many requests to their ends, and returns how long that took.
    fn run(
        &mut self,
        requests: u64,
        select: impl Fn(&Roster, &RequestId) -> CourseIndex,
    ) -> Result<Duration> {
        // Ids are made beforehand: making them is the driver's cost.
        let ids: Vec<RequestId> = (0..requests).map(|n| format!("{n:032x}").into()).collect();
        let started = Instant::now();
        for (number, id) in (0..requests).zip(ids) {
            let course = select(&self.roster, &id);
            self.request(number, id, course);
        }
        while !self.waiting.is_empty() {
            self.hand_in(Time::from_us(requests));
        }
        let took = started.elapsed();
        ensure!(self.decided == requests, "{} of {requests} were decided", self.decided);
        Ok(took)
    }

    /// A request comes, a microsecond after the one before it; an older one is scored.
    fn request(&mut self, number: u64, id: RequestId, course: CourseIndex) {
        let now = Time::from_us(number);
        let deadline = now + DEADLINE;
        let opening = Opening { id, time: now, deadline, course, attachment: number };
        let mailbox = self.machine.handle_request(now, opening).expect("invariant: there is room");
        self.events += 1;
        self.waiting.push_back((number, mailbox));
        if self.waiting.len() > OPEN {
            self.hand_in(now);
        }
        if self.machine.poll_timeout().is_some_and(|due| due <= now) {
            self.machine.handle_timeout(now);
            self.events += 1;
        }
    }

    /// The request that has waited longest is scored by every model, the preferred one last.
    fn hand_in(&mut self, now: Time) {
        let Some((number, mailbox)) = self.waiting.pop_front() else { return };
        for member in (0..MODELS.len()).rev() {
            let member = MemberIndex::new(member as u16);
            let verdict = Verdict::Predicted((self.score)(number));
            let _heard = self.machine.handle_score(now, mailbox, member, verdict);
        }
        self.events += MODELS.len() as u64;
        while let Some(decision) = self.machine.poll_decision() {
            (self.answer)(decision);
            self.decided += 1;
        }
        while self.machine.poll_done().is_some() {}
    }
}
