//! What the machine should do, worked out naively.
//!
//! The oracle remembers every verdict of every open request and goes through all of them whenever it
//! is asked. It shares no code with the machine: it has its own clock, its own reading of a policy
//! ([`Bill`]), and states the rule as sets rather than as a walk.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use message::{Reason, Time};
use rendezvous::{Choice, Decision, Done, Forgotten, Heard, Limits, MailboxId, MemberIndex};

use crate::bill::{Bill, Leaf, Spot};

/// Whatever is attached to a request or said by a model, told apart by its number. The machine has
/// leaked one if `_alive` is shared at the end.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) number: u64,
    pub(crate) _alive: Rc<()>,
}

/// What becomes an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Chosen {
    /// The scores of the place of this rank, by their numbers.
    Place(usize, Vec<(usize, u64)>),
    Default,
    Nothing,
}

/// A request with an open mailbox.
#[derive(Debug)]
struct Case {
    number: u64,
    asked: i128,
    deadline: i128,
    given_up_at: i128,
    bill: Rc<Bill>,
    leaf: Leaf,
    expected: BTreeSet<usize>,
    /// The first verdict of each member: the number of its score, if it can be chosen.
    said: BTreeMap<usize, Option<u64>>,
    left: BTreeSet<usize>,
    decided: Option<(Chosen, Reason, Time)>,
    polled: bool,
    given_up: usize,
    awaits: usize,
    /// When something happens if nothing comes.
    due: Option<i128>,
}

/// What the machine should do.
#[derive(Debug)]
pub(crate) struct Oracle {
    limits: Limits,
    /// What the clock showed last.
    shown: Time,
    /// All the time that has passed, steps back left out.
    passed: i128,
    bill: Rc<Bill>,
    cases: BTreeMap<MailboxId, Case>,
}

impl Case {
    fn is_awaited(&self, position: usize) -> bool {
        self.bill.may_answer(position)
            && !self.said.contains_key(&position)
            && !self.left.contains(&position)
    }

    fn score(&self, position: usize) -> Option<u64> {
        self.said.get(&position).copied().flatten()
    }

    /// How many scores of a place are there, and how many may come.
    fn counts(&self, spot: &Spot) -> (usize, usize) {
        let members = &spot.members;
        let came = members.iter().filter(|&&it| self.score(it).is_some()).count();
        (came, members.iter().filter(|&&it| self.is_awaited(it)).count())
    }

    fn has_failed(&self, spot: &Spot) -> bool {
        let (came, awaited) = self.counts(spot);
        came + awaited < spot.quorum
    }

    /// When the waiting for a place is over.
    fn patience(&self, spot: &Spot) -> i128 {
        spot.until.map_or(self.deadline, |until| self.deadline.min(self.asked + until))
    }

    /// Whether a place can be chosen at `time`: it is complete, or it is enough and its time is over.
    fn has_come(&self, spot: &Spot, time: i128) -> bool {
        let (came, awaited) = self.counts(spot);
        came >= spot.quorum && (awaited == 0 || self.patience(spot) <= time)
    }

    /// What is to be decided at `time`, if anything, given what has been said.
    fn verdict(&self, time: i128) -> Option<(Chosen, Reason)> {
        let places = &self.leaf.places;
        let best = places.iter().position(|spot| self.has_come(spot, time));
        if let Some(best) = best {
            let above = || places[..best].iter().filter(|spot| !self.has_failed(spot));
            let reason = match (best, above().next()) {
                (0, _) => Reason::Preferred,
                (_, Some(_)) => Reason::PreferredWasSlow,
                (_, None) => Reason::PreferredFailed,
            };
            let scores = places[best].members.iter().filter_map(|&it| Some((it, self.score(it)?)));
            let chosen = Chosen::Place(best, scores.collect());
            return above().all(|spot| self.patience(spot) <= time).then_some((chosen, reason));
        }
        let reason = match places.iter().all(|spot| self.has_failed(spot)) {
            true => Reason::EveryModelFailed,
            false if time >= self.deadline => Reason::NothingCame,
            false => return None,
        };
        Some((self.without_score(), reason))
    }

    fn without_score(&self) -> Chosen {
        if self.bill.policy.default { Chosen::Default } else { Chosen::Nothing }
    }

    /// Decides if it is time, and works out when something happens next.
    fn look(&mut self, now: i128, shown: Time) {
        if self.decided.is_none() {
            self.decided = self.verdict(now).map(|(choice, reason)| (choice, reason, shown));
        }
        self.plan();
    }

