//! One timer per slot, in a heap that is corrected lazily.
//!
//! Most timers are put off or switched off long before they fire, so moving them about in the heap
//! would be wasted. A slot keeps the entry it has, and only when that comes to the top is it moved to
//! where it belongs. The top is always right, which is all that anybody asks for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use message::Time;

/// An entry of the heap: when, and whose.
type Entry = Reverse<(Time, u32)>;

/// The timer of one slot.
#[derive(Debug, Clone, Copy)]
struct Timer {
    /// When it fires; `NEVER` while it is off.
    due: Time,
    /// The earliest entry that the slot has in the heap; `NEVER` if it has none. Not after `due`.
    entry: Time,
}

const OFF: Timer = Timer { due: Time::NEVER, entry: Time::NEVER };

/// Timers of slots, to be found by slot and by time.
#[derive(Debug)]
pub(crate) struct Timers {
    timers: Vec<Timer>,
    /// Holds the entry of every timer that has one, and some that have been superseded.
    heap: BinaryHeap<Entry>,
}

impl Timers {
    /// The bytes that a slot takes at most.
    pub(crate) const BYTES: usize = size_of::<Timer>() + 2 * size_of::<Entry>();

    /// The entries beyond two per slot that the heap may have.
    const SPARE: usize = 64;

    pub(crate) fn with_capacity(slots: usize) -> Self {
        let heap = BinaryHeap::with_capacity(2 * slots + Self::SPARE);
        Self { timers: Vec::with_capacity(slots), heap }
    }

    /// Sets the timer of a slot in place of what it was set to; `NEVER` switches it off.
    pub(crate) fn set(&mut self, slot: u32, due: Time) {
        let index = slot as usize;
        if index >= self.timers.len() {
            self.timers.resize(index + 1, OFF);
        }
        let timer = &mut self.timers[index];
        timer.due = due;
        if due < timer.entry {
            timer.entry = due;
            self.push(Reverse((due, slot)));
        }
        self.settle();
    }

    /// When the next timer fires.
    pub(crate) fn next(&self) -> Option<Time> {
        self.heap.peek().map(|&Reverse((due, _))| due)
    }

    /// Switches off a timer that is due at `now`, and says whose it was.
    pub(crate) fn pop_due(&mut self, now: Time) -> Option<u32> {
        let Reverse((_, slot)) = *self.heap.peek().filter(|Reverse((due, _))| *due <= now)?;
        self.timers[slot as usize].due = Time::NEVER;
        self.settle();
        Some(slot)
    }

    #[cfg(test)]
    pub(crate) fn capacities(&self) -> [usize; 2] {
        [self.timers.capacity(), self.heap.capacity()]
    }

    /// Brings an entry to the top that is a timer's true time, or leaves the heap empty.
    fn settle(&mut self) {
        while let Some(mut top) = self.heap.peek_mut() {
            let Reverse((time, slot)) = *top;
            let timer = &mut self.timers[slot as usize];
            if timer.entry != time {
                PeekMut::pop(top);
            } else if timer.due == Time::NEVER {
                timer.entry = Time::NEVER;
                PeekMut::pop(top);
            } else if timer.due > time {
                timer.entry = timer.due;
                *top = Reverse((timer.due, slot));
            } else {
                break;
            }
        }
    }

    /// Adds an entry, and sweeps out what was superseded when that is more than the rest.
    fn push(&mut self, entry: Entry) {
        if self.heap.len() < 2 * self.timers.len() + Self::SPARE {
            self.heap.push(entry);
            return;
        }
        self.heap.clear();
        let entries = self.timers.iter().zip(0_u32..);
        let entries = entries.filter(|(timer, _)| timer.entry != Time::NEVER);
        self.heap.extend(entries.map(|(timer, slot)| Reverse((timer.entry, slot))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(us: u64) -> Time {
        Time::from_us(us)
    }

    fn fired(timers: &mut Timers, now: u64) -> Vec<u32> {
        std::iter::from_fn(|| timers.pop_due(at(now))).collect()
    }

    #[test]
    fn timers_fire_in_the_order_of_their_times() {
        let mut timers = Timers::with_capacity(4);
        timers.set(0, at(30));
        timers.set(1, at(10));
        timers.set(2, at(20));
        assert_eq!(timers.next(), Some(at(10)));
        assert!(fired(&mut timers, 9).is_empty());
        assert_eq!(fired(&mut timers, 20), [1, 2]);
        assert_eq!(timers.next(), Some(at(30)));
        assert_eq!(fired(&mut timers, 30), [0]);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn a_timer_counts_as_it_was_set_last() {
        let mut timers = Timers::with_capacity(2);
        timers.set(0, at(10));
        timers.set(1, at(15));
        timers.set(0, at(40));
        assert_eq!(timers.next(), Some(at(15)));
        timers.set(0, at(5));
        assert_eq!(timers.next(), Some(at(5)));
        timers.set(0, at(20));
        timers.set(1, Time::NEVER);
        assert_eq!(timers.next(), Some(at(20)));
        assert_eq!(fired(&mut timers, 100), [0]);
    }

    #[test]
    fn the_heap_stays_bounded_and_right_whatever_is_set() {
        let slots = 7;
        let mut timers = Timers::with_capacity(slots as usize);
        let mut expected = vec![Time::NEVER; slots as usize];
        let mut state = 1_u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let slot = (state >> 33) as u32 % slots;
            let due = if state >> 60 == 0 { Time::NEVER } else { at((state >> 40) % 1_000) };
            timers.set(slot, due);
            expected[slot as usize] = due;
            let next = expected.iter().copied().min().filter(|&due| due != Time::NEVER);
            assert_eq!(timers.next(), next);
            assert!(timers.heap.len() <= 2 * slots as usize + Timers::SPARE);
            assert!(timers.heap.capacity() <= 2 * (2 * slots as usize + Timers::SPARE));
        }
    }
}
