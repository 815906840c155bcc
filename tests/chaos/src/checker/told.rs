//! What callers were told: the official answer or nothing.

use message::record::{decode_answer, header};
use serde_json::Value;

use super::Report;
use super::answers::Answers;
use super::requests::Requests;
use crate::{Call, History, Kind, Record, Told};

/// From here on an error is the host's.
const FIRST_SERVER_ERROR: u16 = 500;
/// Too many calls, which is nobody's mistake.
const TOO_MANY: u16 = 429;

pub(super) fn check(
    history: &History,
    requests: &Requests<'_>,
    answers: &Answers<'_>,
    report: &mut Report,
) {
    for call in &history.calls {
        let outcome = match &call.told {
            Told::Answer(document) => {
                check_answer(call, document, requests, answers, report);
                "200".to_owned()
            }
            Told::Error { status, text } => {
                if *status < FIRST_SERVER_ERROR && *status != TOO_MANY {
                    let message = format!("host {}: found {status} {text}", call.host);
                    report.found(Kind::RefusedWrongly, message);
                }
                status.to_string()
            }
            Told::Nothing => "nothing".to_owned(),
        };
        *report.counts.calls.entry(outcome).or_default() += 1;
    }
    for reply in &history.replies {
        check_reply(reply, history, answers, report);
    }
}

fn check_answer(
    call: &Call,
    document: &Value,
    requests: &Requests<'_>,
    answers: &Answers<'_>,
    report: &mut Report,
) {
    let told = format!("host {} told {document}", call.host);
    let Some(id) = document["parameters"]["request_id"].as_str() else {
        return report.found(Kind::Unreadable, told);
    };
    if call.idempotency_key.as_deref().is_some_and(|key| key != id) {
        return report.found_of(id, Kind::ToldOtherwise, format!("{told}, expected another id"));
    }
    let mut same = requests.by_id.get(id).into_iter().flatten();
    let is_asked = same.any(|it| call.idempotency_key.is_some() || it.record.value == call.body);
    if !is_asked {
        return report.found_of(id, Kind::ToldOtherwise, format!("{told}, which nobody asked"));
    }
    let official = answers.official.get(id).map(|answer| answer.record);
    let expected = official.and_then(|record| serde_json::from_slice(&record.value).ok());
    if expected.map(without_caller_id) != Some(without_caller_id(document.clone())) {
        let official = official.map_or("nothing".to_owned(), ToString::to_string);
        let message = format!("{told}, official is {official}");
        report.found_of(id, Kind::ToldOtherwise, message);
    }
}

/// Callers of one request may each know it by an id of their own.
fn without_caller_id(mut document: Value) -> Value {
    if let Some(fields) = document.as_object_mut() {
        fields.remove("id");
    }
    document
}

/// An answer that went to another host is the official one, or one that does not count: whether somebody believed that
/// is seen by what callers were told.
fn check_reply(reply: &Record, history: &History, answers: &Answers<'_>, report: &mut Report) {
    let says = match decode_answer(&reply.value) {
        Ok(says) => says,
        Err(error) => {
            return report.found(Kind::Unreadable, format!("a reply: {error}: {reply}"));
        }
    };
    if says.endpoint.as_str() != history.rules.endpoint {
        return;
    }
    report.counts.replies += 1;
    let id = says.request.as_str();
    let is_the_same = |value: &[u8]| value == reply.value;
    let official = answers.official.get(id);
    if reply.header(header::ID) != Some(id) || reply.header(header::HOST).is_none() {
        report.found_of(id, Kind::WrongContent, format!("found the headers of reply {reply}"));
    } else if official.is_none_or(|answer| !is_the_same(&answer.record.value)) {
        let mut written = history.answers.iter();
        if written.any(|answer| is_the_same(&answer.value)) {
            report.counts.replies_void += 1;
        } else {
            let message = format!("found a reply that is no answer: {reply}");
            report.found_of(id, Kind::ToldOtherwise, message);
        }
    }
}
