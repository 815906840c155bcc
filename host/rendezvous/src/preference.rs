//! The policy `preference`: an order of models, each of which is waited for until its time is over.
//!
//! [`judge`] is the whole of it, as a pure function. The rule, for a request asked at 0:
//!
//! 1. A score is *held back* while a better-ranked model may still answer in its time: one that has
//!    not said anything, and whose `until` (the deadline, where it has none) is not over.
//! 2. As soon as the best-ranked score that has come is not held back, it is chosen.
//! 3. While no score has come, nothing is decided before the deadline, unless every model of the
//!    order has failed: then it is decided at once that nothing comes.
//! 4. At the deadline the best-ranked score that has come is chosen, if there is one.
//!
//! What may surprise: an `until` does not end a model's chances. It only ends the waiting for it. A
//! score that came after its `until` is chosen over everything below it that is there at that moment.
//!
//! With the order `a until 30, b until 10, c` and the deadline 50:
//!
//! | what comes | decided at | chosen |
//! |---|---|---|
//! | a at 5 | 5 | a |
//! | c at 5, a at 20 | 20 | a |
//! | c at 5 | 30: a's time is over, b's was over before | c |
//! | c at 5, a fails at 8 | 10: b's time is over | c |
//! | a at 35 | 35: nothing else was there | a |
//! | a fails at 1, b at 40 | 40 | b |
//! | a, b and c fail by 3 | 3 | nothing |
//! | nothing | 50 | nothing |
//!
//! An [ensemble](crate::ensemble) takes a place as a model does. It comes when all of its models have
//! spoken and the quorum is there, and at its `until` if the quorum is there by then; later than that
//! it comes with its quorum.

use std::time::Duration;

use message::{ModelName, Reason, Time};

use crate::{Ensemble, EnsembleIndex, MemberIndex};

/// An order of models and ensembles, from the most to the least liked.
///
/// Where it is empty, it stands for the champion. Fallbacks that it does not name come last.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preference {
    /// What is preferred, the most liked first.
    pub order: Vec<Preferred>,
}

impl Preference {
    /// The same order with one more model or ensemble at its end.
    #[must_use]
    pub fn then(mut self, candidate: impl Into<Candidate>, until: Option<Duration>) -> Self {
        self.order.push(Preferred { candidate: candidate.into(), until });
        self
    }
}

/// One model or ensemble of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Preferred {
    /// Which one.
    pub candidate: Candidate,
    /// How long it is waited for, from the time of the request; up to the deadline if `None`.
    pub until: Option<Duration>,
}

/// What an order can name.
#[derive(Debug, Clone, PartialEq)]
pub enum Candidate {
    /// One model.
    Model(ModelName),
    /// Several models together.
    Ensemble(Ensemble),
}

impl<M: Into<ModelName>> From<M> for Candidate {
    fn from(model: M) -> Self {
        Self::Model(model.into())
    }
}

impl From<Ensemble> for Candidate {
    fn from(ensemble: Ensemble) -> Self {
        Self::Ensemble(ensemble)
    }
}

/// One place of an order whose models have been found in the roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Who has it.
    pub seat: Seat,
    /// How long it is waited for, from the time of the request; up to the deadline if `None`.
    pub until: Option<Duration>,
}

/// Who has a place of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seat {
    /// One model.
    Member(MemberIndex),
    /// Several models together.
    Ensemble(EnsembleIndex),
}

/// How a model or an ensemble stands with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Because it may still answer.
    Awaited,
    /// Because its prediction is there, or all that will come of an ensemble, and that is enough.
    Came,
    /// Because enough of an ensemble is there, and more may come until its time is over.
    Enough,
    /// Because no prediction will come that could be chosen: it refused, faulted, was not asked, was
    /// not live or has left.
    Failed,
}

/// What is to be done about one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// To answer with this place of the order.
    Choose {
        /// The place.
        rank: usize,
        /// Who has it.
        seat: Seat,
        /// Why.
        reason: Reason,
    },
    /// To wait until then, unless something arrives. It is always in the future, and it is exactly
    /// when something is decided if nothing arrives.
    WaitUntil(Time),
    /// To answer without a score.
    GiveUp(Reason),
}

