//! A world in which everything goes wrong, and in which the machine is held to its promises.
//!
//! Everything that happens is drawn from a [`Source`] of numbers, which is a seeded generator in the
//! simulation and the fuzzer's input in the fuzz target.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use message::{Role, Time};
use rendezvous::{
    Choice, Choosing, CourseIndex, Limits, MailboxId, Member, Opening, Policy, Refused, Rendezvous,
    Roster, Verdict,
};

use crate::bill::{Bill, Leaf};
use crate::draw::draw_policy;
use crate::oracle::{Oracle, Response, Token, member_index};

/// Where chance comes from.
pub(crate) trait Source {
    /// A number below `bound`, which is not 0.
    fn below(&mut self, bound: u64) -> u64;

    /// True once in so many times.
    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// The machine, its oracle, and everything around them.
pub(crate) struct World {
    limits: Limits,
    now: Time,
    machine: Rendezvous<Token, Token>,
    oracle: Oracle,
    alive: Rc<()>,
    /// The names of the models, with the revision that each has now.
    models: Vec<(String, u64)>,
    bill: Rc<Bill>,
    roster: Arc<Roster>,
    /// What was accepted and is not published.
    unpublished: BTreeMap<u64, Asked>,
    published: BTreeSet<u64>,
    /// Every mailbox that this machine has opened.
    opened: BTreeSet<MailboxId>,
    /// What models were asked and have not said.
    evaluations: Vec<(MailboxId, usize)>,
    next_number: u64,
    /// What happened, for the curious.
    pub(crate) tally: Tally,
}

/// What is asked with a request, also when a new machine gets it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asked {
    /// When it was made.
    time: Time,
    /// When its answer is due.
    deadline: Time,
    /// What splits draw by.
    unit: u64,
    /// What decides on its route, if there is one on the roster.
    route: u64,
}

/// How often what happened.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    pub(crate) refusals: u64,
    pub(crate) verdicts: u64,
    pub(crate) scores_chosen: u64,
    pub(crate) ensembles_chosen: u64,
    pub(crate) routes_taken: u64,
    pub(crate) arms_taken: u64,
    pub(crate) defaults_and_nothings: u64,
    pub(crate) rosters: u64,
    pub(crate) restarts: u64,
    pub(crate) forgotten: u64,
}

impl World {
    pub(crate) fn new(source: &mut impl Source) -> Self {
        let limits = Limits {
            open_mailboxes: 1 + source.below(24) as usize,
            score_grace: Duration::from_micros(source.below(300)),
            hash_key: u128::from(source.below(u64::MAX)),
        };
        let models = if source.one_in(16) { 170 + source.below(60) } else { 1 + source.below(7) };
        let bill = Rc::new(Bill::new(Vec::new(), Policy::default()));
        Self {
            limits,
            now: Time::from_us(1_000_000_000),
            machine: Rendezvous::new(limits),
            oracle: Oracle::new(limits, Rc::clone(&bill)),
            alive: Rc::new(()),
            models: (0..models).map(|n| (format!("m{n}"), 0)).collect(),
            bill,
            roster: Arc::default(),
            unpublished: BTreeMap::new(),
            published: BTreeSet::new(),
            opened: BTreeSet::new(),
            evaluations: Vec::new(),
            next_number: 0,
            tally: Tally::default(),
        }
    }

    /// Lets one thing happen.
    pub(crate) fn step(&mut self, source: &mut impl Source) {
        self.now = self.now + Duration::from_micros(source.below(8));
        match source.below(1_000) {
            0..250 => self.ask_anew(source),
            250..260 => self.ask_again(source),
            260..750 => self.deliver(source),
            750..760 => self.deliver_stray(source),
            760..820 => self.lose(source),
            820..900 => self.tick(),
            900..970 => self.tick_when_due(),
            970..980 => self.jump(source),
            980..995 => self.change_roster(source),
            995..998 => self.hand_over(source),
            _ => self.restart(),
        }
        if !source.one_in(4) {
            self.drain();
        }
        assert_eq!(self.machine.poll_timeout(), self.oracle.next_timeout());
        assert_eq!(self.machine.open_mailboxes(), self.oracle.open_mailboxes());
        assert!(self.machine.open_mailboxes() <= self.limits.open_mailboxes);
    }

