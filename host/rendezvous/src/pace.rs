//! The pace of one model of an order: whether its scores come in their time.
//!
//! A model that is late makes every answer late: the others are held back until its `until` is over,
//! request for request, in vain. When that has gone on for a while the model is *demoted*: it gives
//! way to the others and nobody waits for it. It is still asked, so that its pace is still known, and
//! it *returns* when it has been good for a while.
//!
//! A score is in time if it is there when the wait for its model ends: by `until`, by the deadline
//! where there is none. A refusal in time is in time. A fault is nobody's pace; it is the breaker's.
//!
//! The rule is a schmitt trigger over a sliding window, as Envoy's outlier detection is one over
//! errors, whose numbers these are: 10 s, at least 50 requests, out for 30 s times the number of
//! times, up to 300 s.
//!
//! | state | turns into | when |
//! |---|---|---|
//! | in time | slow | more than `late_share` of at least `requests` in the window were late |
//! | slow | in time | no longer |
//! | slow | demoted | it has been slow for `slow_for` |
//! | demoted | in time | at most half of `late_share` were late for `recover_after` |
//!
//! `recover_after` doubles with each demotion, up to `recover_longest`, so that a model on the edge
//! does not flap; it is what it was when the model has been in time for `recover_longest`.

use std::time::Duration;

use message::Time;

use crate::window::Window;

/// When a model is demoted and when it returns.
#[derive(Debug, Clone, PartialEq)]
pub struct PaceLimits {
    /// The share of requests for which a model may be late, from 0 to 1. With 1 none is demoted.
    pub late_share: f64,
    /// How far back requests count.
    pub window: Duration,
    /// With fewer requests in the window nothing is concluded.
    pub requests: u64,
    /// How long a model may be slow.
    pub slow_for: Duration,
    /// How long a demoted model has to be good before it returns, the first time.
    pub recover_after: Duration,
    /// How long at most.
    pub recover_longest: Duration,
}

impl Default for PaceLimits {
    fn default() -> Self {
        Self {
            late_share: 0.5,
            window: Duration::from_secs(10),
            requests: 50,
            slow_for: Duration::from_secs(10),
            recover_after: Duration::from_secs(30),
            recover_longest: Duration::from_secs(300),
        }
    }
}

/// What became of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Because it was late too often for too long.
    Demoted,
    /// Because it has been in time for long enough.
    Returned,
}

/// Follows the pace of one model.
///
/// ```
/// # use message::Time;
/// use rendezvous::pace::{Pace, PaceLimits, Turn};
///
/// let second = |count: u64| Time::from_us(1_000_000 * count);
/// let mut pace = Pace::new(PaceLimits::default());
/// assert_eq!(pace.handle_requests(second(0), 10, 90, true), None);
/// assert_eq!(pace.handle_requests(second(9), 10, 90, true), None);
/// assert_eq!(pace.handle_requests(second(10), 10, 90, true), Some(Turn::Demoted));
/// ```
#[derive(Debug)]
pub struct Pace {
    limits: PaceLimits,
    window: Window,
    gait: Gait,
    hold: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gait {
    InTime { since: Time },
    Slow { since: Time },
    Demoted { good_since: Option<Time> },
}

impl Pace {
    /// A model that is in time until it proves otherwise.
    pub fn new(limits: PaceLimits) -> Self {
        Self {
            window: Window::new(limits.window),
            hold: limits.recover_after,
            gait: Gait::InTime { since: Time::EPOCH },
            limits,
        }
    }

    /// Hears for how many requests the model was in time and for how many late. A model whose place
    /// nobody could take must not be demoted; it is as soon as it may be.
    pub fn handle_requests(
        &mut self,
        now: Time,
        in_time: u64,
        late: u64,
        may_demote: bool,
    ) -> Option<Turn> {
        self.window.add(now, in_time + late, late);
        let counts = self.window.counts(now);
        if counts.all < self.limits.requests.max(1) {
            return None;
        }
        let share = counts.bad_share();
        match self.gait {
            Gait::InTime { .. } if share > self.limits.late_share => {
                self.gait = Gait::Slow { since: now };
                self.demote_if_due(now, may_demote)
            }
            Gait::InTime { since } => {
                if now.since(since) >= self.limits.recover_longest {
                    self.hold = self.limits.recover_after;
                }
                None
            }
            Gait::Slow { .. } if share <= self.limits.late_share => {
                self.gait = Gait::InTime { since: now };
                None
            }
            Gait::Slow { .. } => self.demote_if_due(now, may_demote),
            Gait::Demoted { .. } if share > self.limits.late_share / 2.0 => {
                self.gait = Gait::Demoted { good_since: None };
                None
            }
            Gait::Demoted { good_since } => self.return_if_due(now, good_since.unwrap_or(now)),
        }
    }

