//! What of a partition is answered already, found out by whoever takes it over.
//!
//! The fence is written first. So every answer that counts and is not the new owner's own stands
//! before it, and what is read up to there is all that there will ever be.

use std::time::{Duration, Instant};

use message::RequestId;
use message::record::{Fences, header};
use stream::{Partition, ReadError, ReadLimit, Record, Source, StoredRecord};

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
    /// Where its requests are answers to others: the last fence of each source that was passed.
    pub(crate) passed: Vec<(String, u64)>,
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
    /// The fences of the partition, the oldest first, as far as they are known; from the first of them on
    /// none is missing.
    pub(crate) fences: Vec<u64>,
    /// How many answers did not count.
    pub(crate) void: u64,
}

/// Reads the answers up to the fence, backwards from it: all those to what is not done, and of those before them
/// as many as it takes to know `wanted` ids.
///
/// Whether an answer counts is known only to who knows the last fence before it. So it is read from such a
/// place on that the note says a fence before it, or that has one, or that is the beginning; and what stands
/// before the first fence that is known is not taken.
pub(super) fn find_answered(
    mut past: Past<'_>,
    committed: Option<u64>,
    note: &Note,
    wanted: usize,
) -> Result<Answered, String> {
    let epoch = past.begin;
    let answers_from = note.answers_from.unwrap_or(0).min(epoch);
    let step = (wanted as u64).max(1);
    let floor = epoch.saturating_sub(step * OFFSETS_PER_WANTED);
    past.read(answers_from.min(epoch.saturating_sub(wanted as u64)))?;
    let known_from = loop {
        let known_from = past.known_from(&note.fences);
        let has_to = known_from.is_none_or(|known_from| known_from > answers_from);
        let may = past.begin > floor && past.answers_from(known_from) < wanted;
        if past.is_all || !(has_to || may) {
            break known_from.unwrap_or(past.begin);
        }
        past.read(past.begin.saturating_sub(step))?;
    };
    let own = &*past.own;
    let mut fences = Fences::default();
    let before = note.fences.iter().filter(|fence| **fence < past.begin);
    before.clone().for_each(|fence| fences.note(own, *fence));
    let requests_end = committed.unwrap_or(0);
    let mut found = Answered { answers_from, requests_end, ..Answered::default() };
    found.fences = before.copied().collect();
    let known = past.seen.into_iter().filter(|it| it.offset >= known_from);
    known.for_each(|it| found.take(own, &mut fences, it));
    found.fences.push(epoch);
    Ok(found)
}

/// What was read of the answers to a partition, backwards from its fence.
pub(super) struct Past<'a> {
    answers: &'a dyn Partition,
    own: String,
    /// Says that nobody wants to know any more.
    is_over: &'a dyn Fn() -> bool,
    /// The first offset that was read.
    begin: u64,
    /// Whether nothing is before it, or nothing any more.
    is_all: bool,
    seen: Vec<Seen>,
}

impl<'a> Past<'a> {
    /// Nothing is read yet of what stands before the fence at `epoch`.
    pub(super) fn of(
        answers: &'a dyn Partition,
        source: &Source,
        epoch: u64,
        is_over: &'a dyn Fn() -> bool,
    ) -> Self {
        let (own, begin, seen) = (source.to_string(), epoch, Vec::new());
        Self { answers, own, is_over, begin, is_all: false, seen }
    }

    /// Reads from an earlier offset on. What is before can only be read in its order, so it is read a
    /// stretch at a time.
    fn read(&mut self, from: u64) -> Result<(), String> {
        let (begin, mut seen) = self.stretch(from, self.begin)?;
        seen.append(&mut self.seen);
        self.is_all = begin == 0 || begin > from;
        (self.begin, self.seen) = (begin.min(self.begin), seen);
        Ok(())
    }

    /// Reads what has to do with the partition in a range of offsets. Returns the first that is kept, too.
    fn stretch(&self, mut begin: u64, end: u64) -> Result<(u64, Vec<Seen>), String> {
        let mut seen = Vec::new();
        let mut next = begin;
        let mut give_up = Instant::now() + PATIENCE;
        while next < end {
            if (self.is_over)() {
                return Err("it is over".to_owned());
            }
            let records = match self.answers.read(next, READ_LIMIT) {
                Ok(records) => records,
                // Retention has been there.
                Err(ReadError::OutOfRange { start, .. }) if start > next => {
                    (begin, next) = (start, start);
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
                self.answers.wait(next, WAIT);
                continue;
            };
            let range = next..end;
            next = last.offset + 1;
            give_up = Instant::now() + PATIENCE;
            let within = records.iter().filter(|stored| range.contains(&stored.offset));
            let own = |stored: &StoredRecord| Seen::of(&self.own, stored.offset, &stored.record);
            seen.extend(within.filter_map(own));
        }
        Ok((begin, seen))
    }

    /// From where on every fence is known, if these are among those before.
    fn known_from(&self, fences: &[u64]) -> Option<u64> {
        if self.is_all || fences.iter().any(|fence| *fence < self.begin) {
            return Some(self.begin);
        }
        self.seen.iter().find(|it| it.answer.is_none()).map(|fence| fence.offset)
    }

    /// How many answers are there from an offset on.
    fn answers_from(&self, offset: Option<u64>) -> usize {
        let Some(offset) = offset else { return 0 };
        self.seen.iter().filter(|it| it.offset >= offset && it.answer.is_some()).count()
    }
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
        let Some(given) = seen.answer else {
            self.fences.push(seen.offset);
            return fences.note(own, seen.offset);
        };
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
        find_from(records, 0, note, wanted)
    }

