//! The health of one revision: when faults are too many, how long it rests, and when it is probed.
//!
//! A circuit breaker without a clock. It counts calls in a sliding window of ten buckets, so that
//! its memory does not grow with the rate of requests.

use std::time::Duration;

use message::Time;

const BUCKETS: usize = 10;

/// When a revision is sent to quarantine and how long it stays.
#[derive(Debug, Clone, PartialEq)]
pub struct QuarantineLimits {
    /// How far back faults count.
    pub window: Duration,
    /// How many faults in the window are too many.
    pub faults: u64,
    /// The share of calls in the window that must have faulted as well, from 0 to 1.
    pub fault_share: f64,
    /// The first rest.
    pub backoff_first: Duration,
    /// The longest rest: each one is twice the one before it, up to this.
    pub backoff_longest: Duration,
}

impl Default for QuarantineLimits {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(10),
            faults: 5,
            fault_share: 0.1,
            backoff_first: Duration::from_secs(1),
            backoff_longest: Duration::from_secs(300),
        }
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
    buckets: [Bucket; BUCKETS],
    bucket_start: Time,
}

#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    calls: u64,
    faults: u64,
}

impl Quarantine {
    /// A revision that is sound until it proves otherwise.
    pub fn new(limits: QuarantineLimits) -> Self {
        Self {
            backoff: limits.backoff_first,
            limits,
            health: Health::Sound,
            buckets: [Bucket::default(); BUCKETS],
            bucket_start: Time::EPOCH,
        }
    }

    /// Where the revision stands.
    pub const fn health(&self) -> Health {
        self.health
    }

    /// Hears how many calls went well and how many faulted. Returns whether `health` changed.
    pub fn handle_calls(&mut self, now: Time, succeeded: u64, faulted: u64) -> bool {
        match self.health {
            Health::Quarantined { .. } => false,
            Health::Probed if faulted > 0 => {
                self.backoff = (self.backoff * 2).min(self.limits.backoff_longest);
                self.rest(now);
                true
            }
            Health::Probed if succeeded > 0 => {
                self.health = Health::Sound;
                self.buckets = [Bucket::default(); BUCKETS];
                true
            }
            Health::Probed => false,
            Health::Sound => self.count(now, succeeded, faulted),
        }
    }

    /// Sends the revision to rest whatever the counts say.
    pub fn handle_trip(&mut self, now: Time) {
        self.rest(now);
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

    fn count(&mut self, now: Time, succeeded: u64, faulted: u64) -> bool {
        self.turn_to(now);
        self.buckets[0].calls += succeeded + faulted;
        self.buckets[0].faults += faulted;
        let calls: u64 = self.buckets.iter().map(|bucket| bucket.calls).sum();
        let faults: u64 = self.buckets.iter().map(|bucket| bucket.faults).sum();
        let too_many = faults >= self.limits.faults.max(1)
            && faults as f64 >= self.limits.fault_share * calls as f64;
        if too_many {
            self.rest(now);
        } else if faults == 0 && self.buckets.iter().all(|bucket| bucket.calls > 0) {
            // A whole window without a fault: the next rest is a first one again.
            self.backoff = self.limits.backoff_first;
        }
        too_many
    }

    fn turn_to(&mut self, now: Time) {
        let bucket = (self.limits.window / BUCKETS as u32).max(Duration::from_micros(1));
        let passed = now.since(self.bucket_start).as_micros() / bucket.as_micros();
        if passed == 0 {
            return;
        }
        let passed = usize::try_from(passed).unwrap_or(BUCKETS).min(BUCKETS);
        self.buckets.rotate_right(passed);
        self.buckets[..passed].fill(Bucket::default());
        self.bucket_start = now;
    }

    fn rest(&mut self, now: Time) {
        self.health = Health::Quarantined { until: now + self.backoff };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn start() -> Time {
        Time::from_us(1_000_000_000)
    }

    #[test]
    fn a_few_faults_among_many_calls_are_forgiven() {
        let mut quarantine = Quarantine::new(QuarantineLimits::default());
        for step in 0..100 {
            assert!(!quarantine.handle_calls(start() + SECOND * step, 995, 5));
        }
        assert_eq!(quarantine.health(), Health::Sound);
    }

    #[test]
    fn faults_on_every_call_lead_to_a_rest_and_a_probe() {
        let mut quarantine = Quarantine::new(QuarantineLimits::default());
        for _ in 0..4 {
            assert!(!quarantine.handle_calls(start(), 0, 1));
        }
        assert!(quarantine.handle_calls(start(), 0, 1));
        let until = start() + SECOND;
        assert_eq!(quarantine.health(), Health::Quarantined { until });
        assert!(!quarantine.handle_timeout(start()));
        assert!(quarantine.handle_timeout(until));
        assert!(quarantine.handle_calls(until, 1, 0));
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
            quarantine.handle_calls(until, 0, 1);
            rests.push(quarantine.poll_timeout().unwrap().since(until));
        }
        assert_eq!(rests, [SECOND * 2, SECOND * 3, SECOND * 3]);
    }

    #[test]
    fn old_faults_are_forgotten() {
        let mut quarantine = Quarantine::new(QuarantineLimits::default());
        quarantine.handle_calls(start(), 0, 4);
        assert!(!quarantine.handle_calls(start() + SECOND * 11, 0, 4));
    }
}
