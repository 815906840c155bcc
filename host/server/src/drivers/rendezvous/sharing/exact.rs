//! Exactly once: what comes of a request is held back until everything of it is there and of all before
//! it, and is then written together with how far that is, all of it or nothing.
//!
//! What would surprise: nothing here asks whether partitions are still ours. Whoever has lost one cannot
//! complete what it writes, and what it did not write nobody has seen.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use message::RequestId;
use message::record::header;
use stream::{Commit, Headers, Output, Record, Source, TransactError};

use super::super::Driver;
use super::super::strand::{Strand, Unwritten};
use super::clerk::{Claim, Errand};

/// How many requests are written together at the most, before their time is due.
const WRITE_EARLY: usize = 2048;
/// How long to wait before what failed is tried again.
const AGAIN_AFTER: Duration = Duration::from_millis(200);
/// The same where an operator has to act.
const AGAIN_AFTER_REFUSAL: Duration = Duration::from_secs(5);
/// A record below this is not refused for its size.
const SMALL_BYTES: u64 = 1024;

/// What is held back of a strand.
#[derive(Default)]
pub(in super::super) struct Exact {
    /// Whether what comes is held back.
    pub(in super::super) is_on: bool,
    /// By the offsets of the requests.
    held: BTreeMap<u64, Held>,
    /// The same for those that are being written.
    under_way: BTreeMap<u64, Held>,
}

/// What came of one request.
#[derive(Default)]
struct Held {
    answer: Option<Unwritten>,
    scores: Vec<Record>,
    /// Copies of the answer, or a dead letter.
    others: Vec<(Source, Record)>,
}

/// What is written together.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) parts: Vec<Part>,
    /// Whether it was tried before, so that it may have been written.
    pub(crate) is_again: bool,
}

/// What is written of one strand.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) claim: Claim,
    pub(crate) commit: Commit,
    /// The answers come first, if there are any.
    pub(crate) outputs: Vec<Output>,
}

/// When what is held back is written.
#[derive(Debug, Default)]
pub(super) enum Writing {
    /// When there is something.
    #[default]
    Idle,
    /// When it is time.
    Due(Instant),
    /// When it is time, however much there is: something went wrong.
    Later(Instant),
    /// It is being written.
    UnderWay,
    /// When it is time to try it once more.
    Again(Batch, Instant),
}

impl Writing {
    pub(super) fn due(&self) -> Option<Instant> {
        match self {
            Self::Due(due) | Self::Later(due) | Self::Again(_, due) => Some(*due),
            Self::Idle | Self::UnderWay => None,
        }
    }
}

impl Exact {
    /// How many requests are held back.
    pub(super) fn len(&self) -> usize {
        self.held.len() + self.under_way.len()
    }

    /// Whether everything is written that can be. Of what goes to somebody else that is what has nothing
    /// open before it.
    pub(in super::super) fn is_settled(&self, done: u64, is_leaving: bool) -> bool {
        self.under_way.is_empty()
            && if is_leaving { !self.is_ready(done) } else { self.held.is_empty() }
    }

    fn is_ready(&self, done: u64) -> bool {
        self.held.range(..done).next().is_some()
    }

    /// The answer to this id, if it is held back.
    pub(super) fn answer_to(&mut self, id: &RequestId) -> Option<&mut Unwritten> {
        let all = self.held.values_mut().chain(self.under_way.values_mut());
        all.filter_map(|held| held.answer.as_mut()).find(|it| it.remember.as_ref() == Some(id))
    }

    pub(super) fn hold_answer(&mut self, answer: Unwritten) {
        let held = self.held.entry(answer.offset).or_default();
        held.answer = Some(answer);
    }

    pub(in super::super) fn hold_score(&mut self, offset: u64, score: Record) {
        self.held.entry(offset).or_default().scores.push(score);
    }

    pub(in super::super) fn hold_other(&mut self, offset: u64, to: Source, record: Record) {
        self.held.entry(offset).or_default().others.push((to, record));
    }

