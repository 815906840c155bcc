//! Letting clients go, and calls of theirs: either can wait for brokers, so nobody else waits for it.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// Drops a client on a thread of its own, and waits no longer than this for it. What takes longer
/// goes on by itself.
pub(crate) fn let_go<T: Send + 'static>(client: T, patience: Duration) {
    let (done, ended) = mpsc::channel::<()>();
    let end = move || {
        drop(client);
        drop(done);
    };
    let spawned = thread::Builder::new().name("kafka farewell".to_owned()).spawn(end);
    if let Err(error) = spawned {
        // The client was dropped with the closure, on this thread.
        tracing::warn!(%error, "found no thread to end a Kafka client on");
        return;
    }
    if ended.recv_timeout(patience) == Err(mpsc::RecvTimeoutError::Timeout) {
        tracing::debug!(patience_ms = patience.as_millis(), "a Kafka client still ends");
    }
}

/// Makes a call that may never return, and waits no longer than this for what it returns. The library bounds
/// its calls itself, but has been seen to wait for a coordinator that was killed without looking at the time.
pub(crate) fn within<T: Send + 'static>(
    limit: Duration,
    call: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (tell, told) = mpsc::sync_channel(1);
    let run = move || {
        let _nobody_waits = tell.send(call());
    };
    match thread::Builder::new().name("kafka call".to_owned()).spawn(run) {
        Ok(_detached) => told.recv_timeout(limit).ok(),
        Err(error) => {
            tracing::warn!(%error, "found no thread to call a Kafka client on");
            None
        }
    }
}

/// Who is leaving, so that whoever ends the process can wait for them.
#[derive(Default)]
pub(crate) struct Departures {
    under_way: Mutex<usize>,
    changed: Condvar,
}

impl Departures {
    /// Somebody begins to leave.
    pub(crate) fn begin(&self) {
        *self.under_way.lock() += 1;
    }

    /// Somebody has left who had begun to.
    pub(crate) fn end(&self) {
        *self.under_way.lock() -= 1;
        self.changed.notify_all();
    }

    /// Waits until everybody has left who has begun to, no longer than this.
    pub(crate) fn wait(&self, patience: Duration) {
        let mut under_way = self.under_way.lock();
        let is_any = |under_way: &mut usize| *under_way > 0;
        if self.changed.wait_while_for(&mut under_way, is_any, patience).timed_out() {
            tracing::debug!(members = *under_way, "still leaving a group");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stubborn(mpsc::Receiver<()>, mpsc::Sender<()>);

    impl Drop for Stubborn {
        fn drop(&mut self) {
            self.0.recv().unwrap_or(());
            self.1.send(()).unwrap_or(());
        }
    }

    #[test]
    fn a_call_that_does_not_return_holds_nobody_up() {
        let (end, may_end) = mpsc::channel();
        assert_eq!(within(Duration::from_millis(1), move || may_end.recv()), None);
        end.send(()).unwrap_or(());
        assert_eq!(within(Duration::MAX, || 7), Some(7));
    }

    #[test]
    fn a_client_that_does_not_end_holds_nobody_up() {
        let (end, may_end) = mpsc::channel();
        let (ended, has_ended) = mpsc::channel();
        let_go(Stubborn(may_end, ended), Duration::from_millis(1));
        end.send(()).unwrap();
        has_ended.recv().unwrap();
    }
}
