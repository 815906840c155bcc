//! The breaker of one revision: when faults are too many, how long it rests, and when it is probed.
//!
//! A circuit breaker without a clock. It opens after so many faults in a row, or when faults are a
//! large share of the calls of a sliding window; it stays open for a rest that doubles with each
//! failed probe; then one call decides. The numbers are Linkerd's (seven failures in a row, a rest of
//! 1 s that grows to 60 s, one probe), with a window in the manner of Envoy's outlier detection.
//!
//! What may surprise: there is no jitter. It keeps many clients from probing one server at the same
//! moment, and here each revision has one caller, whose probe is a request that is made anyhow.

use std::time::Duration;

use message::Time;

use crate::window::Window;

/// When a revision is sent to quarantine and how long it stays.
#[derive(Debug, Clone, PartialEq)]
pub struct QuarantineLimits {
    /// So many faults in a row are too many.
    pub consecutive_faults: u64,
    /// How far back faults and calls count.
    pub window: Duration,
    /// So many faults in the window are too many as well, if they are a large share of the calls.
    pub faults: u64,
    /// The share of calls in the window that must have faulted for that, from 0 to 1.
    pub fault_share: f64,
    /// The calls that the window must have had for that.
    pub calls: u64,
    /// The first rest.
    pub backoff_first: Duration,
    /// The longest rest: each one is twice the one before it, up to this.
    pub backoff_longest: Duration,
}

impl Default for QuarantineLimits {
    fn default() -> Self {
        Self {
            consecutive_faults: 7,
            window: Duration::from_secs(10),
            faults: 5,
            fault_share: 0.1,
            calls: 50,
            backoff_first: Duration::from_secs(1),
            backoff_longest: Duration::from_secs(60),
        }
    }
}

/// How some calls went, in the order in which they ended.
///
/// ```
/// use rendezvous::quarantine::Tally;
///
/// let mut tally = Tally::default();
/// tally.succeed();
/// tally.fault();
/// let mut later = Tally::default();
/// later.fault();
/// tally.append(&later);
/// assert_eq!((tally.succeeded(), tally.faulted(), tally.longest_run()), (1, 2, 2));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    succeeded: u64,
    faulted: u64,
    /// The faults before the first success.
    leading: u64,
    longest: u64,
    /// The faults after the last success.
    trailing: u64,
}

impl Tally {
    /// Adds a call that went well.
    pub fn succeed(&mut self) {
        self.succeeded += 1;
        self.trailing = 0;
    }

    /// Adds a call that faulted.
    pub fn fault(&mut self) {
        self.faulted += 1;
        self.trailing += 1;
        self.longest = self.longest.max(self.trailing);
        if self.succeeded == 0 {
            self.leading += 1;
        }
    }

    /// Adds the calls that came after these.
    pub fn append(&mut self, later: &Self) {
        self.longest = self.longest.max(later.longest).max(self.trailing + later.leading);
        self.trailing = if later.succeeded == 0 { self.trailing } else { 0 } + later.trailing;
        if self.succeeded == 0 {
            self.leading += later.leading;
        }
        self.succeeded += later.succeeded;
        self.faulted += later.faulted;
    }

    /// How many went well.
    pub const fn succeeded(&self) -> u64 {
        self.succeeded
    }

    /// How many faulted.
    pub const fn faulted(&self) -> u64 {
        self.faulted
    }

    /// How many faulted in a row, at the worst.
    pub const fn longest_run(&self) -> u64 {
        self.longest
    }
}

/// Where a revision stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It may answer.
    Sound,
    /// It rests and is asked nothing.
    Quarantined {
        /// When it is probed.
        until: Time,
    },
    /// Its next call decides.
    Probed,
}

/// Counts the faults of one revision and says when it has to rest.
#[derive(Debug)]
pub struct Quarantine {
    limits: QuarantineLimits,
    health: Health,
    backoff: Duration,
    window: Window,
    /// The latest calls, as far back as the last that went well.
    run: Tally,
}

impl Quarantine {
    /// A revision that is sound until it proves otherwise.
    pub fn new(limits: QuarantineLimits) -> Self {
        Self {
            backoff: limits.backoff_first,
            window: Window::new(limits.window),
            limits,
            health: Health::Sound,
            run: Tally::default(),
        }
    }

    /// Where the revision stands.
    pub const fn health(&self) -> Health {
        self.health
    }

    /// Hears how calls went. Returns whether `health` changed.
    pub fn handle_calls(&mut self, now: Time, tally: &Tally) -> bool {
        match self.health {
            Health::Quarantined { .. } => false,
            Health::Probed if tally.faulted > 0 => {
                self.backoff = (self.backoff * 2).min(self.limits.backoff_longest);
                self.rest(now);
                true
            }
            Health::Probed if tally.succeeded > 0 => {
                self.forgive();
                true
            }
            Health::Probed => false,
            Health::Sound => self.count(now, tally),
        }
    }

    /// Sends the revision to rest whatever the counts say.
    pub fn handle_trip(&mut self, now: Time) {
        self.rest(now);
    }