    /// What comes of the requests below `done`, from now on under way.
    fn begin(&mut self, done: u64, answers: &Source, scores: &Source) -> Vec<Output> {
        let later = self.held.split_off(&done);
        self.under_way = std::mem::replace(&mut self.held, later);
        let all = || self.under_way.values();
        let made = all().filter_map(|held| held.answer.as_ref()).map(|it| it.record.clone());
        let mut outputs = vec![Output { to: answers.clone(), records: made.collect() }];
        let made = all().flat_map(|held| held.scores.iter().cloned());
        outputs.push(Output { to: scores.clone(), records: made.collect() });
        let mut others: BTreeMap<&Source, Vec<Record>> = BTreeMap::new();
        for (to, record) in all().flat_map(|held| &held.others) {
            others.entry(to).or_default().push(record.clone());
        }
        outputs.extend(others.into_iter().map(|(to, records)| Output { to: to.clone(), records }));
        outputs.retain(|output| !output.records.is_empty());
        outputs
    }

    /// Nothing of what was under way is written.
    fn restore(&mut self) {
        self.held.append(&mut self.under_way);
    }

    /// The request of which the largest record came, and its size.
    fn largest(&self) -> Option<(u64, u64)> {
        let sizes = self.held.iter().map(|(&offset, held)| {
            let answer = held.answer.iter().map(|it| &it.record);
            let all = answer.chain(&held.scores).chain(held.others.iter().map(|(_, it)| it));
            (all.map(Record::size_bytes).max().unwrap_or(0), offset)
        });
        sizes.max().map(|(size, offset)| (offset, size))
    }
}

impl Strand {
    /// Holds the answers of this turn back, until they are written with all that belongs to them.
    pub(in super::super) fn hold_answers(&mut self) {
        self.retry_due = None;
        for answer in self.unwritten.drain(..) {
            if let Some(id) = &answer.remember {
                self.remembered.insert(id.clone(), None);
            }
            self.watermark.finish(answer.offset);
            self.exact.hold_answer(answer);
        }
    }

    fn is_ready(&self) -> bool {
        self.exact.is_on && self.done() > self.committed
    }

    fn part(&mut self) -> Part {
        let to = |partition: &dyn stream::Partition| Source {
            topic: partition.topic().into(),
            partition: partition.number(),
        };
        let (answers, scores) = (to(&*self.answers), to(&*self.scored));
        let commit = self.commit();
        let outputs = self.exact.begin(commit.offset, &answers, &scores);
        Part { claim: self.claim(), commit, outputs }
    }

    /// What was under way is written; the first of the answers has this offset, if that is known. Others
    /// may have written in between, so the rest is there or behind.
    fn note_written(&mut self, commit: &Commit, first: Option<u64>) {
        self.note_committed(self.committed.max(commit.offset));
        let written = std::mem::take(&mut self.exact.under_way).into_values();
        let floor = self.answers_floor;
        for (index, answer) in (0..).zip(written.filter_map(|held| held.answer)) {
            let earliest = first.map_or(floor, |first| first + index);
            self.note_kept(Some(earliest), answer.remember);
            for reply in answer.replies {
                // Nobody listens where the caller has gone.
                let _gone = reply.send(Ok(answer.answered.clone()));
            }
        }
    }
}

impl Driver {
    /// Decides whether what comes of requests is held back.
    pub(in super::super) fn decide_delivery(&mut self) {
        let is_on = self.sharing.is_some() && self.live.flow.is_exact();
        for strand in &mut self.strands {
            // What is held back already is written as it was to be.
            strand.exact.is_on = is_on || strand.exact.len() > 0;
        }
    }

    /// Writes what is held back, when it is time.
    pub(in super::super) fn write_exactly_once(&mut self) {
        let Some(sharing) = &mut self.sharing else { return };
        let (moment, flow) = (Instant::now(), &self.live.flow);
        match &sharing.writing {
            Writing::UnderWay => return,
            Writing::Later(due) | Writing::Again(_, due) if *due > moment => return,
            Writing::Again(..) => {
                if let Writing::Again(batch, _) = std::mem::take(&mut sharing.writing) {
                    self.send_batch(batch);
                }
                return;
            }
            Writing::Idle | Writing::Due(_) | Writing::Later(_) => {}
        }
        let ready = || self.strands.iter().filter(|strand| strand.is_ready());
        if ready().next().is_none() {
            sharing.writing = Writing::Idle;
            return;
        }
        let in_haste = self.stopping
            || ready().any(|strand| strand.is_leaving || strand.exact.len() >= WRITE_EARLY);
        match sharing.writing {
            Writing::Due(due) if due > moment && !in_haste => return,
            Writing::Idle if !in_haste => {
                sharing.writing = Writing::Due(moment + flow.commit_interval);
                return;
            }
            _ => {}
        }
        let ready = self.strands.iter_mut().filter(|strand| strand.is_ready());
        let parts = ready.map(Strand::part).collect();
        self.send_batch(Batch { parts, is_again: false });
    }