    /// What is found where retention has taken what stood before an offset.
    fn find_from(records: &[impl AsRef<str>], start: usize, note: &str, wanted: usize) -> Answered {
        let stream = MemoryStream::new();
        let mut options = TopicOptions::default();
        options.retention.age = Some(Duration::from_secs(1));
        let answers = stream.open("answers", &options).unwrap();
        let later = Time::from_us(10_000_000);
        for (number, what) in records.iter().enumerate() {
            let time = if number < start { Time::EPOCH } else { later };
            answers.append(&[Record { time, ..record(what.as_ref()) }]).unwrap();
        }
        assert_eq!(answers.retain(later).unwrap(), start as u64);
        let epoch = answers.append(&[record("fence r/0")]).unwrap();
        answers.append(&[record(&format!("late r/0 99 {epoch}"))]).unwrap();
        let source = Source { topic: "r".into(), partition: 0 };
        let past = Past::of(&*answers, &source, epoch, &|| false);
        find_answered(past, None, &Note::read(note), wanted).unwrap()
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
        check("answers=40 fences=0", 0, 0);
        check("answers=40 fences=0", 5, 5);
        check("answers=20 fences=0", 5, 10);
        check("answers=40 fences=0", 100, 20);
    }

    /// Two owners; then, far behind the fence of the second, one that is late of the first.
    fn with_a_late_answer() -> Vec<&'static str> {
        let mut records = vec!["fence r/0", "fence r/0"];
        records.extend(["x r/1 0 0"; 20]);
        records.extend(["late r/0 3 0", "a r/0 4 1", "fence r/0", "b r/0 5 24"]);
        records
    }

    /// Where reading begins behind a fence of which nothing is read.
    fn check_late(note: &str, wanted: usize, ids: &[&str], fences: &[u64]) {
        let found = find(&with_a_late_answer(), note, wanted);
        let known: Vec<_> = found.ids.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!((&known[..], &found.fences[..]), (ids, fences), "{note}, {wanted} wanted");
    }

    #[test]
    fn a_fence_before_all_that_is_read_is_known_by_the_note() {
        check_late("answers=22 epoch=24 fences=0,1", 2, &["a", "b"], &[0, 1, 24, 26]);
        check_late("answers=22 epoch=24 fences=1", 2, &["a", "b"], &[1, 24, 26]);
        check_late("answers=22 epoch=1", 2, &["a", "b"], &[1, 24, 26]);
        check_late("answers=26 epoch=24 fences=1,24", 4, &["a", "b"], &[1, 24, 26]);
    }

    #[test]
    fn a_fence_that_the_note_does_not_say_is_searched_for() {
        // The answer to what is not done may be the late one: it has to be told from one that counts.
        check_late("answers=22 epoch=24", 2, &["a", "b"], &[0, 1, 24, 26]);
        check_late("answers=22 epoch=24", 1, &["a", "b"], &[1, 24, 26]);
        check_late("answers=22", 1, &["a", "b"], &[1, 24, 26]);
    }

    #[test]
    fn what_stands_before_the_first_fence_that_is_known_is_not_taken() {
        // Nobody has to know these ids, and nobody says whether the answers to them count.
        check_late("answers=25 epoch=24 fences=24", 4, &["b"], &[24, 26]);
        check_late("answers=25 epoch=24 fences=24", 9, &["a", "b"], &[0, 1, 24, 26]);
    }

    #[test]
    fn nothing_is_found_for_who_does_not_want_to_know_any_more() {
        let stream = MemoryStream::new();
        let answers = stream.open("answers", &TopicOptions::default()).unwrap();
        let source = Source { topic: "r".into(), partition: 0 };
        // It would be waited for: nothing is there.
        let past = Past::of(&*answers, &source, 7, &|| true);
        assert!(find_answered(past, None, &Note::default(), 5).is_err());
    }

    #[test]
    fn an_answer_tells_of_a_fence_that_retention_has_taken() {
        let mut records = vec!["fence r/0"; 2];
        records.extend(["a r/0 3 1", "late r/0 3 0"]);
        let found = find_from(&records, 2, "", 9);
        assert_eq!((found.ids.len(), found.void), (1, 1));
        let found = find_from(&records, 3, "answers=3 epoch=1 fences=1", 9);
        assert_eq!((found.ids.len(), found.void), (0, 1));
    }
}
