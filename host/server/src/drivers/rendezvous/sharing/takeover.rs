//! What of a partition is answered already, found out by whoever takes it over.
//!
//! The fence is written first. So every answer that counts and is not the new owner's own stands
//! before it, and what is read up to there is all that there will ever be.

use std::time::{Duration, Instant};

use message::RequestId;
use message::record::{Fences, header};
use stream::{Partition, ReadError, ReadLimit, Record, Source};

use super::note::Note;

/// How much is read at once.
const READ_LIMIT: ReadLimit = ReadLimit { records: 8192, bytes: 8 << 20 };
/// How long to wait for more of the answers, and how long in all without any progress.
const WAIT: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(20);
/// How many offsets are looked at, at the most, for each answer that is only wanted because its id may
/// come again: among answers there are fences, marks of transactions and answers to other sources.
const OFFSETS_PER_WANTED: u64 = 4;

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

/// Reads the answers up to the fence at `epoch`: all those to what is not done, and of those before them
/// as many as it takes to know `wanted` ids.
pub(super) fn find_answered(
    answers: &dyn Partition,
    source: &Source,
    committed: Option<u64>,
    note: &Note,
    epoch: u64,
    wanted: usize,
) -> Result<Answered, String> {
    let own = source.to_string();
    let answers_from = note.answers_from.unwrap_or(0).min(epoch);
    let step = wanted as u64;
    let floor = epoch.saturating_sub(step * OFFSETS_PER_WANTED);
    let mut begin = answers_from.min(epoch.saturating_sub(step));
    let mut seen = read(answers, &own, &mut begin, epoch)?;
    // What is before can only be read in its order, so it is read a stretch at a time.
    let is_short = |seen: &Vec<Seen>| seen.iter().filter(|it| it.answer.is_some()).count() < wanted;
    while begin > floor && is_short(&seen) {
        let end = begin;
        begin = end.saturating_sub(step.max(1)).max(floor);
        let asked = begin;
        let mut before = read(answers, &own, &mut begin, end)?;
        before.append(&mut seen);
        seen = before;
        if begin > asked {
            break;
        }
    }
    let mut fences = Fences::default();
    // Any other fence is among what was read.
    note.epoch.filter(|before| *before < begin).into_iter().for_each(|it| fences.note(&own, it));
    let requests_end = committed.unwrap_or(0);
    let mut found = Answered { answers_from, requests_end, ..Answered::default() };
    seen.into_iter().for_each(|it| found.take(&own, &mut fences, it));
    Ok(found)
}

/// Something among the answers that has to do with the partition.
struct Seen {
    offset: u64,
    /// None for a fence.
    answer: Option<Given>,
}

/// An answer, whether it counts or not.
struct Given {
    id: Option<RequestId>,
    epoch: u64,
    /// The offset behind the request.
    request_end: u64,
}

/// Reads what has to do with a partition in a range of offsets. `begin` becomes the first that is kept.
fn read(
    answers: &dyn Partition,
    own: &str,
    begin: &mut u64,
    end: u64,
) -> Result<Vec<Seen>, String> {
    let mut seen = Vec::new();
    let mut next = *begin;
    let mut give_up = Instant::now() + PATIENCE;
    while next < end {
        let records = match answers.read(next, READ_LIMIT) {
            Ok(records) => records,
            // Retention has been there.
            Err(ReadError::OutOfRange { start, .. }) if start > next => {
                (*begin, next) = (start, start);
                seen.clear();
                continue;
            }
            Err(error) if Instant::now() >= give_up => return Err(error.to_string()),
            Err(_) => Vec::new(),
        };
        let Some(last) = records.last() else {
            if Instant::now() >= give_up {
                return Err(format!("the answers could not be read up to offset {end}"));
            }
            answers.wait(next, WAIT);
            continue;
        };
        let range = next..end;
        next = last.offset + 1;
        give_up = Instant::now() + PATIENCE;
        let within = records.iter().filter(|stored| range.contains(&stored.offset));
        seen.extend(within.filter_map(|stored| Seen::of(own, stored.offset, &stored.record)));
    }
    Ok(seen)
}

