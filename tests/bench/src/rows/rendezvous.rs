//! Row (f): how many events the decision machine takes a second, on one core.
//!
//! An event is a request or a score that is handed in, or a timer that fires. Taking out what was
//! decided is part of the work and no event. Time is made by hand.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use message::{RequestId, Time};
use rendezvous::{
    CourseIndex, Limits, MailboxId, Member, MemberIndex, Opening, Preference, Rendezvous, Roster,
    Verdict,
};

use crate::measure::{median, per_second};
use crate::table::{Aim, Row};

const ROUNDS: usize = 5;
const REQUESTS: u64 = 1_000_000;
const MODELS: u16 = 3;
/// How many requests come before the first one is scored.
const OPEN: usize = 1_000;
const DEADLINE: Duration = Duration::from_millis(50);

pub(super) fn measure() -> Result<Vec<Row>> {
    let rounds: Result<Vec<f64>> = (0..ROUNDS).map(|_round| events_per_second()).collect();
    Ok(vec![Row {
        id: "f",
        what: "events of the rendezvous, 3 models, 1,000 open".into(),
        unit: "1/s",
        ours: median(&rounds?),
        reference: None,
        aim: Aim::AtLeast(3e6),
    }])
}

fn events_per_second() -> Result<f64> {
    // Ids are made beforehand: making them is the driver's cost.
    let ids: Vec<RequestId> = (0..REQUESTS).map(|n| format!("{n:032x}").into()).collect();
    let mut play = Play::new()?;
    let started = Instant::now();
    for (number, id) in (0..REQUESTS).zip(ids) {
        play.request(number, id);
    }
    while !play.waiting.is_empty() {
        play.score(Time::from_us(REQUESTS));
    }
    let took = started.elapsed();
    ensure!(play.decided == REQUESTS, "{} of {REQUESTS} were decided", play.decided);
    Ok(per_second(play.events, took))
}

struct Play {
    machine: Rendezvous<u64, u64>,
    waiting: VecDeque<(u64, MailboxId)>,
    events: u64,
    decided: u64,
}

impl Play {
    fn new() -> Result<Self> {
        let names: Vec<String> = (0..MODELS).map(|n| format!("m{n}")).collect();
        let until = Some(Duration::from_millis(30));
        let preference = Preference::default().then(&*names[0], until).then(&*names[1], None);
        let members = names.iter().map(|name| Member::live(&**name, 1)).collect();
        let roster = Roster::new(members, preference.into())?;
        let mut machine = Rendezvous::new(Limits {
            open_mailboxes: 100_000,
            score_grace: Duration::from_millis(20),
            hash_key: 1,
        });
        machine.handle_roster(Time::EPOCH, Arc::new(roster));
        Ok(Self { machine, waiting: VecDeque::new(), events: 0, decided: 0 })
    }

    /// A request comes, a microsecond after the one before it; an older one is scored.
    fn request(&mut self, number: u64, id: RequestId) {
        let now = Time::from_us(number);
        let (deadline, course) = (now + DEADLINE, CourseIndex::default());
        let opening = Opening { id, time: now, deadline, course, attachment: number };
        let mailbox = self.machine.handle_request(now, opening).expect("invariant: there is room");
        self.events += 1;
        self.waiting.push_back((number, mailbox));
        if self.waiting.len() > OPEN {
            self.score(now);
        }
        if self.machine.poll_timeout().is_some_and(|due| due <= now) {
            self.machine.handle_timeout(now);
            self.events += 1;
        }
    }

    /// The request that has waited longest is scored by every model, the preferred one last.
    fn score(&mut self, now: Time) {
        let Some((number, mailbox)) = self.waiting.pop_front() else { return };
        for member in (0..MODELS).rev() {
            let verdict = Verdict::Predicted(number);
            let _heard = self.machine.handle_score(now, mailbox, MemberIndex::new(member), verdict);
        }
        self.events += u64::from(MODELS);
        while self.machine.poll_decision().is_some() {
            self.decided += 1;
        }
        while self.machine.poll_done().is_some() {}
    }
}
