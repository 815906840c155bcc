//! What the models said: that it is what they compute, and that the answers are among it.

use std::collections::BTreeMap;

use message::record::{AnswerSource, ScoreRecord, decode_score};
use message::{Contents, Outcome, Tensor};

use super::Report;
use super::answers::{Answer, Answers};
use super::requests::Requests;
use crate::{History, Kind, Record, Rules};

/// The scores of each request.
type Scores = BTreeMap<String, Vec<ScoreRecord>>;

pub(super) fn check(
    history: &History,
    requests: &Requests<'_>,
    answers: &Answers<'_>,
    report: &mut Report,
) {
    let mut scores = Scores::new();
    for record in &history.scores {
        report.counts.scores += 1;
        match decode_score(&record.value) {
            Ok(score) => take(record, score, history, requests, &mut scores, report),
            Err(error) => {
                report.found(Kind::Unreadable, format!("a score: {error}: {record}"));
            }
        }
    }
    // An answer to nobody is wrong as it is.
    let asked = |answer: &&Answer<'_>| requests.by_id.contains_key(answer.id());
    for answer in answers.official.values().filter(asked) {
        check_chosen(answer, &scores, answers, history, report);
    }
}

fn take(
    record: &Record,
    score: ScoreRecord,
    history: &History,
    requests: &Requests<'_>,
    scores: &mut Scores,
    report: &mut Report,
) {
    let id = score.request.as_str().to_owned();
    let Some(request) = requests.by_id.get(&id).and_then(|same| same.first()) else {
        return report.found_of(&id, Kind::ScoreInvented, format!("found {record}"));
    };
    if record.partition != request.place.partition % history.rules.partitions {
        report.found_of(&id, Kind::Scattered, format!("found the score {record}"));
    }
    check_content(record, &score, request.x, &history.rules, report);
    let known = scores.entry(id.clone()).or_default();
    if history.rules.exactly_once && known.iter().any(|known| known.model == score.model) {
        report.found_of(&id, Kind::Repeated, format!("found once more the score {record}"));
    }
    known.push(score);
}

/// A model says what it computes.
fn check_content(record: &Record, score: &ScoreRecord, x: f64, rules: &Rules, report: &mut Report) {
    let id = score.request.as_str();
    let Some(model) = rules.models.get(score.model.as_str()) else {
        return report.found_of(id, Kind::ScoreInvented, format!("found {record}"));
    };
    let expected = Some(model.factor * x);
    match &score.outcome {
        Outcome::Prediction(prediction) if y_of(&prediction.outputs) == expected => {}
        _ => {
            let message = format!("expected y = {expected:?} in the score {record}");
            report.found_of(id, Kind::WrongContent, message);
        }
    }
}

/// The score that was chosen is there. Only a host that lost its partitions can have taken it along.
fn check_chosen(
    answer: &Answer<'_>,
    scores: &Scores,
    answers: &Answers<'_>,
    history: &History,
    report: &mut Report,
) {
    let AnswerSource::Score { model, revision } = &answer.says.source else { return };
    let of_request = scores.get(answer.id()).map_or(&[][..], Vec::as_slice);
    let is_there = of_request.iter().any(|score| {
        score.model == *model
            && score.revision.as_ref() == Some(revision)
            && matches!(&score.outcome, Outcome::Prediction(it) if it.outputs == answer.says.outputs)
    });
    if is_there {
        return;
    }
    if !history.rules.exactly_once && answers.is_from_before(answer) {
        report.counts.scores_lost += 1;
        return;
    }
    let message = format!("found {} scores, none of which is {}", of_request.len(), answer.record);
    report.found_of(answer.id(), Kind::ScoreMissing, message);
}

/// The first element of the output `y`.
pub(super) fn y_of(outputs: &[Tensor]) -> Option<f64> {
    let y = outputs.iter().find(|output| output.name == "y")?;
    match &y.contents {
        Contents::F64s(values) => values.first().copied(),
        _ => None,
    }
}
