//! Those who are denied: each is counted, and the log says so now and then.
//!
//! A line for each would let strangers fill the log. There is one a second for each reason at the
//! most, and it says how many it stands for. What was shown as a token is never in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use front::{Caller, Denied};
use parking_lot::Mutex;

use crate::meter::Meter;

/// How long a line stands for all that come.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes note of those who are denied.
pub(crate) struct Refusals {
    meter: Arc<Meter>,
    /// When each reason was last in the log, and how often it has come since.
    logged: Mutex<BTreeMap<&'static str, (Instant, u64)>>,
}

impl Refusals {
    /// Nobody denied yet.
    pub(crate) fn new(meter: Arc<Meter>) -> Self {
        Self { meter, logged: Mutex::default() }
    }

    /// Takes note of one.
    pub(crate) fn note(&self, caller: Option<&Caller>, denied: &Denied) {
        let tenant = caller.and_then(|caller| caller.tenant.as_deref());
        self.meter.count_refusal(tenant.unwrap_or_default(), denied.why());
        let Some(count) = self.count_due(Instant::now(), denied.why()) else { return };
        let expired = match denied {
            Denied::Unknown { expired } => expired.as_deref(),
            _ => None,
        };
        let token = caller.map(|caller| &*caller.name).or(expired);
        tracing::info!(why = denied.why(), token, tenant, count, "callers were denied");
    }

    /// How many a line in the log would stand for, if it is time for one.
    fn count_due(&self, now: Instant, why: &'static str) -> Option<u64> {
        let mut logged = self.logged.lock();
        match logged.get_mut(why) {
            Some((last, count)) if now.saturating_duration_since(*last) < PAUSE => {
                *count += 1;
                None
            }
            Some((last, count)) => {
                *last = now;
                Some(std::mem::take(count) + 1)
            }
            None => {
                logged.insert(why, (now, 0));
                Some(1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stands_for_all_that_came_since_the_last() {
        let refusals = Refusals::new(Arc::new(Meter::new("48")));
        let start = Instant::now();
        assert_eq!(refusals.count_due(start, "unknown"), Some(1));
        for _ in 0..5 {
            assert_eq!(refusals.count_due(start + PAUSE / 2, "unknown"), None);
        }
        assert_eq!(refusals.count_due(start + PAUSE / 2, "rate"), Some(1));
        assert_eq!(refusals.count_due(start + PAUSE, "unknown"), Some(6));
    }
}
