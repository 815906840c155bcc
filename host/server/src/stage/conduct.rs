//! How a running revision behaves, and what becomes of it: breaker, error budget and pace together.
//!
//! Three rules that look at different things. The breaker looks at seconds and takes a model that
//! breaks off the roster. The error budget looks at an hour, the pace at whether scores come in time:
//! they only *demote*, which leaves the model on the roster and lets nobody wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use catalog::EndpointConfig;
use message::Time;
use rendezvous::budget::{Budget, BudgetLimits};
use rendezvous::pace::{Pace, PaceLimits};
use rendezvous::quarantine::{Health, Quarantine, QuarantineLimits, Tally};

/// What is left of an error budget when a revision that has spent it gets its place back.
const BUDGET_LEFT_TO_RETURN: f64 = 0.5;

/// How the calls of one revision went since the last time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calls {
    pub(crate) incarnation: u64,
    pub(crate) tally: Tally,
    /// The last fault, in one line.
    pub(crate) why: String,
    /// Requests for which its score was there when the wait for it ended.
    pub(crate) in_time: u64,
    /// Requests for which it was not.
    pub(crate) late: u64,
    /// Scores that an external model wrote, whatever they were good for.
    pub(crate) heard: u64,
    /// Requests that were given up without a word of an external model.
    pub(crate) unheard: u64,
}

/// When what happens to a revision.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ConductLimits {
    quarantine: QuarantineLimits,
    budget: BudgetLimits,
    pace: PaceLimits,
    pub(crate) probation: Duration,
    pub(crate) rollback: bool,
}

/// What others leave a model to lose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct May {
    /// Whether it may be taken off: somebody or something else can answer.
    pub(crate) rest: bool,
    /// Whether it may be demoted: somebody can take its place.
    pub(crate) give_way: bool,
}

/// What the calls of a revision led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// Because it faulted too often: it has to go.
    Faulty(String),
    /// Because it faulted too often, and there is nobody else.
    Kept(String),
    /// Because its probe went well.
    Recovered,
    /// Because it has spent its error budget, or is late too often.
    Demoted(String),
    /// Because neither is so any more.
    Reinstated(String),
}

/// One revision's conduct since it went live.
pub(crate) struct Conduct {
    limits: ConductLimits,
    breaker: Quarantine,
    budget: Budget,
    pace: Pace,
    budget_is_spent: bool,
    /// Why it rests, is demoted, or would be if there were somebody else.
    pub(crate) why: String,
    /// When it was last found faulty and kept all the same.
    kept: Option<Time>,
    /// Set while a probe is on its way. Made anew for each rest that ends.
    probe: Arc<AtomicBool>,
}

impl ConductLimits {
    /// The limits of the revisions of an endpoint.
    pub(crate) fn of(config: &EndpointConfig) -> Self {
        let (quarantine, pace) = (&config.quarantine, &config.pace);
        Self {
            quarantine: QuarantineLimits {
                consecutive_faults: quarantine.consecutive_faults as u64,
                window: quarantine.window,
                faults: quarantine.faults as u64,
                fault_share: quarantine.fault_share,
                calls: quarantine.calls as u64,
                backoff_first: quarantine.backoff_first,
                backoff_longest: quarantine.backoff_longest,
            },
            budget: BudgetLimits {
                fault_share: quarantine.budget.fault_share,
                over: quarantine.budget.over,
                calls: quarantine.budget.calls as u64,
            },
            pace: PaceLimits {
                late_share: pace.late_share,
                window: pace.window,
                requests: pace.requests as u64,
                slow_for: pace.slow_for,
                recover_after: pace.recover_after,
                recover_longest: pace.recover_longest,
            },
            probation: quarantine.probation,
            rollback: quarantine.rollback,
        }
    }
}

impl ConductLimits {
    /// Those of the breaker alone.
    pub(crate) const fn breaker(&self) -> &QuarantineLimits {
        &self.quarantine
    }
}

