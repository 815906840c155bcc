//! Waiting for a condition, with a limit that only something broken reaches.

use std::thread;
use std::time::{Duration, Instant};

/// In this time anything must have happened, also on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// How long to look away between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks until there is something, and returns it; panics after [`PATIENCE`] with what was waited for.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < give_up, "waited in vain: {what}");
        thread::sleep(PAUSE);
    }
}
