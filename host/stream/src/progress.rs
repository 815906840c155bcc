//! How readers get to know of new records: a number that only grows, and who waits for it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

type Waker = Arc<dyn Fn(u64) + Send + Sync>;

/// Keeps a waker subscribed until it is dropped. A call that is under way then still ends.
#[must_use = "dropping a subscription ends it"]
pub struct Subscription {
    end: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Subscription {
    pub(crate) fn new(end: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self { end: Some(Box::new(end)) }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            end();
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription")
    }
}

/// The readable end of a partition. Reading it takes no lock.
#[derive(Default)]
pub(crate) struct Progress {
    readable_end: AtomicU64,
    waiting: Mutex<Waiting>,
    moved: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// How often the writer has failed, so that those who wait now go and look.
    alarms: u64,
    next_id: u64,
    wakers: Arc<Vec<(u64, Waker)>>,
}

impl Progress {
    pub(crate) fn starting_at(readable_end: u64) -> Self {
        Self { readable_end: AtomicU64::new(readable_end), ..Self::default() }
    }

    pub(crate) fn readable_end(&self) -> u64 {
        self.readable_end.load(Ordering::Acquire)
    }

    /// Moves the end forward and tells everybody; does nothing if it is there already.
    pub(crate) fn advance(&self, to: u64) {
        if self.readable_end.fetch_max(to, Ordering::AcqRel) < to {
            self.tell(|_| {});
        }
    }

    /// Moves the end forward for those who wait, and leaves the wakers to [`wake`](Self::wake).
    pub(crate) fn advance_quietly(&self, to: u64) {
        if self.readable_end.fetch_max(to, Ordering::AcqRel) < to {
            // With the lock, so that nobody falls asleep between looking and waiting.
            drop(self.waiting.lock());
            self.moved.notify_all();
        }
    }

    /// Calls the wakers, whether anything has moved or not.
    pub(crate) fn wake(&self) {
        let wakers = Arc::clone(&self.waiting.lock().wakers);
        let readable_end = self.readable_end();
        wakers.iter().for_each(|(_, waker)| waker(readable_end));
    }

    /// Makes everybody look who waits, though nothing has moved.
    pub(crate) fn alarm(&self) {
        self.tell(|waiting| waiting.alarms += 1);
    }

    fn tell(&self, change: impl FnOnce(&mut Waiting)) {
        let wakers = {
            // The lock is taken after the end has moved, so a waiter either sees the new end before
            // it sleeps or sleeps already and is woken.
            let mut waiting = self.waiting.lock();
            change(&mut waiting);
            Arc::clone(&waiting.wakers)
        };
        self.moved.notify_all();
        let readable_end = self.readable_end();
        wakers.iter().for_each(|(_, waker)| waker(readable_end));
    }

    pub(crate) fn wait(&self, beyond: u64, timeout: Duration) -> u64 {
        if self.readable_end() > beyond {
            return self.readable_end();
        }
        let give_up = Instant::now().checked_add(timeout);
        let mut waiting = self.waiting.lock();
        let alarms = waiting.alarms;
        while self.readable_end() <= beyond && waiting.alarms == alarms {
            match give_up {
                Some(time) if self.moved.wait_until(&mut waiting, time).timed_out() => break,
                Some(_) => {}
                None => self.moved.wait(&mut waiting),
            }
        }
        self.readable_end()
    }

    pub(crate) fn subscribe(self: &Arc<Self>, waker: Waker) -> Subscription {
        let mut waiting = self.waiting.lock();
        let id = waiting.next_id;
        waiting.next_id += 1;
        Arc::make_mut(&mut waiting.wakers).push((id, waker));
        let progress = Arc::downgrade(self);
        Subscription::new(move || {
            if let Some(progress) = progress.upgrade() {
                let mut waiting = progress.waiting.lock();
                Arc::make_mut(&mut waiting.wakers).retain(|&(other, _)| other != id);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiter_wakes_when_the_end_moves_past() {
        let progress = Arc::new(Progress::starting_at(5));
        let other = Arc::clone(&progress);
        let waiter = std::thread::spawn(move || other.wait(6, Duration::from_secs(60)));
        progress.advance(6);
        progress.advance(9);
        progress.advance(7);
        assert_eq!(waiter.join().unwrap(), 9);
    }

    #[test]
    fn a_waiter_gives_up_at_its_timeout() {
        let progress = Progress::starting_at(5);
        assert_eq!(progress.wait(5, Duration::from_millis(1)), 5);
        assert_eq!(progress.wait(4, Duration::MAX), 5);
    }

    #[test]
    fn a_waker_hears_of_every_advance_until_it_is_dropped() {
        let progress = Arc::new(Progress::default());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        let subscription = progress.subscribe(Arc::new(move |end| ear.lock().push(end)));
        progress.advance(3);
        progress.advance(3);
        progress.alarm();
        progress.advance(4);
        drop(subscription);
        progress.advance(5);
        assert_eq!(*heard.lock(), [3, 3, 4]);
    }
}
