//! A routed model: one of many that only requests of their own lead to, loaded when it is wanted.
//!
//! It is on the roster, with a number of its own, whether it is in memory or not: *cold* or *warm* is
//! no matter of the roster, and none is published for it. So the cost of a load does not depend on how
//! many models there are.

use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use message::Time;
use sandbox::Known;

use crate::live::Identity;

/// One revision of a routed model, as supervisor, driver and callers share it.
pub(crate) struct Routed {
    pub(crate) identity: Arc<Identity>,
    known: OnceLock<Known>,
    warmth: AtomicU8,
    used_us: AtomicU64,
    bytes: AtomicU64,
}

/// Whether a routed model is in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Warmth {
    /// Because nobody wanted it lately.
    Cold,
    /// Because somebody wants it.
    Coming,
    /// Because it was loaded and has not made room.
    Warm,
}

impl fmt::Debug for Routed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routed")
            .field("model", &self.identity.model)
            .field("warmth", &self.warmth())
            .finish_non_exhaustive()
    }
}

impl Routed {
    /// A model that is cold, and of which nothing is known.
    pub(crate) fn new(identity: Identity) -> Arc<Self> {
        Arc::new(Self {
            identity: Arc::new(identity),
            known: OnceLock::new(),
            warmth: AtomicU8::new(Warmth::Cold as u8),
            used_us: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        })
    }

    /// The number of this life.
    pub(crate) fn incarnation(&self) -> u64 {
        self.identity.incarnation
    }

    /// What was found out about the artefact, if anybody looked.
    pub(crate) fn known(&self) -> Option<&Known> {
        self.known.get()
    }

    /// Takes note of what was found out.
    pub(crate) fn learn(&self, known: Known) {
        // What is known of an artefact does not change.
        let _same = self.known.set(known);
    }

    /// Takes note of a use.
    pub(crate) fn touch(&self, now: Time) {
        self.used_us.store(now.as_us(), Ordering::Relaxed);
    }

    /// When it was used last.
    pub(crate) fn used(&self) -> Time {
        Time::from_us(self.used_us.load(Ordering::Relaxed))
    }

    /// Takes note of whether it is in memory, and of how much it takes there.
    pub(crate) fn set_warmth(&self, warmth: Warmth, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
        self.warmth.store(warmth as u8, Ordering::Relaxed);
    }

    /// Whether it is in memory.
    pub(crate) fn warmth(&self) -> Warmth {
        match self.warmth.load(Ordering::Relaxed) {
            0 => Warmth::Cold,
            1 => Warmth::Coming,
            _ => Warmth::Warm,
        }
    }

    /// How much memory it took when it was looked at last; nothing when it is cold.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}