impl Conduct {
    /// A revision that has done nothing yet.
    pub(crate) fn new(limits: ConductLimits) -> Self {
        Self {
            breaker: Quarantine::new(limits.quarantine.clone()),
            budget: Budget::new(limits.budget.clone()),
            pace: Pace::new(limits.pace.clone()),
            limits,
            budget_is_spent: false,
            why: String::new(),
            kept: None,
            probe: Arc::default(),
        }
    }

    pub(crate) const fn limits(&self) -> &ConductLimits {
        &self.limits
    }

    /// Where the breaker stands.
    pub(crate) const fn health(&self) -> Health {
        self.breaker.health()
    }

    /// Whether others go before it and nobody waits for it.
    pub(crate) const fn is_demoted(&self) -> bool {
        self.budget_is_spent || self.pace.is_demoted()
    }

    /// Whether it faulted too often lately, and stays because there is nobody else.
    pub(crate) const fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// What marks that the one probe is on its way, while one decides.
    pub(crate) fn probe(&self) -> Option<Arc<AtomicBool>> {
        (self.health() == Health::Probed).then(|| Arc::clone(&self.probe))
    }

    /// What is left of the error budget, and the share of requests for which it was late.
    pub(crate) fn vitals(&mut self, now: Time) -> (f64, f64) {
        let (late, requests) = self.pace.late_of_requests(now);
        (self.budget.left(now), late as f64 / requests.max(1) as f64)
    }

    /// Hears how calls went.
    pub(crate) fn handle_calls(&mut self, now: Time, calls: &Calls, may: May) -> Vec<Finding> {
        let was_demoted = self.is_demoted();
        let mut findings = Vec::new();
        findings.extend(self.handle_faults(now, calls, may));
        self.handle_budget(now, calls, may);
        self.pace.handle_requests(now, calls.in_time, calls.late, may.give_way);
        match (was_demoted, self.is_demoted()) {
            (false, true) => {
                self.why = self.numbers(now);
                findings.push(Finding::Demoted(self.why.clone()));
            }
            (true, false) => findings.push(Finding::Reinstated(self.numbers(now))),
            _ => {}
        }
        findings
    }

