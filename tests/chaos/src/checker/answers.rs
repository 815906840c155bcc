//! What was answered: to whom, by whom, and which of it counts.

use std::collections::{BTreeMap, HashMap, HashSet};

use message::Reason;
use message::record::{AnswerRecord, AnswerSource, Fences, Standing, decode_answer, header};

use super::Report;
use super::requests::{Content, Requests};
use super::scores::y_of;
use crate::record::bare;
use crate::{History, Kind, Place, Record, Rules};

/// The official answers.
pub(super) struct Answers<'h> {
    pub(super) official: BTreeMap<String, Answer<'h>>,
    /// The last epoch of each partition of a source.
    last: HashMap<String, u64>,
}

/// An answer.
pub(super) struct Answer<'h> {
    pub(super) record: &'h Record,
    pub(super) says: AnswerRecord,
    /// The record of the request that it answers.
    pub(super) place: Place,
    pub(super) epoch: u64,
}

impl<'h> Answers<'h> {
    pub(super) fn read(history: &'h History, requests: &Requests<'h>, report: &mut Report) -> Self {
        let mut answers = Self { official: BTreeMap::new(), last: HashMap::new() };
        let mut fences: HashMap<u32, Fences> = HashMap::new();
        let mut epochs: HashSet<(String, u64)> = HashSet::new();
        for record in &history.answers {
            let fences = fences.entry(record.partition).or_default();
            match fences.judge(record.offset, record.pairs()) {
                Standing::Fence => {
                    report.counts.fences += 1;
                    let source = bare(record.header(header::FENCE).unwrap_or_default());
                    epochs.insert((source.to_owned(), record.offset));
                    answers.last.insert(source.to_owned(), record.offset);
                }
                standing => {
                    let Some(answer) = read(record, &history.rules, requests, report) else {
                        continue;
                    };
                    if !epochs.contains(&(answer.place.source(), answer.epoch)) {
                        let message = format!("found {record}");
                        report.found_of(answer.id(), Kind::EpochUnknown, message);
                    }
                    answers.take(answer, standing, history, report);
                }
            }
        }
        report.counts.answers = answers.official.len() as u64;
        report.counts.longest_gap_ms = answers.longest_gap_ms();
        answers
    }

    fn take(
        &mut self,
        answer: Answer<'h>,
        standing: Standing,
        history: &History,
        report: &mut Report,
    ) {
        if standing == Standing::Void {
            report.counts.void += 1;
            return;
        }
        let id = answer.id().to_owned();
        let Some(first) = self.official.get(&id) else {
            *report.counts.by_reason.entry(answer.by()).or_default() += 1;
            self.official.insert(id, answer);
            return;
        };
        report.counts.repeated += 1;
        if !first.says_the_same_as(&answer) {
            let message = format!("found {} and then {}", first.record, answer.record);
            report.found_of(&id, Kind::Contradicted, message);
        }
        if history.rules.exactly_once {
            let message = format!("found {} and once more {}", first.record, answer.record);
            report.found_of(&id, Kind::Repeated, message);
        }
    }

    /// Every request has an answer, and that is one that it may have.
    pub(super) fn check_requests(&self, requests: &Requests<'_>, report: &mut Report) {
        for (id, same) in &requests.by_id {
            if !self.official.contains_key(id) {
                let places: Vec<_> = same.iter().map(|request| request.place.to_string()).collect();
                let message = format!("found no answer to {}", places.join(" and "));
                report.found_of(id, Kind::Unanswered, message);
            }
        }
    }

    /// Whether somebody took the partition of this answer over after it.
    pub(super) fn is_from_before(&self, answer: &Answer<'_>) -> bool {
        self.last.get(&answer.place.source()).is_some_and(|last| answer.epoch < *last)
    }

    fn longest_gap_ms(&self) -> u64 {
        let mut times: Vec<_> =
            self.official.values().map(|answer| answer.record.time_ms).collect();
        times.sort_unstable();
        let gaps = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
        gaps.max().map_or(0, |gap| gap.unsigned_abs())
    }
}

