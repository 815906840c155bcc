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

use std::time::Duration;

use message::{ModelName, Reason, Time};

use crate::MemberIndex;

/// An order of models, from the most to the least liked.
///
/// Where it is empty, it stands for the champion. Fallbacks that it does not name come last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preference {
    /// The models, the most liked first.
    pub order: Vec<Preferred>,
    /// Whether there is a default to answer with when nothing came. What it is, the driver knows.
    pub default: bool,
}

impl Preference {
    /// The same order with one more model at its end.
    #[must_use]
    pub fn then(mut self, model: impl Into<ModelName>, until: Option<Duration>) -> Self {
        self.order.push(Preferred { model: model.into(), until });
        self
    }

    /// The same order with a default to answer with when nothing came.
    #[must_use]
    pub fn or_default(mut self) -> Self {
        self.default = true;
        self
    }
}

/// One model of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferred {
    /// The model.
    pub model: ModelName,
    /// How long it is waited for, from the time of the request; up to the deadline if `None`.
    pub until: Option<Duration>,
}

/// One place of an order whose models have been found in the roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The model.
    pub member: MemberIndex,
    /// How long it is waited for, from the time of the request; up to the deadline if `None`.
    pub until: Option<Duration>,
}

/// How a model stands with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Because it may still answer.
    Awaited,
    /// Because its prediction is there.
    Came,
    /// Because no prediction will come that could be chosen: it refused, faulted, was not asked, was
    /// not live or has left.
    Failed,
}

/// What is to be done about one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// To answer with the score of this place of the order.
    Choose {
        /// The place.
        rank: usize,
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
/// The reasons, where the score at `rank` is chosen: [`Preferred`](Reason::Preferred) if it is the
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
/// use rendezvous::preference::{Judgement, Place, Standing, judge};
/// # use rendezvous::MemberIndex;
///
/// let until = Some(Duration::from_micros(30));
/// let order = [
///     Place { member: MemberIndex::new(0), until },
///     Place { member: MemberIndex::new(1), until: None },
/// ];
/// let standings = [Standing::Awaited, Standing::Came];
/// let at = |now| {
///     let standing = |member: MemberIndex| standings[member.as_usize()];
///     judge(&order, standing, Time::EPOCH, Time::from_us(50), Time::from_us(now))
/// };
/// assert_eq!(at(29), Judgement::WaitUntil(Time::from_us(30)));
/// assert_eq!(at(30), Judgement::Choose { rank: 1, reason: Reason::PreferredWasSlow });
/// ```
pub fn judge(
    order: &[Place],
    standing: impl Fn(MemberIndex) -> Standing,
    asked: Time,
    deadline: Time,
    now: Time,
) -> Judgement {
    let mut held_back_until = Time::EPOCH;
    let mut somebody_is_awaited = false;
    for (rank, place) in order.iter().enumerate() {
        match standing(place.member) {
            Standing::Failed => {}
            Standing::Awaited => {
                somebody_is_awaited = true;
                let until = place.until.map_or(deadline, |until| (asked + until).min(deadline));
                held_back_until = held_back_until.max(until);
            }
            Standing::Came if now < held_back_until => {
                return Judgement::WaitUntil(held_back_until);
            }
            Standing::Came => {
                return Judgement::Choose { rank, reason: why(rank, somebody_is_awaited) };
            }
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

    /// Judges the order `a until 30, b until 10, c` (deadline 50), one letter per standing: `?` is
    /// awaited, `+` came, `-` failed.
    fn judge_at(now: u64, standings: &str) -> Judgement {
        let untils = [Some(30), Some(10), None];
        let order: Vec<_> = untils
            .iter()
            .enumerate()
            .map(|(position, until)| Place {
                member: MemberIndex::from_usize(position),
                until: until.map(Duration::from_micros),
            })
            .collect();
        let standing = |member: MemberIndex| match standings.as_bytes()[member.as_usize()] {
            b'?' => Standing::Awaited,
            b'+' => Standing::Came,
            b'-' => Standing::Failed,
            other => panic!("{other} is no standing"),
        };
        let asked = Time::from_us(1_000);
        judge(&order, standing, asked, Time::from_us(1_050), Time::from_us(1_000 + now))
    }

    fn check(now: u64, standings: &str, expected: Judgement) {
        assert_eq!(judge_at(now, standings), expected, "{standings} at {now}");
    }

    fn wait_until(elapsed: u64) -> Judgement {
        WaitUntil(Time::from_us(1_000 + elapsed))
    }

    #[test]
    fn the_first_of_the_order_is_chosen_whenever_it_comes() {
        let chosen = Choose { rank: 0, reason: Reason::Preferred };
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
        check(30, "??+", Choose { rank: 2, reason: Reason::PreferredWasSlow });
        check(10, "-?+", Choose { rank: 2, reason: Reason::PreferredWasSlow });
        check(12, "-?+", Choose { rank: 2, reason: Reason::PreferredWasSlow });
    }

    #[test]
    fn a_failure_hands_the_turn_to_the_next() {
        check(1, "-+?", Choose { rank: 1, reason: Reason::PreferredFailed });
        check(1, "--+", Choose { rank: 2, reason: Reason::PreferredFailed });
        check(1, "-??", wait_until(50));
    }

    #[test]
    fn a_score_that_came_after_its_time_still_outranks_the_rest() {
        check(30, "-++", Choose { rank: 1, reason: Reason::PreferredFailed });
        check(40, "?+?", Choose { rank: 1, reason: Reason::PreferredWasSlow });
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
        let order = [
            Place { member: MemberIndex::new(0), until: Some(Duration::MAX) },
            Place { member: MemberIndex::new(1), until: None },
        ];
        let standing = |member: MemberIndex| match member.as_usize() {
            0 => Standing::Awaited,
            _ => Standing::Came,
        };
        let at = |now| judge(&order, standing, Time::EPOCH, Time::from_us(9), Time::from_us(now));
        assert_eq!(at(8), WaitUntil(Time::from_us(9)));
        assert_eq!(at(9), Choose { rank: 1, reason: Reason::PreferredWasSlow });
    }

    #[test]
    fn an_order_without_places_gives_up() {
        let judgement = judge(&[], |_| Standing::Came, Time::EPOCH, Time::NEVER, Time::EPOCH);
        assert_eq!(judgement, GiveUp(Reason::EveryModelFailed));
    }
}