    /// Whether the model is demoted.
    pub const fn is_demoted(&self) -> bool {
        matches!(self.gait, Gait::Demoted { .. })
    }

    /// The late requests and all of them, as far as they count `now`.
    pub fn late_of_requests(&mut self, now: Time) -> (u64, u64) {
        let counts = self.window.counts(now);
        (counts.bad, counts.all)
    }

    fn demote_if_due(&mut self, now: Time, may_demote: bool) -> Option<Turn> {
        let Gait::Slow { since } = self.gait else { return None };
        if now.since(since) < self.limits.slow_for || !may_demote {
            return None;
        }
        self.gait = Gait::Demoted { good_since: None };
        Some(Turn::Demoted)
    }

    fn return_if_due(&mut self, now: Time, good_since: Time) -> Option<Turn> {
        if now.since(good_since) < self.hold {
            self.gait = Gait::Demoted { good_since: Some(good_since) };
            return None;
        }
        self.gait = Gait::InTime { since: now };
        self.hold = (self.hold * 2).min(self.limits.recover_longest);
        Some(Turn::Returned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Time {
        Time::from_us(1_000_000_000) + Duration::from_secs(second)
    }

    /// Says 100 requests in every second that `late` gives the late ones of, and returns the turns.
    fn turns(seconds: u64, late: impl Fn(u64) -> u64) -> Vec<(u64, Turn)> {
        let mut pace = Pace::new(PaceLimits::default());
        let turn = |second| {
            let late = late(second);
            let turn = pace.handle_requests(at(second), 100 - late, late, true)?;
            assert_eq!(pace.is_demoted(), turn == Turn::Demoted);
            Some((second, turn))
        };
        (0..seconds).filter_map(turn).collect()
    }

    #[test]
    fn a_model_that_is_slow_for_a_while_is_demoted_and_returns_when_it_is_good_again() {
        // Slow from 20 on; half of the window is late at 26, and it was for 10 seconds at 36.
        // Good from 40 on; a quarter of the window is late at 48.
        let found = turns(200, |second| if (20..40).contains(&second) { 90 } else { 0 });
        assert_eq!(found, [(35, Turn::Demoted), (77, Turn::Returned)]);
    }

    #[test]
    fn a_short_weakness_is_forgiven() {
        assert_eq!(turns(200, |second| if second % 30 < 21 { 0 } else { 90 }), []);
        assert_eq!(turns(200, |_| 50), []);
    }

    #[test]
    fn a_demoted_model_that_is_neither_good_nor_bad_stays_demoted() {
        let found = turns(400, |second| if second < 20 { 90 } else { 40 });
        assert_eq!(found, [(10, Turn::Demoted)]);
    }

    #[test]
    fn one_that_flaps_stays_away_longer_each_time() {
        // Bad while it is preferred, good as soon as it is not.
        let mut pace = Pace::new(PaceLimits::default());
        let mut away = Vec::new();
        let mut demoted_at = 0;
        for second in 0..4_000 {
            let late = if pace.is_demoted() { 0 } else { 100 };
            match pace.handle_requests(at(second), 100 - late, late, true) {
                Some(Turn::Demoted) => demoted_at = second,
                Some(Turn::Returned) => away.push(second - demoted_at),
                None => {}
            }
        }
        // Eight seconds until a quarter of the window is late.
        assert_eq!(away[..6], [38, 68, 128, 248, 308, 308]);
    }

    #[test]
    fn a_long_time_without_weakness_makes_the_first_hold_the_next_one() {
        let weak =
            |second: u64| [50, 150, 1000].iter().any(|from| (*from..from + 20).contains(&second));
        let found = turns(1_200, |second| if weak(second) { 100 } else { 0 });
        let times: Vec<u64> = found.iter().map(|(second, _)| *second).collect();
        assert_eq!(times.len(), 6, "{found:?}");
        assert_eq!(times[5] - times[4], times[1] - times[0]);
        assert!(times[3] - times[2] > times[1] - times[0]);
    }

    #[test]
    fn few_requests_prove_nothing_and_nobody_is_demoted_for_nobody() {
        let mut pace = Pace::new(PaceLimits::default());
        for second in 0..100 {
            assert_eq!(pace.handle_requests(at(second), 0, 4, true), None);
        }
        let mut pace = Pace::new(PaceLimits::default());
        for second in 0..100 {
            assert_eq!(pace.handle_requests(at(second), 0, 100, false), None);
        }
        assert_eq!(pace.handle_requests(at(100), 0, 100, true), Some(Turn::Demoted));
    }

    #[test]
    fn a_share_of_one_demotes_nobody() {
        let mut pace = Pace::new(PaceLimits { late_share: 1.0, ..PaceLimits::default() });
        for second in 0..100 {
            assert_eq!(pace.handle_requests(at(second), 0, 100, true), None);
        }
    }
}
