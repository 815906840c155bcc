//! The signs of life of a connection, and the watch over them.
//!
//! Calls and the socket only count; nothing on their way reads a clock or sets a timer. The watch
//! looks at the counts now and then and compares.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use crate::limits::FrontLimits;

/// What has happened on a connection so far.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    calls_begun: AtomicU64,
    calls_running: AtomicUsize,
    bytes_read: AtomicU64,
    /// What had been read when the last call ended: what comes after it belongs to the next head.
    bytes_settled: AtomicU64,
    bytes_written: AtomicU64,
    is_http2: AtomicBool,
    was_too_slow: AtomicBool,
}

/// What a watch ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Because a head did not arrive in its time.
    TooSlow,
    /// Because nothing happened for too long.
    Idle,
}

impl Pulse {
    /// Counts a call, which runs until the result is dropped.
    pub(super) fn begin_call(pulse: &Arc<Self>) -> Running {
        pulse.calls_begun.fetch_add(1, Ordering::Relaxed);
        pulse.calls_running.fetch_add(1, Ordering::Relaxed);
        Running(Arc::clone(pulse))
    }

    /// Counts bytes that the caller sent.
    pub(super) fn read(&self, bytes: &[u8]) {
        let before = self.bytes_read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        // No method of HTTP/1.1 begins so, and the first bytes never come one by one by nature.
        if before == 0 && bytes.starts_with(b"PRI ") {
            self.is_http2.store(true, Ordering::Relaxed);
        }
    }

    /// Counts bytes that the caller was sent.
    pub(super) fn wrote(&self, bytes: usize) {
        self.bytes_written.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Whether a watch has ended with [`Verdict::TooSlow`].
    pub(super) fn was_too_slow(&self) -> bool {
        self.was_too_slow.load(Ordering::Relaxed)
    }

    /// Watches the connection until it deserves a verdict. May be dropped and begun anew.
    pub(super) async fn watch(&self, limits: &FrontLimits) -> Verdict {
        let tick = limits.head_read_time.min(limits.idle_time);
        let (mut in_head, mut idle) = (Duration::ZERO, Duration::ZERO);
        let mut before = self.look();
        loop {
            sleep(tick).await;
            let now = self.look();
            if now.has_progressed_since(&before) {
                (in_head, idle) = (Duration::ZERO, Duration::ZERO);
            } else if now.is_in_head && before.is_in_head {
                in_head += tick;
            } else if !now.is_in_head {
                idle += tick;
            }
            if in_head >= limits.head_read_time {
                self.was_too_slow.store(true, Ordering::Relaxed);
                return Verdict::TooSlow;
            }
            if idle >= limits.idle_time {
                return Verdict::Idle;
            }
            before = now;
        }
    }

    fn look(&self) -> Look {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let calls_running = self.calls_running.load(Ordering::Relaxed);
        let has_unsettled = load(&self.bytes_read) > load(&self.bytes_settled);
        Look {
            calls_begun: load(&self.calls_begun),
            bytes_written: load(&self.bytes_written),
            is_in_call: calls_running > 0,
            is_in_head: calls_running == 0
                && has_unsettled
                && !self.is_http2.load(Ordering::Relaxed),
        }
    }
}

/// A call that runs.
#[derive(Debug)]
pub(super) struct Running(Arc<Pulse>);

impl Drop for Running {
    fn drop(&mut self) {
        let bytes_read = self.0.bytes_read.load(Ordering::Relaxed);
        self.0.bytes_settled.store(bytes_read, Ordering::Relaxed);
        self.0.calls_running.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Look {
    calls_begun: u64,
    bytes_written: u64,
    is_in_call: bool,
    is_in_head: bool,
}

impl Look {
    /// A call that runs is progress: the host ends it by its deadline.
    fn has_progressed_since(&self, before: &Self) -> bool {
        self.is_in_call
            || self.calls_begun != before.calls_begun
            || self.bytes_written != before.bytes_written
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use tokio::time::{Instant, advance};

    fn limits() -> FrontLimits {
        let head_read_time = Duration::from_secs(10);
        FrontLimits { head_read_time, idle_time: Duration::from_secs(60), ..Default::default() }
    }

    /// Runs a test on a clock that only moves when nothing else can be done.
    fn by_hand<T>(test: impl Future<Output = T>) -> T {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().start_paused(true).build().unwrap().block_on(test)
    }

    #[test]
    fn a_connection_that_says_nothing_is_idle() {
        let verdict = by_hand(async { Pulse::default().watch(&limits()).await });
        assert_eq!(verdict, Verdict::Idle);
    }

    #[test]
    fn a_head_that_trickles_in_is_too_slow() {
        by_hand(async {
            let pulse = Pulse::default();
            let started = Instant::now();
            let trickle = async {
                loop {
                    pulse.read(b"x");
                    sleep(Duration::from_secs(1)).await;
                }
            };
            let limits = limits();
            tokio::select! {
                () = trickle => {}
                verdict = pulse.watch(&limits) => assert_eq!(verdict, Verdict::TooSlow),
            }
            assert!(started.elapsed() <= limits.head_read_time * 2);
            assert!(pulse.was_too_slow());
        });
    }

    #[test]
    fn a_call_may_take_as_long_as_the_host_lets_it() {
        by_hand(async {
            let pulse = Arc::new(Pulse::default());
            pulse.read(b"POST");
            let running = Pulse::begin_call(&pulse);
            let started = Instant::now();
            let call = async {
                advance(Duration::from_secs(1_000)).await;
                sleep(Duration::from_secs(1_000)).await;
                drop(running);
                std::future::pending::<()>().await;
            };
            let limits = limits();
            tokio::select! {
                () = call => {}
                verdict = pulse.watch(&limits) => assert_eq!(verdict, Verdict::Idle),
            }
            assert!(started.elapsed() >= Duration::from_secs(2_000));
        });
    }

    #[test]
    fn an_answer_that_the_caller_does_not_take_counts_as_idle() {
        by_hand(async {
            let pulse = Arc::new(Pulse::default());
            pulse.read(b"PRI * HTTP/2.0");
            drop(Pulse::begin_call(&pulse));
            pulse.wrote(10);
            pulse.read(b"a ping");
            assert_eq!(pulse.watch(&limits()).await, Verdict::Idle);
            assert!(!pulse.was_too_slow());
        });
    }
}
