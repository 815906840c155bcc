//! The thread that syncs: one for all topics of a stream.
//!
//! While it syncs, more is appended, and the next sync takes all of that; so the more there is to do,
//! the more each sync does. Without anything to sync it sleeps.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use super::log::{Due, Log, Scope};

/// A handle to the thread. Dropping it ends the thread and leaves what is due undone.
pub(super) struct Syncer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    due: Vec<(Instant, Arc<Log>)>,
    ended: bool,
}

impl Syncer {
    pub(super) fn start() -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let builder = std::thread::Builder::new().name("stream-syncer".to_owned());
        let thread = builder.spawn(move || {
            while let Some(log) = theirs.next() {
                // Who waits for a failed sync hears of it from the log, which has it logged, too.
                let _ = log.sync(Scope::Policy);
            }
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Has a topic synced when it is due.
    pub(super) fn schedule(&self, log: &Arc<Log>, due: Due) {
        let mut time = Instant::now();
        if let Due::After(delay) = due {
            time += delay;
        }
        self.shared.queue.lock().due.push((time, Arc::clone(log)));
        self.shared.changed.notify_one();
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.shared.queue.lock().ended = true;
        self.shared.changed.notify_one();
        let Some(thread) = self.thread.take() else { return };
        // The last owner of a stream may be a waker that the thread itself has called.
        if thread.thread().id() != std::thread::current().id() {
            let joined = thread.join();
            joined.expect("invariant: the syncer does not panic, nor do wakers");
        }
    }
}

impl Shared {
    /// Waits for the topic that is due first; none when the syncer has ended.
    fn next(&self) -> Option<Arc<Log>> {
        let mut queue = self.queue.lock();
        while !queue.ended {
            let first = queue.due.iter().enumerate().min_by_key(|(_, (time, _))| *time);
            match first.map(|(index, (time, _))| (index, *time)) {
                None => self.changed.wait(&mut queue),
                Some((index, time)) if time <= Instant::now() => {
                    return Some(queue.due.swap_remove(index).1);
                }
                Some((_, time)) => {
                    self.changed.wait_until(&mut queue, time);
                }
            }
        }
        None
    }
}
