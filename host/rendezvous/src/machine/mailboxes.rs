//! The open mailboxes, to be found by slot and by request id.
//!
//! Slots are used again, the one left last first, so that what is touched stays small. The ids are
//! chosen by callers, so the table of ids hashes with a key that they cannot guess.

use hashbrown::HashTable;
use message::RequestId;
use siphasher::sip::SipHasher13;

use super::mailbox::Mailbox;
use super::timers::Timers;
use crate::MailboxId;
use crate::members::PositionSet;

/// Room for one mailbox.
#[derive(Debug)]
struct Slot<R, S> {
    /// How often a mailbox was closed here, which tells one tenant from the next.
    opening: u32,
    mailbox: Option<Mailbox<R, S>>,
}

/// The open mailboxes of one machine.
#[derive(Debug)]
pub(crate) struct Mailboxes<R, S> {
    slots: Vec<Slot<R, S>>,
    free: Vec<u32>,
    by_id: HashTable<u32>,
    hash_key: [u8; 16],
    /// Sets of closed mailboxes that are worth keeping because they are boxed.
    spare_sets: Vec<PositionSet>,
}

impl<R, S> Mailboxes<R, S> {
    /// The bytes of one mailbox but for its boxed set: its slot, its place in the list of free ones,
    /// its timer, a spare set, and its part of the table, of which at least 7/32 is in use when full.
    pub(crate) const BYTES: usize = size_of::<Slot<R, S>>()
        + size_of::<u32>()
        + Timers::BYTES
        + (size_of::<u32>() + 1) * 32 / 7
        + size_of::<PositionSet>();

    pub(crate) fn with_capacity(limit: usize, hash_key: u128) -> Self {
        Self {
            slots: Vec::with_capacity(limit),
            free: Vec::with_capacity(limit),
            // A table that is never more than half full gets rid of what was removed in place.
            by_id: HashTable::with_capacity(2 * limit),
            hash_key: hash_key.to_le_bytes(),
            spare_sets: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(crate) fn hash(&self, id: &RequestId) -> u64 {
        SipHasher13::new_with_key(&self.hash_key).hash(id.as_str().as_bytes())
    }

    pub(crate) fn find(&self, hash: u64, id: &RequestId) -> Option<MailboxId> {
        let slot = *self.by_id.find(hash, |&slot| self.at(slot).id == *id)?;
        Some(self.name(slot))
    }

    pub(crate) fn name(&self, slot: u32) -> MailboxId {
        MailboxId { slot, opening: self.slots[slot as usize].opening }
    }

    pub(crate) fn get(&self, name: MailboxId) -> Option<&Mailbox<R, S>> {
        let slot = self.slots.get(name.slot as usize)?;
        slot.mailbox.as_ref().filter(|_| slot.opening == name.opening)
    }

    pub(crate) fn get_mut(&mut self, name: MailboxId) -> Option<&mut Mailbox<R, S>> {
        let slot = self.slots.get_mut(name.slot as usize)?;
        slot.mailbox.as_mut().filter(|_| slot.opening == name.opening)
    }

    /// The mailbox of a slot that is known to be taken.
    pub(crate) fn at(&self, slot: u32) -> &Mailbox<R, S> {
        let mailbox = self.slots[slot as usize].mailbox.as_ref();
        mailbox.expect("invariant: queues and tables name open mailboxes")
    }

    /// The mailbox of a slot that is known to be taken.
    pub(crate) fn at_mut(&mut self, slot: u32) -> &mut Mailbox<R, S> {
        let mailbox = self.slots[slot as usize].mailbox.as_mut();
        mailbox.expect("invariant: queues and tables name open mailboxes")
    }

    /// The slots of the open mailboxes of one tenure.
    pub(crate) fn of_tenure(&self, tenure: usize) -> Vec<u32> {
        let of_tenure = |slot: &Slot<R, S>| {
            slot.mailbox.as_ref().is_some_and(|mailbox| mailbox.tenure == tenure)
        };
        let slots = self.slots.iter().zip(0_u32..);
        slots.filter_map(|(slot, index)| of_tenure(slot).then_some(index)).collect()
    }

    /// The slots of the open mailboxes whose attachments `is_meant`, in ascending order.
    pub(crate) fn with(&self, is_meant: impl Fn(&R) -> bool) -> Vec<u32> {
        let slots = self.slots.iter().zip(0_u32..);
        let meant = slots.filter(|(slot, _)| {
            slot.mailbox.as_ref().is_some_and(|mailbox| is_meant(&mailbox.attachment))
        });
        meant.map(|(_, index)| index).collect()
    }

    /// Puts a mailbox into a slot.
    pub(crate) fn insert(&mut self, mailbox: Mailbox<R, S>) -> MailboxId {
        let hash = mailbox.hash;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { opening: 0, mailbox: None });
            u32::try_from(self.slots.len() - 1).expect("invariant: the limit is below 2^32")
        });
        self.slots[slot as usize].mailbox = Some(mailbox);
        let slots = &self.slots;
        let hash_of =
            |&slot: &u32| slots[slot as usize].mailbox.as_ref().map_or(0, |found| found.hash);
        self.by_id.insert_unique(hash, slot, hash_of);
        self.name(slot)
    }

    /// Takes a mailbox out of its slot.
    pub(crate) fn remove(&mut self, slot: u32) -> Mailbox<R, S> {
        let left = &mut self.slots[slot as usize];
        left.opening = left.opening.wrapping_add(1);
        let removed = left.mailbox.take();
        let mut removed = removed.expect("invariant: queues and tables name open mailboxes");
        if let Ok(entry) = self.by_id.find_entry(removed.hash, |&found| found == slot) {
            entry.remove();
        }
        self.free.push(slot);
        if let PositionSet::Many(_) = removed.heard {
            let heard = std::mem::replace(&mut removed.heard, PositionSet::empty(0));
            self.spare_sets.push(heard);
        }
        removed
    }

    #[cfg(test)]
    pub(crate) fn capacities(&self) -> [usize; 3] {
        [self.slots.capacity(), self.free.capacity(), self.by_id.allocation_size()]
    }

    /// An empty set for `count` members, boxed anew only if no spare one fits.
    pub(crate) fn empty_set(&mut self, count: usize) -> PositionSet {
        if count > PositionSet::FEW
            && let Some(mut spare) = self.spare_sets.pop()
            && spare.fits(count)
        {
            spare.clear();
            return spare;
        }
        PositionSet::empty(count)
    }
}