    /// Works out when something happens if nothing comes.
    fn plan(&mut self) {
        self.due = if self.decided.is_some() {
            (self.awaits > 0).then_some(self.given_up_at)
        } else {
            let untils = self.leaf.places.iter().filter_map(|spot| Some(self.asked + spot.until?));
            let times = untils.chain([self.deadline]);
            times.filter(|&time| self.verdict(time).is_some()).min()
        };
    }

    fn is_over(&self) -> bool {
        self.polled && self.awaits == 0
    }
}

impl Oracle {
    pub(crate) fn new(limits: Limits, bill: Rc<Bill>) -> Self {
        let cases = BTreeMap::new();
        Self { limits, shown: Time::EPOCH, passed: 0, bill, cases }
    }

    pub(crate) fn open_mailboxes(&self) -> usize {
        self.cases.len()
    }

    /// The number of one of the open requests.
    pub(crate) fn nth_number(&self, nth: usize) -> u64 {
        self.cases.values().nth(nth).expect("there are as many as open mailboxes").number
    }

    /// What the machine should say to `poll_timeout`.
    pub(crate) fn next_timeout(&self) -> Option<Time> {
        let due = self.cases.values().filter_map(|case| case.due).min()?;
        let shown = i128::from(self.shown.as_us()) + due - self.passed;
        // What was due long before the clock was put back was due in 1970 at the earliest.
        Some(Time::from_us(u64::try_from(shown.max(0)).expect("it is not that late")))
    }

    pub(crate) fn handle_roster(&mut self, now: Time, bill: &Rc<Bill>) {
        self.pass(now);
        self.bill = Rc::clone(bill);
        for case in self.cases.values_mut() {
            let members = &case.bill.members;
            let has_left = |it: &usize| !case.left.contains(it) && bill.takes_off(&members[*it]);
            let could = (0..members.len()).filter(|&it| case.bill.may_answer(it));
            let leaving: Vec<_> = could.filter(has_left).collect();
            if !leaving.is_empty() {
                case.left.extend(leaving);
                case.look(self.passed, now);
            }
        }
    }

    /// Checks the machine's response to a request, and returns whether it has a mailbox now.
    pub(crate) fn handle_request(
        &mut self,
        now: Time,
        number: u64,
        (asked, deadline): (Time, Time),
        leaf: Leaf,
        response: Response,
    ) -> bool {
        self.pass(now);
        let same = self.cases.iter().find(|(_, case)| case.number == number);
        let expected = match same {
            Some((&mailbox, _)) => Response::Duplicate(mailbox),
            None if self.cases.len() >= self.limits.open_mailboxes => Response::Full,
            None => Response::Opened(match response {
                Response::Opened(mailbox) => mailbox,
                _ => panic!("refused {number}: {response:?}"),
            }),
        };
        assert_eq!(response, expected, "request {number}");
        let Response::Opened(mailbox) = response else { return false };
        let steady =
            |time: Time| self.passed + i128::from(time.as_us()) - i128::from(self.shown.as_us());
        let grace = self.limits.score_grace.as_micros() as i128;
        let bill = Rc::clone(&self.bill);
        let expected = bill.expected(&leaf);
        let mut case = Case {
            number,
            asked: steady(asked),
            deadline: steady(deadline),
            given_up_at: steady(deadline).max(self.passed) + grace,
            said: BTreeMap::new(),
            left: BTreeSet::new(),
            decided: None,
            polled: false,
            given_up: 0,
            awaits: expected.len(),
            due: None,
            bill,
            leaf,
            expected,
        };
        let is_without = |spot: &Spot| {
            spot.members.iter().filter(|&&it| case.bill.may_answer(it)).count() < spot.quorum
        };
        if deadline <= now {
            case.decided = Some((case.without_score(), Reason::Expired, now));
        } else if case.leaf.places.iter().all(is_without) {
            case.decided = Some((case.without_score(), Reason::NoLiveModel, now));
        }
        case.look(self.passed, now);
        assert!(self.cases.insert(mailbox, case).is_none(), "{mailbox:?} is open");
        true
    }

    /// Checks what the machine made of a verdict: the number of a score, if it was one.
    pub(crate) fn handle_score(
        &mut self,
        now: Time,
        (mailbox, position): (MailboxId, usize),
        score: Option<u64>,
        heard: Heard,
    ) {
        self.pass(now);
        let expected = match self.cases.get_mut(&mailbox) {
            None => Heard::Unknown,
            Some(case) if !case.expected.contains(&position) => Heard::Unknown,
            Some(case) if case.said.contains_key(&position) => Heard::Duplicate,
            Some(case) => {
                let may_answer = case.bill.may_answer(position);
                let score = score.filter(|_| may_answer && !case.left.contains(&position));
                case.said.insert(position, score);
                case.awaits = case.awaits.saturating_sub(1);
                let is_late = case.decided.is_some();
                let has_place = case.leaf.places.iter().any(|it| it.members.contains(&position));
                if has_place && !is_late {
                    case.look(self.passed, now);
                }
                case.plan();
                if is_late { Heard::Late } else { Heard::InTime }
            }
        };
        assert_eq!(heard, expected, "member {position} of {mailbox:?}");
    }

