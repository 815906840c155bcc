//! What a model may use, and what it does use.
//!
//! The engine's own limiter counts each memory alone, so that a component of ten memories would get
//! ten times its share. The quota here is one for a model, whatever its sessions and memories.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use wasmtime::ResourceLimiter;

/// What a model may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelLimits {
    /// The memory that all sessions of the model may have together.
    pub memory_bytes: usize,
    /// The table elements that one session may have.
    pub table_elements: usize,
    /// How many sessions may be live at once. A model with state never has more than one.
    pub sessions: usize,
    /// The CPU time that one request may take. A call may take that much for each of its requests.
    pub cpu_budget: Duration,
    /// The CPU time that the start of a session may take, and that `describe` may take.
    pub start_budget: Duration,
    /// How long a call may last on the clock on the wall. It is for calls that neither end nor use
    /// CPU time, so it should be generous: a busy machine is no fault of the model's.
    pub wall_backstop: Duration,
    /// How many bytes one call may return.
    pub result_bytes: usize,
    /// How much of what the model printed last is kept.
    pub log_bytes: usize,
    /// After how many calls a session of a stateless model is replaced.
    pub recycle_calls: u64,
}

impl Default for ModelLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            table_elements: 100_000,
            sessions: 8,
            cpu_budget: Duration::from_millis(100),
            start_budget: Duration::from_secs(2),
            wall_backstop: Duration::from_secs(20),
            result_bytes: 8 << 20,
            log_bytes: 64 << 10,
            recycle_calls: 1_000_000,
        }
    }
}

/// What a model uses now, and what it was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// The memory of all live sessions together.
    pub memory_bytes: usize,
    /// The most that was ever used.
    pub memory_bytes_high: usize,
    /// How many times a session asked for more memory or table elements than it may have.
    pub denied_growths: u64,
    /// How many sessions are live.
    pub sessions: usize,
}

/// The account of one model, shared by its sessions.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    limit_bytes: usize,
    used_bytes: AtomicUsize,
    high_bytes: AtomicUsize,
    denied: AtomicU64,
    sessions: AtomicUsize,
}

impl Quota {
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes, ..Self::default() }
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage {
            memory_bytes: self.used_bytes.load(Ordering::Relaxed),
            memory_bytes_high: self.high_bytes.load(Ordering::Relaxed),
            denied_growths: self.denied.load(Ordering::Relaxed),
            sessions: self.sessions.load(Ordering::Relaxed),
        }
    }

    fn charge(&self, bytes: usize) -> bool {
        let charged =
            self.used_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used_bytes| {
                used_bytes.checked_add(bytes).filter(|&sum| sum <= self.limit_bytes)
            });
        if let Ok(before) = charged {
            self.high_bytes.fetch_max(before + bytes, Ordering::Relaxed);
        }
        charged.is_ok()
    }
}

/// The part of a [`Quota`] that one session holds. Given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    quota: Arc<Quota>,
    bytes: usize,
    table_elements: usize,
    table_elements_limit: usize,
    denied: bool,
}

/// Memories, tables and core instances that a component may be made of. An interpreted guest has
/// over a hundred instances.
const MEMORIES: usize = 8;
const TABLES: usize = 64;
const INSTANCES: usize = 256;

impl Share {
    /// Takes a share, if fewer than so many are out.
    pub(crate) fn new(
        quota: Arc<Quota>,
        table_elements_limit: usize,
        sessions_limit: usize,
    ) -> Option<Self> {
        let free = |live| (live < sessions_limit).then_some(live + 1);
        quota.sessions.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free).ok()?;
        Some(Self { quota, bytes: 0, table_elements: 0, table_elements_limit, denied: false })
    }

    /// The memory that the session has.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns whether something was denied since this was asked last.
    pub(crate) fn take_denied(&mut self) -> bool {
        std::mem::take(&mut self.denied)
    }

    fn deny(&mut self) -> bool {
        self.denied = true;
        self.quota.denied.fetch_add(1, Ordering::Relaxed);
        false
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.quota.used_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.quota.sessions.fetch_sub(1, Ordering::Relaxed);
    }
}

impl ResourceLimiter for Share {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        if maximum.is_some_and(|maximum| desired > maximum) || !self.quota.charge(more) {
            return Ok(self.deny());
        }
        self.bytes += more;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let sum = self.table_elements.saturating_add(desired.saturating_sub(current));
        if maximum.is_some_and(|maximum| desired > maximum) || sum > self.table_elements_limit {
            return Ok(self.deny());
        }
        self.table_elements = sum;
        Ok(true)
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }

    fn tables(&self) -> usize {
        TABLES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_two_sessions_counts_together_and_is_given_back() {
        let quota = Arc::new(Quota::new(100));
        let mut first = Share::new(quota.clone(), 10, 2).unwrap();
        let mut second = Share::new(quota.clone(), 10, 2).unwrap();
        assert!(Share::new(quota.clone(), 10, 2).is_none());
        assert!(first.memory_growing(0, 60, None).unwrap());
        assert!(!second.memory_growing(0, 60, None).unwrap());
        assert!(second.take_denied() && !second.take_denied());
        assert!(second.memory_growing(0, 40, None).unwrap());
        drop(first);
        assert!(second.memory_growing(40, 100, None).unwrap());
        let usage = quota.usage();
        assert_eq!((usage.memory_bytes, usage.memory_bytes_high), (100, 100));
        assert_eq!((usage.denied_growths, usage.sessions), (1, 1));
    }

    #[test]
    fn tables_of_a_session_count_together() {
        let mut share = Share::new(Arc::new(Quota::new(0)), 10, 1).unwrap();
        assert!(share.table_growing(0, 6, None).unwrap());
        assert!(!share.table_growing(0, 6, None).unwrap());
        assert!(share.table_growing(0, 4, None).unwrap());
    }

    #[test]
    fn a_growth_that_overflows_is_denied() {
        let mut share = Share::new(Arc::new(Quota::new(usize::MAX)), 10, 1).unwrap();
        assert!(share.memory_growing(0, 10, None).unwrap());
        assert!(!share.memory_growing(0, usize::MAX, None).unwrap());
    }
}