#[cfg(test)]
mod tests {
    use message::Time;

    use super::*;
    use crate::CourseIndex;
    use crate::machine::mailbox::Phase;

    fn mailbox(mailboxes: &mut Mailboxes<(), ()>, id: &str, members: usize) -> Mailbox<(), ()> {
        let id = RequestId::from(id);
        Mailbox {
            hash: mailboxes.hash(&id),
            id,
            attachment: (),
            asked: Time::EPOCH,
            deadline: Time::EPOCH,
            given_up_at: Time::EPOCH,
            tenure: 0,
            course: CourseIndex::default(),
            heard: mailboxes.empty_set(members),
            awaited: 0,
            given_up: 0,
            phase: Phase::Answered,
        }
    }

    #[test]
    fn an_old_name_does_not_find_the_new_tenant_of_a_slot() {
        let mut mailboxes = Mailboxes::with_capacity(1, 1);
        let opened = mailbox(&mut mailboxes, "a", 3);
        let first = mailboxes.insert(opened);
        assert!(mailboxes.get(first).is_some());
        mailboxes.remove(first.slot);
        assert!(mailboxes.get(first).is_none());
        let opened = mailbox(&mut mailboxes, "b", 3);
        let second = mailboxes.insert(opened);
        assert_eq!(second.slot, first.slot);
        assert!(mailboxes.get_mut(first).is_none());
        assert!(mailboxes.get_mut(second).is_some());
    }

    #[test]
    fn ids_are_found_while_their_mailbox_is_open() {
        let mut mailboxes = Mailboxes::with_capacity(100, 7);
        let ids: Vec<_> = (0..100).map(|n| n.to_string()).collect();
        for id in &ids {
            let opened = mailbox(&mut mailboxes, id, 3);
            mailboxes.insert(opened);
        }
        for id in &ids {
            let id = RequestId::from(id.as_str());
            let hash = mailboxes.hash(&id);
            let found = mailboxes.find(hash, &id).unwrap();
            assert_eq!(mailboxes.get(found).unwrap().id, id);
            mailboxes.remove(found.slot);
            assert_eq!(mailboxes.find(hash, &id), None);
        }
        assert_eq!(mailboxes.len(), 0);
    }

    #[test]
    fn boxed_sets_are_used_again() {
        let mut mailboxes = Mailboxes::with_capacity(2, 1);
        for round in 0..3 {
            for id in ["a", "b"] {
                let mut opened = mailbox(&mut mailboxes, id, 1_000);
                assert_eq!(opened.heard, PositionSet::empty(1_000));
                opened.heard.insert(999);
                mailboxes.insert(opened);
            }
            assert_eq!(mailboxes.spare_sets.len(), 0, "round {round}");
            mailboxes.remove(0);
            mailboxes.remove(1);
            assert_eq!(mailboxes.spare_sets.len(), 2);
        }
        let after_a_change_of_roster = mailbox(&mut mailboxes, "c", 500);
        assert!(after_a_change_of_roster.heard.fits(500));
    }

    #[test]
    fn the_key_decides_what_collides() {
        let id = RequestId::from("a");
        let hash = |key| Mailboxes::<(), ()>::with_capacity(1, key).hash(&id);
        assert_eq!(hash(1), hash(1));
        assert_ne!(hash(1), hash(2));
    }
}
