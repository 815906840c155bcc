//! The rosters in use: the current one, and older ones that open mailboxes were opened with.

use std::sync::Arc;

use crate::Roster;
use crate::members::PositionSet;

/// One roster's time of service, which ends with the last mailbox opened in it.
#[derive(Debug)]
pub(crate) struct Tenure {
    pub(crate) roster: Arc<Roster>,
    /// The members from which nothing can be chosen any more, but for what is there: those that never
    /// could be, and those that have left. Who has left does not come back to this tenure.
    pub(crate) absent: PositionSet,
    /// How many mailboxes are open in it.
    open: usize,
}

/// Every tenure in use, in slots that are used again. There are at most as many as open mailboxes,
/// and the current one.
#[derive(Debug)]
pub(crate) struct Tenures {
    slots: Vec<Option<Tenure>>,
    current: usize,
}

impl Tenures {
    /// The tenure of an empty roster.
    pub(crate) fn new() -> Self {
        Self { slots: vec![Some(Tenure::new(Arc::default()))], current: 0 }
    }

    pub(crate) fn current(&self) -> &Tenure {
        self.get(self.current)
    }

    pub(crate) fn get(&self, tenure: usize) -> &Tenure {
        self.slots[tenure].as_ref().expect("invariant: an open mailbox keeps its tenure")
    }

    /// Begins a tenure, and returns those older ones that somebody has left by it.
    pub(crate) fn begin(&mut self, roster: Arc<Roster>) -> Vec<usize> {
        self.drop_if_unused(self.current);
        let mut changed = Vec::new();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if slot.as_mut().is_some_and(|tenure| tenure.mark_absent(&roster)) {
                changed.push(index);
            }
        }
        let free = self.slots.iter().position(Option::is_none).unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[free] = Some(Tenure::new(roster));
        self.current = free;
        changed
    }

    /// Counts one more mailbox in the current tenure, and returns that.
    pub(crate) fn enter(&mut self) -> usize {
        let tenure = self.slots[self.current].as_mut();
        tenure.expect("invariant: there is a current tenure").open += 1;
        self.current
    }

    /// Counts one mailbox less.
    pub(crate) fn leave(&mut self, tenure: usize) {
        let left = self.slots[tenure].as_mut();
        left.expect("invariant: an open mailbox keeps its tenure").open -= 1;
        if tenure != self.current {
            self.drop_if_unused(tenure);
        }
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    fn drop_if_unused(&mut self, tenure: usize) {
        if self.slots[tenure].as_ref().is_some_and(|tenure| tenure.open == 0) {
            self.slots[tenure] = None;
        }
    }
}

impl Tenure {
    fn new(roster: Arc<Roster>) -> Self {
        let absent = roster.absent();
        Self { roster, absent, open: 0 }
    }

    /// Marks those members absent that `newer` takes off, and says whether there were any.
    fn mark_absent(&mut self, newer: &Roster) -> bool {
        let mut changed = false;
        for (position, member) in self.roster.members().iter().enumerate() {
            if !self.absent.contains(position) && newer.takes_off(member, position) {
                changed |= self.absent.insert(position);
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Member, Policy};

    /// A member for each name and revision; 100 and more are not live.
    fn roster(revisions: &[(&str, u64)]) -> Arc<Roster> {
        let members = revisions.iter().map(|&(name, revision)| {
            let member = Member::live(name, revision % 100);
            if revision < 100 { member } else { member.not_live() }
        });
        Arc::new(Roster::new(members.collect(), Policy::default()).unwrap())
    }

    #[test]
    fn who_has_left_does_not_come_back_to_an_old_tenure() {
        let mut tenures = Tenures::new();
        assert_eq!(tenures.begin(roster(&[("a", 1), ("b", 1)])), Vec::<usize>::new());
        let old = tenures.enter();
        assert_eq!(tenures.begin(roster(&[("a", 101), ("b", 1)])), [old]);
        assert!(tenures.get(old).absent.contains(0));
        assert!(!tenures.get(old).absent.contains(1));
        assert_eq!(tenures.begin(roster(&[("a", 1), ("b", 1)])), Vec::<usize>::new());
        assert!(tenures.get(old).absent.contains(0));
        assert_eq!(tenures.current().absent.count(), 0);
    }

    #[test]
    fn who_was_replaced_or_is_gone_finishes_what_was_begun() {
        let mut tenures = Tenures::new();
        tenures.begin(roster(&[("a", 1), ("b", 1)]));
        let old = tenures.enter();
        assert_eq!(tenures.begin(roster(&[("a", 2)])), Vec::<usize>::new());
        assert_eq!(tenures.get(old).absent.count(), 0);
    }

    #[test]
    fn a_tenure_ends_with_its_last_mailbox() {
        let mut tenures = Tenures::new();
        for revision in 0..100 {
            tenures.begin(roster(&[("a", revision % 50)]));
        }
        assert_eq!(tenures.slots.len(), 1);
        let old = tenures.enter();
        tenures.begin(roster(&[("a", 70)]));
        assert_eq!(tenures.count(), 2);
        tenures.leave(old);
        assert_eq!(tenures.count(), 1);
        assert_eq!(tenures.current().roster.members()[0].revision, 70);
    }
}