    fn send_batch(&mut self, batch: Batch) {
        let Some(sharing) = &mut self.sharing else { return };
        sharing.writing = Writing::Idle;
        let Some(member) = sharing.member().cloned() else {
            // Nobody owns anything, then.
            return;
        };
        sharing.writing = Writing::UnderWay;
        sharing.writer.send(Errand::Write { member, batch });
    }

    /// A batch is written, or is not and why.
    pub(super) fn handle_written(
        &mut self,
        mut batch: Batch,
        written: Result<Vec<Option<u64>>, TransactError>,
    ) {
        let Some(sharing) = &mut self.sharing else { return };
        sharing.writing = Writing::Idle;
        let error = match written {
            Ok(firsts) => {
                for (part, first) in batch.parts.iter().zip(firsts) {
                    let strand = self.strand_mut(part.claim.strand);
                    strand.into_iter().for_each(|strand| strand.note_written(&part.commit, first));
                }
                return;
            }
            Err(error) => error,
        };
        let moment = Instant::now();
        match error {
            TransactError::NotNow { .. } => {
                tracing::warn!(endpoint = %self.endpoint.name, %error, "answers cannot be written yet");
                batch.is_again = true;
                sharing.writing = Writing::Again(batch, moment + AGAIN_AFTER);
            }
            TransactError::NotOwned { .. } => {
                tracing::debug!(endpoint = %self.endpoint.name, %error, "answers were not written");
                sharing.writing = Writing::Later(moment + AGAIN_AFTER);
                self.restore(&batch);
            }
            TransactError::Refused { .. } => {
                self.restore(&batch);
                tracing::error!(endpoint = %self.endpoint.name, %error, "answers cannot be written");
                let again = if self.shrink_largest() { AGAIN_AFTER } else { AGAIN_AFTER_REFUSAL };
                if let Some(sharing) = &mut self.sharing {
                    sharing.writing = Writing::Later(moment + again);
                }
            }
        }
    }

    fn restore(&mut self, batch: &Batch) {
        for part in &batch.parts {
            let strand = self.strand_mut(part.claim.strand);
            strand.into_iter().for_each(|strand| strand.exact.restore());
        }
    }

    /// Makes an error of the answer that is the largest, or gives up what else is. Returns whether there
    /// was anything that could be too large.
    fn shrink_largest(&mut self) -> bool {
        let largest = self.strands.iter().enumerate().filter_map(|(index, strand)| {
            strand.exact.largest().map(|(offset, size)| (size, index, offset))
        });
        let Some((_, index, offset)) = largest.max().filter(|largest| largest.0 > SMALL_BYTES)
        else {
            return false;
        };
        let Some(mut held) = self.strands[index].exact.held.remove(&offset) else { return false };
        let epoch = self.strands[index].epoch.as_ref();
        self.endpoint.meter.count_unwritten_scores(held.scores.len() as u64);
        held.scores.clear();
        if let Some(answer) = &mut held.answer {
            self.give_up_answer(answer);
            let headers = std::mem::take(&mut answer.record.headers);
            let headers = epoch.map_or_else(Headers::new, |epoch| epoch.headers(headers, offset));
            answer.record.headers = headers;
        }
        for (_, record) in &mut held.others {
            match &held.answer {
                Some(answer) => {
                    record.clone_from(&answer.record);
                    let headers = std::mem::take(&mut record.headers);
                    record.headers = headers.with(header::ENDPOINT, self.endpoint.name.as_str());
                }
                None => {
                    let bytes = record.value.len().to_string();
                    *record = Record::new(record.time, bytes::Bytes::new());
                    record.headers = Headers::new().with(header::DROPPED_BYTES, bytes);
                }
            }
        }
        self.strands[index].exact.held.insert(offset, held);
        true
    }
}
