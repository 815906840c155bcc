//! What of a partition is answered already, found out by whoever takes it over.
//!
//! The fence is written first. So every answer that counts and is not the new owner's own stands
//! before it, and what is read up to there is all that there will ever be.

use std::time::{Duration, Instant};

use message::RequestId;
use message::record::{Fences, Standing, header};
use stream::{Partition, ReadError, ReadLimit, Record, Source};

use super::REMEMBERED_IDS;
use super::note::Note;

/// How much is read at once.
const READ_LIMIT: ReadLimit = ReadLimit { records: 4096, bytes: 8 << 20 };
/// How long to wait for more of the answers, and how long in all without any progress.
const WAIT: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(20);
/// How far back answers are looked for, at the most, only because their ids may come again.
const LOOK_BACK: u64 = REMEMBERED_IDS as u64 / 8;

/// A partition that is this host's from now on.
pub(crate) struct Takeover {
    pub(crate) strand: u64,
    /// How far it was done, if anybody ever said so.
    pub(crate) committed: Option<u64>,
    /// The offset of its fence.
    pub(crate) epoch: u64,
    pub(crate) found: Answered,
}

/// What is answered.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    /// The ids with the offsets of their answers, the oldest first.
    pub(crate) ids: Vec<(RequestId, u64)>,
    /// Where the answers to what is not done can be at the earliest.
    pub(crate) answers_from: u64,
    /// The offset behind the last request that is answered.
    pub(crate) requests_end: u64,
    /// How many answers did not count.
    pub(crate) void: u64,
}

/// Reads the answers up to the fence at `epoch`.
pub(super) fn find_answered(
    answers: &dyn Partition,
    source: &Source,
    committed: Option<u64>,
    note: &Note,
    epoch: u64,
) -> Result<Answered, String> {
    let own = source.to_string();
    let mut fences = Fences::default();
    note.epoch.into_iter().for_each(|before| fences.note(&own, before));
    let answers_from = note.answers_from.unwrap_or(0).min(epoch);
    let mut found = Answered { answers_from, ..Answered::default() };
    found.requests_end = committed.unwrap_or(0);
    let mut next = answers_from.min(epoch.saturating_sub(LOOK_BACK));
    let mut give_up = Instant::now() + PATIENCE;
    while next < epoch {
        let records = match answers.read(next, READ_LIMIT) {
            Ok(records) => records,
            // Retention has been there.
            Err(ReadError::OutOfRange { start, .. }) if start > next => {
                next = start;
                continue;
            }
            Err(error) if Instant::now() >= give_up => return Err(error.to_string()),
            Err(_) => Vec::new(),
        };
        let Some(last) = records.last() else {
            if Instant::now() >= give_up {
                return Err(format!("the answers could not be read up to offset {epoch}"));
            }
            answers.wait(next, WAIT);
            continue;
        };
        next = last.offset + 1;
        give_up = Instant::now() + PATIENCE;
        for stored in records.iter().take_while(|stored| stored.offset < epoch) {
            match fences.judge(stored.offset, stored.record.headers.iter()) {
                Standing::Answer => found.take(&own, stored.offset, &stored.record),
                Standing::Void => found.void += 1,
                Standing::Fence => {}
            }
        }
    }
    Ok(found)
}

impl Answered {
    fn take(&mut self, source: &str, offset: u64, record: &Record) {
        let text = |name| record.headers.get(name).and_then(|value| str::from_utf8(value).ok());
        if text(header::REQUEST_SOURCE) != Some(source) {
            return;
        }
        if let Some(id) = text(header::ID) {
            self.ids.push((RequestId::from(id), offset));
        }
        let request = text(header::REQUEST_OFFSET).and_then(|offset| offset.parse::<u64>().ok());
        self.requests_end = self.requests_end.max(request.map_or(0, |offset| offset + 1));
    }
}

#[cfg(test)]
mod tests {
    use message::Time;
    use stream::{Headers, MemoryStream, Stream, TopicOptions};

    use super::*;

    fn record(what: &str) -> Record {
        let word: Vec<&str> = what.split(' ').collect();
        let headers = match word[..] {
            ["fence", source] => Headers::new().with(header::FENCE, source),
            [id, source, offset, epoch] => Headers::new()
                .with(header::ID, id)
                .with(header::REQUEST_SOURCE, source)
                .with(header::REQUEST_OFFSET, offset)
                .with(header::EPOCH, epoch),
            _ => panic!("{what:?}"),
        };
        Record { time: Time::EPOCH, key: None, headers, value: Default::default() }
    }

    /// Takes partition 0 of `r` over with a fence behind these answers.
    fn check(records: &[&str], note: &str, ids: &[(&str, u64)], requests_end: u64, void: u64) {
        let stream = MemoryStream::new();
        let answers = stream.open("answers", &TopicOptions::default()).unwrap();
        for what in records {
            answers.append(&[record(what)]).unwrap();
        }
        let epoch = answers.append(&[record("fence r/0")]).unwrap();
        answers.append(&[record(&format!("late r/0 99 {epoch}"))]).unwrap();
        let source = Source { topic: "r".into(), partition: 0 };
        let found = find_answered(&*answers, &source, None, &Note::read(note), epoch).unwrap();
        let found_ids: Vec<_> = found.ids.iter().map(|(id, at)| (id.as_str(), *at)).collect();
        assert_eq!(found_ids, ids, "{records:?}");
        assert_eq!((found.requests_end, found.void), (requests_end, void), "{records:?}");
    }

    #[test]
    fn what_stands_before_the_fence_is_found_and_nothing_else() {
        check(&[], "", &[], 0, 0);
        check(&["fence r/0", "a r/0 3 0", "b r/0 4 0"], "", &[("a", 1), ("b", 2)], 5, 0);
        check(&["fence r/0", "a r/1 3 0", "b r/0 1 0"], "", &[("b", 2)], 2, 0);
    }

    #[test]
    fn what_was_written_too_late_is_not_found() {
        let records = ["fence r/0", "fence r/0", "a r/0 3 0", "a r/0 3 1"];
        check(&records, "answers=0 epoch=0", &[("a", 3)], 4, 1);
    }
}