    /// Makes the revision sound and forgets its faults, but not how long it rested last.
    pub fn forgive(&mut self) {
        self.health = Health::Sound;
        self.window.clear();
        self.run = Tally::default();
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do. Changes with `health`.
    pub const fn poll_timeout(&self) -> Option<Time> {
        match self.health {
            Health::Quarantined { until } => Some(until),
            Health::Sound | Health::Probed => None,
        }
    }

    /// Ends a rest that is over. Returns whether `health` changed; spurious calls do nothing.
    pub fn handle_timeout(&mut self, now: Time) -> bool {
        let over = matches!(self.health, Health::Quarantined { until } if until <= now);
        if over {
            self.health = Health::Probed;
        }
        over
    }

    fn count(&mut self, now: Time, tally: &Tally) -> bool {
        self.run.append(tally);
        let longest = self.run.longest_run();
        if self.run.succeeded > 0 {
            // What went before the last success is no part of a run any more.
            let trailing = self.run.trailing;
            self.run = Tally::default();
            (0..trailing.min(self.limits.consecutive_faults)).for_each(|_| self.run.fault());
        }
        self.window.add(now, tally.succeeded + tally.faulted, tally.faulted);
        let counts = self.window.counts(now);
        let too_large_a_share = counts.bad >= self.limits.faults.max(1)
            && counts.all >= self.limits.calls
            && counts.bad_share() >= self.limits.fault_share;
        let too_many = longest >= self.limits.consecutive_faults.max(1) || too_large_a_share;
        if too_many {
            self.rest(now);
        } else if counts.bad == 0 && self.window.is_busy() {
            // A whole window without a fault: the next rest is a first one again.
            self.backoff = self.limits.backoff_first;
        }
        too_many
    }

    fn rest(&mut self, now: Time) {
        self.health = Health::Quarantined { until: now + self.backoff };
        self.run = Tally::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn start() -> Time {
        Time::from_us(1_000_000_000)
    }

    /// The tally of calls, `.` for one that went well and `x` for one that faulted.
    fn tally(calls: &str) -> Tally {
        let mut tally = Tally::default();
        for call in calls.chars() {
            if call == 'x' { tally.fault() } else { tally.succeed() }
        }
        tally
    }

    fn many(succeeded: u64, faulted: u64) -> Tally {
        Tally { succeeded, faulted, longest: 1, ..Tally::default() }
    }

    /// Hears of these calls at once each, and returns after which of them it opens.
    fn opens_after(turns: &[&str]) -> Option<usize> {
        let mut quarantine = Quarantine::new(QuarantineLimits::default());
        turns.iter().position(|calls| quarantine.handle_calls(start(), &tally(calls)))
    }

    #[test]
    fn a_tally_of_pieces_is_the_tally_of_the_whole() {
        let whole = "xx.xxx..xxxx.x";
        for first in 0..whole.len() {
            for second in first..whole.len() {
                let mut pieces = tally(&whole[..first]);
                pieces.append(&tally(&whole[first..second]));
                pieces.append(&tally(&whole[second..]));
                assert_eq!(pieces, tally(whole), "{first} {second}");
            }
        }
    }

    #[test]
    fn so_many_faults_in_a_row_are_too_many_however_they_are_told() {
        assert_eq!(opens_after(&["xxxxxxx"]), Some(0));
        assert_eq!(opens_after(&["..xxx", "xx", "xx.."]), Some(2));
        assert_eq!(opens_after(&["xxxxxx", ".", "xxxxxx", "."]), None);
        assert_eq!(opens_after(&["xxxxxx.xxxxxx.xxxxxx"]), None);
        assert_eq!(opens_after(&["....xxxxxxx...."]), Some(0));
    }

    #[test]
    fn a_large_share_of_faults_among_many_calls_is_too_many() {
        let turns = ["x.........x........"; 4];
        assert_eq!(opens_after(&turns), Some(2));
        assert_eq!(opens_after(&["x..................."; 20]), None);
    }

    #[test]
    fn a_few_faults_among_many_calls_are_forgiven() {
        let mut quarantine = Quarantine::new(QuarantineLimits::default());
        for step in 0..100 {
            assert!(!quarantine.handle_calls(start() + SECOND * step, &many(995, 5)));
        }
        assert_eq!(quarantine.health(), Health::Sound);
    }

    #[test]
    fn faults_on_every_call_lead_to_a_rest_and_a_probe() {
        let mut quarantine = Quarantine::new(QuarantineLimits::default());
        for _ in 0..6 {
            assert!(!quarantine.handle_calls(start(), &tally("x")));
        }
        assert!(quarantine.handle_calls(start(), &tally("x")));
        let until = start() + SECOND;
        assert_eq!(quarantine.health(), Health::Quarantined { until });
        assert!(!quarantine.handle_timeout(start()));
        assert!(quarantine.handle_timeout(until));
        assert!(!quarantine.handle_calls(until, &tally("")));
        assert!(quarantine.handle_calls(until, &tally(".")));
        assert_eq!(quarantine.health(), Health::Sound);
    }

    #[test]
    fn a_failed_probe_doubles_the_rest_up_to_the_longest() {
        let limits =
            QuarantineLimits { backoff_longest: SECOND * 3, ..QuarantineLimits::default() };
        let mut quarantine = Quarantine::new(limits);
        quarantine.handle_trip(start());
        let mut rests = Vec::new();
        for _ in 0..3 {
            let until = quarantine.poll_timeout().unwrap();
            quarantine.handle_timeout(until);
            quarantine.handle_calls(until, &tally("x"));
            rests.push(quarantine.poll_timeout().unwrap().since(until));
        }
        assert_eq!(rests, [SECOND * 2, SECOND * 3, SECOND * 3]);
    }

    #[test]
    fn old_faults_are_forgotten() {
        let mut quarantine = Quarantine::new(QuarantineLimits::default());
        quarantine.handle_calls(start(), &many(46, 4));
        assert!(!quarantine.handle_calls(start() + SECOND * 11, &many(46, 4)));
        assert!(quarantine.handle_calls(start() + SECOND * 12, &many(0, 4)));
    }
}