impl Answer<'_> {
    pub(super) fn id(&self) -> &str {
        self.says.request.as_str()
    }

    /// Who answered, and why.
    fn by(&self) -> String {
        let by = match &self.says.source {
            AnswerSource::Score { model, .. } => model.as_str(),
            AnswerSource::Ensemble { .. } => "an ensemble",
            AnswerSource::Default => "the default",
            AnswerSource::Nothing { .. } => "nobody",
        };
        format!("{by} ({})", self.says.reason)
    }

    /// Whether both tell a caller the same.
    fn says_the_same_as(&self, other: &Self) -> bool {
        let said = |answer: &Self| {
            let says = &answer.says;
            (says.source.clone(), says.reason, says.selection.clone(), says.outputs.clone())
        };
        said(self) == said(other)
    }
}

/// Reads an answer, and holds it against its request.
fn read<'h>(
    record: &'h Record,
    rules: &Rules,
    requests: &Requests<'_>,
    report: &mut Report,
) -> Option<Answer<'h>> {
    let says = match decode_answer(&record.value) {
        Ok(says) => says,
        Err(error) => {
            report.found(Kind::Unreadable, format!("an answer: {error}: {record}"));
            return None;
        }
    };
    let Some(place) = place_of(record) else {
        report.found(Kind::Unreadable, format!("an answer to nowhere: {record}"));
        return None;
    };
    let id = says.request.as_str().to_owned();
    match requests.at.get(&place) {
        Some(Content::Request(asked)) if *asked == id => {}
        Some(Content::Request(asked)) => {
            let message = format!("found it for {place}, where {asked} is: {record}");
            report.found_of(&id, Kind::AnswerInvented, message);
        }
        Some(Content::Garbage(garbage)) => {
            let message = format!("found it for garbage: {record} for {garbage}");
            report.found_of(&id, Kind::AnswerInvented, message);
        }
        None => {
            let message = format!("found it for {place}, where nothing is: {record}");
            report.found_of(&id, Kind::AnswerInvented, message);
        }
    }
    if record.header(header::ID) != Some(&id) {
        let message = format!("found another id in the headers: {record}");
        report.found_of(&id, Kind::WrongContent, message);
    }
    let expected = place.partition % rules.partitions;
    if record.partition != expected {
        let message = format!("found it beside partition {expected}: {record}");
        report.found_of(&id, Kind::Scattered, message);
    }
    let epoch = record.number(header::EPOCH).unwrap_or_default();
    let answer = Answer { record, says, place, epoch };
    if let Some(request) = requests.by_id.get(&id).and_then(|same| same.first()) {
        check_content(&answer, request.x, rules, report);
    }
    Some(answer)
}

/// An answer is what a model that may answer makes of the request, or it is none for a good reason.
fn check_content(answer: &Answer<'_>, x: f64, rules: &Rules, report: &mut Report) {
    let y = y_of(&answer.says.outputs);
    let (expected, reasons) = match &answer.says.source {
        AnswerSource::Score { model, .. } => {
            let Some(expected) = rules.models.get(model.as_str()).filter(|it| it.may_answer) else {
                let message = format!("found {model}: {}", answer.record);
                return report.found_of(answer.id(), Kind::WrongModel, message);
            };
            let reasons =
                &[Reason::Preferred, Reason::PreferredWasSlow, Reason::PreferredFailed][..];
            (Some(expected.factor * x), reasons)
        }
        AnswerSource::Ensemble { .. } => (None, &[][..]),
        AnswerSource::Default => {
            let reasons = &[Reason::NothingCame, Reason::NoLiveModel, Reason::Expired][..];
            (Some(rules.default), reasons)
        }
        // One that was over when it was read gets no default.
        AnswerSource::Nothing { .. } => (None, &[Reason::Expired][..]),
    };
    if y != expected || !reasons.contains(&answer.says.reason) {
        let message = format!("expected y = {expected:?} for x = {x}: {}", answer.record);
        report.found_of(answer.id(), Kind::WrongContent, message);
    }
}

/// The record that an answer says it is for.
fn place_of(record: &Record) -> Option<Place> {
    let (topic, partition) = record.header(header::REQUEST_SOURCE)?.rsplit_once('/')?;
    let partition = partition.parse().ok()?;
    let offset = record.number(header::REQUEST_OFFSET)?;
    Some(Place::named(topic, partition, offset))
}
