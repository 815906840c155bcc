//! What the machine should do, worked out naively.
//!
//! The oracle remembers every verdict of every open request and goes through all of them whenever it
//! is asked. It shares no code with the machine: it has its own clock, its own reading of a policy,
//! and states the rule as sets rather than as a walk.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use message::{Reason, Role, Time};
use rendezvous::{
    Candidate, Choice, Decision, Done, Heard, Limits, MailboxId, Member, MemberIndex, Preference,
};

/// A roster, read naively.
#[derive(Debug)]
pub(crate) struct Bill {
    members: Vec<Member>,
    /// The positions of those that can be chosen, the most liked first, with their `until`s.
    order: Vec<(usize, Option<i128>)>,
    /// The positions that the policy names.
    named: BTreeSet<usize>,
    default: bool,
}

/// Whatever is attached to a request or said by a model, told apart by its number. The machine has
/// leaked one if `_alive` is shared at the end.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) number: u64,
    pub(crate) _alive: Rc<()>,
}

/// A request with an open mailbox.
#[derive(Debug)]
struct Case {
    number: u64,
    asked: i128,
    deadline: i128,
    given_up_at: i128,
    bill: Rc<Bill>,
    /// The first verdict of each member: the number of its score, if it can be chosen.
    said: BTreeMap<usize, Option<u64>>,
    left: BTreeSet<usize>,
    decided: Option<(Choice<u64>, Reason, Time)>,
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

impl Bill {
    pub(crate) fn new(members: Vec<Member>, preference: &Preference, default: bool) -> Self {
        let position = |name: &str| members.iter().position(|member| member.name.as_str() == name);
        let mut order = Vec::new();
        for preferred in &preference.order {
            let until = preferred.until.map(|until| until.as_micros() as i128);
            let Candidate::Model(model) = &preferred.candidate else { continue };
            order.extend(position(model.as_str()).map(|position| (position, until)));
        }
        let named: BTreeSet<_> = order.iter().map(|&(position, _)| position).collect();
        for role in [Role::Champion, Role::Fallback] {
            let counts = role == Role::Fallback || named.is_empty();
            let with_role = (0..members.len()).filter(|&it| members[it].role == Some(role));
            order.extend(with_role.filter(|it| counts && !named.contains(it)).map(|it| (it, None)));
        }
        Self { members, order, named, default }
    }

    /// The positions of those from which a score is expected.
    pub(crate) fn expected(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.members.len()).filter(|&it| self.expects(it))
    }

    fn expects(&self, position: usize) -> bool {
        let member = self.members.get(position);
        member.is_some_and(|member| member.live && member.role != Some(Role::Decoy))
    }

    fn takes_off(&self, other: &Member) -> bool {
        let same = |it: usize| {
            self.members[it].name == other.name && self.members[it].revision == other.revision
        };
        (0..self.members.len()).any(|it| same(it) && !self.expects(it))
    }
}

impl Case {
    fn is_awaited(&self, position: usize) -> bool {
        self.bill.expects(position)
            && !self.said.contains_key(&position)
            && !self.left.contains(&position)
    }

    /// What is to be decided at `time`, if anything, given what has been said.
    fn verdict(&self, time: i128) -> Option<(Choice<u64>, Reason)> {
        let order = &self.bill.order;
        let awaited: Vec<usize> =
            (0..order.len()).filter(|&rank| self.is_awaited(order[rank].0)).collect();
        let patience = |rank: usize| match order[rank].1 {
            Some(until) => self.deadline.min(self.asked + until),
            None => self.deadline,
        };
        let score = |rank: usize| self.said.get(&order[rank].0).copied().flatten();
        let best = (0..order.len()).filter_map(|rank| Some((rank, score(rank)?))).min();
        if let Some((best, score)) = best {
            let above: Vec<usize> = awaited.iter().copied().filter(|&rank| rank < best).collect();
            let reason = match (best, above.is_empty()) {
                (0, _) => Reason::Preferred,
                (_, false) => Reason::PreferredWasSlow,
                (_, true) => Reason::PreferredFailed,
            };
            let choice = Choice::Score(member_index(order[best].0), score);
            return above.iter().all(|&rank| patience(rank) <= time).then_some((choice, reason));
        }
        let reason = match awaited.is_empty() {
            true => Reason::EveryModelFailed,
            false if time >= self.deadline => Reason::NothingCame,
            false => return None,
        };
        Some((self.without_score(), reason))
    }

    fn without_score(&self) -> Choice<u64> {
        if self.bill.default { Choice::Default } else { Choice::Nothing }
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
            let untils = self.bill.order.iter().filter_map(|&(_, until)| Some(self.asked + until?));
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
        Some(Time::from_us(u64::try_from(shown).expect("the simulation stays clear of 1970")))
    }

    pub(crate) fn handle_roster(&mut self, now: Time, bill: &Rc<Bill>) {
        self.pass(now);
        self.bill = Rc::clone(bill);
        for case in self.cases.values_mut() {
            let members = &case.bill.members;
            let has_left = |it: &usize| !case.left.contains(it) && bill.takes_off(&members[*it]);
            let leaving: Vec<_> = case.bill.expected().filter(has_left).collect();
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
            awaits: bill.expected().count(),
            due: None,
            bill,
        };
        let is_without = |it: &(usize, _)| !case.bill.expects(it.0);
        if deadline <= now {
            case.decided = Some((case.without_score(), Reason::Expired, now));
        } else if case.bill.order.iter().all(is_without) {
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
            Some(case) if !case.bill.expects(position) => Heard::Unknown,
            Some(case) if case.said.contains_key(&position) => Heard::Duplicate,
            Some(case) => {
                let score = score.filter(|_| !case.left.contains(&position));
                case.said.insert(position, score);
                case.awaits = case.awaits.saturating_sub(1);
                let is_late = case.decided.is_some();
                let has_place = case.bill.order.iter().any(|&(placed, _)| placed == position);
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
        let chosen = match &decision.chosen {
            Choice::Score(member, token) => Choice::Score(*member, token.number),
            Choice::Ensemble(..) => panic!("no ensemble is in this world"),
            Choice::Default => Choice::Default,
            Choice::Nothing => Choice::Nothing,
        };
        assert_eq!(Some((chosen.clone(), decision.reason, decision.time)), case.decided, "{case:?}");
        assert_eq!(decision.roster.members(), case.bill.members);
        if let Choice::Score(member, _) = chosen {
            let position = member.as_usize();
            let chosen = &case.bill.members[position];
            assert!(chosen.live && chosen.role != Some(Role::Decoy), "chose {chosen:?}");
            let implied = matches!(chosen.role, Some(Role::Champion | Role::Fallback));
            assert!(implied || case.bill.named.contains(&position), "chose unnamed {chosen:?}");
        }
        case.number
    }

    /// Checks that a request is over, and closes its mailbox.
    pub(crate) fn check_done(&mut self, done: &Done<Token>) {
        let case = self.cases.remove(&done.mailbox).expect("done in no open mailbox");
        assert!(case.is_over(), "done too early: {case:?}");
        assert_eq!((done.attachment.number, done.given_up), (case.number, case.given_up));
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
