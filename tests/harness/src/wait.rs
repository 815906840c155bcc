//! Waiting for a condition, with a limit that only a broken host reaches.

use std::thread;
use std::time::{Duration, Instant};

/// In this time anything must have happened, also on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How long to look away between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until there is something, and returns it.
///
/// # Panics
///
/// After [`PATIENCE`], with what was waited for and what `explain` says.
pub fn until<T>(
    what: &str,
    explain: impl FnOnce() -> String,
    mut look: impl FnMut() -> Option<T>,
) -> T {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < give_up, "waited in vain: {what}\n{}", explain());
        thread::sleep(PAUSE);
    }
}
