//! Scores there and back.

use super::*;
use crate::{Contents, Revision, Time};

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

fn outside(id: Option<&str>, model: Option<&str>, value: &str) -> Result<ScoreRecord, String> {
    decode_outside_score(id, model, value.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn a_scorer_outside_says_in_headers_what_it_is_about() {
    let value = r#"{"outputs":[{"name":"delayed","shape":[],"datatype":"FP64","data":[0.5]}]}"#;
    let score = outside(Some("r-1"), Some("torch"), value).unwrap();
    assert_eq!((score.request.as_str(), score.model.as_str()), ("r-1", "torch"));
    assert!(matches!(score.outcome, Outcome::Prediction(it) if it.outputs.len() == 1));
    let named = r#"{"id":"r-1","model_name":"torch","model_version":"7","outputs":[]}"#;
    let score = outside(None, None, named).unwrap();
    assert_eq!(score.revision.as_deref(), Some("7"));
    assert!(outside(Some("r-1"), Some("torch"), named).is_ok());
}

#[test]
fn a_scorer_outside_says_no_in_one_of_three_ways() {
    let check = |value: &str, expected: Refusal| {
        let score = outside(Some("r-1"), Some("torch"), value).unwrap();
        assert_eq!(score.outcome, Outcome::Refusal(expected), "{value}");
    };
    check(r#"{"refusal":"too far"}"#, Refusal::Abstain("too far".into()));
    let of_kind = r#"{"refusal":{"kind":"invalid-input","message":"no carrier"}}"#;
    check(of_kind, Refusal::InvalidInput("no carrier".into()));
    check(r#"{"error":"no GPU"}"#, Refusal::Failed("no GPU".into()));
}

#[test]
fn what_every_host_writes_is_a_score_from_outside_too() {
    for outcome in outcomes() {
        let text = encoded(&score(outcome));
        assert_eq!(outside(None, None, &text).unwrap(), decode_score(text.as_bytes()).unwrap());
    }
}

#[test]
fn a_score_from_outside_that_is_none_says_why() {
    let check = |id, model, value: &str, expected: &str| {
        let error = outside(id, model, value).unwrap_err();
        assert_eq!(error, expected, "{value}");
    };
    let both = (Some("r-1"), Some("torch"));
    let none = r#"{"outputs":[]}"#;
    check(None, both.1, none, "id: found nothing, expected a string, here or as a header");
    check(both.0, None, none, "model_name: found nothing, expected a string, here or as a header");
    let other = r#"{"id":"r-2","outputs":[]}"#;
    check(both.0, both.1, other, "id: found `r-2`, expected `r-1`, as the header has it");
    check(both.0, both.1, "{}", "outputs: found nothing, expected outputs, or a refusal");
    let more = r#"{"outputs":[],"error":"e"}"#;
    check(both.0, both.1, more, "outputs: found more, expected one of outputs, refusal and error");
    let kind = r#"{"refusal":{"kind":"maybe","message":""}}"#;
    let expected = "refusal.kind: found `maybe`, expected invalid-input, abstain or failed";
    check(both.0, both.1, kind, expected);
}
