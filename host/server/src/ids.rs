//! Ids for requests that bring none: UUIDs of version 7, which sort by time (RFC 9562, section 5.7).

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use message::Time;

static COUNTER: AtomicU64 = AtomicU64::new(0);
static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// An id that no other request has. Displays as 36 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FreshId(u128);

/// Makes an id for a request of this time.
///
/// 48 bits are the time in milliseconds, 12 and 62 bits come from a keyed hash of a counter: the
/// key differs from process to process, so two hosts do not meet.
pub(crate) fn fresh(time: Time) -> FreshId {
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let milliseconds = u128::from(time.as_us() / 1_000) & 0xffff_ffff_ffff;
    let high = u128::from(SEED.hash_one((count, 0_u8)) & 0xfff);
    let low = u128::from(SEED.hash_one((count, 1_u8)) >> 2);
    FreshId(milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
}

impl fmt::Display for FreshId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            bits >> 96,
            bits >> 80 & 0xffff,
            bits >> 64 & 0xffff,
            bits >> 48 & 0xffff,
            bits & 0xffff_ffff_ffff
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_version_7_sort_by_time_and_never_repeat() {
        let early = fresh(Time::from_us(1_000_000)).to_string();
        let late = fresh(Time::from_us(9_000_000)).to_string();
        assert!(early < late);
        assert_eq!(early.len(), 36);
        assert_eq!(&early[14..15], "7");
        assert!(["8", "9", "a", "b"].contains(&&early[19..20]));
        let many: HashSet<FreshId> = (0..10_000).map(|_| fresh(Time::EPOCH)).collect();
        assert_eq!(many.len(), 10_000);
    }
}