/// Judges a request that was made at `asked`, by the rule at the head of this module.
///
/// The reasons, where the place at `rank` is chosen: [`Preferred`](Reason::Preferred) if it is the
/// first of the order, [`PreferredWasSlow`](Reason::PreferredWasSlow) if a place above it was still
/// awaited, and [`PreferredFailed`](Reason::PreferredFailed) if every place above it had failed. Where
/// none is: [`EveryModelFailed`](Reason::EveryModelFailed) if every place has failed, and
/// [`NothingCame`](Reason::NothingCame) at the deadline.
///
/// Costs one call of `standing` per place down to the first that came.
///
/// ```
/// # use std::time::Duration;
/// # use message::{Reason, Time};
/// use rendezvous::preference::{Judgement, Place, Seat, Standing, judge};
/// # use rendezvous::MemberIndex;
///
/// let until = Some(Duration::from_micros(30));
/// let (first, second) = (MemberIndex::new(0), MemberIndex::new(1));
/// let order = [
///     Place { seat: Seat::Member(first), until },
///     Place { seat: Seat::Member(second), until: None },
/// ];
/// let at = |now| {
///     let standing = |seat| match seat {
///         Seat::Member(member) if member == second => Standing::Came,
///         _ => Standing::Awaited,
///     };
///     judge(order, standing, Time::EPOCH, Time::from_us(50), Time::from_us(now))
/// };
/// assert_eq!(at(29), Judgement::WaitUntil(Time::from_us(30)));
/// let (seat, reason) = (Seat::Member(second), Reason::PreferredWasSlow);
/// assert_eq!(at(30), Judgement::Choose { rank: 1, seat, reason });
/// ```
pub fn judge(
    order: impl IntoIterator<Item = Place>,
    standing: impl Fn(Seat) -> Standing,
    asked: Time,
    deadline: Time,
    now: Time,
) -> Judgement {
    let mut held_back_until = Time::EPOCH;
    let mut somebody_is_awaited = false;
    for (rank, Place { seat, until }) in order.into_iter().enumerate() {
        let standing = standing(seat);
        if standing == Standing::Failed {
            continue;
        }
        if standing != Standing::Came {
            let until = until.map_or(deadline, |until| (asked + until).min(deadline));
            held_back_until = held_back_until.max(until);
        }
        if standing == Standing::Awaited {
            somebody_is_awaited = true;
        } else if now < held_back_until {
            return Judgement::WaitUntil(held_back_until);
        } else {
            return Judgement::Choose { rank, seat, reason: why(rank, somebody_is_awaited) };
        }
    }
    if !somebody_is_awaited {
        Judgement::GiveUp(Reason::EveryModelFailed)
    } else if now >= deadline {
        Judgement::GiveUp(Reason::NothingCame)
    } else {
        Judgement::WaitUntil(deadline)
    }
}

