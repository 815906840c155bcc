//! Which records of a source that is itself a topic of answers are passed over: fences, and answers that are
//! void.
//!
//! What would surprise: it is noted beside a commit which fences stood before that place, and no later
//! ones. Who goes on from there would take an answer that stands before a fence for one behind it.

use message::record::{Fences, Standing, header};
use stream::{Source, StoredRecord};

/// How many sources are noted at the most: a commit has room for some thousand characters.
const SOURCES: usize = 16;

/// The fences of one partition of a source, as far as it has been taken.
pub(in super::super) struct Passing {
    fences: Fences,
    /// Every fence, but for those with a later one that is done: whose it is and its offset, in order.
    known: Vec<(String, u64)>,
}

impl Passing {
    /// What is passed over of a source, if it is a topic of answers, by who knows these fences before.
    pub(in super::super) fn of(source: &Source, known: Vec<(String, u64)>) -> Option<Self> {
        let mut fences = Fences::default();
        known.iter().for_each(|(source, fence)| fences.note(source, *fence));
        source.topic.ends_with("/answers").then_some(Self { fences, known })
    }

    /// Whether the next record is no request.
    pub(super) fn passes(&mut self, stored: &StoredRecord) -> bool {
        let headers = &stored.record.headers;
        let standing = self.fences.judge(stored.offset, headers.iter());
        if standing == Standing::Fence
            && let Some(source) = headers.text(header::FENCE)
        {
            self.known.push((source.to_owned(), stored.offset));
        }
        standing != Standing::Answer
    }

    /// The last fence of each source before an offset.
    pub(super) fn before(&self, offset: u64) -> Vec<(String, u64)> {
        let mut last: Vec<(String, u64)> = Vec::new();
        for known in self.known.iter().rev().filter(|(_, fence)| *fence < offset) {
            if last.len() < SOURCES && last.iter().all(|(source, _)| *source != known.0) {
                last.push(known.clone());
            }
        }
        last.reverse();
        last
    }

    /// Forgets those that nobody asks for who is done up to an offset.
    pub(in super::super) fn forget_before(&mut self, offset: u64) {
        let last = self.before(offset);
        self.known.retain(|known| known.1 >= offset || last.contains(known));
    }
}

#[cfg(test)]
mod tests {
    use message::Time;
    use stream::{Headers, Record};

    use super::*;

    fn answers() -> Source {
        Source { topic: "up/answers".into(), partition: 0 }
    }

    /// Shows records from an offset on: fences, and answers with their epochs. Returns the offsets of those
    /// that are no requests.
    fn show(passing: &mut Passing, from: u64, records: &[&str]) -> Vec<u64> {
        let record = |what: &str| match what {
            "fence" => Headers::new().with(header::FENCE, "up/requests/0"),
            epoch => Headers::new()
                .with(header::REQUEST_SOURCE, "up/requests/0")
                .with(header::EPOCH, epoch),
        };
        let stored = (from..).zip(records).map(|(offset, what)| StoredRecord {
            offset,
            record: Record {
                time: Time::EPOCH,
                key: None,
                headers: record(what),
                value: Default::default(),
            },
        });
        stored.filter(|it| passing.passes(it)).map(|it| it.offset).collect()
    }

    #[test]
    fn who_goes_on_behind_a_fence_knows_it() {
        let records = ["fence", "0", "fence", "2", "0", "2"];
        let mut first = Passing::of(&answers(), Vec::new()).unwrap();
        assert_eq!(show(&mut first, 0, &records), [0, 2, 4]);
        for done in 0..6 {
            let mut next = Passing::of(&answers(), first.before(done)).unwrap();
            let all = show(&mut next, done, &records[done as usize..]);
            let expected: Vec<u64> = [0, 2, 4].into_iter().filter(|it| *it >= done).collect();
            assert_eq!(all, expected, "from {done}");
            first.forget_before(done);
        }
        assert_eq!(first.known, [("up/requests/0".to_owned(), 2)]);
    }

    #[test]
    fn what_is_no_topic_of_answers_is_taken_as_it_is() {
        let source = Source { topic: "topics/orders".into(), partition: 0 };
        assert!(Passing::of(&source, Vec::new()).is_none());
    }
}