    /// Lets everything come to its end, and checks that nothing is left.
    pub(crate) fn end(&mut self) {
        self.drain();
        while let Some(due) = self.machine.poll_timeout() {
            self.now = self.now.max(due);
            self.tick();
            self.drain();
            assert!(self.machine.poll_timeout().is_none_or(|next| next > self.now), "no progress");
        }
        assert_eq!(self.machine.open_mailboxes(), 0);
        assert_eq!(self.unpublished, BTreeMap::new(), "accepted and never answered");
        assert_eq!(Rc::strong_count(&self.alive), 1, "something was leaked");
    }

    fn ask_anew(&mut self, source: &mut impl Source) {
        let number = self.next_number;
        self.next_number += 1;
        let ago = Duration::from_micros(source.below(20));
        let asked = if source.one_in(20) { self.now + ago } else { self.now - ago };
        let longest = if source.one_in(50) { 10_000 } else { 200 };
        let deadline = asked + Duration::from_micros(source.below(longest));
        let (unit, route) = (source.below(64), source.below(1_000));
        self.ask(number, Asked { time: asked, deadline, unit, route });
    }

    /// Repeats a request that is not over, answered or not, as a caller that retries does.
    fn ask_again(&mut self, source: &mut impl Source) {
        let open = self.oracle.open_mailboxes() as u64;
        if open > 0 {
            let number = self.oracle.nth_number(source.below(open) as usize);
            let deadline = self.now + Duration::from_micros(source.below(200));
            self.ask(number, Asked { time: self.now, deadline, unit: 0, route: 0 });
        }
    }

    /// Selects the course of a request, and holds it against what the rules say.
    fn select(&mut self, asked: Asked) -> (CourseIndex, Leaf) {
        let unit = format!("key {}", asked.unit);
        let routes = self.bill.policy.routes.len() as u64;
        let route = (asked.route % (routes + 1)).checked_sub(1).map(|route| route as usize);
        let name = format!("m{}", asked.route / 8 % self.models.len() as u64);
        let taken = Choosing { route, model: Some(&name), unit: &unit, time: asked.time };
        let main = Choosing { route: None, ..taken };
        let selected = self.roster.select(taken);
        assert_eq!(selected, self.roster.select(taken), "drawn twice");
        let leaf = self.bill.leaf(taken);
        assert_eq!(selected.is_some(), leaf.is_some(), "{taken:?}");
        self.tally.routes_taken += u64::from(selected.is_some() && route.is_some());
        let selected = selected.or_else(|| self.roster.select(main)).expect("there is a main way");
        let leaf = leaf.or_else(|| self.bill.leaf(main)).expect("there is a main way");
        let course = self.roster.course(selected.course);
        assert_eq!(**course.path(), leaf.path);
        assert!((selected.propensity - leaf.propensity).abs() < 1e-9, "{leaf:?}");
        self.tally.arms_taken += u64::from(selected.propensity < 1.0);
        (selected.course, leaf)
    }

