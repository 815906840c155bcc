//! The error budget of one revision: how many faults it may have over a long time.
//!
//! The breaker of [`quarantine`](crate::quarantine) looks at seconds, this looks at hours: a revision
//! that faults now and then never trips the one and still spends the other.
//!
//! Of `calls` in the last `over`, `fault_share` of them may fault. A revision that has had few calls
//! is judged as if it had had [`BudgetLimits::calls`], so that its first fault does not spend it all.

use std::time::Duration;

use message::Time;

use crate::window::Window;

/// How many faults a revision may have.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetLimits {
    /// The share of its calls that may fault, from 0 to 1. With 1 the budget is never spent.
    pub fault_share: f64,
    /// The time over which calls and faults are counted.
    pub over: Duration,
    /// As many calls are taken for granted.
    pub calls: u64,
}

impl Default for BudgetLimits {
    /// One in a hundred over an hour, and ten in any case.
    fn default() -> Self {
        Self { fault_share: 0.01, over: Duration::from_secs(3600), calls: 1000 }
    }
}

/// Follows how much of its budget one revision has left.
///
/// ```
/// # use message::Time;
/// use rendezvous::budget::{Budget, BudgetLimits};
///
/// let mut budget = Budget::new(BudgetLimits { fault_share: 0.01, ..BudgetLimits::default() });
/// budget.handle_calls(Time::EPOCH, 995, 5);
/// assert_eq!(budget.left(Time::EPOCH), 0.5);
/// budget.handle_calls(Time::EPOCH, 0, 6);
/// assert!(budget.is_spent(Time::EPOCH));
/// ```
#[derive(Debug)]
pub struct Budget {
    limits: BudgetLimits,
    window: Window,
}

impl Budget {
    /// A budget of which nothing is spent.
    pub fn new(limits: BudgetLimits) -> Self {
        Self { window: Window::new(limits.over), limits }
    }

    /// Hears how many calls went well and how many faulted.
    pub fn handle_calls(&mut self, now: Time, succeeded: u64, faulted: u64) {
        self.window.add(now, succeeded + faulted, faulted);
    }

    /// What is left of the budget: from 1, nothing is spent, down to 0.
    pub fn left(&mut self, now: Time) -> f64 {
        let (faults, allowed) = self.faults_and_allowed(now);
        if faults == 0.0 { 1.0 } else { (1.0 - faults / allowed).max(0.0) }
    }

    /// Whether there were more faults than the budget has.
    pub fn is_spent(&mut self, now: Time) -> bool {
        let (faults, allowed) = self.faults_and_allowed(now);
        faults > allowed
    }

    /// The faults and the calls that count `now`.
    pub fn faults_of_calls(&mut self, now: Time) -> (u64, u64) {
        let counts = self.window.counts(now);
        (counts.bad, counts.all)
    }

    fn faults_and_allowed(&mut self, now: Time) -> (f64, f64) {
        let (faults, calls) = self.faults_of_calls(now);
        let allowed = self.limits.fault_share * calls.max(self.limits.calls) as f64;
        (faults as f64, allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn check(fault_share: f64, succeeded: u64, faulted: u64, left: f64, spent: bool) {
        let limits = BudgetLimits { fault_share, ..BudgetLimits::default() };
        let mut budget = Budget::new(limits);
        let now = Time::from_us(1_000_000_000);
        budget.handle_calls(now, succeeded, faulted);
        let found = (budget.left(now), budget.is_spent(now));
        assert_eq!(found, (left, spent), "{faulted} of {} at {fault_share}", succeeded + faulted);
    }

    #[test]
    fn faults_spend_the_share_of_what_was_called() {
        check(0.01, 100_000, 0, 1.0, false);
        check(0.01, 9_975, 25, 0.75, false);
        check(0.01, 9_900, 100, 0.0, false);
        check(0.01, 9_899, 101, 0.0, true);
    }

    #[test]
    fn a_revision_with_few_calls_is_not_judged_by_its_first_fault() {
        check(0.01, 0, 1, 0.9, false);
        check(0.01, 0, 10, 0.0, false);
        check(0.01, 0, 11, 0.0, true);
    }

    #[test]
    fn a_budget_may_be_nothing_or_everything() {
        check(0.0, 5, 0, 1.0, false);
        check(0.0, 5, 1, 0.0, true);
        check(1.0, 0, 5_000, 0.0, false);
    }

    #[test]
    fn faults_of_another_hour_are_forgotten() {
        let mut budget = Budget::new(BudgetLimits::default());
        let start = Time::from_us(1_000_000_000);
        budget.handle_calls(start, 0, 11);
        assert!(budget.is_spent(start + HOUR / 2));
        assert!(!budget.is_spent(start + HOUR));
        assert_eq!(budget.left(start + HOUR), 1.0);
    }
}
