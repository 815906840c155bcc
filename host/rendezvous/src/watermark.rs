//! The low watermark of a partition: the lowest offset whose request is not done.
//!
//! Requests are done in any order; what may be committed is only the run of done ones from the
//! start. Each offset carries a mark of its own, which the commit hands back. An offset is done when
//! everything that [holds](Watermark::hold) it has been finished: its request, and whatever was made of
//! that and is not kept yet.

use std::collections::VecDeque;

/// Follows which offsets are done.
#[derive(Debug)]
pub struct Watermark<M> {
    lowest: u64,
    open: VecDeque<Slot<M>>,
}

#[derive(Debug)]
struct Slot<M> {
    mark: M,
    /// How much of it is not finished.
    holds: u32,
}

impl<M: Copy> Watermark<M> {
    /// Nothing is open, and `lowest` is the next offset to come.
    pub const fn new(lowest: u64) -> Self {
        Self { lowest, open: VecDeque::new() }
    }

    /// The lowest offset that is not done: what may be committed.
    pub const fn lowest(&self) -> u64 {
        self.lowest
    }

    /// The mark of the lowest offset that is not done, if any is open.
    pub fn lowest_mark(&self) -> Option<M> {
        self.open.front().map(|slot| slot.mark)
    }

    /// How many offsets are followed: memory is bounded by whoever bounds them.
    pub fn followed(&self) -> usize {
        self.open.len()
    }

    /// Opens `offset` and everything before it that was never opened, which counts as done.
    pub fn open(&mut self, offset: u64, mark: M) {
        if self.open.is_empty() && offset > self.lowest {
            self.lowest = offset;
        }
        let next = self.lowest + self.open.len() as u64;
        for _ in next..offset {
            self.open.push_back(Slot { mark, holds: 0 });
        }
        if offset >= next {
            self.open.push_back(Slot { mark, holds: 1 });
        }
        self.advance();
    }

    /// Has one more thing be finished before `offset` is done. What is done stays done.
    pub fn hold(&mut self, offset: u64) {
        if let Some(slot) = self.slot(offset).filter(|slot| slot.holds > 0) {
            slot.holds += 1;
        }
    }

    /// Marks `offset`, or one thing that holds it, as finished. What is done stays done.
    pub fn finish(&mut self, offset: u64) {
        if let Some(slot) = self.slot(offset) {
            slot.holds = slot.holds.saturating_sub(1);
        }
        self.advance();
    }

    fn slot(&mut self, offset: u64) -> Option<&mut Slot<M>> {
        let index = usize::try_from(offset.checked_sub(self.lowest)?).ok()?;
        self.open.get_mut(index)
    }

    fn advance(&mut self) {
        while self.open.front().is_some_and(|slot| slot.holds == 0) {
            self.open.pop_front();
            self.lowest += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(steps: &[(&str, u64)], lowest: u64) {
        let mut watermark = Watermark::new(10);
        for (what, offset) in steps {
            match *what {
                "open" => watermark.open(*offset, *offset),
                "hold" => watermark.hold(*offset),
                _ => watermark.finish(*offset),
            }
        }
        assert_eq!(watermark.lowest(), lowest, "{steps:?}");
    }

    #[test]
    fn only_a_run_of_done_offsets_moves_it() {
        check(&[], 10);
        check(&[("open", 10), ("open", 11), ("done", 11)], 10);
        check(&[("open", 10), ("open", 11), ("done", 11), ("done", 10)], 12);
    }

    #[test]
    fn offsets_that_never_were_count_as_done() {
        check(&[("open", 15)], 15);
        check(&[("open", 10), ("open", 15), ("done", 10)], 15);
    }

    #[test]
    fn an_offset_is_done_when_nothing_holds_it() {
        check(&[("open", 10), ("hold", 10), ("done", 10)], 10);
        check(&[("open", 10), ("hold", 10), ("done", 10), ("done", 10)], 11);
        check(&[("open", 10), ("open", 11), ("done", 11), ("hold", 11), ("done", 10)], 12);
    }

    #[test]
    fn spurious_calls_do_nothing() {
        check(
            &[
                ("done", 3),
                ("done", 12),
                ("hold", 3),
                ("hold", 12),
                ("open", 10),
                ("open", 10),
                ("done", 10),
            ],
            11,
        );
    }

    #[test]
    fn the_mark_is_that_of_the_lowest() {
        let mut watermark = Watermark::new(0);
        watermark.open(0, "a");
        watermark.open(1, "b");
        watermark.finish(0);
        assert_eq!(watermark.lowest_mark(), Some("b"));
        assert_eq!(watermark.followed(), 1);
    }
}