const fn why(rank: usize, somebody_above_is_awaited: bool) -> Reason {
    match (rank, somebody_above_is_awaited) {
        (0, _) => Reason::Preferred,
        (_, true) => Reason::PreferredWasSlow,
        (_, false) => Reason::PreferredFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::Judgement::{Choose, GiveUp, WaitUntil};
    use super::*;

    /// The places of members 0, 1, …, with the ends of their times.
    fn order(untils: &[Option<u64>]) -> Vec<Place> {
        let place = |(position, until): (usize, &Option<u64>)| Place {
            seat: seat(position),
            until: until.map(Duration::from_micros),
        };
        untils.iter().enumerate().map(place).collect()
    }

    fn seat(position: usize) -> Seat {
        Seat::Member(MemberIndex::from_usize(position))
    }

    /// Judges the order `a until 30, b until 10, c` (deadline 50), one letter per standing: `?` is
    /// awaited, `*` enough, `+` came, `-` failed.
    fn judge_at(now: u64, standings: &str) -> Judgement {
        let order = order(&[Some(30), Some(10), None]);
        let standing = |seat| match seat {
            Seat::Member(member) => match standings.as_bytes()[member.as_usize()] {
                b'?' => Standing::Awaited,
                b'*' => Standing::Enough,
                b'+' => Standing::Came,
                b'-' => Standing::Failed,
                other => panic!("{other} is no standing"),
            },
            Seat::Ensemble(_) => panic!("no such seat"),
        };
        let asked = Time::from_us(1_000);
        judge(order, standing, asked, Time::from_us(1_050), Time::from_us(1_000 + now))
    }

    fn check(now: u64, standings: &str, expected: Judgement) {
        assert_eq!(judge_at(now, standings), expected, "{standings} at {now}");
    }

    fn wait_until(elapsed: u64) -> Judgement {
        WaitUntil(Time::from_us(1_000 + elapsed))
    }

    fn choose(rank: usize, reason: Reason) -> Judgement {
        Choose { rank, seat: seat(rank), reason }
    }

    #[test]
    fn the_first_of_the_order_is_chosen_whenever_it_comes() {
        let chosen = choose(0, Reason::Preferred);
        check(0, "+??", chosen);
        check(5, "++?", chosen);
        check(35, "+?+", chosen);
        check(50, "+--", chosen);
    }

    #[test]
    fn a_score_is_held_back_while_a_better_one_may_come_in_time() {
        check(5, "??+", wait_until(30));
        check(29, "?-+", wait_until(30));
        check(5, "-?+", wait_until(10));
        check(5, "?+?", wait_until(30));
        check(30, "??+", choose(2, Reason::PreferredWasSlow));
        check(10, "-?+", choose(2, Reason::PreferredWasSlow));
        check(12, "-?+", choose(2, Reason::PreferredWasSlow));
    }

    #[test]
    fn what_is_enough_comes_when_its_time_is_over() {
        check(5, "*??", wait_until(30));
        check(5, "*++", wait_until(30));
        check(30, "*++", choose(0, Reason::Preferred));
        check(5, "-*+", wait_until(10));
        check(10, "-*+", choose(1, Reason::PreferredFailed));
        check(12, "?*+", wait_until(30));
        check(30, "?*+", choose(1, Reason::PreferredWasSlow));
        check(12, "--*", wait_until(50));
        check(50, "--*", choose(2, Reason::PreferredFailed));
    }

    #[test]
    fn a_failure_hands_the_turn_to_the_next() {
        check(1, "-+?", choose(1, Reason::PreferredFailed));
        check(1, "--+", choose(2, Reason::PreferredFailed));
        check(1, "-??", wait_until(50));
    }

    #[test]
    fn a_score_that_came_after_its_time_still_outranks_the_rest() {
        check(30, "-++", choose(1, Reason::PreferredFailed));
        check(40, "?+?", choose(1, Reason::PreferredWasSlow));
    }

    #[test]
    fn nothing_is_given_up_before_the_deadline_unless_everything_failed() {
        check(0, "???", wait_until(50));
        check(49, "?--", wait_until(50));
        check(50, "?--", GiveUp(Reason::NothingCame));
        check(50, "???", GiveUp(Reason::NothingCame));
        check(3, "---", GiveUp(Reason::EveryModelFailed));
        check(50, "---", GiveUp(Reason::EveryModelFailed));
    }

    #[test]
    fn an_until_beyond_the_deadline_is_the_deadline() {
        let order = order(&[Some(u64::MAX), None]);
        let standing = |found| if found == seat(0) { Standing::Awaited } else { Standing::Came };
        let at = |now| {
            let (deadline, now) = (Time::from_us(9), Time::from_us(now));
            judge(order.clone(), standing, Time::EPOCH, deadline, now)
        };
        assert_eq!(at(8), WaitUntil(Time::from_us(9)));
        assert_eq!(at(9), choose(1, Reason::PreferredWasSlow));
    }

    #[test]
    fn an_order_without_places_gives_up() {
        let judgement = judge([], |_| Standing::Came, Time::EPOCH, Time::NEVER, Time::EPOCH);
        assert_eq!(judgement, GiveUp(Reason::EveryModelFailed));
    }
}