    /// Ends a rest that is over. Returns whether that changes anything.
    pub(crate) fn handle_timeout(&mut self, now: Time) -> bool {
        let over = self.breaker.handle_timeout(now);
        if over {
            self.probe = Arc::new(AtomicBool::new(false));
        }
        over
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub(crate) const fn poll_timeout(&self) -> Option<Time> {
        self.breaker.poll_timeout()
    }

    fn handle_faults(&mut self, now: Time, calls: &Calls, may: May) -> Option<Finding> {
        let forgotten = |kept| now.since(kept) >= self.limits.quarantine.backoff_longest;
        self.kept = self.kept.filter(|&kept| !forgotten(kept));
        if !self.breaker.handle_calls(now, &calls.tally) {
            return None;
        }
        if self.breaker.health() == Health::Sound {
            return Some(Finding::Recovered);
        }
        self.why.clone_from(&calls.why);
        if may.rest {
            return Some(Finding::Faulty(calls.why.clone()));
        }
        self.breaker.forgive();
        let is_news = self.kept.replace(now).is_none();
        is_news.then(|| Finding::Kept(calls.why.clone()))
    }

    fn handle_budget(&mut self, now: Time, calls: &Calls, may: May) {
        self.budget.handle_calls(now, calls.tally.succeeded(), calls.tally.faulted());
        if self.budget_is_spent {
            self.budget_is_spent = self.budget.left(now) < BUDGET_LEFT_TO_RETURN;
        } else {
            self.budget_is_spent = may.give_way && self.budget.is_spent(now);
        }
    }

    /// The numbers that speak for or against it, in one line.
    fn numbers(&mut self, now: Time) -> String {
        let (late, requests) = self.pace.late_of_requests(now);
        let (faults, calls) = self.budget.faults_of_calls(now);
        let percent = |share: f64| format!("{}%", (share * 1e6).round() / 1e4);
        format!(
            "late for {late} of {requests} requests within {:?} (allowed: {}), faulted on {faults} of \
             {calls} calls within {:?} (allowed: {})",
            self.limits.pace.window,
            percent(self.limits.pace.late_share),
            self.limits.budget.over,
            percent(self.limits.budget.fault_share),
        )
    }
}

/// Takes the place of the one probe that a revision gets, if it is free.
pub(crate) fn take_probe(probe: &AtomicBool) -> bool {
    !probe.swap(true, Ordering::AcqRel)
}

/// Gives the place back: the probe was not run, or did not say anything about the model.
pub(crate) fn release_probe(probe: &AtomicBool) {
    probe.store(false, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: May = May { rest: true, give_way: true };
    const NEITHER: May = May { rest: false, give_way: false };

    fn at(second: u64) -> Time {
        Time::from_us(1_000_000_000) + Duration::from_secs(second)
    }

    fn calls(succeeded: u64, faulted: u64) -> Calls {
        let mut tally = Tally::default();
        (0..succeeded).for_each(|_| tally.succeed());
        (0..faulted).for_each(|_| tally.fault());
        Calls { tally, why: "panic".to_owned(), ..Calls::default() }
    }

    fn paced(in_time: u64, late: u64) -> Calls {
        Calls { in_time, late, ..Calls::default() }
    }

    fn conduct() -> Conduct {
        Conduct::new(ConductLimits::of(&EndpointConfig::default()))
    }

    #[test]
    fn a_revision_that_breaks_goes_unless_it_is_the_last() {
        let faulty = Finding::Faulty("panic".to_owned());
        assert_eq!(conduct().handle_calls(at(0), &calls(0, 7), BOTH), [faulty]);
        let mut last = conduct();
        let kept = Finding::Kept("panic".to_owned());
        assert_eq!(last.handle_calls(at(0), &calls(0, 7), NEITHER), std::slice::from_ref(&kept));
        assert_eq!(last.health(), Health::Sound);
        // It is said once, and again after it was good for a while.
        assert_eq!(last.handle_calls(at(1), &calls(0, 7), NEITHER), []);
        assert_eq!(last.handle_calls(at(90), &calls(0, 7), NEITHER), [kept]);
    }

    #[test]
    fn a_spent_budget_demotes_until_half_of_it_is_left() {
        let mut conduct = conduct();
        for second in 0..10 {
            assert_eq!(conduct.handle_calls(at(second), &calls(19, 1), BOTH), []);
        }
        let findings = conduct.handle_calls(at(10), &calls(40, 1), BOTH);
        assert!(
            matches!(&findings[..], [Finding::Demoted(why)]
            if why.contains("faulted on 11 of 241 calls within 3600s (allowed: 1%)")),
            "{findings:?}"
        );
        assert_eq!(conduct.handle_calls(at(11), &calls(1000, 0), BOTH), []);
        let findings = conduct.handle_calls(at(12), &calls(2000, 0), BOTH);
        assert!(matches!(&findings[..], [Finding::Reinstated(_)]), "{findings:?}");
    }

    #[test]
    fn a_slow_revision_is_demoted_with_its_numbers() {
        let mut conduct = conduct();
        assert_eq!(conduct.handle_calls(at(0), &paced(0, 100), BOTH), []);
        let findings = conduct.handle_calls(at(10), &paced(10, 90), BOTH);
        assert!(
            matches!(&findings[..], [Finding::Demoted(why)]
            if why.starts_with("late for 90 of 100 requests within 10s (allowed: 50%)")),
            "{findings:?}"
        );
        assert!(conduct.is_demoted());
        assert_eq!(conduct.vitals(at(10)), (1.0, 0.9));
    }

    #[test]
    fn one_probe_at_a_time() {
        let mut conduct = conduct();
        conduct.handle_calls(at(0), &calls(0, 7), BOTH);
        assert!(conduct.probe().is_none());
        assert!(conduct.handle_timeout(at(1)));
        let probe = conduct.probe().unwrap();
        assert!(take_probe(&probe));
        assert!(!take_probe(&probe));
        release_probe(&probe);
        assert!(take_probe(&conduct.probe().unwrap()));
        assert_eq!(conduct.handle_calls(at(1), &calls(1, 0), BOTH), [Finding::Recovered]);
        assert!(conduct.probe().is_none());
    }
}
