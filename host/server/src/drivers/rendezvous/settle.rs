//! The way out: from decisions and scores to topics, callers and commits.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use message::record::{answer_response, encode_answer, encode_score, header};
use message::{Answer, Chosen, Outcome, Reason, Score, Selection, Time};
use rendezvous::ensemble::{CombineError, combine};
use rendezvous::{Choice, Decision, EnsembleIndex, MemberIndex, Roster, Verdict};
use sandbox::lanes::Scored;
use stream::{AppendError, Headers, Record};

use super::{Candidate, Driver, Open, RETRY_FULL_AFTER, Said, Untold, Unwritten};
use crate::endpoint::{Answered, Unanswered};
use crate::live::{Identity, Live};

impl Driver {
    /// Makes an answer of each decision of the machine.
    pub(super) fn take_decisions(&mut self, now: Time) {
        while let Some(decision) = self.machine.poll_decision() {
            let Some(open) = self.machine.attachment_mut(decision.mailbox) else { continue };
            let replies = std::mem::take(&mut open.replies);
            let remember = open.may_repeat.then(|| open.request.id.clone());
            let (offset, return_to) = (open.offset, Self::return_addresses(open));
            let (answer, identity) = answer_of(now, open, decision);
            self.undecided -= 1;
            let meter = identity.as_ref().map(|identity| &*identity.meter);
            self.endpoint.meter.count_answer(now, &answer, meter);
            let document = self.document_of(&answer);
            let is_error = matches!(answer.chosen, Chosen::Nothing);
            let record = answer_record(&answer, document.clone(), is_error);
            let wants_tensors = replies.iter().any(|reply| reply.wants_tensors);
            let response = wants_tensors.then(|| answer_response(&answer, &self.endpoint.name));
            let response = response.flatten().map(Arc::new);
            let answered = Answered { document, response, is_error };
            let unwritten = Unwritten { record, offset, return_to, answered, replies, remember };
            self.answers.push(unwritten);
        }
    }

    /// Writes the answers of this turn at once. Those that the disk has no room for stay, and
    /// until they are written nothing new is accepted.
    pub(super) fn write_answers(&mut self) {
        let waits = self.retry_due.is_some_and(|due| due > Instant::now());
        if self.answers.is_empty() || waits {
            return;
        }
        let written = self.return_answers().and_then(|()| {
            let records = self.answers.iter().map(|unwritten| unwritten.record.clone());
            self.endpoint.journal.answers.append(&records.collect::<Vec<_>>())
        });
        match written {
            Ok(first) => {
                self.retry_due = None;
                self.answers_written(first);
            }
            Err(error) => self.answers_not_written(&error),
        }
    }

    /// Writes the scores of this turn at once. Scores are evidence, not promises: those that cannot
    /// be written are counted and gone.
    pub(super) fn write_scores(&mut self) {
        if self.scores.is_empty() {
            return;
        }
        if let Err(error) = self.endpoint.journal.scores.append(&self.scores) {
            self.endpoint.meter.count_unwritten_scores(self.scores.len() as u64);
            tracing::debug!(endpoint = %self.endpoint.name, %error, "scores cannot be kept");
        }
        self.scores.clear();
    }

    /// Tells the callers whose answers readers of the topic can see.
    pub(super) fn tell_answers(&mut self) {
        let readable = self.endpoint.journal.answers.readable_end();
        while self.untold.front().is_some_and(|untold| untold.offset < readable) {
            let Untold { answered, replies, .. } =
                self.untold.pop_front().expect("invariant: there is a front");
            for reply in replies {
                // Nobody listens where the caller has gone.
                let _gone = reply.send(Ok(answered.clone()));
            }
        }
    }

    /// Lets go of the requests whose answers and scores are all in, or given up.
    ///
    /// Not before every answer is in the topic: a commit beyond one that is not would lose it.
    pub(super) fn finish_requests(&mut self) {
        while let Some(done) = self.machine.poll_done() {
            self.over.push(done.attachment.offset);
        }
        if self.answers.is_empty() {
            for offset in self.over.drain(..) {
                if !self.left_behind.remove(&offset) {
                    self.watermark.finish(offset);
                }
            }
        }
    }

    fn answers_written(&mut self, first: u64) {
        for (index, unwritten) in self.answers.drain(..).enumerate() {
            let offset = first + index as u64;
            if let Some(id) = unwritten.remember {
                self.remembered.insert(id, offset);
            }
            let Unwritten { answered, replies, .. } = unwritten;
            if !replies.is_empty() {
                self.untold.push_back(Untold { offset, answered, replies });
            }
        }
    }