    fn ask(&mut self, number: u64, asked: Asked) {
        let (course, leaf) = self.select(asked);
        let attachment = self.token(number);
        let id = format!("request {number}").into();
        let Asked { time, deadline, .. } = asked;
        let opening = Opening { id, time, deadline, course, attachment };
        let response = match self.machine.handle_request(self.now, opening) {
            Ok(mailbox) => Response::Opened(mailbox),
            Err(Refused::Duplicate { mailbox, .. }) => Response::Duplicate(mailbox),
            Err(Refused::Full { limit, attachment }) => {
                assert_eq!((limit, attachment.number), (self.limits.open_mailboxes, number));
                Response::Full
            }
        };
        let expected = self.bill.expected(&leaf);
        self.oracle.handle_request(self.now, number, (time, deadline), leaf, response);
        self.tally.requests += 1;
        let Response::Opened(mailbox) = response else {
            self.tally.refusals += 1;
            return;
        };
        assert!(self.opened.insert(mailbox), "{mailbox:?} was used before");
        assert_eq!(self.machine.attachment(mailbox).map(|token| token.number), Some(number));
        self.unpublished.insert(number, asked);
        let members = self.roster.course(course).expected().map(|member| member.as_usize());
        let asked: Vec<_> = members.map(|member| (mailbox, member)).collect();
        assert_eq!(asked.len(), expected.len());
        assert!(asked.iter().all(|(_, member)| expected.contains(member)));
        self.evaluations.extend(asked);
    }

    /// Hands in a verdict, in any order, and now and then keeps it to hand it in again.
    fn deliver(&mut self, source: &mut impl Source) {
        if self.evaluations.is_empty() {
            return;
        }
        let picked = source.below(self.evaluations.len() as u64) as usize;
        let evaluation = self.evaluations[picked];
        if !source.one_in(16) {
            self.evaluations.swap_remove(picked);
        }
        self.hand_in(source, evaluation);
    }

    /// Hands in a verdict that nobody asked for.
    fn deliver_stray(&mut self, source: &mut impl Source) {
        let slot = source.below(self.limits.open_mailboxes as u64 + 1);
        let mailbox = MailboxId::from_u64(slot | source.below(4) << 32);
        let member = source.below(self.models.len() as u64 + 3) as usize;
        self.hand_in(source, (mailbox, member));
    }

    fn hand_in(&mut self, source: &mut impl Source, evaluation: (MailboxId, usize)) {
        let number = self.tally.verdicts;
        self.tally.verdicts += 1;
        let (verdict, score) = match source.below(8) {
            0 => (Verdict::Refused, None),
            1 => (Verdict::Faulted, None),
            2 => (Verdict::Missing, None),
            _ => (Verdict::Predicted(self.token(number)), Some(number)),
        };
        let (mailbox, position) = evaluation;
        let heard = self.machine.handle_score(self.now, mailbox, member_index(position), verdict);
        self.oracle.handle_score(self.now, evaluation, score, heard);
    }

    /// Loses all that is on its way from some model, or of a time.
    fn lose(&mut self, source: &mut impl Source) {
        let kept = source.below(self.evaluations.len() as u64 + 1) as usize;
        let lost = source.below(4) as usize;
        let end = (kept + lost).min(self.evaluations.len());
        self.evaluations.drain(kept..end);
    }

    fn tick(&mut self) {
        self.machine.handle_timeout(self.now);
        self.oracle.handle_timeout(self.now);
        let next = self.machine.poll_timeout();
        assert!(next.is_none_or(|next| next > self.now), "due again at once: {next:?}");
    }

    /// Waits until the machine wants to be called, and calls it.
    fn tick_when_due(&mut self) {
        if let Some(due) = self.machine.poll_timeout() {
            self.now = self.now.max(due);
        }
        self.tick();
    }

    fn jump(&mut self, source: &mut impl Source) {
        let reach = [50, 1_000, 1_000_000, 500_000_000][source.below(4) as usize];
        let distance = Duration::from_micros(source.below(reach));
        let back = self.now - distance;
        let is_clear_of_1970 = back > Time::from_us(100_000_000);
        self.now = if source.one_in(2) && is_clear_of_1970 { back } else { self.now + distance };
    }

