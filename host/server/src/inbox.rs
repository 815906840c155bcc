//! A bounded mailbox of a task loop: many push, one takes all that waits.
//!
//! It is not a channel of single items, because taking everything at once is what makes each hop
//! pay its lock, its wake-up and its system call once per batch.

use std::time::Instant;

use parking_lot::{Condvar, Mutex};

/// What waits for one task loop.
pub(crate) struct Inbox<T> {
    waiting: Mutex<Waiting<T>>,
    arrived: Condvar,
    limit: usize,
}

struct Waiting<T> {
    items: Vec<T>,
    taker_sleeps: bool,
}

impl<T> Inbox<T> {
    /// An empty inbox that [`offer`](Self::offer) fills up to `limit` items.
    pub(crate) fn new(limit: usize) -> Self {
        let waiting = Waiting { items: Vec::new(), taker_sleeps: false };
        Self { waiting: Mutex::new(waiting), arrived: Condvar::new(), limit }
    }

    /// Puts an item in, or gives it back when `limit` items wait.
    pub(crate) fn offer(&self, item: T) -> Result<(), T> {
        let mut waiting = self.waiting.lock();
        if waiting.items.len() >= self.limit {
            return Err(item);
        }
        waiting.items.push(item);
        self.wake(waiting);
        Ok(())
    }

    /// Puts an item in whatever waits: for items whose number is bounded elsewhere.
    pub(crate) fn push(&self, item: T) {
        let mut waiting = self.waiting.lock();
        waiting.items.push(item);
        self.wake(waiting);
    }

    /// Moves all that waits into `taken`, which must be empty; waits for something until `until`.
    pub(crate) fn take(&self, taken: &mut Vec<T>, until: Option<Instant>) {
        let mut waiting = self.waiting.lock();
        while waiting.items.is_empty() {
            waiting.taker_sleeps = true;
            let timed_out = match until {
                Some(until) => self.arrived.wait_until(&mut waiting, until).timed_out(),
                None => {
                    self.arrived.wait(&mut waiting);
                    false
                }
            };
            if timed_out {
                break;
            }
        }
        waiting.taker_sleeps = false;
        std::mem::swap(&mut waiting.items, taken);
    }

    fn wake(&self, mut waiting: parking_lot::MutexGuard<'_, Waiting<T>>) {
        let sleeps = std::mem::take(&mut waiting.taker_sleeps);
        drop(waiting);
        if sleeps {
            self.arrived.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn all_that_waits_is_taken_at_once_and_in_order() {
        let inbox = Inbox::new(2);
        assert_eq!(inbox.offer(1), Ok(()));
        assert_eq!(inbox.offer(2), Ok(()));
        assert_eq!(inbox.offer(3), Err(3));
        inbox.push(4);
        let mut taken = Vec::new();
        inbox.take(&mut taken, None);
        assert_eq!(taken, [1, 2, 4]);
    }

    #[test]
    fn a_sleeping_taker_is_woken() {
        let inbox = Arc::new(Inbox::new(1));
        let taker = std::thread::spawn({
            let inbox = Arc::clone(&inbox);
            move || {
                let mut taken = Vec::new();
                inbox.take(&mut taken, None);
                taken
            }
        });
        inbox.push("here");
        assert_eq!(taker.join().unwrap(), ["here"]);
    }
}
