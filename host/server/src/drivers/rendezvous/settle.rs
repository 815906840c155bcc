//! The way out: from decisions and scores to topics, callers and commits.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use message::record::{answer_response, decode_answer, encode_answer, encode_score, header};
use message::{Answer, Chosen, Outcome, Reason, Score, Selection, Time};
use rendezvous::ensemble::{CombineError, combine};
use rendezvous::{Choice, Decision, EnsembleIndex, MemberIndex, Roster, Verdict};
use sandbox::lanes::Scored;
use stream::{AppendError, Headers, Record};

use super::strand::{Strand, Unsettled, Unwritten};
use super::{Candidate, Driver, Open, Said};
use crate::endpoint::{Answered, Unanswered};
use crate::live::{Identity, Live};

impl Driver {
    /// Makes an answer of each decision of the machine.
    pub(super) fn take_decisions(&mut self, now: Time) {
        while let Some(decision) = self.machine.poll_decision() {
            let Some(open) = self.machine.attachment_mut(decision.mailbox) else { continue };
            let replies = std::mem::take(&mut open.replies);
            let remember = open.may_repeat.then(|| open.request.id.clone());
            let (number, offset) = (open.strand, open.offset);
            let ordered_by = open.ordered_by.clone();
            let return_to = Self::return_addresses(open);
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
            let mut unwritten =
                Unwritten { record, offset, return_to, answered, replies, remember };
            if let Some(strand) = self.strand_mut(number) {
                strand.watermark.hold(offset);
                if let Some(epoch) = &strand.epoch {
                    unwritten.record.headers = epoch.headers(unwritten.record.headers, offset);
                }
                match ordered_by {
                    Some(key) => strand.pass_in_order(&key, unwritten),
                    None => strand.unwritten.push(unwritten),
                }
            }
        }
    }

    /// Hands in the answers of this turn. Those that the disk has no room for stay, and until they
    /// are written nothing new is accepted.
    pub(super) fn write_answers(&mut self) {
        self.for_each_strand(|driver, strand| {
            if strand.unwritten.is_empty() || strand.must_wait() {
                return;
            }
            let returned = match driver.sharing.is_some() {
                true => driver.return_to_others(strand),
                false => driver.return_answers(strand),
            };
            let mut written = returned.and_then(|()| strand.submit_answers());
            if let Err(AppendError::TooLarge { limit, .. }) = written
                && driver.shrink_answers(strand, limit)
            {
                written = strand.submit_answers();
            }
            if let Err(error) = written {
                driver.answers_not_written(strand, &error);
            }
        });
    }

    /// Writes the scores of this turn at once. Scores are evidence, not promises: those that cannot
    /// be written are counted and gone.
    pub(super) fn write_scores(&mut self) {
        for strand in self.strands.iter_mut().filter(|strand| !strand.scores.is_empty()) {
            if let Err(error) = strand.scored.submit(&strand.scores) {
                self.endpoint.meter.count_unwritten_scores(strand.scores.len() as u64);
                tracing::debug!(endpoint = %self.endpoint.name, %error, "scores cannot be kept");
            }
            strand.scores.clear();
        }
    }

    /// Tells the callers whose answers readers of the topic can see.
    pub(super) fn settle_answers(&mut self) {
        // In this order: what was settled before this process stood still was ours to answer.
        let settled: Vec<u64> = self.strands.iter().map(|it| it.answers.settled()).collect();
        self.look_at_the_clock();
        self.take_failed();
        let mut settled = settled.into_iter();
        self.for_each_strand(|driver, strand| {
            let settled = settled.next().unwrap_or(0);
            driver.settle_outgoing(strand);
            while !strand.is_doubted
                && let Some(Unsettled { ticket, mut unwritten }) =
                    strand.unsettled.pop_front_if(|it| it.ticket < settled)
            {
                if !driver.failed.is_empty()
                    && let Some(error) = driver.failed.remove(&(strand.answers.number(), ticket))
                {
                    driver.answer_failed(strand, unwritten, &error);
                    continue;
                }
                strand.watermark.finish(unwritten.offset);
                let id = unwritten.remember.take();
                strand.note_settled(ticket, id);
                for reply in unwritten.replies {
                    // Nobody listens where the caller has gone.
                    let _gone = reply.send(Ok(unwritten.answered.clone()));
                }
            }
        });
    }

