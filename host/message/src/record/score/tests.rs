//! Scores there and back.

use super::*;
use crate::{Contents, Revision, Tensor, Time};

fn score(outcome: Outcome) -> Score {
    Score {
        request: "r-1".into(),
        model: "gbdt".into(),
        revision: Revision::from_digest([0x0f; 32]),
        outcome,
        time: Time::from_us(9),
        latency: Duration::from_micros(812),
        cpu: Duration::from_micros(31),
    }
}

fn encoded(score: &Score) -> String {
    let mut out = Vec::new();
    encode_score(score, &mut out);
    String::from_utf8(out).unwrap()
}

fn prediction() -> Outcome {
    let outputs = vec![Tensor::new("delayed", [], Contents::F64s(vec![0.5]))];
    Outcome::Prediction(Prediction { outputs, notes: vec![("why".into(), "rain".into())] })
}

fn outcomes() -> Vec<Outcome> {
    let message = || "no \"carrier\"\n".to_owned();
    let refusals = [Refusal::InvalidInput, Refusal::Abstain, Refusal::Failed]
        .map(|refusal| Outcome::Refusal(refusal(message())));
    let faults = FaultClass::ALL.map(|class| Outcome::Fault(Fault { class, message: message() }));
    [prediction()].into_iter().chain(refusals).chain(faults).collect()
}

#[test]
fn a_score_says_who_and_at_what_cost() {
    assert_eq!(
        encoded(&score(prediction())),
        concat!(
            r#"{"model_name":"gbdt","model_version":"0f0f0f0f0f0f","id":"r-1","parameters":"#,
            r#"{"latency_us":812,"cpu_us":31,"outcome":"prediction","note.why":"rain"},"#,
            r#""outputs":[{"name":"delayed","shape":[],"datatype":"FP64","data":[0.5]}]}"#,
        )
    );
    let abstained = Outcome::Refusal(Refusal::Abstain("too far".into()));
    assert_eq!(
        encoded(&score(abstained)),
        concat!(
            r#"{"model_name":"gbdt","model_version":"0f0f0f0f0f0f","id":"r-1","parameters":"#,
            r#"{"latency_us":812,"cpu_us":31,"outcome":"refusal","kind":"abstain","#,
            r#""message":"too far"},"outputs":[]}"#,
        )
    );
}

#[test]
fn every_outcome_is_read_again() {
    for outcome in outcomes() {
        let expected = ScoreRecord {
            request: "r-1".into(),
            model: "gbdt".into(),
            revision: Some("0f0f0f0f0f0f".into()),
            outcome: outcome.clone(),
            latency: Duration::from_micros(812),
            cpu: Duration::from_micros(31),
        };
        assert_eq!(decode_score(encoded(&score(outcome)).as_bytes()).unwrap(), expected);
    }
}

#[test]
fn a_plain_response_of_another_scorer_is_a_prediction() {
    let record = decode_score(br#"{"model_name":"gpu","id":"r-1","outputs":[]}"#).unwrap();
    let nothing = Prediction { outputs: Vec::new(), notes: Vec::new() };
    assert_eq!(record.outcome, Outcome::Prediction(nothing));
    assert_eq!(
        (record.revision, record.latency, record.cpu),
        (None, Duration::ZERO, Duration::ZERO)
    );
}

#[test]
fn what_is_no_score_is_refused_by_its_path() {
    let check = |document: &str, expected: &str| {
        assert_eq!(decode_score(document.as_bytes()).unwrap_err().to_string(), expected);
    };
    check(r#"{"model_name":"m","outputs":[]}"#, "id: found nothing, expected a string");
    check(r#"{"model_name":"m","id":"r"}"#, "outputs: found nothing, expected a list of tensors");
    check(r#"{"model_name":"m","error":"e"}"#, "error: found an error, expected a score");
    let parameters = |parameters: &str, expected: &str| {
        let document =
            format!(r#"{{"model_name":"m","id":"r","outputs":[],"parameters":{parameters}}}"#);
        check(&document, &format!("parameters.{expected}"));
    };
    parameters(
        r#"{"outcome":"shrug"}"#,
        "outcome: found `shrug`, expected prediction, refusal or fault",
    );
    parameters(r#"{"outcome":1}"#, "outcome: found 1, expected a string");
    parameters(
        r#"{"outcome":"refusal","kind":"rude","message":""}"#,
        "kind: found `rude`, expected invalid-input, abstain or failed",
    );
    parameters(r#"{"outcome":"fault","kind":"cpu"}"#, "message: found nothing, expected a string");
}