impl Seen {
    fn of(own: &str, offset: u64, record: &Record) -> Option<Self> {
        let text = |name| record.headers.text(name);
        let number = |name| text(name).and_then(|number| number.parse::<u64>().ok());
        if let Some(fenced) = text(header::FENCE) {
            return (fenced == own).then_some(Self { offset, answer: None });
        }
        let is_own = text(header::REQUEST_SOURCE) == Some(own);
        let given = || Given {
            id: text(header::ID).map(RequestId::from),
            epoch: number(header::EPOCH).unwrap_or(0),
            request_end: number(header::REQUEST_OFFSET).map_or(0, |offset| offset + 1),
        };
        is_own.then(|| Self { offset, answer: Some(given()) })
    }
}

impl Answered {
    fn take(&mut self, own: &str, fences: &mut Fences, seen: Seen) {
        let Some(given) = seen.answer else { return fences.note(own, seen.offset) };
        if !fences.counts(own, given.epoch) {
            self.void += 1;
            return;
        }
        // Its fence may stand before all that was read.
        fences.note(own, given.epoch);
        self.ids.extend(given.id.map(|id| (id, seen.offset)));
        self.requests_end = self.requests_end.max(given.request_end);
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
        let answered = find(records, note, 100);
        let found: Vec<_> = answered.ids.iter().map(|(id, at)| (id.as_str(), *at)).collect();
        assert_eq!(found, ids, "{records:?}");
        assert_eq!((answered.requests_end, answered.void), (requests_end, void), "{records:?}");
    }

    /// What is found where so many ids are wanted.
    fn find(records: &[impl AsRef<str>], note: &str, wanted: usize) -> Answered {
        let stream = MemoryStream::new();
        let answers = stream.open("answers", &TopicOptions::default()).unwrap();
        for what in records {
            answers.append(&[record(what.as_ref())]).unwrap();
        }
        let epoch = answers.append(&[record("fence r/0")]).unwrap();
        answers.append(&[record(&format!("late r/0 99 {epoch}"))]).unwrap();
        let source = Source { topic: "r".into(), partition: 0 };
        find_answered(&*answers, &source, None, &Note::read(note), epoch, wanted).unwrap()
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

    #[test]
    fn what_was_done_before_the_last_owner_is_known_too() {
        let records =
            ["fence r/0", "a r/0 3 0", "b r/0 4 0", "fence r/0", "c r/0 5 3", "d r/0 6 0"];
        check(&records, "answers=4 epoch=3", &[("a", 1), ("b", 2), ("c", 4)], 6, 1);
    }

    #[test]
    fn as_many_as_are_wanted_are_found_among_others_and_no_more_is_read() {
        let own = |number: u64| format!("own-{number} r/0 {number} 0");
        let other = |number: u64| format!("other-{number} r/1 {number} 0");
        let records: Vec<String> = (0..20).flat_map(|it| [own(it), other(it)]).collect();
        let check = |note: &str, wanted, count| {
            let found = find(&records, note, wanted);
            assert_eq!(found.ids.len(), count, "{wanted} wanted, {note}");
            let last = found.ids.last().map(|(id, _)| id.as_str());
            assert_eq!(last, (count > 0).then_some("own-19"));
        };
        check("answers=40", 0, 0);
        check("answers=40", 5, 5);
        check("answers=20", 5, 10);
        check("answers=40", 100, 20);
    }

    #[test]
    fn an_answer_tells_of_a_fence_from_before_all_that_is_read() {
        let mut records = vec!["fence r/0"; 2];
        records.extend(["x r/1 0 0"; 20]);
        records.extend(["a r/0 3 1", "late r/0 3 0"]);
        let found = find(&records, "answers=24 epoch=0", 2);
        assert_eq!((found.ids.len(), found.void), (1, 1));
    }
}