    /// Asks the topics which answers and scores failed that they had taken.
    fn take_failed(&mut self) {
        if self.sharing.is_none() {
            return;
        }
        for answers in self.strands.iter().map(|strand| &strand.answers) {
            let failed = answers.take_failed().into_iter();
            self.failed.extend(failed.map(|(ticket, error)| ((answers.number(), ticket), error)));
        }
    }

    /// An answer that was handed in is not in the topic: it is handed in again, or one in its place that
    /// says why not.
    fn answer_failed(&self, strand: &mut Strand, mut unwritten: Unwritten, error: &AppendError) {
        let (endpoint, source) = (&self.endpoint.name, &strand.source);
        if strand.retry_due.is_none() {
            tracing::error!(%endpoint, %source, %error, "an answer was not kept");
        }
        if let AppendError::TooLarge { .. } | AppendError::Refused { .. } = error {
            self.give_up_answer(&mut unwritten);
        }
        if let Some(epoch) = &strand.epoch {
            let headers = unwritten.record.headers.clone();
            if headers.get(header::EPOCH).is_none() {
                unwritten.record.headers = epoch.headers(headers, unwritten.offset);
            }
        }
        strand.unwritten.push(unwritten);
        strand.try_again_later();
    }

    fn settle_outgoing(&self, strand: &mut Strand) {
        if strand.outgoing.is_empty() {
            return;
        }
        for (topic, what, failed) in strand.settle_outgoing() {
            tracing::error!(endpoint = %self.endpoint.name, topic, failed, "{what} was not kept");
        }
    }

    /// Lets go of the requests whose answers and scores are all in, or given up. They are done when
    /// their answers are in the topic, too.
    pub(super) fn finish_requests(&mut self) {
        while let Some(done) = self.machine.poll_done() {
            self.give_up_outside(&done.attachment);
            let Open { strand, offset, .. } = done.attachment;
            if let Some(strand) = self.strand_mut(strand) {
                strand.watermark.finish(offset);
            }
        }
    }

    /// Makes errors of those answers that are too large for the topic. Returns whether there are any.
    fn shrink_answers(&self, strand: &mut Strand, limit: u64) -> bool {
        let too_large = |unwritten: &&mut Unwritten| unwritten.record.size_bytes() > limit;
        let mut shrunk = 0;
        for unwritten in strand.unwritten.iter_mut().filter(too_large) {
            let found = unwritten.record.size_bytes();
            tracing::error!(endpoint = %self.endpoint.name, found, limit, "an answer is too large to be kept");
            self.give_up_answer(unwritten);
            if let Some(epoch) = &strand.epoch {
                let headers = unwritten.record.headers.clone();
                unwritten.record.headers = epoch.headers(headers, unwritten.offset);
            }
            shrunk += usize::from(unwritten.record.size_bytes() <= limit);
        }
        shrunk > 0
    }

    /// Puts into the place of an answer that can never be kept one that says so: it is the official one.
    pub(super) fn give_up_answer(&self, unwritten: &mut Unwritten) {
        let Ok(made) = decode_answer(&unwritten.record.value) else { return };
        let answer = Answer {
            request: made.request,
            caller_id: made.caller_id,
            chosen: Chosen::Nothing,
            reason: Reason::NotKept,
            selection: made.selection,
            time: unwritten.record.time,
            latency: made.latency,
        };
        let document = self.document_of(&answer);
        unwritten.record = answer_record(&answer, document.clone(), true);
        unwritten.answered = Answered { document, response: None, is_error: true };
    }

    fn answers_not_written(&mut self, strand: &mut Strand, error: &AppendError) {
        let full = matches!(error, AppendError::Full | AppendError::Busy { .. });
        if self.sharing.is_some() {
            // The callers wait on, and with them what they asked: nothing new is taken meanwhile.
            if !std::mem::replace(&mut self.disk_is_full, true) {
                tracing::error!(endpoint = %self.endpoint.name, source = %strand.source, %error, "answers wait for the stream: nothing new is taken");
            }
            return strand.try_again_later();
        }
        if strand.retry_due.is_none() || !full {
            tracing::error!(endpoint = %self.endpoint.name, %error, "answers cannot be kept");
        }
        strand.try_again_later();
        let refusal = if full { Unanswered::StreamFull } else { Unanswered::StreamBroken };
        for unwritten in &mut strand.unwritten {
            for reply in unwritten.replies.drain(..) {
                let _gone = reply.send(Err(refusal.clone()));
            }
        }
        if self.stopping || !full {
            // They are never done, so a later life of the host reads the requests again and answers
            // them.
            strand.unwritten.clear();
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