    pub(crate) fn handle_timeout(&mut self, now: Time) {
        self.pass(now);
        for case in self.cases.values_mut() {
            case.look(self.passed, now);
            if case.decided.is_some() && case.given_up_at <= self.passed && case.awaits > 0 {
                case.given_up = std::mem::take(&mut case.awaits);
                case.plan();
            }
            let is_due = case.deadline <= self.passed;
            assert!(case.decided.is_some() || !is_due, "undecided at the deadline: {case:?}");
        }
    }

    /// Checks a decision, and returns the number of the request that it decides.
    pub(crate) fn check_decision(&mut self, decision: &Decision<Token>) -> u64 {
        let case = self.cases.get_mut(&decision.mailbox).expect("decided in no open mailbox");
        assert!(!case.polled, "decided twice: {decision:?}");
        case.polled = true;
        let (chosen, reason, time) = case.decided.as_ref().expect("decided too early");
        assert_eq!((decision.reason, decision.time), (*reason, *time), "{case:?}");
        assert_eq!(decision.roster.members(), case.bill.members);
        let scores: Vec<(usize, u64)> = match &decision.chosen {
            Choice::Score(member, token) => vec![(member.as_usize(), token.number)],
            Choice::Ensemble(ensemble, scores) => {
                let Chosen::Place(rank, _) = chosen else { panic!("chose an ensemble: {case:?}") };
                let assembled = decision.roster.ensemble(*ensemble);
                let members = assembled.members.iter().map(|(member, _)| member.as_usize());
                assert_eq!(members.collect::<Vec<_>>(), case.leaf.places[*rank].members);
                assert!(scores.len() >= assembled.quorum, "below the quorum: {case:?}");
                scores.iter().map(|(member, token)| (member.as_usize(), token.number)).collect()
            }
            Choice::Default => {
                assert_eq!(*chosen, Chosen::Default, "{case:?}");
                return case.number;
            }
            Choice::Nothing => {
                assert_eq!(*chosen, Chosen::Nothing, "{case:?}");
                return case.number;
            }
        };
        let Chosen::Place(rank, expected) = chosen else { panic!("chose {scores:?}: {case:?}") };
        assert_eq!(scores, *expected, "{case:?}");
        let is_ensemble = matches!(decision.chosen, Choice::Ensemble(..));
        assert_eq!(is_ensemble, case.leaf.places[*rank].is_ensemble);
        for (position, _) in scores {
            assert!(case.bill.may_answer(position), "chose {position}: {case:?}");
        }
        case.number
    }

    /// Checks that a request is over, and closes its mailbox.
    pub(crate) fn check_done(&mut self, done: &Done<Token>) {
        let case = self.cases.remove(&done.mailbox).expect("done in no open mailbox");
        assert!(case.is_over(), "done too early: {case:?}");
        assert_eq!((done.attachment.number, done.given_up), (case.number, case.given_up));
    }

    /// Checks that a request could be forgotten, and closes its mailbox.
    pub(crate) fn check_forgotten(&mut self, forgotten: &Forgotten<Token>) {
        let number = forgotten.attachment.number;
        let found = self.cases.iter().find(|(_, case)| case.number == number);
        let (&mailbox, case) = found.expect("forgot no open mailbox");
        assert_eq!(case.polled, forgotten.is_decided, "{case:?}");
        self.cases.remove(&mailbox);
    }

    /// Checks that nothing is left that should have been forgotten.
    pub(crate) fn check_remembered(&self, is_meant: impl Fn(u64) -> bool) {
        assert!(self.cases.values().all(|case| !is_meant(case.number)), "not forgotten");
    }

    /// Checks that the machine has said all there is to say.
    pub(crate) fn check_drained(&self) {
        for case in self.cases.values() {
            assert!(case.decided.is_none() || case.polled, "a decision is missing: {case:?}");
            assert!(!case.is_over(), "not done: {case:?}");
        }
    }

    fn pass(&mut self, now: Time) {
        self.passed += i128::from(now.as_us().saturating_sub(self.shown.as_us()));
        self.shown = now;
    }
}

/// What the machine said to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Response {
    Opened(MailboxId),
    Duplicate(MailboxId),
    Full,
}

pub(crate) fn member_index(position: usize) -> MemberIndex {
    MemberIndex::new(u16::try_from(position).expect("rosters are small"))
}
