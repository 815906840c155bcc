//! What the statistics of the protocol want to know of a model, from its first call on.

use std::collections::BTreeMap;

use front::{BatchStatistics, Tally};
use message::{Outcome, Time};
use parking_lot::Mutex;
use sandbox::lanes::Scored;

/// The counts of one revision. Its lock is taken once for each call of the guest.
#[derive(Default)]
pub(crate) struct Statistics(Mutex<Counts>);

/// What has been counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    pub(crate) last: Option<Time>,
    /// Predictions, from the offer until they were there.
    pub(crate) success: Tally,
    /// Refusals and faults, the same.
    pub(crate) fail: Tally,
    /// Waits for a thread.
    pub(crate) queue: Tally,
    /// Calls of the guest, each counted for every request that it brought.
    pub(crate) infer: Tally,
    /// Calls of the guest by how many requests they brought.
    by_size: BTreeMap<u64, Tally>,
}

impl Statistics {
    /// Counts what one call of the guest came to.
    pub(crate) fn record(&self, now: Time, scored: &[Scored]) {
        let mut counts = self.0.lock();
        counts.last = Some(now);
        for one in scored {
            let took = one.waited + one.wall;
            match one.outcome {
                Outcome::Prediction(_) => add(&mut counts.success, took),
                Outcome::Refusal(_) | Outcome::Fault(_) => add(&mut counts.fail, took),
            }
            add(&mut counts.queue, one.waited);
            add(&mut counts.infer, one.wall);
        }
        // All that came in one call have the time of that call.
        let wall = scored.iter().map(|one| one.wall).max().unwrap_or_default();
        add(counts.by_size.entry(scored.len() as u64).or_default(), wall);
    }

    /// What has been counted so far.
    pub(crate) fn counts(&self) -> Counts {
        self.0.lock().clone()
    }
}

impl Counts {
    /// The calls by how many requests they brought.
    pub(crate) fn batches(&self) -> Vec<BatchStatistics> {
        let batch =
            |(&size, &compute_infer): (&u64, &Tally)| BatchStatistics { size, compute_infer };
        self.by_size.iter().map(batch).collect()
    }
}

fn add(tally: &mut Tally, time: std::time::Duration) {
    tally.count += 1;
    tally.time += time;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use message::{Prediction, Refusal};

    use super::*;

    fn scored(outcome: Outcome) -> Scored {
        let ms = Duration::from_millis;
        Scored { ticket: 0, outcome, waited: ms(2), wall: ms(3), cpu: ms(1) }
    }

    fn tally(count: u64, ms: u64) -> Tally {
        Tally { count, time: Duration::from_millis(ms) }
    }

    #[test]
    fn each_request_counts_and_each_call_once_for_its_size() {
        let prediction =
            || Outcome::Prediction(Prediction { outputs: Vec::new(), notes: Vec::new() });
        let refusal = Outcome::Refusal(Refusal::Abstain("no".into()));
        let statistics = Statistics::default();
        statistics.record(Time::from_us(1), &[scored(prediction()), scored(refusal)]);
        statistics.record(Time::from_us(2), &[scored(prediction())]);
        let counts = statistics.counts();
        assert_eq!(counts.last, Some(Time::from_us(2)));
        assert_eq!((counts.success, counts.fail), (tally(2, 10), tally(1, 5)));
        assert_eq!((counts.queue, counts.infer), (tally(3, 6), tally(3, 9)));
        let sizes: Vec<_> =
            counts.batches().into_iter().map(|it| (it.size, it.compute_infer)).collect();
        assert_eq!(sizes, [(1, tally(1, 3)), (2, tally(1, 3))]);
    }
}
