//! The thread that advances the engine's epoch while guests run.
//!
//! It sleeps for as long as no call runs, so that an idle host costs nothing. It is a plain thread:
//! a task of a busy executor would come too late to interrupt anybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use wasmtime::Engine;

/// Advances the epoch while calls run. Stops when dropped.
#[derive(Debug)]
pub(crate) struct Ticker {
    state: Arc<State>,
    thread: Thread,
    handle: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    running: AtomicUsize,
    begun: AtomicU64,
    asleep: AtomicBool,
    stopped: AtomicBool,
}

/// After how many ticks without a call the thread goes to sleep.
const IDLE_TICKS: u32 = 50;

impl Ticker {
    pub(crate) fn start(engine: &Engine, period: Duration) -> std::io::Result<Self> {
        let state = Arc::new(State::default());
        let (engine, shared) = (engine.weak(), state.clone());
        let body = move || {
            shared.run(period, || match engine.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => shared.stopped.store(true, Ordering::Relaxed),
            });
        };
        let handle = thread::Builder::new().name("epoch".to_owned()).spawn(body)?;
        Ok(Self { state, thread: handle.thread().clone(), handle: Some(handle) })
    }

    /// Keeps the epoch advancing until the value is dropped.
    pub(crate) fn run(&self) -> Running<'_> {
        self.state.running.fetch_add(1, Ordering::SeqCst);
        self.state.begun.fetch_add(1, Ordering::Relaxed);
        if self.state.asleep.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        Running(&self.state)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        self.thread.unpark();
        if let Some(handle) = self.handle.take() {
            // A panic of that thread was reported when it happened.
            let _ = handle.join();
        }
    }
}

/// A call that runs.
pub(crate) struct Running<'a>(&'a State);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl State {
    fn run(&self, period: Duration, tick: impl Fn()) {
        let mut seen = 0;
        let mut idle_ticks = 0;
        while !self.stopped.load(Ordering::SeqCst) {
            thread::sleep(period);
            tick();
            let begun = self.begun.load(Ordering::Relaxed);
            let idle = self.running.load(Ordering::SeqCst) == 0 && begun == seen;
            idle_ticks = if idle { idle_ticks + 1 } else { 0 };
            seen = begun;
            if idle_ticks >= IDLE_TICKS {
                self.sleep();
                idle_ticks = 0;
            }
        }
    }

    /// Sleeps until a call begins. Who begins one looks at `asleep` after it has counted itself, so
    /// one of the two always sees the other.
    fn sleep(&self) {
        self.asleep.store(true, Ordering::SeqCst);
        while self.running.load(Ordering::SeqCst) == 0 && !self.stopped.load(Ordering::SeqCst) {
            thread::park();
        }
        self.asleep.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn it_sleeps_when_nothing_runs_and_wakes_for_a_call() {
        let state = Arc::new(State::default());
        let (send, ticks) = mpsc::channel();
        let shared = state.clone();
        let thread = thread::spawn(move || {
            shared
                .run(Duration::from_micros(100), || send.send(()).expect("invariant: test waits"));
        });
        while !state.asleep.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        while ticks.try_recv().is_ok() {}
        state.running.fetch_add(1, Ordering::SeqCst);
        thread.thread().unpark();
        ticks.recv().unwrap();
        state.stopped.store(true, Ordering::SeqCst);
        thread.join().unwrap();
    }
}