    fn change_roster(&mut self, source: &mut impl Source) {
        self.tally.rosters += 1;
        let members = self.draw_members(source);
        let policy = draw_policy(source, &members, self.now);
        self.bill = Rc::new(Bill::new(members.clone(), policy.clone()));
        let roster = Roster::new(members, policy);
        self.roster = Arc::new(roster.expect("only what is on the roster was named"));
        for route in std::iter::once(None).chain((0..self.bill.policy.routes.len()).map(Some)) {
            let leaves = self.bill.leaves(route, self.now).expect("the route exists");
            let sum: f64 = leaves.iter().map(|leaf| leaf.propensity).sum();
            let is_each = leaves.iter().all(|leaf| leaf.propensity == 1.0);
            assert!(is_each || (sum - 1.0).abs() < 1e-9, "{leaves:?}");
        }
        self.handle_roster();
    }

    fn handle_roster(&mut self) {
        self.machine.handle_roster(self.now, Arc::clone(&self.roster));
        self.oracle.handle_roster(self.now, &self.bill);
    }

    fn draw_members(&mut self, source: &mut impl Source) -> Vec<Member> {
        let start = source.below(self.models.len() as u64) as usize;
        self.models.rotate_left(start);
        let mut members = Vec::new();
        for (name, revision) in &mut self.models {
            if source.one_in(5) {
                continue;
            }
            *revision += u64::from(source.one_in(5));
            let role = Role::ALL.get(source.below(9) as usize).copied();
            let (live, muted) = (!source.one_in(8), source.one_in(16));
            let name = name.as_str().into();
            members.push(Member { name, revision: *revision, role, live, muted });
        }
        members
    }

    /// Drops the machine, as a crash does, and hands a new one what was accepted and not answered.
    fn restart(&mut self) {
        self.tally.restarts += 1;
        self.machine = Rendezvous::new(self.limits);
        self.oracle = Oracle::new(self.limits, Rc::clone(&self.bill));
        self.opened.clear();
        self.evaluations.clear();
        self.handle_roster();
        for (number, asked) in std::mem::take(&mut self.unpublished) {
            self.ask(number, asked);
        }
    }

    /// Forgets some of the requests, as a host does that has lost them to another. That one answers
    /// what is not answered: here it is asked anew.
    fn hand_over(&mut self, source: &mut impl Source) {
        let of = 1 + source.below(4);
        let is_meant = |number: u64| number.is_multiple_of(of);
        let forgotten = self.machine.forget(|token| is_meant(token.number));
        for forgotten in &forgotten {
            self.oracle.check_forgotten(forgotten);
            assert_eq!(forgotten.id.as_str(), format!("request {}", forgotten.attachment.number));
        }
        self.oracle.check_remembered(is_meant);
        self.tally.forgotten += forgotten.len() as u64;
        let unanswered = forgotten.iter().filter(|forgotten| !forgotten.is_decided);
        let unanswered = unanswered.map(|forgotten| forgotten.attachment.number);
        let unanswered: Vec<_> = unanswered.collect();
        drop(forgotten);
        for number in unanswered {
            let asked = self.unpublished.remove(&number).expect("only what was asked is forgotten");
            self.ask(number, asked);
        }
    }

    fn drain(&mut self) {
        while let Some(decision) = self.machine.poll_decision() {
            let number = self.oracle.check_decision(&decision);
            assert!(self.published.insert(number), "request {number} is answered twice");
            assert!(self.unpublished.remove(&number).is_some(), "request {number} was not asked");
            assert_eq!(decision.id.as_str(), format!("request {number}"));
            match decision.chosen {
                Choice::Score(..) => self.tally.scores_chosen += 1,
                Choice::Ensemble(..) => self.tally.ensembles_chosen += 1,
                Choice::Default | Choice::Nothing => self.tally.defaults_and_nothings += 1,
            }
        }
        while let Some(done) = self.machine.poll_done() {
            self.oracle.check_done(&done);
            assert!(self.machine.attachment(done.mailbox).is_none());
        }
        self.oracle.check_drained();
    }

    fn token(&self, number: u64) -> Token {
        Token { number, _alive: Rc::clone(&self.alive) }
    }
}
