//! A bound on how much is inside at once, that turns away instead of queueing.
//!
//! Not a semaphore: nobody ever waits here, and one gate counts calls, another bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Lets in until `limit` is reached. `Clone` gives another handle of the same gate.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    inside: Arc<AtomicUsize>,
    limit: usize,
}

impl Gate {
    /// A gate with nothing inside.
    pub(crate) fn new(limit: usize) -> Self {
        Self { inside: Arc::default(), limit }
    }

    /// Lets `amount` in, if there is room for all of it.
    pub(crate) fn enter(&self, amount: usize) -> Option<Pass> {
        let mut pass = Pass { inside: Arc::clone(&self.inside), amount: 0 };
        self.extend(&mut pass, amount).then_some(pass)
    }

    /// Lets `amount` more in on the same pass; says whether there was room.
    pub(crate) fn extend(&self, pass: &mut Pass, amount: usize) -> bool {
        let room = |inside: usize| inside.checked_add(amount).filter(|&total| total <= self.limit);
        let entered = self.inside.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok();
        pass.amount += if entered { amount } else { 0 };
        entered
    }

    /// How much is inside.
    pub(crate) fn inside(&self) -> usize {
        self.inside.load(Ordering::Relaxed)
    }
}

impl Pass {
    /// Parts with so much of what was let in, or with all of it.
    pub(crate) fn split(&mut self, amount: usize) -> Self {
        let amount = amount.min(self.amount);
        self.amount -= amount;
        Self { inside: Arc::clone(&self.inside), amount }
    }
}

/// What was let in; it leaves when this is dropped.
#[derive(Debug)]
pub(crate) struct Pass {
    inside: Arc<AtomicUsize>,
    amount: usize,
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.inside.fetch_sub(self.amount, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_turns_away_what_would_exceed_its_limit() {
        let gate = Gate::new(3);
        let pass = gate.enter(2).unwrap();
        assert!(gate.enter(2).is_none());
        assert_eq!(gate.inside(), 2);
        let other = gate.enter(1).unwrap();
        drop(pass);
        assert_eq!(gate.inside(), 1);
        drop(other);
        assert_eq!(gate.inside(), 0);
    }

    #[test]
    fn a_part_of_a_pass_leaves_by_itself() {
        let gate = Gate::new(10);
        let mut pass = gate.enter(6).unwrap();
        let part = pass.split(4);
        drop(pass);
        assert_eq!(gate.inside(), 4);
        drop(part);
        assert_eq!(gate.inside(), 0);
    }

    #[test]
    fn a_pass_that_was_extended_takes_everything_along() {
        let gate = Gate::new(10);
        let mut pass = gate.enter(4).unwrap();
        assert!(gate.extend(&mut pass, 6));
        assert!(!gate.extend(&mut pass, usize::MAX));
        drop(pass);
        assert_eq!(gate.inside(), 0);
    }
}
