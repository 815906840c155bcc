//! How far was committed: never beyond what was not done, never back, and everything in the end.

use std::collections::BTreeMap;

use super::answers::Answers;
use super::requests::{Content, Requests};
use super::{Report, letters};
use crate::{CommitSample, History, Kind, Place};

pub(super) fn check(
    history: &History,
    requests: &Requests<'_>,
    answers: &Answers<'_>,
    report: &mut Report,
) {
    let letters = first_letters(history);
    let mut last: BTreeMap<(&str, u32), u64> = BTreeMap::new();
    for sample in &history.commits {
        report.counts.commits += 1;
        let before = last.entry((&sample.source, sample.partition)).or_insert(0);
        if sample.commit < *before {
            let message = format!("found {sample:?} after one at {before}");
            report.found(Kind::CommittedBackwards, message);
            continue;
        }
        // What is below the last commit was looked at with that one: what is done stays done.
        let from = Place { offset: *before, ..sample.place() };
        for (place, content) in requests.at.range(from..sample.place()) {
            check_done(place, content, sample, answers, &letters, report);
        }
        *before = sample.commit;
    }
    for place in requests.at.keys() {
        let committed = last.get(&(place.topic.as_str(), place.partition));
        if committed.is_none_or(|committed| place.offset >= *committed) {
            let message = format!("found {place} beyond the last commit {committed:?}");
            report.found(Kind::LeftBehind, message);
        }
    }
}

fn check_done(
    place: &Place,
    content: &Content<'_>,
    sample: &CommitSample,
    answers: &Answers<'_>,
    letters: &BTreeMap<Place, u64>,
    report: &mut Report,
) {
    let (id, done_at, end) = match content {
        Content::Request(id) => {
            let answer = answers.official.get(id);
            (Some(id.clone()), answer.map(|answer| answer.record.offset), sample.answers_end)
        }
        Content::Garbage(_) => (None, letters.get(place).copied(), sample.dead_letters_end),
    };
    if done_at.is_none_or(|offset| offset >= end) {
        let message = format!("found {sample:?}, and {place} was done only at {done_at:?}");
        report.violations.push(crate::Violation { kind: Kind::CommittedTooFar, id, message });
    }
}

/// The offset of the first dead letter of each record.
fn first_letters(history: &History) -> BTreeMap<Place, u64> {
    let mut first = BTreeMap::new();
    for record in &history.dead_letters {
        if let Some(place) = letters::place_of(record) {
            first.entry(place).or_insert(record.offset);
        }
    }
    first
}

impl CommitSample {
    fn place(&self) -> Place {
        let (topic, partition) = (self.source.clone(), self.partition);
        Place { topic, partition, offset: self.commit }
    }
}