    fn answers_not_written(&mut self, error: &AppendError) {
        let full = matches!(error, AppendError::Full | AppendError::Busy { .. });
        if self.retry_due.is_none() || !full {
            tracing::error!(endpoint = %self.endpoint.name, %error, "answers cannot be kept");
        }
        self.retry_due = Some(Instant::now() + RETRY_FULL_AFTER);
        let refusal = if full { Unanswered::StreamFull } else { Unanswered::StreamBroken };
        for unwritten in &mut self.answers {
            for reply in unwritten.replies.drain(..) {
                let _gone = reply.send(Err(refusal.clone()));
            }
        }
        if self.stopping || !full {
            // A later life of the host reads the requests again and answers them.
            self.left_behind.extend(self.answers.drain(..).map(|unwritten| unwritten.offset));
        }
    }

    fn document_of(&self, answer: &Answer) -> Bytes {
        let mut document = Vec::with_capacity(512);
        encode_answer(answer, &self.endpoint.name, &mut document);
        Bytes::from(document)
    }
}

/// The score that a lane's word about a request amounts to.
pub(super) fn score_of(now: Time, open: &Open, identity: &Identity, scored: Scored) -> Score {
    Score {
        request: open.request.id.clone(),
        model: identity.model.clone(),
        revision: identity.revision,
        outcome: scored.outcome,
        time: now,
        latency: scored.waited + scored.wall,
        cpu: scored.cpu,
    }
}

/// The record of a score.
pub(super) fn score_record(score: &Score) -> Record {
    let mut value = Vec::with_capacity(384);
    encode_score(score, &mut value);
    let headers = Headers::of([
        (header::ID, score.request.as_str().as_bytes()),
        (header::MODEL, score.model.as_str().as_bytes()),
    ]);
    Record { time: score.time, key: None, headers, value: Bytes::from(value) }
}

/// What the machine is told about a score.
pub(super) fn verdict_of(identity: &Arc<Identity>, score: Score) -> Said {
    match score.outcome {
        Outcome::Prediction(prediction) => {
            Verdict::Predicted(Candidate { identity: Arc::clone(identity), prediction })
        }
        Outcome::Refusal(_) => Verdict::Refused,
        Outcome::Fault(_) => Verdict::Faulted,
    }
}

/// The answer that a decision amounts to, and whose prediction it is.
fn answer_of(
    now: Time,
    open: &Open,
    decision: Decision<Candidate>,
) -> (Answer, Option<Arc<Identity>>) {
    let request = &open.request;
    let mut reason = decision.reason;
    let (chosen, identity) = match decision.chosen {
        Choice::Score(_, Candidate { identity, prediction }) => {
            let (model, revision) = (identity.model.clone(), identity.revision);
            (Chosen::Score { model, revision, prediction }, Some(identity))
        }
        Choice::Ensemble(ensemble, scores) => {
            let together = together(&decision.roster, ensemble, &scores);
            let chosen = together.unwrap_or_else(|error| {
                reason = Reason::NotCombinable;
                tell_misfit(&open.live, &error);
                default_of(&open.live)
            });
            (chosen, None)
        }
        Choice::Default => (default_of(&open.live), None),
        Choice::Nothing => (Chosen::Nothing, None),
    };
    let course = decision.roster.course(open.selected.course);
    let selection =
        Selection { propensity: open.selected.propensity, course: Arc::clone(course.path()) };
    let answer = Answer {
        request: request.id.clone(),
        caller_id: request.caller_id.clone(),
        chosen,
        reason,
        selection,
        time: now,
        latency: now.since(request.time),
    };
    (answer, identity)
}

fn default_of(live: &Live) -> Chosen {
    live.default.clone().map_or(Chosen::Nothing, Chosen::Default)
}

/// What the predictions of an ensemble amount to.
fn together(
    roster: &Roster,
    ensemble: EnsembleIndex,
    scores: &[(MemberIndex, Candidate)],
) -> Result<Chosen, CombineError> {
    let ensemble = roster.ensemble(ensemble);
    let weight = |member: MemberIndex| {
        let found = ensemble.members.iter().find(|&&(other, _)| other == member);
        found.map_or(0.0, |&(_, weight)| weight)
    };
    let predictions: Vec<_> = scores
        .iter()
        .map(|(member, candidate)| (&candidate.prediction.outputs[..], weight(*member)))
        .collect();
    let outputs = combine(&predictions, ensemble.combine)?;
    let named = |(_, Candidate { identity, .. }): &(_, Candidate)| {
        (identity.model.clone(), identity.revision)
    };
    let members = scores.iter().map(named).collect();
    Ok(Chosen::Ensemble { combine: ensemble.combine, members, outputs })
}

/// Says it once for each roster: what models give seldom changes from one request to the next.
fn tell_misfit(live: &Live, error: &CombineError) {
    if !live.misfit_told.swap(true, Ordering::Relaxed) {
        tracing::warn!(%error, "the predictions of an ensemble do not fit each other");
    }
}

fn answer_record(answer: &Answer, document: Bytes, is_error: bool) -> Record {
    let headers = Headers::of([
        (header::ID, answer.request.as_str().as_bytes()),
        (header::REASON, answer.reason.name().as_bytes()),
    ]);
    let headers = if is_error { headers.with(header::ERROR, "1") } else { headers };
    Record { time: answer.time, key: None, headers, value: document }
}
