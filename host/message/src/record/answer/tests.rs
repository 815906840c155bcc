//! Answers there and back.

use super::*;
use crate::oip::decode_response;
use crate::{Contents, Prediction, Time};

fn endpoint() -> EndpointName {
    "acme/fraud".into()
}

fn answer(chosen: Chosen, reason: Reason) -> Answer {
    Answer {
        request: "r-1".into(),
        caller_id: Some("mine".into()),
        chosen,
        reason,
        selection: Selection { propensity: 0.25, course: "route[0]/treatment".into() },
        time: Time::from_us(2_000),
        latency: Duration::from_micros(812),
    }
}

fn outputs() -> Vec<Tensor> {
    vec![Tensor::new("delayed", [1], Contents::F32s(vec![0.25]))]
}

fn score(notes: &[(&str, &str)]) -> Chosen {
    let notes = notes.iter().map(|&(name, note)| (name.to_owned(), note.to_owned())).collect();
    Chosen::Score {
        model: "gb@dt".into(),
        revision: Revision::from_digest([0xab; 32]),
        prediction: Prediction { outputs: outputs(), notes },
    }
}

fn ensemble() -> Chosen {
    Chosen::Ensemble {
        combine: Combine::WeightedMean,
        members: vec![
            ("a,b@c,d".into(), Revision::from_digest([0xab; 32])),
            ("logit".into(), Revision::from_digest([0x12; 32])),
        ],
        outputs: outputs(),
    }
}

fn encoded(answer: &Answer) -> String {
    let mut out = Vec::new();
    encode_answer(answer, &endpoint(), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn an_answer_says_who_why_and_how_fast() {
    let answer = answer(score(&[("why", "weather")]), Reason::PreferredWasSlow);
    assert_eq!(
        encoded(&answer),
        concat!(
            r#"{"model_name":"acme/fraud","model_version":"gb@dt@abababababab","id":"mine","#,
            r#""parameters":{"request_id":"r-1","reason":"preferred-was-slow","latency_us":812,"#,
            r#""propensity":0.25,"course":"route[0]/treatment","note.why":"weather"},"#,
            r#""outputs":[{"name":"delayed","shape":[1],"datatype":"FP32","data":[0.25]}]}"#,
        )
    );
}

#[test]
fn an_answer_of_an_ensemble_names_its_members() {
    let mut answer = answer(ensemble(), Reason::Preferred);
    answer.selection = Selection::default();
    assert_eq!(
        encoded(&answer),
        concat!(
            r#"{"model_name":"acme/fraud","model_version":"ensemble:weighted-mean","id":"mine","#,
            r#""parameters":{"request_id":"r-1","reason":"preferred","latency_us":812,"#,
            r#""propensity":1.0,"members":"a,b@c,d@abababababab,logit@121212121212"},"#,
            r#""outputs":[{"name":"delayed","shape":[1],"datatype":"FP32","data":[0.25]}]}"#,
        )
    );
}

#[test]
fn an_answer_of_a_host_that_knew_no_courses_had_the_only_one() {
    let document = concat!(
        r#"{"model_name":"f","model_version":"m@ab","parameters":"#,
        r#"{"request_id":"r","reason":"preferred","latency_us":1},"outputs":[]}"#,
    );
    assert_eq!(decode_answer(document.as_bytes()).unwrap().selection, Selection::default());
}

#[test]
fn the_document_is_the_response() {
    let notes = [("a", "1"), ("b", "2"), ("a", "3")];
    for chosen in [score(&notes), ensemble(), Chosen::Default(outputs())] {
        let answer = answer(chosen, Reason::NothingCame);
        let response = answer_response(&answer, &endpoint()).unwrap();
        assert_eq!(decode_response(encoded(&answer).as_bytes()).unwrap(), response);
    }
    assert_eq!(answer_response(&answer(Chosen::Nothing, Reason::Expired), &endpoint()), None);
}

#[test]
fn what_is_written_is_read_again() {
    let cases = [
        (
            score(&[("a", "1"), ("b", "\"")]),
            AnswerSource::Score { model: "gb@dt".into(), revision: "abababababab".into() },
        ),
        (
            ensemble(),
            AnswerSource::Ensemble {
                combine: Combine::WeightedMean,
                members: vec![
                    ("a,b@c,d".into(), "abababababab".to_owned()),
                    ("logit".into(), "121212121212".to_owned()),
                ],
            },
        ),
        (Chosen::Default(outputs()), AnswerSource::Default),
    ];
    for (chosen, source) in cases {
        let notes = match &chosen {
            Chosen::Score { prediction, .. } => prediction.notes.clone(),
            _ => Vec::new(),
        };
        let expected = AnswerRecord {
            endpoint: endpoint(),
            request: "r-1".into(),
            caller_id: Some("mine".into()),
            source,
            reason: Reason::Preferred,
            selection: Selection { propensity: 0.25, course: "route[0]/treatment".into() },
            latency: Duration::from_micros(812),
            outputs: outputs(),
            notes,
        };
        let answer = answer(chosen, Reason::Preferred);
        assert_eq!(decode_answer(encoded(&answer).as_bytes()).unwrap(), expected);
    }
}

#[test]
fn nothing_is_an_error_in_a_sentence_with_the_reason() {
    for reason in Reason::ALL {
        let mut answer = answer(Chosen::Nothing, reason);
        answer.caller_id = None;
        let document = encoded(&answer);
        let error = explain(reason);
        assert_eq!(
            document,
            format!(
                concat!(
                    r#"{{"error":"{}","model_name":"acme/fraud","id":"r-1","parameters":"#,
                    r#"{{"request_id":"r-1","reason":"{}","latency_us":812,"propensity":0.25,"#,
                    r#""course":"route[0]/treatment"}}}}"#,
                ),
                error, reason
            )
        );
        let record = decode_answer(document.as_bytes()).unwrap();
        assert_eq!(record.source, AnswerSource::Nothing { error: error.to_owned() });
        assert_eq!((record.reason, record.caller_id), (reason, None));
    }
}

#[test]
fn what_is_no_answer_is_refused_by_its_path() {
    let check = |version: &str, parameters: &str, expected: &str| {
        let document = format!(
            r#"{{"model_name":"f","model_version":"{version}","parameters":{parameters},"outputs":[]}}"#
        );
        assert_eq!(decode_answer(document.as_bytes()).unwrap_err().to_string(), expected);
    };
    check(
        "7",
        "{}",
        "model_version: found `7`, expected model@revision, ensemble:combine or default",
    );
    check("m@r", "{}", "parameters.request_id: found nothing, expected a string");
    check(
        "m@r",
        r#"{"request_id":"r","reason":"whim"}"#,
        "parameters.reason: found `whim`, expected the name of a reason",
    );
    check(
        "m@r",
        r#"{"request_id":"r","reason":"preferred","latency_us":-1}"#,
        "parameters.latency_us: found -1, expected microseconds from 0",
    );
    check(
        "m@r",
        r#"{"request_id":"r","reason":"preferred","propensity":1.5}"#,
        "parameters.propensity: found 1.5, expected a number from 0 to 1",
    );
    check("ensemble:mean", "{}", "parameters.members: found nothing, expected a string");
    check(
        "ensemble:mean",
        r#"{"members":"a@12,b"}"#,
        "parameters.members: found `a@12,b`, expected model@revision, with commas between them",
    );
}
